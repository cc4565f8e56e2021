"""Corrections: a document that was issued counts no more, or another takes its place. Signed, logged, and nothing is deleted.

A file that somebody holds cannot know of it. Whoever has the document may ask the log by the digest of its signed statement,
without an account; an exported log answers the same question offline (`sanitrail-verify --log`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.roles import Permission
from inventory.errors import Conflict, Invalid, NotFound
from inventory.events import Tag
from inventory.models import Certificate, LogEntry, Paper, Statement
from inventory.models import Correction as Row
from reports.canonical import is_sha256
from reports.statements import Correction

from .context import Actor, Context, authorize
from .kernel import load_envelope, note, required, sign_and_log, stamp
from .named import entry_seen, number_seen
from .views import CorrectionView, DocumentView

Action = Literal["void", "supersede"]
_DOCUMENTS: Final = ("certificate", "statement")
"""Kinds of log entries that are documents people are given."""


@dataclass(frozen=True, kw_only=True)
class Correct:
    """What is wrong with a document, and what takes its place."""

    document: str
    """Its number, or the digest of its signed statement."""
    action: Action
    reason: str
    replacement: str = ""
    """Of `supersede`: number or digest of the other document."""


def correct(context: Context, actor: Actor, command: Correct) -> CorrectionView:
    """Void or supersede a document; signed and logged. Permission `document.correct`.

    It is about the document alone: record, gate and device are as they were. Who doubts the sanitization itself quarantines the
    medium, and sanitizes it again.

    Raises:
        NotFound: no such document.
        Invalid: no reason; a replacement where there is none to be, or none where there must be.
        Conflict: it is void already, or superseded already; or its replacement is.
    """
    authorize(actor, Permission.DOCUMENT_CORRECT)
    reason = required("reason", command.reason, least=10)
    if command.action not in {"void", "supersede"}:
        raise Invalid("action", "A document is voided or superseded.")
    if bool(command.replacement.strip()) != (command.action == "supersede"):
        raise Invalid("replacement", "Name the document that takes its place when superseding, and none when voiding.")
    with context.writing(actor) as session:
        entry = _document(session, actor, command.document)
        other = _document(session, actor, command.replacement) if command.action == "supersede" else None
        _may_correct(session, entry, other, command.action)
        body = Correction(
            action=command.action,
            document=entry.subject,
            document_sha256=entry.sha256,
            document_index=entry.idx,
            replacement=other.subject if other else "",
            replacement_sha256=other.sha256 if other else None,
            reason=reason,
            corrected_by=actor.ref,
            time=stamp(context.now()),
        )
        digest, index = sign_and_log(session, context, "correction", body.to_dict(), "acceptance", entry.subject)
        row = Row(
            sha256=digest,
            action=command.action,
            document=entry.subject,
            document_sha256=entry.sha256,
            replacement=other.subject if other else None,
            reason=reason,
            by=actor.ref,
            at=context.now(),
            log_index=index,
        )
        session.add(row)
        session.flush()
        note(
            session, context, actor, Tag.DOCUMENT_CORRECTED, "document", entry.subject,
            reason=reason, details={"action": row.action, "replacement": row.replacement}, evidence=[digest],
        )  # fmt: skip
        return _view(row)


@dataclass(frozen=True, kw_only=True)
class DocumentPlace:
    """A document that was issued, and where people read about it."""

    number: str
    sha256: str
    """Digest of its signed statement."""
    kind: Literal["certificate", "failure", "statement", "paper", "other"]
    """Failure: the report of an unsuccessful run. Paper: of a lot, a processor, a destruction. Other: without a page."""
    about: str
    """Number of the order of a certificate or failure, of the case of a statement; empty for the others."""


def place_of(context: Context, actor: Actor, document: str) -> DocumentPlace:
    """Find a document of any kind by its number. Permission `evidence.read`. Raises `NotFound`, `Conflict`."""
    authorize(actor, Permission.READ_EVIDENCE)
    with context.reading(actor) as session:
        entry = _document(session, actor, document)
        number = entry.subject
        kind: Literal["certificate", "failure", "statement", "paper", "other"] = "other"
        about = ""
        if (run := session.get(Certificate, number)) is not None:
            kind, about = ("certificate" if run.kind == "certificate" else "failure"), run.order_id
        elif (statement := session.get(Statement, number)) is not None:
            kind, about = "statement", statement.case_id
        elif session.get(Paper, number) is not None:
            kind = "paper"
        return DocumentPlace(number=number, sha256=entry.sha256, kind=kind, about=about)


def report_of(context: Context, actor: Actor, order: str) -> str | None:
    """Number of the report of an order's unsuccessful run, where one was issued. Permission `evidence.read`."""
    authorize(actor, Permission.READ_EVIDENCE)
    with context.reading(actor) as session:
        row = session.scalar(sa.select(Certificate).where(Certificate.order_id == order, Certificate.kind == "failure"))
        return row.number if row is not None and number_seen(session, actor, row.number) else None


def corrections(context: Context, actor: Actor, document: str) -> tuple[CorrectionView, ...]:
    """What became of a document, oldest first. Permission `evidence.read`."""
    authorize(actor, Permission.READ_EVIDENCE)
    with context.reading(actor) as session:
        return of_document(session, document) if number_seen(session, actor, document) else ()


def of_document(session: Session, document: str) -> tuple[CorrectionView, ...]:
    """As `corrections`, within a transaction that is under way."""
    rows = session.scalars(sa.select(Row).where(Row.document == document).order_by(Row.log_index))
    return tuple(_view(row) for row in rows)


def voided(session: Session, document: str) -> bool:
    """Whether a document counts no more."""
    return any(one.action == "void" for one in of_document(session, document))


def standing(context: Context, sha256: str) -> DocumentView:
    """Where a document stands in the log and what became of it: for whoever holds it. Public, by digest alone.

    Raises:
        NotFound: no document with this digest was ever logged.
    """
    with context.reading() as session:
        entry = session.scalar(sa.select(LogEntry).where(LogEntry.sha256 == sha256, LogEntry.kind.in_(_DOCUMENTS)))
        if entry is None:
            raise NotFound("document", sha256)
        rows = session.scalars(sa.select(Row).where(Row.document_sha256 == sha256).order_by(Row.log_index)).all()
        return DocumentView(
            sha256=sha256,
            kind=entry.kind,
            log_index=entry.idx,
            size=context.ledger.checkpoint(session)[0].size,
            standing="void" if any(row.action == "void" for row in rows) else "superseded" if rows else "in force",
            corrections=tuple(_signed(session, row) for row in rows),
        )


def _signed(session: Session, row: Row) -> dict[str, Any]:
    """A correction as it was signed, and its place in the log."""
    return {"index": row.log_index, "envelope": load_envelope(session, row.sha256)}


def _document(session: Session, actor: Actor, named: str) -> LogEntry:
    text = named.strip()
    by = LogEntry.sha256 == text if is_sha256(text) else LogEntry.subject == text
    found = session.scalars(sa.select(LogEntry).where(by, LogEntry.kind.in_(_DOCUMENTS)).limit(2)).all()
    if not found or not all(entry_seen(session, actor, entry) for entry in found):
        raise NotFound("document", text)
    if len(found) > 1:
        raise Conflict(f"More than one document is called {text[:64]}; name it by the digest of its signed statement.")
    return found[0]


def _may_correct(session: Session, entry: LogEntry, other: LogEntry | None, action: Action) -> None:
    known = {row.action for row in session.scalars(sa.select(Row).where(Row.document_sha256 == entry.sha256))}
    if "void" in known:
        raise Conflict(f"{entry.subject} is void already; nothing more can become of it.")
    if action in known:
        raise Conflict(f"{entry.subject} is superseded already.")
    if other is None:
        return
    if other.idx == entry.idx or other.kind != entry.kind:
        raise Invalid("replacement", "A document is superseded by another one of its kind.")
    if session.scalar(sa.select(Row.sha256).where(Row.document_sha256 == other.sha256).limit(1)) is not None:
        raise Conflict(f"{other.subject} was corrected itself; it can take nothing's place.")


def _view(row: Row) -> CorrectionView:
    return CorrectionView(
        action=row.action,
        document=row.document,
        replacement=row.replacement,
        reason=row.reason,
        by=row.by,
        at=row.at,
        sha256=row.sha256,
        log_index=row.log_index,
    )
