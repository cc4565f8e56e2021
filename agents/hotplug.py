"""Hears from the kernel that block devices, mounts, swap areas or RAID members changed.

Events get lost, so this only makes the next look come sooner.
"""

from __future__ import annotations

import logging
import os
import select
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pyudev

log = logging.getLogger("agents.hotplug")
_UDEV_RUNS = Path("/run/udev/control")
TABLES = (Path("/proc/self/mountinfo"), Path("/proc/swaps"), Path("/proc/mdstat"))
"""Tables of the kernel that can be waited on: what is mounted, what is swapped to, which members a RAID has."""


class HotPlug:
    """Threads that call back at each event; `start` and `stop`."""

    def __init__(self, changed: Callable[[], None], tables: Sequence[Path] = TABLES) -> None:
        self._changed = changed
        self._observer: pyudev.MonitorObserver | None = None
        self._tables = TableWatch(changed, tables)

    def start(self) -> None:
        """Begin to listen. Where the kernel does not let us, the periodic look has to do, and the log says so."""
        self._tables.start()
        source = (
            "udev" if _UDEV_RUNS.exists() else "kernel"
        )  # after udev's rules, where there are any: links exist by then
        try:
            monitor = pyudev.Monitor.from_netlink(pyudev.Context(), source=source)
            monitor.filter_by(subsystem="block")
            self._observer = pyudev.MonitorObserver(monitor, callback=self._heard, name="hotplug")
            self._observer.start()
        except (OSError, ValueError, RuntimeError) as error:
            log.warning("no device events (%s); devices are looked at periodically only", error)

    def stop(self) -> None:
        """Stop listening."""
        self._tables.stop()
        if self._observer is not None:
            self._observer.send_stop()
            self._observer = None

    def _heard(self, device: pyudev.Device) -> None:
        if device.action in {"add", "remove", "change"}:
            self._changed()


class TableWatch:
    """A thread that calls back when one of the kernel's tables changes: no disk comes or goes when a path is mounted over."""

    def __init__(self, changed: Callable[[], None], tables: Sequence[Path] = TABLES) -> None:
        self._changed = changed
        self._paths = tables
        self._wake: int | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to watch those of the tables that this kernel has."""
        opened: list[int] = []
        for path in self._paths:
            try:
                opened.append(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
            except OSError as error:
                log.info("%s is not watched: %s", path, error)
        ends, self._wake = os.pipe2(os.O_CLOEXEC)
        self._thread = threading.Thread(target=self._watch, args=(opened, ends), name="tables", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop watching, and wait until the thread has closed what it had open."""
        if self._wake is not None and self._thread is not None:
            os.close(self._wake)
            self._thread.join()
            self._wake = self._thread = None

    def _watch(self, opened: Sequence[int], ends: int) -> None:
        poll = select.poll()
        for descriptor in opened:
            _read_whole(descriptor)  # a table counts as seen once it was read
            poll.register(descriptor, select.POLLERR | select.POLLPRI)
        poll.register(ends, select.POLLIN)
        try:
            while True:
                ready = [descriptor for descriptor, _ in poll.poll()]
                if ends in ready:
                    return
                for descriptor in ready:
                    _read_whole(descriptor)
                self._changed()
        finally:
            for descriptor in (*opened, ends):
                os.close(descriptor)


def _read_whole(descriptor: int) -> None:
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        while os.read(descriptor, 1 << 16):
            pass
    except OSError as error:
        log.debug("a table could not be read: %s", error)
