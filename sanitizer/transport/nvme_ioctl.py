"""NVMe admin commands through the ioctls of a namespace's node (linux/nvme_ioctl.h).

They reach the whole controller, whatever namespace the node is of. A positive result of the ioctl is the status field of the
completion, a negative one an errno.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl

from sanitizer.errors import CommandTimeout, HostRejected

from .commands import NvmeAnswer, NvmeCommand
from .ioctl import Descriptor, call, explicit, undelivered

NVME_IOCTL_ID = 0x4E40
NVME_IOCTL_ADMIN_CMD = 0xC0484E41
NVME_IOCTL_ADMIN64_CMD = 0xC0504E47

HOST_PATH_ERROR, HOST_ABORTED = 0x370, 0x371
"""Status codes the kernel makes up itself (path related, internal): the controller has not spoken."""
_STATUS = 0x7FF


_COMMON = (
    ("opcode", ctypes.c_uint8),
    ("flags", ctypes.c_uint8),
    ("rsvd1", ctypes.c_uint16),
    ("nsid", ctypes.c_uint32),
    ("cdw2", ctypes.c_uint32),
    ("cdw3", ctypes.c_uint32),
    ("metadata", ctypes.c_uint64),
    ("addr", ctypes.c_uint64),
    ("metadata_len", ctypes.c_uint32),
    ("data_len", ctypes.c_uint32),
    ("cdw10", ctypes.c_uint32),
    ("cdw11", ctypes.c_uint32),
    ("cdw12", ctypes.c_uint32),
    ("cdw13", ctypes.c_uint32),
    ("cdw14", ctypes.c_uint32),
    ("cdw15", ctypes.c_uint32),
    ("timeout_ms", ctypes.c_uint32),
)
"""What both forms start with, 68 bytes."""


class Passthru(ctypes.Structure):
    """struct nvme_passthru_cmd, 72 bytes."""

    _fields_ = (*_COMMON, ("result", ctypes.c_uint32))


class Passthru64(ctypes.Structure):
    """struct nvme_passthru_cmd64, 80 bytes."""

    _fields_ = (*_COMMON, ("rsvd2", ctypes.c_uint32), ("result", ctypes.c_uint64))


class NvmeAdmin:
    """The admin port of an open namespace node; implements `NvmePort`."""

    def __init__(self, descriptor: Descriptor) -> None:
        """Ask the kernel which namespace the node is of.

        Raises:
            DeviceGone: nothing is there any more.
            HostRejected: it is no NVMe namespace.
        """
        self._descriptor = descriptor
        try:
            self.namespace_id = int(fcntl.ioctl(descriptor(), NVME_IOCTL_ID, 0))
        except OSError as error:
            raise undelivered(error, "NVME_IOCTL_ID", 0) from error

    def admin(self, command: NvmeCommand, *, timeout_ms: int, read: int = 0, write: bytes = b"") -> NvmeAnswer:
        """Send one admin command.

        Raises:
            DeviceGone: nothing is there any more.
            CommandTimeout: no answer in time, or the kernel cancelled it; it may have been carried out.
            HostRejected: the kernel refused to deliver it.
        """
        if read and write:
            raise ValueError("a command moves data one way")
        length = read or len(write)
        data = ctypes.create_string_buffer(write, length) if write else ctypes.create_string_buffer(max(read, 1))
        fields = {
            "opcode": command.opcode,
            "nsid": command.nsid,
            "addr": ctypes.addressof(data) if length else 0,
            "data_len": length,
            "cdw10": command.cdw10,
            "cdw11": command.cdw11,
            "cdw12": command.cdw12,
            "cdw13": command.cdw13,
            "cdw14": command.cdw14,
            "cdw15": command.cdw15,
            "timeout_ms": explicit(timeout_ms),
        }
        operation = f"NVMe admin {command.opcode:02x}h"
        passed: Passthru64 | Passthru = Passthru64(**fields)
        try:
            try:
                status = call(self._descriptor, NVME_IOCTL_ADMIN64_CMD, passed)
            except OSError as error:
                if error.errno != errno.ENOTTY:
                    raise
                passed = Passthru(**fields)  # kernels before 5.5
                status = call(self._descriptor, NVME_IOCTL_ADMIN_CMD, passed)
        except InterruptedError as error:
            # The driver's word for "cancelled": after a timeout, and when the controller was reset under the command.
            raise CommandTimeout(operation=operation, sent=True, timeout_ms=timeout_ms) from error
        except OSError as error:
            raise undelivered(error, operation, timeout_ms) from error
        finally:
            if write:
                ctypes.memset(data, 0, length)  # it may have held a password
        return answer_of(status, passed.result, data.raw[:read], operation, timeout_ms)


def answer_of(status: int, result: int, data: bytes, operation: str, timeout_ms: int) -> NvmeAnswer:
    """What the ioctl's result says. Raises as `NvmeAdmin.admin` where the controller did not speak."""
    if status & _STATUS == HOST_ABORTED:
        raise CommandTimeout(operation=operation, sent=True, timeout_ms=timeout_ms)
    if status & _STATUS == HOST_PATH_ERROR:
        raise HostRejected(operation=operation, errno=errno.EIO, touched="maybe")
    return NvmeAnswer(status=status, result=result, data=data if status == 0 else b"")
