"""Devices in lists, one device, and its story."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.holdings import contents
from inventory.domain.journey import Part, tags_of
from inventory.domain.lifecycle import possible
from inventory.domain.orders import OPEN
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import Category, DeviceState, ExceptionState
from inventory.errors import NotFound
from inventory.models.data import DataSet, Hold, Holding
from inventory.models.devices import Attachment, Destruction, Device, Waiver
from inventory.models.evidence import Certificate
from inventory.models.history import Event, ExceptionItem
from inventory.models.lots import LotDevice
from inventory.models.orders import Order
from inventory.models.places import Location
from inventory.services._drives import drive_view
from inventory.services._escrows import escrow_views
from inventory.services._gate import LEAVE, REUSE_INSIDE, Known, gate_views, policy_in_force
from inventory.services._holds import hold_view, holds_on
from inventory.services._mapping import (
    Beside,
    attachment_view,
    attachments_of,
    declared_facts,
    destruction_view,
    device_row,
    device_rows,
    event_view,
    exception_view,
    held_of,
    holding_views,
    holdings_select,
    observed_facts,
    waiver_view,
)
from inventory.services._parts import devices_with
from inventory.services._scope import admit, only
from inventory.services.context import Actor, Context, authorize, once
from inventory.services.views import (
    DestructionView,
    DeviceDetail,
    DeviceRow,
    EventView,
    ExceptionView,
    HoldView,
    Page,
    WaiverView,
)

from ._paging import bounded, cut, number

_MOST_EXCEPTIONS = 100


@dataclass(frozen=True, kw_only=True)
class DeviceFilter:
    """Which devices; every field that is given must match."""

    states: frozenset[DeviceState] = frozenset()
    text: str = ""
    """Part of asset tag, serial number, world wide name, model, vendor or number, or the beginning of a fingerprint; fewer than
    three characters are looked for at the beginning. Case does not matter."""
    host: str | None = None
    location: str | None = None
    data_set: str | None = None
    """Holds it live or as residue."""
    category: Category | None = None
    with_data: bool | None = None
    """Live or residue: what the gate holds back."""
    with_residue: bool | None = None
    with_exceptions: bool | None = None
    held: bool | None = None


def list_devices(
    context: Context, actor: Actor, where: DeviceFilter, *, after: str | None = None, limit: int = 50
) -> Page[DeviceRow]:
    """Devices by number. Permission `inventory.read`."""
    authorize(actor, Permission.READ)
    statement = sa.select(Device).where(Device.bound_to.is_(None), *only(actor, Device), *device_conditions(where))
    if after is not None:
        statement = statement.where(Device.id > after)
    with context.reading(actor) as session:
        if where.text.strip():
            statement = statement.where(devices_with(session, where.text.strip()))
        found = session.scalars(statement.order_by(Device.id).limit(bounded(limit) + 1)).all()
        rows, following = cut(found, limit, lambda row: row.id)
        return Page(device_rows(session, rows), following)


def device_conditions(where: DeviceFilter) -> list[sa.ColumnElement[bool]]:
    """What a filter asks, but for its text, as conditions for the database."""
    conditions: list[sa.ColumnElement[bool]] = []
    if where.states:
        conditions.append(Device.state.in_(where.states))
    if where.host is not None:
        conditions.append(
            sa.exists().where(
                Attachment.device_id == Device.id, Attachment.host_id == where.host, Attachment.until.is_(None)
            )
        )
    if where.location is not None:
        conditions.append(Device.location_id == where.location)
    if where.data_set is not None:
        conditions.append(_uncovered().where(Holding.data_set_id == where.data_set))
    if where.category is not None:
        conditions.append(
            sa.exists().where(
                Holding.device_id == Device.id,
                DataSet.id == Holding.data_set_id,
                DataSet.category == where.category,
            )
        )
    if where.with_data is not None:
        conditions.append(_uncovered() if where.with_data else ~_uncovered())
    if where.with_residue is not None:
        residue = _uncovered().where(Holding.until.is_not(None))
        conditions.append(residue if where.with_residue else ~residue)
    if where.with_exceptions is not None:
        raised = sa.exists().where(ExceptionItem.device_id == Device.id, ExceptionItem.state == ExceptionState.OPEN)
        conditions.append(raised if where.with_exceptions else ~raised)
    if where.held is not None:
        conditions.append(Device.id.in_(_held()) if where.held else Device.id.not_in(_held()))
    return conditions


def _held() -> sa.CompoundSelect[tuple[str]]:
    """Devices under a hold, from the holds' side: they are few."""
    own = sa.select(Hold.device_id).where(Hold.device_id.is_not(None), Hold.lifted.is_(None))
    through = (
        sa.select(Holding.device_id)
        .join(Hold, Hold.data_set_id == Holding.data_set_id)
        .where(Holding.covered_at.is_(None), Hold.lifted.is_(None))
    )
    inside = (
        sa.select(LotDevice.device_id)
        .join(Hold, Hold.lot_id == LotDevice.lot_id)
        .where(LotDevice.removed.is_(None), Hold.lifted.is_(None))
    )
    return sa.union(own, through, inside)


def _uncovered() -> sa.Exists:
    return sa.exists().where(Holding.device_id == Device.id, Holding.covered_at.is_(None))


def find_device(session: Session, reference: str) -> Device:
    """The device of a number, asset tag or fingerprint; a declaration bound to another device leads there.

    Raises:
        NotFound: no device is known by that.
    """
    return once(session, (find_device, reference), lambda: _find_device(session, reference))


def _find_device(session: Session, reference: str) -> Device:
    device = session.get(Device, reference) or session.scalar(
        sa.select(Device).where(sa.or_(Device.asset_tag == reference, Device.fingerprint == reference))
    )
    if device is not None and device.bound_to is not None:
        device = session.get(Device, device.bound_to)
    if device is None or not admit(session, device):
        raise NotFound("device", reference)
    return device


def rows_of(session: Session, device: str) -> list[str]:
    """A device's number, and those of declarations that turned out to be about it: their history is its history."""
    bound = sa.select(Device.id).where(Device.bound_to == device)
    return once(session, (rows_of, device), lambda: [device, *session.scalars(bound)])


def device(context: Context, actor: Actor, device_id: str) -> DeviceDetail:
    """One device by number, asset tag or fingerprint. Permission `inventory.read`. Raises `NotFound`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        return device_detail(session, find_device(session, device_id))


def device_detail(session: Session, device: Device) -> DeviceDetail:
    """Everything the inventory knows of a device, within a transaction that is under way. Its row is made of the same parts."""
    policy = policy_in_force(session)
    held = session.execute(holdings_select().where(Holding.device_id == device.id).order_by(Holding.id)).all()
    holdings = holding_views(session, held)
    place = session.get(Location, device.location_id) if device.location_id else None
    attachments = attachments_of(session, device.id)
    current = next((found for found in attachments if found[0].until is None), None)
    ordered = sa.select(Order.id, Order.state).where(Order.device_id == device.id).order_by(Order.id.desc())
    orders = dict(session.execute(ordered).all())
    exceptions = _exceptions(session, device)
    known = Known(
        holdings=tuple(held_of(holding, data_set) for holding, data_set, _, _ in held),
        holds=holds_on(session, [device.id]).get(device.id, []),
        order=next((order for order, state in orders.items() if state in OPEN), None),
    )
    row = device_row(
        device,
        Beside(
            attached={device.id: (current[0].host_id, current[0].path, current[1])} if current else {},
            places={place.id: place.name} if place else {},
            uncovered={device.id: sum(held.covered_at is None for held in known.holdings)},
            categories={device.id: [held.category for held in known.holdings]},
            exceptions={device.id: _exceptions_open(session, device, exceptions)},
            orders={device.id: known.order} if known.order else {},
            held={device.id: list(known.holds)},
        ),
    )
    inside, leave = gate_views(session, policy, device, known, REUSE_INSIDE, LEAVE)
    return DeviceDetail(
        **{name.name: getattr(row, name.name) for name in dataclasses.fields(DeviceRow)},
        declared=declared_facts(device),
        observed=observed_facts(device),
        contents="known" if holdings else contents((), ever_attached=device.ever_attached),
        zone=str(place.zone) if place else None,
        party=device.party_id,
        attachments=tuple(attachment_view(*found) for found in attachments),
        holdings=holdings,
        holds=_holds(session, device),
        exceptions=exceptions,
        orders=tuple(orders),
        certificates=tuple(
            session.scalars(
                sa.select(Certificate.number)
                .where(Certificate.device_id == device.id, Certificate.kind == "certificate")
                .order_by(Certificate.log_index.desc())
            )
        ),
        waivers=_waivers(session, device.id),
        destructions=_destructions(session, device.id),
        drive=drive_view(device, current[0] if current else None, policy.settings),
        escrows=escrow_views(session, device.id),
        events_possible=tuple(str(event) for event in possible(device.state)),
        gate_reuse_inside=inside,
        gate_leave=leave,
    )


def _exceptions(session: Session, device: Device) -> tuple[ExceptionView, ...]:
    statement = (
        sa.select(ExceptionItem)
        .where(ExceptionItem.device_id == device.id)
        .order_by(ExceptionItem.resolved.is_not(None), ExceptionItem.raised.desc())
        .limit(_MOST_EXCEPTIONS)
    )
    return tuple(exception_view(item) for item in session.scalars(statement))


def _exceptions_open(session: Session, device: Device, shown: Sequence[ExceptionView]) -> int:
    """How many are open; counted only where not all are shown."""
    if len(shown) < _MOST_EXCEPTIONS:
        return sum(item.state == ExceptionState.OPEN for item in shown)
    mine = ExceptionItem.device_id == device.id
    return session.scalar(sa.select(sa.func.count()).where(mine, ExceptionItem.state == ExceptionState.OPEN)) or 0


def _holds(session: Session, device: Device) -> tuple[HoldView, ...]:
    through = sa.select(Holding.data_set_id).where(Holding.device_id == device.id)
    lots = sa.select(LotDevice.lot_id).where(LotDevice.device_id == device.id, LotDevice.removed.is_(None))
    statement = (
        sa.select(Hold)
        .where(sa.or_(Hold.device_id == device.id, Hold.data_set_id.in_(through), Hold.lot_id.in_(lots)))
        .order_by(Hold.lifted.is_not(None), Hold.id.desc())
    )
    return tuple(hold_view(hold) for hold in session.scalars(statement))


def _waivers(session: Session, device: str) -> tuple[WaiverView, ...]:
    statement = sa.select(Waiver).where(Waiver.device_id == device).order_by(Waiver.id.desc())
    return tuple(waiver_view(row) for row in session.scalars(statement))


def _destructions(session: Session, device: str) -> tuple[DestructionView, ...]:
    statement = sa.select(Destruction).where(Destruction.device_id == device).order_by(Destruction.id.desc())
    return tuple(destruction_view(row) for row in session.scalars(statement))


def device_timeline(
    context: Context,
    actor: Actor,
    device_id: str,
    *,
    part: Part | None = None,
    after: str | None = None,
    limit: int = 100,
) -> Page[EventView]:
    """A device's story or one part of it, newest first. Permission `inventory.read`. Raises `NotFound`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        known = find_device(session, device_id).id
        statement = (
            sa.select(Event)
            .where(Event.device_id.in_(rows_of(session, known)))
            .order_by(Event.id.desc())
            .limit(bounded(limit) + 1)
        )
        if part is not None:
            statement = statement.where(Event.tag.in_(sorted(tags_of(part))))
        before = number(after)
        if before is not None:
            statement = statement.where(Event.id < before)
        events, following = cut(session.scalars(statement).all(), limit, lambda event: str(event.id))
        return Page(tuple(event_view(event) for event in events), following)
