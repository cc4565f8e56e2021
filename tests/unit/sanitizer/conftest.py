"""Journals of these tests lie in memory: what they are about is the order of things, not the disk's patience with fsync."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

_MEMORY = Path("/dev/shm")  # noqa: S108 - a fresh folder is made in it


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A fresh folder, in memory where the host has a place for it."""
    with tempfile.TemporaryDirectory(prefix="sanitizer-", dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        yield Path(folder)
