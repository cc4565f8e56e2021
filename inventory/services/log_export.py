"""The log as plain files (c2sp.org/tlog-tiles), for a web server, a mirror, an auditor, or the day after a disaster.

Each round writes what has come since the last one. Every file is complete under its name or absent: written beside, fsynced,
renamed; the checkpoint comes last, so that whatever it speaks of is there. A round that was cut off is simply done again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.errors import LogRefused, StorageFailed
from inventory.models import LogEntry, LogTile
from reports.canonical import canonical
from reports.errors import MalformedDocument
from reports.tlog import HASH_BYTES, TILE_WIDTH, Checkpoint, tile_path
from reports.tlog.folder import (
    CHECKPOINT,
    PLAIN_KINDS,
    LogFolder,
    entries_path,
    pack_entries,
    statement_path,
)

from ._anchor import anchor_at
from .context import Context
from .kernel import load_envelope

_LEVELS: Final = 8
_LOCK: Final = ".lock"


@dataclass(frozen=True)
class ExportReport:
    """What a round did."""

    before: int
    """Entries the folder held."""
    size: int
    """Entries it holds now."""
    files: int
    """Files written."""


def export(context: Context, folder: Path) -> ExportReport:
    """Bring a folder up to date with the newest checkpoint.

    Raises:
        LogRefused: the folder holds another log, or more of this one than the database.
        StorageFailed: a file could not be written; the folder is what it was, and the next round goes on.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _owned(folder), context.reading() as session:
            return _export(session, context, folder)
    except OSError as error:
        raise StorageFailed(f"{error.filename or folder}: {error.strerror}") from error


def _export(session: Session, context: Context, folder: Path) -> ExportReport:
    newest, _, _ = context.ledger.checkpoint(session)
    before = _held(session, context, folder, newest)
    writer = _Writer(folder)
    for level in range(_LEVELS):
        hashes, old = newest.size >> (8 * level), before >> (8 * level)
        for number in range(old // TILE_WIDTH, -(-hashes // TILE_WIDTH)):
            width = min(TILE_WIDTH, hashes - number * TILE_WIDTH)
            stored = session.scalar(sa.select(LogTile.data).where(LogTile.level == level, LogTile.number == number))
            if stored is None or len(stored) < width * HASH_BYTES:
                raise LogRefused(f"tile {level}/{number} is missing in the database or too short")
            writer.put(tile_path(level, number, width), stored[: width * HASH_BYTES])
            if level == 0:
                _export_entries(session, writer, number, width)
    _export_statements(session, writer, before, newest.size)
    writer.put(CHECKPOINT, anchor_at(session, context, newest.size).checkpoint.encode(), replace=True)
    return ExportReport(before, newest.size, writer.written)


def _held(session: Session, context: Context, folder: Path, newest: Checkpoint) -> int:
    """How many entries the folder holds already: what its checkpoint says, where that is an earlier state of this log."""
    if not (folder / CHECKPOINT).exists():
        return 0
    try:
        found = Checkpoint.parse(LogFolder.note(folder).rpartition("\n\n")[0] + "\n")
    except MalformedDocument as error:
        raise LogRefused(f"the checkpoint in {folder} cannot be read; export into an empty folder") from error
    if found.origin != newest.origin:
        raise LogRefused(f"{folder} holds the log {found.origin!r}")
    if found.size > newest.size:
        raise LogRefused(f"{folder} holds {found.size} entries, the database {newest.size}: an old backup was restored")
    if context.ledger.root(session, found.size) != found.root:
        raise LogRefused(f"{folder} holds another history of {found.size} entries")
    return found.size


def _export_entries(session: Session, writer: _Writer, number: int, width: int) -> None:
    start = number * TILE_WIDTH
    statement = sa.select(LogEntry.entry).where(LogEntry.idx >= start, LogEntry.idx < start + width)
    entries = list(session.scalars(statement.order_by(LogEntry.idx)))
    if len(entries) != width:
        raise LogRefused(f"entries from {start} on are missing in the database")
    writer.put(entries_path(number, width), pack_entries(entries))
    if width == TILE_WIDTH:
        writer.drop_partial(tile_path(0, number), entries_path(number))


def _export_statements(session: Session, writer: _Writer, before: int, size: int) -> None:
    rows = session.execute(
        sa.select(LogEntry.idx, LogEntry.kind, LogEntry.sha256)
        .where(LogEntry.idx >= before, LogEntry.idx < size, LogEntry.kind.in_(PLAIN_KINDS))
        .order_by(LogEntry.idx)
    )
    for index, kind, digest in rows:
        writer.put(statement_path(kind, index), canonical(load_envelope(session, digest)))


class _Writer:
    """Puts files into the folder, each whole and on the disk before its name is there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.written = 0

    def put(self, name: str, content: bytes, *, replace: bool = False) -> None:
        """One file; one that is there already never changes, but for the checkpoint."""
        target = self._folder / name
        if not replace and target.is_file() and target.stat().st_size == len(content):
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.draft")
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
        descriptor = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self.written += 1

    def drop_partial(self, *names: str) -> None:
        """The full tile is there: its partial ones are needed no more (tlog-tiles, Partial Tiles)."""
        for name in names:
            partial = self._folder / f"{name}.p"
            if partial.is_dir():
                for file in partial.iterdir():
                    file.unlink()
                partial.rmdir()


@contextmanager
def _owned(folder: Path) -> Iterator[None]:
    """One round at a time; the lock dies with the process."""
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            os.lockf(descriptor, os.F_TLOCK, 0)
        except OSError as error:
            raise LogRefused(f"another export into {folder} is under way") from error
        yield
    finally:
        os.close(descriptor)
