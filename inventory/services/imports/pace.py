"""How far an import came, how fast it goes on, and when it will end: said only as long as it is honest."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from inventory.models import Import, ImportState

from .steps import PART_LINES

_STILL_SECONDS: Final = 60.0
"""What did not go on for so long stands still."""
_LATELY_SECONDS: Final = 30.0
"""A pace that lasts so long counts for more than whatever was before it."""


def worked(row: Import) -> int:
    """Lines worked on in its present state."""
    if row.state in {ImportState.CHECKED, ImportState.FINISHED}:
        return row.rows
    return min(row.rows, row.position * PART_LINES if row.state is ImportState.CHECKING else row.position)


def keep(row: Import, now: datetime, lines: int) -> None:
    """Lines a second by the clock on the wall: whatever else the service does meanwhile counts, standing still does not."""
    gap = (now - row.stepped).total_seconds() if row.stepped else 0.0
    row.stepped = now
    if 0 < gap <= _STILL_SECONDS:
        lately = min(1.0, gap / _LATELY_SECONDS)
        row.pace = lines / gap if row.pace is None else row.pace + lately * (lines / gap - row.pace)


def remaining(row: Import, now: datetime) -> int | None:
    """Seconds to its end at that pace; None where it stands still, or the clock was set."""
    if row.state not in {ImportState.CHECKING, ImportState.RUNNING} or row.stepped is None or not row.pace:
        return None
    still = not 0 <= (now - row.stepped).total_seconds() <= _STILL_SECONDS
    return None if still else round((row.rows - worked(row)) / row.pace)
