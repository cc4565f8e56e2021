"""Addressed markers before the first pass: does the device store blocks where it is told to?

A device with a false capacity wraps its addresses round, and one that drops writes keeps what it had. A pass of one
constant cannot tell: it reads back right wherever it was written. So some hundred blocks first get content that
depends on their address; then all are read back. Those around powers of two find the usual wraps; on media that are
not magnetic, further ones find every wrap by a whole number of MiB. Only a pass of the keyed stream proves the
addressing of every block.
"""

from __future__ import annotations

from dataclasses import dataclass

from .content import Source
from .crew import Crew
from .medium import Medium
from .sampling import spread, wrap_pairs
from .transport.memory import AlignedBuffer, equal


@dataclass(frozen=True)
class MarkerFindings:
    """What reading the markers back gave."""

    written: int
    wrong: int
    """Markers that hold something else; one that could not be written or read is no marker."""
    first_wrong: int | None
    """Offset of the first of them."""


class Markers:
    """Writes and reads the markers of one run."""

    def __init__(self, medium: Medium, source: Source, seed: str, crew: Crew, *, magnetic: bool) -> None:
        self._medium = medium
        self._source = source
        self._crew = crew
        self._length = medium.floor_bytes
        chosen = {*spread(medium.size_bytes, self._length, medium.settings.markers, seed)}
        if not magnetic:
            chosen.update(wrap_pairs(medium.size_bytes, max(self._length, medium.settings.marker_unit_bytes)))
        self._offsets = sorted(chosen)
        self._wrong: list[int] = []
        self._written: list[int] = []

    def run(self) -> MarkerFindings:
        """Write all, flush, forget cached pages, read all. An interrupted run marks again when it is resumed."""
        self._crew.run(self._write, threads=1)
        if not self._crew.stopping:
            self._medium.flush()
            self._medium.drop_cache()
            self._crew.run(self._read, threads=1)
        wrong = sorted(self._wrong)
        return MarkerFindings(len(self._written), len(wrong), wrong[0] if wrong else None)

    def _write(self, _worker: int) -> None:
        buffer = AlignedBuffer(self._length)
        for offset in self._offsets:
            if not self._crew.going or self._medium.budget.spent:
                return
            self._source.fill(buffer.view, self._length, offset)
            if self._medium.write((buffer.view[: self._length],), offset, self._length):
                self._written.append(offset)

    def _read(self, _worker: int) -> None:
        given, expected = AlignedBuffer(self._length), AlignedBuffer(self._length)
        for offset in reversed(self._written):
            if not self._crew.going or self._medium.budget.spent:
                return
            self._source.fill(expected.view, self._length, offset)
            if self._medium.read(given.view, offset, self._length) and not equal(
                given.address, expected.address, self._length
            ):
                self._wrong.append(offset)
