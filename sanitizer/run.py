"""The course of one run: states, events, one transition table; what is told while it runs and what it ends in.

Pure. The same words stand in `reports/record.py` (`DeviceFacts`, `PassFacts`, `VerificationFacts`, `Segment`,
`RunFacts`); a test keeps the field names equal, so that `agents/recording.py` copies and never translates.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .errors import ERRORS, ByteRange, Interrupted, Refused, SanitizerError, Touched, VerificationError


class RunState(StrEnum):
    """Where a run stands."""

    PLANNED = "planned"
    """A plan exists; nothing was asked of the device yet."""
    CLEARED = "cleared"
    """The device is open exclusively and the clearance was proven on the open descriptor; nothing written."""
    MARKING = "marking"
    """Addressed markers or canaries are written and read back: does the device store blocks where it is told to?"""
    EXECUTING = "executing"
    """Passes are being written, or a command of the drive's own is being sent."""
    SETTLING = "settling"
    """Failed extents are bisected and the device is flushed, or the drive works by itself and is waited for."""
    VERIFYING = "verifying"
    """The medium is read back."""
    SUCCEEDED = "succeeded"
    """Everything planned was done and nothing contradicts it. What that amounts to is decided from the evidence, elsewhere."""
    FAILED = "failed"
    """It ended badly; the medium was changed or may have been."""
    REFUSED = "refused"
    """It never started; the medium was not changed."""
    INTERRUPTED = "interrupted"
    """Cut off; the journal says where to go on."""


class RunEvent(StrEnum):
    """What moves a run."""

    CLEAR = "clear"
    REFUSE = "refuse"
    FIRST_WRITE = "first-write"
    MARKED = "marked"
    WRITTEN = "written"
    NEXT_STEP = "next-step"
    """The drive's own command is over, and another one follows."""
    MARK_AGAIN = "mark-again"
    """The drive was brought out of its failure mode, so that canaries can be written at last."""
    SETTLED = "settled"
    PROVEN = "proven"
    FAIL = "fail"
    INTERRUPT = "interrupt"
    RESUME = "resume"


TRANSITIONS: dict[tuple[RunState, RunEvent], RunState] = {
    (RunState.PLANNED, RunEvent.CLEAR): RunState.CLEARED,
    (RunState.PLANNED, RunEvent.REFUSE): RunState.REFUSED,
    (RunState.PLANNED, RunEvent.INTERRUPT): RunState.INTERRUPTED,
    (RunState.CLEARED, RunEvent.REFUSE): RunState.REFUSED,
    (RunState.CLEARED, RunEvent.FIRST_WRITE): RunState.MARKING,
    (RunState.CLEARED, RunEvent.INTERRUPT): RunState.INTERRUPTED,
    (RunState.MARKING, RunEvent.MARKED): RunState.EXECUTING,
    (RunState.MARKING, RunEvent.FAIL): RunState.FAILED,
    (RunState.MARKING, RunEvent.INTERRUPT): RunState.INTERRUPTED,
    (RunState.EXECUTING, RunEvent.WRITTEN): RunState.SETTLING,
    (RunState.EXECUTING, RunEvent.FAIL): RunState.FAILED,
    (RunState.EXECUTING, RunEvent.INTERRUPT): RunState.INTERRUPTED,
    (RunState.SETTLING, RunEvent.NEXT_STEP): RunState.EXECUTING,
    (RunState.SETTLING, RunEvent.MARK_AGAIN): RunState.MARKING,
    (RunState.SETTLING, RunEvent.SETTLED): RunState.VERIFYING,
    (RunState.SETTLING, RunEvent.FAIL): RunState.FAILED,
    (RunState.SETTLING, RunEvent.INTERRUPT): RunState.INTERRUPTED,
    (RunState.VERIFYING, RunEvent.PROVEN): RunState.SUCCEEDED,
    (RunState.VERIFYING, RunEvent.FAIL): RunState.FAILED,
    (RunState.VERIFYING, RunEvent.INTERRUPT): RunState.INTERRUPTED,
    # A resumed run is cleared anew, then passes the stages its journal has behind it without doing them again.
    (RunState.INTERRUPTED, RunEvent.RESUME): RunState.PLANNED,
}

ENDED = frozenset({RunState.SUCCEEDED, RunState.FAILED, RunState.REFUSED})
"""Nothing leads out of these."""

STUCK = frozenset({RunState.MARKING, RunState.EXECUTING, RunState.SETTLING, RunState.VERIFYING})
"""Found in a journal after a restart, these mean: cut off after the first write."""


class IllegalTransition(RuntimeError):
    """Our own code tried a step the table does not have: a bug."""


def advance(state: RunState, event: RunEvent) -> RunState:
    """The state after `event`. Raises `IllegalTransition` for a pair that is not in the table."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise IllegalTransition(f"no way from {state} by {event}") from None


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a run is. Plain counters, safe to hand to another thread."""

    run_id: str
    state: str
    """cleared, executing (marking included), settling, verifying, or an end state."""
    pass_number: int
    passes: int
    bytes_done: int
    """Over all passes and the verification."""
    bytes_total: int
    bytes_per_second: int
    """Over the last half minute of the present stage."""
    seconds_left: int | None
    """Passes and verification still to come included; None while nothing honest can be said."""
    errors: int
    """Failed requests and residual findings so far."""


@dataclass(frozen=True, kw_only=True)
class DeviceFacts:
    """The medium as read before the first write; `None` means it does not report that."""

    kind: str
    media: str
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
    hidden_capacity: str


@dataclass(frozen=True, kw_only=True)
class PassFacts:
    """One traversal of all addressable blocks."""

    number: int
    pattern: str
    """Exactly what was written: zeros, fixed:HEX, keyed-stream."""
    key_sha256: str | None
    bytes_written: int
    unwritten: tuple[ByteRange, ...]
    failed_writes: int
    flushed: bool


@dataclass(frozen=True, kw_only=True)
class KeyErasure:
    """What destroying the keys of a container rests on, and what was found before and after."""

    container: str
    uuid: str
    cipher: str
    key_bits: int
    keyslots: int
    area: ByteRange
    area_sha256_before: str
    area_stored_bytes: int
    ciphertext_regions: int
    ciphertext_bytes: int
    ciphertext_uniform_bytes: int
    ciphertext_sha256_before: str
    ciphertext_sha256_after: str | None
    answers: tuple[str, ...]
    setting: str | None

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> KeyErasure:
        """Read what the journal keeps of it."""
        start, end = value["area"]
        return cls(**{**value, "area": (start, end), "answers": tuple(value["answers"])})


@dataclass(frozen=True, kw_only=True)
class MethodFacts:
    """What was asked of the medium and how it was done."""

    requested: str
    technique: str
    pattern_set: str
    plan_sha256: str
    passes: tuple[PassFacts, ...]
    commands: tuple[dict[str, Any], ...]
    key_erasure: KeyErasure | None = None


@dataclass(frozen=True, kw_only=True)
class VerificationFacts:
    """Read-back after the last pass, always O_DIRECT."""

    kind: str
    """full, representative, none: what was done, which may be more than what was asked (small devices)."""
    expected: str
    seed: str | None
    regions: int
    bytes_read: int
    residual: tuple[ByteRange, ...]
    unreadable: tuple[ByteRange, ...]
    regions_sha256: str | None
    completed: bool
    direct_io: bool


@dataclass(frozen=True, kw_only=True)
class Segment:
    """One uninterrupted stretch of the run."""

    started: str
    finished: str
    boot_id: str
    monotonic_ms: int
    """Length of the stretch by the monotonic clock, which no clock setting alters."""
    ended_by: str
    """completed, stopped, crashed, failed."""


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """The run's own course."""

    state: str
    touched: Touched
    """Whether the medium was changed: no, maybe, yes."""
    started: str
    finished: str
    segments: tuple[Segment, ...]
    clock_synchronized: bool | None
    error_code: str | None
    error: str | None
    identity_fingerprint_after: str | None


@dataclass(frozen=True, kw_only=True)
class HealthAnswer:
    """One question about a drive's health, and the bytes that came back."""

    question: str
    answer: str
    """Hexadecimal; a long one is cut short."""


@dataclass(frozen=True, kw_only=True)
class HealthReading:
    """How a drive was by its own account, at one moment; `None` means that it does not say."""

    moment: str
    """before: the first write; after: the last read."""
    taken: str
    source: str
    """ata-smart, scsi-logs, nvme-log, mmc-ext-csd."""
    prediction: str
    """passed, failing, unknown: whether the drive predicts its own failure."""
    temperature: int | None
    """Degrees Celsius."""
    power_on_hours: int | None
    reallocated: int | None
    """Blocks the drive has put others in the place of; grown defects of a SCSI disk."""
    pending: int | None
    """Blocks it could not read, and has not replaced yet."""
    uncorrectable: int | None
    """Blocks, or errors, beyond its own correction."""
    used_percent: int | None
    """Of the wear it was made for; may exceed 100."""
    spare_percent: int | None
    """Of spare blocks left."""
    problem: str | None
    """Why nothing, or not all, is known."""
    answers: tuple[HealthAnswer, ...]

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> HealthReading:
        """Read what the journal keeps of it."""
        return cls(**{**value, "answers": tuple(HealthAnswer(**one) for one in value["answers"])})


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """What a run ended in, raw evidence included. Every run ends in one, also a refusal."""

    run_id: str
    path: str
    """Where the device was; a place, not an identity."""
    device: DeviceFacts | None
    """None only where the identity could never be read."""
    method: MethodFacts
    verification: VerificationFacts
    run: RunFacts
    resumable: bool
    """Whether `resume` can go on; always false for an end state."""
    remedy: str | None
    """What a person can do about `run.error`."""
    health: tuple[HealthReading, ...] = ()
    """How the drive was before and after, where there is a drive to ask."""

    @property
    def state(self) -> str:
        """End state of the run table: succeeded, failed, refused, interrupted."""
        return self.run.state

    @property
    def touched(self) -> Touched:
        """Whether the medium was changed: no, maybe, yes."""
        return self.run.touched

    @property
    def error_code(self) -> str | None:
        """Stable code of what ended the run, None on success."""
        return self.run.error_code

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; tuples become lists."""
        plain: dict[str, Any] = _plain(dataclasses.asdict(self))
        if not self.health:
            del plain["health"]  # as in journals of builds that knew nothing of it
        return plain

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> RunResult:
        """Read what `to_dict` wrote (our own journal; not for foreign input)."""
        method, run, verification = dict(value["method"]), dict(value["run"]), dict(value["verification"])
        method["passes"] = tuple(PassFacts(**{**p, "unwritten": _ranges(p["unwritten"])}) for p in method["passes"])
        method["commands"] = tuple(method["commands"])
        keys = method.get("key_erasure")
        method["key_erasure"] = KeyErasure.from_dict(keys) if keys is not None else None
        verification["residual"] = _ranges(verification["residual"])
        verification["unreadable"] = _ranges(verification["unreadable"])
        run["segments"] = tuple(Segment(**s) for s in run["segments"])
        rest = {k: v for k, v in value.items() if k not in {"method", "run", "verification", "device", "health"}}
        device = DeviceFacts(**value["device"]) if value["device"] is not None else None
        return cls(
            **rest,
            device=device,
            method=MethodFacts(**method),
            verification=VerificationFacts(**verification),
            run=RunFacts(**run),
            health=tuple(HealthReading.from_dict(one) for one in value.get("health", ())),
        )


def _ranges(value: list[list[int]]) -> tuple[ByteRange, ...]:
    return tuple((start, end) for start, end in value)


def _plain(value: Any) -> Any:  # noqa: ANN401 - walks plain JSON of any shape
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    return value


def end_state(error: SanitizerError | None) -> RunState:
    """The end state an error leads to; none at all is success."""
    if error is None:
        return RunState.SUCCEEDED
    if isinstance(error, Refused):
        return RunState.REFUSED
    return RunState.INTERRUPTED if isinstance(error, Interrupted) else RunState.FAILED


def failed_verification(error_code: str | None) -> bool:
    """Whether this code says that the work was done but is not proven."""
    kind = ERRORS.get(error_code or "")
    return kind is not None and issubclass(kind, VerificationError)
