"""Time as a drive knows it: the host's, or one that a test moves."""

from __future__ import annotations

import math
import time
from typing import Protocol


class Clock(Protocol):
    """Seconds since some moment, and a way to let some pass."""

    step: float
    """The longest nap of somebody who must also notice other things."""

    def now(self) -> float:
        """Seconds, growing."""
        ...

    def sleep(self, seconds: float) -> None:
        """Come back when they have passed."""
        ...


class ManualClock:
    """Stands still until it is moved; whoever sleeps moves it."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.step = math.inf

    def now(self) -> float:
        """Where it was moved to."""
        return self.seconds

    def sleep(self, seconds: float) -> None:
        """Move it."""
        self.seconds += seconds


class WallClock:
    """Real seconds."""

    step = 0.05

    def now(self) -> float:
        """`time.monotonic`."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """`time.sleep`."""
        time.sleep(seconds)
