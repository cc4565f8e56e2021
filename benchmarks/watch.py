"""Watching one measured command from outside: device I/O, memory, page cache.

The *span* is the time from just before the first write a device saw to its last I/O: a tool's work without its
start-up, its menus and its sleeps. It is read from the kernel's counters, the same way for every tool.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .bed import Device
from .machine import memory

SECTOR = 512
"""Unit of the kernel's I/O counters, whatever the device's own block size."""


@dataclass
class Observed:
    """What was seen of one command; times are seconds of the monotonic clock, sizes bytes."""

    first_write: float | None = None
    """The last moment at which nothing had been written yet."""
    write_seen: float | None = None
    """The first moment at which something had."""
    last_io: float | None = None
    slowest_rate: float | None = None
    """Bytes a second of the device that was written slowest, in the middle of its pass: from a tenth to nine tenths."""
    bytes_written: int = 0
    bytes_read: int = 0
    peak_rss: dict[int, int] = field(default_factory=dict)
    """High-water mark by process, from /proc: a child's own, without what it inherited at the fork."""
    cache_growth: int = 0
    """Peak growth of the block devices' page cache on the whole machine."""

    @property
    def span(self) -> float | None:
        """Seconds from the first write to the last I/O; None when nothing was written."""
        if self.first_write is None or self.last_io is None:
            return None
        return self.last_io - self.first_write


class Watch:
    """A thread that polls while a command runs; use it as a context."""

    def __init__(self, devices: Sequence[Device]) -> None:
        # One device at 5 ms costs under 1 % of a processor; many are watched more slowly to keep it so.
        self._interval = 0.005 if len(devices) <= 2 else 0.02
        self._files = [os.open(device.stat, os.O_RDONLY) for device in devices]
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch")
        self._before = [self._counters(file) for file in self._files]
        self._tenths = [device.size // (10 * SECTOR) for device in devices]
        self._middles: list[list[float | None]] = [[None, None] for _ in devices]
        self._buffers = memory("Buffers")
        self.pids: list[int] = []
        self.seen = Observed()

    def __enter__(self) -> Observed:
        self._thread.start()
        return self.seen

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        for file in self._files:
            os.close(file)

    @staticmethod
    def _counters(file: int) -> tuple[int, int]:
        """(sectors read, sectors written): fields 3 and 7 of Documentation/block/stat.rst."""
        words = os.pread(file, 512, 0).split()
        return int(words[2]), int(words[6])

    def _run(self) -> None:
        last, before, turn = list(self._before), time.monotonic(), 0
        every = max(1, int(0.02 / self._interval))
        while True:
            ending = self._end.is_set()
            now = time.monotonic()
            present = [self._counters(file) for file in self._files]
            if present != last:
                if self.seen.first_write is None and any(n[1] != o[1] for n, o in zip(present, last, strict=True)):
                    self.seen.first_write, self.seen.write_seen = before, now
                self.seen.last_io = now
                last = present
                self._note_middles(present, now)
            if turn % every == 0 or ending:
                self._sizes()
            if ending:
                break
            before, turn = now, turn + 1
            self._end.wait(self._interval)
        self._rate()
        pairs = list(zip(last, self._before, strict=True))
        self.seen.bytes_read = sum(n[0] - o[0] for n, o in pairs) * SECTOR
        self.seen.bytes_written = sum(n[1] - o[1] for n, o in pairs) * SECTOR

    def _note_middles(self, present: list[tuple[int, int]], now: float) -> None:
        for (_, written), (_, before), tenth, middle in zip(
            present, self._before, self._tenths, self._middles, strict=True
        ):
            for end, tenths in enumerate((1, 9)):
                if middle[end] is None and written - before >= tenths * tenth:
                    middle[end] = now

    def _rate(self) -> None:
        rates = [
            8 * tenth * SECTOR / (end - begin)
            for tenth, (begin, end) in zip(self._tenths, self._middles, strict=True)
            if begin is not None and end is not None and end > begin
        ]
        self.seen.slowest_rate = min(rates) if len(rates) == len(self._tenths) else None

    def _sizes(self) -> None:
        self.seen.cache_growth = max(self.seen.cache_growth, memory("Buffers") - self._buffers)
        for pid in list(self.pids):
            peak = high_water(pid)
            if peak:
                self.seen.peak_rss[pid] = max(peak, self.seen.peak_rss.get(pid, 0))


def high_water(pid: int) -> int:
    """Peak resident memory of a process in bytes; 0 when it has none any more."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:")), 0)
