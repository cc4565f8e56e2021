"""Issue a certificate of sanitization, or a report of an unsuccessful one. The rule is here, not in callers.

`issue` refuses what `claims` does not grant: there is no argument that makes it lenient. What the evidence says is taken from the
evidence; the caller adds only what no machine can know (`Particulars`). The verifier calls the same function to see whether a
certificate says what follows from its evidence. Pure: signing, logging and printing come afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

from . import claims
from .errors import BrokenChain, ClaimRefused
from .language import ENGLISH, Speaker
from .links import (
    Basis,
    acceptance_names_all,
    acceptance_unreserved,
    record_answers_order,
    record_obeys_order,
    validation_fits,
)
from .statements import (
    Answer,
    Certificate,
    CertifiedMedium,
    CertifiedSanitization,
    Destination,
    Organization,
    People,
    Person,
    UnsuccessfulRun,
    Validation,
    VerdictWords,
)
from .times import parse_instant
from .verdict import Verdict, judge


@dataclass(frozen=True, kw_only=True)
class Particulars:
    """What a certificate states that no evidence contains. Empty text means: not stated."""

    number: str
    issued: str
    organization: Organization
    source: str
    category: str
    condition: Literal["operational", "damaged", "unknown"]
    backed_up: Answer
    backup_location: str
    post_category: str
    notes: str
    destination: Destination
    people: People
    waivers: tuple[str, ...] = ()
    """Sentences about waivers; printed with the exceptions on the first page."""

    @classmethod
    def of(cls, certificate: Certificate, derived: int) -> Self:
        """The particulars a certificate states, given how many of its exceptions are derived from the record."""
        medium, done = certificate.medium, certificate.sanitization
        return cls(
            number=certificate.number,
            issued=certificate.issued,
            organization=certificate.organization,
            source=medium.source,
            category=medium.category,
            condition=medium.condition,
            backed_up=medium.backed_up,
            backup_location=medium.backup_location,
            post_category=done.post_category,
            notes=done.notes,
            destination=certificate.destination,
            people=certificate.people,
            waivers=certificate.exceptions[derived:],
        )


def issue(basis: Basis, particulars: Particulars) -> Certificate:
    """The certificate that follows from the evidence.

    Raises:
        ClaimRefused: the record does not carry it; `missing` says what it would take.
        BrokenChain: the statements do not belong together, or name other people than the particulars do.
        MalformedDocument: a time is none.
    """
    record = basis.record
    said = claims.derive(record)
    if not said.verdict.reaches(basis.order.required_method, basis.order.required_verification):
        raise ClaimRefused("certificate", _missing(said.verdict, basis, ENGLISH))
    record_obeys_order(basis)
    acceptance_names_all(basis)
    acceptance_unreserved(basis)
    validation = validation_fits(basis)
    if validation.decision != "approve":
        raise ClaimRefused("certificate", (_decided(validation, ENGLISH),))
    method: Literal["clear", "purge"] = "purge" if said.verdict.method == "purge" else "clear"
    said.find(method)
    said.find("same-medium")
    _people_fit(basis, particulars, validation.validator)
    parse_instant(particulars.issued, "certificate.issued")
    return Certificate(
        number=_stated(particulars.number, "its number"),
        issued=particulars.issued,
        organization=particulars.organization,
        medium=_medium(basis, particulars),
        sanitization=CertifiedSanitization(
            method=method,
            technique=record.method.technique,
            details=claims.details_words(record),
            tool=record.tool,
            verification=claims.verification_words(record),
            post_category=particulars.post_category,
            notes=particulars.notes,
        ),
        destination=particulars.destination,
        people=particulars.people,
        exceptions=(*said.exceptions, *particulars.waivers),
        record_sha256=basis.record_sha256,
        acceptance_sha256=basis.acceptance_sha256,
        validation_sha256=basis.validation_sha256 or "",
    )


def check(basis: Basis, certificate: Certificate) -> None:
    """Raise unless the certificate says exactly what follows from the evidence and its own particulars (as `issue`)."""
    derived = len(claims.derive(basis.record).exceptions)
    expected = issue(basis, Particulars.of(certificate, derived)).to_dict()
    found = certificate.to_dict()
    for name, value in expected.items():
        if found[name] != value:
            raise BrokenChain("certificate", f"what it says of {name} does not follow from the evidence.")


def report_unsuccessful(
    basis: Basis, *, number: str, issued: str, organization: Organization, source: str, reported_by: Person
) -> UnsuccessfulRun:
    """The report of a run that ends in no certificate.

    Raises:
        ClaimRefused: the run was successful and approved: it deserves a certificate.
        BrokenChain: the statements do not belong together.
    """
    record_answers_order(basis)
    acceptance_names_all(basis)
    said = claims.derive(basis.record)
    if basis.validation is not None:
        validation_fits(basis)
    reasons = reasons_against(basis)
    if not reasons:
        raise ClaimRefused(
            "report of an unsuccessful sanitization", ("Nothing in the evidence speaks against the run.",)
        )
    parse_instant(issued, "report.issued")
    return UnsuccessfulRun(
        number=_stated(number, "its number"),
        issued=issued,
        organization=organization,
        asset_tag=basis.acceptance.device.asset_tag,
        source=source,
        reported_by=reported_by,
        verdict=VerdictWords(outcome=said.verdict.outcome, method=said.verdict.method, coverage=said.verdict.coverage),
        reasons=reasons,
        record_sha256=basis.record_sha256,
        acceptance_sha256=basis.acceptance_sha256,
        validation_sha256=basis.validation_sha256,
    )


def check_unsuccessful(basis: Basis, report: UnsuccessfulRun) -> None:
    """Raise unless the report says exactly what follows from the evidence (as `report_unsuccessful`)."""
    expected = report_unsuccessful(
        basis,
        number=report.number,
        issued=report.issued,
        organization=report.organization,
        source=report.source,
        reported_by=report.reported_by,
    )
    if expected != report:
        raise BrokenChain("report", "what it says does not follow from the evidence.")


def reasons_against(basis: Basis, speaker: Speaker = ENGLISH) -> tuple[str, ...]:
    """Why a run ends in no certificate, in the speaker's language; empty where nothing speaks against it."""
    found = _missing(judge(basis.record), basis, speaker)
    if basis.validation is not None and basis.validation.decision != "approve":
        found += (_decided(basis.validation, speaker),)
    return found


def _decided(validation: Validation, speaker: Speaker) -> str:
    decision = speaker.word("decided", validation.decision)
    return speaker.say("unsuccessful.validator-decided", decision=decision, reason=validation.reason)


def _missing(verdict: Verdict, basis: Basis, speaker: Speaker) -> tuple[str, ...]:
    """Why the record does not carry a certificate; empty when it does."""
    found = [speaker.tell(reason.said) for reason in verdict.blocking]
    order = basis.order
    if not found and not verdict.reaches(order.required_method, order.required_verification):
        found.append(
            speaker.say(
                "unsuccessful.order-requires",
                method=speaker.word("level", order.required_method),
                verification=speaker.word("extent", order.required_verification),
                reached=speaker.word("level", verdict.method),
                verified=speaker.word("extent", verdict.coverage),
            )
        )
    for name, answer in basis.acceptance.checks.to_dict().items():
        if answer != "yes":
            question = speaker.word("check", name.replace("_", "-"))
            replied = speaker.word("replied", answer)
            found.append(speaker.say("unsuccessful.taken-in", question=question, answer=replied))
    return tuple(found)


def _people_fit(basis: Basis, particulars: Particulars, validator: Person) -> None:
    people = particulars.people
    named = [person.ref for person in people.approved_by]
    pairs = (
        ("the requester", people.requested_by.ref, basis.order.requested_by),
        ("the person performing", people.performed_by.ref, basis.record.operator_ref),
        ("the approvers", named, [approval.approver for approval in basis.approvals]),
        ("the validator", people.validated_by, validator),
    )
    for what, found, expected in pairs:
        if found != expected:
            raise BrokenChain("certificate", f"{what} it names did not sign the evidence as such.")
    for person in (
        people.requested_by,
        people.performed_by,
        people.verified_by,
        people.validated_by,
        *people.approved_by,
    ):
        _stated(person.name, f"the name of {person.ref or 'a person'}")


def _stated(text: str, what: str) -> str:
    if not text.strip():
        raise ClaimRefused("certificate", (f"It does not state {what}.",))
    return text


def _medium(basis: Basis, particulars: Particulars) -> CertifiedMedium:
    device = basis.record.device
    return CertifiedMedium(
        manufacturer=device.vendor or "",
        model=device.model or "",
        serial=device.serial or device.wwn or device.eui64 or device.nguid or "",
        asset_tag=basis.acceptance.device.asset_tag,
        media_type=device.media,
        source=particulars.source,
        category=particulars.category,
        condition=particulars.condition,
        backed_up=particulars.backed_up,
        backup_location=particulars.backup_location,
        capacity_bytes=device.capacity_bytes,
        fingerprint=device.fingerprint,
    )
