"""Certificate of physical destruction: what people attest to have done and seen, beside the little a machine could know. Pure.

Nobody can read a destroyed medium back, so this certificate rests on people: an operator who did it, a witness and a second
person who each sign the facts with a key of their own, and a validator. `issue` refuses what is missing; `report` says what is.
The verifier calls `check` to see whether a document says what follows from its facts and signatures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from .canonical import digest_of, is_sha256
from .errors import BrokenChain, ClaimRefused
from .language.speaker import ENGLISH, Said, said
from .parts import StrictPart
from .personal import PersonalSignature, SignerRole, fitting
from .statements import Destination, Organization, Person
from .times import parse_instant

DESTRUCTION_FACTS: Final = "sanitrail/destruction-facts/1"
DESTRUCTION_CERTIFICATE: Final = "sanitrail/destruction-certificate/1"
ROLES: Final[tuple[SignerRole, ...]] = ("witness", "countersigner")
DESTROY_CLAUSE: Final = "NIST SP 800-88 Rev. 2, 3.1.3"
DEGAUSS_CLAUSE: Final = "NIST SP 800-88 Rev. 2, 3.1.2"


class Technique(NamedTuple):
    """A technique, where the standard names it, and where it may be used."""

    clause: str
    media: tuple[str, ...] = ()
    """Which media it is for; empty: any."""
    low_only: bool = False
    """`Pulverize and shred ... should be avoided for anything but the lowest security categories` (3.1.3)."""


TECHNIQUES: Final[dict[str, Technique]] = {
    "disintegrate": Technique(DESTROY_CLAUSE),
    "incinerate": Technique(DESTROY_CLAUSE),
    "melt": Technique(DESTROY_CLAUSE),
    "pulverize": Technique(DESTROY_CLAUSE, low_only=True),
    "shred": Technique(DESTROY_CLAUSE, low_only=True),
    # A purge technique of legacy magnetic media, never of flash; alone it is no destruction.
    "degauss-then-destroy": Technique(f"{DEGAUSS_CLAUSE} (degaussing), then 3.1.3", media=("magnetic",)),
}


@dataclass(frozen=True, kw_only=True)
class DestroyedMedium(StrictPart):
    """The medium as the inventory knew it before it was destroyed."""

    id: str
    asset_tag: str
    fingerprint: str
    """Of the identity an agent read; empty: no agent ever identified it."""
    manufacturer: str
    model: str
    serial: str
    """As an agent read it; empty where none did."""
    media: str
    """magnetic, flash, virtual, unknown."""
    capacity_bytes: int
    observed: str
    """When an agent read the identity last; empty: never."""
    observed_on: str
    """Host on which it did."""


@dataclass(frozen=True, kw_only=True)
class DestructionFacts(StrictPart):
    """What the operator states; fixed before anybody else signs."""

    schema: Literal["sanitrail/destruction-facts/1"] = DESTRUCTION_FACTS
    id: str
    medium: DestroyedMedium
    serial_read: str
    """The serial number a person read from the medium right before; compared with what an agent read."""
    technique: str
    particle_size_mm: int | None
    equipment: str
    """With its calibration or approval."""
    place: str
    performed: str
    recorded: str
    photographs: tuple[str, ...]
    """SHA-256 of photographs, videos and papers."""
    category: str
    """Highest confidentiality category of what it held: low, moderate, high, or empty for not known."""
    operator: Person
    note: str

    def digest(self) -> str:
        """What the personal signatures name."""
        return digest_of(self.to_dict())


@dataclass(frozen=True, kw_only=True)
class Decision(StrictPart):
    """The validator's decision."""

    decision: Literal["approve", "reject", "escalate", "none"]
    """`none`: nobody has decided."""
    validator: Person | None
    reason: str
    time: str


@dataclass(frozen=True, kw_only=True)
class DestructionCertificate(StrictPart):
    """The certificate; with `missing` not empty it is a report, and certifies nothing."""

    schema: Literal["sanitrail/destruction-certificate/1"] = DESTRUCTION_CERTIFICATE
    number: str
    issued: str
    organization: Organization
    facts: DestructionFacts
    witness: Person | None
    countersigner: Person | None
    signatures: tuple[str, ...]
    """Envelope digests of the personal signatures: witness, second person."""
    decision: Decision
    record_sha256: str | None
    """Envelope digest of a record in which an agent signed this medium's identity, where there is one."""
    requested_by: Person | None
    concurrence: Person | None
    destination: Destination
    """Of what is left."""
    exceptions: tuple[str, ...]
    missing: tuple[str, ...]
    """Why this is no certificate; empty: it is one."""

    @property
    def certified(self) -> bool:
        """Whether it is a certificate."""
        return not self.missing


@dataclass(frozen=True, kw_only=True)
class DestructionParticulars:
    """What the document states that follows from nothing else."""

    number: str
    issued: str
    organization: Organization
    witness: Person | None
    countersigner: Person | None
    signatures: tuple[str, ...]
    decision: Decision
    record_sha256: str | None
    requested_by: Person | None
    concurrence: Person | None
    destination: Destination


def issue(
    facts: DestructionFacts, signatures: Sequence[PersonalSignature], particulars: DestructionParticulars
) -> DestructionCertificate:
    """The certificate that follows.

    Raises:
        ClaimRefused: something is missing; `missing` says what.
        BrokenChain: a signature is about something else, or by somebody else than the document names.
        MalformedDocument: a time is none.
    """
    document = compose(facts, signatures, particulars)
    if document.missing:
        raise ClaimRefused("certificate of destruction", document.missing)
    return document


def report(
    facts: DestructionFacts, signatures: Sequence[PersonalSignature], particulars: DestructionParticulars
) -> DestructionCertificate:
    """The report of a destruction that earns no certificate. Raises `ClaimRefused` where it earns one; else as `issue`."""
    document = compose(facts, signatures, particulars)
    if not document.missing:
        raise ClaimRefused("report of a destruction without a certificate", ("Nothing is missing for a certificate.",))
    return document


def compose(
    facts: DestructionFacts, signatures: Sequence[PersonalSignature], particulars: DestructionParticulars
) -> DestructionCertificate:
    """The document that follows, whatever it amounts to. Raises `BrokenChain`, `MalformedDocument`."""
    given = fitting(signatures, subject=facts.id, sha256=facts.digest(), roles=ROLES)
    signers = {one.role: one.signer for one in given}
    for role, person in (("witness", particulars.witness), ("countersigner", particulars.countersigner)):
        if role in signers and (person is None or person.ref != signers[role]):
            raise BrokenChain("destruction", f"the {role} it names did not sign as such.")
    if len(particulars.signatures) != len(given):
        raise BrokenChain("destruction", "it does not name its personal signatures.")
    for time in (particulars.issued, facts.performed, facts.recorded):
        parse_instant(time, "destruction")
    return DestructionCertificate(
        number=particulars.number,
        issued=particulars.issued,
        organization=particulars.organization,
        facts=facts,
        witness=particulars.witness,
        countersigner=particulars.countersigner,
        signatures=particulars.signatures,
        decision=particulars.decision,
        record_sha256=particulars.record_sha256,
        requested_by=particulars.requested_by,
        concurrence=particulars.concurrence,
        destination=particulars.destination,
        exceptions=tuple(ENGLISH.tell(one) for one in exceptions(facts)),
        missing=tuple(ENGLISH.tell(one) for one in missing(facts, given, particulars)),
    )


def check(document: DestructionCertificate, signatures: Sequence[PersonalSignature]) -> None:
    """Raise `BrokenChain` unless the document says exactly what follows from its facts and signatures."""
    if compose(document.facts, signatures, particulars_of(document)) != document:
        raise BrokenChain("destruction", "what it says does not follow from its facts and signatures.")


def particulars_of(document: DestructionCertificate) -> DestructionParticulars:
    """What a document states that follows from nothing else."""
    return DestructionParticulars(
        number=document.number,
        issued=document.issued,
        organization=document.organization,
        witness=document.witness,
        countersigner=document.countersigner,
        signatures=document.signatures,
        decision=document.decision,
        record_sha256=document.record_sha256,
        requested_by=document.requested_by,
        concurrence=document.concurrence,
        destination=document.destination,
    )


def missing(
    facts: DestructionFacts, signatures: Sequence[PersonalSignature], particulars: DestructionParticulars
) -> tuple[Said, ...]:
    """Why the facts and signatures do not carry a certificate; empty when they do."""
    return (
        *_identity_missing(facts),
        *_technique_missing(facts),
        *_people_missing(facts, signatures, particulars),
    )


def same_serial(read: str, known: str) -> bool:
    """Whether a person read what the agent read: case and spaces do not count, nothing else is forgiven."""
    plain = "".join(read.split()).upper()
    return bool(plain) and plain == "".join(known.split()).upper()


def _identity_missing(facts: DestructionFacts) -> list[Said]:
    medium = facts.medium
    if not (is_sha256(medium.fingerprint) and medium.serial and medium.observed):
        return [said("destruction.missing-identity")]
    if not facts.serial_read.strip():
        return [said("destruction.missing-serial-read")]
    if not same_serial(facts.serial_read, medium.serial):
        return [said("destruction.missing-serial-other", read=facts.serial_read, known=medium.serial)]
    return []


def _technique_missing(facts: DestructionFacts) -> list[Said]:
    found: list[Said] = []
    technique = TECHNIQUES.get(facts.technique)
    if technique is None:
        found.append(said("destruction.missing-technique"))
    elif technique.media and facts.medium.media not in technique.media:
        found.append(said("destruction.missing-degauss"))
    stated = {"equipment": facts.equipment, "place": facts.place}
    found += [said(f"destruction.missing-{name}") for name, text in stated.items() if not text.strip()]
    if not facts.photographs or not all(is_sha256(one) for one in facts.photographs):
        found.append(said("destruction.missing-photographs"))
    if parse_instant(facts.performed) > parse_instant(facts.recorded):
        found.append(said("destruction.missing-time"))
    return found


def _people_missing(
    facts: DestructionFacts, signatures: Sequence[PersonalSignature], particulars: DestructionParticulars
) -> list[Said]:
    found = []
    roles = {one.role for one in signatures}
    if not facts.operator.name.strip():
        found.append(said("destruction.missing-operator"))
    for role in ROLES:
        person = particulars.witness if role == "witness" else particulars.countersigner
        if role not in roles or person is None or not person.name.strip():
            found.append(said(f"destruction.missing-{role}"))
    decision = particulars.decision
    if decision.decision != "approve" or decision.validator is None or not decision.validator.name.strip():
        found.append(said("destruction.missing-decision", decision=decision.decision, reason=decision.reason))
    people = [facts.operator.ref, *(one.signer for one in signatures)]
    if decision.validator is not None:
        people.append(decision.validator.ref)
    # A second person may validate; operator, witness and second person are three.
    apart = len(set(people[: 1 + len(signatures)])) == 1 + len(signatures)
    own = decision.validator is not None and decision.validator.ref in {
        facts.operator.ref,
        signer_of(signatures, "witness"),
    }
    if not apart or own:
        found.append(said("destruction.missing-separation"))
    early = [one for one in signatures if parse_instant(one.time) < parse_instant(facts.performed)]
    if early:
        found.append(said("destruction.missing-early"))
    return found


def signer_of(signatures: Sequence[PersonalSignature], role: SignerRole) -> str:
    """Who signed in a role; empty where nobody did."""
    return next((one.signer for one in signatures if one.role == role), "")


def exceptions(facts: DestructionFacts) -> tuple[Said, ...]:
    """What a reader must be told on the first page."""
    found: list[Said] = []
    technique = TECHNIQUES.get(facts.technique)
    if technique is not None and technique.low_only and facts.category != "low":
        word = facts.category or "unknown"
        found.append(said("destruction.exception-low-only", technique=said(f"destruction.technique-{facts.technique}"),
                          category=said(f"destruction.category-{word}")))  # fmt: skip
    if facts.particle_size_mm is None and facts.technique in {"shred", "pulverize", "disintegrate"}:
        found.append(said("destruction.exception-no-size"))
    if facts.medium.media == "unknown":
        found.append(said("destruction.exception-media"))
    if not facts.medium.asset_tag:
        found.append(said("destruction.exception-tag"))
    return tuple(found)


class Attested(NamedTuple):
    """A sentence, and on whose word it rests."""

    by: Literal["machine", "signed", "stated", "nobody"]
    """An agent's signed record; a person's own signature; a person's word through the service; no evidence at all."""
    text: Said


def claims(
    document: DestructionCertificate, signatures: Sequence[PersonalSignature], *, record: bool
) -> tuple[Attested, ...]:
    """What may be said of a destruction, kept apart by what it rests on. `record`: an agent's record of the identity is there."""
    facts = document.facts
    medium = facts.medium
    found: list[Attested] = []
    if medium.fingerprint:
        key = "destruction.claim-identity-record" if record else "destruction.claim-identity"
        by: Literal["machine", "stated"] = "machine" if record else "stated"
        found.append(Attested(by, said(key, serial=medium.serial, host=medium.observed_on)))
    how = said(f"destruction.technique-{facts.technique}") if facts.technique in TECHNIQUES else facts.technique
    found.append(
        Attested("stated", said("destruction.claim-operator", name=facts.operator.name, how=how, place=facts.place))
    )
    found.append(
        Attested("stated", said("destruction.claim-serial", name=facts.operator.name, serial=facts.serial_read))
    )
    for one in signatures:
        person = document.witness if one.role == "witness" else document.countersigner
        name = one.signer if person is None else person.name
        found.append(Attested("signed", said(f"destruction.claim-{one.role}", name=name, said=one.said or "-")))
    decision = document.decision
    if decision.validator is not None:
        found.append(Attested("stated", said("destruction.claim-validator", name=decision.validator.name,
                                             decision=said(f"destruction.decision-{decision.decision}"))))  # fmt: skip
    found += [
        Attested("nobody", said(f"destruction.claim-none-{part}")) for part in ("readback", "same", "photographs")
    ]
    return tuple(found)
