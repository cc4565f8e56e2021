"""Sense data in the layouts that exist: descriptor and fixed, and three of them for ATA registers (SPC-4, 4.5; SAT-3, 12.2)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal

from .ata_registers import Registers

GOOD, CHECK_CONDITION = 0x00, 0x02

Layout = Literal["descriptor", "fixed", "fixed-old", "libata", "libata-old"]
"""The old ones have the ATA registers where Linux before mid-2024 put them in fixed format; the libata ones are descriptor
format for a command that succeeded and fixed for one that failed."""


@dataclass(frozen=True, kw_only=True)
class Sense:
    """What a drive has to say; `bytes` in a layout is made at the end."""

    key: int
    code: int
    """Additional sense code."""
    qualifier: int = 0
    progress: int | None = None
    """Parts of 65,536."""
    information: int | None = None
    """The logical block."""
    registers: Registers | None = None
    """ATA Status Return."""

    def raw(self, layout: Layout) -> bytes:
        """The sense data."""
        returned = self.registers is not None and self.registers.status & 1 == 0
        if layout == "descriptor" or (returned and layout.startswith("libata")):
            return self._descriptors()
        return self._fixed(old=layout.endswith("-old"))

    def _descriptors(self) -> bytes:
        parts = b""
        if self.information is not None:
            parts += struct.pack(">BBBBQ", 0x00, 0x0A, 0x80, 0, self.information)
        if self.progress is not None:
            parts += struct.pack(">BBBBBHB", 0x02, 0x06, 0, 0, 0x80, self.progress, 0)
        if self.registers is not None:
            parts += _status_return(self.registers)
        return bytes((0x72, self.key, self.code, self.qualifier, 0, 0, 0, len(parts))) + parts

    def _fixed(self, *, old: bool) -> bytes:
        raw = bytearray(20 if old and self.registers else 18)
        raw[0], raw[2], raw[7], raw[12], raw[13] = 0x70, self.key, 10, self.code, self.qualifier
        if self.information is not None:
            raw[0] |= 0x80
            struct.pack_into(">I", raw, 3, self.information & 0xFFFFFFFF)
        if self.progress is not None:
            struct.pack_into(">BH", raw, 15, 0x80, self.progress)
        if self.registers is not None:
            _fixed_registers(raw, self.registers, old=old)
        return bytes(raw)


def _status_return(answer: Registers) -> bytes:
    """ATA Status Return descriptor (SAT-3, 12.2.2.6)."""
    lba, wide = answer.lba, answer.extend
    low, high = lba & 0xFFFFFF, lba >> 24 if wide else 0
    device = answer.device if wide else answer.device & 0xF0 | lba >> 24 & 0x0F
    address = (high, low, high >> 8, low >> 8, high >> 16, low >> 16)
    upper = answer.count >> 8 if wide else 0
    head = bytes((0x09, 0x0C, int(wide), answer.error, upper & 0xFF, answer.count & 0xFF))
    return head + bytes(byte & 0xFF for byte in address) + bytes((device, answer.status))


def _fixed_registers(raw: bytearray, answer: Registers, *, old: bool) -> None:
    """Registers in fixed format: of what is above 8 and 24 bits only that it is not zero."""
    upper_count = answer.extend and bool(answer.count >> 8)
    upper_lba = answer.extend and bool(answer.lba >> 24)
    flags = (0x80 if answer.extend else 0) | (0x40 if upper_count else 0) | (0x20 if upper_lba else 0)
    device = answer.device if answer.extend else answer.device & 0xF0 | answer.lba >> 24 & 0x0F
    four = (answer.error, answer.status, device, answer.count & 0xFF)
    address = answer.lba.to_bytes(8, "little")[:3]
    if old:
        raw[8:12], raw[16], raw[17:20] = bytes(four), flags, address
    else:
        raw[0] |= 0x80
        raw[3:7], raw[8], raw[9:12] = bytes(four), flags, address


class CheckCondition(Exception):
    """A command ends with sense data, and sometimes with data besides."""

    def __init__(self, sense: Sense, data: bytes = b"") -> None:
        super().__init__(f"{sense.key:x}/{sense.code:02x}/{sense.qualifier:02x}")
        self.sense = sense
        self.data = data


def illegal(code: int, qualifier: int = 0) -> CheckCondition:
    """ILLEGAL REQUEST."""
    return CheckCondition(Sense(key=5, code=code, qualifier=qualifier))


def invalid_opcode() -> CheckCondition:
    """ILLEGAL REQUEST, invalid command operation code."""
    return illegal(0x20)


def invalid_field() -> CheckCondition:
    """ILLEGAL REQUEST, invalid field in CDB."""
    return illegal(0x24)


def invalid_parameter() -> CheckCondition:
    """ILLEGAL REQUEST, invalid field in parameter list."""
    return illegal(0x26)
