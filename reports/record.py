"""What a sanitization record is: the immutable statement of one run on one medium.

Standard library only. Agent, service, PDF and verifier all need these words, and the words must outlive all four. A record holds
facts, never a conclusion: what the facts amount to is decided in `verdict.py`, what may be said about them in `claims.py`.

Unknown fields of a newer writer are kept in `extra` on every level, so that reading and writing again keeps the same bytes.
Times are RFC 3339 UTC with a trailing Z; sizes are bytes; ranges are half-open byte ranges `[start, end)`; digests are lower-case
hexadecimal SHA-256. No floats anywhere (RFC 8785 canonical bytes must be reproducible by any tool).
"""

from __future__ import annotations

import dataclasses
import types
import typing
from dataclasses import dataclass, field
from typing import Any, Self

SCHEMA = "sanitrail/sanitization-record/1"


class MalformedRecord(ValueError):
    """The document is not a record of this schema; the message names the place."""


def _decode(hint: object, value: object, where: str) -> object:  # noqa: C901, PLR0911, PLR0912 - one case a kind
    """Read `value` as the annotated type `hint`; `MalformedRecord` names `where` when it does not fit."""
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        options = typing.get_args(hint)
        if value is None and type(None) in options:
            return None
        (only,) = [option for option in options if option is not type(None)]
        return _decode(only, value, where)
    if origin is tuple:
        if not isinstance(value, list):
            raise MalformedRecord(f"{where}: expected a list")
        arguments = typing.get_args(hint)
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return tuple(_decode(arguments[0], item, f"{where}[{n}]") for n, item in enumerate(value))
        if len(value) != len(arguments):
            raise MalformedRecord(f"{where}: expected {len(arguments)} items")
        return tuple(_decode(a, v, f"{where}[{n}]") for n, (a, v) in enumerate(zip(arguments, value, strict=True)))
    if isinstance(hint, type) and issubclass(hint, Part):
        return hint.from_dict(value, where)
    if hint is bool or hint is str:
        if type(value) is not hint:
            raise MalformedRecord(f"{where}: expected {hint.__name__}")
        return value
    if hint is int:
        if type(value) is not int or not -(2**53) < value < 2**53:
            raise MalformedRecord(f"{where}: expected an integer below 2^53")
        return value
    if origin is dict:
        if not isinstance(value, dict):
            raise MalformedRecord(f"{where}: expected an object")
        return dict(value)
    raise TypeError(f"{where}: no reader for {hint!r}")  # our own annotation is wrong: a bug


def _encode(value: object) -> object:
    if isinstance(value, Part):
        return value.to_dict()
    if isinstance(value, tuple):
        return [_encode(item) for item in value]
    return value


@dataclass(frozen=True, kw_only=True)
class Part:
    """One level of a record: fixed fields plus whatever a newer writer added."""

    extra: dict[str, Any] = field(default_factory=dict, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """The level as plain JSON values, unknown fields included."""
        own = {f.name: _encode(getattr(self, f.name)) for f in dataclasses.fields(self) if f.name != "extra"}
        return {**self.extra, **own}

    @classmethod
    def from_dict(cls, value: object, where: str = "record") -> Self:
        """Read a level; every known field is required. Raises `MalformedRecord`."""
        if not isinstance(value, dict):
            raise MalformedRecord(f"{where}: expected an object")
        hints = typing.get_type_hints(cls)
        known = {f.name: f for f in dataclasses.fields(cls) if f.name != "extra"}
        missing = sorted(known.keys() - value.keys())
        if missing:
            raise MalformedRecord(f"{where}: missing {', '.join(missing)}")
        read: dict[str, Any] = {name: _decode(hints[name], value[name], f"{where}.{name}") for name in known}
        return cls(**read, extra={k: v for k, v in value.items() if k not in known})


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


@dataclass(frozen=True, kw_only=True)
class DeviceFacts(Part):
    """The medium as the agent read it, before the first write. `None` means the device does not report it."""

    kind: str
    """ata, scsi, nvme, mmc, virtio, loop, zram, other."""
    media: str
    """magnetic, flash, virtual, unknown."""
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
class MethodFacts(Part):
    """What was asked of the medium and how it was done."""

    requested: str
    """clear, purge (SP 800-88 Rev. 2, 3.1)."""
    technique: str
    """overwrite (issue of this schema: more follow)."""
    pattern_set: str
    """Name of the pattern set, with the implementation it mirrors where it is a legacy one."""
    plan_sha256: str
    passes: tuple[PassFacts, ...]
    commands: tuple[dict[str, Any], ...]
    """Device commands with raw status, for techniques that send any."""


@dataclass(frozen=True, kw_only=True)
class VerificationFacts(Part):
    """Read-back after the last pass, always O_DIRECT."""

    kind: str
    """full, representative (Rev. 1, 4.7.3 rules), none."""
    expected: str
    """Label of the content every block was compared with."""
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

    @classmethod
    def from_dict(cls, value: object, where: str = "record") -> Self:
        """As `Part.from_dict`, and the schema must be the one this code knows."""
        record = super().from_dict(value, where)
        if record.schema != SCHEMA:
            raise MalformedRecord(f"{where}.schema: {record.schema!r} is not {SCHEMA!r}")
        return record
