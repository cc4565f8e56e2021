"""Records, certificates, statements."""

from __future__ import annotations

import base64
import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.roles import Permission
from inventory.errors import NotFound
from inventory.models.data import Statement
from inventory.models.evidence import Certificate, Record, Seal, StoredEnvelope, Validation
from inventory.models.orders import Order
from inventory.services._policy import record_objections
from inventory.services._scope import only
from inventory.services.context import Actor, Context, authorize
from inventory.services.kernel import find
from inventory.services.views import CertificateView, Page, ReasonView, RecordView, StatementView, ValidationView

from ._paging import bounded, cut, number

CHECK_WORDS = {
    "identity_matches_inventory": "The record is about another medium than the order.",
    "order_known": "There is no such order for this agent, it does not wait for a record, or the record does not fit it.",
    "approvals_sufficient": "The record does not name enough of the order's approvals.",
    "nonce_unused": "The order has its record already.",
    "token_current": "The lease is not the newest of the order, or the agent was never told that it may write.",
}


def record(context: Context, actor: Actor, sha256: str) -> RecordView:
    """One record by its envelope's digest. Permission `evidence.read`. Raises `NotFound`."""
    authorize(actor, Permission.READ_EVIDENCE)
    with context.reading(actor) as session:
        return record_view(session, find(session, Record, sha256, "record"))


def record_envelope(context: Context, actor: Actor, sha256: str) -> dict[str, Any]:
    """The record as it was signed. Permission `evidence.read`. Raises `NotFound`."""
    authorize(actor, Permission.READ_EVIDENCE)
    with context.reading(actor) as session:
        return envelope(session, find(session, Record, sha256, "record").sha256)


def envelope(session: Session, sha256: str) -> dict[str, Any]:
    """A stored envelope. Raises `NotFound`."""
    stored = session.get(StoredEnvelope, sha256)
    if stored is None:
        raise NotFound("envelope", sha256)
    content: dict[str, Any] = json.loads(stored.content)
    return content


def record_view(session: Session, record: Record) -> RecordView:
    """A record with the service's findings, within a transaction that is under way."""
    decided = session.scalar(sa.select(Validation).where(Validation.record_sha256 == record.sha256))
    order = session.get(Order, record.order_id) if record.order_id else None
    body: dict[str, Any] = json.loads(base64.b64decode(envelope(session, record.sha256)["payload"]))
    return RecordView(
        sha256=record.sha256,
        record_id=record.record_id,
        order=record.order_id,
        device=record.device_id,
        host=record.host_id,
        standing=record.standing,
        outcome=record.outcome,
        method=record.method,
        coverage=record.coverage,
        reasons=tuple(record.reasons),
        touched=record.touched,
        received=record.received,
        checks={name: value is True for name, value in record.checks.items()},
        failed_checks=tuple(
            ReasonView(code=name, sentence=CHECK_WORDS.get(name, f"The check {name.replace('_', ' ')} failed."))
            for name, value in sorted(record.checks.items())
            if value is not True
        ),
        log_index=record.log_index,
        acceptance_sha256=record.acceptance_sha256,
        body=body,
        validation=None
        if decided is None
        else ValidationView(
            decision=decided.decision,
            validator=decided.validator,
            reason=decided.reason,
            time=decided.at,
            sha256=decided.sha256,
            log_index=decided.log_index,
        ),
        satisfies_policy=order is not None and not record_objections(session, order.decision, record),
    )


def list_certificates(
    context: Context, actor: Actor, *, device: str | None = None, after: str | None = None, limit: int = 50
) -> Page[CertificateView]:
    """Certificates, newest first. Permission `evidence.read`."""
    authorize(actor, Permission.READ_EVIDENCE)
    statement = certificate_select().where(Certificate.kind == "certificate", *only(actor, Certificate))
    if device is not None:
        statement = statement.where(Certificate.device_id == device)
    before = number(after)
    if before is not None:
        statement = statement.where(Certificate.log_index < before)
    statement = statement.order_by(Certificate.log_index.desc()).limit(bounded(limit) + 1)
    with context.reading(actor) as session:
        rows, following = cut(session.execute(statement).all(), limit, lambda row: str(row[0].log_index))
        return Page(tuple(certificate_view(*row) for row in rows), following)


def certificate_select() -> sa.Select[Any]:
    """Certificates with the sizes of their files, without the files."""
    return sa.select(
        Certificate,
        Seal.bundle_sha256,
        sa.func.length(Seal.bundle),
        Seal.pdf_sha256,
        sa.func.length(Seal.pdf),
    ).outerjoin(Seal, Seal.number == Certificate.number)


def certificate_view(
    certificate: Certificate,
    bundle_sha256: str | None,
    bundle_bytes: int | None,
    pdf_sha256: str | None,
    pdf_bytes: int | None,
) -> CertificateView:
    """One row of `certificate_select`."""
    return CertificateView(
        number=certificate.number,
        order=certificate.order_id,
        device=certificate.device_id,
        record=certificate.record_sha256,
        issued=certificate.issued,
        issued_by=certificate.issued_by,
        sha256=certificate.sha256,
        log_index=certificate.log_index,
        sealed=pdf_sha256 is not None,
        bundle_sha256=bundle_sha256,
        bundle_bytes=bundle_bytes,
        pdf_sha256=pdf_sha256,
        pdf_bytes=pdf_bytes,
    )


def list_statements(
    context: Context, actor: Actor, *, case: str | None = None, after: str | None = None, limit: int = 50
) -> Page[StatementView]:
    """Statements, newest first. Permission `evidence.read`."""
    authorize(actor, Permission.READ_EVIDENCE)
    statement = (
        sa.select(Statement, StoredEnvelope.content, Seal.pdf_sha256, sa.func.length(Seal.pdf))
        .join(StoredEnvelope, StoredEnvelope.sha256 == Statement.sha256)
        .outerjoin(Seal, Seal.number == Statement.number)
        .where(*only(actor, Statement))
        .order_by(Statement.log_index.desc())
        .limit(bounded(limit) + 1)
    )
    if case is not None:
        statement = statement.where(Statement.case_id == case)
    before = number(after)
    if before is not None:
        statement = statement.where(Statement.log_index < before)
    with context.reading(actor) as session:
        rows, following = cut(session.execute(statement).all(), limit, lambda row: str(row[0].log_index))
        return Page(tuple(statement_view(*row) for row in rows), following)


def statement_view(
    statement: Statement, content: bytes, pdf_sha256: str | None, pdf_bytes: int | None
) -> StatementView:
    """A statement with its signed content."""
    return StatementView(
        number=statement.number,
        case=statement.case_id,
        issued=statement.issued,
        complete=statement.complete,
        sha256=statement.sha256,
        log_index=statement.log_index,
        content=json.loads(base64.b64decode(json.loads(content)["payload"])),
        pdf_sha256=pdf_sha256,
        pdf_bytes=pdf_bytes,
    )
