"""Takes in where data lies on a host: what was declared with the way down, and what nobody declared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.contract.v1.devices import AreaSeen, Observation, PathStep
from inventory.domain.exceptions import ExceptionCode
from inventory.domain.host_places import TITLES, Place, Spill, spill_of, undeclared
from inventory.domain.vocabulary import ExceptionState
from inventory.models import DeclaredPath, ExceptionItem, Host, HostPlace

from .context import Context
from .kernel import raise_exception, settle_exception


def take_places(session: Session, context: Context, host: Host, message: Observation) -> Spill | None:
    """Keep the places of a host as its agent sees them. Returns where memory may lie; None where nobody looked."""
    known = {
        (row.kind, row.path): row
        for row in session.scalars(sa.select(HostPlace).where(HostPlace.host_id == host.id).order_by(HostPlace.id))
    }
    seen: set[tuple[str, str]] = set()
    for mapping in message.paths:
        if ("declared", mapping.path) not in seen:
            seen.add(("declared", mapping.path))
            place = Place("declared", mapping.path, mapping.devices, mapping.unresolved)
            _keep(session, context, host, known, place, None, mapping.steps)
    for area in message.areas or ():
        seen.add((area.kind, area.path))
        _keep(session, context, host, known, _place(area), area.process, area.steps)
    for key, row in known.items():
        # of what nobody looked for it is not known whether it is gone
        if key not in seen and row.gone is None and (message.areas is not None or row.kind == "declared"):
            row.gone = context.now()
    places = None if message.areas is None else tuple(_place(area) for area in message.areas)
    if places is not None:
        _ask(session, context, host, places, _declared(session, host, message))
    return spill_of(places)


def _place(area: AreaSeen) -> Place:
    return Place(area.kind, area.path, area.devices, area.unresolved)


def _keep(
    session: Session,
    context: Context,
    host: Host,
    known: dict[tuple[str, str], HostPlace],
    place: Place,
    process: str | None,
    steps: Sequence[PathStep],
) -> None:
    now = context.now()
    row = known.get((place.kind, place.path))
    if row is None:
        row = HostPlace(host_id=host.id, kind=place.kind, path=place.path, first_seen=now)
        session.add(row)
        known[place.kind, place.path] = row
    row.process, row.last_seen, row.gone = process, now, None
    told = {
        "devices": list(place.devices),
        "unresolved": list(place.unresolved),
        "steps": [step.model_dump() for step in steps],
    }
    for name, value in told.items():
        if getattr(row, name) != value:
            setattr(row, name, value)


def _declared(session: Session, host: Host, message: Observation) -> frozenset[str]:
    """The host's live paths, and where their links lead."""
    live = session.scalars(
        sa.select(DeclaredPath.path).where(DeclaredPath.host_id == host.id, DeclaredPath.withdrawn.is_(None))
    )
    paths = set(live)
    real = {mapping.real_path for mapping in message.paths if mapping.path in paths and mapping.real_path is not None}
    return frozenset(paths | real)


def _ask(session: Session, context: Context, host: Host, places: Iterable[Place], declared: frozenset[str]) -> None:
    """A database runs where nobody declared a path: whose data is that?"""
    asked = set()
    for place in undeclared(places, declared):
        subject = f"{host.id} {place.kind} {place.path}"[:256]
        asked.add(subject)
        words = (
            f"{TITLES[place.kind]} on {host.name} keeps data in {place.path}, and no declared path covers it."
            " Declare a path for the data set it holds, or say why it holds none."
        )
        if not _answered(session, subject):
            raise_exception(session, context, ExceptionCode.DATABASE_UNDECLARED, subject, words, host=host.id)
    for item in session.scalars(
        sa.select(ExceptionItem).where(
            ExceptionItem.code == str(ExceptionCode.DATABASE_UNDECLARED),
            ExceptionItem.host_id == host.id,
            ExceptionItem.state == ExceptionState.OPEN,
        )
    ).all():
        if item.subject not in asked:
            words = "A declared path covers it, or the database runs there no more."
            settle_exception(session, context, ExceptionCode.DATABASE_UNDECLARED, item.subject, words)


def _answered(session: Session, subject: str) -> bool:
    """Whether a person has said that this one holds nothing that counts; it is not asked again."""
    latest = session.scalar(
        sa.select(ExceptionItem)
        .where(ExceptionItem.code == str(ExceptionCode.DATABASE_UNDECLARED), ExceptionItem.subject == subject)
        .order_by(ExceptionItem.id.desc())
        .limit(1)
    )
    return latest is not None and latest.state is ExceptionState.RESOLVED and latest.resolved_by != "system"
