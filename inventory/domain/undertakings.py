"""How long a party is bound: undertakings one after another, without a gap."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime


def bound_until(undertakings: Iterable[tuple[datetime, datetime]], now: datetime) -> datetime | None:
    """Until when a party is bound without a gap from now on; None: it is not bound now.

    Args:
        undertakings: from (included) and until (excluded) of each.
        now: the moment asked about.
    """
    end: datetime | None = None
    for begins, until in sorted(undertakings):
        if begins <= (end or now) and until > (end or now):
            end = until
    return end
