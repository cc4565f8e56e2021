"""eMMC commands through MMC_IOC_MULTI_CMD on the whole device's node (linux/mmc/ioctl.h)."""

from __future__ import annotations

import ctypes

from .commands import MmcAnswer, MmcCommand
from .ioctl import Descriptor, call, explicit, undelivered

MMC_IOC_MULTI_CMD = 0xC008B301
MOST_COMMANDS = 255
"""MMC_IOC_MAX_CMDS."""


class IocCommand(ctypes.Structure):
    """struct mmc_ioc_cmd, 72 bytes."""

    _fields_ = (
        ("write_flag", ctypes.c_int),
        ("is_acmd", ctypes.c_int),
        ("opcode", ctypes.c_uint32),
        ("arg", ctypes.c_uint32),
        ("response", ctypes.c_uint32 * 4),
        ("flags", ctypes.c_uint),
        ("blksz", ctypes.c_uint),
        ("blocks", ctypes.c_uint),
        ("postsleep_min_us", ctypes.c_uint),
        ("postsleep_max_us", ctypes.c_uint),
        ("data_timeout_ns", ctypes.c_uint),
        ("cmd_timeout_ms", ctypes.c_uint),
        ("pad", ctypes.c_uint32),
        ("data_ptr", ctypes.c_uint64),
    )


class MmcIoctl:
    """The MMC port of an open descriptor; implements `MmcPort`."""

    def __init__(self, descriptor: Descriptor) -> None:
        self._descriptor = descriptor

    def mmc(self, commands: tuple[MmcCommand, ...], *, timeout_ms: int) -> tuple[MmcAnswer, ...]:
        """Send commands as one sequence no other user of the card comes between; the timeout is each command's.

        The kernel stops at the first that fails and does not say which that was.

        Raises:
            DeviceGone: nothing is there any more.
            CommandTimeout: the card did not answer in time; earlier commands were carried out.
            HostRejected: the kernel refused to deliver one.
        """
        if not 1 <= len(commands) <= MOST_COMMANDS:
            raise ValueError(f"1 to {MOST_COMMANDS} commands form a sequence")
        if any(command.write and command.blocks for command in commands):
            raise ValueError("data is only read through this port")
        buffers = [ctypes.create_string_buffer(max(c.block_bytes * c.blocks, 1)) for c in commands]

        class Sequence(ctypes.Structure):
            _fields_ = (("count", ctypes.c_uint64), ("commands", IocCommand * len(commands)))

        passed = Sequence(count=len(commands))
        for place, (command, buffer) in enumerate(zip(commands, buffers, strict=True)):
            passed.commands[place] = IocCommand(
                write_flag=int(command.write),
                opcode=command.opcode,
                arg=command.argument,
                flags=command.flags,
                blksz=command.block_bytes,
                blocks=command.blocks,
                cmd_timeout_ms=explicit(timeout_ms),
                data_ptr=ctypes.addressof(buffer) if command.blocks else 0,
            )
        operation = "MMC " + ", ".join(f"CMD{command.opcode}" for command in commands)
        try:
            call(self._descriptor, MMC_IOC_MULTI_CMD, passed)
        except OSError as error:
            raise undelivered(error, operation, timeout_ms) from error
        return tuple(
            MmcAnswer(response=_words(passed.commands[place]), data=buffer.raw[: command.block_bytes * command.blocks])
            for place, (command, buffer) in enumerate(zip(commands, buffers, strict=True))
        )


def _words(command: IocCommand) -> tuple[int, int, int, int]:
    first, second, third, fourth = command.response
    return first, second, third, fourth
