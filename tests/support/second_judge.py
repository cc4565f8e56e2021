"""The verifier in another language (`tests/judges`), and the files that tests hand to ours, for it to judge too."""

from __future__ import annotations

import inspect
import itertools
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from reports.verify import verify
from reports.verify_media import Beside, nothing_beside
from reports.verify_steps import Verification

JUDGE = Path(__file__).resolve().parents[1] / "judges" / "verify.mjs"


class File(NamedTuple):
    """A file under a pin, and what our verifier said of it."""

    name: str
    data: bytes
    pin: str
    ours: Verification

    @property
    def failed(self) -> str:
        """Our check that failed; empty where none did."""
        return next((check.code for check in self.ours.checks if check.state == "failed"), "")


def node(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it."""
    done = subprocess.run(["node", str(JUDGE), *arguments], capture_output=True, text=True, check=False)
    assert not done.stderr
    return done


def judged(folder: Path, files: list[File]) -> dict[str, dict[str, Any]]:
    """What it says of each, all in one process."""
    for number, file in enumerate(files):
        (folder / f"{number:04}.json").write_bytes(file.data)
        (folder / f"{number:04}.pin").write_text(file.pin, encoding="ascii")
    done = node("--batch", str(folder))
    said = json.loads(done.stdout)
    assert len(said) == len(files)
    assert (done.returncode == 0) == all(one["yes"] for one in said.values())
    return {file.name: said[f"{number:04}.json"] for number, file in enumerate(files)}


def broken(said: dict[str, Any]) -> list[str]:
    """The check that failed, without those that were not reached after it."""
    return [one["name"] for one in said["checks"] if not one["ok"] and not one["why"].startswith("not reached")]


def calls(test: Callable[..., None]) -> Iterator[dict[str, Any]]:
    """The arguments with which pytest would call a parametrized test."""
    axes = []
    for mark in getattr(test, "pytestmark", []):
        assert mark.name == "parametrize"
        names, rows = mark.args
        listed = [names] if isinstance(names, str) else list(names)
        axes.append([dict(zip(listed, [row] if len(listed) == 1 else row, strict=True)) for row in rows])
    for chosen in itertools.product(*axes):
        yield {name: value for row in chosen for name, value in row.items()}


def handed_over(module: ModuleType) -> list[File]:
    """Every file that the tests of a module hand to our verifier, with nothing beside it."""
    found: list[File] = []
    with pytest.MonkeyPatch.context() as patch:
        for name, test in inspect.getmembers(module, inspect.isfunction):
            if not name.startswith("test_"):
                continue
            for arguments in calls(test):

                def recorded(
                    data: bytes, pin: str, beside: Beside = nothing_beside, case: str = f"{name} {arguments}"
                ) -> Verification:
                    ours = verify(data, pin, beside)
                    if beside is nothing_beside:
                        found.append(File(f"{len(found)} {case}", data, pin, ours))
                    return ours

                patch.setattr(module, "verify", recorded)
                test(**arguments)
    return found
