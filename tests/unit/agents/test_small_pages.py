"""What stays in memory asks the kernel for small pages, and what it becomes keeps that."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_BECOMES = """
import os, sys
from agents.small_pages import only_small_pages
only_small_pages()
os.execv(sys.executable, [sys.executable, "-c", "print(open('/proc/self/status').read())"])
"""


@pytest.mark.skipif(
    "THP_enabled" not in Path("/proc/self/status").read_text(),
    reason="capability missing: a kernel that tells of huge pages (THP_enabled)",
)
def test_a_process_that_wants_small_pages_keeps_them_when_it_becomes_another() -> None:
    done = subprocess.run([sys.executable, "-c", _BECOMES], capture_output=True, text=True, check=True)
    assert "THP_enabled:\t0" in done.stdout
