"""`python -m tests.lab.in_process_cells`: runs the tests in one process and leaves a list of their cells for docs/techniques.md.

A cell is one run of the engine on one kind of emulated drive, as the tests beside this file make them. Its expected outcome is
the one its test demands: where the test passed, it is the one observed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from sanitizer.planning import PlanRequest
from sanitizer.stretch import Hooks

from .drives.world import World

ROOT = Path(__file__).resolve().parents[2]
LIST = ROOT / "docs" / "techniques-tested-in-process.json"
MODULES = ("test_in_process_nvme.py", "test_in_process_nvme_runs.py", "test_in_process_scsi.py")
NAMES = ("name", "habit")
"""Parameters of the tests that say which kind of drive it is."""


class Recorder:
    """Sees every run that a test makes; a test with one run on a drive of a named kind is a cell."""

    def __init__(self) -> None:
        self.cells: list[dict[str, str]] = []
        self._seen: list[tuple[str, str]] = []
        outcome = World.outcome

        def recorded(world: World[Any], request: PlanRequest, journals: Path, hooks: Hooks | None = None) -> str:
            found = outcome(world, request, journals, hooks)
            self._seen.append((request.technique, found))
            return found

        World.outcome = recorded  # type: ignore[method-assign,assignment]  # for this process only

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        """Let the test run, then look at what it did."""
        self._seen.clear()
        passed = False
        try:
            yield
            passed = True
        finally:
            self._keep(getattr(getattr(item, "callspec", None), "params", {}), passed=passed)

    def _keep(self, parameters: dict[str, object], *, passed: bool) -> None:
        drives = [str(parameters[name]) for name in NAMES if name in parameters]
        if len(self._seen) != 1 or not drives:
            return
        technique, observed = self._seen[0]
        drive = f"USB bridge, {drives[0]}" if "habit" in parameters else drives[0]
        if "interface" in parameters:
            drive += f", {parameters['interface']}"
        self.cells.append(
            {
                "technique": technique,
                "personality": drive,
                "expected": observed if passed else "another outcome",
                "observed": observed,
                "how": "in-process",
            }
        )


def main() -> int:
    """Run them all; the list is left even when one fails, for it says so."""
    recorder = Recorder()
    here = Path(__file__).parent
    status = pytest.main(["-q", "-p", "no:cacheprovider", *(str(here / each) for each in MODULES)], plugins=[recorder])
    found = sorted(recorder.cells, key=lambda each: (each["technique"], each["personality"]))
    lines = ",\n".join(json.dumps(each) for each in found)
    LIST.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    sys.stdout.write(f"{len(found)} cells in {LIST.relative_to(ROOT)}\n")
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
