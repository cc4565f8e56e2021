"""An emulated eMMC device: EXT_CSD, switch, erase, trim, secure trim and sanitize over its areas (JESD84-B51).

Erase and trim only unmap: what the blocks held stays behind until Sanitize removes it, and Sanitize removes nothing that is
still mapped. The RPMB area is reached by neither.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .erasure import Phase
from .faults import BadBlock, BusReset
from .medium import Medium
from .partial import RangeErasure

SECTOR = 512
UNIT = 128 << 10
"""Bytes that BOOT_SIZE_MULT and RPMB_SIZE_MULT count."""
GROUP = (512 << 10) // SECTOR
"""Sectors of a high-capacity erase group of HC_ERASE_GRP_SIZE 1."""

SWITCH, SEND_EXT_CSD, SEND_STATUS, READ, WRITE = 6, 8, 13, 18, 25
ERASE_START, ERASE_END, ERASE = 35, 36, 38
ERASE_GROUPS, TRIM, DISCARD = 0x0, 0x1, 0x3
SECURE_ERASE, SECURE_TRIM_MARK, SECURE_TRIM = 0x80000000, 0x80000001, 0x80008000

FLUSH_CACHE, SANITIZE_START, ERASE_GROUP_DEF, PARTITION_CONFIG = 32, 165, 175, 179
"""Bytes of EXT_CSD that may be written."""
WRITE_BYTE = 3
"""Access mode of SWITCH."""

READY, TRANSFER = 0x100, 0x800
"""Device status: READY_FOR_DATA, and CURRENT_STATE 4."""
OUT_OF_RANGE, MISALIGNED, ERASE_SEQUENCE, ERASE_PARAMETER = 1 << 31, 1 << 30, 1 << 28, 1 << 27
WRITE_PROTECTED, ILLEGAL, ECC_FAILED, ERROR, ERASE_SKIPPED, SWITCH_ERROR = (
    1 << 26,
    1 << 22,
    1 << 21,
    1 << 19,
    1 << 15,
    1 << 7,
)
BYTE_ADDRESSED = 2 << 30
"""Up to this capacity an address counts bytes, beyond it sectors (JESD84-B51, access mode of the OCR)."""
AREAS = ("user", "boot0", "boot1", "rpmb", "gp1", "gp2", "gp3", "gp4")
"""By PARTITION_CONFIG bits 2:0."""


@dataclass
class EmmcModel:
    """What the maker chose."""

    name: str = "LABMMC"
    serial: int = 0x1AB00001
    revision: int = 8
    """EXT_CSD_REV: 8 is version 5.1."""
    sanitize: bool = True
    secure_erase: bool = False
    """Secure erase and secure trim, not recommended since 5.1."""
    trim: bool = True
    erased_byte: int = 0x00
    boot_units: int = 1
    rpmb_units: int = 1
    general_units: tuple[int, int, int, int] = (0, 0, 0, 0)
    """Of one write-protect group, which is one erase group here."""


class UnmapErasure(RangeErasure):
    """Erase and trim: the blocks read as erased, what they held stays in spare ones."""

    purges = False
    """Secure: copies go as well."""

    def _wipe(self, first: int, count: int, pattern: bytes | None) -> None:
        medium, end = self._medium, first + count
        medium.discard(first, count)
        medium.scrub(first, count, pattern)
        if self.purges:
            medium.spare = [(lba, old) for lba, old in medium.spare if not first <= lba < end]


class Failed(Exception):
    """A command is answered with these status bits."""

    def __init__(self, bits: int) -> None:
        super().__init__(hex(bits))
        self.bits = bits


@dataclass(eq=False)
class EmmcDevice:
    """One device; `medium` is its user area and carries the faults of all."""

    medium: Medium
    model: EmmcModel = field(default_factory=EmmcModel)
    powered: bool = True
    areas: dict[str, Medium] = field(init=False)
    _selected: str = "user"
    _groups: int = 1
    """ERASE_GROUP_DEF; a host driver sets it when it starts the device."""
    _span: tuple[int | None, int | None] = (None, None)
    _marked: list[tuple[str, int, int]] = field(default_factory=list)
    """What secure trim will purge in its second step."""
    _late: int = 0
    """Error bits of the command before, which the next status tells."""

    def __post_init__(self) -> None:
        sizes = {
            "boot0": self.model.boot_units * UNIT,
            "boot1": self.model.boot_units * UNIT,
            "rpmb": self.model.rpmb_units * UNIT,
        } | {f"gp{at + 1}": units * GROUP * SECTOR for at, units in enumerate(self.model.general_units)}
        self.areas = {"user": self.medium} | {
            name: Medium(size // SECTOR, clock=self.medium.clock, spare_blocks=2)
            for name, size in sizes.items()
            if size
        }
        self._engines = {name: UnmapErasure(area) for name, area in self.areas.items()}

    def fill(self, content: bytes) -> None:
        """Put content in every area, RPMB too."""
        for area in self.areas.values():
            area.fill(content)

    def remains(self, needle: bytes) -> dict[str, tuple[int, int]]:
        """By area: how many blocks, and how many spare ones, still hold the needle."""
        found = {name: area.remains(needle) for name, area in self.areas.items()}
        return {name: (len(blocks), len(spare)) for name, (blocks, spare) in found.items() if blocks or spare}

    def power_cut(self) -> None:
        """Caches are lost, an erase or sanitize ends where it is and never goes on by itself."""
        self.powered = False
        for area in self.areas.values():
            area.power_cut()
        for engine in self._engines.values():
            engine.power_cut()

    def power_on(self) -> None:
        """As the host driver finds it: user area selected, nothing marked."""
        self.powered = True
        self._selected, self._groups, self._span, self._late = "user", 1, (None, None), 0
        self._marked.clear()

    def command(self, opcode: int, argument: int, data: bytes = b"", blocks: int = 0) -> tuple[int, bytes]:
        """Carry out one command.

        Args:
            opcode: CMD index.
            argument: 32 bits.
            data: What is written.
            blocks: How many sectors are read.

        Returns:
            The R1 response (device status) and the data. A command that keeps the device busy is answered when it is over;
            that it failed, the next status says.

        Raises:
            NoAnswer, Gone, BusReset: no answer comes.
        """
        self.medium.tick()
        handlers: dict[int, Callable[[], bytes]] = {
            SWITCH: lambda: self._switch(argument),
            SEND_EXT_CSD: self.ext_csd,
            SEND_STATUS: bytes,
            READ: lambda: self._read(self._sector(argument), blocks),
            WRITE: lambda: self._write(self._sector(argument), data),
            ERASE_START: lambda: self._mark(self._sector(argument), first=True),
            ERASE_END: lambda: self._mark(self._sector(argument), first=False),
            ERASE: lambda: self._erase(argument),
        }
        late, self._late = self._late, 0
        try:
            answer = handlers.get(opcode, self._illegal)()
        except Failed as failed:
            return READY | TRANSFER | late | failed.bits, b""
        return READY | TRANSFER | late, answer

    def address(self, sector: int) -> int:
        """How a host names a sector of this device."""
        return sector if self.medium.blocks * SECTOR > BYTE_ADDRESSED else sector * SECTOR

    def _sector(self, address: int) -> int:
        if self.medium.blocks * SECTOR > BYTE_ADDRESSED:
            return address
        if address % SECTOR:
            raise Failed(MISALIGNED)
        return address // SECTOR

    @staticmethod
    def _illegal() -> bytes:
        raise Failed(ILLEGAL)

    def ext_csd(self) -> bytes:
        """CMD8."""
        page, model = bytearray(SECTOR), self.model
        for at, units in enumerate(model.general_units):
            page[143 + 3 * at : 146 + 3 * at] = units.to_bytes(3, "little")
        page[160] = 0x07  # PARTITIONING_SUPPORT
        page[168] = model.rpmb_units
        page[171] = 0x01 if self.medium.faults.write_protected else 0x00  # USER_WP: power-on protection
        page[ERASE_GROUP_DEF] = self._groups
        page[PARTITION_CONFIG] = AREAS.index(self._selected)
        page[181] = 1 if model.erased_byte else 0  # ERASED_MEM_CONT
        page[192] = model.revision
        page[212:216] = self._capacity().to_bytes(4, "little")
        page[221] = 1  # HC_WP_GRP_SIZE
        page[223] = 1  # ERASE_TIMEOUT_MULT
        page[224] = 1  # HC_ERASE_GRP_SIZE
        page[226] = model.boot_units
        page[229] = page[230] = 1 if model.secure_erase else 0
        page[231] = model.secure_erase | model.trim << 4 | model.sanitize << 6
        page[232] = 1  # TRIM_MULT
        page[254:262] = b"LAB1".ljust(8, b"\0")
        page[267:270] = bytes((1, 1, 1))
        return bytes(page)

    def _capacity(self) -> int:
        begun = any(engine.begun for engine in self._engines.values()) or self.medium.erasure.begun
        return 0 if begun and self.medium.faults.capacity_after == "zero" else self.medium.blocks

    # SWITCH

    def _switch(self, argument: int) -> bytes:
        access, index, value = argument >> 24 & 3, argument >> 16 & 0xFF, argument >> 8 & 0xFF
        if access != WRITE_BYTE:
            raise Failed(SWITCH_ERROR)
        if index == PARTITION_CONFIG:
            name = AREAS[value & 7]
            if name not in self.areas:
                raise Failed(SWITCH_ERROR)
            self._selected = name
        elif index == ERASE_GROUP_DEF:
            self._groups = value & 1
        elif index == FLUSH_CACHE:
            for area in self.areas.values():
                area.flush()
        elif index == SANITIZE_START and self.model.sanitize and "sanitize" not in self.medium.faults.refuses:
            self._sanitize()
        else:
            raise Failed(SWITCH_ERROR)
        return b""

    def _sanitize(self) -> None:
        """Remove what is no longer mapped, in every area that is not RPMB; mapped blocks keep what they hold."""
        reset = self.medium.spend_reset()
        if reset == "lost":
            raise BusReset
        self.medium.erasure.start("sanitize", blocks=0, resumes=False)
        self._begun()
        if self.medium.erasure.wait().phase is Phase.FAILED:
            self._late = ERROR
        elif self.medium.faults.erases in {"everything", "not-hidden", "all-but-one-block"}:
            for name, area in self.areas.items():
                if name != "rpmb":
                    area.spare.clear()
        if reset is not None:
            raise BusReset

    def _begun(self) -> None:
        """Some drives are others once an erase has begun."""
        if self.medium.faults.new_serial:
            self.model.name = self.medium.faults.new_serial

    # Blocks

    def _area(self, lba: int, blocks: int) -> Medium:
        area = self.areas[self._selected]
        if self._selected == "rpmb":
            raise Failed(ILLEGAL)  # only authenticated frames reach it
        if lba + blocks > area.blocks:
            raise Failed(OUT_OF_RANGE)
        return area

    def _read(self, lba: int, blocks: int) -> bytes:
        try:
            return self._area(lba, blocks).read(lba, blocks)
        except BadBlock as bad:
            raise Failed(ECC_FAILED) from bad

    def _write(self, lba: int, data: bytes) -> bytes:
        area = self._area(lba, len(data) // SECTOR)
        if self.medium.faults.write_protected:
            raise Failed(WRITE_PROTECTED)
        try:
            area.write(lba, data)
        except BadBlock as bad:
            raise Failed(ERROR) from bad
        return b""

    # Erase

    def _mark(self, lba: int, *, first: bool) -> bytes:
        self._area(lba, 1)
        if first:
            self._span = (lba, None)
        elif self._span[0] is None:
            raise Failed(ERASE_SEQUENCE)
        else:
            self._span = (self._span[0], lba)
        return b""

    def _erase(self, argument: int) -> bytes:
        (first, last), self._span = self._span, (None, None)
        if first is None or last is None:
            raise Failed(ERASE_SEQUENCE)
        if last < first or not self._supported(argument):
            raise Failed(ERASE_PARAMETER)
        area = self._area(last, 1)
        if self.medium.faults.write_protected:
            self._late = ERASE_SKIPPED
            return b""
        if argument in {ERASE_GROUPS, SECURE_ERASE}:  # whole groups, whatever sector of them is named
            first, last = first // GROUP * GROUP, min(area.blocks, (last // GROUP + 1) * GROUP) - 1
        if argument == SECURE_TRIM_MARK:
            self._marked.append((self._selected, first, last))
            return b""
        spans = [(self._selected, first, last)]
        if argument == SECURE_TRIM:
            spans, self._marked = [*self._marked], []
        for name, start, end in spans:
            self._unmap(name, start, end, purges=argument in {SECURE_ERASE, SECURE_TRIM})
        return b""

    def _supported(self, argument: int) -> bool:
        if argument == ERASE_GROUPS:
            return True
        if argument in {TRIM, DISCARD}:
            return self.model.trim
        return argument in {SECURE_ERASE, SECURE_TRIM_MARK, SECURE_TRIM} and self.model.secure_erase

    def _unmap(self, name: str, first: int, last: int, *, purges: bool) -> None:
        if "erase" in self.medium.faults.refuses:
            self._late = ERROR
            return
        engine = self._engines[name]
        self.areas[name].faults = self.medium.faults
        engine.first, engine.purges = first, purges
        erased = bytes((self.model.erased_byte,)) * 4
        self._begun()
        engine.start("erase", pattern=erased, blocks=last - first + 1, spare=False, resumes=False)
        if engine.wait().phase is Phase.FAILED:
            self._late = ERROR
