"""How long to wait before asking again: exponential, with full jitter, and never earlier than the service asked for.

Full jitter (a uniform draw between nothing and the ceiling) keeps a thousand hosts that lost the same service at the
same moment from coming back at the same moment.
"""

from __future__ import annotations

import random
from collections.abc import Callable

_rng = random.SystemRandom()


class Backoff:
    """Counts failures of one kind of exchange. Not thread-safe: each loop has its own."""

    def __init__(self, base: float, ceiling: float, draw: Callable[[float, float], float] = _rng.uniform) -> None:
        self._base = base
        self._ceiling = ceiling
        self._draw = draw
        self.failures = 0

    def failed(self, after: float | None = None) -> float:
        """Another failure.

        Args:
            after: Seconds the service asked for; honoured up to the ceiling, so that a bad answer cannot silence a host for long.

        Returns:
            Seconds to wait.
        """
        self.failures += 1
        ceiling = min(self._ceiling, self._base * 2.0 ** min(self.failures - 1, 32))
        asked = min(after or 0.0, self._ceiling)
        return asked + self._draw(0.0, ceiling)

    def succeeded(self) -> None:
        """Back to the start."""
        self.failures = 0


def jittered(interval: float, draw: Callable[[float, float], float] = _rng.uniform) -> float:
    """`interval` give or take a tenth: regular messages of many hosts drift apart."""
    return interval * draw(0.9, 1.1)
