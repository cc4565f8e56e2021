"""A SATA drive behind a translation layer: SCSI on top, ATA PASS-THROUGH underneath (SAT-3).

As Linux' own layer does it: no SANITIZE (48h) and no FORMAT UNIT, the drive's commands only through ATA PASS-THROUGH.
"""

from __future__ import annotations

import struct
from typing import Literal

from .ata import IDENTIFY, AtaDrive
from .ata_registers import ABRT, IDNF, UNC, Registers, Taskfile
from .erasure import Phase
from .scsi_base import ScsiBase
from .scsi_pages import ScsiModel
from .sense import CheckCondition, Layout, Sense, illegal, invalid_field

ATA_16, ATA_12 = 0x85, 0xA1
_PROTOCOLS = {3, 4, 5, 6, 10, 11}
"""Non-data, PIO in and out, DMA, and DMA in and out for UDMA."""
_NON_DATA = 3
_CHECK = 0x20
Sectors = Literal[512, 4096]


class SataDisk(ScsiBase):
    """What a SAS adapter or libata shows of an `AtaDrive`."""

    always = ScsiBase.always | {ATA_16, ATA_12}

    def __init__(self, ata: AtaDrive, *, layout: Layout = "descriptor") -> None:
        model = ScsiModel(
            vendor="ATA",
            product=ata.model.model,
            revision=ata.model.firmware,
            rotation=ata.model.rotation,
            sanitize=frozenset(),
            unmap=ata.model.trim,
            physical_exponent=ata.model.physical_exponent,
        )
        super().__init__(ata.medium, serial=ata.serial, model=model, layout=layout)
        self.ata = ata
        self._offer(self._pass, ATA_16, ATA_12)
        if ata.tper is not None:
            self._offer(self._security_in, 0xA2)
            self._offer(self._security_out, 0xB5)

    # Power

    def power_cut(self) -> None:
        """See `AtaDrive.power_cut`."""
        self.ata.power_cut()

    def power_on(self) -> None:
        """See `AtaDrive.power_on`."""
        with self._lock:
            super().power_on()
            self.ata.power_on()

    def reset(self) -> None:
        """See `AtaDrive.reset`."""
        super().reset()
        self.ata.reset()

    # Facts

    @property
    def serial(self) -> str:
        """The drive's."""
        return self.ata.serial

    @property
    def wwn(self) -> int:
        """The drive's."""
        return self.ata.wwn

    @property
    def blocks(self) -> int:
        """What the drive shows now."""
        return self.ata.capacity.sectors

    @property
    def shrunk(self) -> bool:
        """See `AtaDrive.shrunk`."""
        return self.ata.shrunk

    def erases(self, cdb: bytes) -> bool:
        """Whether a command begins an erase."""
        return cdb[0] in {ATA_16, ATA_12} and self.ata.erases(taskfile(cdb))

    def not_ready(self) -> Sense | None:
        """The drive aborts everything while a sanitize runs or has failed; SAT-3 gives SCSI's own words for it."""
        operation = self.medium.erasure.poll()
        if operation.phase is Phase.RUNNING:
            progress = min(0xFFFF, int(operation.fraction * 0x10000))
            return Sense(key=2, code=0x04, qualifier=0x1B, progress=progress)
        if operation.phase is Phase.FAILED:
            return Sense(key=3, code=0x31, qualifier=0x03)
        return None

    def readable(self) -> None:
        """A locked drive aborts reads."""
        if self.ata.security.locked or (self.ata.tper is not None and self.ata.tper.view == "denied"):
            raise CheckCondition(Sense(key=0xB, code=0x00))

    def writable(self) -> None:
        """A locked drive aborts writes."""
        super().writable()
        if self.ata.security.locked or (self.ata.tper is not None and not self.ata.tper.writable):
            raise CheckCondition(Sense(key=0xB, code=0x00))

    def _read(self, cdb: bytes, data: bytes) -> bytes:
        answer = super()._read(cdb, data)
        return bytes(len(answer)) if self.ata.tper is not None and self.ata.tper.view == "zeros" else answer

    def vital(self, number: int) -> bytes | None:
        """ATA Information (89h) besides the usual ones."""
        if number != 0x89:
            return super().vital(number)
        layer = b"LAB     " + b"SAT LAYER       " + b"0001"
        signature = bytes((0x34, 0, 0x50, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0x01)) + bytes(7)
        return bytes(4) + layer + signature + bytes((IDENTIFY, 0, 0, 0)) + self.ata.identify()

    # ATA PASS-THROUGH (SAT-3, 12.2)

    def _pass(self, cdb: bytes, data: bytes) -> bytes:
        protocol, length_in = cdb[1] >> 1 & 0x0F, cdb[2] & 0x03
        if protocol not in _PROTOCOLS or (length_in == 0 and protocol != _NON_DATA and not cdb[2] & _CHECK):
            raise invalid_field()
        asked = taskfile(cdb)
        outward = protocol != _NON_DATA and not cdb[2] & 0x08
        answer, got = self.ata.execute(asked, data if outward else b"")
        if answer.status & 1:
            raise CheckCondition(_failed(answer))
        if cdb[2] & _CHECK:
            raise CheckCondition(Sense(key=1, code=0x00, qualifier=0x1D, registers=answer), got)
        return got

    # SECURITY PROTOCOL IN and OUT, translated to TRUSTED commands (SAT-3, 8.12)

    def _security_in(self, cdb: bytes, _data: bytes) -> bytes:
        length = int.from_bytes(cdb[6:10], "big")
        if not cdb[4] & 0x80:
            if length % 512:
                raise invalid_field()
            length //= 512
        return self._trusted(0x5C, cdb, length, b"")

    def _security_out(self, cdb: bytes, data: bytes) -> bytes:
        return self._trusted(0x5E, cdb, -(-len(data) // 512), data)

    def _trusted(self, command: int, cdb: bytes, blocks: int, data: bytes) -> bytes:
        specific = cdb[2] << 8 | cdb[3]
        asked = Taskfile(command=command, feature=cdb[1], count=blocks & 0xFF, lba=specific << 8 | blocks >> 8 & 0xFF)
        answer, got = self.ata.execute(asked, data)
        if answer.status & 1:
            raise illegal(0x24)
        return got


def taskfile(cdb: bytes) -> Taskfile:
    """The ATA command in a pass-through CDB."""
    if cdb[0] == ATA_12:
        address = cdb[5] | cdb[6] << 8 | cdb[7] << 16 | (cdb[8] & 0x0F) << 24
        return Taskfile(command=cdb[9], feature=cdb[3], count=cdb[4], lba=address, device=cdb[8])
    wide = bool(cdb[1] & 1)
    low = cdb[8] | cdb[10] << 8 | cdb[12] << 16
    if not wide:
        return Taskfile(command=cdb[14], feature=cdb[4], count=cdb[6], lba=low | (cdb[13] & 0x0F) << 24, device=cdb[13])
    return Taskfile(
        command=cdb[14],
        feature=cdb[3] << 8 | cdb[4],
        count=cdb[5] << 8 | cdb[6],
        lba=low | cdb[7] << 24 | cdb[9] << 32 | cdb[11] << 40,
        device=cdb[13],
        extend=True,
    )


def _failed(answer: Registers) -> Sense:
    """The sense key for an ATA error as libata chooses it (ata_to_sense_error)."""
    if answer.error & UNC:
        return Sense(key=3, code=0x11, qualifier=0x04, registers=answer)
    if answer.error & IDNF:
        return Sense(key=5, code=0x21, registers=answer)
    return Sense(key=0xB, code=0x00 if answer.error & ABRT else 0x44, registers=answer)


def encode_16(asked: Taskfile, *, protocol: int, direction: int) -> bytes:
    """A pass-through CDB for tests of the drives: `direction` is byte 2."""
    lba, count, feature = asked.lba, asked.count, asked.feature
    device = asked.device if asked.extend else asked.device | lba >> 24 & 0x0F
    high = lba >> 24 if asked.extend else 0
    return struct.pack(
        "16B",
        ATA_16,
        protocol << 1 | int(asked.extend),
        direction,
        feature >> 8,
        feature & 0xFF,
        count >> 8,
        count & 0xFF,
        high & 0xFF,
        lba & 0xFF,
        high >> 8 & 0xFF,
        lba >> 8 & 0xFF,
        high >> 16 & 0xFF,
        lba >> 16 & 0xFF,
        device,
        asked.command,
        0,
    )
