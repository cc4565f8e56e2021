"""Erasure cases: one customer's withdrawal, followed to every medium that held their data until each is proven clean."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from inventory.domain.obligations import Evidence, may_close
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import CaseState, ObligationKind
from inventory.errors import Conflict, Duplicate, EvidencePending, Invalid, NotFound, Reason
from inventory.events import Tag
from inventory.models import CaseDataSet, DataSet, ErasureCase, Obligation
from reports.canonical import digest_of, is_sha256
from reports.language import Language

from . import _statements
from ._copies import with_copies
from ._obligations import close_obligation, settle_case, sync_case
from .context import Actor, Context, authorize
from .data import find_data_set
from .kernel import find, moment, next_number, note, required, stamp
from .queries.data import case_detail
from .translations import pdf_in
from .views import CaseDetail, StatementView

_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{2,63}")


@dataclass(frozen=True, kw_only=True)
class OpenCase:
    """A withdrawal. The reference is opaque: never a name, never an address."""

    reference: str
    data_sets: tuple[str, ...]
    withdrawn: datetime
    customer_since: datetime | None = None
    """None: not known, so every holding before counts."""
    due: datetime | None = None
    """None: 30 days after the withdrawal."""


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
    reference = _opaque(command.reference)
    withdrawn, since, due = _dates(context, command)
    if not command.data_sets:
        raise Invalid("data_sets", "A case names at least one data set.")
    with context.writing(actor) as session:
        existing = session.scalar(
            sa.select(ErasureCase.id).where(ErasureCase.reference == reference, ErasureCase.closed.is_(None))
        )
        if existing is not None:
            raise Duplicate("open case", "reference", existing)
        case = ErasureCase(
            id=next_number(session, "case", context.now()),
            reference=reference,
            state=CaseState.OPEN,
            customer_since=since,
            withdrawn=withdrawn,
            due=due,
            opened=context.now(),
            opened_by=actor.ref,
        )
        session.add(case)
        session.flush()
        named = [find_data_set(session, name).id for name in command.data_sets]
        data_sets = with_copies(session, named)
        session.add_all(CaseDataSet(case_id=case.id, data_set_id=data_set) for data_set in data_sets)
        session.flush()
        names = session.scalars(sa.select(DataSet.name).where(DataSet.id.in_(data_sets)).order_by(DataSet.name))
        details = {"reference": reference, "data_sets": names.all(), "due": stamp(due)}
        note(session, context, actor, Tag.CASE_OPENED, "case", case.id, details=details)
        sync_case(session, context, case)
        session.flush()
        return case_detail(session, case, context.now())


def _opaque(reference: str) -> str:
    """A reference, and nothing that looks like a person: it stands on statements and in evidence for ever."""
    text = reference.strip()
    if "@" in text or " " in text:
        raise Invalid("reference", "The reference must be opaque: a customer number, never a name or an address.")
    if not _REFERENCE.fullmatch(text):
        raise Invalid("reference", "The reference has 3 to 64 letters, digits and . _ : / -")
    if not any(character.isdigit() for character in text):
        raise Invalid("reference", "The reference must be opaque: without a digit it looks like a name.")
    return text


def _dates(context: Context, command: OpenCase) -> tuple[datetime, datetime | None, datetime]:
    withdrawn = moment("withdrawn", command.withdrawn)
    if withdrawn > context.now() + timedelta(seconds=context.settings.clock_tolerance_seconds):
        raise Invalid("withdrawn", "The withdrawal lies in the future.")
    since = None if command.customer_since is None else moment("customer_since", command.customer_since)
    if since is not None and since > withdrawn:
        raise Invalid("customer_since", "The customer came before withdrawing.")
    due = withdrawn + timedelta(days=context.settings.erasure_days)
    if command.due is not None:
        due = moment("due", command.due)
    if due < withdrawn:
        raise Invalid("due", "The due date lies after the withdrawal.")
    return withdrawn, since, due


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
