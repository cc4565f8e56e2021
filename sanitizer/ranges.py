"""Sets of byte ranges, merged, sorted and bounded in number. Pure."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

from .errors import ByteRange

MAX_RANGES = 4096
"""More than this is told coarser: neighbouring ranges are joined across the smallest gaps, which claims less, never more."""


def merged(ranges: Iterable[ByteRange]) -> list[ByteRange]:
    """The same bytes as sorted ranges that neither overlap nor touch."""
    out: list[ByteRange] = []
    for start, end in sorted(ranges):
        if start >= end:
            continue
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((start, end))
    return out


def bounded(ranges: Iterable[ByteRange], most: int = MAX_RANGES) -> tuple[ByteRange, ...]:
    """Merged ranges, at most `most` of them; beyond that the smallest gaps are swallowed."""
    out = merged(ranges)
    excess = len(out) - most
    if excess <= 0:
        return tuple(out)
    gaps = sorted((out[i + 1][0] - out[i][1], i) for i in range(len(out) - 1))
    joined = {index for _, index in gaps[:excess]}
    result: list[ByteRange] = [out[0]]
    for index in range(1, len(out)):
        if index - 1 in joined:
            result[-1] = (result[-1][0], out[index][1])
        else:
            result.append(out[index])
    return tuple(result)


def total(ranges: Iterable[ByteRange]) -> int:
    """How many bytes they cover; they must not overlap."""
    return sum(end - start for start, end in ranges)


def without(start: int, end: int, holes: Iterable[ByteRange]) -> Iterator[ByteRange]:
    """What is left of `[start, end)` after taking the holes out."""
    at = start
    for hole_start, hole_end in merged(holes):
        if hole_end <= at or hole_start >= end:
            continue
        if hole_start > at:
            yield at, hole_start
        at = max(at, hole_end)
    if at < end:
        yield at, end


class RangeSet:
    """Ranges as several threads find them; bounded, so that a device of nothing but faults cannot fill memory."""

    def __init__(self, ranges: Iterable[ByteRange] = ()) -> None:
        self._ranges: list[ByteRange] = list(ranges)
        self._lock = threading.Lock()

    def add(self, start: int, end: int) -> None:
        """Add `[start, end)`; a range that continues the last one extends it."""
        with self._lock:
            if self._ranges and self._ranges[-1][1] == start:
                self._ranges[-1] = (self._ranges[-1][0], end)
            else:
                self._ranges.append((start, end))
            if len(self._ranges) > 4 * MAX_RANGES:
                self._ranges = list(bounded(self._ranges))

    def __bool__(self) -> bool:
        return bool(self._ranges)

    def __len__(self) -> int:
        return len(self._ranges)

    def result(self) -> tuple[ByteRange, ...]:
        """Merged and bounded."""
        with self._lock:
            return bounded(self._ranges)
