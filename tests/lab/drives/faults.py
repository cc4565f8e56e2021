"""What can be wrong with a drive, as one typed value; a test sets it and may change it at any time.

Facts of a model (features, sector size, rotation) are no faults: they are arguments of the drive itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Erases = Literal["everything", "nothing", "first-megabyte", "all-but-one-block", "not-hidden", "not-spare"]
"""What an erase that reports success really erases."""
Takes = Literal[
    "everything", "nothing", "first-megabyte", "all-but-one-block", "elsewhere", "twice", "no-zeros", "answers-zeros"
]
"""What becomes of blocks a host writes, while every write reports success. Elsewhere: half a medium further on; twice: there as
well. Answers zeros: nothing is kept, and what was written reads as zeros from then on."""


class NoAnswer(Exception):
    """The drive says nothing; a transport lets the command hang until the host's timeout."""


class Gone(Exception):
    """The drive is not there any more; a transport answers as a pulled one does."""


class BusReset(Exception):
    """The command ended in a reset of the bus; whether it was carried out only the drive knows."""


@dataclass(eq=False)
class BadBlock(Exception):
    """One block could not be read or written."""

    lba: int
    operation: Literal["read", "write", "blank"]
    """blank: erased and not yet written again, on drives that refuse to read such blocks."""


@dataclass
class Faults:
    """One drive's misbehaviour; the defaults are a good drive."""

    seconds: float = 0.0
    """How long an erase takes, by the drive's clock."""
    fail_at: float | None = None
    """An erase stops at this part of the whole (0 to 1) and reports failure."""
    stall_at: float | None = None
    """An erase stops making progress here and never ends."""
    erases: Erases = "everything"
    takes: Takes = "everything"
    kept: tuple[tuple[int, int], ...] = ()
    """(first block, count) of blocks that every erase misses, besides `erases`."""
    refuses: frozenset[str] = field(default_factory=frozenset)
    """Groups of commands the drive advertises and aborts: sanitize, security, erase-unit, format, hpa, dco, amax,
    capacity, modes."""
    remainder: bool = False
    """A failed sanitize says that it completed but left physical sectors (ATA: reason 1)."""
    frozen: bool = False
    """The host's firmware freezes the security feature set at every power-on."""
    sanitize_frozen: bool = False
    """The same for sanitize."""
    failed_before: bool = False
    """A sanitize of someone else failed before we came; read when the drive is built or powered on."""
    succeeded_before: bool = False
    """A sanitize long ago succeeded; read when the drive is built or powered on."""
    write_protected: bool = False
    bad_reads: tuple[tuple[int, int], ...] = ()
    """(first block, count) that answer reads with a medium error."""
    bad_writes: tuple[tuple[int, int], ...] = ()
    """(first block, count) that answer writes with a medium error."""
    latency: float = 0.0
    """Seconds added to every command."""
    silent: bool = False
    """No command is answered any more."""
    vanish_after: int | None = None
    """Commands until the drive is gone for good."""
    vanish_at: float | None = None
    """Gone for good once an erase got this far (0: as soon as it has begun)."""
    reset: Literal["lost", "carried-on"] | None = None
    """The next erase command ends in a bus reset: lost is never begun, carried-on runs all the same. Spent by one command."""
    celsius: int = 30
    """Its temperature."""
    reallocated: int = 0
    """Blocks it says it has put others in the place of; stale copies in its spare ones are not such."""
    pending: int = 0
    """Blocks it says it could not read."""
    uncorrectable: int = 0
    """Errors it says are beyond its correction."""
    predicts: bool = False
    """It predicts its own failure."""
    new_serial: str = ""
    """The serial number after an erase has begun: another drive answers."""
    capacity_during: Literal["kept", "refused", "zero"] = "kept"
    """What a question for the capacity is answered with while an erase runs."""
    capacity_after: Literal["kept", "zero"] = "kept"
    """The same once it ended."""
