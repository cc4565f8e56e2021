"""The emulated drives behind the product's own interfaces, in this process: what the kernel does between the two.

`TargetPort` is the command port of SCSI and SATA drives, `EmulatedDevice` an open block device over any drive; `nvme_ports` has
the others. As in the kernel, blocks are read and written with commands of the drive, and what never comes back ends in the
host's timeout. Only here and there the emulators meet the product.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable, Sequence
from typing import NoReturn, Protocol, TypeVar

from sanitizer.errors import CommandTimeout, DeviceGone, HostReset
from sanitizer.transport.base import Geometry, LoopStatus, RequestFailed
from sanitizer.transport.commands import Ports, ScsiAnswer

from .clock import Clock
from .faults import BusReset, Gone, NoAnswer
from .scsi_base import ScsiTarget
from .sense import GOOD

T = TypeVar("T")

_SENSE_BYTES = 252
_BLOCK_TIMEOUT = 30.0
"""Seconds the kernel waits for a read or write."""
_ATTEMPTS = 5
_DID_RESET = 0x08
_SECTOR = 512


def _timed(clock: Clock, timeout_ms: int, operation: str, carry_out: Callable[[], T]) -> T:
    """One command within its time. Raises as the ports do."""
    if timeout_ms <= 0:
        raise AssertionError(f"{operation}: no timeout, and the kernel's default is not ours")
    began = clock.now()
    try:
        answer = carry_out()
    except NoAnswer:
        clock.sleep(max(0.0, began + timeout_ms / 1000 - clock.now()))
        raise CommandTimeout(operation=operation, sent=True, timeout_ms=timeout_ms) from None
    except Gone:
        raise DeviceGone(operation=operation, errno=errno.ENODEV, touched="maybe") from None
    except BusReset:
        raise HostReset(operation=operation, errno=errno.EIO, host_status=_DID_RESET, touched="maybe") from None
    if clock.now() - began > timeout_ms / 1000:
        raise CommandTimeout(operation=operation, sent=True, timeout_ms=timeout_ms)
    return answer


class TargetPort:
    """SG_IO to an emulated target; implements `ScsiPort`. Keeps every CDB it carried."""

    def __init__(self, target: ScsiTarget, clock: Clock) -> None:
        self._target = target
        self._clock = clock
        self.sent: list[bytes] = []

    def scsi(self, cdb: bytes, *, timeout_ms: int, read: int = 0, write: bytes = b"") -> ScsiAnswer:
        """See `ScsiPort`."""
        if read and write:
            raise AssertionError("a command moves data one way")
        self.sent.append(cdb)
        began = self._clock.now()
        status, sense, data = _timed(
            self._clock, timeout_ms, f"SG_IO {cdb[0]:02x}h", lambda: self._target.command(cdb, write)
        )
        # The kernel hands over no more than the sense data's own additional length.
        kept = sense[: min(8 + sense[7], _SENSE_BYTES)] if len(sense) > 7 else sense
        return ScsiAnswer(
            status=status,
            host_status=0,
            driver_status=0x08 if sense else 0,
            sense=kept,
            data=data[:read],
            duration_ms=int((self._clock.now() - began) * 1000),
        )


class Blocks(Protocol):
    """What the kernel's block layer asks of a driver."""

    @property
    def ports(self) -> Ports:
        """Command interfaces on the same drive."""
        ...

    def capacity(self) -> tuple[int, int, bool]:
        """Blocks, bytes in one, and whether writing is forbidden; 0 blocks where the drive does not say."""
        ...

    def read(self, lba: int, count: int) -> bytes:
        """Whole blocks. Raises `OSError`."""
        ...

    def write(self, lba: int, data: bytes) -> None:
        """Whole blocks. Raises `OSError`."""
        ...

    def flush(self) -> None:
        """Raises `OSError`."""
        ...


class ScsiBlocks:
    """The sd driver."""

    def __init__(self, target: ScsiTarget, clock: Clock) -> None:
        self._target = target
        self._port = TargetPort(target, clock)
        self._known: tuple[int, int, bool] | None = None
        self.ports = Ports(scsi=self._port)

    @property
    def sent(self) -> list[bytes]:
        """Every CDB sent through the command port."""
        return self._port.sent

    def _command(self, cdb: bytes, data: bytes = b"") -> tuple[int, bytes, bytes]:
        """With the kernel's retries of unit attentions and resets."""
        for _ in range(_ATTEMPTS):
            try:
                status, sense, answer = self._target.command(cdb, data)
            except BusReset:
                continue
            if status == GOOD or _key(sense) != 6:
                return status, sense, answer
        return status, sense, answer

    def capacity(self) -> tuple[int, int, bool]:
        """READ CAPACITY (16) and (10), MODE SENSE; of a drive that has gone silent what was known of it."""
        try:
            self._known = self._asked()
        except NoAnswer:
            if self._known is None:
                raise
        return self._known

    def _asked(self) -> tuple[int, int, bool]:
        status, _, data = self._command(struct.pack(">BB8xIBB", 0x9E, 0x10, 32, 0, 0))
        if status == GOOD and len(data) >= 12:
            last, size = struct.unpack_from(">QI", data)
        else:
            status, _, data = self._command(bytes((0x25,)) + bytes(9))
            last, size = struct.unpack(">II", data) if status == GOOD and len(data) == 8 else (0, 0)
        mode, _, page = self._command(bytes((0x1A, 0, 0x3F, 0, 255, 0)))
        protected = mode == GOOD and len(page) > 2 and bool(page[2] & 0x80)
        return (last + 1 if size else 0), size or _SECTOR, protected

    def read(self, lba: int, count: int) -> bytes:
        """READ (16)."""
        status, sense, data = self._command(struct.pack(">BBQIBB", 0x88, 0, lba, count, 0, 0))
        if status != GOOD:
            raise OSError(_errno(sense), "read")
        return data

    def write(self, lba: int, data: bytes) -> None:
        """WRITE (16)."""
        _, size, _ = self.capacity()
        cdb = struct.pack(">BBQIBB", 0x8A, 0, lba, len(data) // size, 0, 0)
        status, sense, _ = self._command(cdb, data)
        if status != GOOD:
            raise OSError(_errno(sense), "write")

    def flush(self) -> None:
        """SYNCHRONIZE CACHE."""
        status, sense, _ = self._command(bytes((0x35,)) + bytes(9))
        if status != GOOD:
            raise OSError(_errno(sense), "flush")


def _key(sense: bytes) -> int:
    if len(sense) < 3:
        return 0
    return (sense[1] if sense[0] & 0x7F >= 0x72 else sense[2]) & 0x0F


def _errno(sense: bytes) -> int:
    """As scsi_io_completion maps them to the block layer's words."""
    return {3: errno.ENODATA, 5: errno.EREMOTEIO, 7: errno.EREMOTEIO}.get(_key(sense), errno.EIO)


class EmulatedDevice:
    """A drive behind a descriptor; implements `OpenDevice`."""

    def __init__(
        self,
        blocks: Blocks,
        clock: Clock,
        *,
        path: str = "/dev/emulated",
        number: str = "240:0",
        sequence: int = 1,
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        self._blocks = blocks
        self._clock = clock
        self.path = path
        self.device_number = number
        self.direct = True
        self._sequence = sequence
        self._on_close = on_close
        self._closed = False
        self.written = 0
        """Bytes the drive took."""

    def _asked(self, operation: str, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except Gone:
            raise DeviceGone(operation=operation, errno=errno.ENODEV, touched="maybe") from None
        except NoAnswer:
            self._clock.sleep(_BLOCK_TIMEOUT)
            raise RequestFailed(operation, errno.ETIMEDOUT) from None
        except BusReset:
            raise RequestFailed(operation, errno.EIO) from None
        except OSError as error:
            raise RequestFailed(operation, error.errno or errno.EIO) from error

    def geometry(self) -> Geometry:
        """See `OpenDevice`."""
        blocks, size, protected = self._asked("BLKGETSIZE64", self._blocks.capacity)
        return Geometry(
            size_bytes=blocks * size,
            logical_block_bytes=size,
            physical_block_bytes=size,
            read_only=protected,
            disk_sequence=self._sequence,
        )

    def loop_status(self) -> LoopStatus | None:
        """No loop device."""
        return None

    def _size(self, operation: str) -> tuple[int, int]:
        blocks, size, _ = self._asked(operation, self._blocks.capacity)
        return blocks * size, size

    def write(self, buffers: Sequence[memoryview], offset: int) -> int:
        """See `OpenDevice`."""
        data = b"".join(bytes(buffer) for buffer in buffers)
        whole, size = self._size("write")
        self._aligned(offset, len(data), size)
        data = data[: max(0, whole - offset)]
        if not data:
            raise RequestFailed("write", errno.ENOSPC)
        self._asked("write", lambda: self._blocks.write(offset // size, data))
        self.written += len(data)
        return len(data)

    def read(self, buffer: memoryview, offset: int) -> int:
        """See `OpenDevice`; nothing beyond the end."""
        whole, size = self._size("read")
        self._aligned(offset, len(buffer), size)
        length = max(0, min(len(buffer), whole - offset))
        if not length:
            return 0
        data = self._asked("read", lambda: self._blocks.read(offset // size, length // size))
        buffer[: len(data)] = data
        return len(data)

    @staticmethod
    def _aligned(offset: int, length: int, size: int) -> None:
        """O_DIRECT takes whole blocks only."""
        if offset % size or length % size:
            raise RequestFailed("request", errno.EINVAL)

    def flush(self) -> None:
        """See `OpenDevice`."""
        self._asked("flush", self._blocks.flush)

    def drop_cache(self) -> None:
        """There is no page cache between."""

    def ports(self) -> Ports:
        """See `OpenDevice`."""
        if self._closed:
            self._bad_descriptor()
        return self._blocks.ports

    def _bad_descriptor(self) -> NoReturn:
        raise AssertionError("a port was taken from a closed descriptor")

    def close(self) -> None:
        """See `OpenDevice`."""
        if not self._closed:
            self._closed = True
            self._on_close()
