"""An ATA drive behind a register interface: one command in, one answer out (ACS-3)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from hashlib import sha256
from typing import Protocol

from . import ata_sanitize, security
from .ata_capacity import AMAX, DCO, READ_NATIVE_MAX, READ_NATIVE_MAX_EXT, SET_MAX, SET_MAX_EXT, Capacity
from .ata_identify import AtaModel, Condition, identify, identify_log, log_directory, wear_statistics
from .ata_registers import ABRT, IDNF, SECTOR, STATUS_ERROR, UNC, Abort, Registers, Taskfile
from .erasure import Phase
from .faults import BadBlock
from .medium import Medium

SANITIZE = 0xB4
IDENTIFY = 0xEC
_READS = {0x20, 0x24, 0x25, 0xC8}
_WRITES = {0x30, 0x34, 0x35, 0xCA}
_WIDE = {0x24, 0x25, 0x34, 0x35}
_LOCKED_OUT = _READS | _WRITES | {0x06, 0xEA, 0xE7, SET_MAX, SET_MAX_EXT, DCO, AMAX, 0x5C, 0x5D, 0x5E, 0x5F}
"""Commands a locked drive aborts (ACS-3, table 9); sanitize decides for itself."""

Answer = tuple[Registers, bytes]


class Tper(Protocol):
    """A trusted peripheral behind TRUSTED RECEIVE and SEND, SECURITY PROTOCOL IN and OUT, or NVMe Security commands."""

    def receive(self, protocol: int, specific: int, length: int, /) -> bytes:
        """What it has to say, at most `length` bytes."""
        ...

    def knows(self, protocol: int, specific: int, /) -> bool:
        """Whether it can be told anything in this protocol."""
        ...

    def send(self, protocol: int, specific: int, data: bytes, /) -> None:
        """What it is told."""
        ...

    @property
    def view(self) -> str:
        """What a read of blocks finds: medium, zeros (a shadow in its place) or denied."""
        ...

    @property
    def writable(self) -> bool:
        """Whether blocks may be written."""
        ...

    def power_cycle(self) -> None:
        """Locks close, sessions end."""
        ...


class AtaDrive:
    """A drive; `medium.faults` is what is wrong with it."""

    def __init__(
        self, medium: Medium, *, serial: str = "LAB0001", model: AtaModel | None = None, tper: Tper | None = None
    ) -> None:
        self.medium = medium
        self.model = model or AtaModel()
        self.tper = tper
        self.write_cache = True
        self._serial = serial
        self.capacity = Capacity(medium, self.model)
        self.security = security.Security(medium, self.model, self.capacity)
        self.sanitize = ata_sanitize.Sanitize(medium, self.model, self.capacity, self.security)
        self._table: dict[int, Callable[[Taskfile, bytes], Answer]] = {
            IDENTIFY: lambda _task, _data: (Registers(), self.identify()),
            SANITIZE: lambda task, _data: (self.sanitize.execute(task), b""),
            0x06: self._trim,
            0x2F: self._log,
            0x47: self._log,
            0x5C: self._trusted_receive,
            0x5D: self._trusted_receive,
            0x5E: self._trusted_send,
            0x5F: self._trusted_send,
            0xB0: self._smart,
            0xE0: lambda _task, _data: (Registers(), b""),
            0xE1: lambda _task, _data: (Registers(), b""),
            0xE5: lambda _task, _data: (Registers(count=0xFF), b""),
            0xE7: self._flush,
            0xEA: self._flush,
            0xEF: self._set_features,
        }
        self._table |= dict.fromkeys(_READS, self._read) | dict.fromkeys(_WRITES, self._write)
        self._table |= dict.fromkeys(range(0xF1, 0xF7), self._security)
        capacity = (READ_NATIVE_MAX, READ_NATIVE_MAX_EXT, SET_MAX, SET_MAX_EXT, DCO, AMAX)
        self._table |= dict.fromkeys(capacity, self.capacity.execute)

    # Power

    def power_cut(self) -> None:
        """The cache is lost; what runs stops where it is."""
        self.security.power_cut()
        self.medium.power_cut()

    def power_on(self) -> None:
        """Locked if there is a password, frozen if the host's firmware freezes, sanitize going on."""
        self.medium.power_on()
        self.capacity.power_on()
        self.security.power_on()
        self.sanitize.power_on()
        if self.tper is not None:
            self.tper.power_cycle()

    def reset(self) -> None:
        """A hardware reset."""
        self.security.reset()

    # Facts

    @property
    def serial(self) -> str:
        """Another one after an erase began, where the fault says so."""
        begun = self.medium.erasure.begun + self.security.erasure.begun
        return self.medium.faults.new_serial if begun and self.medium.faults.new_serial else self._serial

    @property
    def wwn(self) -> int:
        """NAA 5, made from the serial number."""
        return 0x5 << 60 | int.from_bytes(sha256(self.serial.encode()).digest()[:7], "big")

    @property
    def sectors(self) -> int:
        """Addressable now; less than the truth where a fault says so."""
        return 0 if self.shrunk else self.capacity.sectors

    @property
    def shrunk(self) -> bool:
        """Whether it says that it has no capacity (any more)."""
        engines, faults = (self.medium.erasure, self.security.erasure), self.medium.faults
        if any(engine.operation.phase is Phase.RUNNING for engine in engines):
            return faults.capacity_during == "zero"
        return faults.capacity_after == "zero" and any(engine.begun for engine in engines)

    def _condition(self) -> Condition:
        return Condition(
            serial=self.serial,
            sectors=self.sectors,
            security_status=self.security.status,
            master_identifier=self.security.master_identifier,
            write_cache=self.write_cache,
            wwn=self.wwn,
        )

    def identify(self) -> bytes:
        """IDENTIFY DEVICE."""
        return identify(self.model, self._condition())

    @staticmethod
    def erases(taskfile: Taskfile) -> bool:
        """Whether a command begins an erase."""
        return taskfile.command == security.ERASE_UNIT or (
            taskfile.command == SANITIZE and taskfile.feature in ata_sanitize.STARTS
        )

    # Commands

    def execute(self, taskfile: Taskfile, data: bytes = b"") -> Answer:
        """Carry out one command. Raises `NoAnswer` or `Gone` where nothing comes back."""
        self.medium.tick()
        self.security.before(taskfile.command)
        self.capacity.before(taskfile.command)
        try:
            registers, answer = self._served(taskfile)(taskfile, data)
        except Abort as abort:
            registers, answer = Registers(status=STATUS_ERROR, error=abort.error, lba=abort.lba), b""
        except BadBlock as bad:
            error = ABRT if bad.operation == "write" else UNC
            registers, answer = Registers(status=STATUS_ERROR, error=error, lba=bad.lba), b""
        registers.extend = taskfile.extend
        registers.device = taskfile.device
        return registers, answer

    def _served(self, taskfile: Taskfile) -> Callable[[Taskfile, bytes], Answer]:
        """What carries a command out. Raises `Abort` where it is not served now."""
        if self.sanitize.busy_or_failed and taskfile.command not in ata_sanitize.ALLOWED_MEANWHILE:
            raise Abort
        if self.security.locked and taskfile.command in _LOCKED_OUT:
            raise Abort
        handler = self._table.get(taskfile.command)
        if handler is None or (taskfile.extend and not self.model.lba48):
            raise Abort
        return handler

    def _span(self, taskfile: Taskfile) -> tuple[int, int]:
        wide = taskfile.command in _WIDE
        count = taskfile.count or (0x10000 if wide else 0x100)
        if wide and not taskfile.extend:
            raise Abort
        if taskfile.lba + count > self.sectors:
            raise Abort(IDNF)
        return taskfile.lba, count

    def _read(self, taskfile: Taskfile, _data: bytes) -> Answer:
        lba, count = self._span(taskfile)
        data = self.medium.read(lba, count)
        if self.tper is not None and self.tper.view != "medium":
            if self.tper.view == "denied":
                raise Abort
            data = bytes(len(data))
        return Registers(lba=lba), data

    def _write(self, taskfile: Taskfile, data: bytes) -> Answer:
        lba, count = self._span(taskfile)
        if self.medium.faults.write_protected or len(data) < count * self.medium.block_bytes:
            raise Abort
        if self.tper is not None and not self.tper.writable:
            raise Abort
        self.medium.write(lba, data[: count * self.medium.block_bytes])
        if not self.write_cache:
            self.medium.flush()
        return Registers(lba=lba), b""

    def _flush(self, _taskfile: Taskfile, _data: bytes) -> Answer:
        self.medium.flush()
        return Registers(), b""

    def _set_features(self, taskfile: Taskfile, _data: bytes) -> Answer:
        if taskfile.feature in {0x02, 0x82}:  # enable, disable the volatile write cache
            self.write_cache = taskfile.feature == 0x02
            if not self.write_cache:
                self.medium.flush()
        elif taskfile.feature not in {0x03, 0x55, 0xAA}:  # transfer mode; look-ahead off and on
            raise Abort
        return Registers(), b""

    def _trim(self, taskfile: Taskfile, data: bytes) -> Answer:
        """DATA SET MANAGEMENT, TRIM: eight bytes an entry, 48 bits of address, 16 of length."""
        if not self.model.trim or taskfile.feature & 0xFF != 1 or self.medium.faults.write_protected:
            raise Abort
        entries = [
            (entry & 0xFFFFFFFFFFFF, entry >> 48) for (entry,) in struct.iter_unpack("<Q", data[: len(data) // 8 * 8])
        ]
        if any(lba + count > self.sectors for lba, count in entries if count):
            raise Abort(IDNF)
        for lba, count in entries:
            if count:
                self.medium.discard(lba, count)
        return Registers(), b""

    def _log(self, taskfile: Taskfile, _data: bytes) -> Answer:
        """READ LOG (DMA) EXT: address in LBA 7:0, first page in LBA 39:32 and 15:8."""
        address, first = taskfile.lba & 0xFF, taskfile.lba >> 8 & 0xFF | taskfile.lba >> 24 & 0xFF00
        if not self.model.logs or not taskfile.extend or not taskfile.count:
            raise Abort
        pages = range(first, first + taskfile.count)
        if address == 0x00 and list(pages) == [0]:
            return Registers(), log_directory({0x30: 7} | ({} if self.model.wear is None else {0x04: 8}))
        if address == 0x04 and self.model.wear is not None and list(pages) in ([0], [7]):
            return Registers(), wear_statistics(pages[0], self.model.wear)
        if address != 0x30 or pages[-1] > 6:
            raise Abort
        return Registers(), b"".join(self._log_page(number) for number in pages)

    def _log_page(self, number: int) -> bytes:
        try:
            return identify_log(self.model, self._condition(), number)
        except Abort:
            return bytes(SECTOR)

    def _smart(self, taskfile: Taskfile, _data: bytes) -> Answer:
        """Whether a threshold is exceeded, five attributes, no logs, no tests."""
        if taskfile.lba >> 8 & 0xFFFF != 0xC24F:
            raise Abort
        feature = taskfile.feature & 0xFF
        if feature in {0xD8, 0xD9, 0xD2}:
            return Registers(), b""
        if feature == 0xDA:
            return Registers(lba=0x2CF400 if self.medium.faults.predicts else 0xC24F00), b""
        if feature not in {0xD0, 0xD1}:
            raise Abort
        page = bytearray(SECTOR)
        page[0] = 0x10
        faults = self.medium.faults
        told = (
            (5, faults.reallocated),
            (9, 1234),
            (194, faults.celsius),
            (197, faults.pending),
            (198, faults.uncorrectable),
        )
        for number, (attribute, raw) in enumerate(told):
            if feature == 0xD0:
                struct.pack_into("<BHBBQ", page, 2 + 12 * number, attribute, 0x33, 100, 100, raw)
            else:
                page[2 + 12 * number] = attribute
        page[511] = -sum(page[:511]) & 0xFF
        return Registers(), bytes(page)

    def _security(self, taskfile: Taskfile, data: bytes) -> Answer:
        takes_data = taskfile.command not in {security.ERASE_PREPARE, security.FREEZE_LOCK}
        if takes_data and len(data) < SECTOR:
            raise Abort
        self.security.execute(taskfile.command, data)
        return Registers(), b""

    def _trusted_receive(self, taskfile: Taskfile, _data: bytes) -> Answer:
        """Protocol in the features, length in count and LBA 7:0, the protocol's own words in LBA 23:8."""
        if self.tper is None:
            raise Abort
        length = (taskfile.lba & 0xFF) << 8 | taskfile.count & 0xFF
        answer = self.tper.receive(taskfile.feature & 0xFF, taskfile.lba >> 8 & 0xFFFF, length * SECTOR)
        return Registers(), answer.ljust(length * SECTOR, b"\0")

    def _trusted_send(self, taskfile: Taskfile, data: bytes) -> Answer:
        protocol, specific = taskfile.feature & 0xFF, taskfile.lba >> 8 & 0xFFFF
        if self.tper is None or not self.tper.knows(protocol, specific):
            raise Abort
        self.tper.send(protocol, specific, data)
        return Registers(), b""
