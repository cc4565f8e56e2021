"""A log as plain files, as anybody may mirror it (c2sp.org/tlog-tiles), and the check of every byte of it. Reads only.

checkpoint                  the newest signed note
tile/LEVEL/N[.p/W]          hash tiles
tile/entries/N[.p/W]        the entries, each after its length in two bytes, big endian
trust-root/INDEX.json       statements whose digest stands at that index, in canonical form; so, too,
key-event/INDEX.json        those of key events
correction/INDEX.json       and corrections
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from reports.canonical import parse_canonical
from reports.envelope import envelope_digest
from reports.errors import BrokenChain, MalformedDocument

from .entries import log_entry
from .notes import MAX_NOTE
from .tiles import TILE_WIDTH, TileHashes, extend_tiles, tile_path
from .tree import HASH_BYTES, Frontier, leaf_hash

CHECKPOINT: Final = "checkpoint"
PLAIN_KINDS: Final = ("trust-root", "key-event", "correction")
"""Kinds whose statements stand beside the tiles; all others are known by their digest alone."""
_WHERE: Final = "log folder"
_MAX_ENTRY: Final = 1 << 16
_MAX_STATEMENT: Final = 1 << 20


@dataclass(frozen=True)
class Entry:
    """A leaf that was read back."""

    index: int
    kind: str
    sha256: str
    """Digest of the statement."""
    raw: bytes


def entries_path(number: int, width: int = TILE_WIDTH) -> str:
    """Where an entry bundle is published, relative to the log's address."""
    return f"tile/entries/{tile_path(0, number, width).removeprefix('tile/0/')}"


def statement_path(kind: str, index: int) -> str:
    """Where a statement is published, relative to the log's address."""
    return f"{kind}/{index}.json"


def pack_entries(entries: list[bytes]) -> bytes:
    """An entry bundle."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def unpack_entries(data: bytes, width: int) -> list[bytes]:
    """The entries of a bundle. Raises `MalformedDocument` unless there are exactly `width`."""
    found, at = [], 0
    while at < len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if end > len(data) or at + 2 > len(data):
            raise MalformedDocument(_WHERE, "an entry bundle ends in the middle of an entry")
        found.append(data[at + 2 : end])
        at = end
    if len(found) != width:
        raise MalformedDocument(_WHERE, f"an entry bundle holds {len(found)} entries instead of {width}")
    return found


def read_entry(index: int, raw: bytes) -> Entry:
    """A leaf of ours. Raises `MalformedDocument` for any other spelling."""
    body = parse_canonical(raw, "log entry", max_bytes=_MAX_ENTRY)
    try:
        kind, digest = body["kind"], body["sha256"]
        known = log_entry(kind, digest) == raw
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedDocument("log entry", f"entry {index} is of no kind known here") from error
    if not known:
        raise MalformedDocument("log entry", f"entry {index} is not in its one form")
    return Entry(index, kind, digest, raw)


class LogFolder:
    """A log's files, at the size of its checkpoint or an earlier one. `TileReader` for proofs."""

    def __init__(self, root: Path, size: int) -> None:
        self.root = root
        self.size = size

    @staticmethod
    def note(root: Path) -> str:
        """The checkpoint as signed. Raises `MalformedDocument` where there is none."""
        data = _read(root / CHECKPOINT, MAX_NOTE * 4)
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise MalformedDocument(_WHERE, "the checkpoint is no text") from error

    def tile(self, level: int, index: int) -> bytes:
        """The hashes a tile holds at this size: of the full file, or of the partial one. Raises `MalformedDocument`."""
        width = self._width(self.size >> (8 * level), index)
        return self._piece(tile_path(level, index), tile_path(level, index, width), width * HASH_BYTES)

    def hashes(self) -> TileHashes:
        """For proofs and roots."""
        return TileHashes(self)

    def bundle(self, number: int) -> list[bytes]:
        """The entries of a bundle at this size. Raises `MalformedDocument`."""
        width = self._width(self.size, number)
        full = self.root / entries_path(number)
        if full.is_file():
            return unpack_entries(_read(full, TILE_WIDTH * (_MAX_ENTRY + 2)), TILE_WIDTH)[:width]
        return unpack_entries(_read(self.root / entries_path(number, width), TILE_WIDTH * (_MAX_ENTRY + 2)), width)

    def entries(self, start: int = 0) -> Iterator[Entry]:
        """Every entry from an index on. Raises `MalformedDocument`."""
        for number in range(start // TILE_WIDTH, -(-self.size // TILE_WIDTH)):
            for offset, raw in enumerate(self.bundle(number)):
                index = number * TILE_WIDTH + offset
                if index >= start:
                    yield read_entry(index, raw)

    def statement(self, entry: Entry) -> dict[str, Any]:
        """The statement of an entry of one of `PLAIN_KINDS`. Raises `MalformedDocument`, `BrokenChain`."""
        name = statement_path(entry.kind, entry.index)
        found = parse_canonical(_read(self.root / name, _MAX_STATEMENT), name)
        if not isinstance(found, dict) or envelope_digest(found) != entry.sha256:
            raise BrokenChain(_WHERE, f"{name} is not the statement that was logged at index {entry.index}")
        return found

    def check_tree(self, root: bytes) -> None:
        """Hash every entry again; compare every hash of every tile, and the root. Raises `BrokenChain`, `MalformedDocument`."""
        frontier = Frontier()
        kept: dict[int, tuple[int, bytes]] = {}
        for number in range(-(-self.size // TILE_WIDTH)):
            frontier, writes = extend_tiles(frontier, [leaf_hash(raw) for raw in self.bundle(number)])
            for write in writes:
                if kept.get(write.level, (-1, b""))[0] != write.index:
                    kept[write.level] = (write.index, self.tile(write.level, write.index))
                start = write.offset * HASH_BYTES
                if kept[write.level][1][start : start + len(write.data)] != write.data:
                    raise BrokenChain(_WHERE, f"{tile_path(write.level, write.index)} does not fit the entries")
        if frontier.size != self.size or frontier.root() != root:
            raise BrokenChain(_WHERE, "the entries do not hash to the signed root: the log was altered")

    def _width(self, hashes: int, index: int) -> int:
        """How many of a row's hashes lie in a tile of it."""
        width = min(TILE_WIDTH, hashes - index * TILE_WIDTH)
        if width < 1:
            raise MalformedDocument(_WHERE, "the log is not that large")
        return width

    def _piece(self, full: str, partial: str, length: int) -> bytes:
        """The first bytes of a full tile, or the whole of a partial one."""
        path = self.root / full
        if not path.is_file():
            path = self.root / partial
        data = _read(path, TILE_WIDTH * HASH_BYTES)
        if len(data) < length or (len(data) > length and path.name.isdigit() and path.parent.name.endswith(".p")):
            raise MalformedDocument(_WHERE, f"{path.relative_to(self.root)} is not as long as it must be")
        return data[:length]


def _read(path: Path, limit: int) -> bytes:
    """A regular file's content. Raises `MalformedDocument`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise MalformedDocument(_WHERE, f"{path.name}: {error.strerror}") from error
    if len(data) > limit:
        raise MalformedDocument(_WHERE, f"{path.name} is larger than {limit} bytes")
    return data
