"""What can go wrong once a run has begun: transport, incomplete work, failed verification."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .base import ByteRange, Fault, SanitizerError, Touched

# --- transport ---------------------------------------------------------------------------------------------------


@dataclass(eq=False, kw_only=True)
class TransportError(SanitizerError):
    """Not delivered, no answer, or an answer that cannot be one. A destructive command that was sent sets `touched`."""

    fault: ClassVar[Fault] = "device"


@dataclass(eq=False, kw_only=True)
class DeviceGone(TransportError):
    """The device left while we held it (ENXIO, ENODEV, a vanished node, a capacity of nothing)."""

    code = "device-gone"
    sentence = "The device vanished during the run"
    remedy = (
        "Attach it again and resume the run, which goes on if it is the same medium; if it stays away, give the run up."
    )
    operation: str
    errno: int | None


@dataclass(eq=False, kw_only=True)
class HostRejected(TransportError):
    """The host refused a request for a reason that is not the medium's."""

    code = "host-rejected"
    sentence = "The host refused a request to the device"
    remedy = "Read the kernel log of that moment; the cause is the host or the bus, not one block."
    fault: ClassVar[Fault] = "host"
    operation: str
    errno: int
    host_status: int | None = None
    """The kernel's own verdict on delivery (DID_*), for SCSI commands."""


# --- incomplete --------------------------------------------------------------------------------------------------


@dataclass(eq=False, kw_only=True)
class Incomplete(SanitizerError):
    """The run began and did not do all of its work."""

    fault: ClassVar[Fault] = "device"
    touched: Touched = "yes"


@dataclass(eq=False, kw_only=True)
class UnwritableRegion(Incomplete):
    """Blocks that refused every write, after retries and bisection."""

    code = "unwritable-region"
    sentence = "Parts of the medium could not be overwritten"
    remedy = "What lies there is still readable: escalate to purge or destroy."
    unwritten_bytes: int
    ranges: tuple[ByteRange, ...]


@dataclass(eq=False, kw_only=True)
class ErrorBudgetSpent(Incomplete):
    """So many requests failed that going on would only wear the device out."""

    code = "error-budget-spent"
    sentence = "Too many requests failed; the run was given up"
    remedy = "The device is failing: destroy it."
    failed_requests: int
    seconds: int


@dataclass(eq=False, kw_only=True)
class FlushFailed(Incomplete):
    """The device did not confirm that its cache is on the medium."""

    code = "flush-failed"
    sentence = "The device did not confirm that written data reached the medium"
    remedy = "Treat the medium as not sanitized; run again or escalate."
    errno: int


@dataclass(eq=False, kw_only=True)
class CapacityChanged(Incomplete):
    """It shrank or grew under us."""

    code = "capacity-changed"
    sentence = "The device changed its capacity during the run"
    remedy = "Find out why; treat the medium as not sanitized and run again or escalate."
    expected_bytes: int
    found_bytes: int


@dataclass(eq=False, kw_only=True)
class AddressingFault(Incomplete):
    """Markers written to different addresses overwrote each other, or were not stored: a false capacity."""

    code = "addressing-fault"
    sentence = "The device does not store blocks where it is told to"
    remedy = "Its stated capacity is false or it drops writes: destroy it."
    markers: int
    wrong: int
    first_offset: int


@dataclass(eq=False, kw_only=True)
class JournalFailed(Incomplete):
    """The journal could not be made durable during the run, so the run stopped where it was."""

    code = "journal-failed"
    sentence = "The journal could not be written, so the run stopped"
    remedy = "Make room in the journal folder, or have its file system writable again; then resume the run."
    fault: ClassVar[Fault] = "host"
    operation: str
    reason: str


@dataclass(eq=False, kw_only=True)
class JournalDamaged(Incomplete):
    """The journal's own checksums do not hold, so nobody can say where the run stood."""

    code = "journal-damaged"
    sentence = "The journal of this run is damaged"
    remedy = "The run cannot be resumed: give it up and start a new one."
    fault: ClassVar[Fault] = "host"
    touched: Touched = "maybe"
    run_id: str
    line: int
    reason: str


@dataclass(eq=False, kw_only=True)
class Interrupted(Incomplete):
    """Cut off by a stop, a crash or a reboot; the journal says where to go on."""

    code = "interrupted"
    sentence = "The run was cut off before its end"
    remedy = "Resume it; it goes on from the last position known to be on the medium."
    fault: ClassVar[Fault] = "operator"
    pass_number: int
    durable_bytes: int


# --- verification ------------------------------------------------------------------------------------------------


@dataclass(eq=False, kw_only=True)
class VerificationError(SanitizerError):
    """The work was done and is not proven."""

    fault: ClassVar[Fault] = "device"
    touched: Touched = "yes"


@dataclass(eq=False, kw_only=True)
class Residual(VerificationError):
    """Blocks that were read and hold something else than was written."""

    code = "residual"
    sentence = "Blocks were found that do not hold what was written"
    remedy = "The device does not do what it reports: run again or escalate to destroy."
    residual_bytes: int
    first_offset: int
    ranges: tuple[ByteRange, ...]


@dataclass(eq=False, kw_only=True)
class Unreadable(VerificationError):
    """Blocks that could not be read back, so that nothing is known of them."""

    code = "unreadable"
    sentence = "Blocks could not be read back"
    remedy = "What lies there is unknown: escalate to destroy."
    unreadable_bytes: int
    first_offset: int
    ranges: tuple[ByteRange, ...]


@dataclass(eq=False, kw_only=True)
class IdentityChanged(VerificationError):
    """The identity read after the run is not the one before it."""

    code = "identity-changed"
    sentence = "The device's identity after the run is not the one before it"
    remedy = "Nobody can say which medium was overwritten: treat both as not sanitized."
    expected: str
    found: str | None


@dataclass(eq=False, kw_only=True)
class Inconclusive(VerificationError):
    """Verification did not come to an end."""

    code = "inconclusive"
    sentence = "Verification came to no conclusion"
    remedy = "Verify again; without a conclusion the medium is not sanitized."
    reason: str


@dataclass(eq=False, kw_only=True)
class SelfTestFailed(SanitizerError):
    """Neither way of making the keyed stream gives the known answer."""

    code = "self-test-failed"
    sentence = "The cipher of this installation does not give the known answer"
    remedy = "Reinstall the cryptography package; nothing random can be written or verified with this one."
    fault: ClassVar[Fault] = "tool"
    path: str
