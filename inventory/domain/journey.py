"""A medium's life as stations, and the parts its story is read by. Pure: events in, the way so far out.

A station is reached by an event, never by a state. What begins anew makes the stations after it belong to an earlier life:
a disk that was wiped, put back to work and given data again is not wiped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from inventory.events import Tag


class Station(StrEnum):
    """Where a medium passes between its purchase and its leaving."""

    DECLARED = "declared"
    SEEN = "seen"
    HELD = "held"
    MOVED = "moved"
    ORDERED = "ordered"
    APPROVED = "approved"
    WIPED = "wiped"
    VERIFIED = "verified"
    VALIDATED = "validated"
    LEFT = "left"


class Standing(StrEnum):
    """How a station stands."""

    REACHED = "reached"
    UNDONE = "undone"
    """Reached, and something later took it back: a record that was rejected, a reading that found otherwise."""
    EARLIER = "earlier"
    """Reached in an earlier life of the medium; it says nothing of what it holds now."""
    OPEN = "open"


STATIONS: Final[Mapping[Station, frozenset[Tag]]] = {
    Station.DECLARED: frozenset({Tag.DEVICE_DECLARED}),
    Station.SEEN: frozenset({Tag.DEVICE_OBSERVED, Tag.DEVICE_BOUND}),
    Station.HELD: frozenset({Tag.HOLDING_BEGUN}),
    Station.MOVED: frozenset(
        {
            Tag.DEVICE_ATTACHED,
            Tag.DEVICE_DETACHED,
            Tag.DEVICE_PLACED,
            Tag.DEVICE_RELOCATED,
            Tag.LOT_DEVICE_ADDED,
            Tag.CONTAINER_DEVICE_ADDED,
            Tag.HANDOVER_ACCEPTED,
        }
    ),
    Station.ORDERED: frozenset({Tag.ORDER_REQUESTED}),
    Station.APPROVED: frozenset({Tag.ORDER_APPROVED}),
    Station.WIPED: frozenset({Tag.DEVICE_SANITIZING, Tag.ORDER_STARTED}),
    Station.VERIFIED: frozenset({Tag.RECORD_ACCEPTED}),
    Station.VALIDATED: frozenset({Tag.RECORD_VALIDATED}),
    Station.LEFT: frozenset({Tag.DEVICE_RELEASED, Tag.DEVICE_DESTROYED, Tag.DEVICE_WAIVED}),
}
"""Station -> the events that reach it."""

_ENDED_UNDONE: Final = frozenset(
    {Tag.ORDER_CANCELLED, Tag.ORDER_EXPIRED, Tag.ORDER_REFUSED, Tag.ORDER_ABANDONED, Tag.DEVICE_UNTOUCHED}
)
_COUNTS_NO_MORE: Final = frozenset(
    {Tag.DEVICE_SANITIZATION_FAILED, Tag.RECORD_REJECTED, Tag.RECORD_DISOWNED, Tag.READING_CONTRADICTED}
)
UNDONE_BY: Final[Mapping[Station, frozenset[Tag]]] = {
    Station.ORDERED: _ENDED_UNDONE,
    Station.APPROVED: _ENDED_UNDONE,
    Station.WIPED: frozenset({Tag.DEVICE_SANITIZATION_FAILED}) | _ENDED_UNDONE,
    Station.VERIFIED: _COUNTS_NO_MORE | _ENDED_UNDONE,
    Station.VALIDATED: _COUNTS_NO_MORE,
    Station.LEFT: frozenset({Tag.DEVICE_FOUND}),
}
"""Station -> the events that take it back, of the same order or of none."""

ANEW: Final = frozenset({Tag.DEVICE_RETURNED_TO_SERVICE, Tag.HOLDING_BEGUN})
"""With these a medium begins anew: whatever was proven before says nothing of what is on it now."""
OF_AN_ORDER: Final = frozenset({Station.ORDERED, Station.APPROVED, Station.WIPED, Station.VERIFIED, Station.VALIDATED})
"""Stations of one order: those of another one do not count for it."""


@dataclass(frozen=True)
class Stop:
    """One station of one medium."""

    station: Station
    standing: Standing
    event: int | None
    """The event that reached it: the first declaration and sight, of everything else the newest."""


@dataclass(frozen=True)
class Told:
    """What is known of one tag of a medium's history, for one order or for none."""

    tag: str
    order: str | None
    first: int
    last: int


def journey(history: Iterable[Told]) -> tuple[Stop, ...]:
    """The stations in order.

    Args:
        history: for each tag and order in the medium's history, the numbers of its first and its newest event; numbers
            grow with time.
    """
    known = tuple(history)
    order = _order_that_counts(known)
    anew = _newest(known, ANEW)
    return tuple(_stop(station, known, order, anew) for station in Station)


def _order_that_counts(known: Sequence[Told]) -> str | None:
    """The newest order that was carried out or still may be; where there is none, the newest."""
    orders = sorted((one.last, one.order) for one in known if one.tag == Tag.ORDER_REQUESTED and one.order is not None)
    undone = {one.order for one in known if one.tag in _ENDED_UNDONE}
    standing = [order for _, order in orders if order not in undone]
    return standing[-1] if standing else orders[-1][1] if orders else None


def _stop(station: Station, known: Sequence[Told], order: str | None, anew: int) -> Stop:
    reached = [one for one in known if one.tag in STATIONS[station]]
    if station in OF_AN_ORDER:
        reached = [one for one in reached if one.order == order]
    if not reached:
        return Stop(station, Standing.OPEN, None)
    if station in {Station.DECLARED, Station.SEEN}:
        return Stop(station, Standing.REACHED, min(one.first for one in reached))
    event = max(one.last for one in reached)
    if station in OF_AN_ORDER | {Station.LEFT} and event < anew:
        return Stop(station, Standing.EARLIER, event)
    return Stop(station, Standing.UNDONE if _taken_back(station, known, order, event) else Standing.REACHED, event)


def _taken_back(station: Station, known: Sequence[Told], order: str | None, event: int) -> bool:
    """Whether what reached it counts no more. What an order of its own says of itself needs not come later."""
    for one in known:
        if one.tag not in UNDONE_BY.get(station, frozenset()):
            continue
        if station in OF_AN_ORDER and one.order is not None:
            if one.order == order:
                return True
        elif one.last > event:
            return True
    return False


def _newest(known: Iterable[Told], tags: frozenset[Tag]) -> int:
    return max((one.last for one in known if one.tag in tags), default=0)


class Part(StrEnum):
    """One kind of thing in a medium's story."""

    WHEREABOUTS = "whereabouts"
    DATA = "data"
    WORK = "work"
    EVIDENCE = "evidence"
    TROUBLE = "trouble"


_KINDS: Final[Mapping[str, Part]] = {
    "device": Part.WHEREABOUTS,
    "lot": Part.WHEREABOUTS,
    "container": Part.WHEREABOUTS,
    "handover": Part.WHEREABOUTS,
    "waiver": Part.WHEREABOUTS,
    "holding": Part.DATA,
    "path": Part.DATA,
    "case": Part.DATA,
    "statement": Part.DATA,
    "order": Part.WORK,
    "escrow": Part.WORK,
    "destruction": Part.WORK,
    "record": Part.EVIDENCE,
    "evidence-file": Part.EVIDENCE,
    "reading": Part.EVIDENCE,
    "sample": Part.EVIDENCE,
    "certificate": Part.EVIDENCE,
    "paper": Part.EVIDENCE,
    "document": Part.EVIDENCE,
    "hold": Part.TROUBLE,
    "question": Part.TROUBLE,
    "exception": Part.TROUBLE,
}
"""First word of a tag -> the part it belongs to; a tag of no part is only in the whole story."""
_RATHER: Final[Mapping[Tag, Part]] = {
    Tag.DEVICE_SANITIZING: Part.WORK,
    Tag.DEVICE_SANITIZED: Part.WORK,
    Tag.DEVICE_SANITIZATION_FAILED: Part.WORK,
    Tag.DEVICE_UNTOUCHED: Part.WORK,
    Tag.DEVICE_REPORTED_MISSING: Part.TROUBLE,
    Tag.DEVICE_RELEASE_REFUSED: Part.TROUBLE,
}


def part_of(tag: Tag) -> Part | None:
    """The part of the story an event belongs to."""
    return _RATHER.get(tag) or _KINDS.get(tag.partition(".")[0])


def tags_of(part: Part) -> frozenset[Tag]:
    """Every tag of one part."""
    return frozenset(tag for tag in Tag if part_of(tag) is part)
