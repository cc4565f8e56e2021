"""Discard and secure discard of a range of bytes (linux/fs.h). A discard is a hint and never an erase."""

from __future__ import annotations

import errno
import struct

from .ioctl import Descriptor, call, undelivered

BLKDISCARD = 0x1277
BLKSECDISCARD = 0x127D


class BlockRanges:
    """The range port of an open descriptor; implements `RangePort`."""

    def __init__(self, descriptor: Descriptor) -> None:
        self._descriptor = descriptor

    def discard(self, offset: int, length: int, *, secure: bool) -> bool:
        """Discard `length` bytes from `offset`, both multiples of the logical block; needs a descriptor for writing.

        Returns:
            False where the device does not do it (EOPNOTSUPP).

        Raises:
            DeviceGone: nothing is there any more.
            CommandTimeout: no answer in time; it may have been carried out.
            HostRejected: the kernel refused it, or the device failed at it.
        """
        request, name = (BLKSECDISCARD, "BLKSECDISCARD") if secure else (BLKDISCARD, "BLKDISCARD")
        try:
            call(self._descriptor, request, bytearray(struct.pack("=QQ", offset, length)))
        except OSError as error:
            if error.errno == errno.EOPNOTSUPP:
                return False
            raise undelivered(error, name, 0) from error
        return True
