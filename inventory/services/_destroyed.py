"""The facts of a physical destruction as people sign them: fixed when the operator records it, before anybody else has a word."""

from __future__ import annotations

from typing import Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.vocabulary import highest
from inventory.models import DataSet, Destruction, Device, Holding, Host, PersonalSignature, Record
from reports.canonical import parse_canonical
from reports.destruction import Decision, DestroyedMedium, DestructionFacts
from reports.envelope import Envelope

from ._sealing import statement_person
from .context import Context
from .kernel import load_envelope, stamp


def facts_of(session: Session, context: Context, row: Destruction, device: Device) -> DestructionFacts:
    """What the operator states, and the identity of the medium as an agent read it. Nothing is invented: empty is not known."""
    host = session.get(Host, device.observed_by) if device.observed_by else None
    return DestructionFacts(
        id=row.id,
        medium=DestroyedMedium(
            id=device.id,
            asset_tag=device.asset_tag or "",
            fingerprint=device.fingerprint or "",
            manufacturer=device.vendor or device.declared_vendor or "",
            model=device.model or device.declared_model or "",
            serial=device.serial or "",  # only what an agent read: a declared serial number identifies nothing
            media=device.media or device.declared_media or "unknown",
            capacity_bytes=device.capacity_bytes or device.declared_capacity or 0,
            observed=stamp(device.observed_at) if device.observed_at else "",
            observed_on=host.name if host else "",
        ),
        serial_read=row.serial_read or "",
        technique=row.method,
        particle_size_mm=row.particle_size_mm,
        equipment=row.machine,
        place=row.facility,
        performed=stamp(row.performed),
        recorded=stamp(row.recorded),
        photographs=tuple(row.evidence),
        category=_category(session, device),
        operator=statement_person(session, context, row.operator),
        note=row.note,
    )


def _category(session: Session, device: Device) -> str:
    categories = session.scalars(
        sa.select(DataSet.category)
        .join(Holding, Holding.data_set_id == DataSet.id)
        .where(Holding.device_id == device.id)
    )
    found = highest(list(categories))
    return "" if found is None else str(found)


def stored_facts(row: Destruction) -> DestructionFacts | None:
    """The facts as they were fixed; None where it was recorded before there were any."""
    if row.facts is None:
        return None
    return DestructionFacts.from_dict(parse_canonical(row.facts, "destruction facts"), "destruction facts")


def decision_of(session: Session, context: Context, row: Destruction) -> Decision:
    """The validator's decision, or that there is none."""
    if row.validator is None or row.decided is None:
        return Decision(decision="none", validator=None, reason="", time="")
    words: dict[str, Literal["approve", "reject", "escalate"]] = {
        "approve": "approve",
        "reject": "reject",
        "escalate": "escalate",
    }
    return Decision(
        decision=words[str(row.decision)],
        validator=statement_person(session, context, row.validator),
        reason=row.reason,
        time=stamp(row.decided),
    )


def signatures_on(session: Session, subject: str, roles: tuple[str, ...]) -> list[tuple[PersonalSignature, Envelope]]:
    """What people signed about a destruction or document, in the order of the roles."""
    rows = {
        row.role: row
        for row in session.scalars(sa.select(PersonalSignature).where(PersonalSignature.subject == subject))
    }
    return [(rows[role], load_envelope(session, rows[role].sha256)) for role in roles if role in rows]


def identity_record(session: Session, device: Device, before: int | None = None) -> Record | None:
    """The newest accepted record whose signed identity is exactly this device's, where there is one."""
    statement = sa.select(Record).where(Record.device_id == device.id, Record.standing == "current")
    if before is not None:
        statement = statement.where(Record.log_index < before)
    for record in session.scalars(statement.order_by(Record.log_index.desc())):
        host = session.get_one(Host, record.host_id)
        disowned = host.revoked_below is not None and record.log_index >= host.revoked_below
        if record.checks.get("identity_matches_inventory") is True and not disowned:
            return record
    return None
