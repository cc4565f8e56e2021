"""From rows to views, a whole page at a time: every list costs a fixed number of statements, however long it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.exceptions import TITLES, ExceptionCode
from inventory.domain.holdings import Held, state_of
from inventory.domain.vocabulary import Category, ExceptionState, highest
from inventory.models.data import DataSet, DeclaredPath, Hold, Holding
from inventory.models.devices import Attachment, Destruction, Device, Waiver
from inventory.models.history import Event, ExceptionItem
from inventory.models.hosts import Host, HostContact
from inventory.models.orders import OPEN_STATES, Order, RunProgress
from inventory.models.places import Location
from reports.keys import fingerprint_words

from ._among import among
from ._holds import holds_on
from ._scope import within
from .views import (
    AttachmentView,
    DestructionView,
    DeviceFactsView,
    DeviceRow,
    EventView,
    ExceptionView,
    HoldingView,
    HostRow,
    ProgressView,
    ReasonView,
    WaiverView,
)


def size_words(capacity: int | None) -> str:
    """A capacity as labels on drives say it: decimal units."""
    if capacity is None:
        return "size unknown"
    for unit, step in (("PB", 10**15), ("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if capacity >= step:
            tenths = capacity * 10 // step
            return f"{tenths // 10}.{tenths % 10} {unit}" if tenths % 10 else f"{tenths // 10} {unit}"
    return f"{capacity} bytes"


LABELLED: Final = (
    Device.id,
    Device.asset_tag,
    Device.model,
    Device.declared_model,
    Device.serial,
    Device.declared_serial,
    Device.capacity_bytes,
    Device.declared_capacity,
)
"""What a label is made of, for statements that need no more of a device; and its tag."""


def device_label(device: Device | sa.Row[*tuple[Any, ...]]) -> str:
    """Model, serial number and capacity in words; the number where nothing else is known.

    Args:
        device: a device, or a row that has `LABELLED`.
    """
    model = device.model or device.declared_model
    serial = device.serial or device.declared_serial
    capacity = device.capacity_bytes if device.capacity_bytes is not None else device.declared_capacity
    known = [word for word in (model, serial) if word]
    return ", ".join([*(known or [device.id]), size_words(capacity)])


def held_of(holding: Holding, data_set: DataSet) -> Held:
    """A holding as the rules see it."""
    return Held(
        id=holding.id,
        data_set=data_set.name,
        category=data_set.category,
        since=holding.since,
        until=holding.until,
        last_seen=holding.last_seen,
        covered_at=holding.covered_at,
    )


def holding_views(
    session: Session, rows: Iterable[tuple[Holding, DataSet, Device, str | None]]
) -> tuple[HoldingView, ...]:
    """Holdings with data set, device and the declared path's text beside them."""
    del session  # everything needed is in the rows
    return tuple(
        HoldingView(
            id=holding.id,
            device=device.id,
            device_label=device_label(device),
            data_set=data_set.id,
            data_set_name=data_set.name,
            category=data_set.category,
            kind=holding.kind,
            source=holding.source,
            state=state_of(held_of(holding, data_set)),
            since=holding.since,
            until=holding.until,
            last_seen=holding.last_seen,
            host=holding.host_id,
            path=path,
            covered_by=holding.covered_by,
            covered=holding.covered_at,
        )
        for holding, data_set, device, path in rows
    )


def holdings_select() -> sa.Select[Holding, DataSet, Device, str | None]:
    """The statement whose rows `holding_views` takes."""
    return (
        sa.select(Holding, DataSet, Device, DeclaredPath.path)
        .join(DataSet, DataSet.id == Holding.data_set_id)
        .join(Device, Device.id == Holding.device_id)
        .outerjoin(DeclaredPath, DeclaredPath.id == Holding.path_id)
    )


@dataclass
class Beside:
    """What stands in a list beside what a device's own row says, each by the device's number."""

    attached: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    """Host, path there, and the host's name."""
    places: dict[str, str] = field(default_factory=dict)
    """A location's number -> its name."""
    uncovered: dict[str, int] = field(default_factory=dict)
    categories: dict[str, list[Category]] = field(default_factory=dict)
    exceptions: dict[str, int] = field(default_factory=dict)
    orders: dict[str, str] = field(default_factory=dict)
    held: dict[str, list[Hold]] = field(default_factory=dict)


def device_rows(session: Session, devices: Sequence[Device]) -> tuple[DeviceRow, ...]:
    """Devices as a list shows them, in the order given."""
    if not devices:
        return ()
    ids = [device.id for device in devices]
    beside = Beside(held=holds_on(session, ids))
    for device, *where in session.execute(
        sa.select(Attachment.device_id, Attachment.host_id, Attachment.path, Host.name)
        .join(Host, Host.id == Attachment.host_id)
        .where(among(session, Attachment.device_id, ids), Attachment.until.is_(None))
    ):
        beside.attached[device] = (where[0], where[1], where[2])
    stored = {device.location_id for device in devices if device.location_id}
    if stored:
        named = sa.select(Location.id, Location.name).where(among(session, Location.id, stored))
        beside.places = dict(session.execute(named).all())
    beside.uncovered, beside.categories = _holding_facts(session, ids)
    raised = (
        sa.select(ExceptionItem.device_id, sa.func.count())
        .where(among(session, ExceptionItem.device_id, ids), ExceptionItem.state == ExceptionState.OPEN)
        .group_by(ExceptionItem.device_id)
    )
    beside.exceptions = {str(device): count for device, count in session.execute(raised)}
    ordered = sa.select(Order.device_id, Order.id).where(among(session, Order.device_id, ids), sa.text(OPEN_STATES))
    beside.orders = dict(session.execute(ordered).all())
    return tuple(device_row(device, beside) for device in devices)


def device_row(device: Device, beside: Beside) -> DeviceRow:
    """One device as a list shows it."""
    host, path, host_name = beside.attached.get(device.id, (None, None, None))
    return DeviceRow(
        id=device.id,
        asset_tag=device.asset_tag,
        state=device.state,
        label=device_label(device),
        vendor=device.vendor or device.declared_vendor,
        model=device.model or device.declared_model,
        serial=device.serial or device.declared_serial,
        capacity_bytes=device.capacity_bytes if device.capacity_bytes is not None else device.declared_capacity,
        media=device.media or device.declared_media,
        fingerprint=device.fingerprint,
        host=host,
        host_name=host_name,
        path=path,
        location=device.location_id,
        location_name=beside.places.get(device.location_id or ""),
        category=highest(beside.categories.get(device.id, [])),
        holdings_open=beside.uncovered.get(device.id, 0),
        exceptions_open=beside.exceptions.get(device.id, 0),
        order=beside.orders.get(device.id),
        held=bool(beside.held.get(device.id)),
        version=device.version,
    )


def _holding_facts(session: Session, devices: Collection[str]) -> tuple[dict[str, int], dict[str, list[Category]]]:
    """Of each device: how many holdings no validated record covers, and the categories it ever held."""
    uncovered: dict[str, int] = {}
    categories: dict[str, list[Category]] = defaultdict(list)
    statement = (
        sa.select(
            Holding.device_id,
            DataSet.category,
            sa.func.sum(sa.case((Holding.covered_at.is_(None), 1), else_=0)),
        )
        .join(DataSet, DataSet.id == Holding.data_set_id)
        .where(among(session, Holding.device_id, devices))
        .group_by(Holding.device_id, DataSet.category)
    )
    for device, category, count in session.execute(statement):
        uncovered[device] = uncovered.get(device, 0) + int(count)
        categories[device].append(category)
    return uncovered, categories


def declared_facts(device: Device) -> DeviceFactsView | None:
    """What a person said it is."""
    if device.declared_at is None:
        return None
    return DeviceFactsView(
        kind=None,
        vendor=device.declared_vendor,
        model=device.declared_model,
        serial=device.declared_serial,
        wwn=None,
        eui64=None,
        nguid=None,
        firmware=None,
        capacity_bytes=device.declared_capacity,
        logical_block_bytes=None,
        media=device.declared_media,
        transport=None,
        hidden_capacity=None,
        removable=None,
        at=device.declared_at,
        by=device.declared_by or "",
    )


def observed_facts(device: Device) -> DeviceFactsView | None:
    """What an agent read from it."""
    if device.observed_at is None:
        return None
    return DeviceFactsView(
        kind=device.kind,
        vendor=device.vendor,
        model=device.model,
        serial=device.serial,
        wwn=device.wwn,
        eui64=device.eui64,
        nguid=device.nguid,
        firmware=device.firmware,
        capacity_bytes=device.capacity_bytes,
        logical_block_bytes=device.logical_block_bytes,
        media=device.media,
        transport=device.transport,
        hidden_capacity=device.hidden_capacity,
        removable=device.removable,
        at=device.observed_at,
        by=device.observed_by or "",
    )


def attachments_of(session: Session, device: str, limit: int = 100) -> list[tuple[Attachment, str]]:
    """Where a device was attached, newest first, with the hosts' names; the present attachment is always among them."""
    statement = (
        sa.select(Attachment, Host.name)
        .join(Host, Host.id == Attachment.host_id)
        .where(Attachment.device_id == device)
        .order_by(Attachment.until.is_not(None), Attachment.id.desc())
        .limit(limit)
    )
    rows = [(row, name) for row, name in session.execute(statement)]
    return sorted(rows, key=lambda found: found[0].id, reverse=True)


def attachment_view(row: Attachment, host_name: str) -> AttachmentView:
    """Where a device is or was attached."""
    return AttachmentView(
        host=row.host_id,
        host_name=host_name,
        path=row.path,
        slot=row.slot,
        since=row.since,
        until=row.until,
        last_seen=row.last_seen,
        obstacles=tuple(
            ReasonView(code=str(item.get("code", "")), sentence=str(item.get("summary", item.get("sentence", ""))))
            for item in row.obstacles
        ),
    )


def event_view(event: Event) -> EventView:
    """One entry of the history."""
    return EventView(
        id=event.id,
        at=event.at,
        tag=event.tag,
        actor=event.actor,
        subject_kind=event.subject_kind,
        subject=event.subject,
        device=event.device_id,
        host=event.host_id,
        order=event.order_id,
        reason=event.reason,
        details=event.details,
        evidence=tuple(event.evidence),
    )


def exception_view(item: ExceptionItem) -> ExceptionView:
    """Something unaccounted. A code of another version of this program keeps its own words as the title."""
    known = item.code in {str(code) for code in ExceptionCode}
    return ExceptionView(
        id=item.id,
        code=item.code,
        title=TITLES[ExceptionCode(item.code)] if known else item.code.replace("-", " ").capitalize(),
        sentence=item.sentence,
        severity=item.severity,
        state=item.state,
        device=item.device_id,
        host=item.host_id,
        subject=item.subject,
        owner=item.owner,
        raised=item.raised,
        resolved=item.resolved,
        resolved_by=item.resolved_by,
        resolution=item.resolution,
        version=item.version,
    )


def is_silent(contact: HostContact | None, host: Host, now: datetime, after_seconds: int) -> bool:
    """Whether a confirmed agent has not been heard for longer than allowed."""
    last = contact.last_contact if contact else host.confirmed or host.enrolled
    return host.state == "confirmed" and now - last > timedelta(seconds=after_seconds)


def silent_since(now: datetime, after_seconds: int) -> sa.ColumnElement[bool]:
    """The same as a condition, over hosts with their contacts joined to them."""
    last = sa.func.coalesce(HostContact.last_contact, Host.confirmed, Host.enrolled)
    return sa.and_(Host.state == "confirmed", last < now - timedelta(seconds=after_seconds))


def host_rows(session: Session, hosts: Sequence[Host], now: datetime, silent_after: int) -> tuple[HostRow, ...]:
    """Hosts as a list shows them, in the order given."""
    ids = [host.id for host in hosts]
    contacts = {
        contact.host_id: contact
        for contact in session.scalars(sa.select(HostContact).where(HostContact.host_id.in_(ids)))
    }
    devices = dict(
        session.execute(
            sa.select(Attachment.host_id, sa.func.count())
            .where(Attachment.host_id.in_(ids), Attachment.until.is_(None), *within(session, Attachment))
            .group_by(Attachment.host_id)
        ).all()
    )
    rows = []
    for host in hosts:
        contact = contacts.get(host.id)
        rows.append(
            HostRow(
                id=host.id,
                name=host.name,
                state=host.state,
                key_id=host.key_id,
                fingerprint=fingerprint_words(host.key_id),
                agent_version=host.agent_version,
                kernel=host.kernel,
                last_contact=contact.last_contact if contact else None,
                silent=is_silent(contact, host, now, silent_after),
                devices=devices.get(host.id, 0),
                outbox=contact.outbox if contact else 0,
                version=host.version,
                site=host.site_id,
                team=host.team_id,
            )
        )
    return tuple(rows)


def progress_view(progress: RunProgress) -> ProgressView:
    """The agent's last report; the share is rounded down, so that 100 means all."""
    total = progress.bytes_total
    return ProgressView(
        state=progress.state,
        pass_number=progress.pass_number,
        passes=progress.passes,
        bytes_done=progress.bytes_done,
        bytes_total=total,
        bytes_per_second=progress.bytes_per_second,
        seconds_left=progress.seconds_left,
        errors=progress.errors,
        temperature=progress.temperature,
        reason_code=progress.reason_code,
        reason=progress.reason,
        reported=progress.reported,
        percent=min(100, progress.bytes_done * 100 // total) if total else 0,
    )


def waiver_view(row: Waiver) -> WaiverView:
    """A waiver."""
    return WaiverView(
        id=row.id,
        device=row.device_id,
        destination=row.destination,
        reason=row.reason,
        opened_by=row.opened_by,
        opened_role=row.opened_role,
        countersigned_by=row.countersigned_by,
        countersigned_role=row.countersigned_role,
        expires=row.expires,
        used=row.used,
    )


def destruction_view(row: Destruction) -> DestructionView:
    """A destruction."""
    return DestructionView(
        id=row.id,
        device=row.device_id,
        method=row.method,
        machine=row.machine,
        facility=row.facility,
        particle_size_mm=row.particle_size_mm,
        operator=row.operator,
        witness=row.witness,
        witnessed=row.witnessed,
        validator=row.validator,
        decision=row.decision,
        reason=row.reason,
        performed=row.performed,
        evidence=tuple(row.evidence),
        log_index=row.log_index,
    )
