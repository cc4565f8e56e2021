"""Asking an emulated NVMe controller as a host driver does: submission-queue entries built by hand."""

from __future__ import annotations

import struct

from .faults import Faults
from .medium import Medium
from .nvme import NvmeController
from .nvme_identify import NvmeNamespace, NvmeTraits
from .nvme_subsystem import NvmeSubsystem

SECRET = b"SECRET-CRM-ROW42"
EVERYONE = 0xFFFFFFFF
CODE = 0x7FF
"""Status code and type without the do-not-retry bit."""


def sqe(opcode: int, nsid: int = 0, *dwords: int) -> bytes:
    """A submission-queue entry; `dwords` are command dwords 10 and following."""
    filled = (*dwords, 0, 0, 0, 0, 0, 0)[:6]
    return struct.pack("<BBHI", opcode, 0, 7, nsid).ljust(40, b"\0") + struct.pack("<6I", *filled)


def drive(
    *,
    faults: Faults | None = None,
    traits: NvmeTraits | None = None,
    namespaces: list[NvmeNamespace] | None = None,
    controllers: tuple[int, ...] = (1,),
    blocks: int = 4096,
) -> NvmeController:
    """A filled drive and its first controller."""
    medium = Medium(blocks, faults=faults)
    medium.fill(SECRET)
    whole = NvmeSubsystem(medium, traits=traits, namespaces=namespaces, controllers=controllers)
    made = [NvmeController(whole, number) for number in controllers]
    return made[0]


def identify(controller: NvmeController, structure: int, nsid: int = 0, first: int = 0) -> bytes:
    """Identify; asserts success."""
    status, _, data = controller.admin(sqe(0x06, nsid, structure | first << 16))
    assert status == 0, hex(status)
    assert len(data) == 4096
    return data


def log(controller: NvmeController, page: int, length: int = 512, nsid: int = EVERYONE) -> bytes:
    """Get Log Page; asserts success."""
    status, _, data = controller.admin(sqe(0x02, nsid, page | (length // 4 - 1) << 16))
    assert status == 0, hex(status)
    assert len(data) == length
    return data


def sanitize(controller: NvmeController, dword10: int, pattern: int = 0, nsid: int = 0) -> int:
    """Sanitize; the status without the do-not-retry bit."""
    return controller.admin(sqe(0x84, nsid, dword10, pattern))[0] & CODE


def form(controller: NvmeController, nsid: int, secure: int, index: int = 0) -> int:
    """Format NVM; the status without the do-not-retry bit."""
    return controller.admin(sqe(0x80, nsid, secure << 9 | index))[0] & CODE


def read(controller: NvmeController, lba: int, blocks: int = 1, nsid: int = 1) -> bytes:
    """Read; asserts success."""
    status, data = controller.io(nsid, 0x02, lba, blocks)
    assert status == 0, hex(status)
    return data


def read_status(controller: NvmeController, lba: int = 0, blocks: int = 1, nsid: int = 1) -> int:
    """The status of a read, without the do-not-retry bit."""
    return controller.io(nsid, 0x02, lba, blocks)[0] & CODE


def write_status(controller: NvmeController, lba: int, data: bytes, nsid: int = 1, blocks: int = 1) -> int:
    """The status of a write, without the do-not-retry bit."""
    return controller.io(nsid, 0x01, lba, blocks, data)[0] & CODE
