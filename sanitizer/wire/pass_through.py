"""The ATA registers a drive answered with, out of the sense data of ATA PASS-THROUGH (SAT-4, 12.2.2).

Three layouts are in use, and the kernel and the adapter choose, not we:

* descriptor 09h in descriptor format: every register whole;
* fixed format as SAT has it (Linux from mid-2024, adapters): ERROR, STATUS, DEVICE and COUNT 7:0 in bytes 3 to 6, flags
  in byte 8, LBA 23:0 in bytes 9 to 11;
* fixed format of older Linux: the same in bytes 8 to 11, flags in byte 16, LBA 23:0 in bytes 17 to 19, the last two
  beyond the additional length.

In fixed format the upper bytes are only flagged as zero or not zero; what that leaves open is None.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sanitizer.wire.errors import MalformedReply
from sanitizer.wire.fields import Buffer
from sanitizer.wire.sense import Sense, SenseFormat, decode_sense

REPLY = "the answer to an ATA PASS-THROUGH command"
STATUS_BSY, STATUS_DRDY, STATUS_DF, STATUS_DRQ, STATUS_ERR = 0x80, 0x40, 0x20, 0x08, 0x01
"""Bits of the STATUS register (ACS-3, STATUS field)."""
ERROR_ABRT = 0x04
"""Bit of the ERROR register: the command was aborted (ACS-3, ERROR field)."""


class RegisterLayout(StrEnum):
    """Where the registers were found."""

    DESCRIPTOR = "descriptor"
    FIXED = "fixed"
    FIXED_OLD_LINUX = "fixed-old-linux"


@dataclass(frozen=True, kw_only=True)
class AtaRegisters:
    """What the drive left in its registers when the command ended."""

    layout: RegisterLayout
    extend: bool
    """The command had 48-bit registers."""
    error: int
    """ERROR; meaningful only if the status says so."""
    status: int
    device: int
    count_low: int
    """COUNT 7:0."""
    count_high: int | None
    """COUNT 15:8; in fixed format known only to be zero, or unknown."""
    lba_low: int | None
    """LBA 23:0; None where the buffer ends before it."""
    lba_high: int | None
    """LBA 47:24; in fixed format known only to be zero, or unknown."""

    @property
    def count(self) -> int | None:
        """COUNT 15:0, where both halves are known."""
        return None if self.count_high is None else self.count_high << 8 | self.count_low

    @property
    def lba(self) -> int | None:
        """LBA 47:0, where both halves are known."""
        return None if self.lba_high is None or self.lba_low is None else self.lba_high << 24 | self.lba_low

    @property
    def failed(self) -> bool:
        """The command ended with an error or a device fault, or has not ended (BSY, DRQ)."""
        return bool(self.status & (STATUS_BSY | STATUS_DF | STATUS_DRQ | STATUS_ERR))

    @property
    def aborted(self) -> bool:
        """The drive refused the command (ERR with ABRT)."""
        return bool(self.status & STATUS_ERR and self.error & ERROR_ABRT)


def _from_descriptor(body: bytes) -> AtaRegisters:
    # SAT-4, ATA Status Return sense data descriptor; `body` starts at descriptor byte 2.
    extend = bool(body[0] & 1)
    return AtaRegisters(
        layout=RegisterLayout.DESCRIPTOR,
        extend=extend,
        error=body[1],
        status=body[11],
        device=body[10],
        count_low=body[3],
        count_high=body[2] if extend else None,
        lba_low=body[9] << 16 | body[7] << 8 | body[5],
        lba_high=body[8] << 16 | body[6] << 8 | body[4] if extend else None,
    )


def _from_fixed(registers: bytes, flags: int, lba: bytes, layout: RegisterLayout) -> AtaRegisters:
    extend = bool(flags & 0x80)
    return AtaRegisters(
        layout=layout,
        extend=extend,
        error=registers[0],
        status=registers[1],
        device=registers[2],
        count_low=registers[3],
        count_high=0 if extend and not flags & 0x40 else None,
        lba_low=int.from_bytes(lba, "little") if len(lba) == 3 else None,
        lba_high=0 if extend and not flags & 0x20 else None,
    )


def _possible(status: int) -> bool:
    """Whether a drive that answered can have left this STATUS: ready, in error or at fault, and not a floating bus."""
    return status != 0xFF and bool(status & (STATUS_DRDY | STATUS_DF | STATUS_ERR))


def registers_in(sense: Sense) -> AtaRegisters | None:
    """The registers in sense data that is known to answer an ATA PASS-THROUGH; None where no layout fits.

    Ask only then: other sense data can look the same by accident.
    """
    if sense.format is SenseFormat.DESCRIPTOR:
        found = next((d for d in sense.descriptors if d.kind == 0x09 and d.whole and d.length >= 12), None)
        return None if found is None or not _possible(found.body[11]) else _from_descriptor(found.body)
    raw = sense.raw
    if len(raw) >= 12 and (sense.information_valid or any(raw[3:7])):
        # Old Linux leaves VALID and the information field zero; SAT puts a STATUS there, which never is zero.
        return _from_fixed(raw[3:7], raw[8], raw[9:12], RegisterLayout.FIXED) if _possible(raw[4]) else None
    if len(raw) >= 17 and _possible(raw[9]):
        return _from_fixed(raw[8:12], raw[16], raw[17:20], RegisterLayout.FIXED_OLD_LINUX)
    return None


def decode_pass_through_answer(data: Buffer) -> AtaRegisters:
    """Read the sense buffer that came back for an ATA PASS-THROUGH command with CK_COND set.

    Raises:
        MalformedReply: no sense data, or none of the three layouts holds a register set a drive can have left.
    """
    sense = decode_sense(data)
    registers = registers_in(sense)
    if registers is None:
        code = "/".join("?" if part is None else f"{part:02x}h" for part in sense.code)
        raise MalformedReply(
            reply=REPLY,
            expected="ATA registers in descriptor 09h, in bytes 3 to 11, or in bytes 8 to 19",
            got=f"{sense.format} format sense data {code} without them",
        )
    return registers
