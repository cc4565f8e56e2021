"""What SCSI disks and SATA drives behind a translation layer share: dispatch, unit attentions, pages, block commands.

`command` is what a transport calls. It returns status, sense data and data, or raises `NoAnswer`, `Gone` or `BusReset`.
"""

from __future__ import annotations

import struct
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol

from . import scsi_pages
from .faults import BadBlock, BusReset
from .modes import Modes
from .scsi_pages import ScsiModel, Supported, cdb_length
from .sense import (
    CHECK_CONDITION,
    GOOD,
    CheckCondition,
    Layout,
    Sense,
    illegal,
    invalid_field,
    invalid_opcode,
)

if TYPE_CHECKING:
    from .medium import Medium

Handler = Callable[[bytes, bytes], bytes]
Result = tuple[int, bytes, bytes]

_UNTOUCHED_BY_ATTENTION = {0x03, 0x12, 0xA0}
POWER_ON = Sense(key=6, code=0x29, qualifier=0x01)
BUS_RESET = Sense(key=6, code=0x29, qualifier=0x02)


class ScsiTarget(Protocol):
    """What a transport hangs on a bus."""

    def command(self, cdb: bytes, data_out: bytes) -> Result:
        """Status, sense data, data."""
        ...

    def power_cut(self) -> None:
        """The power goes."""
        ...

    def power_on(self) -> None:
        """The power comes back."""
        ...

    def reset(self) -> None:
        """The bus is reset."""
        ...


class ScsiBase(ABC):
    """A direct access block device; subclasses add what they can."""

    always: frozenset[int] = frozenset({0x00, 0x03, 0x12, 0xA0, 0xA3, 0x4D})
    """Served while an erase runs or has failed (TEST UNIT READY says so itself)."""

    def __init__(self, medium: Medium, *, serial: str, model: ScsiModel, layout: Layout) -> None:
        self.medium = medium
        self.model = model
        self.serial_number = serial
        self.modes = Modes(layout)
        self.attention: Sense | None = POWER_ON
        self._lock = threading.RLock()
        self._handlers: dict[tuple[int, int | None], Handler] = {}
        for handler, commands in (
            (self._test_unit_ready, (0x00,)),
            (self._request_sense, (0x03,)),
            (self._inquiry, (0x12,)),
            (self._nothing_to_do, (0x1B, 0x1E)),
            (self._read_capacity_10, (0x25,)),
            (self._read_capacity_16, ((0x9E, 0x10),)),
            (self._mode_select, (0x15, 0x55)),
            (self._mode_sense, (0x1A, 0x5A)),
            (self._log_sense, (0x4D,)),
            (self._grown_defects, (0xB7,)),
            (self._report_luns, (0xA0,)),
            (self._read, (0x08, 0x28, 0x88, 0xA8)),
            (self._write, (0x0A, 0x2A, 0x8A, 0xAA)),
            (self._verify, (0x2F, 0x8F)),
            (self._synchronize, (0x35, 0x91)),
        ):
            self._offer(handler, *commands)
        if model.unmap:
            self._offer(self._unmap, 0x42)
            self._offer(self._write_same, 0x41, 0x93)
        if model.opcodes:
            self._offer(self._opcodes, (0xA3, 0x0C))
        if model.zoned:
            self._offer(self._report_zones, (0x95, 0x00))

    def _offer(self, handler: Handler, *commands: int | tuple[int, int]) -> None:
        """Serve an operation code, or one service action of it."""
        for command in commands:
            self._handlers[command if isinstance(command, tuple) else (command, None)] = handler

    # What a transport calls

    def command(self, cdb: bytes, data_out: bytes) -> Result:
        """Carry out one CDB."""
        with self._lock:
            try:
                self.medium.tick()
                fate = self.medium.spend_reset() if self.erases(cdb) else None
                if fate == "lost":
                    self._reset_now()
                self._attend(cdb)
                data = self._served(cdb)(cdb, data_out)
                if fate == "carried-on":
                    self._reset_now()
            except CheckCondition as check:
                return CHECK_CONDITION, check.sense.raw(self.modes.layout), check.data
            except BadBlock as bad:
                return CHECK_CONDITION, self._bad(bad).raw(self.modes.layout), b""
            return GOOD, b"", data

    def _reset_now(self) -> None:
        self.attention = BUS_RESET
        raise BusReset

    def power_cut(self) -> None:
        """What is volatile is lost. Without the lock: power waits for no command."""
        self.medium.power_cut()

    def power_on(self) -> None:
        """Up again, with a unit attention to tell of it."""
        with self._lock:
            self.medium.power_on()
            self.modes.power_on()
            self.attention = POWER_ON

    def reset(self) -> None:
        """A reset of the bus: only the unit attention tells."""
        with self._lock:
            self.attention = BUS_RESET

    # What subclasses say

    @property
    def serial(self) -> str:
        """Unit serial number."""
        begun, other = self.medium.erasure.begun, self.medium.faults.new_serial
        return other if begun and other else self.serial_number

    @property
    def wwn(self) -> int:
        """NAA 5, made from the serial number."""
        return 0x5 << 60 | int.from_bytes(sha256(self.serial.encode()).digest()[:7], "big")

    @property
    def blocks(self) -> int:
        """Addressable now."""
        return self.medium.blocks

    @property
    def built(self) -> int:
        """Addressable by default, as the block descriptor has it."""
        return self.blocks

    @property
    @abstractmethod
    def shrunk(self) -> bool:
        """Whether it says that it has no capacity (any more)."""
        ...

    @abstractmethod
    def erases(self, cdb: bytes) -> bool:
        """Whether a command begins an erase."""
        ...

    @abstractmethod
    def not_ready(self) -> Sense | None:
        """Why nothing else is served now: an erase that runs, or one that failed."""
        ...

    def readable(self) -> None:  # noqa: B027 - most drives let every block be read
        """Raises `CheckCondition` where blocks may not be read."""

    def writable(self) -> None:
        """Raises `CheckCondition` where blocks may not be written."""
        if self.medium.faults.write_protected:
            raise CheckCondition(Sense(key=7, code=0x27))

    # Dispatch

    def _attend(self, cdb: bytes) -> None:
        if self.attention is not None and cdb[0] not in _UNTOUCHED_BY_ATTENTION:
            told, self.attention = self.attention, None
            raise CheckCondition(told)

    def _served(self, cdb: bytes) -> Handler:
        handler = self._handlers.get((cdb[0], None)) or self._handlers.get((cdb[0], cdb[1] & 0x1F))
        if handler is None:
            raise invalid_field() if any(opcode == cdb[0] for opcode, _ in self._handlers) else invalid_opcode()
        if len(cdb) < cdb_length(cdb[0]):
            raise invalid_field()
        if cdb[0] not in self.always and (why := self.not_ready()) is not None and not self.served_still(cdb):
            raise CheckCondition(why)
        return handler

    def served_still(self, cdb: bytes) -> bool:
        """Whether a command is served although nothing else is: READ CAPACITY by some drives, not by others."""
        asks = cdb[0] == 0x25 or (cdb[0] == 0x9E and cdb[1] & 0x1F == 0x10)
        return asks and self.medium.faults.capacity_during != "refused"

    @staticmethod
    def _bad(bad: BadBlock) -> Sense:
        code, qualifier = {"read": (0x11, 0x00), "write": (0x0C, 0x02), "blank": (0x11, 0x15)}[bad.operation]
        return Sense(key=3, code=code, qualifier=qualifier, information=bad.lba)

    # Discovery

    @staticmethod
    def _nothing_to_do(_cdb: bytes, _data: bytes) -> bytes:
        """START STOP UNIT, PREVENT ALLOW MEDIUM REMOVAL."""
        return b""

    @staticmethod
    def _report_luns(cdb: bytes, _data: bytes) -> bytes:
        """Only unit 0."""
        return struct.pack(">I12x", 8)[: int.from_bytes(cdb[6:10], "big")]

    def _test_unit_ready(self, _cdb: bytes, _data: bytes) -> bytes:
        if (why := self.not_ready()) is not None:
            raise CheckCondition(why)
        return b""

    def _request_sense(self, cdb: bytes, _data: bytes) -> bytes:
        """Sense data as data, descriptor format if bit 0 of byte 1 asks for it."""
        told, self.attention = self.attention, None
        said = told or self.not_ready() or Sense(key=0, code=0)
        return said.raw("descriptor" if cdb[1] & 1 else "fixed")[: cdb[4]]

    def _inquiry(self, cdb: bytes, _data: bytes) -> bytes:
        length = cdb[3] << 8 | cdb[4]
        if not cdb[1] & 1:
            if cdb[2]:
                raise invalid_field()
            return scsi_pages.inquiry(self.model)[:length]
        body = b"" if cdb[2] == 0 else self.vital(cdb[2])
        if body is None:
            raise invalid_field()
        if cdb[2] == 0:
            body = bytes(number for number in range(0x100) if number == 0 or self.vital(number) is not None)
        return scsi_pages.page(self.model, cdb[2], body)[:length]

    def vital(self, number: int) -> bytes | None:
        """The body of a VPD page, None where there is none."""
        makers: dict[int, Callable[[], bytes]] = {
            0xB0: lambda: scsi_pages.block_limits(self.model, self.blocks),
            0xB1: lambda: scsi_pages.characteristics(self.model),
            0xB2: lambda: scsi_pages.provisioning(self.model),
            **({0xB6: lambda: scsi_pages.zoned_characteristics(self.model)} if self.model.zoned else {}),
        }
        if self.model.identification:
            makers |= {
                0x80: lambda: self.serial.encode("ascii"),
                0x83: lambda: scsi_pages.identifiers(self.model, self.serial, self.wwn),
            }
        return makers[number]() if number in makers else None

    def _read_capacity_10(self, _cdb: bytes, _data: bytes) -> bytes:
        last = 0 if self.shrunk else min(self.blocks - 1, 0xFFFFFFFF)
        return struct.pack(">II", last, 0 if self.shrunk else self.medium.block_bytes)

    def _read_capacity_16(self, cdb: bytes, _data: bytes) -> bytes:
        last, size = (0, 0) if self.shrunk else (self.blocks - 1, self.medium.block_bytes)
        flags = 0xC000 if self.model.unmap else 0
        raw = struct.pack(">QIBBH", last, size, 0, self.model.physical_exponent, flags).ljust(32, b"\0")
        return raw[: int.from_bytes(cdb[10:14], "big")]

    def _report_zones(self, cdb: bytes, _data: bytes) -> bytes:
        found = scsi_pages.zones(self.model, self.blocks, int.from_bytes(cdb[2:10], "big"))
        return found[: int.from_bytes(cdb[10:14], "big")]

    def _mode_sense(self, cdb: bytes, _data: bytes) -> bytes:
        size, faults = self.medium.block_bytes, self.medium.faults
        return self.modes.sense(cdb, blocks=self.blocks, built=self.built, block_bytes=size, faults=faults)

    def _mode_select(self, cdb: bytes, data: bytes) -> bytes:
        if "modes" in self.medium.faults.refuses:
            raise invalid_opcode()
        self.modes.select(cdb, data, resize=self.resize, block_bytes=self.medium.block_bytes)
        if not self.modes.write_cache:
            self.medium.flush()
        return b""

    def resize(self, _blocks: int | None) -> None:
        """MODE SELECT asks for another number of blocks, None for all there are."""
        raise CheckCondition(Sense(key=5, code=0x26))

    def _log_sense(self, cdb: bytes, _data: bytes) -> bytes:
        """Supported pages, errors of reading, temperature, wear, hours, informational exceptions."""
        faults = self.medium.faults
        pages = {
            0x00: bytes((0x00, 0x03, 0x0D, 0x11, 0x15, 0x2F)),
            0x03: bytes((0, 6, 3, 4)) + faults.uncorrectable.to_bytes(4, "big"),
            0x0D: bytes((0, 0, 3, 2, 0, faults.celsius)) + bytes((0, 1, 3, 2, 0, 60)),
            0x11: bytes((0, 1, 3, 4, 0, 0, 0, 3)),
            0x15: bytes((0, 0, 3, 12)) + (1234 * 60).to_bytes(4, "big") + bytes(8),
            0x2F: bytes(
                (0, 0, 3, 4, 0x5D if faults.predicts else 0, 0x10 if faults.predicts else 0, faults.celsius, 0)
            ),
        }
        number = cdb[2] & 0x3F
        if number not in pages or cdb[3]:
            raise invalid_field()
        body = pages[number]
        return (struct.pack(">BBH", number, 0, len(body)) + body)[: cdb[7] << 8 | cdb[8]]

    def _grown_defects(self, cdb: bytes, _data: bytes) -> bytes:
        """READ DEFECT DATA (12): the grown list in bytes from index, each of eight bytes."""
        if cdb[1] & 0x1F != 0x0C:
            raise invalid_field()
        listed = b"".join(number.to_bytes(8, "big") for number in range(self.medium.faults.reallocated))
        return (bytes((0, 0x0C, 0, 0)) + struct.pack(">I", len(listed)) + listed)[: int.from_bytes(cdb[6:10], "big")]

    def supported(self) -> list[Supported]:
        """Every command, as it is reported; timeouts of the long ones."""
        long = {0x04: 7200, 0x48: 14400}
        return [
            Supported(opcode=opcode, action=action, length=cdb_length(opcode), seconds=long.get(opcode, 30))
            for opcode, action in sorted(self._handlers, key=lambda item: (item[0], item[1] or 0))
        ]

    def _opcodes(self, cdb: bytes, _data: bytes) -> bytes:
        """REPORT SUPPORTED OPERATION CODES (SPC-4, 6.35)."""
        timeouts, option = bool(cdb[2] & 0x80), cdb[2] & 7
        length = int.from_bytes(cdb[6:10], "big")
        wanted, action = cdb[3], cdb[4] << 8 | cdb[5]
        if option == 0:
            return scsi_pages.all_opcodes(self.supported(), timeouts=timeouts)[:length]
        if option > 3:
            raise invalid_field()
        same = [one for one in self.supported() if one.opcode == wanted]
        has_actions = any(one.action is not None for one in same)
        if same and ((option == 1 and has_actions) or (option == 2 and not has_actions)):
            raise invalid_field()
        found = next((one for one in same if one.action in {None, action}), None)
        return scsi_pages.one_opcode(found, timeouts=timeouts)[:length]

    # Blocks

    def _span(self, cdb: bytes) -> tuple[int, int]:
        group = cdb[0] >> 5
        if group == 0:
            lba, count = int.from_bytes(cdb[1:4], "big") & 0x1FFFFF, cdb[4] or 256
        elif group in {1, 2}:
            lba, count = int.from_bytes(cdb[2:6], "big"), cdb[7] << 8 | cdb[8]
        elif group == 5:
            lba, count = struct.unpack(">II", cdb[2:10])
        else:
            lba, count = struct.unpack(">QI", cdb[2:14])
        if lba + count > (0 if self.shrunk else self.blocks):
            raise illegal(0x21)
        return lba, count

    def _read(self, cdb: bytes, _data: bytes) -> bytes:
        self.readable()
        return self.medium.read(*self._span(cdb))

    def _verify(self, cdb: bytes, _data: bytes) -> bytes:
        self._read(cdb, b"")
        return b""

    def _write(self, cdb: bytes, data: bytes) -> bytes:
        self.writable()
        lba, count = self._span(cdb)
        if len(data) < count * self.medium.block_bytes:
            raise CheckCondition(Sense(key=0xB, code=0x4B))
        self.medium.write(lba, data[: count * self.medium.block_bytes])
        forced = cdb[0] != 0x0A and cdb[1] & 0x08
        if forced or not self.modes.write_cache:
            self.medium.flush()
        return b""

    def _synchronize(self, _cdb: bytes, _data: bytes) -> bytes:
        self.medium.flush()
        return b""

    def _unmap(self, _cdb: bytes, data: bytes) -> bytes:
        self.writable()
        entries = list(struct.iter_unpack(">QII", data[8 : 8 + (len(data) - 8) // 16 * 16]))
        if any(lba + count > self.blocks for lba, count, _ in entries):
            raise illegal(0x21)
        for lba, count, _ in entries:
            self.medium.discard(lba, count)
        return b""

    def _write_same(self, cdb: bytes, data: bytes) -> bytes:
        """One block many times; a length of 0 is the rest of the disk."""
        self.writable()
        lba, count = self._span(cdb)
        count = count or self.blocks - lba
        if cdb[1] & 0x08:
            self.medium.discard(lba, count)
            return b""
        size = self.medium.block_bytes
        block = bytes(size) if cdb[0] == 0x93 and cdb[1] & 0x01 else data[:size]
        if len(block) < size:
            raise CheckCondition(Sense(key=0xB, code=0x4B))
        for at in range(lba, lba + count, 256):
            self.medium.write(at, block * min(256, lba + count - at))
        return b""
