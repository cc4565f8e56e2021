"""What is going on in one bay of a wipe room, from what the inventory knows. Pure; whatever is not known is shown as that.

A bay is a slot of a host. `PULL` is said of one kind of bay only: its medium is sanitized, and a person has validated it.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from .vocabulary import DeviceState, OrderState


class Bay(StrEnum):
    """One word for a bay."""

    EMPTY = "empty"
    READY = "ready"
    """A medium out of use; nobody has ordered anything."""
    APPROVING = "approving"
    WAITING = "waiting"
    """Approved; its agent has not begun."""
    WRITING = "writing"
    SETTLING = "settling"
    READING = "reading"
    """What was written is being read back."""
    SILENT = "silent"
    """A run is under way, and nothing has been heard of it for too long."""
    DECIDING = "deciding"
    """The record waits for a validator."""
    PULL = "pull"
    FAILED = "failed"
    KEPT = "kept"
    """Something forbids that it is touched: in use, held, missing, gone by the books."""
    UNKNOWN = "unknown"


SILENCE: Final = timedelta(seconds=60)
"""So long may a run say nothing before its figures are not believed any more; agents report every few seconds."""

UNHEARD: Final = timedelta(minutes=5)
"""So long may a host say nothing before nobody knows what is in its bays; its agent puts their lamps out as late."""

_RUNNING: Final = {
    OrderState.LEASED: Bay.WAITING,
    OrderState.EXECUTING: Bay.WRITING,
    OrderState.SETTLING: Bay.SETTLING,
    OrderState.VERIFYING: Bay.READING,
}
_ORDERED: Final = {
    OrderState.REQUESTED: Bay.APPROVING,
    OrderState.APPROVED: Bay.WAITING,
    OrderState.RECORDED: Bay.DECIDING,
}
_ALONE: Final = {
    DeviceState.DECLARED: Bay.UNKNOWN,
    DeviceState.IN_SERVICE: Bay.KEPT,
    DeviceState.RETIRED: Bay.READY,
    DeviceState.QUARANTINED: Bay.READY,
    DeviceState.SANITIZING: Bay.UNKNOWN,
    DeviceState.SANITIZED: Bay.PULL,
    DeviceState.FAILED: Bay.FAILED,
    DeviceState.MISSING: Bay.KEPT,
    DeviceState.RELEASED: Bay.KEPT,
    DeviceState.DESTROYED: Bay.KEPT,
    DeviceState.RETURNED_UNSANITIZED_BY_WAIVER: Bay.KEPT,
}


def bay_of(
    device: DeviceState,
    order: OrderState | None,
    *,
    held: bool,
    examined: bool,
    heard: bool,
    reported: datetime | None,
    now: datetime,
) -> Bay:
    """The word for a bay with a medium in it.

    Args:
        device: its state.
        order: state of its open order, if there is one.
        held: whether a hold stands in the way.
        examined: whether it is to be read again, by an order that only reads.
        heard: whether its host has said anything lately; else it may be another medium by now.
        reported: when its run was last heard of.
        now: the service's time.
    """
    if order in _RUNNING:
        if order is not OrderState.LEASED and is_silent(reported, now):
            return Bay.SILENT
        return _RUNNING[order]
    if order in _ORDERED:
        return _ORDERED[order]
    if examined:
        return Bay.READING
    word = _ALONE[device]
    kept, lost = held and word in {Bay.READY, Bay.PULL}, not heard and word in {Bay.PULL, Bay.FAILED}
    return Bay.KEPT if kept else Bay.UNKNOWN if lost else word


def is_unheard(last: datetime | None, now: datetime) -> bool:
    """Whether a host has said nothing for so long that its bays are not known."""
    return last is None or now - last > UNHEARD


def is_silent(reported: datetime | None, now: datetime) -> bool:
    """Whether the last figures are too old to be believed; figures that never came are."""
    return reported is None or now - reported > SILENCE


def honest_seconds(seconds_left: int | None, reported: datetime, now: datetime) -> int | None:
    """The agent's estimate, less the time since; None where it is older than it may be, or none was made."""
    if seconds_left is None or is_silent(reported, now):
        return None
    return max(0, seconds_left - max(0, int((now - reported).total_seconds())))


_DIGITS: Final = re.compile(r"(\d+)")


def slot_order(slot: str) -> tuple[tuple[int, int, str], ...]:
    """A key that sorts slots as people count them: bay 3 before bay 10."""
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in _DIGITS.split(slot) if part)
