"""An agent for the console's tests: its own key, honest messages, straight to the services; it writes to no disk."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from inventory.clock import rfc3339
from inventory.contract.v1.agents import EnrolmentRequest, Heartbeat, RecordSubmission
from inventory.contract.v1.common import Envelope
from inventory.contract.v1.devices import (
    DeviceIdentity,
    DriveCapabilities,
    Observation,
    ObservedDevice,
    Obstacle,
    PathMapping,
    PathStep,
)
from inventory.contract.v1.orders import HoldQuestion, Lease, Progress
from inventory.services import heartbeat, hosts, leases, observation, records
from inventory.services.context import Actor, Context
from reports.canonical import from_base64, to_base64
from reports.envelope import envelope_digest, sign
from reports.keys import FileSigner
from reports.record import DeviceFacts, SanitizationRecord, Segment
from tests.support import evidence


@dataclass(frozen=True)
class Disk:
    """A medium an agent sees."""

    vendor: str
    model: str
    serial: str
    capacity: int
    media: str = "magnetic"
    kind: str = "ata"
    path: str = "/dev/sdb"
    slot: str | None = None
    obstacles: tuple[tuple[str, str], ...] = ()
    drive: DriveCapabilities | None = None
    """What it says that it can do itself; None: it was not asked."""

    @property
    def facts(self) -> DeviceFacts:
        """As a record states it; the fingerprint follows from the identity."""
        return evidence.device_facts(
            kind=self.kind,
            media=self.media,
            transport="sata" if self.kind == "ata" else "pcie",
            vendor=self.vendor,
            model=self.model,
            serial=self.serial,
            wwn=None,
            capacity_bytes=self.capacity,
        )

    @property
    def observed(self) -> ObservedDevice:
        """As an observation states it."""
        facts = self.facts
        identity = DeviceIdentity.model_validate(
            {
                "kind": facts.kind,
                "vendor": facts.vendor,
                "model": facts.model,
                "serial": facts.serial,
                "wwn": facts.wwn,
                "eui64": None,
                "nguid": None,
                "capacity_bytes": facts.capacity_bytes,
                "logical_block_bytes": facts.logical_block_bytes,
                "fingerprint": facts.fingerprint,
            }
        )
        return ObservedDevice.model_validate(
            {
                "path": self.path,
                "identity": identity,
                "firmware": facts.firmware,
                "media": self.media,
                "transport": facts.transport,
                "slot": self.slot,
                "removable": False,
                "hidden_capacity": "no",
                "obstacles": tuple(Obstacle(code=code, summary=summary) for code, summary in self.obstacles),
                "capabilities": self.drive,
            }
        )


@dataclass
class ConsoleAgent:
    """One host's agent."""

    context: Context
    name: str
    disks: list[Disk]
    signer: FileSigner = field(default_factory=FileSigner.generate)
    host: str = ""
    sequence: int = 0
    taken: dict[str, datetime] = field(default_factory=dict)
    boot_id: str = "6f1c9c1e-0f0c-4b69-9d54-a1d2c3b4e5f6"

    @property
    def actor(self) -> Actor:
        """The agent as services know it, once it is confirmed."""
        return hosts.actor_for_key(self.context, self.signer.key_id)

    def enrol(self, token: str) -> None:
        """Introduce itself."""
        request = EnrolmentRequest(
            token=token,
            public_key=to_base64(self.signer.public_key_der),
            host_name=self.name,
            machine_id_sha256=hashlib.sha256(self.name.encode()).hexdigest(),
            agent_version="0.1.0",
            kernel="6.1.0-40-amd64",
        )
        self.host = hosts.enrol(self.context, request, self.signer.key_id).host

    def beat(self, running: tuple[str, ...] = ()) -> None:
        """Say that it is alive."""
        message = Heartbeat(
            agent_version="0.1.0",
            boot_id=self.boot_id,
            time=self.context.now(),
            running=running,
            outbox=0,
            checkpoint=None,
        )
        heartbeat.beat(self.context, self.actor, message)

    def observe(self, *paths: tuple[str, str, tuple[Disk, ...], tuple[str, ...]]) -> dict[str, str]:
        """Report every disk, and what lies beneath (data set, path, disks, unresolved edges); fingerprint -> device number."""
        mappings = tuple(
            PathMapping(
                data_set=data_set,
                path=path,
                mount_point=path,
                devices=tuple(disk.facts.fingerprint for disk in disks),
                unresolved=unresolved,
                steps=_steps(path, disks),
            )
            for data_set, path, disks, unresolved in paths
        )
        message = Observation(
            taken=rfc3339(self.context.now()), devices=tuple(disk.observed for disk in self.disks), paths=mappings
        )
        return observation.observe(self.context, self.actor, message).devices

    def take(self) -> Lease:
        """Lease the oldest order."""
        lease = leases.acquire(self.context, self.actor).lease
        assert lease is not None
        self.taken[lease.id] = self.context.now()
        return lease

    def begin(self, lease: Lease) -> None:
        """Ask right before the first write."""
        question = HoldQuestion(token=lease.token, nonce=secrets.token_hex(16))
        answer = leases.answer_hold(self.context, self.actor, lease.id, question)
        assert answer.clear, answer.reasons

    def progress(self, lease: Lease, state: str, share: float, *, rate: int = 213_000_000, errors: int = 0) -> bool:
        """Report how far it is; whether a stop is asked for."""
        message = self.progress_message(lease, state, share, rate=rate, errors=errors)
        return leases.report_progress(self.context, self.actor, lease.id, message).stop_requested

    def progress_message(
        self, lease: Lease, state: str, share: float, *, rate: int, errors: int, temperature: int | None = None
    ) -> Progress:
        """How far it is, as a share of the disk."""
        disk = self._disk(lease)
        done = int(disk.capacity * share)
        return Progress.model_validate(
            {
                "token": lease.token,
                "state": state,
                "pass_number": 1,
                "passes": 1,
                "bytes_done": done,
                "bytes_total": disk.capacity,
                "bytes_per_second": rate,
                "seconds_left": int((disk.capacity - done) / rate) if rate else None,
                "errors": errors,
                "temperature": temperature,
            }
        )

    def _order(self, lease: Lease) -> dict[str, object]:
        found: dict[str, object] = json.loads(from_base64(lease.order.payload, "payload"))
        return found

    def _disk(self, lease: Lease) -> Disk:
        return next(disk for disk in self.disks if disk.facts.fingerprint == self._order(lease)["device"])

    def record(self, lease: Lease) -> SanitizationRecord:
        """A record of a run that overwrote and read back everything, from the lease until now."""
        order = json.loads(from_base64(lease.order.payload, "payload"))
        disk, facts = self._disk(lease), self._disk(lease).facts
        good = evidence.good_record()
        pattern = str(order["plan"]["pattern_set"])
        key = hashlib.sha256(b"key").hexdigest() if pattern == "keyed-stream" else None
        finished = self.context.now()
        started = self.taken[lease.id]
        self.sequence += 1
        segment = Segment(
            started=rfc3339(started),
            finished=rfc3339(finished),
            boot_id=self.boot_id,
            monotonic_ms=int((finished - started).total_seconds() * 1000),
            ended_by="completed",
        )
        one = evidence.one_pass(pattern=pattern, key_sha256=key, bytes_written=disk.capacity)
        return dataclasses.replace(
            good,
            record_id=f"{secrets.token_hex(4)}-0000-4000-8000-{secrets.token_hex(6)}",
            order=dataclasses.replace(
                good.order,
                id=order["id"],
                sha256=hashlib.sha256(from_base64(lease.order.payload, "payload")).hexdigest(),
                nonce=order["nonce"],
                after_origin=order["after"]["origin"],
                after_size=order["after"]["size"],
                after_root=order["after"]["root"],
                approvals=tuple(envelope_digest(approval.model_dump()) for approval in lease.approvals),
            ),
            device=facts,
            method=dataclasses.replace(
                good.method,
                requested=order["plan"]["method"],
                pattern_set=pattern,
                plan_sha256=order["plan_sha256"],
                passes=(one,),
            ),
            verification=dataclasses.replace(
                good.verification, expected=pattern, bytes_read=disk.capacity, kind=order["plan"]["verification"]
            ),
            run=dataclasses.replace(
                good.run,
                started=segment.started,
                finished=segment.finished,
                segments=(segment,),
                identity_fingerprint_after=facts.fingerprint,
            ),
            host=dataclasses.replace(good.host, name=self.name, agent_key=self.signer.key_id, sequence=self.sequence),
            policy=dataclasses.replace(
                good.policy,
                id=order["policy_id"],
                sha256=order["policy_sha256"],
                required_method=order["required_method"],
                required_verification=order["required_verification"],
            ),
            operator_ref=order["requested_by"],
        )

    def hand_over(self, lease: Lease, record: SanitizationRecord) -> str:
        """Sign the record and send it; its digest."""
        envelope = sign("sanitization-record", record.to_dict(), self.signer)
        message = RecordSubmission(lease=lease.id, token=lease.token, record=Envelope.model_validate(envelope))
        return records.ingest(self.context, self.actor, message).record_sha256

    def whole_run(self, lease: Lease, meanwhile: Callable[[], None] | None = None) -> str:
        """From the last question to the record; `meanwhile` lets time pass while the disk is written."""
        self.begin(lease)
        self.progress(lease, "executing", 0.5)
        if meanwhile is not None:
            meanwhile()
        self.progress(lease, "verifying", 0.9)
        self.progress(lease, "succeeded", 1.0)
        return self.hand_over(lease, self.record(lease))


def _steps(path: str, disks: tuple[Disk, ...]) -> tuple[PathStep, ...]:
    """A volume over these disks."""
    if not disks:
        return ()
    above = PathStep(above=path, below="dm-0", how="the device number in the mount table")
    beneath = (PathStep(above="dm-0", below=disk.path[5:], how="slaves in sysfs (LVM)") for disk in disks)
    return (above, *beneath)
