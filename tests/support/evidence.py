"""Builds the real evidence that tests alter: keys, a log in memory, records, whole bundles, statements.

Everything is signed and logged by the product's own code; nothing here knows how to cheat. Tests cheat.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from reports import bundle, certificate, statement
from reports.anchor import Anchor
from reports.bundle import DestructionBundle, DestructionBundle2, UnsuccessfulRunBundle, UnsuccessfulRunBundle2
from reports.canonical import digest_of, to_base64
from reports.ceremony import next_body
from reports.enrolled import EnrolledRole, key_event
from reports.envelope import Envelope, Signer, envelope_digest, payload_digest, sign
from reports.findings import identity_fingerprint, pattern_set_name
from reports.findings.techniques import by_drive, by_keys
from reports.keys import FileSigner
from reports.links import Basis
from reports.orders import Order
from reports.record import (
    SCHEMA,
    DeviceFacts,
    HostFacts,
    MethodFacts,
    OrderRef,
    PassFacts,
    PolicyRef,
    RunFacts,
    SanitizationRecord,
    Segment,
    VerificationFacts,
)
from reports.sealkey import SealKey, make_certificate
from reports.statements import (
    Acceptance,
    AcceptanceChecks,
    AcceptedDevice,
    AcceptedHost,
    Answer,
    Attestation,
    Destination,
    OpenObligation,
    Organization,
    People,
    Person,
    Validation,
    VerdictWords,
)
from reports.tlog import (
    ML_DSA_44,
    Checkpoint,
    Frontier,
    LogKind,
    NoteSigner,
    TileHashes,
    consistency_proof,
    extend_tiles,
    inclusion_proof,
    leaf_hash,
    log_entry,
    sign_checkpoint,
)
from reports.trust import build_trust_root, open_chain
from reports.trust_body import AnyTrustRootBody, LogIdentity, TrustRootBody1, pinned_certificate, role_key
from reports.verdict import judge
from tests.support.trust_chain import AUTHORITY

_T = TypeVar("_T")
ORIGIN = "records.example.org/log"
TIME = 1_795_354_800
"""22 November 2026, 15:00 UTC."""
CAPACITY = 500_107_862_016
NONCE = "000102030405060708090a0b0c0d0e0f"
POLICY_SHA256 = hashlib.sha256(b"policy of the day").hexdigest()


class MemoryLog:
    """The log of the tests: tiles in a dict, signed by both kinds of keys."""

    def __init__(self, signers: list[NoteSigner]) -> None:
        self.signers = signers
        self.frontier = Frontier()
        self.tiles: dict[tuple[int, int], bytes] = {}
        self.entries: list[bytes] = []
        self.envelopes: dict[int, Envelope] = {}

    def tile(self, level: int, index: int) -> bytes:
        """`TileReader`."""
        return self.tiles[level, index]

    def append(self, kind: LogKind, envelope: Envelope) -> int:
        """Log an envelope; its index."""
        index = self.append_entry(log_entry(kind, envelope_digest(envelope)))
        self.envelopes[index] = envelope
        return index

    def append_entry(self, entry: bytes) -> int:
        """Log any entry; its index."""
        self.frontier, writes = extend_tiles(self.frontier, [leaf_hash(entry)])
        for write in writes:
            key = (write.level, write.index)
            self.tiles[key] = self.tiles.get(key, b"") + write.data
        self.entries.append(entry)
        return self.frontier.size - 1

    @property
    def checkpoint(self) -> Checkpoint:
        """The present state."""
        return Checkpoint(ORIGIN, self.frontier.size, self.frontier.root())

    def note(self) -> str:
        """The present state, signed."""
        return sign_checkpoint(self.checkpoint, self.signers, TIME)

    def inclusion(self, index: int, size: int | None = None) -> tuple[bytes, ...]:
        """Inclusion proof against the present (or an earlier) state."""
        return inclusion_proof(TileHashes(self), index, self.frontier.size if size is None else size)

    def consistency(self, old: int) -> tuple[bytes, ...]:
        """Consistency proof to the present state."""
        return consistency_proof(TileHashes(self), old, self.frontier.size)


def person(ref: str, name: str, title: str = "", **changes: str) -> Person:
    """Somebody at the example company."""
    fields: dict[str, Any] = {
        "organization": "Example CRM Ltd",
        "location": "Kuala Lumpur, data hall 2",
        "contact": "media@crm.example, +60 3 5550 0147",
    }
    return Person(ref=ref, name=name, title=title, **(fields | changes))


ORGANIZATION = Organization(
    name="Example CRM Ltd",
    unit="IT Asset Disposition",
    address="12 Jalan Contoh, 50000 Kuala Lumpur, Malaysia",
    contact="media@crm.example",
)
REQUESTER = person("p-operator", "Nurul Aisyah binti Rahman", "Storage administrator")
APPROVERS = (
    person("p-approver-1", "João Figueiredo", "Head of infrastructure"),
    person("p-approver-2", "Mei Ling Tan", "Information security officer"),
)
VALIDATOR = person("p-validator", "Ingrid Østergaard", "Privacy officer")
MACHINE = person("", "Automated read-back by the agent of crm-db-01", "sanitrail-agent 0.1.0")


def device_facts(**changes: object) -> DeviceFacts:
    """A hard disk whose fingerprint fits its identity (unless one is given)."""
    fields: dict[str, Any] = {
        "kind": "ata",
        "media": "magnetic",
        "transport": "sata",
        "vendor": "Example Drives",
        "model": "EX-500-HDD",
        "serial": "WD-WCC6Y3TN7F2K",
        "wwn": "naa.50014ee2b9f4c1d7",
        "eui64": None,
        "nguid": None,
        "firmware": "82.00A82",
        "capacity_bytes": CAPACITY,
        "logical_block_bytes": 512,
        "physical_block_bytes": 4096,
        "fingerprint": "0" * 64,
        "hidden_capacity": "no",
        **changes,
    }
    device = DeviceFacts(**fields)
    if "fingerprint" in changes:
        return device
    probe = dataclasses.replace(record_shell(), device=device)
    return dataclasses.replace(device, fingerprint=identity_fingerprint(probe))


def one_pass(number: int = 1, **changes: object) -> PassFacts:
    """A complete pass of zeros."""
    fields: dict[str, Any] = {
        "number": number,
        "pattern": "zeros",
        "key_sha256": None,
        "bytes_written": CAPACITY,
        "unwritten": (),
        "failed_writes": 0,
        "flushed": True,
        **changes,
    }
    return PassFacts(**fields)


def record_shell() -> SanitizationRecord:
    """A good record whose device fingerprint is still open."""
    after = "Hm8yPzYKsKbHwyXBTlWZ1eQ0gJ8G9kmpLZ8K7n8U3q4="
    return SanitizationRecord(
        schema=SCHEMA,
        record_id="5f0c1f7e-6a0e-4f0f-9a57-0a8f2f6f9d11",
        previous=None,
        order=OrderRef(
            id="O-2026-000123",
            sha256="a" * 64,
            nonce=NONCE,
            after_origin=ORIGIN,
            after_size=6,
            after_root=after,
            approvals=("b" * 64, "c" * 64),
        ),
        device=DeviceFacts(
            kind="ata",
            media="magnetic",
            transport="sata",
            vendor=None,
            model=None,
            serial=None,
            wwn=None,
            eui64=None,
            nguid=None,
            firmware=None,
            capacity_bytes=CAPACITY,
            logical_block_bytes=512,
            physical_block_bytes=4096,
            fingerprint="0" * 64,
            hidden_capacity="no",
        ),
        method=MethodFacts(
            requested="clear",
            technique="overwrite",
            pattern_set="zeros",
            plan_sha256="d" * 64,
            passes=(one_pass(),),
            commands=(),
        ),
        verification=VerificationFacts(
            kind="full",
            expected="zeros",
            seed=None,
            regions=1,
            bytes_read=CAPACITY,
            residual=(),
            unreadable=(),
            regions_sha256=None,
            completed=True,
            direct_io=True,
        ),
        run=RunFacts(
            state="succeeded",
            touched="yes",
            started="2026-11-22T09:02:11Z",
            finished="2026-11-22T13:41:57Z",
            segments=(
                Segment(
                    started="2026-11-22T09:02:11Z",
                    finished="2026-11-22T13:41:57Z",
                    boot_id="6f1c9c1e-0f0c-4b69-9d54-a1d2c3b4e5f6",
                    monotonic_ms=16_786_000,
                    ended_by="completed",
                ),
            ),
            clock_synchronized=True,
            error_code=None,
            error=None,
            identity_fingerprint_after=None,
        ),
        host=HostFacts(
            name="crm-db-01",
            agent_key="e" * 64,
            agent_version="0.1.0",
            kernel="6.1.0-40-amd64",
            machine_id_sha256="f" * 64,
            sequence=17,
        ),
        policy=PolicyRef(id="default-1", sha256=POLICY_SHA256, required_method="clear", required_verification="full"),
        operator_ref="p-operator",
        tool="sanitrail 0.1.0",
    )


def good_record(**device: object) -> SanitizationRecord:
    """A record that shows a sanitized, fully verified medium."""
    shell = record_shell()
    facts = device_facts(**device)
    return dataclasses.replace(
        shell, device=facts, run=dataclasses.replace(shell.run, identity_fingerprint_after=facts.fingerprint)
    )


def _changed(value: _T, changes: Mapping[str, object]) -> _T:
    fields: dict[str, Any] = dict(changes)
    return dataclasses.replace(value, **fields)  # type: ignore[type-var]  # only called with parts of a record


def with_part(record: SanitizationRecord, part: str, **changes: object) -> SanitizationRecord:
    """The record with some fields of one part changed; `part` "" means the record itself."""
    return _changed(record, changes if not part else {part: _changed(getattr(record, part), changes)})


def with_pass(record: SanitizationRecord, **changes: object) -> SanitizationRecord:
    """The record with some fields of its only pass changed."""
    return with_part(record, "method", passes=(_changed(record.method.passes[0], changes),))


@dataclasses.dataclass
class World:
    """A company with its keys, its trust root, its log, one host and three people who may act."""

    root: FileSigner = dataclasses.field(default_factory=FileSigner.generate)
    acceptance: FileSigner = dataclasses.field(default_factory=FileSigner.generate)
    enrolment: FileSigner = dataclasses.field(default_factory=FileSigner.generate)
    agent: FileSigner = dataclasses.field(default_factory=FileSigner.generate)
    approvers: tuple[FileSigner, ...] = dataclasses.field(
        default_factory=lambda: (FileSigner.generate("p256"), FileSigner.generate("p256"))
    )

    def __post_init__(self) -> None:
        self.log = MemoryLog([NoteSigner.generate(ORIGIN), NoteSigner.generate(ORIGIN, ML_DSA_44)])
        self.trust_root = build_trust_root(self.trust_body(), self.root)
        self.pin = envelope_digest(self.trust_root)
        self.trust_roots = [self.trust_root]
        self.log.append("trust-root", self.trust_root)
        self.events: list[tuple[Envelope, int]] = []
        self.enrol("agent", "h-crm-db-01", self.agent)
        for who, signer in zip(APPROVERS, self.approvers, strict=True):
            self.enrol("approver", who.ref, signer)
        self.rosters: list[tuple[Envelope, int]] = []
        self.add_roster()

    def trust_body(self) -> AnyTrustRootBody:
        """What the trust root says: here as the first schema had it."""
        sealer = FileSigner.generate("p256")
        started = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
        self.seal = SealKey.check(sealer, make_certificate(sealer, ORGANIZATION.name, started))
        return TrustRootBody1(
            version=1,
            threshold=1,
            root_keys=(to_base64(self.root.public_key_der),),
            log=LogIdentity(origin=ORIGIN, vkeys=tuple(signer.vkey for signer in self.log.signers)),
            keys=(
                role_key("acceptance", self.acceptance, "acceptance 2026"),
                role_key("enrolment", self.enrolment, "enrolment 2026"),
            ),
            pdf_signer=pinned_certificate(self.seal.certificate),
        )

    def new_version(self, *signers: Signer, **changes: object) -> Envelope:
        """Log the next version of the trust root, with some fields of its body changed, signed by the root key or by these."""
        before = open_chain(self.trust_roots, self.pin)[-1]
        fields: dict[str, Any] = dict(changes)
        body = dataclasses.replace(next_body(before, "2026-11-22T16:00:00Z", AUTHORITY), **fields)
        envelope = sign("trust-root", body.to_dict(), *(signers or (self.root,)))
        self.trust_roots.append(envelope)
        self.log.append("trust-root", envelope)
        return envelope

    def enrol(self, role: EnrolledRole, ref: str, signer: FileSigner) -> int:
        """Log the enrolment of a key."""
        return self.key_event("enrol", role, ref, signer)

    def key_event(
        self,
        event: Literal["enrol", "revoke"],
        role: EnrolledRole,
        ref: str,
        signer: FileSigner,
        valid_below: int | None = None,
    ) -> int:
        """Log a key event signed by the enrolment key."""
        body = key_event(event, role, ref, signer.public_key_der, "2026-11-01T10:00:00Z", valid_below=valid_below)
        envelope = sign("key-event", body.to_dict(), self.enrolment)
        self.events.append((envelope, self.log.append("key-event", envelope)))
        return self.events[-1][1]

    def roster_body(self, version: int, previous: str | None, quorum: int = 2) -> dict[str, Any]:
        """The payload of a roster of both approvers."""
        people = [
            {"ref": who.ref, "key_id": key.key_id, "public_key": to_base64(key.public_key_der), "roles": ["approver"]}
            for who, key in zip(APPROVERS, self.approvers, strict=True)
        ]
        return {
            "schema": "sanitrail/roster/1",
            "version": version,
            "previous": previous,
            "quorum": quorum,
            "minimum_approvals": 2,
            "people": people,
        }

    def add_roster(self) -> None:
        """Log the next roster, signed by both approvers."""
        previous = payload_digest(self.rosters[-1][0]) if self.rosters else None
        envelope = sign("roster", self.roster_body(len(self.rosters) + 1, previous), *self.approvers)
        self.rosters.append((envelope, self.log.append("roster", envelope)))

    def anchor(self) -> Anchor:
        """What files made now stand on."""
        return Anchor(trust_roots=tuple(self.trust_roots), checkpoint=self.log.note())

    def logged(self, envelope: Envelope, index: int) -> bundle.Logged:
        """An envelope with its proof against the present state of the log."""
        return bundle.logged(envelope, index, self.log.inclusion(index))


def with_checkpoint(file: DestructionBundle, note: str) -> DestructionBundle:
    """The bundle with another note for a checkpoint."""
    assert isinstance(file, DestructionBundle2)
    return dataclasses.replace(file, anchor=dataclasses.replace(file.anchor, checkpoint=note))


def order_body(world: World, record: SanitizationRecord, **changes: object) -> dict[str, Any]:
    """The payload of an order for the record's medium, as the service writes it."""
    named = by_drive(record.method.technique) or by_keys(record.method.technique)
    plan: dict[str, Any] = {
        "method": record.method.requested if named else "clear",
        "technique": record.method.technique if named else "overwrite",
        "pattern_set": pattern_set_name(record.method.pattern_set),
        "verification": record.policy.required_verification,
        "acknowledged_signatures": [],
    }
    if record.method.key_erasure is not None:
        plan["answers"] = list(record.method.key_erasure.answers)
    more = changes.pop("plan", {})
    assert isinstance(more, dict)
    plan.update(more)
    after = world.log.checkpoint
    return {
        "schema": "sanitrail/order/1",
        "id": "O-2026-000123",
        "kind": "sanitize",
        "agent_key": world.agent.key_id,
        "device": record.device.fingerprint,
        "device_label": f"{record.device.model} {record.device.serial}",
        "plan": plan,
        "plan_sha256": digest_of(plan),
        "policy_id": record.policy.id,
        "policy_sha256": record.policy.sha256,
        "required_method": record.policy.required_method,
        "required_verification": record.policy.required_verification,
        "approvals_required": 2,
        "requested_by": REQUESTER.ref,
        "reason": "Retired from the CRM cluster",
        "created": "2026-11-22T08:30:00Z",
        "expires": "2026-11-23T08:30:00Z",
        "nonce": NONCE,
        "after": {"origin": after.origin, "size": after.size, "root": to_base64(after.root)},
        **changes,
    }


def approval_body(order: Mapping[str, Any], ref: str, **changes: object) -> dict[str, Any]:
    """The payload of an approval of an order envelope."""
    return {
        "schema": "sanitrail/approval/1",
        "decision": "approve",
        "order_id": "O-2026-000123",
        "order_sha256": payload_digest(order),
        "approver": ref,
        "shown": "Clear EX-500-HDD WD-WCC6Y3TN7F2K, 500.1 GB, full verification",
        "time": "2026-11-22T08:41:00Z",
        **changes,
    }


ALL_YES = AcceptanceChecks(
    identity_matches_inventory="yes",
    order_known="yes",
    approvals_sufficient="yes",
    nonce_unused="yes",
    token_current="yes",
)


@dataclasses.dataclass
class Story:
    """One run from order to document. Change a part before `accept`, `validate` or `certify` to tell another story."""

    world: World
    record: SanitizationRecord = dataclasses.field(default_factory=good_record)
    order_changes: dict[str, Any] = dataclasses.field(default_factory=dict)
    checks: AcceptanceChecks = ALL_YES
    decision: Any = "approve"

    def order(self) -> Story:
        """Seal and approve the order."""
        world = self.world
        self.order_envelope = sign("order", order_body(world, self.record, **self.order_changes), world.acceptance)
        self.approvals = [
            sign("approval", approval_body(self.order_envelope, who.ref), signer)
            for who, signer in zip(APPROVERS, world.approvers, strict=True)
        ]
        return self

    def run(self) -> Story:
        """The agent signs the record, bound to the order."""
        order = Order.from_dict(
            __import__("reports.envelope", fromlist=["x"]).unverified_body(self.order_envelope, "order")
        )
        reference = OrderRef(
            id=order.id,
            sha256=payload_digest(self.order_envelope),
            nonce=order.nonce,
            after_origin=order.after.origin,
            after_size=order.after.size,
            after_root=order.after.root,
            approvals=tuple(envelope_digest(one) for one in self.approvals),
        )
        record = dataclasses.replace(self.record, order=reference)
        record = with_part(record, "host", agent_key=self.world.agent.key_id)
        self.record = with_part(record, "method", plan_sha256=order.plan_sha256)
        self.record_envelope = sign("sanitization-record", self.record.to_dict(), self.world.agent)
        return self

    def accept(self) -> Story:
        """The service takes the record in."""
        body = Acceptance(
            order_sha256=envelope_digest(self.order_envelope),
            record_sha256=envelope_digest(self.record_envelope),
            approvals=tuple(envelope_digest(one) for one in self.approvals),
            checks=self.checks,
            device=AcceptedDevice(id="d-000042", asset_tag="AT-004711", fingerprint=self.record.device.fingerprint),
            host=AcceptedHost(id="h-crm-db-01", name="crm-db-01", agent_key=self.world.agent.key_id),
            received="2026-11-22T13:42:10Z",
        )
        self.acceptance = sign("acceptance", body.to_dict(), self.world.acceptance)
        self.accepted_at = self.world.log.append("acceptance", self.acceptance)
        return self

    def validate(self, **changes: object) -> Story:
        """A person decides."""
        verdict = judge(self.record)
        fields: dict[str, Any] = {
            "decision": self.decision,
            "record_sha256": envelope_digest(self.record_envelope),
            "acceptance_sha256": envelope_digest(self.acceptance),
            "verdict": VerdictWords(outcome=verdict.outcome, method=verdict.method, coverage=verdict.coverage),
            "validator": VALIDATOR,
            "policy_id": self.record.policy.id,
            "policy_sha256": self.record.policy.sha256,
            "reason": "Complete overwrite and complete read-back; the medium stays in our custody.",
            "time": "2026-11-22T14:05:00Z",
            **changes,
        }
        self.validation = sign("validation", Validation(**fields).to_dict(), self.world.acceptance)
        self.validated_at = self.world.log.append("validation", self.validation)
        return self

    def basis(self, *, validated: bool = True) -> Basis:
        """What the service hands to `certificate.issue`."""
        decided = self.validation if validated else None
        return Basis.read(self.order_envelope, self.approvals, self.record_envelope, self.acceptance, decided)

    def certify(self, **changes: object) -> Story:
        """Issue, sign and log the certificate."""
        self.certificate = certificate.issue(self.basis(), particulars(**changes))
        self.certificate_envelope = sign("certificate", self.certificate.to_dict(), self.world.acceptance)
        self.certified_at = self.world.log.append("certificate", self.certificate_envelope)
        return self

    def bundle(self) -> DestructionBundle:
        """The destruction bundle against the present state of the log."""
        world = self.world
        return DestructionBundle2(
            **self._common(),
            validation=world.logged(self.validation, self.validated_at),
            certificate=world.logged(self.certificate_envelope, self.certified_at),
        )

    def unsuccessful(self, *, validated: bool = False) -> UnsuccessfulRunBundle:
        """Report, sign, log and bundle a run that ends in no certificate."""
        world = self.world
        report = certificate.report_unsuccessful(
            self.basis(validated=validated),
            number="R-2026-000007",
            issued="2026-11-22T14:10:00Z",
            organization=ORGANIZATION,
            source="CRM database server crm-db-01, bay 3",
            reported_by=VALIDATOR,
        )
        envelope = sign("statement", report.to_dict(), world.acceptance)
        index = world.log.append("statement", envelope)
        return UnsuccessfulRunBundle2(
            **self._common(),
            validation=world.logged(self.validation, self.validated_at) if validated else None,
            report=world.logged(envelope, index),
        )

    def _common(self) -> dict[str, Any]:
        world = self.world
        return {
            "anchor": world.anchor(),
            "key_events": tuple(world.logged(envelope, index) for envelope, index in world.events),
            "earlier_rosters": tuple(world.logged(envelope, index) for envelope, index in world.rosters[:-1]),
            "roster": world.logged(*world.rosters[-1]),
            "order": self.order_envelope,
            "approvals": tuple(self.approvals),
            "record": self.record_envelope,
            "acceptance": world.logged(self.acceptance, self.accepted_at),
            "consistency": bundle.encode_hashes(world.log.consistency(self.record.order.after_size)),
        }


def particulars(**changes: object) -> certificate.Particulars:
    """What the inventory adds to a certificate."""
    backed_up: Answer = "no"
    fields: dict[str, Any] = {
        "number": "C-2026-000123",
        "issued": "2026-11-22T14:06:00Z",
        "organization": ORGANIZATION,
        "source": "CRM database server crm-db-01, bay 3",
        "category": "moderate",
        "condition": "operational",
        "backed_up": backed_up,
        "backup_location": "",
        "post_category": "",
        "notes": "",
        "destination": Destination(kind="internal-reuse", details="Spare pool, data hall 2"),
        "people": People(
            requested_by=REQUESTER,
            performed_by=REQUESTER,
            approved_by=APPROVERS,
            verified_by=MACHINE,
            validated_by=VALIDATOR,
            concurrence=None,
        ),
        **changes,
    }
    return certificate.Particulars(**fields)


def certified(world: World | None = None, record: SanitizationRecord | None = None, **changes: object) -> Story:
    """A whole story that ends in a certificate; `changes` go to the particulars."""
    story = Story(world or World(), record or good_record())
    return story.order().run().accept().validate().certify(**changes)


def erasure_statement(
    world: World, stories: list[Story], *, still_open: tuple[OpenObligation, ...] = ()
) -> bundle.ErasureStatementFile:
    """A customer's statement over the stories' media, signed and logged."""
    bundles = [story.bundle() for story in stories]
    facts = statement.CaseFacts(
        number="S-2026-000031",
        issued="2026-11-22T15:00:00Z",
        organization=ORGANIZATION,
        case="case-7f3a-0192",
        opened="2026-11-02T08:00:00Z",
        due="2026-12-02T08:00:00Z",
        responsible=VALIDATOR,
        data_sets=("CRM production", "CRM nightly backups"),
        attested=(
            Attestation(
                obligation="b-17",
                data_set="CRM production",
                kind="logical-deletion",
                text="The customer's rows were deleted from the live CRM database.",
                attested_by=REQUESTER,
                time="2026-11-03T09:30:00Z",
            ),
        ),
        open=still_open,
    )
    media = [statement.ProvenMedium(data_set="CRM production", holding="primary", bundle=one) for one in bundles]
    body = statement.compose(facts, media)
    envelope = sign("statement", body.to_dict(), world.acceptance)
    index = world.log.append("statement", envelope)
    sizes = [int(one.anchor.checkpoint.split("\n")[1]) for one in bundles]
    return bundle.ErasureStatementFile2(
        anchor=world.anchor(),
        statement=world.logged(envelope, index),
        bundles=tuple(
            bundle.EmbeddedBundle(bundle=one.to_dict(), consistency=bundle.encode_hashes(world.log.consistency(size)))
            for one, size in zip(bundles, sizes, strict=True)
        ),
    )
