"""What the answer to one SCSI or ATA PASS-THROUGH command amounts to: carried out, refused, or nobody knows.

Unknown is a value here: a status without the registers that were asked for, deferred sense data, a unit attention for a reset
say nothing about this command.
"""

from __future__ import annotations

from dataclasses import dataclass

from sanitizer.transport.commands import ScsiAnswer
from sanitizer.wire.errors import MalformedReply
from sanitizer.wire.pass_through import AtaRegisters, registers_in
from sanitizer.wire.sense import (
    ABORTED_COMMAND,
    ILLEGAL_REQUEST,
    MEDIUM_ERROR,
    NO_SENSE,
    NOT_READY,
    RECOVERED_ERROR,
    UNIT_ATTENTION,
    Sense,
    decode_sense,
)

GOOD, CHECK_CONDITION, BUSY, RESERVATION_CONFLICT, TASK_SET_FULL, TASK_ABORTED = 0x00, 0x02, 0x08, 0x18, 0x28, 0x40
"""Status codes (SAM-5, 5.3)."""
_NOT_CARRIED_OUT = {BUSY: "busy", RESERVATION_CONFLICT: "reservation conflict", TASK_SET_FULL: "task set full"}
_REGISTERS_AVAILABLE = (0x00, 0x1D)
"""ATA PASS-THROUGH INFORMATION AVAILABLE (SAT-4, 12.2.2): with CK_COND this is how success looks."""
_REFUSALS = frozenset({NOT_READY, MEDIUM_ERROR, 0x4, ILLEGAL_REQUEST, 0x7, ABORTED_COMMAND})
_KEYS = {
    NO_SENSE: "no sense",
    RECOVERED_ERROR: "recovered error",
    NOT_READY: "not ready",
    MEDIUM_ERROR: "medium error",
    0x4: "hardware error",
    ILLEGAL_REQUEST: "illegal request",
    UNIT_ATTENTION: "unit attention",
    0x7: "data protect",
    ABORTED_COMMAND: "aborted command",
}


@dataclass(frozen=True, kw_only=True)
class ScsiOutcome:
    """One answer, judged by itself."""

    accepted: bool | None
    """Carried out or begun (True), refused (False), not said (None)."""
    sense: Sense | None
    reason: str
    """Why it is not accepted, in words; empty when it is."""

    @property
    def host_reset(self) -> bool:
        """The unit says that it was reset; what became of the command is unknown."""
        return self.sense is not None and self.sense.host_reset

    @property
    def unsupported(self) -> bool:
        """5/20/00 invalid operation code or 5/24/00 invalid field in CDB: the unit does not have it (SPC-5, 4.4)."""
        code = self.sense.code if self.sense is not None else None
        return code is not None and code[:2] in {(ILLEGAL_REQUEST, 0x20), (ILLEGAL_REQUEST, 0x24)}


@dataclass(frozen=True, kw_only=True)
class AtaOutcome:
    """The answer to an ATA PASS-THROUGH."""

    accepted: bool | None
    """As the drive's registers say; True without registers only where none were asked for."""
    registers: AtaRegisters | None
    sense: Sense | None
    reason: str

    @property
    def host_reset(self) -> bool:
        """The unit says that it was reset; what became of the command is unknown."""
        return self.sense is not None and self.sense.host_reset


def sense_of(answer: ScsiAnswer) -> Sense | None:
    """The sense data of an answer; None where there is none or it has no form of the standard's."""
    try:
        return decode_sense(answer.sense) if answer.sense else None
    except MalformedReply:
        return None


def code_words(sense: Sense | None) -> str:
    """Key, code and qualifier as people write them: `5/20/00 (illegal request)`."""
    if sense is None:
        return "no sense data"
    code = "/".join("?" if part is None else f"{part:02x}" for part in sense.code)
    return f"{code.removeprefix('0')} ({_KEYS.get(sense.key if sense.key is not None else -1, 'other key')})"


def scsi_outcome(answer: ScsiAnswer) -> ScsiOutcome:
    """Judge the answer to a SCSI command."""
    sense = sense_of(answer)
    if answer.status == GOOD:
        return ScsiOutcome(accepted=True, sense=sense, reason="")
    if answer.status in _NOT_CARRIED_OUT:
        return ScsiOutcome(accepted=False, sense=sense, reason=_NOT_CARRIED_OUT[answer.status])
    if answer.status != CHECK_CONDITION:
        return ScsiOutcome(accepted=None, sense=sense, reason=f"status {answer.status:02x}h")
    if sense is None or sense.deferred:
        return ScsiOutcome(accepted=None, sense=sense, reason="check condition that does not speak of this command")
    if sense.key in {NO_SENSE, RECOVERED_ERROR}:
        return ScsiOutcome(accepted=True, sense=sense, reason="")
    accepted = False if sense.key in _REFUSALS else None
    return ScsiOutcome(accepted=accepted, sense=sense, reason=code_words(sense))


def ata_outcome(answer: ScsiAnswer, *, registers_wanted: bool) -> AtaOutcome:
    """Judge the answer to an ATA PASS-THROUGH.

    Args:
        answer: What came back.
        registers_wanted: Whether CK_COND was set. A GOOD status without the registers that were asked for is what a
            bridge answers that drops commands, and proves nothing.
    """
    sense = sense_of(answer)
    registers = registers_in(sense) if sense is not None and not sense.deferred else None
    if answer.status == GOOD:
        accepted, reason = _by_good_status(registers, registers_wanted=registers_wanted)
    elif answer.status in _NOT_CARRIED_OUT:
        accepted, reason = False, _NOT_CARRIED_OUT[answer.status]
    elif answer.status != CHECK_CONDITION or sense is None or sense.deferred:
        accepted, reason = None, f"status {answer.status:02x}h that does not speak of this command"
    else:
        accepted, reason = _by_sense(sense, registers)
    return AtaOutcome(accepted=accepted, registers=registers, sense=sense, reason=reason)


_Verdict = tuple[bool | None, str]


def _by_good_status(registers: AtaRegisters | None, *, registers_wanted: bool) -> _Verdict:
    if registers is not None:
        return _by_registers(registers)
    if registers_wanted:
        return None, "the registers that were asked for did not come back"
    return True, ""


def _by_sense(sense: Sense, registers: AtaRegisters | None) -> _Verdict:
    if (sense.asc, sense.ascq) == _REGISTERS_AVAILABLE and sense.key in {NO_SENSE, RECOVERED_ERROR}:
        if registers is None:
            return None, "registers are announced and cannot be read"
        return _by_registers(registers)
    if sense.key in _REFUSALS:
        return False, code_words(sense)
    if registers is not None and registers.failed and sense.key != UNIT_ATTENTION:
        return False, _register_words(registers)
    return None, code_words(sense)


def _by_registers(registers: AtaRegisters) -> _Verdict:
    return (False, _register_words(registers)) if registers.failed else (True, "")


def _register_words(registers: AtaRegisters) -> str:
    return f"status {registers.status:02x}h error {registers.error:02x}h"
