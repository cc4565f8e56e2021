"""Applies the two tables: state changes by compare-and-swap, each with its event in the history.

Guards have been asked before; what the table does not have is refused here, whatever the caller thought.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy.orm import Session

from inventory.domain import lifecycle
from inventory.domain import orders as order_rules
from inventory.domain.lifecycle import DeviceEvent
from inventory.domain.orders import OrderEvent
from inventory.errors import IllegalTransition
from inventory.events import Tag
from inventory.models import Device, Order

from ._moved_runs import run_ended
from .context import Actor, Context
from .kernel import note

DEVICE_TAGS: Final = {
    DeviceEvent.OBSERVE: Tag.DEVICE_BOUND,
    DeviceEvent.PLACE_IN_SERVICE: Tag.DEVICE_PLACED,
    DeviceEvent.RELOCATE: Tag.DEVICE_RELOCATED,
    DeviceEvent.RETIRE: Tag.DEVICE_RETIRED,
    DeviceEvent.QUARANTINE: Tag.DEVICE_QUARANTINED,
    DeviceEvent.RETURN_TO_SERVICE: Tag.DEVICE_RETURNED_TO_SERVICE,
    DeviceEvent.START_RUN: Tag.DEVICE_SANITIZING,
    DeviceEvent.RUN_UNTOUCHED: Tag.DEVICE_UNTOUCHED,
    DeviceEvent.RUN_FAILED: Tag.DEVICE_SANITIZATION_FAILED,
    DeviceEvent.VALIDATION_APPROVED: Tag.DEVICE_SANITIZED,
    DeviceEvent.VALIDATION_REJECTED: Tag.DEVICE_SANITIZATION_FAILED,
    DeviceEvent.READING_CONTRADICTED: Tag.DEVICE_SANITIZATION_FAILED,
    DeviceEvent.RELEASE: Tag.DEVICE_RELEASED,
    DeviceEvent.DESTROY: Tag.DEVICE_DESTROYED,
    DeviceEvent.REPORT_MISSING: Tag.DEVICE_REPORTED_MISSING,
    DeviceEvent.FIND: Tag.DEVICE_FOUND,
    DeviceEvent.RETURN_BY_WAIVER: Tag.DEVICE_WAIVED,
}
"""What each event of a device is called in its history."""

_ORDER_TAGS = {
    OrderEvent.APPROVE: Tag.ORDER_APPROVED,
    OrderEvent.LEASE: Tag.ORDER_LEASED,
    OrderEvent.LEASE_AGAIN: Tag.ORDER_LEASED_AGAIN,
    OrderEvent.START: Tag.ORDER_STARTED,
    OrderEvent.PROGRESS_EXECUTING: Tag.ORDER_PROGRESSED,
    OrderEvent.PROGRESS_SETTLING: Tag.ORDER_PROGRESSED,
    OrderEvent.PROGRESS_VERIFYING: Tag.ORDER_PROGRESSED,
    OrderEvent.AGENT_REFUSED: Tag.ORDER_REFUSED,
    OrderEvent.RECORD_FINISHED: Tag.RECORD_ACCEPTED,
    OrderEvent.RECORD_REFUSED: Tag.RECORD_ACCEPTED,
    OrderEvent.RECORD_FAILED: Tag.RECORD_ACCEPTED,
    OrderEvent.RECORD_INTERRUPTED: Tag.RECORD_ACCEPTED,
    OrderEvent.VALIDATE: Tag.RECORD_VALIDATED,
    OrderEvent.REJECT: Tag.RECORD_REJECTED,
    OrderEvent.CANCEL: Tag.ORDER_CANCELLED,
    OrderEvent.EXPIRE: Tag.ORDER_EXPIRED,
    OrderEvent.ABANDON: Tag.ORDER_ABANDONED,
}


def possible_for_device(device: Device, event: DeviceEvent) -> None:
    """Whether the table has it. Raises `IllegalTransition`."""
    if lifecycle.next_state(device.state, event) is None:
        raise IllegalTransition(f"Device {device.id}", str(device.state), str(event))


def move_device(  # noqa: PLR0913 - an event has these sides, all but four named
    session: Session,
    context: Context,
    actor: Actor,
    device: Device,
    event: DeviceEvent,
    *,
    reason: str = "",
    order: str | None = None,
    details: dict[str, Any] | None = None,
    evidence: Sequence[str] = (),
) -> None:
    """Apply an event to a device and write it down. Raises `IllegalTransition`."""
    possible_for_device(device, event)
    before = device.state
    device.state = lifecycle.TABLE[before, event]
    session.flush()
    said = {"event": str(event), "from": str(before), "to": str(device.state), **(details or {})}
    note(
        session, context, actor, DEVICE_TAGS[event], "device", device.id,
        order=order, reason=reason, details=said, evidence=evidence,
    )  # fmt: skip


def move_order(
    session: Session,
    context: Context,
    actor: Actor,
    order: Order,
    event: OrderEvent,
    *,
    reason: str = "",
    details: dict[str, Any] | None = None,
    evidence: Sequence[str] = (),
) -> None:
    """Apply an event to an order and write it down. Raises `IllegalTransition`."""
    after = order_rules.next_state(order.state, event)
    if after is None:
        raise IllegalTransition(f"Order {order.id}", str(order.state), str(event))
    before = order.state
    order.state = after
    session.flush()
    if before in order_rules.UNDER_WAY and after not in order_rules.UNDER_WAY:
        run_ended(session, context, order)
    said = {"event": str(event), "from": str(before), "to": str(after), **(details or {})}
    note(
        session, context, actor, _ORDER_TAGS[event], "order", order.id,
        device=order.device_id, host=order.host_id, reason=reason, details=said, evidence=evidence,
    )  # fmt: skip
