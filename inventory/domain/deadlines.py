"""How urgent an erasure case is, by its due date. A closed case is calm; every other one is not calm for ever."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from .vocabulary import CaseState


class Urgency(StrEnum):
    """What the calendar says of a case."""

    CALM = "calm"
    SOON = "soon"
    """Due within the days for which people are reminded."""
    OVERDUE = "overdue"
    ESCALATED = "escalated"
    """Overdue for longer than is left to those who work on it."""


LONGEST_FACTOR = 3
"""A due date may be moved to three times the ordinary term (GDPR, Article 12 (3): two further months), and no further."""


def urgency(state: CaseState, due: datetime, now: datetime, *, remind: timedelta, escalate: timedelta) -> Urgency:
    """How urgent a case is now.

    Args:
        state: of the case; one that is fulfilled and not closed yet still owes its customer a statement.
        due: the end of the day on which it is due.
        now: the service's time.
        remind: how long before the due date people are reminded.
        escalate: how long after it the case becomes a matter for others.
    """
    if state is CaseState.CLOSED or now < due - remind:
        return Urgency.CALM
    if now <= due:
        return Urgency.SOON
    return Urgency.OVERDUE if now < due + escalate else Urgency.ESCALATED


def latest_due(withdrawn: datetime, term: timedelta) -> datetime:
    """The latest date to which a case may be put off."""
    return withdrawn + LONGEST_FACTOR * term
