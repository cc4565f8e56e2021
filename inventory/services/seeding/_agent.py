"""The agent of an invented wiping station: it reports disks that do not exist and says that it wiped them. Its records verify."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from inventory.clock import rfc3339
from inventory.contract.v1.agents import EnrolmentRequest, RecordSubmission
from inventory.contract.v1.common import Envelope
from inventory.contract.v1.devices import DeviceIdentity, Observation, ObservedDevice
from inventory.contract.v1.orders import HoldQuestion, Lease
from inventory.services import hosts, leases, observation, records
from inventory.services.context import Actor, Context
from reports.canonical import from_base64, to_base64
from reports.envelope import envelope_digest, sign
from reports.findings import identity_fingerprint
from reports.keys import FileSigner
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

VENDOR, MODEL, CAPACITY = "Seagate", "ST4000NM0035", 4_000_787_030_016
_BOOT = "6f1c9c1e-0f0c-4b69-9d54-a1d2c3b4e5f6"


@dataclass
class Station:
    """One host with a key of its own."""

    context: Context
    name: str
    signer: FileSigner = field(default_factory=FileSigner.generate)
    host: str = ""
    sequence: int = 0
    last: dict[str, str] = field(default_factory=dict)

    @property
    def actor(self) -> Actor:
        """As services know it, once it is confirmed."""
        return hosts.actor_for_key(self.context, self.signer.key_id)

    def enrol(self, admin: Actor) -> None:
        """Introduce itself, and be confirmed."""
        token = hosts.create_enrolment_token(self.context, admin, hosts.CreateEnrolmentToken(note=self.name))
        request = EnrolmentRequest(
            token=token.secret,
            public_key=to_base64(self.signer.public_key_der),
            host_name=self.name,
            machine_id_sha256=hashlib.sha256(self.name.encode()).hexdigest(),
            agent_version="0.1.0",
            kernel="6.1.0-40-amd64",
        )
        self.host = hosts.enrol(self.context, request, self.signer.key_id).host
        hosts.confirm(self.context, admin, self.host, self.signer.key_id)

    def observe(self, serials: list[str]) -> dict[str, str]:
        """Report its disks. Returns serial number -> device number."""
        seen = {serial: _facts(serial) for serial in serials}
        message = Observation(
            taken=rfc3339(self.context.now()),
            devices=tuple(_observed(facts, place) for place, facts in enumerate(seen.values())),
            paths=(),
        )
        numbers = observation.observe(self.context, self.actor, message).devices
        return {serial: numbers[facts.fingerprint] for serial, facts in seen.items()}

    def begin(self) -> Lease:
        """Take the oldest order and ask for the last time."""
        lease = leases.acquire(self.context, self.actor).lease
        if lease is None:
            raise RuntimeError("an invented order was not leased")
        question = HoldQuestion(token=lease.token, nonce=secrets.token_hex(16))
        answer = leases.answer_hold(self.context, self.actor, lease.id, question)
        if not answer.clear:
            raise RuntimeError(f"an invented order may not begin: {answer.reasons}")
        return lease

    def hand_over(self, lease: Lease, serial: str, started: datetime, *, fails: bool) -> None:
        """Its record, signed."""
        self.sequence += 1
        record = self._record(lease, serial, started, fails=fails)
        envelope = sign("sanitization-record", record.to_dict(), self.signer)
        self.last[serial] = envelope_digest(envelope)
        message = RecordSubmission(lease=lease.id, token=lease.token, record=Envelope.model_validate(envelope))
        records.ingest(self.context, self.actor, message)

    def _record(self, lease: Lease, serial: str, started: datetime, *, fails: bool) -> SanitizationRecord:
        payload = from_base64(lease.order.payload, "payload")
        order: dict[str, Any] = json.loads(payload)
        facts, finished = _facts(serial), self.context.now()
        segment = Segment(
            started=rfc3339(started),
            finished=rfc3339(finished),
            boot_id=_BOOT,
            monotonic_ms=int((finished - started).total_seconds() * 1000),
            ended_by="failed" if fails else "completed",
        )
        return SanitizationRecord(
            schema=SCHEMA,
            record_id=f"{secrets.token_hex(4)}-0000-4000-8000-{secrets.token_hex(6)}",
            previous=self.last.get(serial),
            order=OrderRef(
                id=order["id"],
                sha256=hashlib.sha256(payload).hexdigest(),
                nonce=order["nonce"],
                after_origin=order["after"]["origin"],
                after_size=order["after"]["size"],
                after_root=order["after"]["root"],
                approvals=tuple(envelope_digest(approval.model_dump()) for approval in lease.approvals),
            ),
            device=facts,
            method=_method(order),
            verification=_verification(fails=fails),
            run=RunFacts(
                state="failed" if fails else "succeeded",
                touched="yes",
                started=segment.started,
                finished=segment.finished,
                segments=(segment,),
                clock_synchronized=True,
                error_code="device-gone" if fails else None,
                error="The device vanished while it was read back." if fails else None,
                identity_fingerprint_after=None if fails else facts.fingerprint,
            ),
            host=HostFacts(
                name=self.name,
                agent_key=self.signer.key_id,
                agent_version="0.1.0",
                kernel="6.1.0-40-amd64",
                machine_id_sha256=hashlib.sha256(self.name.encode()).hexdigest(),
                sequence=self.sequence,
            ),
            policy=PolicyRef(
                id=order["policy_id"],
                sha256=order["policy_sha256"],
                required_method=order["required_method"],
                required_verification=order["required_verification"],
            ),
            operator_ref=order["requested_by"],
            tool="sanitrail 0.1.0",
        )


def _method(order: dict[str, Any]) -> MethodFacts:
    one = PassFacts(
        number=1, pattern="zeros", key_sha256=None, bytes_written=CAPACITY, unwritten=(), failed_writes=0, flushed=True
    )
    return MethodFacts(
        requested=order["plan"]["method"],
        technique="overwrite",
        pattern_set="zeros",
        plan_sha256=order["plan_sha256"],
        passes=(one,),
        commands=(),
    )


def _verification(*, fails: bool) -> VerificationFacts:
    return VerificationFacts(
        kind="full",
        expected="zeros",
        seed=None,
        regions=1,
        bytes_read=0 if fails else CAPACITY,
        residual=(),
        unreadable=(),
        regions_sha256=None,
        completed=not fails,
        direct_io=True,
    )


def _facts(serial: str) -> DeviceFacts:
    """A disk that does not exist; the fingerprint follows from its identity."""
    facts = DeviceFacts(
        kind="ata",
        media="magnetic",
        transport="sata",
        vendor=VENDOR,
        model=MODEL,
        serial=serial,
        wwn=None,
        eui64=None,
        nguid=None,
        firmware="SN04",
        capacity_bytes=CAPACITY,
        logical_block_bytes=512,
        physical_block_bytes=4096,
        fingerprint="0" * 64,
        hidden_capacity="no",
    )
    return dataclasses.replace(facts, fingerprint=_fingerprint(facts))


def _fingerprint(facts: DeviceFacts) -> str:
    shell = SanitizationRecord.__new__(SanitizationRecord)
    object.__setattr__(shell, "device", facts)  # the rule looks at nothing else
    return identity_fingerprint(shell)


def _observed(facts: DeviceFacts, place: int) -> ObservedDevice:
    names = ("kind", "vendor", "model", "serial", "wwn", "eui64", "nguid", "capacity_bytes", "logical_block_bytes")
    identity = DeviceIdentity.model_validate(
        {**{name: getattr(facts, name) for name in names}, "fingerprint": facts.fingerprint}
    )
    return ObservedDevice.model_validate(
        {
            "path": f"/dev/sd{place}",
            "identity": identity,
            "firmware": facts.firmware,
            "media": facts.media,
            "transport": facts.transport,
            "slot": f"bay {place + 1}",
            "removable": False,
            "hidden_capacity": "no",
            "obstacles": (),
        }
    )
