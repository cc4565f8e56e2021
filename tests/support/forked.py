"""Programs that a test starts once for each of many steps: real processes, forked from one that has imported them already."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory


@dataclass(frozen=True)
class Ended:
    """How a process ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


def run(program: Callable[..., None], *arguments: object) -> Ended:
    """Runs a function of a module in a process of its own, to its end or its death."""
    context = get_context("forkserver")
    context.set_forkserver_preload([program.__module__])  # heeded when the first is started
    with TemporaryDirectory(prefix="sanitrail-forked-") as folder:
        process = context.Process(target=_told, args=(Path(folder), program, *arguments))
        process.start()
        process.join()
        said = [Path(folder, name) for name in ("stdout", "stderr")]
        out, err = (file.read_text() if file.exists() else "" for file in said)
        assert process.exitcode is not None
        return Ended(process.exitcode, out, err)


def _told(folder: Path, program: Callable[..., None], *arguments: object) -> None:
    for number, name in ((1, "stdout"), (2, "stderr")):
        file = os.open(folder / name, os.O_CREAT | os.O_WRONLY, 0o600)
        os.dup2(file, number)
        os.close(file)
    sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
    try:
        program(*arguments)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
