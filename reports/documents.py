"""What the pages say: from evidence to the words and rows that templates lay out. Pure; decides nothing, draws nothing.

Everything here comes from the evidence file that is attached to the PDF, so that whoever holds the PDF can find each printed word
in it. Empty text prints as "not stated" or "not reported", never as something nicer.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from . import claims, drive_words
from .bundle import DestructionBundle, ErasureStatementFile, Logged, RunEvidence, UnsuccessfulRunBundle
from .envelope import envelope_digest, signer_ids, unverified_body
from .findings.techniques import by_drive
from .keys import fingerprint_words
from .links import Basis
from .statements import Certificate, ErasureStatement, Person, UnsuccessfulRun
from .times import day_for_people, for_people
from .verdict import judge

_CONDITIONS = {"operational": "Operational", "damaged": "Damaged", "unknown": "Not known"}
_ANSWERS = {"yes": "Yes", "no": "No", "unknown": "Not known"}
_DESTINATIONS = {
    "internal-reuse": "Reuse within the organization",
    "external-reuse": "Reuse outside the organization",
    "recycling": "Recycling facility",
    "manufacturer": "Manufacturer",
    "destruction": "Physical destruction",
    "storage": "Storage",
    "other": "Other",
    "undecided": "Not decided yet",
}
_CATEGORIES = {"low": "Low", "moderate": "Moderate", "high": "High"}
_HOLDINGS = {
    "primary": "Primary",
    "replica": "Replica",
    "backup": "Backup",
    "cache": "Cache",
    "swap": "Swap",
    "residue": "Residue",
}
_OUTCOMES = {
    "sanitized": "Sanitized",
    "partial": "Not complete",
    "failed": "Failed",
    "refused": "Refused",
    "interrupted": "Interrupted",
    "unknown": "Not known",
}
_COVERAGES = {"full": "Full", "representative": "Representative", "none": "None"}
_TOUCHED = {
    "no": "No: nothing was written.",
    "maybe": "Not known: a write may have reached the medium.",
    "yes": "Yes: earlier content was at least partly overwritten.",
}


class Row(NamedTuple):
    """A label and what stands beside it."""

    label: str
    value: str
    mono: bool = False


class PersonBlock(NamedTuple):
    """Somebody's part: role, person, moment, and how it was signed."""

    role: str
    person: Person | None
    """None leaves lines to fill in by hand."""
    when: str
    signature: str


def stated(text: str, otherwise: str = "not stated") -> str:
    """The text, or that there is none."""
    return text.strip() or otherwise


def _name(manufacturer: str, model: str, media: str) -> str:
    """What a medium is called; one that tells nothing is called by its kind."""
    told = " ".join(word for word in (manufacturer, model) if word)
    return told or {"virtual": "Virtual block device"}.get(media, "Storage medium")


def _read(evidence: RunEvidence, validation: Logged | None) -> Basis:
    decided = None if validation is None else validation.envelope
    return Basis.read(evidence.order, evidence.approvals, evidence.record, evidence.acceptance.envelope, decided)


def _checking(evidence: RunEvidence | ErasureStatementFile, index: int) -> dict[str, Any]:
    """What somebody needs to check the file."""
    origin, size, _ = evidence.anchor.checkpoint.split("\n", 2)
    digest = evidence.digest()
    return {
        "pin": fingerprint_words(envelope_digest(evidence.anchor.trust_roots[0])),
        "digest": fingerprint_words(digest),
        "digest_plain": digest,
        "log": origin,
        "entry": index,
        "size": size,
    }


def certificate_view(bundle: DestructionBundle) -> dict[str, Any]:
    """A certificate of sanitization."""
    basis = _read(bundle, bundle.validation)
    document = Certificate.from_dict(unverified_body(bundle.certificate.envelope, "certificate"), "certificate")
    said = claims.derive(basis.record)
    medium, done = document.medium, document.sanitization
    method = claims.METHOD_WORDS[done.method]
    decided = basis.validation
    return {
        "title": "Certificate of Sanitization",
        "number": document.number,
        "issued": day_for_people(document.issued),
        "issued_exact": document.issued,
        "organization": document.organization,
        "headline": [
            Row("Outcome", _OUTCOMES[said.verdict.outcome]),
            Row("Method reached", method),
            Row("Verification", _COVERAGES[said.verdict.coverage]),
            Row("Validation", "Approved" if decided and decided.decision == "approve" else "None"),
        ],
        "name": _name(medium.manufacturer, medium.model, basis.record.device.media),
        "serial": stated(medium.serial, "not reported"),
        "medium": _medium_rows(document, basis),
        "work": _work_rows(document, basis),
        "claims": said.granted,
        "exceptions": document.exceptions,
        "commands": _command_cells(basis),
        "does": drive_words.technique_does(done.technique),
        "means": claims.METHOD_MEANS[done.method],
        "destination": Row(_DESTINATIONS[document.destination.kind], document.destination.details),
        "backup": Row(_ANSWERS[medium.backed_up], medium.backup_location),
        "notes": done.notes,
        "people": _people(bundle, basis, document),
        "not_covered": said.not_covered,
        "check": _checking(bundle, bundle.certificate.index),
        "attachment": "destruction-bundle.json",
    }


def _medium_rows(document: Certificate, basis: Basis) -> list[Row]:
    medium, device = document.medium, basis.record.device
    return [
        Row("Manufacturer", stated(medium.manufacturer, "not reported")),
        Row("Model number", stated(medium.model, "not reported")),
        Row("Serial number", stated(medium.serial, "not reported"), mono=True),
        Row("Property number", stated(medium.asset_tag, "none assigned"), mono=True),
        Row("Media type", claims.MEDIA_WORDS[device.media]),
        Row("Interface", _interface(device.kind, device.transport)),
        Row("Capacity", claims.size_words(medium.capacity_bytes)),
        Row("Firmware", stated(device.firmware or "", "not reported"), mono=True),
        Row("World-wide name", stated(device.wwn or device.eui64 or device.nguid or "", "not reported"), mono=True),
        Row("Source", stated(medium.source)),
        Row("Condition", _CONDITIONS[medium.condition]),
        Row("Category before", _CATEGORIES.get(medium.category, stated(medium.category))),
    ]


def _interface(kind: str, transport: str) -> str:
    return kind.upper() if transport in {kind, ""} else f"{transport.upper()} ({kind})"


def _work_rows(document: Certificate, basis: Basis) -> list[Row]:
    done, run, record = document.sanitization, basis.record.run, basis.record
    rows = [
        Row("Method", f"{claims.METHOD_WORDS[done.method]} ({claims.METHOD_CLAUSES[done.method]})"),
        Row("Technique", drive_words.technique_words(done.technique)),
        Row("Details", done.details),
        Row("Tool", done.tool),
        Row("Verification", done.verification),
        Row("Started", for_people(run.started)),
        Row("Finished", for_people(run.finished)),
        Row("Host", record.host.name),
        Row(
            "Policy in force",
            f"{record.policy.id}: {record.policy.required_method}, {record.policy.required_verification} verification",
        ),
    ]
    if done.post_category:
        rows.append(Row("Category after", done.post_category))
    return rows


class CommandCell(NamedTuple):
    """One device command, as the page shows it."""

    number: int
    command: str
    opcode: str
    when: str
    accepted: str
    reported: str
    sent: str
    answer: str
    after: str


_REPORTED = {"success": "Success", "failed": "Failure", "in-progress": "Still at work"}


def _command_cells(basis: Basis) -> list[CommandCell]:
    return [
        CommandCell(
            number=one.number,
            command=one.command,
            opcode=f"{one.opcode}h",
            when=for_people(one.sent_at),
            accepted={"yes": "Yes", "no": "No"}.get(one.accepted, "No answer"),
            reported=_REPORTED.get(one.reported, "Not known"),
            sent=drive_words.bytes_words(one.sent),
            answer=drive_words.bytes_words(one.answer),
            after=drive_words.bytes_words(one.after),
        )
        for one in basis.record.method.commands
    ]


def _people(bundle: DestructionBundle, basis: Basis, document: Certificate) -> list[PersonBlock]:
    people, order, run = document.people, basis.order, basis.record.run
    agent = fingerprint_words(basis.record.host.agent_key)[:19]
    asked = f"Order {order.id}, sealed by the service"
    signed = f"Record signed by the agent of {basis.record.host.name}, key {agent} …"
    if people.requested_by == people.performed_by:
        when = f"Ordered {for_people(order.created)}, finished {for_people(run.finished)}"
        both = "Requested and sanitization performed by"
        blocks = [PersonBlock(both, people.requested_by, when, f"{asked}. {signed}")]
    else:
        blocks = [
            PersonBlock("Requested by", people.requested_by, for_people(order.created), asked),
            PersonBlock("Sanitization performed by", people.performed_by, for_people(run.finished), signed),
        ]
    for envelope, approval, person in zip(bundle.approvals, basis.approvals, people.approved_by, strict=True):
        key = fingerprint_words(signer_ids(envelope)[0])[:19]
        blocks.append(PersonBlock("Approved by", person, for_people(approval.time), f"Signed with own key {key} …"))
    blocks.append(
        PersonBlock(
            "Verified by", people.verified_by, for_people(run.finished), f"Part of the signed record, key {agent} …"
        )
    )
    if basis.validation is not None:
        signature = f"Decision signed by the service, log entry {bundle.validation.index}"
        blocks.append(PersonBlock("Validated by", people.validated_by, for_people(basis.validation.time), signature))
    blocks.append(PersonBlock("Concurrence", people.concurrence, "", ""))
    return blocks


def unsuccessful_view(bundle: UnsuccessfulRunBundle) -> dict[str, Any]:
    """A report of an unsuccessful sanitization."""
    basis = _read(bundle, bundle.validation)
    document = UnsuccessfulRun.from_dict(unverified_body(bundle.report.envelope, "statement"), "report")
    record, device = basis.record, basis.record.device
    verdict = judge(record)
    run = record.run
    return {
        "title": "Report of an unsuccessful sanitization",
        "number": document.number,
        "issued": day_for_people(document.issued),
        "issued_exact": document.issued,
        "organization": document.organization,
        "outcome": _OUTCOMES[verdict.outcome],
        "touched": _TOUCHED.get(run.touched, "Not known."),
        "reasons": document.reasons,
        "error": run.error or "",
        "name": _name(device.vendor or "", device.model or "", device.media),
        "serial": stated(device.serial or "", "not reported"),
        "medium": [
            Row("Manufacturer", stated(device.vendor or "", "not reported")),
            Row("Model number", stated(device.model or "", "not reported")),
            Row("Serial number", stated(device.serial or "", "not reported"), mono=True),
            Row("Property number", stated(document.asset_tag, "none assigned"), mono=True),
            Row("Media type", claims.MEDIA_WORDS.get(device.media, device.media)),
            Row("Capacity", claims.size_words(device.capacity_bytes)),
            Row("Source", stated(document.source)),
        ],
        "work": [
            Row(
                "Requested",
                f"{record.method.requested} by {drive_words.technique_words(record.method.technique)}, "
                f"pattern set {record.method.pattern_set}",
            ),
            Row("Written", _written(basis)),
            Row("Read back", f"{record.verification.kind}, {claims.size_words(record.verification.bytes_read)}"),
            Row("Started", for_people(run.started)),
            Row("Ended", for_people(run.finished)),
            Row("Host", record.host.name),
            Row("Tool", record.tool),
            Row("Order", basis.order.id),
        ],
        "commands": _command_cells(basis),
        "reported_by": document.reported_by,
        "validation": basis.validation,
        "check": _checking(bundle, bundle.report.index),
        "attachment": "unsuccessful-run.json",
    }


def _written(basis: Basis) -> str:
    passes = basis.record.method.passes
    if not passes:
        return "nothing"
    if by_drive(basis.record.method.technique):
        return f"canaries: {claims.size_words(sum(one.bytes_written for one in passes))}"
    words = [
        f"pass {one.number}: {claims.size_words(one.bytes_written)} of {claims.pattern_words(one.pattern)}"
        for one in passes
    ]
    return "; ".join(words)


def statement_view(file: ErasureStatementFile) -> dict[str, Any]:
    """A customer's statement of erasure."""
    document = ErasureStatement.from_dict(unverified_body(file.statement.envelope, "statement"), "statement")
    details: dict[str, dict[str, str]] = {}
    for embedded in file.bundles:
        bundle = embedded.destruction_bundle()
        basis = _read(bundle, bundle.validation)
        verdict = judge(basis.record)
        details[bundle.digest()] = {
            "method": claims.METHOD_WORDS.get(verdict.method, "None"),
            "coverage": _COVERAGES[verdict.coverage],
            "finished": day_for_people(basis.record.run.finished),
            "media": basis.record.device.media,
        }
    media = [
        {
            "name": _name(line.manufacturer, line.model, details[line.bundle_sha256]["media"]),
            "serial": stated(line.serial, "not reported"),
            "asset_tag": stated(line.asset_tag, "none"),
            "data_set": line.data_set,
            "holding": _HOLDINGS.get(line.holding, line.holding),
            "certificate": line.certificate,
            **details[line.bundle_sha256],
        }
        for line in document.media
    ]
    return {
        "title": "Statement of Erasure",
        "number": document.number,
        "issued": day_for_people(document.issued),
        "issued_exact": document.issued,
        "organization": document.organization,
        "case": document.case,
        "opened": day_for_people(document.opened),
        "due": day_for_people(document.due),
        "data_sets": document.data_sets,
        "complete": document.complete,
        "media": media,
        "attested": [(one, day_for_people(one.time)) for one in document.attested],
        "open": [(one, _due(one.due)) for one in document.open],
        "responsible": document.responsible,
        "check": _checking(file, file.statement.index),
        "attachment": "erasure-statement.json",
    }


def _due(text: str) -> str:
    """A due date; free words are printed as they are."""
    return day_for_people(text) if text.endswith("Z") else stated(text, "no date")
