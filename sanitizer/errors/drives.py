"""Errors about the drives' own sanitization: why one may not be started, and how one can end badly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .base import Fault, Refused, Touched
from .failures import Incomplete, VerificationError

# --- refused: the state the drive is in --------------------------------------------------------------------------


@dataclass(eq=False, kw_only=True)
class SanitizeInProgress(Refused):
    """The drive is sanitizing itself, started here or elsewhere; it cannot be stopped."""

    code = "sanitize-in-progress"
    sentence = "The drive is in the middle of a sanitize operation"
    remedy = (
        "Leave it powered until the operation ends (`sanitizer settle` waits for it), then inspect the device again."
    )
    progress: int | None = None
    """Parts of 65,536."""


@dataclass(eq=False, kw_only=True)
class InFailureMode(Refused):
    """A sanitize operation failed and the drive refuses reads and writes; only another sanitize leads out of it."""

    code = "in-failure-mode"
    sentence = "A sanitize operation of the drive failed, and it refuses reads and writes since"
    remedy = "Plan one of the drive's own sanitize techniques again; overwriting is impossible in this state."
    fault: ClassVar[Fault] = "device"
    mode: str
    """restricted, unrestricted or unknown."""


@dataclass(eq=False, kw_only=True)
class SecurityLocked(Refused):
    """ATA security is locked by a password, so the medium can be neither read nor written."""

    code = "security-locked"
    sentence = "The drive is locked by an ATA password"
    remedy = (
        "Unlock it with its password (sanitizer unlock; one of ours is in the escrow); without the password only the drive's "
        "maker or destruction helps."
    )
    attempts_exhausted: str
    """yes, no, unknown: whether it takes another attempt only after a power cycle."""


@dataclass(eq=False, kw_only=True)
class SecurityFrozen(Refused):
    """ATA security or sanitize is frozen until the next power-on reset."""

    code = "security-frozen"
    sentence = "The drive's security functions are frozen until it is powered off and on"
    remedy = "Power the drive off and on (pull it, or suspend this host), or use another technique."
    feature_set: str
    """security or sanitize."""


@dataclass(eq=False, kw_only=True)
class OpalLocked(Refused):
    """TCG locking hides the medium: ranges are locked, or the shadow MBR is shown instead of the medium."""

    code = "opal-locked"
    sentence = "The drive hides its medium behind TCG locking"
    remedy = (
        "Have its owner unlock it, or bring it back with the number on its label (sanitizer recover), which destroys what it "
        "holds and proves nothing; then plan a run. An empty read is no empty medium."
    )
    state: tuple[str, ...]
    """locked, shadowed, or both."""


@dataclass(eq=False, kw_only=True)
class CapacityHidden(Refused):
    """The medium has more blocks than can be addressed: they would be left, or nothing could be proven there."""

    code = "capacity-hidden"
    sentence = "Part of the drive's capacity is hidden and cannot be addressed"
    remedy = "Restore it first with `sanitizer restore-capacity`, which changes no data; then plan anew."
    hidden_by: tuple[str, ...]
    native_bytes: int | None = None


@dataclass(eq=False, kw_only=True)
class CapacityUnrestorable(Refused):
    """Hidden capacity was found, or suspected, and nothing here can restore it now."""

    code = "capacity-unrestorable"
    sentence = "The drive's capacity cannot be restored here"
    remedy = (
        "See the reason; try it directly attached on another host. What stays hidden is reached by destruction only."
    )
    reason: str


@dataclass(eq=False, kw_only=True)
class PowerCycleNeeded(Refused):
    """A drive takes one change of its largest address per power cycle (ACS-3, SET MAX ADDRESS EXT; ACS-4, AMAX)."""

    code = "power-cycle-needed"
    sentence = "The drive's capacity was changed already since it was last powered on"
    remedy = "Power the drive off and on, then ask again."
    changed: str
    """hpa, dco or amax: the change it has had."""


@dataclass(eq=False, kw_only=True)
class OddBlockSize(Refused):
    """Blocks of 520, 528 or another number of bytes, which the kernel does not offer for writing."""

    code = "odd-block-size"
    sentence = "The drive is formatted with blocks of a size the kernel does not serve"
    remedy = (
        "Reformat it to 512 or 4096 bytes (FORMAT UNIT, hours), then plan a run: nothing can be written or read before."
    )
    block_bytes: int


@dataclass(eq=False, kw_only=True)
class EscrowNotConfirmed(Refused):
    """A password would be set on the drive and nobody else holds it for certain."""

    code = "escrow-not-confirmed"
    sentence = "Nobody has confirmed that the drive's password is kept elsewhere"
    remedy = "Restore the connection to the inventory, or name a file for it; no password is set before."
    kind: str
    reason: str


# --- incomplete --------------------------------------------------------------------------------------------------


@dataclass(eq=False, kw_only=True)
class TechniqueFailed(Incomplete):
    """The drive refused its own sanitization or says that it failed."""

    code = "technique-failed"
    sentence = "The drive did not carry out its own sanitization"
    remedy = "The medium is not sanitized: try another technique the plan allows, or destroy it."
    touched: Touched = "maybe"
    technique: str
    reason: str


@dataclass(eq=False, kw_only=True)
class TechniqueStalled(Incomplete):
    """The drive says that it is working and makes no progress."""

    code = "technique-stalled"
    sentence = "The drive's own sanitization makes no progress any more"
    remedy = "Quarantine the drive; after a power cycle look once more, then destroy it."
    technique: str
    seconds: int
    progress: int | None = None


@dataclass(eq=False, kw_only=True)
class LockedByUs(Incomplete):
    """A run set a password on the drive and did not get to remove it."""

    code = "locked-by-us"
    sentence = "The drive is locked by a password that this run has set"
    remedy = "Run `sanitizer unlock` with the password from the inventory's escrow; the drive is not lost."
    touched: Touched = "maybe"
    password_id: str
    """Which of the kept passwords; never the password."""


@dataclass(eq=False, kw_only=True)
class CapacityNotRestored(Incomplete):
    """The drive took the command and shows no other capacity, or another than it promised."""

    code = "capacity-not-restored"
    sentence = "The drive's capacity is not what it was set to"
    remedy = "Power the drive off and on and ask again; if it stays so, destroy it."
    touched: Touched = "maybe"
    expected_bytes: int
    found_bytes: int | None


# --- neighbours: another device of the same drive ------------------------------------------------------------------


@dataclass(eq=False, kw_only=True)
class NeighbourInUse(Refused):
    """Something else lies on the same drive, would be destroyed too, and is in use."""

    code = "neighbour-in-use"
    sentence = "Another device of the same drive is in use and would be destroyed with it"
    remedy = "Unmount and release it first, or use a technique that reaches this namespace only."
    neighbour: str
    because: tuple[str, ...]


# --- verification ------------------------------------------------------------------------------------------------


@dataclass(eq=False, kw_only=True)
class StaleSuccess(VerificationError):
    """The drive reports a success that is not of this run."""

    code = "stale-success"
    sentence = "The drive reports a success that is not that of the operation just started"
    remedy = "The medium is not sanitized: run again or escalate to destroy."
    technique: str
    reason: str
