"""Linux block devices through descriptors and ioctls. Raw access only; what the answers mean is decided elsewhere.

ioctl numbers: linux/fs.h and linux/loop.h, the same on x86-64 and arm64 (standards.md 4.1). Reading and writing go
through O_DIRECT; there is no silent way back to the page cache.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import stat
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from sanitizer.errors import (
    DeviceBusy,
    DeviceGone,
    DeviceMissing,
    DirectIoUnavailable,
    HostRejected,
    NoMedium,
    NotBlockDevice,
    PrivilegeMissing,
    ReadOnlyDevice,
    Refused,
)

from .base import GONE_ERRNOS, Geometry, LoopStatus, translated
from .commands import Ports
from .ports import kernel_name, ports_of

BLKROGET = 0x125E
BLKFLSBUF = 0x1261
BLKSSZGET = 0x1268
BLKPBSZGET = 0x127B
BLKGETSIZE64 = 0x80081272
BLKGETDISKSEQ = 0x80081280
LOOP_GET_STATUS64 = 0x4C05

_LOOP_MAJOR = 7
_LOOP_INFO64_BYTES = 232  # struct loop_info64: device, inode, rdevice, offset, sizelimit, ...

_AT_FDCWD = -100
_STATX_BTIME = 0x800
_STATX_BYTES = 256

_libc = ctypes.CDLL(None, use_errno=True)


_NO_AT_OPEN: dict[int, Callable[[str], Refused]] = {
    errno.EROFS: lambda path: ReadOnlyDevice(nodes=(path,)),
    errno.ENOMEDIUM: lambda path: NoMedium(path=path),
    # a device that opens otherwise: its driver's no to O_DIRECT
    errno.EINVAL: lambda path: DirectIoUnavailable(path=path),
    # EBUSY comes only with O_EXCL on block devices
    errno.EBUSY: lambda path: DeviceBusy(path=path),
    errno.ENOENT: lambda path: DeviceMissing(path=path),
    errno.ELOOP: lambda path: NotBlockDevice(path=path),
    errno.ENXIO: lambda path: DeviceMissing(path=path),
    errno.ENODEV: lambda path: DeviceMissing(path=path),
}


def _refusal(error: OSError, path: str) -> Refused:
    """What a failed open means; an errno without a meaning of its own counts as a missing privilege of this process."""
    number = error.errno or 0
    known = _NO_AT_OPEN.get(number)
    return known(path) if known else PrivilegeMissing(operation=f"open {path}", errno=number)


def _unanswered(error: OSError, operation: str) -> DeviceGone | HostRejected:
    """A question about the device that got no answer; it moves no data, so no medium is to blame."""
    number = error.errno or 0
    if number in GONE_ERRNOS:
        return DeviceGone(operation=operation, errno=number)
    return HostRejected(operation=operation, errno=number)


_claims: set[str] = set()
"""Devices this process holds for a run. Changed by single operations only, which the interpreter does not divide."""


def claimed_here(device_number: str) -> bool:
    """Whether this process holds the device with an exclusive claim."""
    return device_number in _claims


class BlockDevice:
    """One open descriptor of a block device; implements `OpenDevice`."""

    def __init__(self, path: str, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor
        # Asked of the descriptor, not of the code that opened it: it stands on records as evidence.
        self._direct = bool(fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_DIRECT)
        status = os.fstat(descriptor)
        if not stat.S_ISBLK(status.st_mode):
            os.close(descriptor)
            raise NotBlockDevice(path=path)
        self._number = status.st_rdev
        self._claimed = False

    @classmethod
    def open_exclusive(cls, path: str) -> Self:
        """Open for writing with an exclusive claim: nobody can mount, assemble or claim it until `close`.

        O_EXCL without O_CREAT on a block device fails with EBUSY while the device or one of its partitions is claimed
        by a filesystem, swap, md, dm or ZFS, in whatever mount namespace (block/bdev.c, bd_prepare_to_claim).

        Raises:
            Refused: the subclass says why.
        """
        flags = os.O_RDWR | os.O_EXCL | os.O_DIRECT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            descriptor = os.open(path, flags)
        except OSError as error:
            raise _refusal(error, path) from error
        device = cls(path, descriptor)
        device._claimed = True
        _claims.add(device.device_number)
        return device

    @classmethod
    def open_reading(cls, path: str) -> Self:
        """Open for direct reading, without a claim.

        Raises:
            Refused: the subclass says why.
        """
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECT | os.O_CLOEXEC)
        except OSError as error:
            raise _refusal(error, path) from error
        return cls(path, descriptor)

    @property
    def path(self) -> str:
        """The node it was opened at."""
        return self._path

    @property
    def device_number(self) -> str:
        """`major:minor` of the open descriptor."""
        return f"{os.major(self._number)}:{os.minor(self._number)}"

    @property
    def direct(self) -> bool:
        """Whether the page cache is out of the way."""
        return self._direct

    def _ioctl(self, request: int, name: str, form: str) -> int:
        buffer = bytearray(struct.calcsize(form))
        try:
            fcntl.ioctl(self._descriptor, request, buffer)
        except OSError as error:
            raise _unanswered(error, name) from error
        return int(struct.unpack(form, buffer)[0])

    def geometry(self) -> Geometry:
        """Ask the kernel anew for sizes, write protection and the count of attachments."""
        try:
            sequence: int | None = self._ioctl(BLKGETDISKSEQ, "BLKGETDISKSEQ", "=Q")
        except HostRejected as error:
            if error.errno not in {errno.ENOTTY, errno.EINVAL}:
                raise
            sequence = None  # kernels before 5.15
        return Geometry(
            size_bytes=self._ioctl(BLKGETSIZE64, "BLKGETSIZE64", "=Q"),
            logical_block_bytes=self._ioctl(BLKSSZGET, "BLKSSZGET", "=i"),
            physical_block_bytes=self._ioctl(BLKPBSZGET, "BLKPBSZGET", "=I"),
            read_only=self._ioctl(BLKROGET, "BLKROGET", "=i") != 0,
            disk_sequence=sequence,
        )

    def loop_status(self) -> LoopStatus | None:
        """LOOP_GET_STATUS64 of a loop device; None for another device and for a detached loop device."""
        if os.major(self._number) != _LOOP_MAJOR:
            return None
        buffer = bytearray(_LOOP_INFO64_BYTES)
        try:
            fcntl.ioctl(self._descriptor, LOOP_GET_STATUS64, buffer)
        except OSError as error:
            if error.errno in GONE_ERRNOS:
                return None
            raise _unanswered(error, "LOOP_GET_STATUS64") from error
        device, inode, _, offset, limit = struct.unpack_from("=5Q", buffer)
        sysfs = Path("/sys/dev/block") / self.device_number / "loop" / "backing_file"
        return LoopStatus(
            device=device, inode=inode, offset=offset, size_limit=limit, born_ns=_born_ns(sysfs, device, inode)
        )

    def write(self, buffers: Sequence[memoryview], offset: int) -> int:
        """pwritev(2)."""
        try:
            return os.pwritev(self._descriptor, buffers, offset)
        except OSError as error:
            raise translated(error, "write") from error

    def read(self, buffer: memoryview, offset: int) -> int:
        """preadv(2)."""
        try:
            return os.preadv(self._descriptor, [buffer], offset)
        except OSError as error:
            raise translated(error, "read") from error

    def flush(self) -> None:
        """fdatasync(2), which on a block device also flushes the device's volatile cache."""
        try:
            os.fdatasync(self._descriptor)
        except OSError as error:
            raise translated(error, "flush") from error

    def drop_cache(self) -> None:
        """BLKFLSBUF: write back and invalidate the page cache of the device. Needs CAP_SYS_ADMIN."""
        try:
            fcntl.ioctl(self._descriptor, BLKFLSBUF, 0)
        except OSError as error:
            raise translated(error, "BLKFLSBUF") from error

    def ports(self) -> Ports:
        """The command interfaces by the kernel's name of the device, all on this descriptor. Raises `DeviceGone`."""
        return ports_of(kernel_name(self.device_number), lambda: self._descriptor)

    def close(self) -> None:
        """Close the descriptor once; the claim ends with it."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            if self._claimed:
                _claims.discard(self.device_number)
            os.close(descriptor)


def _born_ns(sysfs: Path, device: int, inode: int) -> int | None:
    """Birth time of a loop device's backing file, by statx(2), which `os.stat` does not give on Linux.

    An inode number is used again after deletion, so that device and inode alone could name two files one after the
    other. None when the file was deleted, is out of sight, or its filesystem keeps no birth time.
    """
    try:
        path = sysfs.read_text().removesuffix("\n")
        status = Path(path).stat()
    except (OSError, ValueError):
        return None
    if (status.st_dev, status.st_ino) != (device, inode):
        return None
    buffer = (ctypes.c_char * _STATX_BYTES)()
    if _libc.statx(_AT_FDCWD, os.fsencode(path), 0, _STATX_BTIME, buffer) != 0:
        return None
    (mask,) = struct.unpack_from("=I", buffer, 0)  # struct statx: stx_mask first, stx_btime at 80
    seconds, nanoseconds = struct.unpack_from("=qI", buffer, 80)
    return int(seconds) * 10**9 + int(nanoseconds) if mask & _STATX_BTIME else None


_FLOCK = "@hhqqi4x"  # struct flock: type, whence, start, length, process


def lock_file(descriptor: int) -> bool:
    """Take an exclusive lock that belongs to the open file description and ends with it; False when another has it."""
    try:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
    except OSError as error:
        if error.errno in {errno.EAGAIN, errno.EACCES}:
            return False
        raise
    return True


def is_locked(descriptor: int) -> bool:
    """Whether another open file description holds the lock; asking does not take it."""
    asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    answer = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, asked)
    return bool(struct.unpack(_FLOCK, answer)[0] != fcntl.F_UNLCK)


def clock_synchronized() -> bool | None:
    """Whether the kernel's clock is disciplined (adjtimex(2), STA_UNSYNC clear); None when it does not say."""
    buffer = (ctypes.c_char * 256)()  # struct timex is 208 bytes; modes 0 only reads
    with contextlib.suppress(AttributeError):
        if _libc.adjtimex(buffer) >= 0:
            (status,) = struct.unpack_from("=i", buffer, 40)
            return not status & 0x40
    return None
