"""What the home page shows beside the dashboard."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DueView:
    """Open erasure cases by when they are due."""

    overdue: int
    week: int
    """Within seven days."""
    month: int
    """Within thirty."""
    later: int

    @property
    def total(self) -> int:
        """All open cases."""
        return self.overdue + self.week + self.month + self.later


@dataclass(frozen=True, kw_only=True)
class TodayView:
    """Counts of this hour."""

    due: DueView
    handovers_late: int
    """Offered, and the day of the answer has passed."""
    changed: int | None
    """Entries of the history within a day, counted to a thousand; None: the reader may not see the history."""
