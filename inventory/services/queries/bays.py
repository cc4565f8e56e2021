"""The bays of a wipe room: what is in each slot of a host, and how far it is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.bays import Bay, bay_of, honest_seconds, is_silent, is_unheard, slot_order
from inventory.domain.orders import OPEN
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import OrderState
from inventory.models.devices import Attachment, Device
from inventory.models.hosts import Host, HostContact
from inventory.models.orders import Order, RunProgress
from inventory.models.readings import OPEN_READINGS, Reading
from inventory.services._holds import holds_on
from inventory.services._mapping import device_label, progress_view
from inventory.services._scope import only
from inventory.services.context import Actor, Context, authorize
from inventory.services.kernel import find
from inventory.services.views.bays import BayView, UnheardView, WallView

MOST: Final = 240
"""Bays of one wall: four of sixty."""
REMEMBERED: Final = timedelta(days=90)
"""So long a slot that had a medium is shown as an empty bay."""
_UNDER_WAY: Final = frozenset({OrderState.LEASED, OrderState.EXECUTING, OrderState.SETTLING, OrderState.VERIFYING})


def wall(context: Context, actor: Actor, host: str | None = None) -> WallView:
    """Every bay of one host, or of all hosts those with an open order. Permission `inventory.read`. Raises `NotFound`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        where = [*only(actor, Attachment)]
        if host is not None:
            find(session, Host, host, "host")
            where.append(Attachment.host_id == host)
        else:
            where.append(Attachment.device_id.in_(sa.select(Order.device_id).where(Order.state.in_(OPEN))))
        inside = session.execute(
            sa.select(Attachment, Device)
            .join(Device, Device.id == Attachment.device_id)
            .where(Attachment.until.is_(None), *where)
            .order_by(Attachment.host_id, Attachment.id)
            .limit(MOST)
        ).all()
        total = session.scalar(
            sa.select(sa.func.count()).select_from(Attachment).where(Attachment.until.is_(None), *where)
        )
        now = context.now()
        hosts = _hosts(session, now, {one.host_id for one, _ in inside} | ({host} if host is not None else set()))
        found = [*_filled(session, now, inside, hosts)]
        if host is not None:
            found += _empty(session, now, where, inside, hosts[host])
        bays = sorted(found, key=lambda bay: (bay.host_name, bay.host, slot_order(bay.slot)))
        shown = {bay.host for bay in bays}
        return WallView(
            bays=tuple(bays),
            hosts=tuple((one.number, one.name) for one in hosts.values() if one.number in shown),
            unheard=tuple(
                UnheardView(host=one.number, name=one.name, last=one.last)
                for one in hosts.values()
                if one.number in shown and not one.heard
            ),
            left_out=(total or 0) - len(inside),
        )


def pulse(context: Context, actor: Actor, host: str | None = None) -> str:
    """A word that changes whenever the wall does; cheap enough to ask every second. Permission `inventory.read`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        orders = sa.select(
            sa.func.count(), sa.func.sum(Order.version), sa.func.max(Order.id), sa.func.max(RunProgress.reported)
        ).select_from(Order)
        orders = orders.outerjoin(RunProgress, RunProgress.order_id == Order.id).where(Order.state.in_(OPEN))
        inside = sa.select(sa.func.count(), sa.func.max(Attachment.id), sa.func.sum(Device.version))
        inside = inside.join(Device, Device.id == Attachment.device_id).where(Attachment.until.is_(None))
        parts = [*session.execute(orders.where(*only(actor, Order))).one()]
        if host is not None:
            parts += session.execute(inside.where(Attachment.host_id == host, *only(actor, Attachment))).one()
        return " ".join(str(part) for part in parts)


@dataclass(frozen=True)
class _Host:
    number: str
    name: str
    last: datetime | None
    heard: bool


def _hosts(session: Session, now: datetime, numbers: Collection[str]) -> dict[str, _Host]:
    """Name and last word of each, in the order of their names."""
    statement = sa.select(Host.id, Host.name, HostContact.last_contact)
    statement = statement.outerjoin(HostContact, HostContact.host_id == Host.id).where(Host.id.in_(numbers))
    rows = session.execute(statement.order_by(Host.name, Host.id)).all()
    return {number: _Host(number, name, last, not is_unheard(last, now)) for number, name, last in rows}


def _filled(
    session: Session,
    now: datetime,
    inside: Sequence[sa.Row[Attachment, Device]],
    hosts: Mapping[str, _Host],
) -> Iterable[BayView]:
    numbers = [device.id for _, device in inside]
    orders = _newest_orders(session, numbers)
    reports = {
        row.order_id: row
        for row in session.scalars(
            sa.select(RunProgress).where(RunProgress.order_id.in_([order.id for order in orders.values()]))
        )
    }
    held = holds_on(session, numbers)
    examined = set(
        session.scalars(sa.select(Reading.device_id).where(Reading.device_id.in_(numbers), sa.text(OPEN_READINGS)))
    )
    for attachment, device in inside:
        order = orders.get(device.id)
        report = reports.get(order.id) if order is not None else None
        yield _bay(
            now,
            attachment,
            device,
            order,
            report,
            hosts[attachment.host_id],
            held=bool(held.get(device.id)),
            examined=device.id in examined,
        )


def _newest_orders(session: Session, devices: Sequence[str]) -> dict[str, Order]:
    """Of each device the open order, else the newest one."""
    newest = sa.select(sa.func.max(Order.id)).where(Order.device_id.in_(devices)).group_by(Order.device_id)
    statement = sa.select(Order).where(
        Order.device_id.in_(devices), sa.or_(Order.state.in_(OPEN), Order.id.in_(newest))
    )
    found: dict[str, Order] = {}
    for order in session.scalars(statement.order_by(Order.id)):
        if order.device_id not in found or order.state in OPEN:
            found[order.device_id] = order
    return found


def _bay(
    now: datetime,
    attachment: Attachment,
    device: Device,
    order: Order | None,
    report: RunProgress | None,
    host: _Host,
    *,
    held: bool,
    examined: bool,
) -> BayView:
    state = order.state if order is not None and order.state in OPEN else None
    progress = progress_view(report) if report is not None and state in _UNDER_WAY else None
    fresh = progress if progress is not None and not is_silent(progress.reported, now) else None
    return BayView(
        host=attachment.host_id,
        host_name=host.name,
        slot=attachment.slot or attachment.path,
        bay=bay_of(
            device.state,
            state,
            held=held,
            examined=examined,
            heard=host.heard,
            reported=progress.reported if progress else None,
            now=now,
        ),
        device=device.id,
        asset_tag=device.asset_tag,
        label=device_label(device),
        order=order.id if order is not None else None,
        percent=progress.percent if progress else None,
        seconds_left=honest_seconds(progress.seconds_left, progress.reported, now) if progress else None,
        bytes_per_second=fresh.bytes_per_second if fresh else None,
        errors=progress.errors if progress else 0,
        temperature=fresh.temperature if fresh else None,
        reported=progress.reported if progress else None,
    )


def _empty(
    session: Session,
    now: datetime,
    where: Sequence[sa.ColumnElement[bool]],
    inside: Sequence[sa.Row[Attachment, Device]],
    owner: _Host,
) -> Iterable[BayView]:
    """Slots that had a medium lately and have none now."""
    taken = {(attachment.host_id, attachment.slot) for attachment, _ in inside}
    rows = session.execute(
        sa.select(Attachment.host_id, Host.name, Attachment.slot)
        .join(Host, Host.id == Attachment.host_id)
        .where(Attachment.slot.is_not(None), Attachment.until > now - REMEMBERED, *where)
        .distinct()
        .limit(MOST)
    )
    for host, name, slot in rows:
        if slot is not None and (host, slot) not in taken:
            yield BayView(
                host=host, host_name=name, slot=slot, bay=Bay.EMPTY if owner.heard else Bay.UNKNOWN, device=None,
                asset_tag=None, label="", order=None,
                percent=None, seconds_left=None, bytes_per_second=None, errors=0, temperature=None, reported=None,
            )  # fmt: skip
