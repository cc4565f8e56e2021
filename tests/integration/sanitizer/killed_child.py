"""A process that wipes a device and is killed by SIGKILL at a given step: device, journals, step.

Prints the number of steps it made when it was not killed. Steps are the calls that reach the world: device and journal.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sanitizer import engine
from sanitizer.inspection import Inspection
from sanitizer.journal import Journal
from sanitizer.planning import PlanRequest
from sanitizer.settings import Settings
from sanitizer.stretch import Hooks
from sanitizer.system import HostSystem
from sanitizer.transport.base import OpenDevice
from sanitizer.transport.block import BlockDevice
from tests.integration.sanitizer.wiping import SEED, cleared

SETTINGS = Settings(threads=1, markers=4, marker_unit_bytes=2 << 20, checkpoint_bytes=1 << 20)
REQUEST = PlanRequest(pattern_set="keyed-stream-then-zeros")


class Countdown:
    """Dies at a step."""

    def __init__(self, at: int) -> None:
        self._at = at
        self.count = 0

    def step(self) -> None:
        if self.count == self._at:
            os.kill(os.getpid(), signal.SIGKILL)
        self.count += 1


class CountedDevice(BlockDevice):
    """A real device whose requests are steps."""

    countdown: Countdown

    def write(self, buffers: Sequence[memoryview], offset: int) -> int:
        self.countdown.step()
        return super().write(buffers, offset)

    def read(self, buffer: memoryview, offset: int) -> int:
        return super().read(buffer, offset)

    def flush(self) -> None:
        self.countdown.step()
        super().flush()


class CountedJournal(Journal):
    """A real journal whose entries are steps."""

    countdown: Countdown

    def append(self, kind: str, fields: dict[str, Any]) -> None:
        self.countdown.step()
        super().append(kind, fields)


class CountedSystem(HostSystem):
    """This host, with the steps counted."""

    def __init__(self, countdown: Countdown) -> None:
        super().__init__()
        self._countdown = countdown

    def claim(self, path: str) -> OpenDevice:
        device = CountedDevice.open_exclusive(path)
        assert isinstance(device, CountedDevice)
        device.countdown = self._countdown
        return device

    def inspect_open(self, device: OpenDevice) -> Inspection:
        self._countdown.step()
        return super().inspect_open(device)

    def create_journal(self, journal_dir: Path, run_id: str) -> Journal:
        self._countdown.step()
        journal = CountedJournal.create(journal_dir, run_id)
        journal.countdown = self._countdown
        return journal


def main(path: str, journals: Path, step: int) -> None:
    """Begin a run and die."""
    countdown = Countdown(step)
    outcome = engine.sanitize(
        CountedSystem(countdown), SETTINGS, cleared(path, REQUEST), "run-1", journals, SEED, Hooks()
    )
    sys.stdout.write(f"{outcome.state} {countdown.count}\n")
