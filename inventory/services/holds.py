"""Legal and investigation holds: asked when ordering, approving, leasing, and by the agent right before the first write."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.orders import OPEN
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import OrderState
from inventory.errors import Conflict, Invalid
from inventory.events import Tag
from inventory.models import DataSet, Device, Hold, Holding, Lot, LotDevice, Order

from ._holds import hold_view
from ._scope import only
from .context import Actor, Context, authorize
from .kernel import find, next_number, note, required
from .views import HoldView

_RUNNING = (OrderState.LEASED, OrderState.EXECUTING, OrderState.SETTLING, OrderState.VERIFYING)


@dataclass(frozen=True, kw_only=True)
class PlaceHold:
    """Nothing on this device, nothing in this lot, or nothing that holds this data set, may be destroyed."""

    kind: str
    """legal, investigation."""
    reference: str
    """File number."""
    reason: str
    device: str | None = None
    data_set: str | None = None
    lot: str | None = None
    """Exactly one of the three is given."""


def place_hold(context: Context, actor: Actor, command: PlaceHold) -> HoldView:
    """Permission `hold.manage`. Runs under way are asked to stop. Raises `Invalid`, `NotFound`."""
    authorize(actor, Permission.HOLD_MANAGE)
    if command.kind not in {"legal", "investigation"}:
        raise Invalid("kind", "A hold is legal or investigation.")
    if [command.device, command.data_set, command.lot].count(None) != 2:
        raise Invalid("device", "A hold is about one device, one data set or one lot.")
    with context.writing(actor) as session:
        device = find(session, Device, command.device, "device") if command.device else None
        data_set = find(session, DataSet, command.data_set, "data set") if command.data_set else None
        lot = find(session, Lot, command.lot, "lot") if command.lot else None
        hold = Hold(
            id=next_number(session, "hold"),
            kind=command.kind,
            device_id=device.id if device else None,
            data_set_id=data_set.id if data_set else None,
            lot_id=lot.id if lot else None,
            reference=required("reference", command.reference, most=128),
            reason=required("reason", command.reason),
            placed=context.now(),
            placed_by=actor.ref,
        )
        session.add(hold)
        session.flush()
        note(
            session, context, actor, Tag.HOLD_PLACED, "hold", hold.id,
            device=hold.device_id, reason=f"{hold.reference}: {hold.reason}",
            details={"data_set": hold.data_set_id, "lot": hold.lot_id},
        )  # fmt: skip
        for order in session.scalars(_running_under(hold)):
            _ask_to_stop(session, context, actor, order, hold)
        return hold_view(hold)


def _running_under(hold: Hold) -> sa.Select[Order]:
    devices = sa.select(Holding.device_id).where(Holding.data_set_id == hold.data_set_id, Holding.covered_at.is_(None))
    inside = sa.select(LotDevice.device_id).where(LotDevice.lot_id == hold.lot_id, LotDevice.removed.is_(None))
    about = (
        Order.device_id == hold.device_id if hold.device_id else Order.device_id.in_(inside if hold.lot_id else devices)
    )
    return sa.select(Order).where(about, Order.state.in_(_RUNNING), Order.state.in_(OPEN)).order_by(Order.id)


def _ask_to_stop(session: Session, context: Context, actor: Actor, order: Order, hold: Hold) -> None:
    """Best effort: the agent stops where it can. What was written before stays written, and the record will say so."""
    if order.stop_requested:
        return
    order.stop_requested = True
    note(
        session, context, actor, Tag.ORDER_STOP_REQUESTED, "order", order.id,
        device=order.device_id, reason=f"Hold {hold.reference} was placed.",
    )  # fmt: skip


def lift_hold(context: Context, actor: Actor, hold: str, reason: str) -> HoldView:
    """Permission `hold.manage`. Raises `NotFound`, `Conflict` (lifted already)."""
    authorize(actor, Permission.HOLD_MANAGE)
    with context.writing(actor) as session:
        row = find(session, Hold, hold, "hold")
        if row.lifted is not None:
            raise Conflict(f"Hold {row.id} was lifted already.")
        row.lifted = context.now()
        row.lifted_by = actor.ref
        row.lift_reason = required("reason", reason)
        session.flush()
        note(
            session, context, actor, Tag.HOLD_LIFTED, "hold", row.id,
            device=row.device_id, reason=row.lift_reason, details={"data_set": row.data_set_id, "lot": row.lot_id},
        )  # fmt: skip
        return hold_view(row)


def list_holds(context: Context, actor: Actor, *, active: bool = True) -> tuple[HoldView, ...]:
    """Holds, newest first; the lifted ones too where `active` is false. Permission `inventory.read`."""
    authorize(actor, Permission.READ)
    statement = sa.select(Hold).where(*only(actor, Hold)).order_by(Hold.id.desc())
    if active:
        statement = statement.where(Hold.lifted.is_(None))
    with context.reading(actor) as session:
        return tuple(hold_view(row) for row in session.scalars(statement))
