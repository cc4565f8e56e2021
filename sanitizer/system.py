"""What the engine needs of the world, as one interface, and the real one. Tests put a simulated drive in its place."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from .errors import NoTechnique
from .inspection import Inspection
from .inspector import Inspector
from .journal import Journal
from .rescanning import rescan
from .techniques import TECHNIQUES
from .techniques.base import Technique
from .transport.base import OpenDevice
from .transport.block import BlockDevice, clock_synchronized
from .transport.ports import kernel_name


class System(Protocol):
    """Devices, clocks and journals."""

    def claim(self, path: str) -> OpenDevice:
        """Open a device for writing with an exclusive claim. Raises `Refused`."""
        ...

    def open_reading(self, path: str) -> OpenDevice:
        """Open a device for direct reading, without a claim. Raises `Refused`."""
        ...

    def inspect_open(self, device: OpenDevice) -> Inspection:
        """Look at the device behind a claimed descriptor, everything read anew."""
        ...

    def create_journal(self, journal_dir: Path, run_id: str) -> Journal:
        """A new journal. Raises `Refused`."""
        ...

    def reopen_journal(self, journal_dir: Path, run_id: str) -> Journal:
        """An existing journal. Raises `Refused` or `JournalDamaged`."""
        ...

    def now(self) -> datetime:
        """Wall clock, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since some point of this boot, suspend included where the kernel can say."""
        ...

    def clock_synchronized(self) -> bool | None:
        """Whether the wall clock is disciplined."""
        ...

    def boot_id(self) -> str:
        """Name of this boot."""
        ...

    def wait(self, stop: threading.Event, seconds: float) -> None:
        """Let this time pass, or return as soon as the event is set."""
        ...

    def rescan(self, device: OpenDevice) -> None:
        """Have the kernel ask the drive for its size again; by itself it goes on with the one it knew."""
        ...

    def technique(self, name: str) -> Technique:
        """One of the drives' own techniques by name. Raises `NoTechnique`."""
        ...


class HostSystem:
    """This host."""

    def __init__(self, inspector: Inspector | None = None) -> None:
        self._inspector = inspector or Inspector()

    def claim(self, path: str) -> OpenDevice:
        """See `System`."""
        return BlockDevice.open_exclusive(path)

    def open_reading(self, path: str) -> OpenDevice:
        """See `System`."""
        return BlockDevice.open_reading(path)

    def inspect_open(self, device: OpenDevice) -> Inspection:
        """See `System`."""
        return self._inspector.inspect_open(device)

    def create_journal(self, journal_dir: Path, run_id: str) -> Journal:
        """See `System`."""
        return Journal.create(journal_dir, run_id)

    def reopen_journal(self, journal_dir: Path, run_id: str) -> Journal:
        """See `System`."""
        return Journal.reopen(journal_dir, run_id)

    def now(self) -> datetime:
        """See `System`."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """See `System`."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def clock_synchronized(self) -> bool | None:
        """See `System`."""
        return clock_synchronized()

    def boot_id(self) -> str:
        """See `System`."""
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()

    def wait(self, stop: threading.Event, seconds: float) -> None:
        """See `System`."""
        stop.wait(seconds)

    def rescan(self, device: OpenDevice) -> None:
        """See `System`."""
        rescan(kernel_name(device.device_number))

    def technique(self, name: str) -> Technique:
        """See `System`."""
        if name not in TECHNIQUES:
            raise NoTechnique(reasons=(f"{name}: not a technique of this tool",))
        return TECHNIQUES[name]
