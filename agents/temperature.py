"""The temperature of a disk by its own sensor, as the kernel shows it (hwmon), and what follows from it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from sanitizer import Clearance, Progress
from sanitizer.planning import HOST

from .hopeless import Limits, Patience

_COLDEST, _HOTTEST = -99, 250
_EVERY: Final = 10.0
"""Seconds between two questions: for some disks the kernel asks the drive itself."""
_AT_EASE: Final = frozenset({"executing", "verifying"})


def temperature_of(node: str, sys: Path = Path("/sys")) -> int | None:
    """Degrees Celsius; None where there is no sensor, or it says something no disk can be."""
    device = sys / "block" / Path(node).name / "device"
    for pattern in ("hwmon/hwmon*/temp1_input", "hwmon*/temp1_input", "device/hwmon/hwmon*/temp1_input"):
        for file in sorted(device.glob(pattern)):
            try:
                degrees = int(file.read_text("ascii")) // 1000
            except (OSError, ValueError):
                continue
            if _COLDEST <= degrees <= _HOTTEST:
                return degrees
    return None


class Thermometer:
    """Called with each progress of one run, in its thread: how hot the medium is, and whether there is hope.

    A drive that works by a command of its own is not asked: every other command would wait, or spoil it.
    """

    def __init__(
        self,
        node: str,
        patience: Patience,
        monotonic: Callable[[], float],
        read: Callable[[str], int | None] = temperature_of,
    ) -> None:
        """Nothing is asked yet."""
        self._node = node
        self._patience = patience
        self._monotonic = monotonic
        self._read = read
        self._degrees: int | None = None
        self._next = float("-inf")

    def __call__(self, progress: Progress) -> tuple[int | None, str | None]:
        """Degrees Celsius where known, and why the medium is hopeless where it is."""
        now = self._monotonic()
        if not self._patience.by_host or progress.state not in _AT_EASE:
            self._degrees = None
        elif now >= self._next:
            self._degrees, self._next = self._read(self._node), now + _EVERY
        return self._degrees, self._patience.judge(progress, self._degrees, now)


def look_at(clearance: Clearance, limits: Limits, monotonic: Callable[[], float]) -> Thermometer:
    """For one stretch of one run."""
    patience = Patience(limits, by_host=clearance.plan.steps == (HOST,))
    return Thermometer(clearance.path, patience, monotonic)
