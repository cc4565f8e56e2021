"""eMMC commands as values (JESD84-B51; response flags of linux/mmc/core.h). Building one sends nothing."""

from __future__ import annotations

from sanitizer.transport.commands import MmcCommand

SWITCH, SEND_EXT_CSD, SEND_STATUS = 6, 8, 13
ERASE_GROUP_START, ERASE_GROUP_END, ERASE = 35, 36, 38
SANITIZE_START = 165
"""EXT_CSD byte."""

_R1 = 0x01 | 0x04 | 0x10 | 0x80
"""Present, with CRC and opcode; the same in SPI mode."""
_R1B = _R1 | 0x08 | 0x400
"""And the card may be busy afterwards."""
_ADDRESSED, _ADDRESSED_DATA = 0 << 5, 1 << 5

SECURE_ERASE, SECURE_TRIM_1, SECURE_TRIM_2, PLAIN_ERASE, TRIM = 0x80000000, 0x80000001, 0x80008000, 0x0, 0x1
"""Arguments of CMD38 (JESD84-B51, ERASE)."""


def read_ext_csd() -> MmcCommand:
    """CMD8: the 512 bytes of EXT_CSD."""
    return MmcCommand(opcode=SEND_EXT_CSD, argument=0, flags=_R1 | _ADDRESSED_DATA, block_bytes=512, blocks=1)


def switch(index: int, value: int) -> MmcCommand:
    """CMD6: write one byte of EXT_CSD (access mode 3)."""
    return MmcCommand(
        opcode=SWITCH, argument=3 << 24 | index << 16 | value << 8 | 1, flags=_R1B | _ADDRESSED, write=True
    )


def sanitize() -> MmcCommand:
    """CMD6 on SANITIZE_START. It reaches unmapped space only: erase or trim every block before."""
    return switch(SANITIZE_START, 1)


def erase(first: int, last: int, argument: int = PLAIN_ERASE) -> tuple[MmcCommand, MmcCommand, MmcCommand]:
    """CMD35, CMD36, CMD38: a range of sectors, both ends included."""
    if not 0 <= first <= last < 1 << 32:
        raise ValueError("sectors have 32 bits, the last no lower than the first")
    return (
        MmcCommand(opcode=ERASE_GROUP_START, argument=first, flags=_R1 | _ADDRESSED),
        MmcCommand(opcode=ERASE_GROUP_END, argument=last, flags=_R1 | _ADDRESSED),
        MmcCommand(opcode=ERASE, argument=argument, flags=_R1B | _ADDRESSED, write=True),
    )
