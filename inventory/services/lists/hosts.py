"""The list of hosts with the health of their agents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from inventory.domain.roles import Permission
from inventory.domain.vocabulary import HostState
from inventory.models import Host, HostContact, LogHead
from inventory.services._mapping import host_rows
from inventory.services.views import HostRow

from .spec import YES, Asking, Column, Condition, Exact, Facet, Listed, Sort, Walk, either, one_of, part_of, words

_CLOCK_SECONDS: Final = 60
"""From here on an agent's clock is off."""


@dataclass(frozen=True, kw_only=True)
class AgentRow(HostRow):
    """A host in a list, with what its agent's last heartbeat said."""

    running: int
    """Runs under way."""
    clock_offset_seconds: int | None
    log_behind: int | None
    """Entries of the log its agent has not seen; None: it never said."""
    observed: datetime | None
    """When it last told of its disks."""


def _rows(session: Session, asking: Asking, found: Sequence[Any]) -> tuple[Any, ...]:
    base = host_rows(session, found, asking.now, asking.context.settings.silent_after_seconds)
    size = session.scalar(sa.select(LogHead.size)) or 0
    contacts = {
        one.host_id: one
        for one in session.scalars(sa.select(HostContact).where(HostContact.host_id.in_([row.id for row in base])))
    }
    return tuple(_row(row, contacts.get(row.id), size) for row in base)


def _row(row: HostRow, contact: HostContact | None, size: int) -> AgentRow:
    seen = contact.seen_log_size if contact else None
    return AgentRow(
        **{field.name: getattr(row, field.name) for field in fields(HostRow)},
        running=len(contact.running) if contact else 0,
        clock_offset_seconds=contact.clock_offset_seconds if contact else None,
        log_behind=None if seen is None else max(0, size - seen),
        observed=contact.observed if contact else None,
    )


def _contact(*conditions: Condition) -> Condition:
    return sa.exists().where(HostContact.host_id == Host.id, *conditions)


def _silent(asking: Asking) -> Condition:
    """As `is_silent` says it of one host."""
    before = asking.now - timedelta(seconds=asking.context.settings.silent_after_seconds)
    never = sa.and_(
        ~sa.exists().where(HostContact.host_id == Host.id),
        sa.func.coalesce(Host.confirmed, Host.enrolled) < before,
    )
    return sa.and_(Host.state == HostState.CONFIRMED, sa.or_(_contact(HostContact.last_contact < before), never))


_LAST_CONTACT: Final = sa.select(HostContact.last_contact).where(HostContact.host_id == Host.id).scalar_subquery()


def _clock_off(_: Asking) -> Condition:
    return _contact(sa.func.abs(HostContact.clock_offset_seconds) > _CLOCK_SECONDS)


def _outdated(_: Asking) -> Condition:
    """Another version than the one that was enrolled last: versions are words here, and only people know their order."""
    other = aliased(Host)
    newest = (
        sa.select(other.agent_version)
        .where(other.state == HostState.CONFIRMED)
        .order_by(other.enrolled.desc(), other.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return sa.and_(Host.state == HostState.CONFIRMED, Host.agent_version != newest)


HOSTS: Final = Listed(
    name="hosts",
    title="Hosts",
    noun="host",
    permission=Permission.READ,
    model=Host,
    key=Host.id,
    walk=Walk(by=(Host.id,), beyond=lambda key: Host.id > key, key=lambda row: str(row.id)),
    columns=(
        Column(
            name="host", title="Host", value=lambda row: row.name, opens="host", number=lambda row: row.id,
            sort=Sort(Host.name),
        ),
        Column(name="number", title="Number", value=lambda row: row.id, kind="mono", below="host"),
        Column(name="state", title="State", value=lambda row: row.state, kind="state"),
        Column(name="silent", title="Silent", value=lambda row: row.silent, kind="yes", below="state"),
        Column(
            name="contact", title="Last contact", value=lambda row: row.last_contact, kind="time",
            sort=Sort(_LAST_CONTACT, gaps=True),
        ),
        Column(name="devices", title="Devices", value=lambda row: row.devices, kind="number"),
        Column(name="version", title="Agent", value=lambda row: row.agent_version, sort=Sort(Host.agent_version)),
        Column(name="kernel", title="Kernel", value=lambda row: row.kernel, below="version"),
        Column(name="running", title="Runs", value=lambda row: row.running, kind="number"),
        Column(name="outbox", title="Records waiting", value=lambda row: row.outbox, kind="number"),
        Column(
            name="clock", title="Clock off (seconds)", value=lambda row: row.clock_offset_seconds, kind="number",
            usual=False,
        ),
        Column(
            name="behind", title="Log entries not seen", value=lambda row: row.log_behind, kind="number", usual=False
        ),
        Column(
            name="observed", title="Disks last told", value=lambda row: row.observed, kind="time", usual=False
        ),
        Column(name="key", title="Agent key", value=lambda row: row.key_id, kind="mono", usual=False),
    ),
    facets=(
        Facet(
            name="state", title="State", choices=words(HostState), condition=one_of(Host.state), column=Host.state
        ),
        Facet(name="silent", title="Silent", choices=YES, condition=either(_silent), single=True),
        Facet(
            name="waiting",
            title="Records waiting",
            choices=YES,
            condition=either(lambda _: _contact(HostContact.outbox > 0)),
            single=True,
        ),
        Facet(name="clock", title="Clock off", choices=YES, condition=either(_clock_off), single=True),
        Facet(name="other", title="Another agent version", choices=YES, condition=either(_outdated), single=True),
    ),
    exacts=(
        Exact(name="site", title="Site", condition=lambda value: Host.site_id == value),
        Exact(name="team", title="Team", condition=lambda value: Host.team_id == value),
    ),
    text=lambda _, text: part_of(text, Host.id, Host.name, Host.agent_version, Host.key_id),
    text_hint="Name, number, agent version or key, in part or whole",
    time=Host.enrolled,
    rows=_rows,
)  # fmt: skip
