"""A run dies at each of its steps, before and after the step's effect, with and without a power cut; then it is resumed.

Nothing may be called success that was not, nothing may be lost, and in the end the medium must hold what was promised.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sanitizer import api
from sanitizer.content import FixedSource, KeyedSource, stream_key
from sanitizer.journal import peek
from sanitizer.planning import PlanRequest
from sanitizer.recovery import recover
from sanitizer.run import RunResult
from tests.support.simulated_drive import Crash, SimulatedDrive, SimulatedSystem, Steps
from tests.unit.sanitizer.simulation import RUN, go_on, wipe

REQUEST = PlanRequest(pattern_set="keyed-stream-then-zeros")


def _steps_of_a_whole_run(journals: Path) -> list[str]:
    system = SimulatedSystem(SimulatedDrive())
    assert wipe(system, journals, REQUEST).state == "succeeded"
    return system.steps.names


def _begin_and_die(drive: SimulatedDrive, journals: Path, number: int, when: str) -> SimulatedSystem:
    system = SimulatedSystem(drive, Steps(crash_at=number, when=when))
    with pytest.raises(Crash):
        wipe(system, journals, REQUEST)
    return system


def _finish(drive: SimulatedDrive, journals: Path, boot: str) -> RunResult:
    """What a restarted process does: read the journals first, then resume or begin."""
    pending = api.pending_runs(journals)
    system = SimulatedSystem(drive, boot=boot)
    if not pending:
        return wipe(system, journals, REQUEST)
    assert [each.run_id for each in pending] == [RUN]
    return go_on(system, journals, REQUEST)


@pytest.mark.parametrize("power_cut", [False, True], ids=["killed", "power cut"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_killed_at_any_step_is_resumed_to_a_true_success(tmp_path: Path, when: str, *, power_cut: bool) -> None:
    names = _steps_of_a_whole_run(tmp_path / "whole")
    assert {"claim", "write", "read", "flush", "journal first-write", "journal checkpoint", "journal ended"} <= set(
        names
    )
    for number, name in enumerate(names):
        journals = tmp_path / f"{number}"
        drive = SimulatedDrive()
        _begin_and_die(drive, journals, number, when).die(power_cut=power_cut)
        outcome = _finish(drive, journals, "boot-2" if power_cut else "boot-1")
        assert outcome.state == "succeeded", (name, outcome.run.error)
        assert not any(drive.durable), f"after dying {when} {name}, something is left"
        assert outcome.verification.completed


@pytest.mark.parametrize("when", ["before", "after"])
def test_nothing_was_written_before_the_journal_says_that_a_write_may_come(tmp_path: Path, when: str) -> None:
    names = _steps_of_a_whole_run(tmp_path / "whole")
    for number in range(len(names)):
        journals, drive = tmp_path / f"{number}", SimulatedDrive()
        before = bytes(drive.durable)
        _begin_and_die(drive, journals, number, when).die()
        pending = api.pending_runs(journals)
        if not pending or pending[0].touched == "no":
            assert bytes(drive.current) == before, f"{names[number]}: written, and the journal does not know"


def test_a_resumed_run_goes_on_not_before_the_last_flushed_position(tmp_path: Path) -> None:
    names = _steps_of_a_whole_run(tmp_path / "whole")
    second = [n for n, name in enumerate(names) if name == "journal checkpoint"][1]
    drive = SimulatedDrive()
    _begin_and_die(drive, tmp_path / "j", second, "after").die(power_cut=True)
    (pending,) = api.pending_runs(tmp_path / "j")
    assert pending.durable_bytes > 0
    drive.spent_writes.clear()
    go_on(SimulatedSystem(drive, boot="boot-2"), tmp_path / "j", REQUEST)
    assert drive.spent_writes[0][0] == pending.durable_bytes


def test_a_medium_altered_while_nobody_looked_has_its_pass_begun_again(tmp_path: Path) -> None:
    names = _steps_of_a_whole_run(tmp_path / "whole")
    second = [n for n, name in enumerate(names) if name == "journal checkpoint"][1]
    drive = SimulatedDrive()
    _begin_and_die(drive, tmp_path / "j", second, "after").die(power_cut=True)
    drive.durable[: len(drive.durable)] = drive.current[: len(drive.current)] = bytes(len(drive.current))
    drive.spent_writes.clear()
    outcome = go_on(SimulatedSystem(drive, boot="boot-2"), tmp_path / "j", REQUEST)
    assert drive.spent_writes[0][0] == 0
    assert outcome.state == "succeeded"


def test_segments_of_a_killed_and_resumed_run_tell_both_stretches(tmp_path: Path) -> None:
    names = _steps_of_a_whole_run(tmp_path / "whole")
    drive = SimulatedDrive()
    _begin_and_die(drive, tmp_path / "j", names.index("journal checkpoint"), "after").die(power_cut=True)
    outcome = _finish(drive, tmp_path / "j", "boot-2")
    assert [(s.boot_id, s.ended_by) for s in outcome.run.segments] == [("boot-1", "crashed"), ("boot-2", "completed")]


def test_the_last_pass_is_what_the_medium_holds(tmp_path: Path) -> None:
    drive = SimulatedDrive()
    system = SimulatedSystem(drive)
    outcome = wipe(system, tmp_path, PlanRequest(pattern_set="keyed-stream"))
    master = (tmp_path / RUN / "master.key").read_bytes()
    assert outcome.device is not None
    source = KeyedSource(stream_key(master, outcome.device.fingerprint), 1, through_gcm=False)
    expected = memoryview(bytearray(len(drive.durable) + 16))
    source.fill(expected, len(drive.durable), 0)
    assert bytes(expected[: len(drive.durable)]) == bytes(drive.durable)


def test_a_finished_run_gives_its_result_again_and_writes_nothing(tmp_path: Path) -> None:
    drive = SimulatedDrive()
    first = wipe(SimulatedSystem(drive), tmp_path, REQUEST)
    drive.spent_writes.clear()
    again = go_on(SimulatedSystem(drive), tmp_path, REQUEST)
    assert again == first
    assert drive.spent_writes == []


def test_a_three_byte_pattern_keeps_its_phase_over_a_resumed_run(tmp_path: Path) -> None:
    request = PlanRequest(pattern_set="fixed:924924")
    drive = SimulatedDrive()
    system = SimulatedSystem(drive, Steps(crash_at=40, when="after"))
    with pytest.raises(Crash):
        wipe(system, tmp_path, request)
    system.die(power_cut=True)
    assert go_on(SimulatedSystem(drive, boot="boot-2"), tmp_path, request).state == "succeeded"
    expected = memoryview(bytearray(len(drive.durable)))
    FixedSource(bytes.fromhex("924924")).fill(expected, len(expected), 0)
    assert bytes(drive.durable) == bytes(expected)


def test_a_run_that_overwrites_writes_the_journal_it_always_wrote(tmp_path: Path) -> None:
    """So that a journal of an older version is resumed by a newer one."""
    wipe(SimulatedSystem(SimulatedDrive()), tmp_path, REQUEST)
    entries, _ = peek(tmp_path, RUN)
    assert {entry["kind"] for entry in entries} == {
        "begun",
        "segment",
        "first-write",
        "marked",
        "pass",
        "checkpoint",
        "pass-done",
        "settled",
        "verifying",
        "segment-end",
        "ended",
    }
    assert set(entries[0]) == {
        "kind",
        "t",
        "m",
        "state",
        "schema",
        "run_id",
        "path",
        "device",
        "plan",
        "sample_seed",
        "key_sha256",
        "clock_synchronized",
    }
    known = recover(entries)
    assert known is not None
    assert (known.steps, known.commands, known.own_work) == (("overwrite",), (), False)
