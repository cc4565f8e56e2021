"""How tests ask an emulated ATA drive: commands by register, words of IDENTIFY, passwords, a power cycle."""

from __future__ import annotations

import struct

from .ata import AtaDrive
from .ata_identify import AtaModel
from .ata_registers import Registers, Taskfile
from .faults import Faults
from .medium import Medium

SECRET = b"SECRET-CRM-ROW42"
BLOCKS = 4096
CRYPTO = Taskfile(command=0xB4, feature=0x11, lba=0x43727970, extend=True)
BLOCK_ERASE = Taskfile(command=0xB4, feature=0x12, lba=0x426B4572, extend=True)
STATUS = Taskfile(command=0xB4, extend=True)
FREEZE = Taskfile(command=0xB4, feature=0x20, lba=0x46724C6B, extend=True)
ANTIFREEZE = Taskfile(command=0xB4, feature=0x40, lba=0x416E7469, extend=True)
PASSWORD = b"correct horse".ljust(32, b"\0")
MASTER = b"the master's".ljust(32, b"\0")


def drive(model: AtaModel | None = None, **faults: object) -> AtaDrive:
    medium = Medium(BLOCKS, faults=Faults(**faults))  # type: ignore[arg-type]  # field names, by test
    medium.fill(SECRET)
    return AtaDrive(medium, model=model)


def pass_time(ata: AtaDrive, seconds: float) -> None:
    ata.medium.clock.sleep(seconds)


def said(ata: AtaDrive, command: int, *, extend: bool = False, **fields: int) -> Registers:
    return ata.execute(Taskfile(command=command, extend=extend, **fields))[0]


def word(ata: AtaDrive, number: int) -> int:
    return int(struct.unpack_from("<H", ata.identify(), 2 * number)[0])


def secret(word_one: int = 0, password: bytes = PASSWORD) -> bytes:
    return struct.pack("<H", word_one) + password + bytes(478)


def secured(ata: AtaDrive, command: int, data: bytes = b"") -> bool:
    return ata.execute(Taskfile(command=command, count=1), data)[0].status & 1 == 0


def power_cycle(ata: AtaDrive) -> None:
    ata.power_cut()
    ata.power_on()
