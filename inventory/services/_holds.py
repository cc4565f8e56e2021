"""Holds on devices: their own, those on their lots, and those on the data sets they hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.errors import Held, Reason
from inventory.models.data import Hold, Holding
from inventory.models.devices import Device
from inventory.models.lots import LotDevice

from ._among import among
from .views import HoldView


def hold_view(hold: Hold) -> HoldView:
    """A hold."""
    return HoldView(
        id=hold.id,
        kind=hold.kind,
        device=hold.device_id,
        data_set=hold.data_set_id,
        lot=hold.lot_id,
        reference=hold.reference,
        reason=hold.reason,
        placed_by=hold.placed_by,
        placed=hold.placed,
        lifted_by=hold.lifted_by,
        lifted=hold.lifted,
        lift_reason=hold.lift_reason,
    )


def holds_on(session: Session, devices: Collection[str]) -> dict[str, list[Hold]]:
    """Active holds of each device: its own, those on its lot, and on data sets it holds or held and no record covers."""
    found: dict[str, list[Hold]] = defaultdict(list)
    active = sa.select(Hold).where(Hold.lifted.is_(None))
    for hold in session.scalars(active.where(among(session, Hold.device_id, devices)).order_by(Hold.id)):
        found[str(hold.device_id)].append(hold)
    through = (
        sa.select(Holding.device_id, Hold)
        .join(Hold, Hold.data_set_id == Holding.data_set_id)
        .where(among(session, Holding.device_id, devices), Holding.covered_at.is_(None), Hold.lifted.is_(None))
        .order_by(Hold.id)
    )
    for device, hold in session.execute(through):
        if all(known.id != hold.id for known in found[device]):
            found[device].append(hold)
    together = (
        sa.select(LotDevice.device_id, Hold)
        .join(Hold, Hold.lot_id == LotDevice.lot_id)
        .where(among(session, LotDevice.device_id, devices), LotDevice.removed.is_(None), Hold.lifted.is_(None))
        .order_by(Hold.id)
    )
    for device, hold in session.execute(together):
        found[device].append(hold)
    return dict(found)


def hold_on_lot(session: Session, lot: str) -> Hold | None:
    """The oldest active hold on a lot itself: what is in it stays in it."""
    return session.scalar(sa.select(Hold).where(Hold.lot_id == lot, Hold.lifted.is_(None)).order_by(Hold.id).limit(1))


def refuse_held(session: Session, device: Device) -> None:
    """Let a device pass that is under no hold. Raises `Held` with every hold."""
    held = holds_on(session, [device.id]).get(device.id, [])
    if held:
        raise Held(f"Device {device.id}", [Reason("held", f"{hold.reference}: {hold.reason}") for hold in held])
