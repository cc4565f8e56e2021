"""NVMe, eMMC and Opal drives behind the product's own interfaces, in this process: no kernel, no virtual machine.

What Linux does between a command and its answer is done here too: a timeout and a reset end as a command that was cancelled,
an NVMe status becomes the errno of a block request (drivers/nvme/host/core.c, nvme_error_status), the kernel's own eMMC sanitize
gives no device status (drivers/mmc/core/block.c), and its Opal speaks the session protocol (block/sed-opal.c).
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from sanitizer.errors import CommandTimeout, DeviceGone, HostRejected
from sanitizer.transport.commands import MmcAnswer, MmcCommand, NvmeAnswer, NvmeCommand, Ports

from . import emmc
from .clock import Clock
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


def delivered(operation: str, timeout_ms: int, clock: Clock, send: Callable[[], T]) -> T:
    """Carry out one command as a host driver waits for it: to the end of its time.

    Raises:
        CommandTimeout: no answer in time, or the bus was reset under it.
        DeviceGone: the drive was pulled.
    """
    begun = clock.now()
    try:
        answer = send()
    except (NoAnswer, BusReset) as error:
        if isinstance(error, NoAnswer):
            clock.sleep(max(0.0, begun + timeout_ms / 1000 - clock.now()))
        raise CommandTimeout(operation=operation, sent=True, timeout_ms=timeout_ms) from error
    except Gone as error:
        raise DeviceGone(operation=operation, errno=errno.ENODEV, touched="maybe") from error
    if (clock.now() - begun) * 1000 > timeout_ms:
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
        clock = self.controller.subsystem.medium.clock
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
            self.device.medium.clock,
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
    """The nvme driver, for one namespace; implements `Blocks` of `ports.py`. Errors are those the kernel makes of the status."""

    def __init__(self, controller: NvmeController, nsid: int = 1) -> None:
        self._controller = controller
        self._nsid = nsid
        self.port = EmulatedNvmePort(controller, nsid)
        self.ports = Ports(nvme=self.port, opal=EmulatedOpalPort(controller.subsystem.opal))
        self._known = self.capacity()

    def capacity(self) -> tuple[int, int, bool]:
        """Identify Namespace as the kernel has it after looking again; what cannot be asked keeps its last value."""
        sqe = struct.pack("<BBHI", 0x06, 0, 0, self._nsid).ljust(64, b"\0")
        status, _, page = self._controller.admin(sqe)
        if status == 0:
            shift = page[130 + 4 * (page[26] & 0xF)] or 9
            self._known = int.from_bytes(page[:8], "little"), 1 << shift, bool(page[99] & 1)
        return self._known

    def read(self, lba: int, count: int) -> bytes:
        """See `Blocks`."""
        return self._io(READ, lba, count, b"")

    def write(self, lba: int, data: bytes) -> None:
        """See `Blocks`."""
        self._io(WRITE, lba, len(data) // self._known[1], data)

    def flush(self) -> None:
        """See `Blocks`."""
        self._io(FLUSH, 0, 0, b"")

    def _io(self, opcode: int, lba: int, blocks: int, data: bytes) -> bytes:
        status, answer = self._controller.io(self._nsid, opcode, lba, blocks, data)
        code = status & 0x7FF
        if code:
            number = errno.ENODATA if code in _MEDIUM else errno.EREMOTEIO if code in _TARGET else errno.EIO
            raise OSError(number, f"status {code:03x}h")
        return answer


class MmcBlocks:
    """The mmc driver, user area; implements `Blocks` of `ports.py`."""

    def __init__(self, device: emmc.EmmcDevice) -> None:
        self._device = device
        self.port = EmulatedMmcPort(device)
        self.ports = Ports(mmc=self.port, ranges=EmulatedRanges(device))

    def capacity(self) -> tuple[int, int, bool]:
        """EXT_CSD as the kernel has it after starting the device again."""
        _, page = self._device.command(emmc.SEND_EXT_CSD, 0)
        return int.from_bytes(page[212:216], "little"), emmc.SECTOR, bool(page[171] & 1)

    def read(self, lba: int, count: int) -> bytes:
        """See `Blocks`."""
        return self._io(emmc.READ, lba, b"", count)

    def write(self, lba: int, data: bytes) -> None:
        """See `Blocks`."""
        self._io(emmc.WRITE, lba, data, 0)

    def flush(self) -> None:
        """CMD6 on FLUSH_CACHE."""
        self._device.command(emmc.SWITCH, emmc.WRITE_BYTE << 24 | emmc.FLUSH_CACHE << 16 | 1 << 8)

    def _io(self, opcode: int, lba: int, data: bytes, blocks: int) -> bytes:
        status, answer = self._device.command(opcode, self._device.address(lba), data, blocks)
        if status & ~(emmc.READY | emmc.TRANSFER):
            raise OSError(errno.EIO, f"device status {status:08x}h")
        return answer


class EmulatedRanges:
    """BLKDISCARD and BLKSECDISCARD on an eMMC device; implements `RangePort`."""

    def __init__(self, device: emmc.EmmcDevice) -> None:
        self._device = device

    def discard(self, offset: int, length: int, *, secure: bool) -> bool:
        """See `RangePort.discard`: secure trim in its two steps, or trim, as the kernel chooses them."""
        model, device = self._device.model, self._device
        if not (model.secure_erase if secure else model.trim):
            return False
        first, last = offset // emmc.SECTOR, (offset + length) // emmc.SECTOR - 1
        for argument in (emmc.SECURE_TRIM_MARK, emmc.SECURE_TRIM) if secure else (emmc.TRIM,):
            sequence = (
                (emmc.ERASE_START, device.address(first)),
                (emmc.ERASE_END, device.address(last)),
                (emmc.ERASE, argument),
                (emmc.SEND_STATUS, 0),
            )
            for opcode, value in sequence:
                status, _ = delivered("discard", 600_000, device.medium.clock, partial(device.command, opcode, value))
                if status & ~(emmc.READY | emmc.TRANSFER):
                    raise HostRejected(operation="discard", errno=errno.EIO, touched="maybe")
        return True
