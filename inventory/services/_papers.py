"""Papers: stored, issued, and turned into files. What they say is composed by `lots`, `processors` and `destroyed`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.errors import NotFound
from inventory.events import Tag
from inventory.ledger import encode
from inventory.models import Destruction, Host, LogEntry, Paper, Record, Seal
from reports import media
from reports.anchor import Anchor, open_anchor
from reports.bundle import Logged
from reports.canonical import canonical, parse_canonical
from reports.destruction import ROLES as DESTRUCTION_ROLES
from reports.envelope import unverified_body
from reports.files import DestructionFile, EvidenceFile, Identity, LotFile, Member, ProcessorFile, read_file
from reports.media import EMBEDDED_BYTES, PROVEN, MediumLine
from reports.processor import ROLES as PROCESSOR_ROLES

from ._anchor import anchor_at, first_pin, newest_anchored
from ._destroyed import signatures_on
from ._lines import Line
from ._signing import place, who_signed
from .context import Actor, Context
from .kernel import load_envelope, note, sign_and_log
from .views import PaperView


def evidence_place(lines: Sequence[Line]) -> Literal["inside", "beside"]:
    """Whether the evidence of all these media fits into one file."""
    return "inside" if sum(one.evidence_bytes for one in lines) <= EMBEDDED_BYTES else "beside"


def keep(  # noqa: PLR0913 - a document has this many sides, all named
    session: Session,
    context: Context,
    actor: Actor,
    *,
    number: str,
    kind: str,
    title: str,
    complete: bool,
    responsible: str,
    subject: str = "",
    facts: bytes = b"",
    lines: Sequence[MediumLine] = (),
) -> Paper:
    """Store a document that is not issued yet."""
    row = Paper(
        number=number,
        kind=kind,
        title=" ".join(title.split())[:200],
        subject=subject,
        complete=complete,
        facts=facts,
        annex=canonical([line.to_dict() for line in lines]),
        prepared=context.now(),
        prepared_by=actor.ref,
        responsible=responsible,
    )
    session.add(row)
    session.flush()
    return row


def issue(session: Session, context: Context, actor: Actor, row: Paper, body: dict[str, Any]) -> None:
    """Sign and log the document's statement."""
    row.sha256, row.log_index = sign_and_log(session, context, "statement", body, "acceptance", row.number)
    row.issued = context.now()
    session.flush()
    note(
        session, context, actor, Tag.PAPER_ISSUED, "document", row.number,
        details={"kind": row.kind, "complete": row.complete}, evidence=[row.sha256],
    )  # fmt: skip


def lines_of(row: Paper) -> tuple[MediumLine, ...]:
    """The annex as it was frozen."""
    found = parse_canonical(row.annex, f"annex of {row.number}")
    return tuple(MediumLine.from_dict(one, "annex") for one in found)


def file_of(session: Session, context: Context, row: Paper) -> EvidenceFile:
    """The evidence file, every proof against one checkpoint. Raises `EvidencePending`."""
    if row.sha256 is None or row.log_index is None:
        raise NotFound("issued document", row.number)
    size = newest_anchored(session, context, row.log_index + 1)
    statement = place(session, context, row.sha256, row.log_index, size)
    anchor = anchor_at(session, context, size)
    if row.kind == "destruction":
        return _destruction_file(session, context, row, anchor=anchor, statement=statement, size=size)
    lines = lines_of(row)
    inside = _says_inside(session, row)
    members = tuple(_member(session, context, line, size, inside=inside) for line in lines if line.outcome in PROVEN)
    if row.kind == "lot":
        return LotFile(anchor=anchor, statement=statement, annex=lines, members=members)
    signed = [envelope for _, envelope in signatures_on(session, row.number, PROCESSOR_ROLES)]
    return ProcessorFile(
        anchor=anchor,
        statement=statement,
        annex=lines,
        members=members,
        signatures=tuple(signed),
        **who_signed(session, context, size, row.log_index, signed),
    )


def _says_inside(session: Session, row: Paper) -> bool:
    body = unverified_body(load_envelope(session, str(row.sha256)), "statement")
    return bool(body.get("facts", body)["evidence"] == "inside")


def _member(session: Session, context: Context, line: MediumLine, size: int, *, inside: bool) -> Member:
    """The document of one line, and its evidence where that is to be inside; one at a time is in memory."""
    index = _index_of(session, line)
    sealed = session.get(Seal, line.document)
    if sealed is None or sealed.bundle_sha256 != line.bundle_sha256:
        raise NotFound("evidence of", line.document)
    file = read_file(sealed.bundle)
    session.expunge(sealed)
    old = open_anchor(file.anchor, first_pin(session)).checkpoint.size
    return Member(
        document=place(session, context, line.document_sha256, index, size),
        consistency=() if old == size else encode(context.ledger.consistency(session, old, size)),
        bundle=file.to_dict() if inside else None,
    )


def _index_of(session: Session, line: MediumLine) -> int:
    index = session.scalar(sa.select(LogEntry.idx).where(LogEntry.sha256 == line.document_sha256))
    if index is None:
        raise NotFound("log entry", line.document_sha256)
    return index


def _destruction_file(
    session: Session,
    context: Context,
    row: Paper,
    *,
    anchor: Anchor,
    statement: Logged,
    size: int,
) -> DestructionFile:
    destruction = session.get_one(Destruction, row.subject)
    signed = [envelope for _, envelope in signatures_on(session, destruction.id, DESTRUCTION_ROLES)]
    shown = _shown_record(session, row)
    hosts = (session.get_one(Host, shown.host_id),) if shown else ()
    return DestructionFile(
        anchor=anchor,
        statement=statement,
        signatures=tuple(signed),
        identity=None
        if shown is None
        else Identity(
            record=load_envelope(session, shown.sha256),
            acceptance=place(session, context, shown.acceptance_sha256, shown.log_index, size),
        ),
        **who_signed(session, context, size, row.log_index or 0, signed, hosts),
    )


def _shown_record(session: Session, row: Paper) -> Record | None:
    """The record that the signed document names."""
    named = unverified_body(load_envelope(session, str(row.sha256)), "statement")["record_sha256"]
    return None if named is None else session.get_one(Record, named)


def view_of(session: Session, row: Paper) -> PaperView:
    """A document as people see it."""
    sealed = session.execute(
        sa.select(Seal.bundle_sha256, sa.func.length(Seal.bundle), Seal.pdf_sha256, sa.func.length(Seal.pdf)).where(
            Seal.number == row.number
        )
    ).first()
    if row.sha256 is not None:
        said: dict[str, Any] = dict(unverified_body(load_envelope(session, row.sha256), "statement"))
    else:
        said = dict(parse_canonical(row.facts, f"facts of {row.number}"))
    return PaperView(
        number=row.number,
        kind=row.kind,
        title=row.title,
        subject=row.subject,
        complete=row.complete,
        prepared=row.prepared,
        prepared_by=row.prepared_by,
        responsible=row.responsible,
        waiting=row.issued is None,
        issued=row.issued,
        sha256=row.sha256,
        log_index=row.log_index,
        facts=said,
        media=media.count(lines_of(row)).total,
        bundle_sha256=sealed[0] if sealed else None,
        bundle_bytes=sealed[1] if sealed else None,
        pdf_sha256=sealed[2] if sealed else None,
        pdf_bytes=sealed[3] if sealed else None,
    )
