"""Signed records, from the moment they exist until the service has proven that it has them. Nothing is ever lost silently.

    sign -> write -> fsync -> rename -> fsync directory          `store`: from here on the record survives anything but the disk
         -> send -> verify acceptance, inclusion proof, checkpoint
         -> keep record and acceptance together under accepted/  durable before the next step
         -> remove                                               `deliver`, the same function after a restart

A file that cannot be read back is moved to outbox/damaged/ byte for byte and reported; it is never sent and never deleted.
The service accepts a record once: sending it again gives the same acceptance, so any step may be repeated.
"""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inventory.contract.v1.agents import RecordAccepted, RecordSubmission
from inventory.contract.v1.common import Envelope
from reports.canonical import canonical, parse_strict
from reports.envelope import PublicKey, envelope_digest, open_envelope
from reports.errors import MalformedDocument, ReportError
from reports.record import SanitizationRecord
from reports.statements import Acceptance
from reports.tlog import leaf_hash, log_entry, verify_inclusion

from . import following
from .client import Service
from .durable import read_file
from .errors import AcceptanceRefused, OutboxDamaged
from .log_watch import decode_hashes, read_checkpoint
from .pins import PinStore
from .state import StateDirectory

SCHEMA = "sanitrail-agent/outbox/1"
ACCEPTED_SCHEMA = "sanitrail-agent/accepted/1"
HEADS = "heads.json"
HEADS_SCHEMA = "sanitrail-agent/heads/1"
_LIMIT = 4 << 20


@dataclass(frozen=True)
class Item:
    """One record that waits."""

    record_id: str
    envelope: dict[str, Any]
    record: SanitizationRecord
    order_envelope_sha256: str
    lease: str
    token: int

    @property
    def sha256(self) -> str:
        """The record's envelope digest."""
        return envelope_digest(self.envelope)


class Outbox:
    """The waiting records on disk. Thread-safe."""

    def __init__(
        self, state: StateDirectory, own_keys: Mapping[str, PublicKey], pins: PinStore, service: Service
    ) -> None:
        """Open the outbox.

        Args:
            state: Where it lies.
            own_keys: Keys this agent signs records with, by key id, former ones included.
            pins: Whom to believe about acceptances.
            service: Where records go.
        """
        self._state = state
        self._own_keys = own_keys
        self._pins = pins
        self._service = service
        self._lock = threading.RLock()

    # --- storing --------------------------------------------------------------------------------------------------

    def find(self, record_id: str) -> dict[str, Any] | None:
        """The signed record, waiting or accepted, or None: a crash after storing must not sign a second one.

        Raises:
            OutboxDamaged: It is there and cannot be read back.
        """
        with self._lock:
            if self._path(record_id).exists():
                return self.read(record_id).envelope
            accepted = self._state.read(f"accepted/{record_id}.json", ACCEPTED_SCHEMA)
            return None if accepted is None else dict(accepted["record"])

    def store(
        self, record_id: str, envelope: dict[str, Any], order_envelope_sha256: str, lease: str, token: int
    ) -> None:
        """Keep a signed record, and note it as the newest of its medium. Storing it again changes no more than its lease.

        Raises:
            OSError: The disk does not take it (ENOSPC and others): the caller keeps what it was made from.
        """
        body, _ = open_envelope(envelope, self._own_keys, "sanitization-record", exact=True)
        record = SanitizationRecord.from_dict(body)
        item = Item(record_id, envelope, record, order_envelope_sha256, lease, token)
        with self._lock:
            if not self._accepted(record_id).exists():  # a restart finds it delivered already: it is not sent again
                self._write(item)
            self._note_head(record.device.fingerprint, item.sha256)

    def previous(self, fingerprint: str) -> str | None:
        """Envelope digest of the newest record of this medium. Raises `StateDamaged`."""
        with self._lock:
            return self._heads().get(fingerprint)

    def relabel(self, order_sha256: str, lease: str, token: int) -> bool:
        """A waiting record of this order goes out under a newer lease. Returns whether there was one."""
        with self._lock:
            for record_id in self.waiting():
                item = self.read(record_id)
                if item.record.order.sha256 == order_sha256:
                    if token > item.token:
                        self._write(dataclasses.replace(item, lease=lease, token=token))
                    return True
            return False

    def _write(self, item: Item) -> None:
        document = {
            "schema": SCHEMA,
            "record_id": item.record_id,
            "record": item.envelope,
            "order": item.order_envelope_sha256,
            "lease": item.lease,
            "token": item.token,
        }
        self._state.disk.write_file(self._path(item.record_id), canonical(document))

    # --- reading --------------------------------------------------------------------------------------------------

    def waiting(self) -> list[str]:
        """Ids of the records that wait, oldest first."""
        found: list[tuple[int, str]] = []
        for path in self._state.path("outbox").glob("*.json"):
            with contextlib.suppress(FileNotFoundError):  # delivered meanwhile
                found.append((path.stat().st_mtime_ns, path.stem))
        return [record_id for _, record_id in sorted(found)]

    def damaged(self) -> list[str]:
        """Files that were kept aside."""
        return sorted(path.name for path in self._state.path("outbox/damaged").iterdir())

    def read(self, record_id: str) -> Item:
        """Read a waiting record back, signature included.

        Raises:
            OutboxDamaged: It is not what was stored; the file was moved to outbox/damaged/.
            FileNotFoundError: It does not wait any more.
        """
        with self._lock:
            try:
                return self._parse(record_id, read_file(self._path(record_id), _LIMIT))
            except FileNotFoundError:
                raise
            except (OSError, ValueError, KeyError, TypeError, ReportError) as error:
                raise self._keep_aside(record_id, error) from error

    def _parse(self, record_id: str, data: bytes) -> Item:
        document = parse_strict(data, "outbox")
        if document["schema"] != SCHEMA or document["record_id"] != record_id:
            raise MalformedDocument("outbox", "another document under this name")
        body, _ = open_envelope(document["record"], self._own_keys, "sanitization-record", exact=True)
        record = SanitizationRecord.from_dict(body)
        if record.record_id != record_id:
            raise MalformedDocument("outbox", "another record under this name")
        return Item(record_id, document["record"], record, document["order"], document["lease"], document["token"])

    def _keep_aside(self, record_id: str, error: Exception) -> OutboxDamaged:
        source = self._path(record_id)
        target = self._state.path("outbox/damaged") / source.name
        number = 1
        while target.exists():
            target = target.with_name(f"{source.stem}.{number}.json")
            number += 1
        self._state.disk.move(source, target)
        return OutboxDamaged(str(target), str(error))

    # --- delivering -----------------------------------------------------------------------------------------------

    def deliver(self, record_id: str) -> RecordAccepted:
        """Hand one record over and forget it once its acceptance is proven and kept.

        Raises:
            Retry, Rejected: Not delivered; the record stays.
            AcceptanceRefused, CheckpointRefused, LogForked: What came back proves nothing; the record stays.
            OutboxDamaged: The record cannot be read back; it was kept aside.
            FileNotFoundError: It does not wait any more.
            OSError: The acceptance cannot be stored; the record stays.
        """
        item = self.read(record_id)
        message = RecordSubmission(lease=item.lease, token=item.token, record=Envelope.model_validate(item.envelope))
        accepted = self._service.submit(message)
        self._verify(item, accepted)
        with self._lock:
            self._keep_acceptance(item, accepted)
            self._state.disk.remove(self._path(record_id))
        return accepted

    def _verify(self, item: Item, accepted: RecordAccepted) -> None:
        envelope = accepted.acceptance.model_dump()
        keys = self._pins.require().acceptance_keys(accepted.index)
        try:
            body, _ = open_envelope(envelope, keys, "acceptance", exact=True)
            acceptance = Acceptance.from_dict(body, "acceptance")
        except ReportError as error:
            raise AcceptanceRefused(error.summarize()) from error
        record = item.record
        for what, found, expected in (
            ("the record it answers", accepted.record_sha256, item.sha256),
            ("the record", acceptance.record_sha256, item.sha256),
            ("the order", acceptance.order_sha256, item.order_envelope_sha256),
            ("the approvals", sorted(acceptance.approvals), sorted(record.order.approvals)),
            ("the medium", acceptance.device.fingerprint, record.device.fingerprint),
            ("the host's key", acceptance.host.agent_key, record.host.agent_key),
        ):
            if found != expected:
                raise AcceptanceRefused(f"It names another thing than sent: {what}.")
        self._verify_inclusion(envelope, accepted)

    def _verify_inclusion(self, envelope: dict[str, Any], accepted: RecordAccepted) -> None:
        following.advance(
            self._pins,
            self._service,
            accepted.checkpoint,
            lambda old, new: decode_hashes(self._service.consistency(old, new).hashes),
        )
        checkpoint = read_checkpoint(accepted.checkpoint, self._pins.require().trust.log_keys)
        leaf = leaf_hash(log_entry("acceptance", envelope_digest(envelope)))
        try:
            verify_inclusion(leaf, accepted.index, checkpoint.size, decode_hashes(accepted.proof), checkpoint.root)
        except ReportError as error:
            raise AcceptanceRefused(error.summarize()) from error

    def _keep_acceptance(self, item: Item, accepted: RecordAccepted) -> None:
        document = {
            "record": item.envelope,
            "acceptance": accepted.acceptance.model_dump(),
            "index": accepted.index,
            "proof": list(accepted.proof),
            "checkpoint": accepted.checkpoint,
        }
        self._state.write(f"accepted/{item.record_id}.json", ACCEPTED_SCHEMA, document)

    def _note_head(self, fingerprint: str, digest: str) -> None:
        heads = self._heads()
        if heads.get(fingerprint) != digest:
            self._state.write(HEADS, HEADS_SCHEMA, {"heads": {**heads, fingerprint: digest}})

    def _heads(self) -> dict[str, str]:
        document = self._state.read(HEADS, HEADS_SCHEMA)
        return {} if document is None else dict(document["heads"])

    def _accepted(self, record_id: str) -> Path:
        return self._state.path(f"accepted/{record_id}.json")

    def _path(self, record_id: str) -> Path:
        return self._state.path(f"outbox/{record_id}.json")
