"""Calling the system's own tools, by name, with their words kept when they fail."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from .errors import SetupFailed

ROOT = Path(__file__).resolve().parents[1]
"""The checkout this benchmark measures: its code, not an installed one."""

SEARCH_PATH = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/local/sbin:/usr/sbin:/sbin"
"""nwipe and losetup live in folders that an ordinary user's PATH leaves out."""


def environment() -> dict[str, str]:
    """The environment every measured command gets: the same for all, messages untranslated."""
    return {**os.environ, "PATH": SEARCH_PATH, "LC_ALL": "C", "PYTHONPATH": str(ROOT)}


def find(tool: str) -> str | None:
    """The path of a tool, or None."""
    return shutil.which(tool, path=SEARCH_PATH)


def call(*command: str, check: bool = True) -> str:
    """Run a short set-up command and return what it printed.

    Raises:
        SetupFailed: it is missing, or (with `check`) ended with another code than 0.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment(), timeout=60)
    except FileNotFoundError:
        raise SetupFailed(f"{command[0]} is not installed") from None
    if check and done.returncode:
        raise SetupFailed(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout.strip()
