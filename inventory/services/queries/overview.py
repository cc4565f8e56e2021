"""The dashboard, the event history, exceptions."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from inventory.domain.roles import Permission
from inventory.domain.vocabulary import (
    CaseState,
    DeviceState,
    ExceptionState,
    HostState,
    KeyState,
    OrderState,
)
from inventory.errors import Invalid
from inventory.models.data import ErasureCase, Hold, Holding
from inventory.models.devices import Device
from inventory.models.history import Event, ExceptionItem
from inventory.models.hosts import Host, HostContact
from inventory.models.log import LogHead
from inventory.models.orders import Order
from inventory.models.trust import ApproverKey
from inventory.services._kept import kept
from inventory.services._mapping import event_view, exception_view, silent_since
from inventory.services._scope import only
from inventory.services.context import Actor, Context, authorize
from inventory.services.views import Dashboard, EventView, ExceptionView, Page

from ._paging import bounded, cut, number


def dashboard(context: Context, actor: Actor) -> Dashboard:
    """What to look at first; of a large inventory as it was a moment ago. Permission `inventory.read`."""
    authorize(actor, Permission.READ)
    found = kept(
        context,
        actor,
        "dashboard",
        lambda: _dashboard(context, actor),
        lambda board: sum(board.devices_by_state.values()),
    )
    return replace(found.value, counted=found.at)


def _dashboard(context: Context, actor: Actor) -> Dashboard:
    now = context.now()
    with context.reading(actor) as session:
        devices = _by_state(session, Device.state, DeviceState, Device.bound_to.is_(None), *only(actor, Device))
        orders = _by_state(session, Order.state, OrderState, *only(actor, Order))
        hosts = _by_state(session, Host.state, HostState, *only(actor, Host))
        silent = (
            sa.select(sa.func.count())
            .select_from(Host)
            .outerjoin(HostContact, HostContact.host_id == Host.id)
            .where(silent_since(now, context.settings.silent_after_seconds), *only(actor, Host))
        )
        still = sa.and_(ErasureCase.state != CaseState.CLOSED, *only(actor, ErasureCase))
        uncovered = sa.select(sa.func.count(sa.distinct(Holding.device_id))).where(
            Holding.covered_at.is_(None), *only(actor, Holding)
        )
        unresolved = sa.and_(ExceptionItem.state == ExceptionState.OPEN, *only(actor, ExceptionItem))
        return Dashboard(
            devices_by_state=devices,
            orders_by_state=orders,
            hosts_by_state=hosts,
            hosts_silent=session.scalar(silent) or 0,
            exceptions_open=_count(session, ExceptionItem.id, unresolved),
            exceptions_critical=_count(session, ExceptionItem.id, unresolved, ExceptionItem.severity == "critical"),
            cases_open=_count(session, ErasureCase.id, still),
            cases_overdue=_count(session, ErasureCase.id, still, ErasureCase.due < now),
            holds_active=_count(session, Hold.id, Hold.lifted.is_(None), *only(actor, Hold)),
            approvals_waiting=orders[OrderState.REQUESTED],
            validations_waiting=orders[OrderState.RECORDED],
            approver_keys_waiting=_count(session, ApproverKey.key_id, ApproverKey.state == KeyState.REGISTERED),
            hosts_waiting=hosts[HostState.PENDING],
            releasable=devices[DeviceState.SANITIZED],
            residue_devices=session.scalar(uncovered) or 0,
            log_size=session.scalar(sa.select(LogHead.size)) or 0,
        )


def _by_state(
    session: Session, column: InstrumentedAttribute[Any], words: type[StrEnum], *where: sa.ColumnElement[bool]
) -> dict[str, int]:
    found: dict[str, int] = dict(
        session.execute(sa.select(column, sa.func.count()).where(*where).group_by(column)).all()
    )
    return {str(word): found.get(word, 0) for word in words}


def _count(session: Session, column: InstrumentedAttribute[Any], *where: sa.ColumnElement[bool]) -> int:
    return session.scalar(sa.select(sa.func.count(column)).where(*where)) or 0


def list_events(
    context: Context,
    actor: Actor,
    *,
    tag: str | None = None,
    subject: str | None = None,
    actor_ref: str | None = None,
    since: datetime | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[EventView]:
    """The event history, newest first. Permission `events.read`."""
    authorize(actor, Permission.READ_EVENTS)
    statement = sa.select(Event).where(*only(actor, Event)).order_by(Event.id.desc()).limit(bounded(limit) + 1)
    if tag is not None:
        statement = statement.where(Event.tag == tag)
    if subject is not None:
        statement = statement.where(Event.subject == subject)
    if actor_ref is not None:
        statement = statement.where(Event.actor == actor_ref)
    if since is not None:
        if since.tzinfo is None:
            raise Invalid("since", "A time needs an offset, such as Z.")
        statement = statement.where(Event.at >= since)
    before = number(after)
    if before is not None:
        statement = statement.where(Event.id < before)
    with context.reading(actor) as session:
        rows, following = cut(session.scalars(statement).all(), limit, lambda row: str(row.id))
        return Page(tuple(event_view(row) for row in rows), following)


def list_exceptions(
    context: Context,
    actor: Actor,
    *,
    state: ExceptionState | None = ExceptionState.OPEN,
    device: str | None = None,
    host: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[ExceptionView]:
    """Exceptions, critical ones first, then newest. Permission `inventory.read`."""
    authorize(actor, Permission.READ)
    grave = sa.case((ExceptionItem.severity == "critical", 0), else_=1)
    statement = sa.select(ExceptionItem).where(*only(actor, ExceptionItem)).limit(bounded(limit) + 1)
    statement = statement.order_by(grave, ExceptionItem.id.desc())
    if state is not None:
        statement = statement.where(ExceptionItem.state == state)
    if device is not None:
        statement = statement.where(ExceptionItem.device_id == device)
    if host is not None:
        statement = statement.where(ExceptionItem.host_id == host)
    if after is not None:
        rank, _, key = after.partition(":")
        if rank not in {"0", "1"} or not key:
            raise Invalid("after", "This is no key of a page.")
        statement = statement.where(sa.or_(grave > int(rank), sa.and_(grave == int(rank), ExceptionItem.id < key)))
    with context.reading(actor) as session:
        rows, following = cut(
            session.scalars(statement).all(), limit, lambda row: f"{int(row.severity != 'critical')}:{row.id}"
        )
        return Page(tuple(exception_view(row) for row in rows), following)
