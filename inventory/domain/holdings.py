"""Holdings: data sets on devices. Deleting files ends none: it turns into residue until a validated record covers it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from .vocabulary import CATEGORY_ORDER, Category, HoldingState, highest


@dataclass(frozen=True, kw_only=True)
class Held:
    """A holding as the rules see it."""

    id: str
    data_set: str
    category: Category
    since: datetime
    until: datetime | None
    last_seen: datetime
    """When it was last known to be live; equals `until` at most."""
    covered_at: datetime | None = None


def state_of(holding: Held) -> HoldingState:
    """What of it is on the medium."""
    if holding.covered_at is not None:
        return HoldingState.COVERED
    return HoldingState.LIVE if holding.until is None else HoldingState.RESIDUE


def covers(holding: Held, leased: datetime) -> bool:
    """Whether a run leased at `leased` (by the service's clock) reached everything the holding left on the medium.

    The service's own clock is used, never the host's: a run cannot have begun before its lease. What was seen live afterwards
    was written afterwards, or the run never touched it.
    """
    return holding.covered_at is None and holding.since <= leased and holding.last_seen <= leased


def uncovered(holdings: Iterable[Held]) -> tuple[Held, ...]:
    """What is still on the medium, live or as residue."""
    return tuple(holding for holding in holdings if holding.covered_at is None)


def worst_of(holdings: Iterable[Held]) -> str | None:
    """Name of a data set of the highest category ever held: what a decision is explained with."""
    ranked = sorted(holdings, key=lambda held: (-CATEGORY_ORDER.index(held.category), held.data_set))
    return ranked[0].data_set if ranked else None


def category_of(holdings: Iterable[Held]) -> Category | None:
    """Highest category ever held, covered holdings included; None where nothing is known."""
    return highest([holding.category for holding in holdings])


def contents(holdings: Iterable[Held], *, ever_attached: bool) -> str:
    """What can be said about what a medium ever held: known, unknown, never_used.

    A medium that was never attached to any host, and of which nobody says it holds anything, was never used. One that was
    attached may hold anything: unknown, until a person or an agent says what.
    """
    if any(True for _ in holdings):
        return "known"
    return "unknown" if ever_attached else "never_used"


def overlaps(holding: Held, since: datetime | None, until: datetime | None) -> bool:
    """Whether a holding existed in a span of time; open ends reach as far as they can, and a shared moment counts."""
    begins_in_time = until is None or holding.since <= until
    ends_in_time = holding.until is None or since is None or holding.until >= since
    return begins_in_time and ends_in_time
