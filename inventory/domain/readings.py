"""Verify-only orders: one table, and what each finding does (governance, section 4). A reading never opens the gate."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class ReadingState(StrEnum):
    """Where a verify-only order stands."""

    WAITING = "waiting"
    """For its agent."""
    LEASED = "leased"
    CONFIRMED = "confirmed"
    """What was read is what the record claims."""
    CONTRADICTED = "contradicted"
    """Other content was found: the record stopped counting."""
    INCONCLUSIVE = "inconclusive"
    """The reading shows neither."""
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class ReadingEvent(StrEnum):
    """What can happen to it."""

    LEASE = "lease"
    CONFIRM = "confirm"
    CONTRADICT = "contradict"
    DOUBT = "doubt"
    CANCEL = "cancel"
    EXPIRE = "expire"


S = ReadingState
E = ReadingEvent

TABLE: Final[Mapping[tuple[S, E], S]] = {
    (S.WAITING, E.LEASE): S.LEASED,
    (S.LEASED, E.LEASE): S.LEASED,
    (S.LEASED, E.CONFIRM): S.CONFIRMED,
    (S.LEASED, E.CONTRADICT): S.CONTRADICTED,
    (S.LEASED, E.DOUBT): S.INCONCLUSIVE,
    (S.WAITING, E.CANCEL): S.CANCELLED,
    (S.LEASED, E.CANCEL): S.CANCELLED,
    (S.WAITING, E.EXPIRE): S.EXPIRED,
    (S.LEASED, E.EXPIRE): S.EXPIRED,
    # what an agent has seen does not become unseen because nobody waits for it any more:
    (S.CANCELLED, E.CONTRADICT): S.CONTRADICTED,
    (S.EXPIRED, E.CONTRADICT): S.CONTRADICTED,
}
"""(state, event) -> state. What is not here cannot happen."""

OPEN: Final = frozenset({S.WAITING, S.LEASED})

EVENT_OF: Final[Mapping[str, E]] = {"confirmed": E.CONFIRM, "contradicted": E.CONTRADICT, "inconclusive": E.DOUBT}
"""Finding (`reports.reading`) -> event."""


def next_state(state: S, event: E) -> S | None:
    """Where the event leads from this state; None: it is impossible there."""
    return TABLE.get((state, event))
