"""A missing or stolen medium: what it held, whose data is exposed, whether it can be read, who held the keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.exposure import READABLE_SENTENCES, readable
from inventory.domain.holdings import state_of
from inventory.domain.roles import Permission
from inventory.errors import Conflict
from inventory.events import Tag
from inventory.models import (
    Attachment,
    DataSet,
    Device,
    ErasureCase,
    Escrow,
    Event,
    Holding,
    Host,
    Location,
    Obligation,
)
from inventory.services._mapping import device_label, held_of
from inventory.services._scope import only
from inventory.services.context import Actor, Context, authorize
from inventory.services.views import CaseRow
from inventory.services.views.exposure import IncidentDataSetView, IncidentEscrowView, IncidentView

from .data import case_rows
from .devices import find_device

AUTHORITY: Final = timedelta(hours=72)
"""How long a controller has to tell the authority of a breach (GDPR, Article 33 (1))."""


def incident(context: Context, actor: Actor, device: str) -> IncidentView:
    """The report of a medium that was reported missing, as things stand. Permission `inventory.read`.

    Raises:
        Conflict: nobody ever reported it missing. NotFound.
    """
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        found = find_device(session, device)
        report = _last(session, found, Tag.DEVICE_REPORTED_MISSING)
        if report is None:
            raise Conflict(f"Device {found.id} was never reported missing; there is no incident.")
        again = _last(session, found, Tag.DEVICE_FOUND)
        attachment, host = _attachment(session, found)
        data_sets = _data_sets(session, found)
        answer = readable(
            [(one.encryption, one.key_holder) for one in data_sets], contents_known=_known(session, found)
        )
        place = session.get(Location, found.location_id) if found.location_id else None
        drive: dict[str, Any] = (attachment.capabilities if attachment is not None else None) or {}
        return IncidentView(
            device=found.id,
            label=device_label(found),
            asset_tag=found.asset_tag,
            state=found.state,
            reported=report.at,
            reported_by=report.actor,
            reason=report.reason,
            found=again.at if again is not None and again.id > report.id else None,
            last_host=host.id if host else None,
            last_host_name=host.name if host else None,
            last_path=attachment.path if attachment else None,
            last_seen=attachment.last_seen if attachment else None,
            place=found.location_id,
            place_name=place.name if place else "",
            authority_by=report.at + AUTHORITY,
            data_sets=data_sets,
            cases=_cases(session, context, actor, found),
            locks=tuple(str(lock) for lock in drive.get("locks", ())),
            escrows=_escrows(session, found),
            readable=answer,
            sentence=READABLE_SENTENCES[answer],
        )


def _last(session: Session, device: Device, tag: Tag) -> Event | None:
    about = sa.select(Event).where(Event.device_id == device.id, Event.tag == str(tag))
    return session.scalar(about.order_by(Event.id.desc()).limit(1))


def _attachment(session: Session, device: Device) -> tuple[Attachment | None, Host | None]:
    row = session.execute(
        sa.select(Attachment, Host)
        .join(Host, Host.id == Attachment.host_id)
        .where(Attachment.device_id == device.id)
        .order_by(Attachment.id.desc())
        .limit(1)
    ).first()
    return (None, None) if row is None else (row[0], row[1])


def _known(session: Session, device: Device) -> bool:
    """Whether anybody has ever said what it holds, or it was never attached to anything."""
    said = session.scalar(sa.select(sa.exists().where(Holding.device_id == device.id)))
    return bool(said) or not device.ever_attached


def _data_sets(session: Session, device: Device) -> tuple[IncidentDataSetView, ...]:
    rows = session.execute(
        sa.select(Holding, DataSet)
        .join(DataSet, DataSet.id == Holding.data_set_id)
        .where(Holding.device_id == device.id, Holding.covered_at.is_(None))
        .order_by(Holding.id)
    )
    return tuple(
        IncidentDataSetView(
            data_set=data_set.id,
            name=data_set.name,
            category=data_set.category,
            kind=holding.kind,
            state=state_of(held_of(holding, data_set)),
            since=holding.since,
            until=holding.until,
            encryption=data_set.encryption,
            key_holder=data_set.key_holder,
        )
        for holding, data_set in rows
    )


def _cases(session: Session, context: Context, actor: Actor, device: Device) -> tuple[CaseRow, ...]:
    concerned = (
        sa.select(Obligation.case_id)
        .join(Holding, Holding.id == Obligation.holding_id)
        .where(Holding.device_id == device.id, Obligation.closed.is_(None))
    )
    cases = session.scalars(
        sa.select(ErasureCase)
        .where(ErasureCase.id.in_(concerned), *only(actor, ErasureCase))
        .order_by(ErasureCase.due, ErasureCase.id)
    ).all()
    return case_rows(session, cases, context.now())


def _escrows(session: Session, device: Device) -> tuple[IncidentEscrowView, ...]:
    rows = session.scalars(sa.select(Escrow).where(Escrow.device_id == device.id).order_by(Escrow.id))
    return tuple(
        IncidentEscrowView(id=row.id, state=str(row.state), deposited=row.deposited, revealed_to=row.revealed_to)
        for row in rows
    )
