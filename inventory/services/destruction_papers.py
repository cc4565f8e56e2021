"""Certificates of physical destruction: witness and second person sign the facts with their own keys before it is certified."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.roles import Permission
from inventory.errors import Conflict, Invalid, Reason, SeparationOfDuty
from inventory.models import Destruction, Device, Host, Paper, Person, Record
from reports import destruction as documents
from reports.destruction import ROLES, DestructionCertificate, DestructionFacts, DestructionParticulars
from reports.envelope import envelope_digest, unverified_body
from reports.errors import ClaimRefused
from reports.personal import read_signatures
from reports.record import SanitizationRecord
from reports.statements import Destination
from reports.statements import Person as Named

from . import _papers, papers
from ._destroyed import decision_of, identity_record, signatures_on, stored_facts
from ._mapping import device_label
from ._sealing import organization, statement_person
from ._signing import apart, take_in, to_sign
from .context import Actor, Context, authorize
from .kernel import find, load_envelope, next_number, optional, stamp
from .lots import DESTINATIONS
from .views import DestructionStanding, FactsToSign, PaperView

Role = Literal["witness", "countersigner"]


@dataclass(frozen=True, kw_only=True)
class CertifyDestruction:
    """What the document states beside what was recorded and signed."""

    destruction: str
    requested_by: str = ""
    """Pseudonym; empty: not stated."""
    destination: str = "undecided"
    """Of what is left."""
    destination_details: str = ""


def ready_to_sign(context: Context, actor: Actor, destruction: str, role: Role) -> FactsToSign:
    """What the witness or second person must see and sign. Permission `facts.sign`.

    Raises:
        SeparationOfDuty: the operator signs, or the witness as second person.
        Forbidden: none of the actor's keys stands in the published roster.
        Conflict: not witnessed yet, another person witnessed, recorded before there were such signatures, or signed already.
    """
    authorize(actor, Permission.FACTS_SIGN)
    with context.reading(actor) as session:
        row, said = _may_sign(session, actor, destruction, role)
        return to_sign(
            session, actor, role=role, subject=row.id, facts=row.facts or b"", shown=_shown(row, role), said=said
        )


def sign(context: Context, actor: Actor, destruction: str, role: Role, envelope: dict[str, Any]) -> FactsToSign | None:
    """Take in one's own signature. Permission `facts.sign`. Raises as `ready_to_sign`, and `EvidenceRefused`."""
    authorize(actor, Permission.FACTS_SIGN)
    with context.writing(actor) as session:
        row, said = _may_sign(session, actor, destruction, role)
        take_in(
            session, context, actor, envelope, role=role, subject=row.id, facts=row.facts or b"",
            shown=_shown(row, role), said=said,
        )  # fmt: skip
    return None


def _may_sign(session: Session, actor: Actor, destruction: str, role: Role) -> tuple[Destruction, str]:
    row = find(session, Destruction, destruction, "destruction")
    if row.facts is None:
        raise Conflict(f"Destruction {row.id} was recorded before there were personal signatures.")
    apart(actor, "sign", (row.operator, "performed the destruction"))
    if role == "witness":
        if row.witness is None:
            raise Conflict(f"Destruction {row.id} has no witness yet: state first what you saw.")
        if row.witness != actor.ref:
            raise SeparationOfDuty("sign as witness", "did not witness the destruction")
        return row, row.witness_statement or ""
    if role != "countersigner":
        raise Invalid("role", "One signs as witness or as countersigner.")
    apart(actor, "sign as second person", (row.witness, "witnessed the destruction"))
    return row, ""


def _shown(row: Destruction, role: Role) -> str:
    facts = stored_facts(row)
    if facts is None:
        return ""
    medium = facts.medium
    name = " ".join(word for word in (medium.manufacturer, medium.model, medium.serial) if word) or medium.id
    tag = f", asset tag {medium.asset_tag}" if medium.asset_tag else ""
    what = "I witnessed" if role == "witness" else "As second person I confirm"
    line = (
        f"{row.id}: {what} that {name}{tag}, serial number read as {facts.serial_read or 'nothing'}, was destroyed"
        f" ({facts.technique}) at {facts.place} on {facts.performed[:16].replace('T', ' ')} UTC by {facts.operator.name}."
    )
    return " ".join(line.split())[:500]


def certify(context: Context, actor: Actor, command: CertifyDestruction) -> PaperView:
    """Issue the certificate; asking again returns the same one. Permission `certificate.issue`.

    Raises:
        Conflict: something is missing; `reasons` say what. Ask for `report` then.
        NotFound, Invalid.
    """
    authorize(actor, Permission.CERTIFICATE_ISSUE)
    with context.writing(actor) as session:
        row = find(session, Destruction, command.destruction, "destruction")
        number = _issued(session, row)
        if number is None:
            facts, particulars, signatures = _all(session, context, row, command, series="destruction_certificate")
            try:
                body = documents.issue(facts, signatures, particulars)
            except ClaimRefused as refused:
                reasons = [Reason("claim-refused", text) for text in refused.missing]
                raise Conflict(f"Destruction {row.id} earns no certificate.", reasons=reasons) from refused
            number = _issue(session, context, actor, row, body)
    papers.seal_if_possible(context, number)
    return papers.paper(context, actor, number)


def report(context: Context, actor: Actor, command: CertifyDestruction) -> PaperView:
    """Issue the report of a destruction that earns no certificate, as things stand. Permission `certificate.issue`.

    Raises:
        Conflict: nothing is missing for a certificate, or there was nothing signed about it.
        NotFound, Invalid.
    """
    authorize(actor, Permission.CERTIFICATE_ISSUE)
    with context.writing(actor) as session:
        row = find(session, Destruction, command.destruction, "destruction")
        facts, particulars, signatures = _all(session, context, row, command, series="destruction_report")
        try:
            body = documents.report(facts, signatures, particulars)
        except ClaimRefused as refused:
            raise Conflict(f"Nothing is missing for a certificate of destruction {row.id}.") from refused
        number = _issue(session, context, actor, row, body)
    papers.seal_if_possible(context, number)
    return papers.paper(context, actor, number)


def standing(context: Context, actor: Actor, destruction: str) -> DestructionStanding:
    """What a certificate has and lacks. Permission `evidence.read`. Raises `NotFound`."""
    authorize(actor, Permission.READ_EVIDENCE)
    with context.reading(actor) as session:
        row = find(session, Destruction, destruction, "destruction")
        facts = stored_facts(row)
        signed = {one.role: one.person for one, _ in signatures_on(session, row.id, ROLES)}
    return DestructionStanding(
        destruction=destruction,
        facts={} if facts is None else facts.to_dict(),
        signed=signed,
        missing=missing(context, actor, destruction),
        documents=papers.about(context, actor, destruction),
    )


def missing(context: Context, actor: Actor, destruction: str) -> tuple[str, ...]:
    """What a certificate still lacks; empty where nothing. Permission `inventory.read`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        row = find(session, Destruction, destruction, "destruction")
        if stored_facts(row) is None:
            return (f"Destruction {row.id} was recorded before there were personal signatures.",)
        facts, particulars, signatures = _all(
            session, context, row, CertifyDestruction(destruction=destruction), series=None
        )
        return documents.compose(facts, signatures, particulars).missing


def _issued(session: Session, row: Destruction) -> str | None:
    number: str | None = session.scalar(
        sa.select(Paper.number).where(Paper.subject == row.id, Paper.kind == "destruction", Paper.complete)
    )
    return number


def _all(
    session: Session, context: Context, row: Destruction, command: CertifyDestruction, *, series: str | None
) -> tuple[DestructionFacts, DestructionParticulars, tuple[Any, ...]]:
    facts = stored_facts(row)
    if facts is None:
        raise Conflict(f"Destruction {row.id} was recorded before there were personal signatures.")
    if command.destination not in DESTINATIONS:
        raise Invalid("destination", f"The destination is one of {', '.join(DESTINATIONS)}.")
    signed = signatures_on(session, row.id, ROLES)
    people = {one.role: statement_person(session, context, one.person) for one, _ in signed}
    requester: Named | None = None
    if command.requested_by:
        requester = statement_person(session, context, find(session, Person, command.requested_by, "person").ref)
    now = context.now()
    particulars = DestructionParticulars(
        number=next_number(session, series, now) if series else "",
        issued=stamp(now),
        organization=organization(context),
        witness=people.get("witness"),
        countersigner=people.get("countersigner"),
        signatures=tuple(envelope_digest(envelope) for _, envelope in signed),
        decision=decision_of(session, context, row),
        record_sha256=_identity(session, row, facts),
        requested_by=requester,
        concurrence=None,
        destination=Destination(
            kind=command.destination,  # type: ignore[arg-type]  # compared above
            details=optional("destination_details", command.destination_details),
        ),
    )
    return facts, particulars, read_signatures([envelope for _, envelope in signed])


def _identity(session: Session, row: Destruction, facts: DestructionFacts) -> str | None:
    """The record in which an agent signed exactly this identity, where there is one."""
    record: Record | None = identity_record(session, session.get_one(Device, row.device_id))
    if record is None:
        return None
    body = SanitizationRecord.from_dict(unverified_body(load_envelope(session, record.sha256), "sanitization-record"))
    same = (body.device.fingerprint, body.device.serial or "") == (facts.medium.fingerprint, facts.medium.serial)
    known = session.get(Host, record.host_id) is not None
    return record.sha256 if same and known else None


def _issue(session: Session, context: Context, actor: Actor, row: Destruction, body: DestructionCertificate) -> str:
    device = session.get_one(Device, row.device_id)
    paper = _papers.keep(
        session, context, actor, number=body.number, kind="destruction", title=device_label(device),
        complete=body.certified, responsible=actor.ref, subject=row.id,
    )  # fmt: skip
    _papers.issue(session, context, actor, paper, body.to_dict())
    return body.number
