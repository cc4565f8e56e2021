"""The lists of erasure cases, lots and events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.lots import LotPurpose, LotState
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import CaseState
from inventory.events import Tag
from inventory.models import ErasureCase, Event, Lot, Party
from inventory.services._lots import lot_rows
from inventory.services._mapping import event_view
from inventory.services.queries._paging import number as page_number
from inventory.services.queries.data import case_rows

from .spec import (
    YES,
    Asking,
    Choice,
    Column,
    Condition,
    Exact,
    Facet,
    Listed,
    Sort,
    Walk,
    either,
    one_of,
    part_of,
    words,
)


def _overdue(asking: Asking) -> Condition:
    return sa.and_(ErasureCase.due < asking.now, ErasureCase.state != CaseState.CLOSED)


def _case_rows(session: Session, asking: Asking, found: Sequence[Any]) -> tuple[Any, ...]:
    return case_rows(session, found, asking.now)


CASES: Final = Listed(
    name="cases",
    title="Erasure cases",
    noun="case",
    permission=Permission.READ,
    model=ErasureCase,
    key=ErasureCase.id,
    walk=Walk(by=(ErasureCase.id.desc(),), beyond=lambda key: ErasureCase.id < key, key=lambda row: str(row.id)),
    columns=(
        Column(
            name="case",
            title="Case",
            value=lambda row: row.reference,
            opens="case",
            number=lambda row: row.id,
            sort=Sort(ErasureCase.reference),
        ),
        Column(name="number", title="Number", value=lambda row: row.id, kind="mono", below="case"),
        Column(name="state", title="State", value=lambda row: row.state, kind="state"),
        Column(name="overdue", title="Overdue", value=lambda row: row.overdue, kind="yes", below="state"),
        Column(name="open", title="Obligations open", value=lambda row: row.obligations_open, kind="number"),
        Column(name="total", title="Of all", value=lambda row: row.obligations_total, kind="number"),
        Column(name="due", title="Due", value=lambda row: row.due, kind="time", sort=Sort(ErasureCase.due)),
        Column(name="opened", title="Opened", value=lambda row: row.opened, kind="time", sort=Sort(ErasureCase.opened)),
    ),
    facets=(
        Facet(
            name="state",
            title="State",
            choices=words(CaseState),
            condition=one_of(ErasureCase.state),
            column=ErasureCase.state,
            indexed=True,
        ),
        Facet(name="overdue", title="Overdue", choices=YES, condition=either(_overdue), single=True),
    ),
    text=lambda _, text: part_of(text, ErasureCase.id, ErasureCase.reference),
    text_hint="Reference or number, in part or whole",
    time=ErasureCase.opened,
    rows=_case_rows,
)


def _lot_rows(session: Session, _: Asking, found: Sequence[Any]) -> tuple[Any, ...]:
    parties = dict(
        session.execute(
            sa.select(Party.id, Party.name).where(Party.id.in_({row.party_id for row in found if row.party_id}))
        ).all()
    )
    return tuple((row, parties.get(row.party or "", "") or row.destination) for row in lot_rows(session, found))


LOTS: Final = Listed(
    name="lots",
    title="Lots",
    noun="lot",
    permission=Permission.READ,
    model=Lot,
    key=Lot.id,
    walk=Walk(by=(Lot.id.desc(),), beyond=lambda key: Lot.id < key, key=lambda row: str(row.id)),
    columns=(
        Column(
            name="lot",
            title="Lot",
            value=lambda row: row[0].name,
            opens="lot",
            number=lambda row: row[0].id,
            sort=Sort(Lot.name),
        ),
        Column(name="number", title="Number", value=lambda row: row[0].id, kind="mono", below="lot"),
        Column(name="purpose", title="Purpose", value=lambda row: row[0].purpose, kind="words"),
        Column(name="to", title="To", value=lambda row: row[1]),
        Column(name="state", title="State", value=lambda row: row[0].state, kind="state"),
        Column(name="devices", title="Devices", value=lambda row: row[0].devices, kind="number"),
        Column(name="opened", title="Opened", value=lambda row: row[0].opened, kind="time", sort=Sort(Lot.opened)),
        Column(name="by", title="Opened by", value=lambda row: row[0].opened_by, kind="person", below="opened"),
        Column(name="closed", title="Last closed", value=lambda row: row[0].closed, kind="time", usual=False),
        Column(name="closings", title="Closings", value=lambda row: row[0].closings, kind="number", usual=False),
    ),
    facets=(
        Facet(
            name="state",
            title="State",
            choices=words(LotState),
            condition=one_of(Lot.state),
            column=Lot.state,
            indexed=True,
        ),
        Facet(
            name="purpose",
            title="Purpose",
            choices=words(LotPurpose),
            condition=one_of(Lot.purpose),
            column=Lot.purpose,
        ),
    ),
    exacts=(
        Exact(name="party", title="To", condition=lambda value: Lot.party_id == value),
        Exact(name="site", title="Site", condition=lambda value: Lot.site_id == value),
    ),
    text=lambda _, text: part_of(text, Lot.id, Lot.name, Lot.destination),
    text_hint="Name, number or destination, in part or whole",
    time=Lot.opened,
    rows=_lot_rows,
)


def _before(key: str) -> Condition:
    return Event.id < (page_number(key) or 0)


def _event_rows(_: Session, __: Asking, found: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(event_view(row) for row in found)


_KINDS: Final = (Choice("person", "A person"), Choice("agent", "An agent"), Choice("system", "The service"))

EVENTS: Final = Listed(
    name="events",
    title="Events",
    noun="event",
    permission=Permission.READ_EVENTS,
    model=Event,
    key=Event.id,
    walk=Walk(by=(Event.id.desc(),), beyond=_before, key=lambda row: str(row.id)),
    columns=(
        Column(name="event", title="Event", value=lambda row: row.id, kind="number"),
        Column(name="at", title="Time", value=lambda row: row.at, kind="time"),
        Column(name="tag", title="What", value=lambda row: row.tag),
        Column(name="actor", title="By", value=lambda row: row.actor, kind="person"),
        Column(name="subject", title="About", value=lambda row: row.subject),
        Column(name="device", title="Device", value=lambda row: row.device, opens="device"),
        Column(name="host", title="Host", value=lambda row: row.host, opens="host"),
        Column(name="order", title="Order", value=lambda row: row.order, opens="order"),
        Column(name="reason", title="Reason", value=lambda row: row.reason),
        Column(name="evidence", title="Evidence", value=lambda row: " ".join(row.evidence), kind="mono"),
    ),
    facets=(
        Facet(
            name="tag",
            title="Kind of event",
            choices=tuple(Choice(str(tag), str(tag)) for tag in Tag),
            condition=one_of(Event.tag),
            indexed=True,
        ),
        Facet(name="kind", title="Done by", choices=_KINDS, condition=one_of(Event.actor_kind)),
    ),
    exacts=(
        Exact(name="actor", title="By", condition=lambda value: Event.actor == value),
        Exact(name="subject", title="About", condition=lambda value: Event.subject == value),
        Exact(name="device", title="Device", condition=lambda value: Event.device_id == value),
        Exact(name="order", title="Order", condition=lambda value: Event.order_id == value),
    ),
    time=Event.at,
    rows=_event_rows,
)
