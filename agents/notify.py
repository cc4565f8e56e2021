"""Tells systemd how the service stands (sd_notify(3)), where systemd listens; elsewhere this does nothing."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import Self


class Notifier:
    """Sends to the socket systemd named. Never fails: a missing listener must not stop a run."""

    def __init__(self, address: str | None, watchdog_seconds: float | None) -> None:
        self._address = address
        self.watchdog_seconds = watchdog_seconds
        """Within this time a sign of life is expected; None where nobody watches."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """As systemd started us: `NOTIFY_SOCKET`, `WATCHDOG_USEC`, `WATCHDOG_PID`."""
        microseconds = environ.get("WATCHDOG_USEC", "")
        for_us = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        seconds = int(microseconds) / 1e6 if microseconds.isdigit() and int(microseconds) and for_us else None
        return cls(environ.get("NOTIFY_SOCKET") or None, seconds)

    def ready(self, status: str) -> None:
        """Start-up is over."""
        self._send(f"READY=1\nSTATUS={_line(status)}")

    def status(self, text: str) -> None:
        """One line for `systemctl status`."""
        self._send(f"STATUS={_line(text)}")

    def alive(self) -> None:
        """The main loop turns."""
        if self.watchdog_seconds is not None:
            self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """A clean stop has begun."""
        self._send("STOPPING=1\nSTATUS=Stopping: runs end at the next block and are resumed at the next start")

    def _send(self, message: str) -> None:
        if self._address is None:
            return
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
                channel.settimeout(1.0)
                channel.sendto(message.encode(), address)
        except OSError:
            return


def _line(text: str) -> str:
    return " ".join(text.split())[:200]
