"""Scratch devices in memory that fail in a known way. They implement the very interface the engine has of a real device.

What lies on one, and what a request to it does, is `ScratchDisk`; each fault is a field of `Fault`. The engine cannot tell them
from a real device, and nothing here touches one.
"""

from __future__ import annotations

import errno
import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sanitizer.capability import Capabilities, HiddenCapacity, SanitizePhase, SanitizeStanding, Tri
from sanitizer.errors import ByteRange, DeviceBusy, DeviceGone, DeviceMissing
from sanitizer.identity import DeviceIdentity
from sanitizer.inspection import Inspection
from sanitizer.journal import Journal
from sanitizer.system import HostSystem
from sanitizer.techniques.base import Aftermath, Hands, Parameters, Reach, Sent, Technique
from sanitizer.transport.base import Geometry, LoopStatus, OpenDevice, RequestFailed
from sanitizer.transport.commands import Ports

BLOCK = 512
SIZE = 128 << 10
"""Bytes of a scratch device: enough for markers, several requests of each thread, and a fault in the middle."""
PATH = "scratch"
COMMAND = "scsi-format-unit"
"""The name under which a scratch device's own command is planned."""
_NUMBER = "0:0"
_OLD = b"WHAT WAS STORED BEFORE MUST GO. "
_BOOT = "self-test"
_OPCODE = 0x04


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What one scratch device does wrong. Ranges are bytes, whole blocks."""

    refuses_writes: ByteRange | None = None
    refuses_reads: ByteRange | None = None
    drops_writes: ByteRange | None = None
    """Taken, acknowledged, not stored."""
    answers_from_before: ByteRange | None = None
    """Stored, and reads give what was there before."""
    answers_from_cache: ByteRange | None = None
    """Not stored, and reads give what was written for as long as the host's cache was not dropped since."""
    wraps_at: int | None = None
    """Addresses beyond this many bytes are those from the start again: less medium than it says."""
    shrinks_to: int | None = None
    """Another size once half of it was written."""
    loses_flushes: bool = False
    vanishes: bool = False
    """Gone once half of it was written."""
    lies_about_its_command: bool = False
    """Its own command is accepted, reported as done, and leaves all that was stored."""


@dataclass
class ScratchDisk:
    """One scratch device, full of old data."""

    fault: Fault
    stored: bytearray = field(default_factory=lambda: bytearray(_OLD * (SIZE // len(_OLD))))
    size: int = SIZE
    written: int = 0
    """Bytes taken so far."""
    claimed: bool = False
    _cached: dict[int, bytes] = field(default_factory=dict)
    _before: bytes = b""

    def __post_init__(self) -> None:
        self._before = bytes(self.stored)
        self._serial = secrets.token_hex(8)
        self._lock = threading.Lock()

    @property
    def identity(self) -> DeviceIdentity:
        """What it says of itself; one nobody has met before."""
        return DeviceIdentity(
            kind="other",
            vendor=None,
            model="Sanitrail scratch device",
            serial=self._serial,
            wwn=None,
            eui64=None,
            nguid=None,
            capacity_bytes=self.size,
            logical_block_bytes=BLOCK,
            physical_block_bytes=BLOCK,
        )

    @property
    def gone(self) -> bool:
        """Whether it is not there any more."""
        return self.fault.vanishes and self.written > SIZE // 2

    def write(self, data: bytes, offset: int) -> int:
        """Take one request."""
        with self._lock:
            self._require("write")
            if _meets(self.fault.refuses_writes, offset, len(data)):
                raise RequestFailed("write", errno.EIO)
            for at in range(offset, offset + len(data), BLOCK):
                self._store(at, data[at - offset : at - offset + BLOCK])
            self.written += len(data)
            if self.fault.shrinks_to is not None and self.written > SIZE // 2:
                self.size = self.fault.shrinks_to
            return len(data)

    def _store(self, at: int, block: bytes) -> None:
        if _meets(self.fault.drops_writes, at, BLOCK):
            return
        if _meets(self.fault.answers_from_cache, at, BLOCK):
            self._cached[at] = block
            return
        place = self._place(at)
        self.stored[place : place + BLOCK] = block

    def read(self, length: int, offset: int) -> bytes:
        """Answer one request."""
        with self._lock:
            self._require("read")
            if _meets(self.fault.refuses_reads, offset, length):
                raise RequestFailed("read", errno.EIO)
            return b"".join(self._block(at) for at in range(offset, offset + length, BLOCK))

    def _block(self, at: int) -> bytes:
        if _meets(self.fault.answers_from_before, at, BLOCK):
            return self._before[at : at + BLOCK]
        place = self._place(at)
        return self._cached.get(at) or bytes(self.stored[place : place + BLOCK])

    def flush(self) -> None:
        """Make it durable, or fail to."""
        self._require("flush")
        if self.fault.loses_flushes:
            raise RequestFailed("flush", errno.EIO)

    def forget_cached(self) -> None:
        """The host's cache is dropped."""
        self._cached.clear()

    def _place(self, at: int) -> int:
        return at % self.fault.wraps_at if self.fault.wraps_at else at

    def _require(self, operation: str) -> None:
        if self.gone:
            raise DeviceGone(operation=operation, errno=errno.ENXIO, touched="maybe")


def _meets(where: ByteRange | None, offset: int, length: int) -> bool:
    return where is not None and where[0] < offset + length and offset < where[1]


class OpenScratch:
    """A scratch device held open; implements `transport.base.OpenDevice`."""

    def __init__(self, disk: ScratchDisk) -> None:
        self._disk = disk
        self._open = True

    @property
    def path(self) -> str:
        """See `OpenDevice`."""
        return PATH

    @property
    def device_number(self) -> str:
        """See `OpenDevice`."""
        return _NUMBER

    @property
    def direct(self) -> bool:
        """See `OpenDevice`."""
        return True

    def geometry(self) -> Geometry:
        """See `OpenDevice`."""
        if self._disk.gone:
            raise DeviceGone(operation="BLKGETSIZE64", errno=errno.ENXIO, touched="maybe")
        return Geometry(
            size_bytes=self._disk.size,
            logical_block_bytes=BLOCK,
            physical_block_bytes=BLOCK,
            read_only=False,
            disk_sequence=1,
        )

    def loop_status(self) -> LoopStatus | None:
        """See `OpenDevice`."""
        return None

    def write(self, buffers: Sequence[memoryview], offset: int) -> int:
        """See `OpenDevice`."""
        return self._disk.write(b"".join(buffers), offset)

    def read(self, buffer: memoryview, offset: int) -> int:
        """See `OpenDevice`."""
        data = self._disk.read(len(buffer), offset)
        buffer[: len(data)] = data
        return len(data)

    def flush(self) -> None:
        """See `OpenDevice`."""
        self._disk.flush()

    def drop_cache(self) -> None:
        """See `OpenDevice`."""
        self._disk.forget_cached()

    def ports(self) -> Ports:
        """See `OpenDevice`."""
        return Ports()

    def close(self) -> None:
        """See `OpenDevice`."""
        if self._open:
            self._open = False
            self._disk.claimed = False


class ScratchJournal(Journal):
    """A journal in memory: a self-test has nothing to go on with after a crash, and must not depend on room on a disk."""

    def __init__(self, run_id: str) -> None:
        super().__init__(Path(), run_id, -1, [], "")
        self._key = secrets.token_bytes(32)

    def append(self, kind: str, fields: dict[str, Any]) -> None:
        """See `Journal`."""
        self.entries.append({"kind": kind, **fields})

    def master_key(self) -> bytes:
        """See `Journal`."""
        return self._key


class ScratchSystem(HostSystem):
    """One scratch device and nothing else of this host but its clocks; `sanitizer.system.System` to the engine."""

    def __init__(self, disk: ScratchDisk) -> None:
        """Around one disk."""
        super().__init__()
        self._disk = disk

    @property
    def identity(self) -> DeviceIdentity:
        """Of the scratch device."""
        return self._disk.identity

    def inspect(self) -> Inspection:
        """A look at the scratch device."""
        return Inspection(
            path=PATH,
            identity=self._disk.identity,
            kind="other",
            firmware=None,
            media="unknown",
            transport="unknown",
            slot=None,
            removable=False,
            hidden_capacity="no",
            capacity_bytes=self._disk.size,
            obstacles=(),
            dormant_signatures=(),
            zoned=False,
            disk_sequence=1,
            boot_id=_BOOT,
            taken=datetime.now(UTC),
            capabilities=self._capabilities(),
        )

    def _capabilities(self) -> Capabilities | None:
        if not self._disk.fault.lies_about_its_command:
            return None
        hidden = HiddenCapacity(native_bytes=self._disk.size, present=Tri.NO, by=())
        return Capabilities(path="direct", standing=None, hidden=hidden)

    def claim(self, path: str) -> OpenScratch:
        """See `System`."""
        if path != PATH:
            raise DeviceMissing(path=path)
        if self._disk.claimed:
            raise DeviceBusy(path=path)
        self._disk.claimed = True
        return OpenScratch(self._disk)

    def open_reading(self, path: str) -> OpenScratch:
        """See `System`."""
        if path != PATH:
            raise DeviceMissing(path=path)
        return OpenScratch(self._disk)

    def inspect_open(self, device: OpenDevice) -> Inspection:
        """See `System`."""
        if device.device_number != _NUMBER:
            raise DeviceMissing(path=device.path)
        if self._disk.gone:
            raise DeviceGone(operation="inspect", errno=errno.ENXIO, touched="maybe")
        return self.inspect()

    def create_journal(self, journal_dir: Path, run_id: str) -> Journal:  # noqa: ARG002 - it lies in memory
        """See `System`."""
        return ScratchJournal(run_id)

    def technique(self, name: str) -> Technique:  # noqa: ARG002 - the scratch device has one
        """See `System`."""
        return IdleErase()

    def rescan(self, device: OpenDevice) -> None:
        """See `System`."""

    def boot_id(self) -> str:
        """See `System`."""
        return _BOOT


class IdleErase:
    """A command of a scratch device that is taken, is reported as done, and does nothing; implements `Technique`."""

    name = COMMAND
    title = "Scratch erase"
    clause = "none"
    blocking = True
    resumes = False
    destroys_neighbours = False

    def refusals(self, capabilities: Capabilities, parameters: Parameters) -> tuple[str, ...]:  # noqa: ARG002 - protocol
        """See `Technique`."""
        return ()

    def reach(self, capabilities: Capabilities, media: str, parameters: Parameters) -> Reach:  # noqa: ARG002 - protocol
        """See `Technique`."""
        return Reach(level="clear", reason="It only says so.", clause="none")

    def aftermath(self, capabilities: Capabilities, parameters: Parameters) -> Aftermath:  # noqa: ARG002 - protocol
        """See `Technique`."""
        return "undefined"

    def estimate_seconds(self, capabilities: Capabilities, capacity_bytes: int) -> int | None:  # noqa: ARG002 - protocol
        """See `Technique`."""
        return None

    def start(self, hands: Hands) -> tuple[Sent, ...]:
        """See `Technique`."""
        hands.note("command-sending", {"technique": self.name, "command": self.title, "sent": _OPCODE.to_bytes().hex()})
        hands.prove()
        return (Sent(command=self.title, opcode=_OPCODE, sent=_OPCODE.to_bytes(), answer=b"\0", accepted="yes"),)

    def standing(self, ports: Ports) -> SanitizeStanding:  # noqa: ARG002 - protocol
        """See `Technique`."""
        return SanitizeStanding(phase=SanitizePhase.SUCCEEDED, progress=None, raw=b"\0")

    def recover(self, hands: Hands) -> tuple[Sent, ...]:  # noqa: ARG002 - protocol
        """See `Technique`."""
        return ()
