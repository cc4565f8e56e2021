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
    own = sa.select(sa.literal(0), Hold.device_id, Hold.id).where(among(session, Hold.device_id, devices))
    through = (
        sa.select(sa.literal(1), Holding.device_id, Hold.id)
        .join(Hold, Hold.data_set_id == Holding.data_set_id)
        .where(among(session, Holding.device_id, devices), Holding.covered_at.is_(None))
    )
    inside = (
        sa.select(sa.literal(2), LotDevice.device_id, Hold.id)
        .join(Hold, Hold.lot_id == LotDevice.lot_id)
        .where(among(session, LotDevice.device_id, devices), LotDevice.removed.is_(None))
    )
    each = [one.where(Hold.lifted.is_(None)) for one in (own, through, inside)]
    named = sorted({(way, hold, str(device)) for way, device, hold in session.execute(sa.union_all(*each))})
    if not named:
        return {}
    wanted = sa.select(Hold).where(Hold.id.in_({hold for _, hold, _ in named}))
    holds = {hold.id: hold for hold in session.scalars(wanted)}
    found: dict[str, list[Hold]] = defaultdict(list)
    for _, number, device in named:
        if holds[number] not in found[device]:
            found[device].append(holds[number])
    return dict(found)


def hold_on_lot(session: Session, lot: str) -> Hold | None:
    """The oldest active hold on a lot itself: what is in it stays in it."""
    return session.scalar(sa.select(Hold).where(Hold.lot_id == lot, Hold.lifted.is_(None)).order_by(Hold.id).limit(1))


def refuse_held(session: Session, device: Device) -> None:
    """Let a device pass that is under no hold. Raises `Held` with every hold."""
    held = holds_on(session, [device.id]).get(device.id, [])
    if held:
        raise Held(f"Device {device.id}", [Reason("held", f"{hold.reference}: {hold.reason}") for hold in held])
