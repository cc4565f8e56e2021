"""Counting what is done and saying honestly how long the rest will take. Pure: times are handed in."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

_WINDOW_SECONDS = 30.0
_ENOUGH_SECONDS = 3.0
"""Below this span of observation a rate is a guess, and a guess is not told."""


@dataclass
class _Rate:
    """Bytes over time of one kind of work."""

    samples: deque[tuple[float, int]] = field(default_factory=deque)
    earlier_bytes: int = 0
    earlier_seconds: float = 0.0

    def observe(self, now: float, done: int) -> None:
        self.samples.append((now, done))
        while len(self.samples) > 2 and now - self.samples[1][0] >= _WINDOW_SECONDS:
            self.samples.popleft()

    def finish(self) -> None:
        """The stage is over: keep its average, forget its samples."""
        if self.samples:
            (begun, before), (ended, after) = self.samples[0], self.samples[-1]
            self.earlier_bytes += after - before
            self.earlier_seconds += ended - begun
        self.samples.clear()

    def now(self) -> float | None:
        """Bytes a second over the window, None while it is too short or nothing moved."""
        if len(self.samples) < 2:
            return None
        (begun, before), (ended, after) = self.samples[0], self.samples[-1]
        if ended - begun < _ENOUGH_SECONDS or after <= before:
            return None
        return (after - before) / (ended - begun)

    def lately(self) -> float:
        """As `now`, but told however short the window is."""
        if len(self.samples) < 2:
            return 0.0
        (begun, before), (ended, after) = self.samples[0], self.samples[-1]
        return (after - before) / (ended - begun) if ended > begun else 0.0

    def average(self) -> float | None:
        """The rate of finished stages, else the present one."""
        if self.earlier_seconds >= _ENOUGH_SECONDS and self.earlier_bytes > 0:
            return self.earlier_bytes / self.earlier_seconds
        return self.now()


class Meter:
    """Progress over all passes and the verification of one run."""

    def __init__(self, *, pass_bytes: int, passes: int, verify_bytes: int) -> None:
        self._pass_bytes = pass_bytes
        self._passes = passes
        self._verify_bytes = verify_bytes
        self._writing = _Rate()
        self._reading = _Rate()
        self._stage: _Rate | None = None
        self._finished_bytes = 0
        self._stage_bytes = 0

    @property
    def total(self) -> int:
        """Bytes to go through in all."""
        return self._pass_bytes * self._passes + self._verify_bytes

    @property
    def done(self) -> int:
        """Bytes gone through."""
        return min(self.total, self._finished_bytes + self._stage_bytes)

    def begin_pass(self, number: int) -> None:
        """Pass `number`, counting from 1, begins."""
        self._begin(self._writing, self._pass_bytes * (number - 1))

    def begin_verification(self) -> None:
        """All passes are over."""
        self._begin(self._reading, self._pass_bytes * self._passes)

    def begin_check(self, before_bytes: int) -> None:
        """A reading begins after `before_bytes` of other work, and is not the last one."""
        self._begin(self._reading, before_bytes)

    def rest(self) -> None:
        """Nothing is written or read for a while; what was seen of rates is kept."""
        if self._stage is not None:
            self._finished_bytes += self._stage_bytes
            self._stage.finish()
        self._stage, self._stage_bytes = None, 0

    def seconds_to_read(self, count: int) -> int | None:
        """How long reading this many bytes takes: as fast as reading was before, else as writing was."""
        read = self._reading
        if read.earlier_bytes > 0 and read.earlier_seconds > 0:
            return _whole(count * read.earlier_seconds / read.earlier_bytes)
        rate = read.average() or self._writing.average()
        return None if rate is None else _whole(count / rate)

    def _begin(self, rate: _Rate, finished: int) -> None:
        if self._stage is not None:
            self._stage.finish()
        self._stage = rate
        self._finished_bytes = finished
        self._stage_bytes = 0

    def observe(self, now: float, stage_bytes: int) -> None:
        """The present stage has gone through this many bytes."""
        if self._stage is not None:
            self._stage_bytes = stage_bytes
            self._stage.observe(now, stage_bytes)

    @property
    def rate(self) -> int:
        """Bytes a second of the present stage, lately."""
        return int(self._stage.lately()) if self._stage is not None else 0

    @property
    def seconds_left(self) -> int | None:
        """What is left of this stage at its present rate, and the stages to come at the rates seen so far.

        Reading is taken to be as fast as writing until some reading was seen. None until a rate is known.
        """
        if self._stage is None:
            return None
        rate = self._stage.now()
        if rate is None:
            return None
        if self._stage is self._reading:
            return _whole((self.total - self.done) / rate)
        later = max(0, self.total - self._verify_bytes - self._finished_bytes - self._pass_bytes)
        average = self._writing.average() or rate
        reading = self._reading.average() or average
        return _whole((self._pass_bytes - self._stage_bytes) / rate + later / average + self._verify_bytes / reading)


def _whole(seconds: float) -> int:
    return max(0, round(seconds + 0.5))
