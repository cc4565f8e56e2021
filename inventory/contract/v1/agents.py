"""Enrolment, heartbeat and record submission."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .common import Base64, Bytes, Envelope, Instant, LogPosition, Message, Ref, Sha256, Text
from .devices import Name

RECORD_TYPE = "application/vnd.sanitrail.sanitization-record.v1+json"
ACCEPTANCE_TYPE = "application/vnd.sanitrail.acceptance.v1+json"


VerifierKey = Annotated[str, Field(max_length=4096)]
"""A C2SP vkey; one of ML-DSA-44 has some 1800 characters."""


class EnrolmentRequest(Message):
    """Sent once, with the one-time token; signed by the key it registers (RFC 9421), which proves possession."""

    token: Annotated[str, Field(min_length=20, max_length=200)]
    public_key: Base64
    """DER SubjectPublicKeyInfo: Ed25519, or P-256 where the key lives in a TPM."""
    host_name: Name
    machine_id_sha256: Sha256
    agent_version: Name
    kernel: Name


class EnrolmentReply(Message):
    """What the agent pins. `pending` until an administrator has confirmed the fingerprint."""

    status: Literal["pending", "confirmed", "rejected"]
    host: Ref
    fingerprint: Text
    """The key's fingerprint as both sides show it, for a person to compare."""
    log_origin: Name
    log_keys: Annotated[tuple[VerifierKey, ...], Field(min_length=1, max_length=16)]
    """Verifier keys of the log (C2SP signed-note vkeys)."""
    trust_root_sha256: Sha256
    roster: Envelope | None
    checkpoint: Annotated[str, Field(max_length=20_000)]


class DeclaredPath(Message):
    """A path on this host that the inventory says holds a data set."""

    data_set: Name
    path: Name


class Heartbeat(Message):
    """The agent is alive; what it runs."""

    agent_version: Name
    boot_id: Name
    time: Instant
    running: tuple[Ref, ...]
    """Orders under way."""
    outbox: Bytes
    """Records waiting to be accepted."""
    checkpoint: LogPosition | None
    """The newest log checkpoint this agent has verified."""
    standing_by: Annotated[tuple[Text, ...], Field(max_length=16)] = ()
    """Why this agent takes no orders now (clock off, no roster, outside its maintenance window, log alarm); empty: it does."""


class Lamp(Message):
    """What the lamp of one medium's bay shall show."""

    device: Sha256
    """Its fingerprint."""
    sign: Literal["pull", "failed"]
    """pull: sanitized and validated, it may be taken out; failed: it did not succeed, and is to be destroyed or ordered again."""


class HeartbeatReply(Message):
    """What the agent should know."""

    interval_seconds: Annotated[int, Field(ge=1, le=86_400)]
    time: Instant
    roster_version: Annotated[int, Field(ge=0)]
    paths: tuple[DeclaredPath, ...]
    work_waiting: bool
    checkpoint: Annotated[str, Field(max_length=20_000)]
    consistency: tuple[Base64, ...]
    """Consistency proof from the checkpoint the agent named."""
    trust_root_sha256: Sha256 | None = None
    """Envelope digest of the version of the trust root in force; the agent follows the chain from the one it pinned."""
    lamps: Annotated[tuple[Lamp, ...], Field(max_length=1024)] = ()
    """Of the media in this host; every lamp that is not named is dark."""
    halt: Envelope | None = None
    """The newest halt of this host, or its lifting, under the service's signature (kind `halt`); None before the first."""


class RecordSubmission(Message):
    """A signed record, with the lease it was made under (old tokens are kept as evidence, and change nothing)."""

    lease: Ref
    token: Annotated[int, Field(ge=1)]
    record: Envelope


class RecordAccepted(Message):
    """The service's signed acceptance and its place in the log; the agent verifies both before it forgets the record."""

    record_sha256: Sha256
    acceptance: Envelope
    index: Bytes
    proof: tuple[Base64, ...]
    checkpoint: Annotated[str, Field(max_length=20_000)]
    new: bool
    """False when this record had been accepted before: a retry is harmless."""
