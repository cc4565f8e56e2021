"""A host's agent that speaks HTTP as agents do: every request signed, every answer as it came."""

from __future__ import annotations

import dataclasses
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from inventory.clock import rfc3339
from inventory.contract.v1.agents import EnrolmentRequest, Heartbeat, RecordSubmission
from inventory.contract.v1.common import Envelope
from inventory.contract.v1.devices import Observation, PathMapping
from inventory.contract.v1.orders import HoldQuestion, Lease
from reports.canonical import to_base64
from reports.envelope import sign
from reports.record import SanitizationRecord
from tests.support.console_agent import ConsoleAgent, Disk
from tests.support.http_world import HttpWorld
from tests.support.signed_requests import AgentKey


@dataclass
class FieldAgent(ConsoleAgent):
    """As the console's, but through the public interface alone."""

    world: HttpWorld = field(kw_only=True)
    mapped: tuple[tuple[str, str, tuple[Disk, ...], tuple[str, ...]], ...] = ()
    """What it last said lies beneath the declared paths."""
    sent: dict[str, str] = field(default_factory=dict)
    """The last record of each medium, by fingerprint: the next one names it."""

    @property
    def _key(self) -> AgentKey:
        key = AgentKey.__new__(AgentKey)
        key.private = self.signer.private_key  # type: ignore[assignment]  # Ed25519, as `FileSigner.generate` makes it
        key.public_der, key.key_id = self.signer.public_key_der, self.signer.key_id
        return key

    def _send(self, method: str, path: str, message: BaseModel | None = None) -> Any:  # noqa: ANN401 - any JSON
        body = {} if message is None else message.model_dump(mode="json", by_alias=True)
        answer = self.world.signed(self._key, method, f"/api/v1{path}", body)
        assert answer.status_code < 300, f"{self.name} {method} {path}: {answer.status_code} {answer.text[:1500]}"
        return answer.get_json()

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
        self.host = str(self._send("POST", "/enrolments", request)["host"])

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
        self._send("POST", "/agent/heartbeat", message)

    def observe(self, *paths: tuple[str, str, tuple[Disk, ...], tuple[str, ...]]) -> dict[str, str]:
        """Report every disk, and what lies beneath the paths: those given, else as the last time."""
        self.mapped = paths or self.mapped
        mappings = tuple(
            PathMapping(
                data_set=data_set,
                path=path,
                mount_point=path,
                devices=tuple(disk.facts.fingerprint for disk in disks),
                unresolved=unresolved,
            )
            for data_set, path, disks, unresolved in self.mapped
        )
        message = Observation(
            taken=rfc3339(self.context.now()), devices=tuple(disk.observed for disk in self.disks), paths=mappings
        )
        return dict(self._send("PUT", "/agent/observation", message)["devices"])

    def take(self) -> Lease:
        """Lease the oldest order."""
        lease = self.offered()
        assert lease is not None, f"{self.name} is offered nothing"
        return lease

    def offered(self) -> Lease | None:
        """The oldest order it may execute, if there is one."""
        answer = self._send("POST", "/agent/leases")["lease"]
        if answer is None:
            return None
        lease = Lease.model_validate(answer)
        self.taken[lease.id] = self.context.now()
        return lease

    def may_begin(self, lease: Lease) -> bool:
        """Ask right before the first write."""
        question = HoldQuestion(token=lease.token, nonce=secrets.token_hex(16))
        return bool(self._send("POST", f"/agent/leases/{lease.id}/holds", question)["clear"])

    def begin(self, lease: Lease) -> None:
        """Ask right before the first write, and be told that nothing forbids it."""
        assert self.may_begin(lease)

    def progress(self, lease: Lease, state: str, share: float, *, rate: int = 213_000_000, errors: int = 0) -> bool:
        """Report how far it is; whether a stop is asked for."""
        message = self.progress_message(lease, state, share, rate=rate, errors=errors)
        return bool(self._send("POST", f"/agent/leases/{lease.id}/progress", message)["stop_requested"])

    def record(self, lease: Lease) -> SanitizationRecord:
        """As the console's agent, and it continues the record before it."""
        record = super().record(lease)
        return dataclasses.replace(record, previous=self.sent.get(record.device.fingerprint))

    def hand_over(self, lease: Lease, record: SanitizationRecord) -> str:
        """Sign the record and send it; its digest."""
        envelope = sign("sanitization-record", record.to_dict(), self.signer)
        message = RecordSubmission(lease=lease.id, token=lease.token, record=Envelope.model_validate(envelope))
        digest = str(self._send("POST", "/agent/records", message)["record_sha256"])
        self.sent[record.device.fingerprint] = digest
        return digest
