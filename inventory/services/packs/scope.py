"""Which devices a pack is about, as a query: never a list."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.errors import Invalid, NotFound
from inventory.models import (
    AuditPack,
    Device,
    ErasureCase,
    Event,
    Holding,
    Location,
    Lot,
    LotDevice,
    Obligation,
    Paper,
)
from inventory.services._scope import within
from inventory.services.kernel import find, stamp
from reports.pack.contents import Scope, ScopeKind
from reports.times import for_people


@dataclass(frozen=True, kw_only=True)
class AskedScope:
    """What somebody asks a pack about."""

    kind: ScopeKind
    reference: str = ""
    """Number of the lot or of its document, the case or the location."""
    begin: datetime | None = None
    end: datetime | None = None
    """Not included."""


def words_of(session: Session, asked: AskedScope) -> str:
    """The scope in words. Raises `Invalid`, `NotFound`."""
    if asked.kind == "period":
        if asked.reference or asked.begin is None or asked.end is None or asked.begin >= asked.end:
            raise Invalid("begin", "A period has a beginning and a later end, and no reference.")
        if asked.begin.tzinfo is None or asked.end.tzinfo is None:
            raise Invalid("begin", "Both times need an offset from UTC.")
        return f"Devices with any event from {for_people(stamp(asked.begin))} to before {for_people(stamp(asked.end))}"
    if asked.begin is not None or asked.end is not None:
        raise Invalid("begin", "Only a period has a beginning and an end.")
    if asked.kind == "case":
        case = find(session, ErasureCase, asked.reference, "erasure case")
        return f"Media of erasure case {case.id}, customer reference {case.reference}"
    if asked.kind == "site":
        place = find(session, Location, asked.reference, "location")
        return f"Devices that are or were at {place.name} ({place.id})"
    if session.get(Lot, asked.reference) is not None:
        lot = find(session, Lot, asked.reference, "lot")
        return f"Devices of lot {lot.name} ({lot.id})"
    paper = find(session, Paper, asked.reference, "lot")
    if paper.kind != "lot":
        raise NotFound("lot", asked.reference)
    return f"Devices of lot {paper.title} ({paper.number})"


def scope_of(row: AuditPack) -> Scope:
    """As the pack states it."""
    return Scope(
        kind=row.scope,  # type: ignore[arg-type]  # a CHECK constraint holds the words
        reference=row.reference,
        words=row.words,
        begin="" if row.begin is None else stamp(row.begin),
        end="" if row.end is None else stamp(row.end),
    )


def device_ids(session: Session, row: AuditPack) -> sa.Select[Any]:
    """Numbers of the scope's devices that the session's reader sees, as a query to be used in others."""
    found = _concerned(session, row)
    seen = within(session, Device)
    return sa.select(Device.id).where(Device.id.in_(found), *seen) if seen else found


def _concerned(session: Session, row: AuditPack) -> sa.Select[Any]:
    if row.scope == "case":
        return (
            sa.select(Holding.device_id)
            .join(Obligation, Obligation.holding_id == Holding.id)
            .where(Obligation.case_id == row.reference)
            .distinct()
        )
    if row.scope == "site":
        was_here = sa.select(Event.device_id).where(
            Event.subject_kind == "device", Event.details["location"].as_string() == row.reference
        )
        return sa.select(Device.id).where(sa.or_(Device.location_id == row.reference, Device.id.in_(was_here)))
    if row.scope == "period":
        return (
            sa.select(Event.device_id)
            .where(Event.device_id.is_not(None), Event.at >= row.begin, Event.at < row.end)
            .distinct()
        )
    if session.get(Lot, row.reference) is not None:
        return sa.select(LotDevice.device_id).where(LotDevice.lot_id == row.reference, LotDevice.removed.is_(None))
    paper = session.get_one(Paper, row.reference)
    named = sorted({line["device"] for line in json.loads(paper.annex)})
    return sa.select(Device.id).where(Device.id.in_(named))
