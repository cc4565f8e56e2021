"""How a process that stays ends. Imports nothing heavy: the carrier has it, too."""

from __future__ import annotations

import signal
from collections.abc import Callable


def on_signals(stop: Callable[[], None]) -> None:
    """End cleanly when systemd or a person says so."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop())
