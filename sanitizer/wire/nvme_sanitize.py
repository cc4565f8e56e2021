"""NVMe Sanitize Status log (log page 81h), 512 bytes, little-endian: what the controller says of its last sanitize.

Byte offsets are those of NVM Express Base 2.1 and 2.3 (Sanitize Status log page). The log outlives
power cycles and carries no time: "success" is about the most recent operation, which may be years old and not ours.
Nothing here says that a medium is sanitized.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from sanitizer.wire.fields import Buffer, bit, bits, exactly, le

REPLY = "NVMe Sanitize Status log"
LENGTH = 512
NOT_REPORTED = 0xFFFFFFFF
"""Of an estimate."""


class SanitizeOutcome(IntEnum):
    """SSTAT bits 2:0."""

    NEVER = 0
    """The subsystem has never been sanitized."""
    SUCCESS = 1
    """The most recent operation completed successfully."""
    IN_PROGRESS = 2
    FAILED = 3
    """The most recent operation failed."""
    SUCCESS_DEALLOCATED = 4
    """It completed successfully and deallocated, though asked not to."""


class SanitizeState(IntEnum):
    """Byte 36 bits 3:0. A controller that cannot verify media (SANICAP bit 3 clear) always answers 0: SSTAT alone speaks."""

    IDLE_OR_NOT_REPORTED = 0
    RESTRICTED_PROCESSING = 1
    RESTRICTED_FAILURE = 2
    """Only another Sanitize without AUSE is accepted."""
    UNRESTRICTED_PROCESSING = 3
    UNRESTRICTED_FAILURE = 4
    """Exit Failure Mode, or any new Sanitize, is accepted."""
    MEDIA_VERIFICATION = 5
    POST_VERIFICATION_DEALLOCATION = 6


class SanitizeAction(IntEnum):
    """SANACT, command dword 10 bits 2:0."""

    EXIT_FAILURE_MODE = 1
    BLOCK_ERASE = 2
    OVERWRITE = 3
    CRYPTO_ERASE = 4
    EXIT_MEDIA_VERIFICATION = 5


@dataclass(frozen=True, kw_only=True)
class SanitizeCommand:
    """SCDW10: command dword 10 of the last sanitize, which tells ours from another's."""

    raw: int
    action: SanitizeAction | None
    """Bits 2:0; None for a reserved value."""
    allow_unrestricted_exit: bool
    """Bit 3 (AUSE)."""
    passes: int
    """Bits 7:4 (OWPASS), 1 to 16 (0 stands for 16); of meaning for overwrite only."""
    invert_between_passes: bool
    """Bit 8 (OIPBP)."""
    no_deallocate: bool
    """Bit 9 (NDAS)."""
    enter_verification: bool
    """Bit 10 (EMVS)."""


@dataclass(frozen=True, kw_only=True)
class SanitizeEstimates:
    """How long it would take, in seconds; None where the controller does not say."""

    overwrite: int | None
    """Bytes 8 to 11, for 16 passes."""
    block_erase: int | None
    """Bytes 12 to 15."""
    crypto_erase: int | None
    """Bytes 16 to 19."""
    overwrite_no_deallocate: int | None
    """Bytes 20 to 23: if asked not to deallocate and the media are modified afterwards."""
    block_erase_no_deallocate: int | None
    """Bytes 24 to 27."""
    crypto_erase_no_deallocate: int | None
    """Bytes 28 to 31."""
    post_verification_deallocation: int | None
    """Bytes 32 to 35; 0 on controllers older than the field."""


@dataclass(frozen=True, kw_only=True)
class SanitizeLog:
    """The log page as it stood when it was read."""

    raw: bytes
    """All 512 bytes, as evidence."""
    progress_raw: int
    """Bytes 0 and 1 (SPROG); FFFFh when nothing runs."""
    status_raw: int
    """Bytes 2 and 3 (SSTAT)."""
    outcome: SanitizeOutcome | None
    """SSTAT bits 2:0; None for a reserved value."""
    passes_completed: int
    """SSTAT bits 7:3, for overwrite."""
    global_data_erased: bool
    """SSTAT bit 8: no user data was written since; the first write clears it."""
    verification_cancelled: bool
    """SSTAT bit 9 (MVCNCLD)."""
    namespace_data_erased: bool
    """SSTAT bit 10 (NDE), since 2.3."""
    command: SanitizeCommand
    """Bytes 4 to 7; without meaning where there never was a sanitize."""
    estimates: SanitizeEstimates
    state: SanitizeState | None
    """Byte 36 bits 3:0; None for a reserved value."""
    failed_state: SanitizeState | None
    """Byte 36 bits 7:4: the state in which it failed; None likewise."""

    @property
    def progress(self) -> int | None:
        """SPROG in 65,536ths while an operation runs, else None."""
        return self.progress_raw if self.outcome is SanitizeOutcome.IN_PROGRESS else None

    @property
    def in_failure_mode(self) -> bool | None:
        """Whether commands are refused because a sanitize failed; None where the log does not decide it.

        A failed outcome alone stays in the log after Exit Failure Mode.
        """
        if self.state in {SanitizeState.RESTRICTED_FAILURE, SanitizeState.UNRESTRICTED_FAILURE}:
            return True
        return None if self.outcome in {SanitizeOutcome.FAILED, None} or self.state is None else False


def _command(raw: int) -> SanitizeCommand:
    action = raw & 7
    return SanitizeCommand(
        raw=raw,
        action=SanitizeAction(action) if action in set(SanitizeAction) else None,
        allow_unrestricted_exit=bool(raw & 0x8),
        passes=(raw >> 4 & 0xF) or 16,
        invert_between_passes=bool(raw & 0x100),
        no_deallocate=bool(raw & 0x200),
        enter_verification=bool(raw & 0x400),
    )


def _seconds(raw: bytes, offset: int) -> int | None:
    value = le(raw, offset, 4)
    return None if value == NOT_REPORTED else value


def _state(value: int | None) -> SanitizeState | None:
    return SanitizeState(value) if value in set(SanitizeState) else None


def decode_sanitize_log(data: Buffer) -> SanitizeLog:
    """Read the Sanitize Status log.

    Args:
        data: Exactly 512 bytes.

    Raises:
        MalformedReply: other than 512 bytes.
    """
    raw = exactly(REPLY, data, LENGTH)
    status = int.from_bytes(raw[2:4], "little")
    outcome = status & 7
    return SanitizeLog(
        raw=raw,
        progress_raw=int.from_bytes(raw[0:2], "little"),
        status_raw=status,
        outcome=SanitizeOutcome(outcome) if outcome in set(SanitizeOutcome) else None,
        passes_completed=status >> 3 & 0x1F,
        global_data_erased=bool(bit(status, 8)),
        verification_cancelled=bool(bit(status, 9)),
        namespace_data_erased=bool(bit(status, 10)),
        command=_command(int.from_bytes(raw[4:8], "little")),
        estimates=SanitizeEstimates(
            overwrite=_seconds(raw, 8),
            block_erase=_seconds(raw, 12),
            crypto_erase=_seconds(raw, 16),
            overwrite_no_deallocate=_seconds(raw, 20),
            block_erase_no_deallocate=_seconds(raw, 24),
            crypto_erase_no_deallocate=_seconds(raw, 28),
            post_verification_deallocation=_seconds(raw, 32),
        ),
        state=_state(bits(le(raw, 36, 1), 3, 0)),
        failed_state=_state(bits(le(raw, 36, 1), 7, 4)),
    )
