"""Lots: devices that travel together, gathered, reconciled, closed, and opened again where something turned out otherwise.

The certificate of a lot is another thing (`services.lots`): a document about what was done to each medium.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from inventory.domain.exceptions import ExceptionCode
from inventory.domain.lifecycle import FINAL
from inventory.domain.lots import LotEvent, LotPurpose, LotState, next_state
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import DeviceState
from inventory.errors import Conflict, Held, IllegalTransition, Invalid, NotFound, Reason
from inventory.events import Tag
from inventory.models import Container, Device, Lot, LotDevice, Party, Site
from reports.custody import LotClosing, LotMember
from reports.media import MAX_MEDIA

from ._holds import hold_on_lot
from ._lots import containers_of, lot_detail, lot_rows, members, unclosed_lots, unsettled
from ._scope import only
from .context import Actor, Context, authorize
from .kernel import (
    check_version,
    find,
    next_number,
    note,
    optional,
    raise_exception,
    required,
    settle_exception,
    sign_and_log,
    stamp,
)
from .lots import find_devices
from .queries._paging import bounded, cut
from .queries.devices import find_device
from .views import Page
from .views.lots import LotDetail, LotRow

_TAGS: Final = {
    LotEvent.CHANGE: Tag.LOT_CHANGED,
    LotEvent.BEGIN_CLOSING: Tag.LOT_CLOSING,
    LotEvent.RESUME: Tag.LOT_RESUMED,
    LotEvent.CLOSE: Tag.LOT_CLOSED,
    LotEvent.REOPEN: Tag.LOT_REOPENED,
}


@dataclass(frozen=True, kw_only=True)
class OpenLot:
    """Devices that shall travel together."""

    name: str
    purpose: LotPurpose
    destination: str = ""
    party: str | None = None
    site: str | None = None
    note: str = ""
    devices: tuple[str, ...] = ()
    """Numbers or asset tags; more may follow."""


@dataclass(frozen=True, kw_only=True)
class ChangeLot:
    """Mend what is said about a lot."""

    lot: str
    name: str
    purpose: LotPurpose
    destination: str
    party: str | None
    note: str
    reason: str
    version: int | None = None


@dataclass(frozen=True, kw_only=True)
class PutIntoLot:
    """Devices that come in."""

    lot: str
    devices: tuple[str, ...]
    """Numbers or asset tags."""
    version: int | None = None


@dataclass(frozen=True, kw_only=True)
class TakeFromLot:
    """A device that goes out."""

    lot: str
    device: str
    reason: str
    version: int | None = None


@dataclass(frozen=True, kw_only=True)
class MoveLot:
    """An event of the table that needs no further facts."""

    lot: str
    reason: str
    version: int | None = None


def open_lot(context: Context, actor: Actor, command: OpenLot) -> LotDetail:
    """Permission `lot.manage`. Raises `Invalid`, `NotFound`, `Conflict` (a device is in another lot, or not ours any more)."""
    authorize(actor, Permission.LOT_MANAGE)
    with context.writing(actor) as session:
        party = find(session, Party, command.party, "party") if command.party else None
        lot = Lot(
            id=next_number(session, "lot_number"),
            name=required("name", command.name, most=120),
            purpose=LotPurpose(command.purpose),
            destination=optional("destination", command.destination),
            party_id=party.id if party else None,
            site_id=find(session, Site, command.site, "site").id if command.site else None,
            state=LotState.OPEN,
            opened=context.now(),
            opened_by=actor.ref,
            note=optional("note", command.note),
        )
        session.add(lot)
        session.flush()
        note(
            session, context, actor, Tag.LOT_OPENED, "lot", lot.id,
            details={"name": lot.name, "purpose": str(lot.purpose), "party": lot.party_id, "site": lot.site_id},
        )  # fmt: skip
        if command.devices:
            _put_in(session, context, actor, lot, find_devices(session, command.devices))
        return lot_detail(session, lot)


def change_lot(context: Context, actor: Actor, command: ChangeLot) -> LotDetail:
    """Permission `lot.manage`. Raises `IllegalTransition` (closing or closed), `StaleVersion`, `Invalid`, `NotFound`."""
    authorize(actor, Permission.LOT_MANAGE)
    reason = required("reason", command.reason, least=3)
    with context.writing(actor) as session:
        lot = _find(session, command.lot, command.version)
        _possible(lot, LotEvent.CHANGE)
        party = find(session, Party, command.party, "party") if command.party else None
        before = {"name": lot.name, "purpose": str(lot.purpose), "party": lot.party_id}
        lot.name = required("name", command.name, most=120)
        lot.purpose = LotPurpose(command.purpose)
        lot.destination = optional("destination", command.destination)
        lot.party_id = party.id if party else None
        lot.note = optional("note", command.note)
        session.flush()
        after = {"name": lot.name, "purpose": str(lot.purpose), "party": lot.party_id}
        details = {"before": before, "after": after}
        note(session, context, actor, Tag.LOT_CHANGED, "lot", lot.id, reason=reason, details=details)
        return lot_detail(session, lot)


def put_in(context: Context, actor: Actor, command: PutIntoLot) -> LotDetail:
    """All of them or none. Permission `lot.manage`. Raises as `open_lot`, and `IllegalTransition`, `StaleVersion`."""
    authorize(actor, Permission.LOT_MANAGE)
    with context.writing(actor) as session:
        lot = _find(session, command.lot, command.version)
        _put_in(session, context, actor, lot, find_devices(session, command.devices))
        return lot_detail(session, lot)


def _put_in(session: Session, context: Context, actor: Actor, lot: Lot, devices: list[Device]) -> None:
    _possible(lot, LotEvent.CHANGE)
    taken = unclosed_lots(session, [device.id for device in devices])
    for device in devices:
        if device.id in taken:
            raise Conflict(f"Device {device.id} is in lot {taken[device.id]}; a device is in one lot at a time.")
        if device.state in FINAL or device.state is DeviceState.MISSING:
            raise Conflict(f"Device {device.id} is {str(device.state).replace('_', ' ')}; it cannot travel.")
    if len(members(session, lot.id)) + len(devices) > MAX_MEDIA:
        raise Invalid("devices", f"A lot has at most {MAX_MEDIA} devices; open another one.")
    lying = containers_of(session, [device.id for device in devices])
    for device in devices:
        _refuse_other_box(session, lot, device, lying.get(device.id))
        session.add(LotDevice(lot_id=lot.id, device_id=device.id, added=context.now(), added_by=actor.ref))
        note(session, context, actor, Tag.LOT_DEVICE_ADDED, "lot", lot.id, device=device.id)
    _touch(session, lot)


def _refuse_other_box(session: Session, lot: Lot, device: Device, container: str | None) -> None:
    """What lies in a container of another lot travels with that lot."""
    box = session.get(Container, container) if container else None
    if box is not None and box.lot_id not in {None, lot.id}:
        raise Conflict(f"Device {device.id} lies in container {box.id}, which travels with lot {box.lot_id}.")


def take_out(context: Context, actor: Actor, command: TakeFromLot) -> LotDetail:
    """Permission `lot.manage`. Raises `NotFound` (lot, or the device is not in it), `IllegalTransition`, `StaleVersion`."""
    authorize(actor, Permission.LOT_MANAGE)
    reason = required("reason", command.reason, least=3)
    with context.writing(actor) as session:
        lot = _find(session, command.lot, command.version)
        _possible(lot, LotEvent.CHANGE)
        device = find_device(session, command.device)
        hold = hold_on_lot(session, lot.id)
        if hold is not None:
            raise Held(f"Lot {lot.id}", [Reason("held", f"{hold.reference}: {hold.reason}")])
        entry = session.scalar(
            sa.select(LotDevice).where(
                LotDevice.lot_id == lot.id, LotDevice.device_id == device.id, LotDevice.removed.is_(None)
            )
        )
        if entry is None:
            raise NotFound("device in this lot", command.device)
        box = session.get(Container, containers_of(session, [device.id]).get(device.id, ""))
        if box is not None and box.lot_id == lot.id:
            raise Conflict(f"Device {device.id} lies in container {box.id} of this lot; take it out of there first.")
        entry.removed, entry.removed_by, entry.remove_reason = context.now(), actor.ref, reason
        note(session, context, actor, Tag.LOT_DEVICE_REMOVED, "lot", lot.id, device=device.id, reason=reason)
        _touch(session, lot)
        return lot_detail(session, lot)


def begin_closing(context: Context, actor: Actor, command: MoveLot) -> LotDetail:
    """Freeze it, to be reconciled. Permission `lot.manage`. Raises `IllegalTransition`, `StaleVersion`, `NotFound`."""
    return _move(context, actor, command, LotEvent.BEGIN_CLOSING)


def resume(context: Context, actor: Actor, command: MoveLot) -> LotDetail:
    """Break closing off. Permission `lot.manage`. Raises as `begin_closing`."""
    return _move(context, actor, command, LotEvent.RESUME)


def reopen(context: Context, actor: Actor, command: MoveLot) -> LotDetail:
    """Something turned out otherwise; raises an exception with the reason. Permission `lot.manage`. Raises as `begin_closing`."""
    return _move(context, actor, command, LotEvent.REOPEN)


def _move(context: Context, actor: Actor, command: MoveLot, event: LotEvent) -> LotDetail:
    authorize(actor, Permission.LOT_MANAGE)
    reason = required("reason", command.reason, least=3)
    with context.writing(actor) as session:
        lot = _find(session, command.lot, command.version)
        if event is LotEvent.REOPEN:
            reopen_within(session, context, actor, lot, reason)
        else:
            apply(session, context, actor, lot, event, reason)
        return lot_detail(session, lot)


def reopen_within(session: Session, context: Context, actor: Actor, lot: Lot, reason: str) -> None:
    """Re-open a closed lot within a transaction that is under way: a sample failed, a record stopped counting.

    Raises:
        IllegalTransition: it is not closed.
    """
    apply(session, context, actor, lot, LotEvent.REOPEN, reason)
    sentence = f"Lot {lot.id} ({lot.name}) was closed {lot.closed:%Y-%m-%d} and is open again: {reason}"
    raise_exception(session, context, ExceptionCode.LOT_REOPENED, lot.id, sentence)


def close(context: Context, actor: Actor, command: MoveLot) -> LotDetail:
    """Close a lot in which everything is accounted for; the list of its devices is signed and logged. Permission `lot.manage`.

    Raises:
        Conflict: with everything that is still unsettled.
        IllegalTransition: it is not frozen for closing.
        StaleVersion, NotFound.
    """
    authorize(actor, Permission.LOT_MANAGE)
    reason = required("reason", command.reason, least=3)
    with context.writing(actor) as session:
        lot = _find(session, command.lot, command.version)
        _possible(lot, LotEvent.CLOSE)
        left: tuple[Reason, ...] = unsettled(session, lot)
        if left:
            raise Conflict(f"Lot {lot.id} cannot be closed: not everything is accounted for.", reasons=left)
        statement = LotClosing(
            lot=lot.id,
            name=lot.name,
            closing=lot.closings + 1,
            devices=tuple(_member(device) for device in members(session, lot.id)),
            previous=lot.closed_sha256,
            actor=actor.ref,
            reason=reason,
            time=stamp(context.now()),
        )
        digest, index = sign_and_log(session, context, "custody", statement.to_dict(), "acceptance", lot.id)
        lot.closed, lot.closed_by, lot.closings = context.now(), actor.ref, lot.closings + 1
        lot.closed_sha256, lot.closed_index = digest, index
        apply(session, context, actor, lot, LotEvent.CLOSE, reason, digest)
        settle_exception(session, context, ExceptionCode.LOT_REOPENED, lot.id, "It was closed again.")
        return lot_detail(session, lot)


def _member(device: Device) -> LotMember:
    return LotMember(
        device=device.id,
        asset_tag=device.asset_tag or "",
        fingerprint=device.fingerprint or "",
        state=str(device.state),
        record=device.standing_record or "",
    )


def lot(context: Context, actor: Actor, number: str) -> LotDetail:
    """One lot with everything in it. Permission `inventory.read`. Raises `NotFound`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        return lot_detail(session, find(session, Lot, number, "lot"))


def list_lots(
    context: Context, actor: Actor, *, state: LotState | None = None, after: str | None = None, limit: int = 50
) -> Page[LotRow]:
    """Lots, newest first. Permission `inventory.read`. Raises `Invalid`."""
    authorize(actor, Permission.READ)
    statement = sa.select(Lot).where(*only(actor, Lot)).order_by(Lot.id.desc())
    if state is not None:
        statement = statement.where(Lot.state == state)
    if after is not None:
        statement = statement.where(Lot.id < after)
    with context.reading(actor) as session:
        rows, following = cut(session.scalars(statement.limit(bounded(limit) + 1)).all(), limit, lambda row: row.id)
        return Page(lot_rows(session, rows), following)


def apply(  # the table, the version and the event belong together
    session: Session,
    context: Context,
    actor: Actor,
    lot: Lot,
    event: LotEvent,
    reason: str,
    evidence: str | None = None,
) -> None:
    """Apply an event of the table within a transaction that is under way. Raises `IllegalTransition`."""
    _possible(lot, event)
    before, after = lot.state, next_state(lot.state, event)
    assert after is not None  # noqa: S101 - `_possible` has asked
    lot.state = after
    session.flush()
    note(
        session, context, actor, _TAGS[event], "lot", lot.id, reason=reason,
        details={"from": str(before), "to": str(after)}, evidence=[evidence] if evidence else [],
    )  # fmt: skip


def _find(session: Session, number: str, version: int | None) -> Lot:
    found = find(session, Lot, number, "lot")
    check_version(f"Lot {found.id}", found.version, version)
    return found


def _possible(lot: Lot, event: LotEvent) -> None:
    if next_state(lot.state, event) is None:
        raise IllegalTransition(f"Lot {lot.id}", str(lot.state), str(event))


def _touch(session: Session, lot: Lot) -> None:
    """Whoever read the lot before must read it again: its content is part of its version."""
    session.flush()
    flag_modified(lot, "note")
    session.flush()
