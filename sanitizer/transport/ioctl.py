"""One ioctl with memory it may change, and what its errno means for a device command."""

from __future__ import annotations

import ctypes
import errno
import fcntl
from collections.abc import Callable

from sanitizer.errors import CommandTimeout, DeviceGone, HostRejected, Touched, TransportError

from .base import GONE_ERRNOS

Descriptor = Callable[[], int]
"""Asked anew for each command: a closed device answers -1, and never the number another file has got since."""

NEVER_SENT = frozenset(
    {
        errno.EPERM,
        errno.EACCES,
        errno.EBADF,
        errno.EINVAL,
        errno.ENOTTY,
        errno.ENOSYS,
        errno.EOPNOTSUPP,
        524,  # ENOTSUPP, which the kernel should not let out and does (block/sed-opal.c)
        errno.ENOMEM,
        errno.EAGAIN,  # an NVMe multipath node without a path
        errno.EBUSY,
    }
)
"""The kernel checks before it sends, and these come from the checks."""

_ANSWERLESS = frozenset({errno.ETIMEDOUT, errno.ETIME})


def undelivered(error: OSError, operation: str, timeout_ms: int) -> TransportError:
    """The error a failed ioctl amounts to. What is not known to have stayed here may have changed the medium."""
    number = error.errno or 0
    if number in GONE_ERRNOS:
        return DeviceGone(operation=operation, errno=number, touched="maybe")
    if number in _ANSWERLESS:
        return CommandTimeout(operation=operation, sent=True, timeout_ms=timeout_ms)
    touched: Touched = "no" if number in NEVER_SENT else "maybe"
    return HostRejected(operation=operation, errno=number, touched=touched)


def call(
    descriptor: Descriptor, request: int, argument: bytearray | ctypes.Structure | ctypes.Array[ctypes.c_char]
) -> int:
    """ioctl(2) with memory the kernel writes into; returns its result, which for several requests is a status.

    Raises:
        OSError: as the kernel gave it.
    """
    number = descriptor()
    if number < 0:
        raise OSError(errno.EBADF, "the device is closed")
    return int(fcntl.ioctl(number, request, argument, True))


def explicit(timeout_ms: int) -> int:
    """The timeout, which must be one: 0 stands for a default of the kernel's that is too short for an erase.

    Raises:
        ValueError: not a positive number of milliseconds, or too large for the kernel's field.
    """
    if not 0 < timeout_ms < 1 << 32:
        raise ValueError("a device command needs a timeout in milliseconds")
    return timeout_ms
