"""What people and the service state about a record: the payloads of logged envelopes.

Each is a frozen dataclass with a strict reader: `from_dict` refuses missing, unknown and ill-typed fields, `to_dict` gives what
`envelope.sign` signs. Digests named `..._sha256` are envelope digests (`envelope.envelope_digest`) unless said otherwise. Text
that nobody stated is the empty string, never invented. Standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from .parts import StrictPart

Answer = Literal["yes", "no", "unknown"]

ACCEPTANCE: Final = "sanitrail/acceptance/1"
VALIDATION: Final = "sanitrail/validation/1"
CERTIFICATE: Final = "sanitrail/certificate/1"
KEY_EVENT: Final = "sanitrail/key-event/1"
KEY_CHANGE: Final = "sanitrail/key-event/2"
ERASURE_STATEMENT: Final = "sanitrail/statement/1"
UNSUCCESSFUL_RUN: Final = "sanitrail/unsuccessful-run-report/1"
CUSTODY: Final = "sanitrail/custody/1"
CORRECTION: Final = "sanitrail/correction/1"


@dataclass(frozen=True, kw_only=True)
class Person(StrictPart):
    """Who did something (SP 800-88 Rev. 2, 4.6: name, position/title, location, contact information)."""

    ref: str
    """The pseudonym by which orders, approvals and records name the person."""
    name: str
    title: str
    organization: str
    location: str
    contact: str


@dataclass(frozen=True, kw_only=True)
class Organization(StrictPart):
    """Who issues a document."""

    name: str
    unit: str
    address: str
    contact: str


@dataclass(frozen=True, kw_only=True)
class AcceptedDevice(StrictPart):
    """The medium as the inventory knows it."""

    id: str
    asset_tag: str
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class AcceptedHost(StrictPart):
    """The host that sent the record, as the inventory knows it."""

    id: str
    name: str
    agent_key: str


@dataclass(frozen=True, kw_only=True)
class AcceptanceChecks(StrictPart):
    """What the service checked before it took the record in; a certificate needs `yes` everywhere."""

    identity_matches_inventory: Answer
    order_known: Answer
    approvals_sufficient: Answer
    nonce_unused: Answer
    token_current: Answer
    """The record came under the newest lease of its order (an older one is kept as evidence and changes nothing)."""


@dataclass(frozen=True, kw_only=True)
class Acceptance(StrictPart):
    """The service took a record in: binds record, order, approvals, device and host. Never re-signs the record itself."""

    schema: Literal["sanitrail/acceptance/1"] = ACCEPTANCE
    order_sha256: str
    record_sha256: str
    approvals: tuple[str, ...]
    """Envelope digests, in the order in which the bundle lists the approvals."""
    checks: AcceptanceChecks
    device: AcceptedDevice
    host: AcceptedHost
    received: str


@dataclass(frozen=True, kw_only=True)
class VerdictWords(StrictPart):
    """A verdict's three axes in words (`verdict.Verdict`)."""

    outcome: str
    method: str
    coverage: str


@dataclass(frozen=True, kw_only=True)
class Validation(StrictPart):
    """A person's decision whether the result suffices (SP 800-88 Rev. 2, 4.5.2); only `approve` opens the gate."""

    schema: Literal["sanitrail/validation/1"] = VALIDATION
    decision: Literal["approve", "reject", "escalate"]
    record_sha256: str
    acceptance_sha256: str
    verdict: VerdictWords
    """The verdict the person saw; must be the one that follows from the record."""
    validator: Person
    policy_id: str
    policy_sha256: str
    reason: str
    time: str


@dataclass(frozen=True, kw_only=True)
class CertifiedMedium(StrictPart):
    """MEDIA INFORMATION (Rev. 1, 4.8 and App. G; Rev. 2, 4.6 and App. C)."""

    manufacturer: str
    model: str
    serial: str
    asset_tag: str
    """Organizationally assigned media or property number."""
    media_type: str
    source: str
    """User, computer or system the medium came from."""
    category: str
    """Pre-sanitization confidentiality categorization (optional): low, moderate, high or empty."""
    condition: Literal["operational", "damaged", "unknown"]
    backed_up: Answer
    backup_location: str
    capacity_bytes: int
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class CertifiedSanitization(StrictPart):
    """SANITIZATION DETAILS (Rev. 1, 4.8 and App. G; Rev. 2, 4.6): method and technique in Rev. 2's sense of the words."""

    method: Literal["clear", "purge"]
    technique: str
    details: str
    tool: str
    """Including its version."""
    verification: str
    post_category: str
    """Post-sanitization confidentiality categorization (optional, Rev. 1 only)."""
    notes: str


@dataclass(frozen=True, kw_only=True)
class Destination(StrictPart):
    """MEDIA DESTINATION (Rev. 1, App. G; Rev. 2, App. C)."""

    kind: Literal[
        "internal-reuse", "external-reuse", "recycling", "manufacturer", "destruction", "storage", "other", "undecided"
    ]
    details: str


@dataclass(frozen=True, kw_only=True)
class People(StrictPart):
    """Who took part. Dates and signatures are in the signed evidence itself, so they are not repeated here."""

    requested_by: Person
    performed_by: Person
    approved_by: tuple[Person, ...]
    verified_by: Person
    validated_by: Person
    concurrence: Person | None
    """Second signature beside the validator's (Rev. 2, App. C); None leaves an empty line on paper."""


@dataclass(frozen=True, kw_only=True)
class Certificate(StrictPart):
    """What a certificate of sanitization says beyond the record; `certificate.issue` alone makes it."""

    schema: Literal["sanitrail/certificate/1"] = CERTIFICATE
    number: str
    issued: str
    organization: Organization
    medium: CertifiedMedium
    sanitization: CertifiedSanitization
    destination: Destination
    people: People
    exceptions: tuple[str, ...]
    """In plain words, as `claims` derives them, followed by those of the inventory (waivers)."""
    record_sha256: str
    acceptance_sha256: str
    validation_sha256: str


@dataclass(frozen=True, kw_only=True)
class UnsuccessfulRun(StrictPart):
    """Report of an unsuccessful sanitization: what failed, and that nothing is certified. Not a certificate."""

    schema: Literal["sanitrail/unsuccessful-run-report/1"] = UNSUCCESSFUL_RUN
    number: str
    issued: str
    organization: Organization
    asset_tag: str
    source: str
    reported_by: Person
    verdict: VerdictWords
    reasons: tuple[str, ...]
    """In plain words, as the verdict and the claims derive them."""
    record_sha256: str
    acceptance_sha256: str
    validation_sha256: str | None


@dataclass(frozen=True, kw_only=True)
class KeyEvent(StrictPart):
    """A key of an agent or approver comes into force or leaves it; signed by the enrolment key."""

    schema: Literal["sanitrail/key-event/1"] = KEY_EVENT
    event: Literal["enrol", "revoke"]
    role: Literal["agent", "approver"]
    ref: str
    """Host number of an agent, pseudonym of an approver."""
    spki: str
    """Base64 of the DER SubjectPublicKeyInfo; of an approver's passkey, of its document (`passkeys`)."""
    time: str
    valid_below: int | None
    """Of a revocation: statements accepted below this log index still count. None means the revocation's own index."""


@dataclass(frozen=True, kw_only=True)
class KeyChange(StrictPart):
    """A key of an agent or approver takes the place of another, or is given an end; signed by the enrolment key."""

    schema: Literal["sanitrail/key-event/2"] = KEY_CHANGE
    event: Literal["rotate", "expire"]
    role: Literal["agent", "approver"]
    ref: str
    """Host number of an agent, pseudonym of an approver."""
    spki: str
    """Base64 of the DER SubjectPublicKeyInfo: the new key of a rotation, the ending key of an expiry."""
    replaces: str | None
    """Of a rotation: id of the key that this one replaces, which was enrolled under the same role and ref."""
    until_index: int
    """Statements accepted below this log index count by the ending key; never below the event's own index."""
    time: str


@dataclass(frozen=True, kw_only=True)
class ErasedMedium(StrictPart):
    """One medium of an erasure case that is proven clean."""

    data_set: str
    holding: str
    """primary, replica, backup, cache, swap, residue."""
    manufacturer: str
    model: str
    serial: str
    asset_tag: str
    certificate: str
    """Number of its certificate."""
    bundle_sha256: str
    """SHA-256 of the destruction bundle's bytes, embedded in the same statement."""


@dataclass(frozen=True, kw_only=True)
class Attestation(StrictPart):
    """An obligation that a person attests to, where no machine can prove it (rows deleted, backup expired)."""

    obligation: str
    data_set: str
    kind: str
    text: str
    attested_by: Person
    time: str


@dataclass(frozen=True, kw_only=True)
class OpenObligation(StrictPart):
    """What is still to be done, and why."""

    obligation: str
    data_set: str
    medium: str
    kind: str
    why: str
    due: str


@dataclass(frozen=True, kw_only=True)
class ErasureStatement(StrictPart):
    """What became of one customer's data on every medium that held it; `complete` only when nothing is open."""

    schema: Literal["sanitrail/statement/1"] = ERASURE_STATEMENT
    number: str
    issued: str
    organization: Organization
    case: str
    """The customer's opaque reference; never a name."""
    opened: str
    due: str
    responsible: Person
    data_sets: tuple[str, ...]
    media: tuple[ErasedMedium, ...]
    attested: tuple[Attestation, ...]
    open: tuple[OpenObligation, ...]
    complete: bool


@dataclass(frozen=True, kw_only=True)
class CustodyEvent(StrictPart):
    """A device changed hands, place or state (SP 800-88 Rev. 2, 4.6: evidence of who had the media, and when).

    Signed by the service; the log holds its digest. Each names the one before of the same device, so that none can be left out.
    """

    schema: Literal["sanitrail/custody/1"] = CUSTODY
    device: str
    asset_tag: str
    fingerprint: str
    """Empty while no agent has seen the device."""
    event: str
    """Tag of the event in the inventory's history, such as `device.released`."""
    state: str
    """State of the device after the event."""
    location: str
    """Number of the location after the event; empty where none is known."""
    actor: str
    """Pseudonym of the person, number of the agent's host, or `system`."""
    reason: str
    order: str
    previous: str | None
    """Envelope digest of this device's custody event before; None for the first."""
    time: str


@dataclass(frozen=True, kw_only=True)
class Correction(StrictPart):
    """A document that was issued counts no more, or another takes its place. Nothing is deleted: the document stays in the log.

    It is about the document alone: the record, and what became of the medium, are as they were.
    """

    schema: Literal["sanitrail/correction/1"] = CORRECTION
    action: Literal["void", "supersede"]
    document: str
    """Number of the document."""
    document_sha256: str
    """Envelope digest of the document's signed statement."""
    document_index: int
    """Its place in the log."""
    replacement: str
    """Number of the document that takes its place; empty for `void`."""
    replacement_sha256: str | None
    reason: str
    corrected_by: str
    """Pseudonym: a correction is published with the log."""
    time: str
