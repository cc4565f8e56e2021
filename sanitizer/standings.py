"""Where a drive's own sanitize operation stands, by its own account: one question without side effects, one reading.

Every function takes the ports of the held descriptor and may be called at any time, by any process, after any crash. A
reading that cannot be had is `UNKNOWN`; no answer at all is raised, so that whoever polls can count it.
"""

from __future__ import annotations

from sanitizer.capability import SanitizePhase, SanitizeStanding
from sanitizer.transport.commands import Ports, ScsiAnswer, ScsiPort
from sanitizer.wire import ata_commands, nvme_commands, scsi_commands
from sanitizer.wire.ata_status import SanitizeAbortReason, decode_sanitize_status
from sanitizer.wire.errors import MalformedReply
from sanitizer.wire.nvme_sanitize import SanitizeLog, SanitizeOutcome, SanitizeState, decode_sanitize_log
from sanitizer.wire.scsi_answers import GOOD, ata_outcome, sense_of
from sanitizer.wire.sense import NO_SENSE, NOT_READY, UNIT_ATTENTION, Sense, decode_sense

QUICK_MS = 60_000
"""For a question: a drive deep in an erase answers late, and one that does not answer in a minute is stuck."""
_ATTENTIONS = 4
"""Unit attentions in a row that are asked past: power on, reset, changed parameters, one more."""

UNREAD = SanitizeStanding(phase=SanitizePhase.UNKNOWN, progress=None, raw=b"")


_ABORTED = {
    SanitizeAbortReason.NOT_REPORTED: SanitizePhase.FAILED,
    SanitizeAbortReason.AREAS_NOT_SANITIZED: SanitizePhase.FAILED,
    SanitizeAbortReason.FROZEN: SanitizePhase.FROZEN,
}


def ata_standing(ports: Ports) -> SanitizeStanding:
    """SANITIZE STATUS EXT (ACS-3, SANITIZE DEVICE). Ask only a drive with the feature set: another aborts, as a failed one does.

    Raises:
        TransportError: no answer.
    """
    if ports.scsi is None:
        return UNREAD
    command = ata_commands.sanitize_status()
    answer = past_attentions(ports.scsi, command.cdb)
    return ata_standing_in(answer)


def ata_standing_in(answer: ScsiAnswer) -> SanitizeStanding:
    """The same, out of an answer that is there already."""
    found = ata_outcome(answer, registers_wanted=True)
    if found.registers is None:
        return SanitizeStanding(phase=SanitizePhase.UNKNOWN, progress=None, raw=answer.sense)
    status = decode_sanitize_status(found.registers)
    if status.aborted:
        phase = SanitizePhase.UNKNOWN if status.reason is None else _ABORTED.get(status.reason, SanitizePhase.UNKNOWN)
    elif status.in_progress is None or status.completed_without_error is None:
        phase = SanitizePhase.UNKNOWN
    elif status.in_progress:
        phase = SanitizePhase.IN_PROGRESS
    elif status.frozen:
        phase = SanitizePhase.FROZEN
    else:
        phase = SanitizePhase.SUCCEEDED if status.completed_without_error else SanitizePhase.IDLE
    return SanitizeStanding(
        phase=phase,
        progress=status.progress,
        raw=answer.sense,
        unsanitized_remainder=status.reason is SanitizeAbortReason.AREAS_NOT_SANITIZED,
    )


def scsi_standing(ports: Ports) -> SanitizeStanding:
    """REQUEST SENSE (SBC-4, sanitize operations; FORMAT UNIT likewise): in progress, failed, or nothing to say.

    Absence of progress is no success: a unit that is through answers as one that never began.

    Raises:
        TransportError: no answer.
    """
    if ports.scsi is None:
        return UNREAD
    command = scsi_commands.request_sense()
    standing = UNREAD
    for _ in range(_ATTENTIONS):
        answer = ports.scsi.scsi(command.cdb, timeout_ms=QUICK_MS, read=command.read)
        raw = answer.data if answer.status == GOOD else answer.sense
        try:
            sense = decode_sense(raw)
        except MalformedReply:
            return SanitizeStanding(phase=SanitizePhase.UNKNOWN, progress=None, raw=raw)
        phase = _scsi_phase(sense, answered=answer.status == GOOD)
        standing = SanitizeStanding(phase=phase, progress=sense.progress, raw=raw)
        if sense.key != UNIT_ATTENTION:
            break
    return standing


_WORKING = frozenset({(0x04, 0x1B), (0x04, 0x04), (0x00, 0x16)})
"""Sanitize in progress; format in progress; operation in progress (SPC-5, additional sense codes)."""


def _scsi_phase(sense: Sense, *, answered: bool) -> SanitizePhase:
    if sense.key in {NO_SENSE, NOT_READY} and (sense.asc, sense.ascq) in _WORKING:
        return SanitizePhase.IN_PROGRESS
    if sense.sanitize_failed or sense.code == (0x3, 0x31, 0x01):  # format command failed
        return SanitizePhase.FAILED
    if sense.key == NO_SENSE and answered and sense.asc is not None:
        return SanitizePhase.IDLE
    return SanitizePhase.UNKNOWN


def nvme_standing(ports: Ports) -> SanitizeStanding:
    """Sanitize Status log, 81h (NVMe Base). The outcome is the most recent operation's, whoever began it.

    Raises:
        TransportError: no answer.
    """
    if ports.nvme is None:
        return UNREAD
    asked = nvme_commands.sanitize_status()
    answer = ports.nvme.admin(asked.command, timeout_ms=QUICK_MS, read=asked.read)
    return nvme_standing_in(answer.data) if answer.status == 0 else UNREAD


def nvme_standing_in(data: bytes) -> SanitizeStanding:
    """The same, out of a log page that is there already."""
    try:
        log = decode_sanitize_log(data)
    except MalformedReply:
        return SanitizeStanding(phase=SanitizePhase.UNKNOWN, progress=None, raw=data)
    return SanitizeStanding(phase=_nvme_phase(log), progress=log.progress, raw=log.raw, command=log.command.raw)


def _nvme_phase(log: SanitizeLog) -> SanitizePhase:
    by_state = {
        SanitizeState.RESTRICTED_PROCESSING: SanitizePhase.IN_PROGRESS,
        SanitizeState.UNRESTRICTED_PROCESSING: SanitizePhase.IN_PROGRESS,
        SanitizeState.MEDIA_VERIFICATION: SanitizePhase.IN_PROGRESS,
        SanitizeState.POST_VERIFICATION_DEALLOCATION: SanitizePhase.IN_PROGRESS,
        SanitizeState.RESTRICTED_FAILURE: SanitizePhase.FAILED_RESTRICTED,
        SanitizeState.UNRESTRICTED_FAILURE: SanitizePhase.FAILED_UNRESTRICTED,
    }
    if log.state is None or log.outcome is None:
        return SanitizePhase.UNKNOWN
    if log.state is not SanitizeState.IDLE_OR_NOT_REPORTED:
        return by_state[log.state]
    return {
        SanitizeOutcome.NEVER: SanitizePhase.NEVER,
        SanitizeOutcome.SUCCESS: SanitizePhase.SUCCEEDED,
        SanitizeOutcome.SUCCESS_DEALLOCATED: SanitizePhase.SUCCEEDED,
        SanitizeOutcome.IN_PROGRESS: SanitizePhase.IN_PROGRESS,
        SanitizeOutcome.FAILED: SanitizePhase.FAILED,
    }[log.outcome]


def past_attentions(port: ScsiPort, cdb: bytes, *, read: int = 0) -> ScsiAnswer:
    """Ask a question without side effects, again while the unit only says that something happened to it before.

    Raises:
        TransportError: no answer.
    """
    answer = port.scsi(cdb, timeout_ms=QUICK_MS, read=read)
    for _ in range(_ATTENTIONS - 1):
        sense = sense_of(answer)
        if sense is None or answer.status == GOOD or sense.key != UNIT_ATTENTION:
            break
        answer = port.scsi(cdb, timeout_ms=QUICK_MS, read=read)
    return answer
