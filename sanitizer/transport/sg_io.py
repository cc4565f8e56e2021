"""SCSI commands through SG_IO (scsi/sg.h, version 3 of the interface) on a disk's own node.

The kernel's two status bytes say whether the command reached the device. What did not is raised; what the device said,
a CHECK CONDITION too, is returned.
"""

from __future__ import annotations

import ctypes
import errno
from typing import NoReturn

from sanitizer.errors import CommandTimeout, DeviceGone, HostRejected, HostReset

from .commands import ScsiAnswer
from .ioctl import Descriptor, call, explicit, undelivered

SG_IO = 0x2285
SENSE_BYTES = 252
"""The most the standard allows (SPC-5, 4.4)."""
LONGEST_CDB = 32
_NO_DATA, _TO_DEVICE, _FROM_DEVICE = -1, -2, -3

# scsi/scsi_status.h
DID_OK, DID_NO_CONNECT, DID_TIME_OUT, DID_BAD_TARGET = 0x00, 0x01, 0x03, 0x04
DID_RESET = 0x08
DID_TARGET_FAILURE, DID_NEXUS_FAILURE, DID_MEDIUM_ERROR = 0x10, 0x11, 0x13
_ANSWERED = frozenset({DID_OK, DID_TARGET_FAILURE, DID_NEXUS_FAILURE, DID_MEDIUM_ERROR})
"""Delivered: the last three repeat what status and sense say."""
_DRIVER_TIMEOUT, _DRIVER_SENSE = 0x06, 0x08
"""Low half of the driver's byte, which kernels since 5.14 leave zero but for the sense flag."""


class SgIoHeader(ctypes.Structure):
    """struct sg_io_hdr, 88 bytes on 64-bit machines."""

    _fields_ = (
        ("interface_id", ctypes.c_int),
        ("dxfer_direction", ctypes.c_int),
        ("cmd_len", ctypes.c_ubyte),
        ("mx_sb_len", ctypes.c_ubyte),
        ("iovec_count", ctypes.c_ushort),
        ("dxfer_len", ctypes.c_uint),
        ("dxferp", ctypes.c_void_p),
        ("cmdp", ctypes.c_void_p),
        ("sbp", ctypes.c_void_p),
        ("timeout", ctypes.c_uint),
        ("flags", ctypes.c_uint),
        ("pack_id", ctypes.c_int),
        ("usr_ptr", ctypes.c_void_p),
        ("status", ctypes.c_ubyte),
        ("masked_status", ctypes.c_ubyte),
        ("msg_status", ctypes.c_ubyte),
        ("sb_len_wr", ctypes.c_ubyte),
        ("host_status", ctypes.c_ushort),
        ("driver_status", ctypes.c_ushort),
        ("resid", ctypes.c_int),
        ("duration", ctypes.c_uint),
        ("info", ctypes.c_uint),
    )


class SgIo:
    """The SCSI port of an open descriptor; implements `ScsiPort`."""

    def __init__(self, descriptor: Descriptor) -> None:
        self._descriptor = descriptor

    def scsi(self, cdb: bytes, *, timeout_ms: int, read: int = 0, write: bytes = b"") -> ScsiAnswer:
        """Send one CDB. The kernel raises timeouts below 7 s to 7 s.

        Raises:
            DeviceGone: nothing is there any more.
            CommandTimeout: no answer in time; the command may have been carried out.
            HostRejected: the kernel or the adapter refused to deliver it, or cut it off (`HostReset`).
        """
        if not 6 <= len(cdb) <= LONGEST_CDB:
            raise ValueError(f"a CDB has 6 to {LONGEST_CDB} bytes")
        if read and write:
            raise ValueError("a command moves data one way")
        command = ctypes.create_string_buffer(cdb, len(cdb))
        sense = ctypes.create_string_buffer(SENSE_BYTES)
        length = read or len(write)
        data = ctypes.create_string_buffer(write, length) if write else ctypes.create_string_buffer(max(read, 1))
        header = SgIoHeader(
            interface_id=ord("S"),
            dxfer_direction=_FROM_DEVICE if read else _TO_DEVICE if write else _NO_DATA,
            cmd_len=len(cdb),
            mx_sb_len=SENSE_BYTES,
            dxfer_len=length,
            dxferp=ctypes.addressof(data) if length else None,
            cmdp=ctypes.addressof(command),
            sbp=ctypes.addressof(sense),
            timeout=explicit(timeout_ms),
        )
        operation = f"SG_IO {cdb[0]:02x}h"
        try:
            call(self._descriptor, SG_IO, header)
        except OSError as error:
            raise undelivered(error, operation, timeout_ms) from error
        finally:
            if write:
                ctypes.memset(data, 0, length)  # it may have held a password
        return answer_of(header, sense.raw, data.raw[:read], operation)


def answer_of(header: SgIoHeader, sense: bytes, data: bytes, operation: str) -> ScsiAnswer:
    """What a filled header says. Raises as `SgIo.scsi` where the device did not speak."""
    written = sense[: min(header.sb_len_wr, len(sense))]
    driver = header.driver_status & 0x0F
    if header.host_status not in _ANSWERED or driver not in {0, _DRIVER_SENSE}:
        _raise_undelivered(header.host_status, driver, operation, header.timeout)
    left = header.resid
    # More left over than was asked for: nobody knows what was read. Less than nothing: it is all there.
    kept = len(data) - left if left > 0 else len(data)
    return ScsiAnswer(
        status=header.status & 0xFE,  # bit 0 is obsolete and was never part of a code (SAM-5, 5.3)
        host_status=header.host_status,
        driver_status=header.driver_status,
        sense=written,
        data=data[: max(kept, 0)],
        duration_ms=header.duration,
    )


def _raise_undelivered(host_status: int, driver: int, operation: str, timeout_ms: int) -> NoReturn:
    if host_status == DID_TIME_OUT or driver == _DRIVER_TIMEOUT:
        raise CommandTimeout(operation=operation, sent=True, timeout_ms=timeout_ms)
    if host_status in {DID_NO_CONNECT, DID_BAD_TARGET}:
        raise DeviceGone(operation=operation, errno=errno.ENODEV, touched="maybe")
    if host_status == DID_RESET:
        raise HostReset(operation=operation, errno=errno.EIO, host_status=host_status, touched="maybe")
    raise HostRejected(operation=operation, errno=errno.EIO, host_status=host_status, touched="maybe")
