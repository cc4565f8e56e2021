"""Where tests keep their files: in memory, as long as there is room.

What they ask is whether the order of things holds, also when a process is killed; a disk's patience with fsync tells them nothing
(no test takes the power away from this machine). `TMPDIR` of one's own choice is left alone.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from multiprocessing.util import Finalize
from pathlib import Path

_MEMORY = Path("/dev/shm")  # noqa: S108 - a fresh folder is made in it
_PREFIX = "st-"
"""Sanitrail's tests; the process follows. Short, because addresses of sockets must be."""
_ROOM = 4 << 30
"""What must be free: two workers use about one of it."""


def _room() -> bool:
    """Whether this machine can spare the memory; containers often have a small place there."""
    if not os.access(_MEMORY, os.W_OK) or shutil.disk_usage(_MEMORY).free < _ROOM:
        return False
    words = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    return int(words["MemAvailable"].split()[0]) << 10 > 2 * _ROOM


def _sweep() -> None:
    """What runs left that were killed: memory is given back."""
    for left in _MEMORY.glob(f"{_PREFIX}*"):
        process = left.name.removeprefix(_PREFIX)
        if process.isdigit() and not Path("/proc", process).exists():
            shutil.rmtree(left, ignore_errors=True)


def begin() -> None:
    """From here on temporary files of this process and its children lie in memory; it is given back when this process ends."""
    if "TMPDIR" in os.environ or not _room():
        return
    _sweep()
    made = _MEMORY / f"{_PREFIX}{os.getpid()}"
    made.mkdir(mode=0o755)  # servers that run as another user pass through it
    os.environ["TMPDIR"] = str(made)
    tempfile.tempdir = None
    Finalize(
        None, shutil.rmtree, (made,), {"ignore_errors": True}, exitpriority=-200
    )  # after whoever has a folder in it
