"""An open device and what must stay true of it during a run: it is there, and it is as large as it was."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .bisect import Budget
from .errors import CapacityChanged, DeviceGone, FlushFailed, HostRejected
from .settings import Settings
from .transport.base import OpenDevice, RequestFailed


@dataclass
class Medium:
    """The device under work. Requests go through here, so that every failure is counted and looked into."""

    device: OpenDevice
    size_bytes: int
    floor_bytes: int
    """Smallest unit a fault is traced to: the physical block, or the logical one where that is larger."""
    logical_bytes: int
    settings: Settings
    clock: Callable[[], float]
    empty_is_gone: bool = True
    """Whether a capacity of zero means that it was pulled. A command of the drive's own may leave it without one."""
    budget: Budget = field(init=False)
    errors: int = 0
    """Failed requests of the whole run, for progress."""

    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def __post_init__(self) -> None:
        self.renew_budget()

    def renew_budget(self) -> None:
        """A new pass, a new budget."""
        self.budget = Budget(self.settings.failing_requests, self.settings.failing_seconds)

    @property
    def block_bytes(self) -> int:
        """Size of one request."""
        return self.settings.block_for(self.size_bytes)

    def check(self) -> None:
        """Ask whether the device is still there and as large as before.

        Raises:
            DeviceGone: it is not.
            CapacityChanged: it shrank or grew.
        """
        found = self.device.geometry().size_bytes
        if found == 0 and self.empty_is_gone:  # so the kernel says of a disk that was pulled, after EIO
            raise DeviceGone(operation="BLKGETSIZE64", errno=None, touched="maybe")
        if found != self.size_bytes:
            raise CapacityChanged(expected_bytes=self.size_bytes, found_bytes=found)

    def write(self, buffers: Sequence[memoryview], offset: int, length: int) -> bool:
        """Write one extent; False when not all of it was taken (then how much reached the medium is unknown)."""
        begun = self.clock()
        try:
            taken = self.device.write(buffers, offset)
        except RequestFailed:
            taken = -1
        return self._whole(taken, length, begun)

    def read(self, view: memoryview, offset: int, length: int) -> bool:
        """Read one extent; False when not all of it was given."""
        begun = self.clock()
        try:
            given = self.device.read(view[:length], offset)
        except RequestFailed:
            given = -1
        return self._whole(given, length, begun)

    def _whole(self, moved: int, length: int, begun: float) -> bool:
        if moved == length:
            return True
        with self._lock:
            self.errors += 1
            self.budget.charge(self.clock() - begun)
        self.check()
        return False

    def flush(self) -> None:
        """Make everything written so far durable.

        The kernel tells a lost write-back once and forgets it, so a failed flush is never tried again: what was
        written since the flush before is unknown from here.

        Raises:
            DeviceGone: it was pulled; what was made durable before counts.
            FlushFailed: the device did not confirm.
        """
        try:
            self.device.flush()
        except RequestFailed as error:
            self.check()
            raise FlushFailed(errno=error.errno) from error

    def drop_cache(self) -> None:
        """Forget the kernel's cached pages, so that what is read comes from the device."""
        try:
            self.device.drop_cache()
        except RequestFailed as error:
            raise HostRejected(operation=error.operation, errno=error.errno, touched="yes") from error
