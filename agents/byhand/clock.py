"""This host's clock where no service's can be asked: it is held against times that others vouched for, from below."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agents.clock import Clock, ClockReading, ClockWatch, rfc3339


@dataclass(frozen=True)
class HandReading(ClockReading):
    """A reading that is judged by what was carried here: a clock that shows less than what was known before is caught."""

    floor: dt.datetime | None = None
    """The newest time that the service signed or that this host itself wrote down; None: no bundle was taken in."""

    @property
    def problem(self) -> str | None:
        """Why times cannot be judged now, in a sentence; None where they can."""
        if self.floor is None:
            return "No job bundle was taken in, so nothing is known of the time."
        if self.now + dt.timedelta(seconds=self.tolerance_seconds) < self.floor:
            return (
                f"This host's clock shows {rfc3339(self.now)}, but it was {rfc3339(self.floor)} already. "
                "Set the clock; do not set it later than it is."
            )
        return None


class HandWatch(ClockWatch):
    """The host's clocks beside the newest time anybody vouched for."""

    def __init__(
        self,
        clock: Clock,
        tolerance_seconds: float,
        marker: Path | None,
        newest: Callable[[], dt.datetime | None],
    ) -> None:
        super().__init__(clock, tolerance_seconds, marker)
        self._limit = tolerance_seconds
        self._newest = newest

    def reading(self) -> ClockReading:
        """Both now; there is no skew, for there is no second clock."""
        return HandReading(self.clock.now(), None, self._limit, self._newest())
