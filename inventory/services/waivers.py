"""Waivers: the only way out for an unsanitized medium. Two named people of different roles, a reason, an end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.exceptions import ExceptionCode
from inventory.domain.lifecycle import DeviceEvent
from inventory.domain.roles import Permission, Role, roles_with
from inventory.errors import Conflict, Invalid, SeparationOfDuty
from inventory.events import Tag
from inventory.models import Device, Order, Waiver
from inventory.models.orders import OPEN_STATES

from ._holds import refuse_held
from ._mapping import waiver_view
from ._transitions import move_device, possible_for_device
from .context import Actor, Context, authorize
from .kernel import find, moment, next_number, note, raise_exception, required
from .queries.devices import device_detail
from .views import DeviceDetail, WaiverView

LONGEST: Final = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class OpenWaiver:
    """Why a device must go back unsanitized."""

    device: str
    destination: str
    reason: str
    role: str
    """The role in which the person signs."""
    expires: datetime


def open_waiver(context: Context, actor: Actor, command: OpenWaiver) -> WaiverView:
    """Sign first. Permission `waiver.sign`. Raises `Held`, `Invalid` (more than 30 days, a role one has not), `NotFound`."""
    authorize(actor, Permission.WAIVER)
    role = _signing_role(actor, command.role)
    expires = moment("expires", command.expires)
    if not context.now() < expires <= context.now() + LONGEST:
        raise Invalid("expires", "A waiver ends within 30 days.")
    with context.writing(actor) as session:
        device = find(session, Device, command.device, "device")
        refuse_held(session, device)
        possible_for_device(device, DeviceEvent.RETURN_BY_WAIVER)
        waiver = Waiver(
            id=next_number(session, "waiver"),
            device_id=device.id,
            destination=required("destination", command.destination),
            reason=required("reason", command.reason, least=10),
            opened=context.now(),
            opened_by=actor.ref,
            opened_role=str(role),
            expires=expires,
        )
        session.add(waiver)
        session.flush()
        note(
            session, context, actor, Tag.WAIVER_OPENED, "waiver", waiver.id,
            device=device.id, reason=waiver.reason, details={"role": str(role), "destination": waiver.destination},
        )  # fmt: skip
        return waiver_view(waiver)


def countersign_waiver(context: Context, actor: Actor, waiver: str, role: str) -> WaiverView:
    """Sign second: another person, in another role. Permission `waiver.sign`. Raises `SeparationOfDuty`, `Conflict`."""
    authorize(actor, Permission.WAIVER)
    signing = _signing_role(actor, role)
    with context.writing(actor) as session:
        row = find(session, Waiver, waiver, "waiver")
        if row.countersigned is not None or row.used is not None:
            raise Conflict(f"Waiver {row.id} was countersigned already.")
        if row.expires <= context.now():
            raise Conflict(f"Waiver {row.id} has expired; open another one.")
        if row.opened_by == actor.ref:
            raise SeparationOfDuty("countersign", "opened the waiver")
        if row.opened_role == str(signing):
            raise Conflict(f"Waiver {row.id} was opened by a {signing.replace('_', ' ')}; another role countersigns.")
        refuse_held(session, session.get_one(Device, row.device_id))
        row.countersigned = context.now()
        row.countersigned_by = actor.ref
        row.countersigned_role = str(signing)
        session.flush()
        note(
            session, context, actor, Tag.WAIVER_COUNTERSIGNED, "waiver", row.id,
            device=row.device_id, details={"role": str(signing)},
        )  # fmt: skip
        return waiver_view(row)


def return_by_waiver(context: Context, actor: Actor, waiver: str) -> DeviceDetail:
    """Use it: the device leaves unsanitized. Permission `device.release`.

    Raises:
        Held.
        Conflict: not countersigned, expired or used; or an order is open for the device.
        IllegalTransition, NotFound.
    """
    authorize(actor, Permission.DEVICE_RELEASE)
    with context.writing(actor) as session:
        row = find(session, Waiver, waiver, "waiver")
        if row.countersigned is None:
            raise Conflict(f"Waiver {row.id} lacks its second signature.")
        if row.used is not None:
            raise Conflict(f"Waiver {row.id} was used already.")
        if row.expires <= context.now():
            raise Conflict(f"Waiver {row.id} has expired.")
        device = session.get_one(Device, row.device_id)
        refuse_held(session, device)
        _no_open_order(session, device)
        device.destination = row.destination
        row.used = context.now()
        move_device(
            session, context, actor, device, DeviceEvent.RETURN_BY_WAIVER,
            reason=row.reason, details={"waiver": row.id, "destination": row.destination},
        )  # fmt: skip
        raise_exception(
            session,
            context,
            ExceptionCode.WAIVER_USED,
            device.id,
            f"Device {device.id} left unsanitized to {row.destination} under waiver {row.id}: {row.reason}",
            device=device.id,
        )
        session.flush()
        return device_detail(session, device)


def _signing_role(actor: Actor, word: str) -> Role:
    """The role one signs in: one has it, and it may sign waivers."""
    allowed = roles_with(Permission.WAIVER)
    for role in actor.roles & allowed:
        if str(role) == word:
            return role
    names = " or ".join(sorted(str(role).replace("_", " ") for role in allowed))
    raise Invalid("role", f"Sign in a role you hold that may sign waivers: {names}.")


def _no_open_order(session: Session, device: Device) -> None:
    order = session.scalar(sa.select(Order.id).where(Order.device_id == device.id, sa.text(OPEN_STATES)))
    if order is not None:
        raise Conflict(f"Order {order} is open for device {device.id}; finish or cancel it first.")
