"""The Merkle tree of RFC 6962, 2.1: hashes, and the frontier that lets it grow without reading it again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, Self

HASH_BYTES = 32


def leaf_hash(entry: bytes) -> bytes:
    """RFC 6962, 2.1: SHA-256(0x00 || entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962, 2.1: SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


EMPTY_ROOT = hashlib.sha256(b"").digest()
"""RFC 6962, 2.1: the hash of an empty list."""


class HashReader(Protocol):
    """Gives the hashes of complete subtrees."""

    def subtree(self, level: int, index: int) -> bytes:
        """Hash over the leaves `[index * 2**level, (index + 1) * 2**level)`, all of which exist."""


def largest_power_below(size: int) -> int:
    """The largest power of two smaller than `size` (RFC 6962, 2.1: the `k` at which a tree splits)."""
    return 1 << ((size - 1).bit_length() - 1)


@dataclass(frozen=True)
class Frontier:
    """The right edge of a tree: one hash for each complete subtree, largest first. All that appending and the root need."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.peaks) != self.size.bit_count() or any(len(p) != HASH_BYTES for p in self.peaks):
            raise ValueError("a frontier has one 32-byte hash for each bit set in its size")

    def root(self) -> bytes:
        """The tree's root hash."""
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root

    def extend(self, leaves: Iterable[bytes]) -> tuple[Self, list[tuple[int, int, bytes]]]:
        """Append leaf hashes.

        Returns:
            The new frontier, and every hash that came into being as (level, index, hash), level 0 being the leaves.
        """
        size, peaks, made = self.size, list(self.peaks), []
        for leaf in leaves:
            level, index, current = 0, size, leaf
            made.append((level, index, current))
            while index & 1:
                current = node_hash(peaks.pop(), current)
                level, index = level + 1, index >> 1
                made.append((level, index, current))
            peaks.append(current)
            size += 1
        return type(self)(size, tuple(peaks)), made

    def to_bytes(self) -> bytes:
        """The peaks side by side; the size is kept beside them."""
        return b"".join(self.peaks)

    @classmethod
    def from_bytes(cls, size: int, peaks: bytes) -> Self:
        """Read what `to_bytes` wrote. Raises `ValueError` when it does not fit the size."""
        if len(peaks) % HASH_BYTES:
            raise ValueError("a frontier is made of 32-byte hashes")
        return cls(size, tuple(peaks[at : at + HASH_BYTES] for at in range(0, len(peaks), HASH_BYTES)))
