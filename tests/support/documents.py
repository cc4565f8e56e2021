"""Lots, processors' statements and destructions, made by the product's own code over the world of `evidence`. Tests cheat."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from reports import destruction, lot, processor
from reports.bundle import DestructionBundle, Logged, encode_hashes
from reports.destruction import Decision, DestroyedMedium, DestructionCertificate, DestructionFacts
from reports.envelope import Envelope, envelope_digest, sign, unverified_body
from reports.files import DestructionFile, Identity, LotFile, Member, ProcessorFile
from reports.keys import FileSigner
from reports.media import MediumLine, annex_digest, destroyed_line, sanitized_line
from reports.personal import PersonalSignature, SignerRole, read_signatures
from reports.processor import Agreement, DoneByWord, ProcessorInput, ProcessorStatement, SubProcessor
from reports.statements import Certificate, Destination, Organization, Person
from tests.support.evidence import APPROVERS, ORGANIZATION, REQUESTER, VALIDATOR, Story, World, certified, good_record

PHOTOGRAPHS = ("1" * 64, "2" * 64)
REMAINS = Destination(kind="recycling", details="Certified smelter, Penang")
CONTROLLER = Organization(
    name="Example Bank AG", unit="", address="1 Bankplatz, 60311 Frankfurt", contact="dpo@bank.example"
)
LEFT = "No order was ever given for it."


def signer_of(world: World, ref: str) -> FileSigner:
    """The key of an approver."""
    return dict(zip((who.ref for who in APPROVERS), world.approvers, strict=True))[ref]


def personal(
    world: World,
    role: SignerRole,
    who: Person,
    subject: str,
    sha256: str,
    signer: FileSigner | None = None,
    **changes: Any,  # noqa: ANN401 - fields of the payload
) -> Envelope:
    """Somebody signs with their own key."""
    fields: dict[str, Any] = {
        "role": role,
        "subject": subject,
        "sha256": sha256,
        "signer": who.ref,
        "shown": f"{subject}: what was shown",
        "said": "I stood beside the machine." if role == "witness" else "",
        "time": "2026-11-22T16:10:00Z",
        **changes,
    }
    return sign("personal-signature", PersonalSignature(**fields).to_dict(), signer or signer_of(world, who.ref))


def destruction_facts(**changes: Any) -> DestructionFacts:  # noqa: ANN401 - fields of the facts
    """A shredded hard disk; fields of the medium may be given as `medium_...`."""
    record = good_record()
    medium: dict[str, Any] = {
        "id": "D-000042",
        "asset_tag": "AT-004711",
        "fingerprint": record.device.fingerprint,
        "manufacturer": "Example Drives",
        "model": "EX-500-HDD",
        "serial": "WD-WCC6Y3TN7F2K",
        "media": "magnetic",
        "capacity_bytes": record.device.capacity_bytes,
        "observed": "2026-11-22T08:00:00Z",
        "observed_on": "crm-db-01",
    }
    medium |= {name.removeprefix("medium_"): changes.pop(name) for name in list(changes) if name.startswith("medium_")}
    fields: dict[str, Any] = {
        "id": "DR-00007",
        "medium": DestroyedMedium(**medium),
        "serial_read": "wd-wcc6y3tn7f2k",
        "technique": "disintegrate",
        "particle_size_mm": 2,
        "equipment": "Disintegrator X-2000, calibrated 2026-09-01",
        "place": "Secure yard 1, Shah Alam",
        "performed": "2026-11-22T16:00:00Z",
        "recorded": "2026-11-22T16:05:00Z",
        "photographs": PHOTOGRAPHS,
        "category": "moderate",
        "operator": REQUESTER,
        "note": "",
        **changes,
    }
    return DestructionFacts(**fields)


@dataclasses.dataclass
class Destroyed:
    """One destruction from facts to document. Change a part before `issue` to tell another story."""

    world: World
    facts: DestructionFacts = dataclasses.field(default_factory=destruction_facts)
    signatures: list[Envelope] | None = None
    decision: Decision = dataclasses.field(
        default_factory=lambda: Decision(
            decision="approve", validator=VALIDATOR, reason="Seen on the photographs.", time="2026-11-22T16:30:00Z"
        )
    )
    witness: Person | None = APPROVERS[0]
    countersigner: Person | None = APPROVERS[1]
    identity: Story | None = None

    def sign(self) -> list[Envelope]:
        """Witness and second person sign."""
        if self.signatures is None:
            digest = self.facts.digest()
            self.signatures = [
                personal(self.world, "witness", APPROVERS[0], self.facts.id, digest),
                personal(self.world, "countersigner", APPROVERS[1], self.facts.id, digest),
            ]
        return self.signatures

    def particulars(self) -> destruction.DestructionParticulars:
        """What nothing else says."""
        return destruction.DestructionParticulars(
            number="DC-2026-000007",
            issued="2026-11-22T17:00:00Z",
            organization=ORGANIZATION,
            witness=self.witness,
            countersigner=self.countersigner,
            signatures=tuple(envelope_digest(one) for one in self.sign()),
            decision=self.decision,
            record_sha256=None if self.identity is None else envelope_digest(self.identity.record_envelope),
            requested_by=None,
            concurrence=None,
            destination=REMAINS,
        )

    def compose(self) -> DestructionCertificate:
        """The document, whatever it amounts to."""
        return destruction.compose(self.facts, read_signatures(self.sign()), self.particulars())

    def issue(self, body: Mapping[str, Any] | None = None) -> DestructionFile:
        """Sign, log and bundle: the honest document, or any body the service signs."""
        world = self.world
        document = self.compose().to_dict() if body is None else dict(body)
        self.envelope = sign("statement", document, world.acceptance)
        self.index = world.log.append("statement", self.envelope)
        return self.file()

    def file(self) -> DestructionFile:
        """The file against the present state of the log."""
        world, shown = self.world, self.identity
        signed = bool(self.sign())
        return DestructionFile(
            anchor=world.anchor(),
            key_events=tuple(world.logged(*event) for event in world.events) if signed or shown else (),
            earlier_rosters=tuple(world.logged(*one) for one in world.rosters[:-1]) if signed else (),
            roster=world.logged(*world.rosters[-1]) if signed else None,
            signatures=tuple(self.sign()),
            identity=None
            if shown is None
            else Identity(record=shown.record_envelope, acceptance=world.logged(shown.acceptance, shown.accepted_at)),
            statement=world.logged(self.envelope, self.index),
        )


def medium_of(story: Story, device: str, held: Sequence[str] = ()) -> tuple[MediumLine, DestructionBundle]:
    """The line and bundle of a certified story."""
    file = story.bundle()
    body = Certificate.from_dict(unverified_body(file.certificate.envelope, "certificate"))
    digest = envelope_digest(file.certificate.envelope)
    line = sanitized_line(body, device=device, held=held, document_sha256=digest, bundle_sha256=file.digest())
    return line, file


def destroyed_of(story: Destroyed, device: str, held: Sequence[str] = ()) -> tuple[MediumLine, DestructionFile]:
    """The line and file of a certified destruction."""
    file = story.file()
    body = DestructionCertificate.from_dict(unverified_body(file.statement.envelope, "statement"))
    digest = envelope_digest(file.statement.envelope)
    line = destroyed_line(body, device=device, held=held, document_sha256=digest, bundle_sha256=file.digest())
    return line, file


def unproven(device: str, outcome: Any = "open", reason: str = LEFT, held: Sequence[str] = ()) -> MediumLine:  # noqa: ANN401 - an outcome
    """A line without proof."""
    return MediumLine(
        device=device, asset_tag=f"AT-{device}", manufacturer="Example Drives", model="EX-500-HDD", serial=f"S-{device}",
        fingerprint="", held=tuple(held), outcome=outcome, method="", technique="", verification="", document="",
        issued="", document_sha256="", bundle_sha256="", exceptions=0, reason=reason,
    )  # fmt: skip


def member(world: World, file: DestructionBundle | DestructionFile, *, inside: bool = True) -> Member:
    """The member of a medium's own file, against the present state of the log."""
    item = file.certificate if isinstance(file, DestructionBundle) else file.statement
    size = int(file.anchor.checkpoint.split("\n")[1])
    return Member(
        document=Logged(envelope=item.envelope, index=item.index, proof=world.logged(item.envelope, item.index).proof),
        consistency=encode_hashes(world.log.consistency(size)),
        bundle=file.to_dict() if inside else None,
    )


@dataclasses.dataclass
class Lot:
    """A lot of media and what is left of it."""

    world: World
    media: list[tuple[MediumLine, DestructionBundle | DestructionFile]]
    left: list[MediumLine] = dataclasses.field(default_factory=list)
    evidence: Literal["inside", "beside"] = "inside"

    @property
    def lines(self) -> tuple[MediumLine, ...]:
        """The annex."""
        return (*(line for line, _ in self.media), *self.left)

    def exceptions(self) -> list[tuple[str, ...]]:
        """Those of the certificates, in the order of the lines."""
        found = []
        for _, file in self.media:
            item = file.certificate if isinstance(file, DestructionBundle) else file.statement
            kind: Any = "certificate" if isinstance(file, DestructionBundle) else "statement"
            found.append(tuple(unverified_body(item.envelope, kind)["exceptions"]))
        return found

    def facts(self) -> lot.LotFacts:
        """What is stated of it."""
        return lot.LotFacts(
            number="LC-2026-000003", issued="2026-11-22T18:00:00Z", organization=ORGANIZATION, lot="Pallet 17",
            reference="Order 4711/2026", requested_by=REQUESTER, responsible=VALIDATOR, concurrence=None,
            destination=REMAINS, evidence=self.evidence,
        )  # fmt: skip

    def issue(self, body: Mapping[str, Any] | None = None) -> LotFile:
        """Sign, log and bundle: the honest document, or any body the service signs."""
        honest = lot.compose(self.facts(), self.lines, self.exceptions()).to_dict() if body is None else dict(body)
        self.envelope = sign("statement", honest, self.world.acceptance)
        self.index = self.world.log.append("statement", self.envelope)
        return self.file()

    def file(self) -> LotFile:
        """The file against the present state of the log."""
        inside = self.evidence == "inside"
        return LotFile(
            anchor=self.world.anchor(),
            statement=self.world.logged(self.envelope, self.index),
            annex=self.lines,
            members=tuple(member(self.world, file, inside=inside) for _, file in self.media),
        )

    def beside(self, sha256: str) -> bytes | None:
        """The folder beside it."""
        return {line.bundle_sha256: file.to_bytes() for line, file in self.media}.get(sha256)


def three_media(world: World) -> Lot:
    """Two sanitized media and a destroyed one."""
    stories = [
        certified(world, good_record(serial=f"SERIAL-{number}"), number=f"SC-2026-00000{number}") for number in (1, 2)
    ]
    gone = Destroyed(world)
    gone.issue()
    media: list[tuple[MediumLine, DestructionBundle | DestructionFile]] = [
        medium_of(story, f"D-{number}", ("CRM production (primary)",)) for number, story in enumerate(stories, 1)
    ]
    return Lot(world, [*media, destroyed_of(gone, "D-3", ("CRM backups (backup)",))])


@dataclasses.dataclass
class Processor:
    """A processor's statement over a lot's media."""

    lot: Lot
    changes: dict[str, Any] = dataclasses.field(default_factory=dict)
    responsible: Person = APPROVERS[1]

    def given(self) -> ProcessorInput:
        """What is said of it."""
        fields: dict[str, Any] = {
            "number": "PS-2026-000002",
            "prepared": "2026-11-22T18:00:00Z",
            "controller": CONTROLLER,
            "processor": ORGANIZATION,
            "agreement": Agreement(
                reference="DPA-2024/118", concluded="2024-02-01T00:00:00Z", ended="2026-10-31T22:00:00Z"
            ),
            "choice": "delete",
            "data_sets": ("CRM production", "CRM backups"),
            "done": (
                DoneByWord(
                    kind="deleted", data_set="CRM production", text="The controller's rows were deleted.",
                    receipt_sha256="", by=REQUESTER, time="2026-11-03T09:30:00Z",
                ),
            ),
            "retained": (),
            "sub_processors": (
                SubProcessor(name="Example Tapes Ltd", role="Backup", complete="yes", evidence="ET-9", evidence_sha256="3" * 64),
            ),
            "open": (),
            "evidence": self.lot.evidence,
            "responsible": self.responsible,
            **self.changes,
        }  # fmt: skip
        return ProcessorInput(**fields)

    def compose(self) -> processor.ProcessorFacts:
        """The facts that follow."""
        return processor.compose(self.given(), self.lot.lines, self.lot.exceptions())

    def sign(self, facts: processor.ProcessorFacts, **changes: Any) -> Envelope:  # noqa: ANN401 - fields of the signature
        """The responsible person signs."""
        more = {"time": "2026-11-22T18:20:00Z", **changes}
        return personal(self.lot.world, "responsible", self.responsible, facts.number, facts.digest(), **more)

    def issue(
        self,
        facts: processor.ProcessorFacts | None = None,
        signatures: Sequence[Envelope] | None = None,
        **body: Any,  # noqa: ANN401 - fields
    ) -> ProcessorFile:
        """Sign, log and bundle: honest, or with other facts, signatures or fields of the body."""
        world = self.lot.world
        said = facts or self.compose()
        self.signatures = [self.sign(said)] if signatures is None else list(signatures)
        document = ProcessorStatement(
            number=said.number, issued="2026-11-22T18:30:00Z", organization=ORGANIZATION, facts=said,
            signatures=tuple(envelope_digest(one) for one in self.signatures),
        ).to_dict() | body  # fmt: skip
        self.envelope = sign("statement", document, world.acceptance)
        self.index = world.log.append("statement", self.envelope)
        return self.file()

    def file(self) -> ProcessorFile:
        """The file against the present state of the log."""
        world = self.lot.world
        inside = self.lot.evidence == "inside"
        return ProcessorFile(
            anchor=world.anchor(),
            key_events=tuple(world.logged(*event) for event in world.events),
            earlier_rosters=tuple(world.logged(*one) for one in world.rosters[:-1]),
            roster=world.logged(*world.rosters[-1]),
            signatures=tuple(self.signatures),
            statement=world.logged(self.envelope, self.index),
            annex=self.lot.lines,
            members=tuple(member(world, file, inside=inside) for _, file in self.lot.media),
        )


def resealed_annex(body: Mapping[str, Any], lines: Sequence[MediumLine]) -> dict[str, Any]:
    """A body that names another annex, as an insider would sign it."""
    return {**body, "annex_sha256": annex_digest(lines)}
