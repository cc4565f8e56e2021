"""Finding the bad blocks inside a failed extent. Pure: it calls back for every attempt and reads no clock itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .errors import ByteRange

Attempt = Callable[[int, int], bool]
"""`(offset, length)` to whether all of it went through."""


class Budget:
    """How many failing requests and how much time in them are left.

    A failing request costs a disk seconds of its own retries, a good one milliseconds: only failures are counted.
    """

    def __init__(self, requests: int, seconds: float) -> None:
        self._requests = requests
        self._seconds = seconds
        self.failed_requests = 0
        self.failing_seconds = 0.0

    def charge(self, seconds: float) -> None:
        """One more request failed and took this long."""
        self.failed_requests += 1
        self.failing_seconds += seconds

    @property
    def spent(self) -> bool:
        """Whether nothing is left."""
        return self.failed_requests >= self._requests or self.failing_seconds >= self._seconds


def bad_parts(
    extent: ByteRange, attempt: Attempt, floor: int, fan_out: int, spent: Callable[[], bool]
) -> Iterator[ByteRange]:
    """The parts of a failed extent that fail again, down to blocks of `floor` bytes.

    The extent as a whole has failed before and is not tried again; it is tried in `fan_out` parts, each failing part
    again in as many. When `spent` says so, what is left is yielded untried: unknown counts as bad.

    Args:
        extent: Starts on a multiple of `floor`.
        attempt: Tries one part.
        floor: Smallest part, the physical block.
        fan_out: Parts of each division.
        spent: Whether to stop trying.
    """
    start, end = extent
    length = end - start
    if length <= floor or spent():
        yield extent
        return
    step = max(floor, length // fan_out // floor * floor)
    for offset in range(start, end, step):
        part = (offset, min(offset + step, end))
        if spent():
            yield offset, end
            return
        if not attempt(part[0], part[1] - part[0]):
            yield from bad_parts(part, attempt, floor, fan_out, spent)
