"""One line a medium for documents about many: what its own document proves, or in words why nothing does."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.vocabulary import DeviceState
from inventory.errors import Conflict
from inventory.models import Certificate, Correction, Destruction, Device, Holding, Order, Paper, Record, Seal, Waiver
from reports import media
from reports.destruction import DestructionCertificate
from reports.envelope import unverified_body
from reports.media import MediumLine
from reports.statements import Certificate as CertificateBody

from ._gate import REUSE_INSIDE, gate_question
from ._mapping import device_label
from ._revocation import refuse_disowned
from .kernel import load_envelope


@dataclass(frozen=True)
class Line:
    """A line, the exceptions of the document that proves it, and how large its evidence is."""

    line: MediumLine
    exceptions: tuple[str, ...] | None
    """None: nothing proves it."""
    evidence_bytes: int


def line_of(session: Session, device: Device, held: tuple[str, ...] = ()) -> Line:
    """The line of one device, as things stand.

    Raises:
        Conflict: its certificate is issued and its files are not made yet.
    """
    state = device.state
    if state is DeviceState.DESTROYED:
        return _destroyed(session, device, held)
    if state in {DeviceState.SANITIZED, DeviceState.RELEASED}:
        return _sanitized(session, device, held)
    if state is DeviceState.MISSING:
        return unproven(device, "missing", "It was reported missing.", held)
    if state is DeviceState.RETURNED_UNSANITIZED_BY_WAIVER:
        return unproven(device, "waived", _waiver(session, device), held)
    if state is DeviceState.FAILED:
        return unproven(device, "failed", _failure(session, device), held)
    reasons = {
        DeviceState.DECLARED: "No agent has seen it, and nothing was done to it.",
        DeviceState.IN_SERVICE: "It is in service.",
        DeviceState.RETIRED: "It is out of use; nothing was done to it yet.",
        DeviceState.QUARANTINED: "It waits for sanitization or destruction.",
        DeviceState.SANITIZING: "An order for it is under way, or waits for its validation.",
    }
    return unproven(device, "open", reasons[state], held)


def unproven(device: Device, outcome: media.Outcome, reason: str, held: tuple[str, ...] = ()) -> Line:
    """The line of a device that nothing proves."""
    line = MediumLine(
        device=device.id,
        asset_tag=device.asset_tag or "",
        manufacturer=device.vendor or device.declared_vendor or "",
        model=device.model or device.declared_model or "",
        serial=device.serial or device.declared_serial or "",
        fingerprint=device.fingerprint or "",
        held=held,
        outcome=outcome,
        method="",
        technique="",
        verification="",
        document="",
        issued="",
        document_sha256="",
        bundle_sha256="",
        exceptions=0,
        reason=reason[:500],
    )
    return Line(line, None, 0)


def _sanitized(session: Session, device: Device, held: tuple[str, ...]) -> Line:
    row = session.scalar(
        sa.select(Certificate).where(
            Certificate.device_id == device.id,
            Certificate.kind == "certificate",
            Certificate.record_sha256 == device.standing_record,
        )
    )
    reason = _doubt(session, device, row)
    if row is None or reason:
        return unproven(device, "open", reason, held)
    sha256, size = _files(session, device, row.number)
    body = CertificateBody.from_dict(unverified_body(load_envelope(session, row.sha256), "certificate"), "certificate")
    line = media.sanitized_line(body, device=device.id, held=held, document_sha256=row.sha256, bundle_sha256=sha256)
    return Line(line, body.exceptions, size)


def _doubt(session: Session, device: Device, row: Certificate | None) -> str:
    """Why a certificate does not carry the device's line; empty where it does."""
    if device.state is DeviceState.RELEASED and device.standing_record is None:
        return "It left without a record of a sanitization."
    if row is None:
        return "It was sanitized, and no certificate was issued for it."
    return _superseded(session, row) or _disowned(session, row) or _used_since(session, device)


def _superseded(session: Session, row: Certificate) -> str:
    if session.scalar(sa.select(Correction.action).where(Correction.document_sha256 == row.sha256)) is not None:
        return f"Its certificate {row.number} was voided or superseded."
    return ""


def _disowned(session: Session, row: Certificate) -> str:
    record = session.get_one(Record, row.record_sha256)
    try:
        refuse_disowned(session, record)
    except Conflict as refused:
        return refused.summarize()
    return ""


def _used_since(session: Session, device: Device) -> str:
    if not gate_question(session, device, REUSE_INSIDE).record_covers_contents:
        return "It was in use again after it was sanitized."
    if session.scalar(sa.select(sa.exists().where(Holding.device_id == device.id, Holding.covered_at.is_(None)))):
        return "It holds data that its sanitization did not reach."
    return ""


def _destroyed(session: Session, device: Device, held: tuple[str, ...]) -> Line:
    destruction = session.scalar(
        sa.select(Destruction.id).where(Destruction.device_id == device.id, Destruction.decision == "approve")
    )
    row = session.scalar(
        sa.select(Paper).where(Paper.kind == "destruction", Paper.subject == (destruction or ""), Paper.complete)
    )
    if row is None or row.sha256 is None:
        return unproven(
            device, "open", f"It was destroyed ({destruction}), without a certificate of destruction.", held
        )
    if session.scalar(sa.select(Correction.action).where(Correction.document_sha256 == row.sha256)) is not None:
        return unproven(device, "open", f"Its certificate {row.number} was voided or superseded.", held)
    sha256, size = _files(session, device, row.number)
    body = DestructionCertificate.from_dict(
        unverified_body(load_envelope(session, row.sha256), "statement"), "destruction"
    )
    line = media.destroyed_line(body, device=device.id, held=held, document_sha256=row.sha256, bundle_sha256=sha256)
    return Line(line, body.exceptions, size)


def _files(session: Session, device: Device, number: str) -> tuple[str, int]:
    """Digest and size of a document's evidence file."""
    found = session.execute(
        sa.select(Seal.bundle_sha256, sa.func.length(Seal.bundle)).where(Seal.number == number)
    ).first()
    if found is None:
        raise Conflict(f"The files of {number} ({device_label(device)}) have not been made yet; try again in a minute.")
    return found[0], found[1]


def _waiver(session: Session, device: Device) -> str:
    row = session.scalar(sa.select(Waiver).where(Waiver.device_id == device.id, Waiver.used.is_not(None)))
    return "It left unsanitized." if row is None else f"It left unsanitized under waiver {row.id}: {row.reason}"


def _failure(session: Session, device: Device) -> str:
    row = session.execute(
        sa.select(Order.id, Record.outcome, Record.reasons)
        .join(Record, Record.order_id == Order.id)
        .where(Order.device_id == device.id)
        .order_by(Record.log_index.desc())
    ).first()
    if row is None:
        return "A run ended badly."
    why = " ".join(row[2])
    return f"Order {row[0]} ended {row[1]}. {why}".strip()
