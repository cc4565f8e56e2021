"""SANITIZE STATUS EXT (B4h, feature 0000h): what the registers of its answer say (ACS-3, SANITIZE DEVICE)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from sanitizer.wire.fields import bit
from sanitizer.wire.pass_through import AtaRegisters


class SanitizeAbortReason(IntEnum):
    """LBA 7:0 when a sanitize command is aborted (ACS-3, "sanitize device error reason")."""

    NOT_REPORTED = 0
    """The reason is not reported, or the last sanitize operation failed."""
    AREAS_NOT_SANITIZED = 1
    """It completed, but physical sectors available for user data were not sanitized."""
    UNSUPPORTED = 2
    """The feature value is not supported."""
    FROZEN = 3
    """The drive is in the sanitize frozen state."""
    ANTIFREEZE = 4
    """The antifreeze lock is set, so it cannot be frozen."""


@dataclass(frozen=True, kw_only=True)
class SanitizeStatus:
    """What the drive says of its sanitize state machine now; never whether *our* operation did anything.

    A completed operation may be years old. Only in progress first and completed afterwards speaks of this one.
    """

    registers: AtaRegisters
    aborted: bool
    """The drive refused the command: everything below but `reason` is unknown."""
    completed_without_error: bool | None
    """COUNT bit 15: the most recent operation completed without error."""
    in_progress: bool | None
    """COUNT bit 14."""
    frozen: bool | None
    """COUNT bit 13: sanitize is frozen until a power-on reset."""
    antifreeze: bool | None
    """COUNT bit 12: the antifreeze lock is set."""
    progress: int | None
    """LBA 15:0 in 65,536ths while in progress, else None."""
    reason: SanitizeAbortReason | None
    """Why it was aborted; None if it was not, or the value is none of the standard's."""


def decode_sanitize_status(registers: AtaRegisters) -> SanitizeStatus:
    """Read the registers a SANITIZE DEVICE command (B4h) left.

    In fixed-format sense data the upper half of COUNT, where the states are, is often lost: they are unknown then.
    """
    failed = registers.failed
    count = None if failed or not registers.extend else registers.count
    in_progress = bit(count, 14)
    low = registers.lba_low
    reason = None
    if registers.aborted and low is not None and low & 0xFF in set(SanitizeAbortReason):
        reason = SanitizeAbortReason(low & 0xFF)
    return SanitizeStatus(
        registers=registers,
        aborted=registers.aborted,
        completed_without_error=bit(count, 15),
        in_progress=in_progress,
        frozen=bit(count, 13),
        antifreeze=bit(count, 12),
        progress=low & 0xFFFF if in_progress and low is not None else None,
        reason=reason,
    )
