"""Reading a medium back and comparing it with what it should hold; past the page cache, always.

What differs and what cannot be read is traced to its blocks, and the rest is read all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from .bisect import bad_parts
from .content import CHUNK, Source
from .crew import Crew
from .errors import ByteRange
from .extents import ExtentQueue
from .medium import Medium
from .ranges import RangeSet
from .sampling import Selection
from .transport.memory import AlignedBuffer, equal

_COARSE = 64 << 10


@dataclass
class ReadBack:
    """What was found so far."""

    residual: RangeSet = field(default_factory=RangeSet)
    unreadable: RangeSet = field(default_factory=RangeSet)
    completed: bool = False
    """Whether every region was read, or found unreadable, to its end."""


class Reader(Protocol):
    """One thread's buffers, and what it holds a block against."""

    def read(self, offset: int, length: int) -> bool:
        """Read one extent; False when not all of it came."""
        ...

    def differing(self, offset: int, length: int) -> Iterator[ByteRange]:
        """Block ranges of the last read that do not hold what they should."""
        ...


class Verifier:
    """One read-back of one selection."""

    def __init__(
        self,
        medium: Medium,
        source: Source,
        selection: Selection,
        crew: Crew,
        reader: Callable[[], Reader] | None = None,
    ) -> None:
        """Against a content that every block must hold, or against the rule of another kind of reader."""
        self._medium = medium
        self._crew = crew
        self._queue = ExtentQueue(selection.regions, medium.block_bytes)
        self._counted = [0] * crew.threads
        self._read = [0] * crew.threads
        self._failed = RangeSet()
        self.found = ReadBack()
        make = reader or (lambda: SourceReader(medium, source))
        self._readers: list[Reader] = [make() for _ in range(crew.threads)]

    @property
    def done_bytes(self) -> int:
        """How far it is, for progress."""
        return sum(self._counted)

    @property
    def findings(self) -> int:
        """How many ranges were found wrong, for progress."""
        return len(self.found.residual) + len(self.found.unreadable)

    @property
    def bytes_read(self) -> int:
        """Bytes that were read and compared."""
        return sum(self._read)

    def run(self) -> None:
        """Forget cached pages, read and compare. Leaves everything in `found`, also when it is cut short.

        Returns early, with `found.completed` false, when a stop was asked for.

        Raises:
            SanitizerError: the device vanished or changed; the findings so far stay.
        """
        self._medium.check()
        self._medium.drop_cache()
        self._crew.run(self._read_extents)
        if self._crew.stopping:
            return
        self._crew.run(self._divide_failed, threads=1)
        if self._crew.stopping:
            return
        self._medium.check()
        self.found.completed = not self._medium.budget.spent

    def _read_extents(self, worker: int) -> None:
        crew, queue, reader = self._crew, self._queue, self._readers[worker]
        while crew.going:
            extent = queue.take(worker)
            if extent is None:
                return
            start, end = extent
            if self._medium.budget.spent:
                self.found.unreadable.add(start, end)  # given up: unknown, and said so
            elif reader.read(start, end - start):
                self._note(reader.differing(start, end - start))
                self._read[worker] += end - start
            else:
                self._failed.add(start, end)
            self._counted[worker] += end - start

    def _note(self, differing: Iterator[ByteRange]) -> None:
        for start, end in differing:
            self.found.residual.add(start, end)

    def _divide_failed(self, worker: int) -> None:
        medium, reader = self._medium, self._readers[worker]

        def attempt(offset: int, length: int) -> bool:
            if not reader.read(offset, length):
                return False
            self._note(reader.differing(offset, length))
            self._read[worker] += length
            return True

        def spent() -> bool:
            return medium.budget.spent or not self._crew.going

        for start, end in self._failed.result():
            for at in range(start, end, medium.block_bytes):
                cut = (at, min(at + medium.block_bytes, end))
                for bad in bad_parts(cut, attempt, medium.floor_bytes, medium.settings.fan_out, spent):
                    self.found.unreadable.add(*bad)


class SourceReader:
    """Every block holds what the source has at its address."""

    def __init__(self, medium: Medium, source: Source) -> None:
        self._medium = medium
        self._source = source
        self._given = AlignedBuffer(medium.block_bytes)
        self._expected = AlignedBuffer(CHUNK)
        if source.constant:
            source.fill(self._expected.view, CHUNK, 0)

    def read(self, offset: int, length: int) -> bool:
        """See `Reader`."""
        return self._medium.read(self._given.view, offset, length)

    def differing(self, offset: int, length: int) -> Iterator[ByteRange]:
        """See `Reader`."""
        for at, count in self._pieces(offset, length):
            if not equal(self._given.address + at, self._expected.address, count):
                yield from self._blocks(offset + at, at, count)

    def _pieces(self, offset: int, length: int) -> Iterator[tuple[int, int]]:
        if self._source.constant:
            return ((at, min(CHUNK, length - at)) for at in range(0, length, CHUNK))
        return self._source.pieces(self._expected.view, length, offset)

    def _blocks(self, offset: int, at: int, count: int) -> Iterator[ByteRange]:
        block = self._medium.logical_bytes
        for coarse in range(0, count, _COARSE):
            span = min(_COARSE, count - coarse)
            if equal(self._given.address + at + coarse, self._expected.address + coarse, span):
                continue
            for fine in range(coarse, coarse + span, block):
                size = min(block, count - fine)
                if not equal(self._given.address + at + fine, self._expected.address + fine, size):
                    yield offset + fine, offset + fine + size


def holds(medium: Medium, source: Source, offsets: tuple[int, ...], length: int, tick: Callable[[], bool]) -> bool:
    """Whether small blocks at these offsets hold what they should; an unreadable one does not. Stops when `tick` says no."""
    reader = SourceReader(medium, source)
    for offset in offsets:
        if not tick():
            return True
        if not reader.read(offset, length) or any(reader.differing(offset, length)):
            return False
    return True
