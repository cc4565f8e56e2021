"""What the engine asks of an open device, and the three answers: done, this request failed, the device is gone.

A transport never retries, never splits and never judges; it translates errno once, here, and keeps it.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from sanitizer.errors import DeviceGone, HostRejected

from .commands import Ports

MEDIUM_ERRNOS = frozenset(
    {
        errno.EIO,  # BLK_STS_IOERR: the usual answer of a bad block
        errno.EREMOTEIO,  # BLK_STS_TARGET
        errno.ENODATA,  # BLK_STS_MEDIUM
        errno.EILSEQ,  # BLK_STS_PROTECTION
        errno.EBADMSG,
        errno.ETIMEDOUT,  # BLK_STS_TIMEOUT
        errno.ETIME,  # BLK_STS_DURATION_LIMIT
        errno.ENOLINK,  # BLK_STS_TRANSPORT: may come back
        errno.ENOSPC,  # BLK_STS_NOSPC: thin storage is full, or the device shrank; the caller looks which
        errno.EAGAIN,
        errno.ENOMEM,  # BLK_STS_RESOURCE: this request, not the device
    }
)
"""A request failed and the next one may not (block/blk-core.c, blk_errors)."""

GONE_ERRNOS = frozenset({errno.ENXIO, errno.ENODEV, errno.ENOMEDIUM, errno.ESHUTDOWN})
"""There is no device behind the descriptor any more."""


@dataclass(eq=False)
class RequestFailed(Exception):
    """One request failed; how much of it reached the medium is unknown."""

    operation: str
    errno: int

    def __str__(self) -> str:
        return f"{self.operation} failed with {errno.errorcode.get(self.errno, self.errno)}"


def translated(error: OSError, operation: str) -> RequestFailed | DeviceGone | HostRejected:
    """The family an errno belongs to; everything that is neither medium nor absence is the host's."""
    number = error.errno or 0
    if number in MEDIUM_ERRNOS:
        return RequestFailed(operation, number)
    if number in GONE_ERRNOS:
        return DeviceGone(operation=operation, errno=number, touched="maybe")
    return HostRejected(operation=operation, errno=number, touched="maybe")


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """What the kernel says of an open block device right now."""

    size_bytes: int
    logical_block_bytes: int
    physical_block_bytes: int
    read_only: bool
    disk_sequence: int | None
    """None on kernels before 5.15, which do not count attachments."""


@dataclass(frozen=True, kw_only=True)
class LoopStatus:
    """What lies beneath a loop device (LOOP_GET_STATUS64)."""

    device: int
    inode: int
    offset: int
    size_limit: int
    born_ns: int | None
    """Birth time of the backing file where its filesystem keeps one and the file can still be found."""


@runtime_checkable
class OpenDevice(Protocol):
    """A block device held open; one object, one descriptor, used by several threads at once.

    `write`, `read` and `flush` raise `RequestFailed` (this request), `DeviceGone` or `HostRejected` (no use going on).
    """

    @property
    def path(self) -> str:
        """The node it was opened at."""
        ...

    @property
    def device_number(self) -> str:
        """`major:minor` of the open descriptor, which no renaming alters."""
        ...

    @property
    def direct(self) -> bool:
        """Whether the page cache is out of the way (O_DIRECT)."""
        ...

    def geometry(self) -> Geometry:
        """Ask the kernel anew. Raises `DeviceGone` or `HostRejected`."""
        ...

    def loop_status(self) -> LoopStatus | None:
        """What is beneath a loop device, None for any other."""
        ...

    def write(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Write the buffers one after the other at `offset`; returns the bytes taken, which may be fewer."""
        ...

    def read(self, buffer: memoryview, offset: int) -> int:
        """Fill the buffer from `offset`; returns the bytes given, which may be fewer."""
        ...

    def flush(self) -> None:
        """Make everything written so far durable on the medium (fdatasync)."""
        ...

    def drop_cache(self) -> None:
        """Write back and forget the kernel's cached pages of this device (BLKFLSBUF)."""
        ...

    def ports(self) -> Ports:
        """The device's command interfaces, on this very descriptor; none where it has none. Raises `DeviceGone`."""
        ...

    def close(self) -> None:
        """Let go; calling it again does nothing."""
        ...
