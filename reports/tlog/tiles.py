"""C2SP tlog-tiles: the hashes in blocks of 256 that never change once full, so that anyone can mirror them as files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from .tree import HASH_BYTES, Frontier, node_hash

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT


class TileReader(Protocol):
    """Where tiles are kept: a table, a folder, a mirror."""

    def tile(self, level: int, index: int) -> bytes:
        """The hashes that the tile holds so far, side by side; at most 256 of 32 bytes."""


@dataclass(frozen=True)
class TileWrite:
    """Hashes to be appended to one tile."""

    level: int
    index: int
    offset: int
    """How many hashes the tile holds before this write."""
    data: bytes


def extend_tiles(frontier: Frontier, leaves: Iterable[bytes]) -> tuple[Frontier, tuple[TileWrite, ...]]:
    """Append leaf hashes to a tree. Returns the new frontier and what must be written, in order of level and index."""
    grown, made = frontier.extend(leaves)
    rows: dict[tuple[int, int], tuple[int, list[bytes]]] = {}
    for level, index, value in made:
        if level % TILE_HEIGHT == 0:
            tile, offset = divmod(index, TILE_WIDTH)
            rows.setdefault((level // TILE_HEIGHT, tile), (offset, []))[1].append(value)
    writes = (TileWrite(level, tile, offset, b"".join(data)) for (level, tile), (offset, data) in sorted(rows.items()))
    return grown, tuple(writes)


class TileHashes:
    """Reads subtree hashes out of tiles (`HashReader` over a `TileReader`)."""

    def __init__(self, tiles: TileReader) -> None:
        self._tiles = tiles

    def subtree(self, level: int, index: int) -> bytes:
        """Hash of a complete subtree, folded from the tile row beneath it where it lies between two rows."""
        row, above = divmod(level, TILE_HEIGHT)
        first = index << above
        tile, offset = divmod(first, TILE_WIDTH)
        data = self._tiles.tile(row, tile)
        end = (offset + (1 << above)) * HASH_BYTES
        if len(data) < end:
            raise LookupError(f"tile {row}/{tile} is too short for subtree {level}/{index}")
        hashes = [data[at : at + HASH_BYTES] for at in range(offset * HASH_BYTES, end, HASH_BYTES)]
        while len(hashes) > 1:
            hashes = [node_hash(hashes[n], hashes[n + 1]) for n in range(0, len(hashes), 2)]
        return hashes[0]


def tile_path(level: int, index: int, width: int = TILE_WIDTH) -> str:
    """Where a tile is published, relative to the log's address: `tile/<L>/<N>[.p/<W>]` with N in groups of three digits."""
    groups = [f"{index % 1000:03d}"]
    rest = index // 1000
    while rest:
        groups.append(f"x{rest % 1000:03d}")
        rest //= 1000
    return f"tile/{level}/{'/'.join(reversed(groups))}" + ("" if width == TILE_WIDTH else f".p/{width}")
