"""Whole drives: a medium full of somebody's data, and the interface in front of it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .drives.ata import AtaDrive
from .drives.ata_identify import AtaModel
from .drives.clock import Clock, WallClock
from .drives.faults import Faults
from .drives.medium import Medium
from .drives.nvme import NvmeController
from .drives.nvme_identify import NvmeNamespace, NvmeTraits
from .drives.nvme_subsystem import NvmeSubsystem
from .drives.sat import SataDisk
from .drives.scsi import ScsiDisk
from .drives.scsi_base import ScsiTarget
from .drives.scsi_pages import ScsiModel
from .drives.sense import Layout
from .rig import Plugged, Rig

Kind = Literal["sata", "sas", "nvme"]
MIB = 1 << 20
SECRET = b"SECRET-CRM-ROW42"
"""What stands on every drive before a test: sixteen bytes, so that every block is full of it."""


class PacedClock(WallClock):
    """A wall clock that runs faster, as the product's does beside it: minutes of an erase pass in seconds."""

    def __init__(self, pace: float) -> None:
        self._pace = pace

    def now(self) -> float:
        """Seconds of the faster clock."""
        return super().now() * self._pace

    def sleep(self, seconds: float) -> None:
        """That many of its seconds."""
        super().sleep(seconds / self._pace)


class WatchedMedium(Medium):
    """Blocks of which it is known whether they hold data: written by anybody, and not erased since."""

    data = bytearray()

    def fill(self, content: bytes) -> None:
        """See `Medium.fill`."""
        super().fill(content)
        self.data = bytearray(b"\1") * self.blocks

    def write(self, lba: int, data: bytes) -> None:
        """See `Medium.write`."""
        super().write(lba, data)
        count = len(data) // self.block_bytes
        self.data[lba : lba + count] = b"\1" * count

    def scrub(self, lba: int, count: int, pattern: bytes | None) -> None:
        """See `Medium.scrub`."""
        super().scrub(lba, count, pattern)
        self.data[lba : lba + count] = bytes(count)


@dataclass
class Emulated:
    """One drive."""

    kind: Kind
    serial: str
    medium: WatchedMedium
    target: ScsiTarget | None = None
    controllers: tuple[NvmeController, ...] = ()
    plugged: Plugged | None = None

    @property
    def faults(self) -> Faults:
        """What is wrong with it; may be changed at any time."""
        return self.medium.faults

    @property
    def node(self) -> str:
        """Where the guest has it."""
        assert self.plugged is not None
        return self.plugged.node

    @property
    def character(self) -> str:
        """Its node for commands without blocks."""
        assert self.plugged is not None
        return self.plugged.character

    def plug(self, rig: Rig) -> None:
        """Into the running machine."""
        if self.target is not None:
            self.plugged = rig.insert(self.target)
        else:
            busy = threading.RLock()
            self.plugged, *_ = [rig.connect(each, busy) for each in self.controllers]

    def find(self, rig: Rig) -> None:
        """In a machine that was switched on anew, where it still is."""
        assert self.plugged is not None
        if self.plugged.bay is not None:
            self.plugged = rig.found(self.plugged.bay)
        elif self.plugged.port is not None:
            self.plugged = rig.reconnect(self.plugged.port)

    def unplug(self, rig: Rig) -> None:
        """Out of it."""
        if self.plugged is not None:
            rig.eject(self.plugged)
        self.plugged = None

    def hide(self, blocks: int) -> None:
        """As somebody else left it: that many blocks lie beyond what a host may address."""
        if isinstance(self.target, SataDisk):
            self.target.ata.capacity.hide(hpa=blocks)
        elif isinstance(self.target, ScsiDisk):
            self.target.hide(blocks)
        else:
            raise TypeError("an NVMe drive hides nothing in this way")

    def remains(self) -> tuple[int, int]:
        """The truth: blocks that hold data, old or the program's own marks, and stale copies where no host can look."""
        return sum(self.medium.data), len(self.medium.spare)

    def old(self) -> int:
        """Blocks that still hold what was there in the beginning."""
        return len(self.medium.remains(SECRET)[0])


def _medium(
    mib: int, faults: Faults | None, clock: Clock | None, path: Path | None, block_bytes: int = 512
) -> WatchedMedium:
    medium = WatchedMedium(
        mib * MIB // block_bytes, block_bytes=block_bytes, faults=faults, clock=clock or WallClock(), path=path
    )
    medium.fill(SECRET)
    return medium


def sata(
    serial: str,
    *,
    model: AtaModel | None = None,
    layout: Layout = "descriptor",
    mib: int = 32,
    faults: Faults | None = None,
    clock: Clock | None = None,
    path: Path | None = None,
) -> Emulated:
    """A SATA drive behind a SAT layer."""
    medium = _medium(mib, faults, clock, path)
    return Emulated(
        "sata", serial, medium, target=SataDisk(AtaDrive(medium, serial=serial, model=model), layout=layout)
    )


def sas(
    serial: str,
    *,
    model: ScsiModel | None = None,
    layout: Layout = "fixed",
    mib: int = 32,
    faults: Faults | None = None,
    clock: Clock | None = None,
    path: Path | None = None,
    block_bytes: int = 512,
) -> Emulated:
    """A SAS drive."""
    medium = _medium(mib, faults, clock, path, block_bytes)
    return Emulated("sas", serial, medium, target=ScsiDisk(medium, serial=serial, model=model, layout=layout))


def nvme(
    serial: str,
    *,
    traits: NvmeTraits | None = None,
    namespaces: Sequence[NvmeNamespace] | None = None,
    controllers: Sequence[int] = (1,),
    mib: int = 32,
    faults: Faults | None = None,
    clock: Clock | None = None,
    path: Path | None = None,
) -> Emulated:
    """An NVMe drive."""
    medium = _medium(mib, faults, clock, path)
    traits = traits or NvmeTraits()
    traits.serial = serial
    subsystem = NvmeSubsystem(medium, traits=traits, namespaces=namespaces, controllers=controllers, opal=False)
    shown = tuple(NvmeController(subsystem, number) for number in controllers)
    return Emulated("nvme", serial, medium, controllers=shown)
