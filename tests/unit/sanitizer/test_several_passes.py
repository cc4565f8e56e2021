"""Runs of several passes, and runs that are stopped while a failed range is traced to its blocks."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from sanitizer.content import KeyedSource, stream_key
from sanitizer.hooks import Hooks
from sanitizer.planning import PlanRequest
from tests.support.simulated_drive import BLOCK, SimulatedDrive, SimulatedSystem
from tests.unit.sanitizer.simulation import MARKERS, RUN, go_on, wipe

THREE = PlanRequest(pattern_set="dod-short-eraser")
"""Zeros, ones, and a keyed stream at the end."""
EXTENT = 4096
A_PASS = (64 << 10) // EXTENT


class StoppedDrive(SimulatedDrive):
    """Asks for a stop at one of its writes, or at one of those that divide a failed extent, whether it takes them or not."""

    def __init__(self, *, at: int = 0, at_part: int = 0) -> None:
        super().__init__()
        self.stop = threading.Event()
        self._at, self._at_part, self._parts = at, at_part, 0

    def write(self, data: bytes, offset: int) -> int:
        self._parts += len(data) < EXTENT
        if self.writes + 1 == self._at or (len(data) < EXTENT and self._parts == self._at_part):
            self.stop.set()
        return super().write(data, offset)


def test_what_is_compared_is_the_last_pass_in_its_own_stream(tmp_path: Path) -> None:
    drive = SimulatedDrive()
    outcome = wipe(SimulatedSystem(drive), tmp_path, THREE)
    assert (outcome.state, outcome.verification.residual) == ("succeeded", ())
    assert [one.number for one in outcome.method.passes] == [1, 2, 3]
    assert outcome.device is not None
    master = (tmp_path / RUN / "master.key").read_bytes()
    expected = memoryview(bytearray(len(drive.durable)))
    source = KeyedSource(stream_key(master, outcome.device.fingerprint), 3, through_gcm=False)
    source.fill(expected, len(expected), 0)
    assert bytes(expected) == bytes(drive.durable)


@pytest.mark.parametrize("done", [0, 1, 2])
def test_passes_that_are_done_are_not_written_again(tmp_path: Path, done: int) -> None:
    drive = StoppedDrive(at=MARKERS + done * A_PASS + 3)
    outcome = wipe(SimulatedSystem(drive), tmp_path, THREE, hooks=Hooks(stop=drive.stop))
    assert outcome.state == "interrupted"
    drive.spent_writes.clear()
    again = go_on(SimulatedSystem(drive, boot="boot-2"), tmp_path, THREE)
    assert (again.state, [one.number for one in again.method.passes]) == ("succeeded", [1, 2, 3])
    assert sum(length for _, length in drive.spent_writes) <= (3 - done) * drive.size


@pytest.mark.parametrize("part", [1, 2, 5])
def test_stopped_while_a_failed_range_is_traced_it_is_traced_anew(tmp_path: Path, part: int) -> None:
    """The stop leaves the range as failed, not as unwritable: nobody knows yet which blocks are."""
    zeros = PlanRequest(pattern_set="zeros")
    drive = StoppedDrive(at_part=part)
    drive.bad_writes = {13, 14, 17}
    outcome = wipe(SimulatedSystem(drive), tmp_path, zeros, hooks=Hooks(stop=drive.stop))
    assert outcome.state == "interrupted"
    assert [one for one in outcome.method.passes if one.bytes_written > drive.size - 2 * EXTENT] == []
    again = go_on(SimulatedSystem(drive, boot="boot-2"), tmp_path, zeros)
    (only,) = again.method.passes
    assert (again.error_code, only.unwritten) == (
        "unwritable-region",
        ((13 * BLOCK, 15 * BLOCK), (17 * BLOCK, 18 * BLOCK)),
    )
