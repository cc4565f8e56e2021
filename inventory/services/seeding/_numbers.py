"""Running numbers of what was made without asking for each."""

from __future__ import annotations

from sqlalchemy.orm import Session

from inventory.models import Counter


def skip_numbers(session: Session, series: str, last: int) -> None:
    """Numbers up to this one are taken."""
    counter = session.get(Counter, series, with_for_update=True)
    if counter is None:
        counter = Counter(series=series, last=0)
        session.add(counter)
    counter.last = max(counter.last, last)
    session.flush()
