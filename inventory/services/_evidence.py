"""The evidence of one run, gathered from where it is stored: what a certificate rests on, and the file an auditor gets."""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.vocabulary import highest
from inventory.ledger import encode
from inventory.models import (
    ApproverKey,
    Certificate,
    DataSet,
    Holding,
    Host,
    LogEntry,
    Order,
    Record,
    Roster,
    Validation,
    Waiver,
)
from inventory.models.devices import Device
from reports.bundle import DestructionBundle2, EvidenceFile, Logged, UnsuccessfulRunBundle2, logged
from reports.certificate import Particulars
from reports.envelope import Envelope, unverified_body
from reports.links import Basis
from reports.statements import Acceptance, Destination, People, Person

from ._anchor import anchor_at, newest_anchored
from ._sealing import organization, statement_person
from .context import Context
from .kernel import load_envelope

_Kind = Literal["internal-reuse", "external-reuse", "destruction", "storage"]


def basis(session: Session, order: Order) -> Basis:
    """The statements about a run, read; signatures were checked when they came in."""
    record = session.get_one(Record, order.record_sha256)
    validation = _validation(session, record)
    acceptance = load_envelope(session, record.acceptance_sha256)
    return Basis.read(
        load_envelope(session, order.envelope_sha256),
        _approvals(session, acceptance),
        load_envelope(session, record.sha256),
        acceptance,
        None if validation is None else load_envelope(session, validation.sha256),
    )


def _validation(session: Session, record: Record) -> Validation | None:
    return session.scalar(sa.select(Validation).where(Validation.record_sha256 == record.sha256))


def _approvals(session: Session, acceptance: Envelope) -> list[Envelope]:
    """In the order in which the acceptance names them."""
    named = Acceptance.from_dict(unverified_body(acceptance, "acceptance"), "acceptance").approvals
    return [load_envelope(session, digest) for digest in named]


def source(session: Session, order: Order) -> str:
    """The user, computer or system the medium came from (SP 800-88 Rev. 1, 4.8 `Media Source`)."""
    device = session.get_one(Device, order.device_id)
    host = session.get_one(Host, order.host_id)
    return device.source.strip() or f"Host {host.name}"


def particulars(
    session: Session, context: Context, order: Order, basis: Basis, number: str, issued: str, destination: str
) -> Particulars:
    """What no evidence contains: numbers, names, source, category, destination. Nothing is invented: empty means not stated."""
    purpose: dict[str, Any] = order.purpose
    return Particulars(
        number=number,
        issued=issued,
        organization=organization(context),
        source=source(session, order),
        category=_category(session, order),
        condition="damaged" if purpose.get("damaged") else "operational",
        backed_up="unknown",
        backup_location="",
        post_category="",
        notes="",
        destination=Destination(kind=_destination_kind(purpose), details=destination),
        people=_people(session, context, order, basis),
        waivers=tuple(
            f"Waiver {waiver.id}: {waiver.reason}"
            for waiver in session.scalars(
                sa.select(Waiver).where(Waiver.device_id == order.device_id).order_by(Waiver.id)
            )
        ),
    )


def _category(session: Session, order: Order) -> str:
    categories = session.scalars(
        sa.select(DataSet.category)
        .join(Holding, Holding.data_set_id == DataSet.id)
        .where(Holding.device_id == order.device_id)
    )
    found = highest(list(categories))
    return "" if found is None else str(found)


def _destination_kind(purpose: dict[str, Any]) -> _Kind:
    if purpose.get("reuse"):
        return "external-reuse" if purpose.get("leaves_control") else "internal-reuse"
    return "destruction" if purpose.get("leaves_control") else "storage"


def _people(session: Session, context: Context, order: Order, basis: Basis) -> People:
    requester = statement_person(session, context, order.requested_by)
    if basis.validation is None:
        raise RuntimeError(f"order {order.id} is validated and has no validation")  # its state was asked before
    return People(
        requested_by=requester,
        # The requester is the operator by whose order the agent acted; the agent itself verified (the record's signature).
        performed_by=statement_person(session, context, basis.record.operator_ref),
        approved_by=tuple(statement_person(session, context, one.approver) for one in basis.approvals),
        verified_by=_agent(session, context, order),
        validated_by=basis.validation.validator,
        concurrence=None,
    )


def _agent(session: Session, context: Context, order: Order) -> Person:
    """Verification is the machine's finding: the agent that read the medium back stands as its verifier."""
    host = session.get_one(Host, order.host_id)
    said = context.settings.organisation
    return Person(
        ref=host.id,
        name=f"Sanitrail agent on {host.name}",
        title="Automatic read-back",
        organization=said.name,
        location=said.address,
        contact=said.contact,
    )


def file(session: Session, context: Context, order: Order, document: Certificate) -> EvidenceFile:
    """Everything an auditor needs about one run, every proof against one checkpoint. Raises `EvidencePending`."""
    size = newest_anchored(session, context, document.log_index + 1)

    def place(digest: str, index: int) -> Logged:
        return logged(load_envelope(session, digest), index, context.ledger.inclusion(session, index, size))

    record = session.get_one(Record, order.record_sha256)
    acceptance = load_envelope(session, record.acceptance_sha256)
    approvals = _approvals(session, acceptance)
    rosters = _rosters(session, record.log_index)
    after = unverified_body(load_envelope(session, order.envelope_sha256), "order")["after"]["size"]
    common: dict[str, Any] = {
        "anchor": anchor_at(session, context, size, since=after),
        "key_events": tuple(place(digest, index) for digest, index in _key_events(session, order, approvals, size)),
        "earlier_rosters": tuple(place(*row) for row in rosters[:-1]),
        "roster": place(*rosters[-1]),
        "order": load_envelope(session, order.envelope_sha256),
        "approvals": tuple(approvals),
        "record": load_envelope(session, record.sha256),
        "acceptance": place(record.acceptance_sha256, record.log_index),
        "consistency": () if after == size else encode(context.ledger.consistency(session, after, size)),
    }
    validation = _validation(session, record)
    decided = None if validation is None else place(validation.sha256, validation.log_index)
    closing = place(document.sha256, document.log_index)
    if document.kind == "certificate":
        if decided is None:
            raise RuntimeError(f"certificate {document.number} has no validation")  # issue() asks first
        return DestructionBundle2(**common, validation=decided, certificate=closing)
    return UnsuccessfulRunBundle2(**common, validation=decided, report=closing)


def _rosters(session: Session, before: int) -> list[tuple[str, int]]:
    """Every roster published before the record was accepted, oldest first: each is signed by a quorum of the one before."""
    rows = session.execute(
        sa.select(Roster.envelope_sha256, Roster.log_index)
        .where(Roster.log_index.is_not(None), Roster.log_index < before)
        .order_by(Roster.version)
    )
    return [(digest, index) for digest, index in rows if digest is not None and index is not None]


def _key_events(session: Session, order: Order, approvals: list[Envelope], size: int) -> list[tuple[str, int]]:
    """Everything the log of `size` entries says about the keys of this host and of the people who approved, in log order."""
    keys = {signature["keyid"] for envelope in approvals for signature in envelope["signatures"]}
    people = session.scalars(sa.select(ApproverKey.person).where(ApproverKey.key_id.in_(keys)))
    subjects = [f"agent {order.host_id}", *(f"approver {person}" for person in set(people))]
    rows = session.execute(
        sa.select(LogEntry.sha256, LogEntry.idx)
        .where(LogEntry.subject.in_(subjects), LogEntry.kind == "key-event", LogEntry.idx < size)
        .order_by(LogEntry.idx)
    )
    return [(digest, index) for digest, index in rows]
