"""Erasure cases: one customer's withdrawal, followed to every medium that held their data until each is proven clean."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import sqlalchemy as sa

from inventory.domain.obligations import Evidence, may_close
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import CaseState, ObligationKind
from inventory.errors import Conflict, Duplicate, EvidencePending, Invalid, NotFound, Reason
from inventory.events import Tag
from inventory.models import ErasureCase, Obligation
from reports.canonical import digest_of, is_sha256
from reports.language import Language

from . import _opening, _statements
from ._case_questions import questions_about
from ._obligations import close_obligation, settle_case
from .context import Actor, Context, authorize
from .kernel import find, note, required, stamp
from .queries.data import case_detail
from .translations import pdf_in
from .views import CaseDetail, StatementView

OpenCase = _opening.OpenCase


@dataclass(frozen=True, kw_only=True)
class Attest:
    """A person states that rows were deleted, or that a backup expired."""

    case: str
    obligations: tuple[str, ...]
    """Which ones; only logical deletion and backups can be attested, a medium never."""
    statement: str
    """What was done and how it was checked."""
    evidence_sha256: str | None = None
    """Digest of a protocol, where there is one."""


def open_case(context: Context, actor: Actor, command: OpenCase) -> CaseDetail:
    """Open a case and derive one obligation for each thing each holding demands. Permission `case.manage`.

    Raises:
        Invalid: the reference looks like a name or address, no data set, or dates that cannot be.
        Duplicate: an open case has this reference.
        NotFound.
    """
    authorize(actor, Permission.CASE_MANAGE)
    with context.writing(actor) as session:
        prepared = _opening.prepare(session, context, command)
        existing = session.scalar(
            sa.select(ErasureCase.id).where(ErasureCase.reference == prepared.reference, ErasureCase.closed.is_(None))
        )
        if existing is not None:
            raise Duplicate("open case", "reference", existing)
        case = _opening.open_prepared(session, context, actor, prepared)
        return case_detail(session, case, context.now())


def attest(context: Context, actor: Actor, command: Attest) -> CaseDetail:
    """Close obligations by a named person's attestation, kept as evidence. Permission `case.manage`.

    Raises:
        Conflict: an obligation that only a validated record can close, or closed already.
        NotFound, Invalid.
    """
    authorize(actor, Permission.CASE_MANAGE)
    said = required("statement", command.statement, least=10)
    if command.evidence_sha256 is not None and not is_sha256(command.evidence_sha256):
        raise Invalid("evidence_sha256", "The digest is 64 lower-case hexadecimal digits.")
    if not command.obligations:
        raise Invalid("obligations", "Name what is attested.")
    with context.writing(actor) as session:
        case = find(session, ErasureCase, command.case, "erasure case")
        for number in dict.fromkeys(command.obligations):
            obligation = find(session, Obligation, number, "obligation")
            if obligation.case_id != case.id:
                raise NotFound("obligation", number)
            _attestable(obligation)
            # Without a protocol, the attestation itself is the evidence: digest of exactly what was stated by whom.
            evidence = command.evidence_sha256 or digest_of(
                {
                    "case": case.id,
                    "obligation": number,
                    "statement": said,
                    "by": actor.ref,
                    "time": stamp(context.now()),
                }
            )
            close_obligation(
                session, context, actor, obligation, kind=Evidence.ATTESTATION, evidence=evidence, attested=said
            )
        session.flush()
        settle_case(session, context, case)
        session.flush()
        return case_detail(session, case, context.now())


def _attestable(obligation: Obligation) -> None:
    if obligation.closed is not None:
        raise Conflict(f"Obligation {obligation.id} is closed already.")
    if not may_close(obligation.kind, Evidence.ATTESTATION):
        raise Conflict(
            f"Obligation {obligation.id} is about a medium: only a validated record closes it, never anybody's word."
        )


def close_case(context: Context, actor: Actor, case: str, reason: str) -> CaseDetail:
    """Close a case whose every obligation is closed by evidence. Permission `case.manage`.

    Raises:
        Conflict: closed already, or with everything that is open.
        NotFound.
    """
    authorize(actor, Permission.CASE_MANAGE)
    with context.writing(actor) as session:
        row = find(session, ErasureCase, case, "erasure case")
        if row.state is CaseState.CLOSED:
            raise Conflict(f"Case {row.id} is closed already.")
        still = session.execute(
            sa.select(Obligation.id, Obligation.kind)
            .where(Obligation.case_id == row.id, Obligation.closed.is_(None))
            .order_by(Obligation.id)
        )
        words = {
            ObligationKind.LOGICAL_DELETION: "deletion of rows",
            ObligationKind.BACKUP_GONE: "a backup",
            ObligationKind.MEDIUM_SANITIZED: "a medium",
        }
        reasons = [Reason("obligation-open", f"{number} is open ({words[kind]}).") for number, kind in still]
        reasons += [Reason("media-unknown", one.sentence) for one in questions_about(session, row.id)]
        if reasons:
            raise Conflict(f"Case {row.id} cannot be closed: something is still open.", reasons=reasons)
        row.state = CaseState.CLOSED
        row.closed = context.now()
        row.closed_by = actor.ref
        session.flush()
        note(session, context, actor, Tag.CASE_CLOSED, "case", row.id, reason=required("reason", reason))
        return case_detail(session, row, context.now())


def issue_statement(context: Context, actor: Actor, case: str) -> StatementView:
    """Issue the customer's statement as things stand: each medium and its proof, or what is open and why.

    Signed, logged, printed. Permission `case.manage`. A complete statement needs every obligation closed; an interim one says
    so in its title.

    Raises:
        NotFound.
        Conflict: there is nothing to state, or a medium's certificate has not been issued yet.
    """
    authorize(actor, Permission.CASE_MANAGE)
    number = _statements.issue(context, actor, case)
    with suppress(EvidencePending):  # issued all the same; upkeep makes its files
        _statements.seal(context, number)
    return statement(context, actor, number)


def statement_pdf(context: Context, actor: Actor, number: str, language: Language | None = None) -> bytes:
    """The statement as PDF, in a language as `certificates.pdf`. Permission `evidence.read`. Raises `NotFound`."""
    authorize(actor, Permission.READ_EVIDENCE)
    _statements.files(context, actor, number)
    return pdf_in(context, number, language)


def statement_file(context: Context, actor: Actor, number: str) -> bytes:
    """The statement with its evidence, canonical JSON (`sanitrail/erasure-statement/1`). Permission `evidence.read`."""
    authorize(actor, Permission.READ_EVIDENCE)
    return _statements.files(context, actor, number).bundle


def statement(context: Context, actor: Actor, number: str) -> StatementView:
    """One statement. Permission `evidence.read`. Raises `NotFound`."""
    authorize(actor, Permission.READ_EVIDENCE)
    return _statements.view(context, actor, number)
