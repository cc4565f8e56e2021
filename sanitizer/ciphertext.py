"""What a container's data area holds, read before and after its keys are destroyed.

Before: every block read must look like ciphertext, or hold one byte value throughout, as blocks do that were never written. A
block that deflate makes shorter is neither. Text, tables and most program data are found by that; compressed data is not, it
looks like ciphertext, so that somebody must vouch for the rest (`planning.ANSWERS`).

After: the same blocks must be what they were. That the medium is the same, and that what is left on it is that ciphertext, is all
this shows; that the keys are gone shows where they were.
"""

from __future__ import annotations

import hashlib
import threading
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from .bisect import bad_parts
from .crew import Crew
from .errors import ByteRange
from .medium import Medium
from .ranges import RangeSet, merged
from .sampling import Selection
from .transport.memory import AlignedBuffer

PIECE = 4096
"""Looked at one by one: a block of a file system is no larger as a rule."""
SECTOR = 512
"""Encrypted as one, at least; between two of them ciphertext may end and what was never written begin."""
PARTS = 1000
"""A medium read in full is told in so many regions, each with its own digest."""
_FASTEST = 1


def looks_encrypted(piece: bytes) -> bool:
    """Whether a piece could be ciphertext: deflate finds nothing in it to make it shorter."""
    return len(zlib.compress(piece, _FASTEST)) >= len(piece)


def is_uniform(piece: bytes) -> bool:
    """Whether it holds one byte value throughout, as what was never written does, or was discarded."""
    return piece.count(piece[:1]) == len(piece)


def regions_of(selection: Selection, key_area_bytes: int, size_bytes: int, block_bytes: int) -> tuple[ByteRange, ...]:
    """What is read of the data area: the samples as far as they lie in it, or all of it in at most `PARTS` regions."""
    if selection.kind != "full":
        return tuple((max(start, key_area_bytes), end) for start, end in selection.regions if end > key_area_bytes)
    blocks = (size_bytes - key_area_bytes) // block_bytes
    parts = min(PARTS, blocks)
    edges = [key_area_bytes + blocks * part // parts * block_bytes for part in range(parts)]
    return tuple(zip(edges, [*edges[1:], size_bytes], strict=True))


def digest_of(regions: Sequence[ByteRange], digests: Sequence[str]) -> str:
    """SHA-256 over one ASCII line `start-end digest` and newline a region, in order."""
    lines = (f"{start}-{end} {each}\n" for (start, end), each in zip(regions, digests, strict=True))
    return hashlib.sha256("".join(lines).encode("ascii")).hexdigest()


@dataclass
class Found:
    """What one reading gave."""

    digests: list[str]
    """SHA-256 of each region; empty text where it was not read to its end."""
    plain: RangeSet = field(default_factory=RangeSet)
    """Neither ciphertext nor uniform."""
    unreadable: RangeSet = field(default_factory=RangeSet)
    uniform_bytes: int = 0


class CiphertextReader:
    """Reads all regions once; each by one thread, from its beginning to its end."""

    def __init__(self, medium: Medium, regions: Sequence[ByteRange], crew: Crew, *, looking: bool) -> None:
        """Nothing is read yet; `looking` asks of every piece whether it could be ciphertext."""
        self._medium = medium
        self._regions = regions
        self._crew = crew
        self._looking = looking
        self._next = 0
        self._lock = threading.Lock()
        self._read = [0] * crew.threads
        self.found = Found(digests=[""] * len(regions))

    @property
    def done_bytes(self) -> int:
        """How far it is, for progress."""
        return sum(self._read)

    @property
    def completed(self) -> bool:
        """Whether every region was gone through."""
        return all(self.found.digests)

    def changed(self, before: Sequence[str]) -> tuple[ByteRange, ...]:
        """Regions whose digest is another one than before."""
        pairs = zip(self._regions, self.found.digests, before, strict=True)
        return tuple(merged(region for region, now, then in pairs if now != then))

    def run(self) -> None:
        """Read. Returns early when a stop was asked for; then `completed` is false.

        Raises:
            SanitizerError: the device vanished or changed.
        """
        self._medium.check()
        self._medium.drop_cache()
        self._crew.run(self._work)

    def _work(self, worker: int) -> None:
        buffer = AlignedBuffer(self._medium.block_bytes)
        while self._crew.going:
            with self._lock:
                index = self._next
                self._next += 1
            if index >= len(self._regions):
                return
            self._one(index, worker, buffer)

    def _one(self, index: int, worker: int, buffer: AlignedBuffer) -> None:
        start, end = self._regions[index]
        digest = hashlib.sha256()
        step = self._medium.block_bytes
        for at in range(start, end, step):
            if not self._crew.going:
                return
            length = min(step, end - at)
            if self._medium.read(buffer.view, at, length):
                digest.update(buffer.view[:length])
                self._look(buffer.view[:length], at)
            else:
                self._divide((at, at + length), buffer, digest)
            self._read[worker] += length
        self.found.digests[index] = digest.hexdigest()

    def _divide(self, extent: ByteRange, buffer: AlignedBuffer, digest: hashlib._Hash) -> None:
        """Trace an unreadable extent to its blocks; what can be read is looked at all the same."""
        medium = self._medium

        def attempt(offset: int, length: int) -> bool:
            if not medium.read(buffer.view, offset, length):
                return False
            digest.update(buffer.view[:length])
            self._look(buffer.view[:length], offset)
            return True

        def spent() -> bool:
            return medium.budget.spent or not self._crew.going

        for bad in bad_parts(extent, attempt, medium.floor_bytes, medium.settings.fan_out, spent):
            self.found.unreadable.add(*bad)

    def _look(self, view: memoryview, offset: int) -> None:
        if not self._looking:
            return
        uniform = 0
        for at in range(0, len(view), PIECE):
            piece = bytes(view[at : at + PIECE])
            if is_uniform(piece):
                uniform += len(piece)
            elif not looks_encrypted(piece):
                uniform += self._look_closer(piece, offset + at)
        with self._lock:
            self.found.uniform_bytes += uniform

    def _look_closer(self, piece: bytes, offset: int) -> int:
        """Sector by sector; returns how many bytes are uniform."""
        uniform = 0
        for at in range(0, len(piece), SECTOR):
            sector = piece[at : at + SECTOR]
            if is_uniform(sector):
                uniform += len(sector)
            elif not looks_encrypted(sector):
                self.found.plain.add(offset + at, offset + at + len(sector))
        return uniform
