"""Hosts in lists, and one host."""

from __future__ import annotations

import dataclasses
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.roles import Permission
from inventory.domain.vocabulary import HostState
from inventory.models.hosts import Host, HostContact
from inventory.services._halted import halt_of
from inventory.services._mapping import host_rows
from inventory.services._scope import only
from inventory.services.context import Actor, Context, authorize
from inventory.services.kernel import find
from inventory.services.views import HaltView, HostDetail, HostRow, Page

from ._paging import bounded, cut


def list_hosts(
    context: Context, actor: Actor, *, state: HostState | None = None, after: str | None = None, limit: int = 50
) -> Page[HostRow]:
    """Hosts by number. Permission `inventory.read`."""
    authorize(actor, Permission.READ)
    statement = sa.select(Host).where(*only(actor, Host)).order_by(Host.id).limit(bounded(limit) + 1)
    if state is not None:
        statement = statement.where(Host.state == state)
    if after is not None:
        statement = statement.where(Host.id > after)
    with context.reading(actor) as session:
        rows, following = cut(session.scalars(statement).all(), limit, lambda row: row.id)
        return Page(host_rows(session, rows, context.now(), context.settings.silent_after_seconds), following)


def host(context: Context, actor: Actor, host_id: str) -> HostDetail:
    """One host. Permission `inventory.read`. Raises `NotFound`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        found = find(session, Host, host_id, "host")
        return host_detail(session, found, context.now(), context.settings.silent_after_seconds)


def host_detail(session: Session, host: Host, now: datetime, silent_after: int) -> HostDetail:
    """Everything about a host, within a transaction that is under way."""
    (row,) = host_rows(session, [host], now, silent_after)
    contact = session.get(HostContact, host.id)
    fields = {field.name: getattr(row, field.name) for field in dataclasses.fields(HostRow)}
    return HostDetail(
        **fields,
        enrolled=host.enrolled,
        confirmed=host.confirmed,
        confirmed_by=host.confirmed_by,
        revoked=host.revoked,
        revoked_below=host.revoked_below,
        machine_id_sha256=host.machine_id_sha256,
        boot_id=contact.boot_id if contact else None,
        running=tuple(contact.running) if contact else (),
        clock_offset_seconds=contact.clock_offset_seconds if contact else None,
        seen_log_size=contact.seen_log_size if contact else None,
        standing_by=tuple(contact.standing_by) if contact else (),
        halt=_halt(session, host.id),
    )


def _halt(session: Session, host: str) -> HaltView | None:
    row = halt_of(session, host)
    return None if row is None else HaltView(number=row.number, by=row.by, reason=row.reason, time=row.time)
