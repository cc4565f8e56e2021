"""Time as the agent needs it, injected everywhere: the wall clock, the monotonic clock, and what the service's clock says.

A host's clock is a claim. The service's answers carry another one, and the approvals a third; where they differ by more than the
tolerance nobody can say which is right, so no order is started until a person has looked. A clock that is set while nobody
answers is found out by the monotonic one, so that a jump neither ends an order nor begins one.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """What `SystemClock` gives; tests bring their own."""

    def now(self) -> dt.datetime:
        """Wall clock, UTC."""

    def monotonic(self) -> float:
        """Seconds that only grow."""


class SystemClock:
    """The machine's clocks."""

    def now(self) -> dt.datetime:
        """Wall clock, UTC."""
        return dt.datetime.now(dt.UTC)

    def monotonic(self) -> float:
        """Seconds that only grow, suspend included."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(frozen=True)
class ClockReading:
    """The two clocks at one moment."""

    now: dt.datetime
    """This host's."""
    skew_seconds: float | None
    """This host's minus the service's, by the last exchange and the monotonic clock since; None before the first one."""
    tolerance_seconds: float

    @property
    def problem(self) -> str | None:
        """Why times cannot be judged now, in a sentence; None where they can."""
        if self.skew_seconds is None:
            return "The service's time is not known yet."
        if abs(self.skew_seconds) > self.tolerance_seconds:
            ahead = "ahead of" if self.skew_seconds > 0 else "behind"
            return (
                f"This host's clock is {describe_seconds(abs(self.skew_seconds))} {ahead} the service's "
                f"({rfc3339(self.now)} here); either may be wrong."
            )
        return None


class ClockWatch:
    """Keeps the last known difference between this clock and the service's. Thread-safe."""

    def __init__(self, clock: Clock, tolerance_seconds: float, marker: Path | None = None) -> None:
        self.clock = clock
        self._tolerance = tolerance_seconds
        self._marker = marker
        self._heard: tuple[dt.datetime, float] | None = None
        """The service's time at the last exchange, and the monotonic clock then."""
        self._lock = threading.Lock()

    def heard(self, service_time: dt.datetime) -> None:
        """An answer of the service carried its time."""
        with self._lock:
            self._heard = (service_time, self.clock.monotonic())

    def reading(self) -> ClockReading:
        """Both clocks now."""
        with self._lock:
            now, skew = self.clock.now(), None
            if self._heard is not None:
                then, at = self._heard
                skew = (now - then).total_seconds() - (self.clock.monotonic() - at)
            return ClockReading(now, skew, self._tolerance)

    def synchronized(self) -> bool | None:
        """Whether systemd-timesyncd says that this clock is synchronized; None where it does not say so."""
        if self._marker is not None and self._marker.exists():
            return True
        return None


def rfc3339(moment: dt.datetime) -> str:
    """UTC to the second with a trailing Z."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def describe_seconds(seconds: float) -> str:
    """A duration for people: the two largest units that say something."""
    whole = round(seconds)
    parts: list[str] = []
    for unit, size in (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count, whole = divmod(whole, size)
        if count:
            parts.append(f"{count} {unit}{'' if count == 1 else 's'}")
    return " ".join(parts[:2]) or "0 seconds"


Monotonic = Callable[[], float]
