"""A drive in memory that implements the transport's interface, and can die at every step, before and after its effect.

It has a volatile cache: what was written and not flushed is gone after `power_cut`. Steps are counted over device,
inspection and journal together, so that a test can walk through all of them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from sanitizer.errors import DeviceBusy, DeviceGone, Refused
from sanitizer.identity import DeviceIdentity
from sanitizer.inspection import Inspection
from sanitizer.journal import Journal
from sanitizer.techniques.base import Technique
from sanitizer.transport.base import Geometry, LoopStatus, OpenDevice, RequestFailed
from sanitizer.transport.commands import Ports

BLOCK = 512
T = TypeVar("T")


class Crash(BaseException):
    """The process dies here; nothing of ours may catch it."""


@dataclass
class Steps:
    """Counts what is done to the world and lets one of the steps go wrong."""

    crash_at: int | None = None
    when: str = "before"
    """before or after the step's effect."""
    count: int = 0
    names: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    dead: bool = False

    def step(self, name: str, effect: Callable[[], T]) -> T:
        """Do the step, or die before or after it; after death nothing has an effect any more."""
        with self._lock:
            if self.dead:
                raise Crash(name)
            number = self.count
            self.count += 1
            self.names.append(name)
            mine = number == self.crash_at
            if mine and self.when == "before":
                self.dead = True
                raise Crash(f"before {name}")
            value = effect()
            if mine:
                self.dead = True
                raise Crash(f"after {name}")
            return value


def identity(serial: str = "SIM-0001", size: int = 64 << 10) -> DeviceIdentity:
    """The identity of a simulated drive."""
    return DeviceIdentity(
        kind="ata",
        vendor=None,
        model="Simulated Drive",
        serial=serial,
        wwn=None,
        eui64=None,
        nguid=None,
        capacity_bytes=size,
        logical_block_bytes=BLOCK,
        physical_block_bytes=BLOCK,
    )


class SimulatedDrive:
    """One medium. Faults are set as attributes before a run."""

    def __init__(self, size: int = 64 << 10, serial: str = "SIM-0001", fill: bytes = b"SECRET-CRM-ROW42") -> None:
        self.size = size
        self.serial = serial
        self.durable = bytearray(fill * (size // len(fill)))
        self.current = bytearray(self.durable)
        self.sequence = 1
        self.obstacles: tuple[Refused, ...] = ()
        self.bad_writes: set[int] = set()
        """Block numbers that refuse writing."""
        self.bad_reads: set[int] = set()
        self.alias: int | None = None
        """Addresses wrap at this many bytes."""
        self.dropped: set[int] = set()
        """Block numbers whose writes are acknowledged and not stored."""
        self.gone_after: int | None = None
        """Writes after which the device is gone."""
        self.shrinks_after: tuple[int, int] | None = None
        """Writes after which the device has another size."""
        self.short_after: int | None = None
        """Number of the write that takes only half."""
        self.flush_fails = False
        self.leaves_at_flush = False
        """It is pulled while it is asked to make its writes durable."""
        self.writes = 0
        self.claimed = False
        self.spent_writes: list[tuple[int, int]] = []
        """Every write as (offset, length)."""
        self.identity_after: DeviceIdentity | str | None = "same"
        self.ports = Ports()
        """Command interfaces; none unless a test gives it some."""

    def power_cut(self) -> None:
        """What was not flushed is gone, and so is every claim."""
        self.current = bytearray(self.durable)
        self.claimed = False
        self.sequence += 1

    def _place(self, offset: int) -> int:
        return offset % self.alias if self.alias else offset

    def write(self, data: bytes, offset: int) -> int:
        self.writes += 1
        if self.gone_after is not None and self.writes > self.gone_after:
            raise DeviceGone(operation="write", errno=6, touched="maybe")
        if self.shrinks_after is not None and self.writes > self.shrinks_after[0]:
            self.size = self.shrinks_after[1]
        length = len(data)
        if offset + length > self.size:
            length = max(0, self.size - offset)
            if length == 0:
                raise RequestFailed("write", 28)
        if self.short_after is not None and self.writes == self.short_after:
            length //= 2
        self.spent_writes.append((offset, length))
        for block in range(offset // BLOCK, -(-(offset + length) // BLOCK)):
            if block in self.bad_writes:
                raise RequestFailed("write", 5)
        for at in range(0, length, BLOCK):
            if (offset + at) // BLOCK not in self.dropped:
                place = self._place(offset + at)
                self.current[place : place + BLOCK] = data[at : at + BLOCK]
        return length

    def read(self, length: int, offset: int) -> bytes:
        for block in range(offset // BLOCK, -(-(offset + length) // BLOCK)):
            if block in self.bad_reads:
                raise RequestFailed("read", 5)
        if self.alias is None:
            return bytes(self.current[offset : offset + length])
        parts = (
            self.current[self._place(at) : self._place(at) + BLOCK] for at in range(offset, offset + length, BLOCK)
        )
        return b"".join(bytes(part) for part in parts)

    def flush(self) -> None:
        if self.leaves_at_flush:
            self.size = 0
        if self.flush_fails or self.leaves_at_flush:
            raise RequestFailed("flush", 5)
        self.durable = bytearray(self.current)


class OpenSimulated:
    """The drive behind a descriptor; implements `OpenDevice`."""

    def __init__(self, drive: SimulatedDrive, steps: Steps) -> None:
        self._drive = drive
        self._steps = steps
        self.closed = False

    @property
    def path(self) -> str:
        return "/dev/sim"

    @property
    def device_number(self) -> str:
        return "240:0"

    @property
    def direct(self) -> bool:
        return True

    def geometry(self) -> Geometry:
        if self._drive.gone_after is not None and self._drive.writes > self._drive.gone_after:
            raise DeviceGone(operation="BLKGETSIZE64", errno=6)
        return Geometry(
            size_bytes=self._drive.size,
            logical_block_bytes=BLOCK,
            physical_block_bytes=BLOCK,
            read_only=False,
            disk_sequence=self._drive.sequence,
        )

    def loop_status(self) -> LoopStatus | None:
        return None

    def write(self, buffers: Sequence[memoryview], offset: int) -> int:
        data = b"".join(bytes(buffer) for buffer in buffers)
        return self._steps.step("write", lambda: self._drive.write(data, offset))

    def read(self, buffer: memoryview, offset: int) -> int:
        data = self._steps.step("read", lambda: self._drive.read(len(buffer), offset))
        buffer[: len(data)] = data
        return len(data)

    def flush(self) -> None:
        self._steps.step("flush", self._drive.flush)

    def drop_cache(self) -> None:
        self._steps.step("drop-cache", lambda: None)

    def ports(self) -> Ports:
        return self._drive.ports

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._drive.claimed = False


class SteppedJournal(Journal):
    """A real journal on disk whose entries are steps; dying in one can leave it torn."""

    steps: Steps
    torn = False

    def append(self, kind: str, fields: dict[str, Any]) -> None:
        self.steps.step(f"journal {kind}", lambda: super(SteppedJournal, self).append(kind, fields))


class SimulatedSystem:
    """Clocks, journals and one drive; implements `System`."""

    def __init__(self, drive: SimulatedDrive, steps: Steps | None = None, boot: str = "boot-1") -> None:
        self.drive = drive
        self.steps = steps or Steps()
        self.boot = boot
        self.clock = 1000.0
        self.opened: list[OpenSimulated] = []
        self.techniques: dict[str, Technique] = {}
        """The drive's own techniques that a run may name; none unless a test gives it some."""
        self.journals: list[Journal] = []

    def inspect(self) -> Inspection:
        """A look at the drive as `inspect` would give it."""
        return self._inspection(identity(self.drive.serial, self.drive.size))

    def _inspection(self, found: DeviceIdentity | None) -> Inspection:
        return Inspection(
            path="/dev/sim",
            identity=found,
            kind="ata",
            firmware="1.0",
            media="flash",
            transport="sata",
            slot=None,
            removable=False,
            hidden_capacity="unknown",
            capacity_bytes=self.drive.size,
            obstacles=self.drive.obstacles,
            dormant_signatures=(),
            zoned=False,
            disk_sequence=self.drive.sequence,
            boot_id=self.boot,
            taken=self.now(),
        )

    def claim(self, path: str) -> OpenSimulated:
        assert path == "/dev/sim"
        return self.steps.step("claim", self._claim)

    def _claim(self) -> OpenSimulated:
        if self.drive.claimed:
            raise DeviceBusy(path="/dev/sim")
        self.drive.claimed = True
        self.opened.append(OpenSimulated(self.drive, self.steps))
        return self.opened[-1]

    def open_reading(self, path: str) -> OpenSimulated:
        assert path == "/dev/sim"
        return OpenSimulated(self.drive, self.steps)

    def inspect_open(self, device: OpenDevice) -> Inspection:
        assert device.device_number == "240:0"
        found: DeviceIdentity | None = identity(self.drive.serial, self.drive.size)
        if self.drive.identity_after != "same" and self.drive.writes:
            found = self.drive.identity_after  # type: ignore[assignment]  # "same" was just excluded
        return self.steps.step("inspect", lambda: self._inspection(found))

    def create_journal(self, journal_dir: Path, run_id: str) -> Journal:
        return self.steps.step("create-journal", lambda: self._stepped(SteppedJournal.create(journal_dir, run_id)))

    def reopen_journal(self, journal_dir: Path, run_id: str) -> Journal:
        return self.steps.step("reopen-journal", lambda: self._stepped(SteppedJournal.reopen(journal_dir, run_id)))

    def _stepped(self, journal: SteppedJournal) -> Journal:
        journal.steps = self.steps
        self.journals.append(journal)
        return journal

    def die(self, *, power_cut: bool = False) -> None:
        """What the kernel does when a process is killed: locks and claims end with it."""
        for journal in self.journals:
            journal.close()
        self.drive.claimed = False
        if power_cut:
            self.drive.power_cut()

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.clock - 1000.0)

    def monotonic(self) -> float:
        self.clock += 0.001
        return self.clock

    def clock_synchronized(self) -> bool | None:
        return True

    def boot_id(self) -> str:
        return self.boot

    def wait(self, stop: threading.Event, seconds: float) -> None:
        if not stop.is_set():
            self.clock += seconds

    def rescan(self, device: OpenDevice) -> None:
        assert device in self.opened
        self.steps.step("rescan", lambda: None)

    def technique(self, name: str) -> Technique:
        return self.techniques[name]
