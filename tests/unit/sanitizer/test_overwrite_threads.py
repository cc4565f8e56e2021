"""A checkpoint never counts an extent that another thread still writes."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from sanitizer.bisect import Budget
from sanitizer.content import FixedSource
from sanitizer.crew import Crew
from sanitizer.medium import Medium
from sanitizer.overwrite import PassState, PassWriter
from sanitizer.settings import Settings
from tests.support.simulated_drive import OpenSimulated, SimulatedDrive, Steps

BLOCK = 4096


class HelperHangs(OpenSimulated):
    """The helper's first write is under way until it is released."""

    def __init__(self, drive: SimulatedDrive) -> None:
        super().__init__(drive, Steps())
        self.begun = threading.Event()
        self.release = threading.Event()
        self.held = -1

    def write(self, buffers: Sequence[memoryview], offset: int) -> int:
        if threading.current_thread().name.endswith("-1") and self.held < 0:
            self.held = offset
            self.begun.set()
            assert self.release.wait(30)
        else:
            assert self.begun.wait(30)  # the helper holds its extent before the worker goes on
        return super().write(buffers, offset)


def test_a_checkpoint_stays_below_what_another_thread_still_writes() -> None:
    drive = SimulatedDrive()
    device = HelperHangs(drive)
    medium = Medium(
        device=device,
        size_bytes=drive.size,
        floor_bytes=512,
        logical_bytes=512,
        settings=Settings(small_block_bytes=BLOCK, checkpoint_bytes=BLOCK),
        clock=lambda: 0.0,
    )
    seen: list[int] = []

    def checkpoint(state: PassState) -> None:
        if device.begun.is_set() and not device.release.is_set():
            assert state.durable_bytes <= device.held
            seen.append(state.durable_bytes)
            if len(seen) == 3:
                device.release.set()

    crew = Crew("test", 2, threading.Event(), lambda: None, 0.01)
    writer = PassWriter(medium, FixedSource(b"\0"), PassState(number=1), crew, checkpoint)
    writer.run()
    assert len(seen) == 3
    assert writer.state.finished
    assert not any(drive.durable)


def test_failures_of_several_threads_are_all_counted() -> None:
    drive = SimulatedDrive()
    drive.bad_writes = set(range(drive.size // 512))
    medium = Medium(
        device=OpenSimulated(drive, Steps()),
        size_bytes=drive.size,
        floor_bytes=512,
        logical_bytes=512,
        settings=Settings(),
        clock=lambda: 0.0,
    )
    medium.budget = Budget(10**9, 10**9)
    view = memoryview(bytearray(512))

    def body(_worker: int) -> None:
        for _ in range(500):
            medium.write((view,), 0, 512)

    Crew("test", 4, threading.Event(), lambda: None, 0.01).run(body)
    assert medium.errors == medium.budget.failed_requests == 2000
