"""What a sanitization record is: the immutable statement of one run on one medium.

Standard library only. Agent, service, PDF and verifier all need these words, and the words must outlive all four. A record holds
facts, never a conclusion: what the facts amount to is decided in `verdict.py`, what may be said about them in `claims.py`.

Unknown fields of a newer writer are kept in `extra` on every level, so that reading and writing again keeps the same bytes.
Times are RFC 3339 UTC with a trailing Z; sizes are bytes; ranges are half-open byte ranges `[start, end)`; digests are lower-case
hexadecimal SHA-256. No floats anywhere (RFC 8785 canonical bytes must be reproducible by any tool).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from .errors import MalformedDocument, MalformedRecord
from .health import HealthAnswer, HealthReading
from .parts import Part
from .self_test import SelfTest, SelfTestCase

__all__ = [
    "SCHEMA",
    "CommandFacts",
    "DeviceFacts",
    "HandedPermit",
    "HealthAnswer",
    "HealthReading",
    "HostFacts",
    "KeyErasure",
    "MalformedRecord",
    "MethodFacts",
    "OrderRef",
    "Part",
    "PassFacts",
    "PolicyRef",
    "RunFacts",
    "SanitizationRecord",
    "Segment",
    "SelfTest",
    "SelfTestCase",
    "VerificationFacts",
]

SCHEMA = "sanitrail/sanitization-record/1"
_OPTIONAL = frozenset({"health", "self_tests"})
"""Parts of the whole that a record need not have: lists that are left out where they are empty."""


@dataclass(frozen=True, kw_only=True)
class HandedPermit(Part):
    """On a host without a network: leave to write rested on an answer that was carried there, and was this old by then."""

    bundle: str
    """SHA-256 of the job bundle's envelope."""
    asked: str
    """When the service found that nothing forbade the write; by its clock."""
    permitted: str
    """When the host let the write begin, or go on; by its own clock, which nobody else's was held against."""
    age_seconds: int
    """From the one to the other."""


@dataclass(frozen=True, kw_only=True)
class OrderRef(Part):
    """The sealed order the run obeyed, and the log checkpoint the record must be younger than."""

    id: str
    sha256: str
    nonce: str
    after_origin: str
    after_size: int
    after_root: str
    approvals: tuple[str, ...]
    """SHA-256 of each approval envelope the agent itself checked before the first write."""
    by_hand: tuple[HandedPermit, ...] = ()
    """Each leave to write on a host without a network; left out of the document in every other record."""

    def to_dict(self) -> dict[str, Any]:
        """As `Part.to_dict`, without the field that few records have."""
        told = super().to_dict()
        if self.by_hand == ():  # None would be an edit, and stays one
            del told["by_hand"]
        return told

    @classmethod
    def from_dict(cls, value: object, where: str = "document") -> Self:
        """As `Part.from_dict`; the field may be missing, and where it stands it says something."""
        if not isinstance(value, dict):
            raise MalformedDocument(where, "expected an object")
        if value.get("by_hand", ...) in ([], (), None):
            raise MalformedDocument(f"{where}.by_hand", "expected at least one, or nothing at all")
        return super().from_dict({"by_hand": [], **value}, where)


@dataclass(frozen=True, kw_only=True)
class CapacityProof(Part):
    """A SCSI disk was told to show all of its blocks, and showed these (SBC, MODE SELECT with a block descriptor).

    Whatever else was answered stands beside, by the name of the question, in hexadecimal.
    """

    blocks: int
    block_bytes: int
    taken: str
    """When, by the host's clock."""
    sent: str
    """The command, hexadecimal."""
    parameters: str
    """What was sent with it."""


@dataclass(frozen=True, kw_only=True)
class DeviceFacts(Part):
    """The medium as the agent read it, before the first write. `None` means the device does not report it."""

    kind: str
    """ata, scsi, nvme, mmc, virtio, loop, zram, other."""
    media: str
    """magnetic, flash, virtual, pmem (persistent memory), unknown."""
    transport: str
    vendor: str | None
    model: str | None
    serial: str | None
    wwn: str | None
    eui64: str | None
    nguid: str | None
    firmware: str | None
    capacity_bytes: int
    logical_block_bytes: int
    physical_block_bytes: int
    fingerprint: str
    """SHA-256 of the identity: the same medium gives the same fingerprint on any host and path."""
    hidden_capacity: str
    """yes, no or unknown: whether areas beyond the addressable range were found."""
    capacity_proof: CapacityProof | None = None
    """Of a SCSI disk that proved its capacity on this host before; left out of the document in every other record."""

    def to_dict(self) -> dict[str, Any]:
        """As `Part.to_dict`, without the field that few records have."""
        told = super().to_dict()
        if self.capacity_proof is None:
            del told["capacity_proof"]
        return told

    @classmethod
    def from_dict(cls, value: object, where: str = "document") -> Self:
        """As `Part.from_dict`; the field may be missing, and where it stands it says something."""
        if not isinstance(value, dict):
            raise MalformedDocument(where, "expected an object")
        if value.get("capacity_proof", ...) is None:
            raise MalformedDocument(f"{where}.capacity_proof", "expected an object, or nothing at all")
        return super().from_dict({"capacity_proof": None, **value}, where)


@dataclass(frozen=True, kw_only=True)
class PassFacts(Part):
    """One traversal of all addressable blocks."""

    number: int
    pattern: str
    """zeros, fixed:HEX, keyed-stream; the label says exactly what was written."""
    key_sha256: str | None
    """Commitment to the key of a keyed stream: SHA-256 of it."""
    bytes_written: int
    unwritten: tuple[tuple[int, int], ...]
    """Byte ranges that could not be written after retries and bisection."""
    failed_writes: int
    flushed: bool


@dataclass(frozen=True, kw_only=True)
class CommandFacts(Part):
    """One device command as it went out and what the drive said, byte by byte; `sanitizer.techniques.base` has the same fields.

    Byte strings are lower-case hexadecimal, the empty string where nothing came.
    """

    number: int
    """1, 2, 3 over the whole run."""
    technique: str
    """The step it belongs to."""
    command: str
    """The command standard's name: SANITIZE DEVICE / BLOCK ERASE EXT."""
    opcode: str
    sent: str
    """CDB, taskfile or submission-queue fields; never a data phase, so no password and no key."""
    sent_at: str
    answered_at: str | None
    """None: no answer came (crash, reset, timeout)."""
    answer: str
    """Sense data, status field or registers."""
    accepted: str
    """yes, no, unknown."""
    before: str
    """The drive's sanitize status read right before it."""
    after: str
    """The status its end was known by; empty for a command that is over with its answer."""
    reported: str
    """success, failed, in-progress, unknown: the drive's own words about the end."""
    setting: str | None
    """The disputed classification its level rests on."""


@dataclass(frozen=True, kw_only=True)
class KeyErasure(Part):
    """What destroying the keys of an encrypted container rests on, and what was found before and after (Rev. 2, 3.2)."""

    container: str
    """luks2."""
    uuid: str
    """The container's own name."""
    cipher: str
    """aes-xts-plain64."""
    key_bits: int
    """Of the volume key; XTS encrypts with half of it."""
    keyslots: int
    """Stored copies of the volume key."""
    area: tuple[int, int]
    """Byte range from the first byte to the ciphertext: both copies of the header, all key slots, and padding."""
    area_sha256_before: str
    """Of that range, before the first write: names a copy of the header, should one be found elsewhere."""
    area_stored_bytes: int
    """How much of it gave back the keyed stream of the first pass."""
    ciphertext_regions: int
    ciphertext_bytes: int
    """Read behind the area before the first write: each block was ciphertext by its look, or uniform."""
    ciphertext_uniform_bytes: int
    """Of these, blocks that held one byte value throughout: never written, or discarded."""
    ciphertext_sha256_before: str
    """SHA-256 over one ASCII line `start-end sha256` and newline a region."""
    ciphertext_sha256_after: str | None
    """The same after the last pass; None when it did not come to that."""
    answers: tuple[str, ...]
    """Conditions that a person vouched for: encrypted-before-first-use, no-key-outside."""
    setting: str | None
    """The disputed classification its level rests on."""


@dataclass(frozen=True, kw_only=True)
class MethodFacts(Part):
    """What was asked of the medium and how it was done."""

    requested: str
    """clear, purge (SP 800-88 Rev. 2, 3.1)."""
    technique: str
    """overwrite, one of the drive's own techniques, or several in order joined by `+` (`findings.techniques`)."""
    pattern_set: str
    """Name of the pattern set, with the implementation it mirrors where it is a legacy one; `canaries` for a drive's command."""
    plan_sha256: str
    passes: tuple[PassFacts, ...]
    commands: tuple[CommandFacts, ...]
    """Device commands with raw status, in order, for techniques that send any."""
    key_erasure: KeyErasure | None = None
    """Of `luks-crypto-erase`; left out of the document in every other record, as in those that are older than it."""

    def to_dict(self) -> dict[str, Any]:
        """As `Part.to_dict`, without the field that only one technique has."""
        told = super().to_dict()
        if self.key_erasure is None:
            del told["key_erasure"]
        return told

    @classmethod
    def from_dict(cls, value: object, where: str = "document") -> Self:
        """As `Part.from_dict`; the field may be missing, and where it stands it says something."""
        if not isinstance(value, dict):
            raise MalformedDocument(where, "expected an object")
        if value.get("key_erasure", ...) is None:
            raise MalformedDocument(f"{where}.key_erasure", "expected an object, or nothing at all")
        return super().from_dict({"key_erasure": None, **value}, where)


@dataclass(frozen=True, kw_only=True)
class VerificationFacts(Part):
    """Read-back after the last pass, always O_DIRECT."""

    kind: str
    """full, representative (Rev. 1, 4.7.3 rules), none."""
    expected: str
    """Label of the content every block was compared with; after a drive's command `no-canary`, with what else had to be there."""
    seed: str | None
    regions: int
    bytes_read: int
    residual: tuple[tuple[int, int], ...]
    """Byte ranges that were read and are not what they should be."""
    unreadable: tuple[tuple[int, int], ...]
    regions_sha256: str | None
    """Digest of the list of regions read, so that the choice can be repeated."""
    completed: bool
    direct_io: bool


@dataclass(frozen=True, kw_only=True)
class Segment(Part):
    """One uninterrupted stretch of the run; a resumed run has several."""

    started: str
    finished: str
    boot_id: str
    monotonic_ms: int
    ended_by: str
    """completed, stopped, crashed, failed."""


@dataclass(frozen=True, kw_only=True)
class RunFacts(Part):
    """The run's own course."""

    state: str
    """succeeded, failed, refused, interrupted: the end states of the run table."""
    touched: str
    """no, maybe, yes: whether the medium was changed."""
    started: str
    finished: str
    segments: tuple[Segment, ...]
    clock_synchronized: bool | None
    error_code: str | None
    error: str | None
    identity_fingerprint_after: str | None
    """Read again after verification; None when it could not be read."""


@dataclass(frozen=True, kw_only=True)
class HostFacts(Part):
    """Where it ran and by which build."""

    name: str
    agent_key: str
    agent_version: str
    kernel: str
    machine_id_sha256: str
    sequence: int
    """Counts every record of this agent, so that a withheld one leaves a gap."""


@dataclass(frozen=True, kw_only=True)
class PolicyRef(Part):
    """The rules of that day."""

    id: str
    sha256: str
    required_method: str
    required_verification: str


@dataclass(frozen=True, kw_only=True)
class SanitizationRecord(Part):
    """The whole statement. Signed by the agent's key, never re-signed by anyone."""

    schema: str
    record_id: str
    previous: str | None
    """SHA-256 of this device's previous record envelope from this agent, or None."""
    order: OrderRef
    device: DeviceFacts
    method: MethodFacts
    verification: VerificationFacts
    run: RunFacts
    host: HostFacts
    policy: PolicyRef
    operator_ref: str
    """Pseudonym of the requester; names live in the service's directory."""
    tool: str
    """Name and version of the sanitizing tool."""
    self_tests: tuple[SelfTest, ...] = ()
    """The newest of each build that took part; left out of the document where there is none, as in records older than it."""

    health: tuple[HealthReading, ...] = ()
    """The drive's own account before and after; left out of the document where no drive was asked, as in older records."""

    def to_dict(self) -> dict[str, Any]:
        """As `Part.to_dict`, without parts that say nothing."""
        told = super().to_dict()
        return {name: value for name, value in told.items() if name not in _OPTIONAL or value}

    @classmethod
    def from_dict(cls, value: object, where: str = "record") -> Self:
        """As `Part.from_dict`, and the schema must be the one this code knows; an optional part that is there says something."""
        try:
            record = super().from_dict(_filled(value, where), where)
        except MalformedDocument as error:
            raise MalformedRecord(error.where, error.problem) from error
        if record.schema != SCHEMA:
            raise MalformedRecord(f"{where}.schema", f"{record.schema[:80]!r} is not {SCHEMA!r}")
        return record


def _filled(value: object, where: str) -> object:
    """The document with its optional parts, empty where they are left out; one that is there says something."""
    if not isinstance(value, dict):
        return value
    for name in sorted(_OPTIONAL & value.keys()):
        if not value[name]:
            raise MalformedDocument(f"{where}.{name}", "expected something, or nothing at all")
    return {**dict.fromkeys(_OPTIONAL, ()), **value}
