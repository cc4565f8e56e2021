"""When a disk is given up: too slow for too long, too many errors, too hot. Pure; what cannot be measured gives up nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from sanitizer import Progress

_READ_BY_HOST: Final = "verifying"
_WRITTEN: Final = "executing"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a disk may do to us."""

    slowest: int
    """Bytes a second; 0: any speed will do."""
    slow_seconds: float
    """So long may it be slower than that."""
    most_errors: int
    """Failed blocks; 0: the sanitizer's own budget alone decides."""
    hottest: int
    """Degrees Celsius; 0: any temperature will do."""
    hot_seconds: float
    """So long may it be hotter than that."""


UNLIMITED: Final = Limits(slowest=0, slow_seconds=0, most_errors=0, hottest=0, hot_seconds=0)
"""Nothing is given up by these."""


@dataclass
class Patience:
    """Looks at one run as it goes. One thread at a time."""

    limits: Limits
    by_host: bool
    """Whether the host writes every block itself: a drive that erases by its own command reports no speed of use."""
    _slow_since: float | None = field(default=None)
    _hot_since: float | None = field(default=None)

    def judge(self, progress: Progress, temperature: int | None, now: float) -> str | None:
        """Why this disk is hopeless, in words for the record; None while there is hope.

        Args:
            progress: The newest figures.
            temperature: By the drive's own sensor; None where it has none.
            now: A clock that only goes forward.
        """
        limits = self.limits
        if limits.most_errors and progress.errors > limits.most_errors:
            return f"{progress.errors} blocks failed, more than the {limits.most_errors} allowed here. Destroy it."
        moving = progress.state == _READ_BY_HOST or (progress.state == _WRITTEN and self.by_host)
        slow = (
            bool(limits.slowest) and moving and progress.bytes_done > 0 and progress.bytes_per_second < limits.slowest
        )
        self._slow_since = None if not slow else self._slow_since if self._slow_since is not None else now
        if self._slow_since is not None and now - self._slow_since >= limits.slow_seconds:
            return (
                f"It has been slower than {limits.slowest} bytes a second for {int(limits.slow_seconds)} seconds."
                " Destroy it."
            )
        hot = bool(limits.hottest) and temperature is not None and temperature > limits.hottest
        self._hot_since = None if not hot else self._hot_since if self._hot_since is not None else now
        if self._hot_since is not None and now - self._hot_since >= limits.hot_seconds:
            return (
                f"It has been hotter than {limits.hottest} degrees Celsius for {int(limits.hot_seconds)} seconds."
                " Cool the bay and order again, or destroy it."
            )
        return None
