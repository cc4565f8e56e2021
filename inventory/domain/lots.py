"""Lots: devices that travel together, from opening to closing. One complete table, as for devices and orders."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class LotState(StrEnum):
    """Where a lot stands."""

    OPEN = "open"
    """Devices may be put in and taken out."""
    CLOSING = "closing"
    """Frozen while it is reconciled: nothing goes in or out."""
    CLOSED = "closed"
    """Reconciled: each device is accounted for, and the list is signed and logged."""
    REOPENED = "reopened"
    """It was closed, and something in it turned out otherwise."""


class LotPurpose(StrEnum):
    """What the devices travel for."""

    SANITIZATION = "sanitization"
    DESTRUCTION = "destruction"
    TRANSFER = "transfer"
    """To another place or team of ours."""
    STORAGE = "storage"
    LEASE_RETURN = "lease_return"
    REPAIR = "repair"
    RESALE = "resale"
    RECYCLING = "recycling"


class LotEvent(StrEnum):
    """What can happen to a lot."""

    CHANGE = "change"
    """A device goes in or out, or a fact about the lot is mended."""
    BEGIN_CLOSING = "begin_closing"
    RESUME = "resume"
    """Closing is broken off, to mend what does not add up."""
    CLOSE = "close"
    REOPEN = "reopen"


S, E = LotState, LotEvent

TABLE: Final[Mapping[tuple[LotState, LotEvent], LotState]] = {
    (S.OPEN, E.CHANGE): S.OPEN,
    (S.OPEN, E.BEGIN_CLOSING): S.CLOSING,
    (S.CLOSING, E.RESUME): S.OPEN,
    (S.CLOSING, E.CLOSE): S.CLOSED,
    (S.CLOSED, E.REOPEN): S.REOPENED,
    (S.REOPENED, E.CHANGE): S.REOPENED,
    (S.REOPENED, E.BEGIN_CLOSING): S.CLOSING,
}
"""(state, event) -> state. What is not here cannot happen."""

UNCLOSED: Final = frozenset({S.OPEN, S.CLOSING, S.REOPENED})
"""A device is in at most one of these at a time."""


def next_state(state: LotState, event: LotEvent) -> LotState | None:
    """Where the event leads from this state; None: it is impossible there."""
    return TABLE.get((state, event))


class ContainerKind(StrEnum):
    """What devices lie in."""

    BAG = "bag"
    BOX = "box"
    CASE = "case"
    PALLET = "pallet"
    CABINET = "cabinet"
    """Lockable, does not travel."""
    VEHICLE = "vehicle"
