"""Statements for customers: composed from the case and its bundles, signed and logged, then printed and sealed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.holdings import state_of
from inventory.domain.vocabulary import HoldingState
from inventory.errors import Conflict
from inventory.events import Tag
from inventory.models import (
    Certificate,
    DataSet,
    Device,
    ErasureCase,
    Holding,
    Obligation,
    Seal,
    Statement,
    StoredEnvelope,
)
from reports import statement as statements
from reports.anchor import open_anchor
from reports.bundle import (
    DestructionBundle,
    EmbeddedBundle,
    ErasureStatementFile2,
    encode_hashes,
    logged,
    read_file,
)
from reports.errors import ClaimRefused
from reports.statements import Attestation, OpenObligation

from ._anchor import anchor_at, first_pin, newest_anchored
from ._case_questions import questions_about
from ._mapping import held_of
from ._sealing import organization, sealed, statement_person, store_seal
from .context import Actor, Context
from .corrections import voided
from .kernel import find, load_envelope, next_number, note, sign_and_log, stamp
from .queries.data import obligation_views
from .queries.evidence import statement_view
from .views import StatementView

_KINDS = {
    "logical_deletion": "Deletion of the customer's rows",
    "backup_gone": "Expiry or destruction of the backup",
    "medium_sanitized": "Destruction of the medium",
}


def issue(context: Context, actor: Actor, case_id: str) -> str:
    """Compose, sign and log a statement as things stand. Returns its number. Raises `NotFound`, `Conflict`."""
    with context.writing(actor) as session:
        case = find(session, ErasureCase, case_id, "erasure case")
        now = context.now()
        number = next_number(session, "statement", now)
        media = _media(session, case)
        facts = statements.CaseFacts(
            number=number,
            issued=stamp(now),
            organization=organization(context),
            case=case.reference,
            opened=stamp(case.opened),
            due=stamp(case.due),
            responsible=statement_person(session, context, actor.ref),
            data_sets=tuple(sorted({one.data_set_name for one in obligation_views(session, case.id)})),
            attested=_attested(session, context, case),
            open=_open(session, case),
        )
        try:
            body = statements.compose(facts, media)
        except ClaimRefused as refused:
            raise Conflict(f"Case {case.id} has nothing to state: no medium ever held its data sets.") from refused
        digest, index = sign_and_log(session, context, "statement", body.to_dict(), "acceptance", number)
        session.add(
            Statement(
                number=number,
                case_id=case.id,
                issued=now,
                issued_by=actor.ref,
                complete=body.complete,
                sha256=digest,
                log_index=index,
            )
        )
        session.flush()
        note(
            session, context, actor, Tag.STATEMENT_ISSUED, "case", case.id,
            details={"statement": number, "complete": body.complete}, evidence=[digest],
        )  # fmt: skip
        return number


def _rows(session: Session, case: ErasureCase, *, kind: str) -> Sequence[tuple[Obligation, Holding, DataSet, Device]]:
    return session.execute(
        sa.select(Obligation, Holding, DataSet, Device)
        .join(Holding, Holding.id == Obligation.holding_id)
        .join(DataSet, DataSet.id == Holding.data_set_id)
        .join(Device, Device.id == Holding.device_id)
        .where(Obligation.case_id == case.id, Obligation.evidence_kind == kind)
        .order_by(Obligation.id)
    ).all()


def _media(session: Session, case: ErasureCase) -> list[statements.ProvenMedium]:
    """Every medium proven clean, with the bundle that proves it."""
    media = []
    for obligation, holding, data_set, device in _rows(session, case, kind="validated_record"):
        if obligation.kind != "medium_sanitized" or _destroyed(session, holding):
            continue
        row = session.execute(
            sa.select(Certificate.number, Seal.bundle)
            .outerjoin(Seal, Seal.number == Certificate.number)
            .where(Certificate.record_sha256 == holding.covered_by, Certificate.kind == "certificate")
        ).first()
        if row is None or row[1] is None:
            raise Conflict(f"Issue the certificate of device {device.id} first: the statement contains its evidence.")
        if voided(session, row[0]):
            raise Conflict(f"Certificate {row[0]} of device {device.id} was voided; the statement cannot rest on it.")
        bundle = read_file(row[1])
        if not isinstance(bundle, DestructionBundle):
            raise Conflict(f"The files of certificate {row[0]} are of another kind.")
        word = "residue" if state_of(held_of(holding, data_set)) is HoldingState.RESIDUE else str(holding.kind)
        media.append(statements.ProvenMedium(data_set=data_set.name, holding=word, bundle=bundle))
    return media


def _destroyed(session: Session, holding: Holding) -> bool:
    """Whether the evidence that covers a holding is the statement of a physical destruction."""
    stored = session.get(StoredEnvelope, holding.covered_by) if holding.covered_by else None
    return stored is not None and stored.kind != "sanitization-record"


def _attested(session: Session, context: Context, case: ErasureCase) -> tuple[Attestation, ...]:
    said = [
        Attestation(
            obligation=obligation.id,
            data_set=data_set.name,
            kind=_KINDS[str(obligation.kind)],
            text=obligation.attested or "",
            attested_by=statement_person(session, context, obligation.closed_by or ""),
            time=_time(obligation.closed),
        )
        for obligation, _, data_set, _ in _rows(session, case, kind="attestation")
    ]
    said += [
        Attestation(
            obligation=obligation.id,
            data_set=data_set.name,
            kind="Physical destruction of the medium",
            text=f"Device {device.id} was destroyed; the validated statement has the digest {holding.covered_by}.",
            attested_by=statement_person(session, context, _validator(session, holding)),
            time=_time(obligation.closed),
        )
        for obligation, holding, data_set, device in _rows(session, case, kind="validated_record")
        if obligation.kind == "medium_sanitized" and _destroyed(session, holding)
    ]
    return tuple(said)


def _validator(session: Session, holding: Holding) -> str:
    body: dict[str, Any] = _payload(session, holding.covered_by or "")
    return str(body.get("validator", {}).get("ref", ""))


def _payload(session: Session, digest: str) -> dict[str, Any]:
    from reports.envelope import unverified_body  # noqa: PLC0415 - one caller

    return dict(unverified_body(load_envelope(session, digest), "statement"))


def _time(moment: datetime | None) -> str:
    if moment is None:
        raise RuntimeError("a closed obligation has a time")  # a CHECK constraint forbids it
    return stamp(moment)


def _open(session: Session, case: ErasureCase) -> tuple[OpenObligation, ...]:
    still = [one for one in obligation_views(session, case.id) if one.open]
    found = sa.select(Device.id, Device.asset_tag).where(Device.id.in_({one.device for one in still}))
    called = {device: f"{device} ({tag})" if tag else device for device, tag in session.execute(found)}
    return tuple(
        OpenObligation(
            obligation=one.id,
            data_set=one.data_set_name,
            medium=f"{called[one.device]}: {one.device_label}",
            kind=str(one.kind).replace("_", " "),
            why=one.why_open or "",
            due=stamp(case.due),
        )
        for one in still
    ) + tuple(
        OpenObligation(
            obligation=one.exception,
            data_set=one.data_set,
            medium="not known",
            kind="medium sanitized",
            why=one.sentence,
            due=stamp(case.due),
        )
        for one in questions_about(session, case.id)
    )


def seal(context: Context, number: str) -> None:
    """Print and seal a statement that has no files yet."""
    with context.reading() as session:
        if sealed(session, number) is not None:
            return
        row = find(session, Statement, number, "statement")
        file = _file(session, context, row)
    store_seal(context, number, Tag.STATEMENT_ISSUED, file)


def _file(session: Session, context: Context, row: Statement) -> ErasureStatementFile2:
    """The statement with the bundles of its media, all against one checkpoint. Raises `EvidencePending`."""
    at = newest_anchored(session, context, row.log_index + 1)
    case = session.get_one(ErasureCase, row.case_id)
    envelope = load_envelope(session, row.sha256)
    named = {line["bundle_sha256"] for line in _payload(session, row.sha256)["media"]}
    pin = first_pin(session)
    embedded: dict[str, EmbeddedBundle] = {}
    for medium in _media(session, case):
        digest = medium.bundle.digest()
        if digest in named and digest not in embedded:
            size = open_anchor(medium.bundle.anchor, pin).checkpoint.size
            proof = () if size == at else context.ledger.consistency(session, size, at)
            embedded[digest] = EmbeddedBundle(bundle=medium.bundle.to_dict(), consistency=encode_hashes(proof))
    order = list(dict.fromkeys(line["bundle_sha256"] for line in _payload(session, row.sha256)["media"]))
    return ErasureStatementFile2(
        anchor=anchor_at(session, context, at),
        statement=logged(envelope, row.log_index, context.ledger.inclusion(session, row.log_index, at)),
        bundles=tuple(embedded[digest] for digest in order),
    )


def files(context: Context, actor: Actor, number: str) -> Seal:
    """The statement's files, made now if they were not. Raises `NotFound`."""
    view(context, actor, number)
    seal(context, number)
    with context.reading(actor) as session:
        return session.get_one(Seal, number)


def view(context: Context, actor: Actor, number: str) -> StatementView:
    """One statement with its signed content. Raises `NotFound`."""
    with context.reading(actor) as session:
        find(session, Statement, number, "statement")
        row = session.execute(
            sa.select(Statement, StoredEnvelope.content, Seal.pdf_sha256, sa.func.length(Seal.pdf))
            .join(StoredEnvelope, StoredEnvelope.sha256 == Statement.sha256)
            .outerjoin(Seal, Seal.number == Statement.number)
            .where(Statement.number == number)
        ).one()
        return statement_view(*row)


def unsealed(session: Session) -> list[str]:
    """Statements without files, for upkeep."""
    made = sa.select(Seal.number)
    return list(session.scalars(sa.select(Statement.number).where(Statement.number.not_in(made))))
