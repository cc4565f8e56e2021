"""NVMe, eMMC and Opal drives behind the product's own interfaces, in this process: no kernel, no virtual machine.

What Linux does between a command and its answer is done here too: a timeout and a reset end as a command that was cancelled,
an NVMe status becomes the errno of a block request (drivers/nvme/host/core.c, nvme_error_status), the kernel's own eMMC sanitize
gives no device status (drivers/mmc/core/block.c), and its Opal speaks the session protocol (block/sed-opal.c).
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable
from typing import TypeVar

from sanitizer.errors import CommandTimeout, DeviceGone, HostRejected
from sanitizer.transport.commands import MmcAnswer, MmcCommand, NvmeAnswer, NvmeCommand

from . import emmc
from .faults import BusReset, Gone, NoAnswer
from .nvme import FLUSH, READ, WRITE, NvmeController
from .nvme_status import HELD, Status
from .opal import ADMIN_SP, COM_ID, NOT_AUTHORIZED, PSID_AUTHORITY, REVERT, SMUID, START_SESSION, Opal
from .opal_tokens import Control, packet, stream, tokens, unpack

T = TypeVar("T")

_MEDIUM = frozenset({Status.WRITE_FAULT, Status.UNRECOVERED_READ, Status.ACCESS_DENIED})
"""BLK_STS_MEDIUM."""
_TARGET = frozenset({Status.LBA_OUT_OF_RANGE})
"""BLK_STS_TARGET."""


def delivered(operation: str, timeout_ms: int, clock: Callable[[], float], send: Callable[[], T]) -> T:
    """Carry out one command as a host driver waits for it.

    Raises:
        CommandTimeout: no answer in time, or the bus was reset under it.
        DeviceGone: the drive was pulled.
    """
    begun = clock()
    try:
        answer = send()
    except (NoAnswer, BusReset) as error:
        raise CommandTimeout(operation=operation, sent=True, timeout_ms=timeout_ms) from error
    except Gone as error:
        raise DeviceGone(operation=operation, errno=errno.ENODEV, touched="maybe") from error
    if (clock() - begun) * 1000 > timeout_ms:
        raise CommandTimeout(operation=operation, sent=True, timeout_ms=timeout_ms)
    return answer


class EmulatedNvmePort:
    """The admin commands of a controller; implements `NvmePort`."""

    def __init__(self, controller: NvmeController, namespace_id: int = 1) -> None:
        self.controller = controller
        self.namespace_id = namespace_id
        self.sent: list[NvmeCommand] = []
        """Every command in its order."""

    def admin(self, command: NvmeCommand, *, timeout_ms: int, read: int = 0, write: bytes = b"") -> NvmeAnswer:
        """See `NvmePort.admin`."""
        assert not (read and write), "a command moves data one way"
        assert timeout_ms > 0, "a device command needs a timeout"
        self.sent.append(command)
        raw = command.raw
        sqe = raw[:8].ljust(40, b"\0") + raw[8:].ljust(24, b"\0")
        clock = self.controller.subsystem.medium.clock.now
        operation = f"NVMe admin {command.opcode:02x}h"
        status, result, data = delivered(operation, timeout_ms, clock, lambda: self.controller.admin(sqe, write))
        if status == HELD:
            raise CommandTimeout(operation=operation, sent=True, timeout_ms=timeout_ms)
        return NvmeAnswer(status=status, result=result, data=data[:read].ljust(read, b"\0") if status == 0 else b"")


class EmulatedOpalPort:
    """The kernel's Opal in front of a TPer; implements `OpalPort`."""

    def __init__(self, opal: Opal | None) -> None:
        self._opal = opal

    def opal_psid_revert(self, psid: bytes, *, timeout_ms: int) -> int:
        """See `OpalPort.opal_psid_revert`: StartSession as PSID, then Revert."""
        assert timeout_ms > 0, "a device command needs a timeout"
        if self._opal is None:
            raise HostRejected(operation="IOC_OPAL_PSID_REVERT_TPR", errno=errno.EOPNOTSUPP, touched="no")
        named = stream(
            *(Control.START_NAME, 0, psid, Control.END_NAME),
            *(Control.START_NAME, 3, PSID_AUTHORITY, Control.END_NAME),
        )
        begin = stream(Control.CALL, SMUID, START_SESSION, Control.START_LIST, 65, ADMIN_SP, 1) + named
        status, answer = self._ask((0, 0), begin + stream(Control.END_LIST))
        if status:
            return status
        number = tokens(answer)[5]  # SyncSession: the host's session number, then the TPer's
        assert isinstance(number, int)
        session = number, 65
        call = stream(Control.CALL, ADMIN_SP, REVERT, Control.START_LIST, Control.END_LIST)
        return self._ask(session, call)[0]

    def _ask(self, session: tuple[int, int], method: bytes) -> tuple[int, bytes]:
        """One method: its TCG status, and the payload of the answer."""
        assert self._opal is not None
        end = stream(Control.END_OF_DATA, Control.START_LIST, 0, 0, 0, Control.END_LIST)
        self._opal.send(1, COM_ID, packet(COM_ID, session, method + end))
        _, answer = unpack(self._opal.receive(1, COM_ID, 2048))
        return (answer[-4], answer) if len(answer) > 4 else (NOT_AUTHORIZED, answer)


class EmulatedMmcPort:
    """The commands of an eMMC device; implements `MmcPort`."""

    def __init__(self, device: emmc.EmmcDevice) -> None:
        self.device = device
        self.sent: list[MmcCommand] = []
        """Every command in its order."""

    def mmc(self, commands: tuple[MmcCommand, ...], *, timeout_ms: int) -> tuple[MmcAnswer, ...]:
        """See `MmcPort.mmc`."""
        assert timeout_ms > 0, "a device command needs a timeout"
        return tuple(self._one(command, timeout_ms) for command in commands)

    def _one(self, command: MmcCommand, timeout_ms: int) -> MmcAnswer:
        self.sent.append(command)
        operation = f"MMC CMD{command.opcode}"
        status, data = delivered(
            operation,
            timeout_ms,
            self.device.medium.clock.now,
            lambda: self.device.command(command.opcode, command.argument, blocks=command.blocks),
        )
        if command.opcode == emmc.SWITCH and command.argument >> 16 & 0xFF == emmc.SANITIZE_START:
            # The kernel sends this one itself (mmc_sanitize): an error becomes an errno, success leaves no response.
            if not self.device.model.sanitize:
                raise HostRejected(operation=operation, errno=errno.EOPNOTSUPP, touched="no")
            if status & emmc.SWITCH_ERROR:
                raise HostRejected(operation=operation, errno=errno.EBADMSG, touched="maybe")
            return MmcAnswer(response=(0, 0, 0, 0), data=b"")
        return MmcAnswer(response=(status, 0, 0, 0), data=data.ljust(command.block_bytes * command.blocks, b"\0"))


class NvmeBlocks:
    """A namespace as block requests reach it; errors are those the kernel makes of the status."""

    def __init__(self, controller: NvmeController, nsid: int = 1) -> None:
        self._controller = controller
        self._nsid = nsid
        self._known = 0
        self._known = self._identified()

    @property
    def block_bytes(self) -> int:
        """Of the format in use."""
        return self._namespace_shift()[1]

    @property
    def size_bytes(self) -> int:
        """As the kernel has it after looking again; what cannot be asked keeps its last value. Raises `DeviceGone`."""
        self._known = self._identified()
        return self._known

    def _namespace_shift(self) -> tuple[int, int]:
        one = self._controller.subsystem.allocated(self._nsid)
        return (one.shift, one.block_bytes) if one is not None else (9, 512)

    def _identified(self) -> int:
        sqe = struct.pack("<BBHI", 0x06, 0, 0, self._nsid).ljust(64, b"\0")
        clock = self._controller.subsystem.medium.clock.now
        try:
            status, _, page = delivered("Identify", 60_000, clock, lambda: self._controller.admin(sqe))
        except CommandTimeout:
            return self._known
        return int.from_bytes(page[:8], "little") << self._namespace_shift()[0] if status == 0 else self._known

    def read(self, offset: int, length: int) -> bytes:
        """Whole blocks. Raises `OSError`."""
        shift, _ = self._namespace_shift()
        return self._io(READ, offset >> shift, length >> shift, b"")

    def write(self, offset: int, data: bytes) -> None:
        """Whole blocks. Raises `OSError`."""
        shift, _ = self._namespace_shift()
        self._io(WRITE, offset >> shift, len(data) >> shift, data)

    def flush(self) -> None:
        """Raises `OSError`."""
        self._io(FLUSH, 0, 0, b"")

    def _io(self, opcode: int, lba: int, blocks: int, data: bytes) -> bytes:
        try:
            status, answer = self._controller.io(self._nsid, opcode, lba, blocks, data)
        except Gone:
            raise OSError(errno.ENODEV, "pulled") from None
        except (NoAnswer, BusReset):
            raise OSError(errno.ETIMEDOUT, "no answer") from None
        code = status & 0x7FF
        if code:
            number = errno.ENODATA if code in _MEDIUM else errno.EREMOTEIO if code in _TARGET else errno.EIO
            raise OSError(number, f"status {code:03x}h")
        return answer


class MmcBlocks:
    """The user area of an eMMC device as block requests reach it."""

    block_bytes = emmc.SECTOR

    def __init__(self, device: emmc.EmmcDevice) -> None:
        self._device = device

    @property
    def size_bytes(self) -> int:
        """As the kernel has it after starting the device again."""
        _, page = self._device.command(emmc.SEND_EXT_CSD, 0)
        return int.from_bytes(page[212:216], "little") * emmc.SECTOR

    def read(self, offset: int, length: int) -> bytes:
        """Whole blocks. Raises `OSError`."""
        return self._io(emmc.READ, offset, b"", length // emmc.SECTOR)

    def write(self, offset: int, data: bytes) -> None:
        """Whole blocks. Raises `OSError`."""
        self._io(emmc.WRITE, offset, data, 0)

    def flush(self) -> None:
        """The cache goes to the blocks (CMD6 on FLUSH_CACHE)."""
        self._device.command(emmc.SWITCH, emmc.WRITE_BYTE << 24 | emmc.FLUSH_CACHE << 16 | 1 << 8)

    def _io(self, opcode: int, offset: int, data: bytes, blocks: int) -> bytes:
        small = self._device.medium.blocks * emmc.SECTOR <= emmc.BYTE_ADDRESSED
        try:
            status, answer = self._device.command(opcode, offset if small else offset // emmc.SECTOR, data, blocks)
        except Gone:
            raise OSError(errno.ENODEV, "pulled") from None
        except (NoAnswer, BusReset):
            raise OSError(errno.ETIMEDOUT, "no answer") from None
        if status & ~(emmc.READY | emmc.TRANSFER):
            raise OSError(errno.EIO, f"device status {status:08x}h")
        return answer
