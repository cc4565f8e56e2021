"""Having a translation layer answer in descriptor format, in which the registers of an ATA command come whole.

In fixed format the upper half of COUNT is lost (SAT-4, 12.2.2), and in it stands whether a sanitize operation runs, is frozen
or has succeeded. Which format is used the control mode page says (SPC-5, D_SENSE), and it may be changed; not saved, it is
back to what it was after a power cycle. Nothing of this reaches the drive or its medium.
"""

from __future__ import annotations

from sanitizer.standings import past_attentions
from sanitizer.transport.commands import ScsiAnswer, ScsiPort
from sanitizer.wire import ata_commands, scsi_commands
from sanitizer.wire.pass_through import RegisterLayout
from sanitizer.wire.scsi_answers import GOOD, ata_outcome

from .patience import QUICK_MS

_CONTROL_PAGE = 0x0A
_HEADER = 8
_D_SENSE = 0x04
"""Byte 2 of the page."""


def in_fixed_format(answer: ScsiAnswer) -> bool:
    """Whether registers came, and not whole."""
    registers = ata_outcome(answer, registers_wanted=True).registers
    return registers is not None and registers.layout is not RegisterLayout.DESCRIPTOR


def want_whole_answers(port: ScsiPort) -> bool:
    """Where the drive's sanitize status comes in fixed format, ask for the other; whether that was taken.

    Raises:
        TransportError: no answer.
    """
    if not in_fixed_format(past_attentions(port, ata_commands.sanitize_status().cdb)):
        return False
    asked = scsi_commands.mode_sense_10(_CONTROL_PAGE, descriptors=False)
    told = past_attentions(port, asked.cdb, read=asked.read)
    page = bytearray(told.data[_HEADER:])
    if told.status != GOOD or len(page) < 3 or page[0] & 0x3F != _CONTROL_PAGE or len(page) < 2 + page[1]:
        return False
    page = page[: 2 + page[1]]
    page[0] &= 0x3F  # PS is reserved in MODE SELECT
    page[2] |= _D_SENSE
    wanted = scsi_commands.mode_select_10(bytes(_HEADER) + bytes(page), save=False)
    return port.scsi(wanted.cdb, timeout_ms=QUICK_MS, write=wanted.data).status == GOOD
