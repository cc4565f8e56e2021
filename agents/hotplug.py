"""Hears from the kernel that block devices came or went. Events get lost, so this only makes the next look come sooner."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pyudev

log = logging.getLogger("agents.hotplug")
_UDEV_RUNS = Path("/run/udev/control")


class HotPlug:
    """A thread that calls back at each block event; `start` and `stop`."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._observer: pyudev.MonitorObserver | None = None

    def start(self) -> None:
        """Begin to listen. Where the kernel does not let us, the periodic look has to do, and the log says so."""
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
        if self._observer is not None:
            self._observer.send_stop()
            self._observer = None

    def _heard(self, device: pyudev.Device) -> None:
        if device.action in {"add", "remove", "change"}:
            self._changed()
