"""How long to wait for a command that answers only when its work is over. Pure."""

from __future__ import annotations

from sanitizer.wire.ata_words import EraseTime

MINUTE = 60
LEAST_SECONDS = 12 * 60 * MINUTE
SLOWEST = 30_000_000
"""Bytes a second below which no medium is expected to erase itself."""
MOST_MS = (1 << 31) - 1
"""24 days: what every kernel interface takes as a time in milliseconds."""
QUICK_MS = 30_000
"""For a command that only starts something, or only asks."""


def by_capacity_ms(capacity_bytes: int) -> int:
    """For a drive that names no time: the capacity at the slowest speed, and never less than 12 hours."""
    return min(MOST_MS, 1000 * max(LEAST_SECONDS, -(-capacity_bytes // SLOWEST)))


def by_estimate_ms(estimate: EraseTime | None, capacity_bytes: int) -> int:
    """Twice the drive's own estimate and half an hour; by capacity where it gives none, or only a lower bound."""
    if estimate is None:
        return by_capacity_ms(capacity_bytes)
    told = 1000 * MINUTE * (2 * estimate.minutes + 30)
    return min(MOST_MS, max(told, by_capacity_ms(capacity_bytes)) if estimate.at_least else told)
