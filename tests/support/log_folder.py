"""Writes a log of the tests as the files the service exports."""

from __future__ import annotations

from pathlib import Path

from reports.canonical import canonical
from reports.tlog import HASH_BYTES, TILE_WIDTH, tile_path
from reports.tlog.folder import PLAIN_KINDS, entries_path, pack_entries, read_entry, statement_path
from tests.support.evidence import MemoryLog


def write_folder(log: MemoryLog, root: Path, note: str = "") -> Path:
    """The whole log as it is now."""
    for (level, number), data in log.tiles.items():
        _put(root / tile_path(level, number, len(data) // HASH_BYTES), data)
    for start in range(0, len(log.entries), TILE_WIDTH):
        entries = log.entries[start : start + TILE_WIDTH]
        _put(root / entries_path(start // TILE_WIDTH, len(entries)), pack_entries(entries))
    for index, raw in enumerate(log.entries):
        entry = read_entry(index, raw)
        if entry.kind in PLAIN_KINDS:
            _put(root / statement_path(entry.kind, index), canonical(log.envelopes[index]))
    _put(root / "checkpoint", (note or log.note()).encode())
    return root


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
