"""Everything a device can do to a run, on the simulated drive: the right end, the right error, the right facts."""

from __future__ import annotations

import dataclasses
import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from sanitizer import api, engine
from sanitizer.errors import JournalFailed, MountedFilesystem, PermissionWithheld
from sanitizer.hooks import Hooks
from sanitizer.journal import Journal
from sanitizer.planning import PlanRequest
from sanitizer.run import Progress, RunResult
from sanitizer.settings import Settings
from tests.support.simulated_drive import BLOCK, SimulatedDrive, SimulatedSystem, SteppedJournal, identity
from tests.unit.sanitizer.simulation import MARKERS, RUN, SEED, SETTINGS, cleared, go_on, wipe

ZEROS = PlanRequest(pattern_set="zeros")


def untouched(drive: SimulatedDrive) -> bool:
    return drive.spent_writes == [] and b"SECRET" in bytes(drive.durable[:64])


def test_a_healthy_drive_is_sanitized_and_every_fact_is_told(tmp_path: Path) -> None:
    drive = SimulatedDrive()
    system = SimulatedSystem(drive)
    outcome = wipe(system, tmp_path)
    assert (outcome.state, outcome.touched, outcome.error_code, outcome.resumable) == ("succeeded", "yes", None, False)
    (only,) = outcome.method.passes
    assert (only.number, only.pattern, only.bytes_written, only.unwritten) == (1, "keyed-stream", drive.size, ())
    assert only.flushed
    assert only.key_sha256 is not None
    check = outcome.verification
    assert (check.kind, check.bytes_read, check.residual, check.completed, check.direct_io) == (
        "full",
        drive.size,
        (),
        True,
        True,
    )
    assert outcome.device is not None
    assert outcome.run.identity_fingerprint_after == outcome.device.fingerprint
    assert [s.ended_by for s in outcome.run.segments] == ["completed"]
    assert all(device.closed for device in system.opened)


def test_the_simulation_has_as_many_markers_as_these_tests_count_on(tmp_path: Path) -> None:
    system = SimulatedSystem(SimulatedDrive())
    wipe(system, tmp_path)
    names = system.steps.names
    assert names[: names.index("journal marked")].count("write") == MARKERS


def test_a_block_that_cannot_be_written_is_mapped_and_the_rest_is_done(tmp_path: Path) -> None:
    drive = SimulatedDrive()
    drive.bad_writes = {13, 14, 17}
    outcome = wipe(SimulatedSystem(drive), tmp_path, ZEROS)
    assert (outcome.state, outcome.error_code) == ("failed", "unwritable-region")
    (only,) = outcome.method.passes
    assert only.unwritten == ((13 * BLOCK, 15 * BLOCK), (17 * BLOCK, 18 * BLOCK))
    assert only.bytes_written == drive.size - 3 * BLOCK
    assert only.failed_writes > 0
    left = {n for n in range(drive.size // BLOCK) if any(drive.durable[n * BLOCK : (n + 1) * BLOCK])}
    assert left == {13, 14, 17}
    assert outcome.verification.residual == only.unwritten
    assert outcome.verification.completed


def test_a_block_that_fails_once_is_written_on_the_second_try_and_the_failure_stays_told(tmp_path: Path) -> None:
    drive = SimulatedDrive()
    drive.short_after = MARKERS + 3
    outcome = wipe(SimulatedSystem(drive), tmp_path, ZEROS)
    assert outcome.state == "succeeded"
    assert outcome.method.passes[0].failed_writes == 1
    assert outcome.method.passes[0].unwritten == ()
    assert not any(drive.durable)


def test_a_dropped_write_is_found_by_reading_back(tmp_path: Path) -> None:
    drive = SimulatedDrive()
    drive.dropped = {12}
    outcome = wipe(SimulatedSystem(drive), tmp_path, ZEROS)
    assert (outcome.state, outcome.error_code) == ("failed", "residual")
    assert outcome.verification.residual == ((12 * BLOCK, 13 * BLOCK),)


def test_a_block_that_cannot_be_read_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    drive = SimulatedDrive()
    drive.bad_reads = {12, 100}
    outcome = wipe(SimulatedSystem(drive), tmp_path, ZEROS)
    assert (outcome.state, outcome.error_code) == ("failed", "unreadable")
    check = outcome.verification
    assert check.unreadable == ((12 * BLOCK, 13 * BLOCK), (100 * BLOCK, 101 * BLOCK))
    assert check.bytes_read == drive.size - 2 * BLOCK
    assert check.completed


@pytest.mark.parametrize("capacity", [4 << 10, 12 << 10, 20 << 10, 32 << 10, 44 << 10, 60 << 10])
@pytest.mark.parametrize("pattern_set", ["zeros", "keyed-stream"])
def test_a_false_capacity_is_found_even_with_one_constant_pass(tmp_path: Path, pattern_set: str, capacity: int) -> None:
    """A pass of zeros over a drive whose addresses wrap reads back as zeros everywhere; the markers do not."""
    drive = SimulatedDrive()
    drive.alias = capacity
    outcome = wipe(SimulatedSystem(drive), tmp_path, PlanRequest(pattern_set=pattern_set))
    assert (outcome.state, outcome.error_code) == ("failed", "addressing-fault")
    assert b"SECRET" not in bytes(drive.durable[: drive.alias])  # what could be destroyed was


def test_a_device_that_vanishes_cuts_the_run_off_and_it_goes_on_when_it_is_back(tmp_path: Path) -> None:
    drive = SimulatedDrive()
    drive.gone_after = MARKERS + 6
    outcome = wipe(SimulatedSystem(drive), tmp_path, ZEROS)
    assert (outcome.state, outcome.error_code, outcome.touched) == ("interrupted", "device-gone", "yes")
    assert outcome.resumable
    assert "resume" in (outcome.remedy or "")
    assert outcome.method.passes[0].unwritten == ((16 << 10, drive.size),)  # not confirmed by a flush
    assert outcome.run.identity_fingerprint_after is None


def test_a_device_that_has_no_capacity_any_more_was_pulled_and_is_waited_for(tmp_path: Path) -> None:
    """What was under way ends in EIO at first; then the kernel says nothing but a size of zero."""
    drive = SimulatedDrive()
    drive.shrinks_after = (MARKERS + 6, 0)
    outcome = wipe(SimulatedSystem(drive), tmp_path, ZEROS)
    assert (outcome.state, outcome.error_code, outcome.touched) == ("interrupted", "device-gone", "yes")
    assert outcome.resumable


def test_a_device_that_is_pulled_during_a_flush_is_waited_for(tmp_path: Path) -> None:
    drive = SimulatedDrive()
    drive.leaves_at_flush = True
    outcome = wipe(SimulatedSystem(drive), tmp_path, ZEROS)
    assert (outcome.state, outcome.error_code, outcome.resumable) == ("interrupted", "device-gone", True)


def test_a_device_that_shrinks_is_never_a_success(tmp_path: Path) -> None:
    drive = SimulatedDrive()
    drive.shrinks_after = (MARKERS + 6, 32 << 10)
    outcome = wipe(SimulatedSystem(drive), tmp_path, ZEROS)
    assert (outcome.state, outcome.error_code) == ("failed", "capacity-changed")


def test_a_device_that_shrinks_after_its_last_write_is_never_a_success(tmp_path: Path) -> None:
    whole = SimulatedSystem(SimulatedDrive())
    wipe(whole, tmp_path / "whole", ZEROS)
    drive = SimulatedDrive()
    drive.shrinks_after = (whole.drive.writes - 1, 32 << 10)
    assert wipe(SimulatedSystem(drive), tmp_path / "j", ZEROS).state == "failed"


def test_a_flush_that_fails_is_never_tried_again_and_never_a_success(tmp_path: Path) -> None:
    drive = SimulatedDrive()
    system = SimulatedSystem(drive)
    drive.flush_fails = True
    outcome = wipe(system, tmp_path, ZEROS)
    assert (outcome.state, outcome.error_code) == ("failed", "flush-failed")
    assert system.steps.names.count("flush") == 1


def test_another_medium_after_the_run_is_never_a_success(tmp_path: Path) -> None:
    drive = SimulatedDrive()
    system = SimulatedSystem(drive)
    drive.identity_after = identity("SIM-0666", drive.size)
    # The second proof comes before any write, so the change is seen at the end only.
    outcome = wipe(system, tmp_path, ZEROS)
    assert (outcome.state, outcome.error_code) == ("failed", "identity-changed")
    assert outcome.run.identity_fingerprint_after == identity("SIM-0666", drive.size).fingerprint


def test_an_identity_that_cannot_be_read_after_the_run_is_never_a_success(tmp_path: Path) -> None:
    drive = SimulatedDrive()
    drive.identity_after = None
    outcome = wipe(SimulatedSystem(drive), tmp_path, ZEROS)
    assert (outcome.state, outcome.error_code) == ("failed", "identity-changed")
    assert outcome.run.identity_fingerprint_after is None


def test_a_dying_device_is_given_up_within_its_budget(tmp_path: Path) -> None:
    drive = SimulatedDrive()
    drive.bad_writes = set(range(drive.size // BLOCK))
    few = dataclasses.replace(SETTINGS, failing_requests=5)
    system = SimulatedSystem(drive)
    outcome = wipe(system, tmp_path, ZEROS, settings=few)
    assert (outcome.state, outcome.error_code) == ("failed", "error-budget-spent")
    assert drive.writes <= 2 * 5 + MARKERS
    assert outcome.method.passes[0].unwritten == ((0, drive.size),)


def test_a_device_that_gives_nothing_back_is_given_up_and_all_of_it_is_unknown(tmp_path: Path) -> None:
    drive = SimulatedDrive()
    drive.bad_reads = set(range(drive.size // BLOCK))
    outcome = wipe(SimulatedSystem(drive), tmp_path, ZEROS, settings=dataclasses.replace(SETTINGS, failing_requests=5))
    assert (outcome.state, outcome.error_code) == ("failed", "unreadable")
    assert outcome.verification.unreadable == ((0, drive.size),)
    assert not outcome.verification.completed


# --- refusals: nothing is written ---


def test_an_obstacle_that_came_up_after_clearing_refuses(tmp_path: Path) -> None:
    drive = SimulatedDrive()
    system = SimulatedSystem(drive)
    clearance = cleared(system)
    drive.obstacles = (MountedFilesystem(mount_points=("/mnt",)),)
    outcome = engine.sanitize(system, SETTINGS, clearance, RUN, tmp_path, SEED, Hooks())
    assert (outcome.state, outcome.error_code, outcome.touched) == ("refused", "mounted-filesystem", "no")
    assert untouched(drive)


def test_an_obstacle_that_came_up_while_asking_refuses(tmp_path: Path) -> None:
    drive = SimulatedDrive()

    def ask() -> None:
        drive.obstacles = (MountedFilesystem(mount_points=("/mnt",)),)

    outcome = wipe(SimulatedSystem(drive), tmp_path, hooks=Hooks(before_first_write=ask))
    assert (outcome.state, outcome.error_code) == ("refused", "mounted-filesystem")
    assert untouched(drive)


def test_a_device_swapped_at_the_same_path_is_refused(tmp_path: Path) -> None:
    system = SimulatedSystem(SimulatedDrive(serial="SIM-0001"))
    clearance = cleared(system)
    system.drive = SimulatedDrive(serial="SIM-0002")
    outcome = engine.sanitize(system, SETTINGS, clearance, RUN, tmp_path, SEED, Hooks())
    assert (outcome.state, outcome.error_code) == ("refused", "identity-mismatch")
    assert untouched(system.drive)


def test_the_same_device_plugged_in_anew_is_refused(tmp_path: Path) -> None:
    system = SimulatedSystem(SimulatedDrive())
    clearance = cleared(system)
    system.drive.sequence += 1
    outcome = engine.sanitize(system, SETTINGS, clearance, RUN, tmp_path, SEED, Hooks())
    assert (outcome.state, outcome.error_code) == ("refused", "device-changed")
    assert untouched(system.drive)


def test_a_second_run_on_a_claimed_device_is_refused(tmp_path: Path) -> None:
    drive = SimulatedDrive()
    drive.claimed = True
    outcome = wipe(SimulatedSystem(drive), tmp_path)
    assert (outcome.state, outcome.error_code) == ("refused", "device-busy")
    assert untouched(drive)


def test_a_spent_clearance_starts_no_second_run(tmp_path: Path) -> None:
    system = SimulatedSystem(SimulatedDrive())
    clearance = cleared(system)
    assert engine.sanitize(system, SETTINGS, clearance, RUN, tmp_path, SEED, Hooks()).state == "succeeded"
    system.drive.spent_writes.clear()
    outcome = engine.sanitize(system, SETTINGS, clearance, "run-2", tmp_path, SEED, Hooks())
    assert (outcome.state, outcome.error_code) == ("refused", "clearance-spent")
    assert system.drive.spent_writes == []


def test_an_expired_clearance_is_refused(tmp_path: Path) -> None:
    system = SimulatedSystem(SimulatedDrive())
    clearance = cleared(system)
    system.clock += timedelta(days=1).total_seconds()
    outcome = engine.sanitize(system, SETTINGS, clearance, RUN, tmp_path, SEED, Hooks())
    assert (outcome.state, outcome.error_code) == ("refused", "clearance-expired")
    assert untouched(system.drive)


@pytest.mark.parametrize(
    ("answer", "words"), [(PermissionWithheld(reason="a hold"), "a hold"), (TimeoutError("no answer"), "no answer")]
)
def test_a_last_question_answered_no_or_not_at_all_refuses(tmp_path: Path, answer: Exception, words: str) -> None:
    drive = SimulatedDrive()

    def ask() -> None:
        raise answer

    outcome = wipe(SimulatedSystem(drive), tmp_path, hooks=Hooks(before_first_write=ask))
    assert (outcome.state, outcome.error_code) == ("refused", "permission-withheld")
    assert words in (outcome.run.error or "")
    assert untouched(drive)


def test_the_last_question_is_asked_with_the_device_claimed_and_nothing_written(tmp_path: Path) -> None:
    drive = SimulatedDrive()
    seen: list[tuple[bool, bool]] = []
    wipe(
        SimulatedSystem(drive),
        tmp_path,
        hooks=Hooks(before_first_write=lambda: seen.append((drive.claimed, untouched(drive)))),
    )
    assert seen == [(True, True)]


def test_a_run_identifier_is_never_used_twice(tmp_path: Path) -> None:
    system = SimulatedSystem(SimulatedDrive())
    wipe(system, tmp_path)
    outcome = wipe(SimulatedSystem(SimulatedDrive()), tmp_path)
    assert (outcome.state, outcome.error_code) == ("refused", "run-exists")


def test_a_refused_run_gives_its_refusal_again_after_a_restart(tmp_path: Path) -> None:
    drive = SimulatedDrive()
    drive.claimed = True
    outcome = wipe(SimulatedSystem(drive), tmp_path)
    (pending,) = api.pending_runs(tmp_path)
    assert pending.result == outcome
    assert pending.state == "refused"


@pytest.mark.parametrize("run_id", ["", "../x", "a/b", ".hidden", "x" * 129, "a b"])
def test_a_run_identifier_that_is_no_name_is_a_bug_of_the_caller(tmp_path: Path, run_id: str) -> None:
    system = SimulatedSystem(SimulatedDrive())
    with pytest.raises(ValueError, match="run identifier"):
        engine.sanitize(system, SETTINGS, cleared(system), run_id, tmp_path, SEED, Hooks())


def test_a_run_without_a_sample_seed_is_a_bug_of_the_caller(tmp_path: Path) -> None:
    system = SimulatedSystem(SimulatedDrive())
    with pytest.raises(ValueError, match="sample_seed"):
        engine.sanitize(system, SETTINGS, cleared(system), RUN, tmp_path, "", Hooks())


# --- stop and resume ---


class StopAfter(SimulatedDrive):
    """Sets an event at one of its writes."""

    def __init__(self, stop: threading.Event, writes: int) -> None:
        super().__init__()
        self._stop = stop
        self._at = writes

    def write(self, data: bytes, offset: int) -> int:
        taken = super().write(data, offset)
        if self.writes == self._at:
            self._stop.set()
        return taken


@pytest.mark.parametrize("writes", [3, MARKERS + 1, MARKERS + 7, MARKERS + 16])
def test_a_stopped_run_is_interrupted_durable_and_resumable(tmp_path: Path, writes: int) -> None:
    stop = threading.Event()
    drive = StopAfter(stop, writes)
    system = SimulatedSystem(drive)
    outcome = wipe(system, tmp_path, ZEROS, hooks=Hooks(stop=stop))
    assert (outcome.state, outcome.error_code, outcome.resumable) == ("interrupted", "interrupted", True)
    assert outcome.run.segments[-1].ended_by == "stopped"
    assert not drive.claimed
    system.die(power_cut=True)
    (pending,) = api.pending_runs(tmp_path)
    assert (pending.state, pending.result) == ("interrupted", None)
    again = go_on(SimulatedSystem(drive, boot="boot-2"), tmp_path, ZEROS)
    assert again.state == "succeeded"
    assert [s.ended_by for s in again.run.segments] == ["stopped", "completed"]
    assert not any(drive.durable)


def test_a_stop_before_the_first_write_writes_nothing(tmp_path: Path) -> None:
    drive, stop = SimulatedDrive(), threading.Event()
    stop.set()
    outcome = wipe(SimulatedSystem(drive), tmp_path, hooks=Hooks(stop=stop))
    assert (outcome.state, outcome.touched, outcome.resumable) == ("interrupted", "no", True)
    assert untouched(drive)
    assert go_on(SimulatedSystem(drive), tmp_path).state == "succeeded"


def interrupted(tmp_path: Path) -> SimulatedDrive:
    stop = threading.Event()
    drive = StopAfter(stop, MARKERS + 7)
    assert wipe(SimulatedSystem(drive), tmp_path, ZEROS, hooks=Hooks(stop=stop)).state == "interrupted"
    return drive


def test_resuming_on_another_medium_is_refused_and_the_run_stays_resumable(tmp_path: Path) -> None:
    drive = interrupted(tmp_path)
    other = SimulatedDrive(serial="SIM-0002")
    outcome = go_on(SimulatedSystem(other), tmp_path, ZEROS)
    assert (outcome.state, outcome.error_code, outcome.resumable) == ("interrupted", "identity-mismatch", True)
    assert outcome.touched == "yes"  # the run's medium was changed, though this one was not
    assert untouched(other)
    assert go_on(SimulatedSystem(drive), tmp_path, ZEROS).state == "succeeded"


def test_resuming_with_another_plan_is_refused(tmp_path: Path) -> None:
    drive = interrupted(tmp_path)
    writes = drive.writes
    outcome = go_on(SimulatedSystem(drive), tmp_path, PlanRequest(pattern_set="ones"))
    assert (outcome.state, outcome.error_code) == ("interrupted", "plan-mismatch")
    assert drive.writes == writes


def test_resuming_asks_for_the_last_permission_again(tmp_path: Path) -> None:
    drive = interrupted(tmp_path)
    writes = drive.writes

    def ask() -> None:
        raise PermissionWithheld(reason="a hold came up")

    outcome = go_on(SimulatedSystem(drive), tmp_path, ZEROS, Hooks(before_first_write=ask))
    assert (outcome.state, outcome.error_code, outcome.resumable) == ("interrupted", "permission-withheld", True)
    assert drive.writes == writes
    assert go_on(SimulatedSystem(drive), tmp_path, ZEROS).state == "succeeded"


def test_resuming_proves_the_obstacles_again(tmp_path: Path) -> None:
    drive = interrupted(tmp_path)
    system = SimulatedSystem(drive)
    clearance = cleared(system, ZEROS)
    drive.obstacles = (MountedFilesystem(mount_points=("/mnt",)),)
    outcome = engine.resume(system, SETTINGS, clearance, RUN, tmp_path, Hooks())
    assert (outcome.state, outcome.error_code) == ("interrupted", "mounted-filesystem")


def test_a_run_given_up_is_told_as_interrupted_for_good(tmp_path: Path) -> None:
    interrupted(tmp_path)
    system = SimulatedSystem(SimulatedDrive())
    outcome = engine.abandon(system, RUN, tmp_path, "the device was lost")
    assert (outcome.state, outcome.resumable, outcome.touched) == ("interrupted", False, "yes")
    assert "the device was lost" in (outcome.run.error or "")
    assert outcome.method.passes[0].bytes_written > 0
    (pending,) = api.pending_runs(tmp_path)
    assert pending.result == outcome
    api.discard_journal(tmp_path, RUN)
    assert api.pending_runs(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


# --- the journal's own storage ---


class FullDisk(SimulatedSystem):
    """The journal's filesystem is full from one entry on."""

    full_at = "none"

    def _stepped(self, journal: SteppedJournal) -> Journal:
        inner = super()._stepped(journal)
        append = inner.append

        def fails(kind: str, fields: dict[str, object]) -> None:
            if kind == self.full_at:
                raise JournalFailed(operation="write", reason="No space left on device")
            append(kind, fields)

        inner.append = fails  # type: ignore[method-assign]  # the fault
        return inner


@pytest.mark.parametrize("kind", ["first-write", "marked", "pass", "checkpoint", "pass-done", "settled", "verifying"])
def test_a_journal_that_cannot_be_written_stops_the_run_and_nothing_is_lost(tmp_path: Path, kind: str) -> None:
    drive = SimulatedDrive()
    system = FullDisk(drive)
    system.full_at = kind
    outcome = wipe(system, tmp_path, ZEROS)
    assert (outcome.state, outcome.error_code, outcome.resumable) == ("interrupted", "journal-failed", True)
    if kind == "first-write":
        assert untouched(drive)
    assert go_on(SimulatedSystem(drive), tmp_path, ZEROS).state == "succeeded"


@pytest.mark.parametrize("kind", ["segment-end", "ended"])
def test_an_end_that_cannot_be_made_durable_is_not_told_as_an_end(tmp_path: Path, kind: str) -> None:
    drive = SimulatedDrive()
    system = FullDisk(drive)
    system.full_at = kind
    outcome = wipe(system, tmp_path, ZEROS)
    assert (outcome.state, outcome.error_code, outcome.resumable) == ("interrupted", "journal-failed", True)
    assert go_on(SimulatedSystem(drive), tmp_path, ZEROS).state == "succeeded"


@pytest.mark.parametrize("kind", ["begun", "segment"])
def test_without_a_journal_nothing_is_done(tmp_path: Path, kind: str) -> None:
    drive = SimulatedDrive()
    system = FullDisk(drive)
    system.full_at = kind
    outcome = wipe(system, tmp_path, ZEROS)
    assert (outcome.state, outcome.error_code, outcome.touched) == ("refused", "journal-unusable", "no")
    assert untouched(drive)


def test_a_journal_folder_that_cannot_be_made_refuses(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    drive = SimulatedDrive()
    outcome = wipe(SimulatedSystem(drive), tmp_path / "file" / "journals", ZEROS)
    assert (outcome.state, outcome.error_code) == ("refused", "journal-unusable")
    assert untouched(drive)


def test_a_lost_key_is_not_papered_over(tmp_path: Path) -> None:
    drive = interrupted(tmp_path)
    (tmp_path / RUN / "master.key").write_bytes(bytes(32))
    outcome = go_on(SimulatedSystem(drive), tmp_path, ZEROS)
    assert outcome.state != "succeeded"
    assert outcome.error_code == "journal-damaged"


# --- telling ---


def test_progress_counts_every_pass_and_the_verification(tmp_path: Path) -> None:
    told: list[Progress] = []
    drive = SimulatedDrive()
    wipe(SimulatedSystem(drive), tmp_path, PlanRequest(pattern_set="dod-scrub"), hooks=Hooks(progress=told.append))
    assert {p.bytes_total for p in told[2:]} == {4 * drive.size}
    assert [p.bytes_done for p in told] == sorted(p.bytes_done for p in told)
    assert told[-1].bytes_done == 4 * drive.size
    assert [s for s, _ in _runs([p.state for p in told])] == [
        "cleared",
        "executing",
        "settling",
        "verifying",
        "succeeded",
    ]
    assert {p.pass_number for p in told if p.state == "executing"} >= {1, 2, 3}


def _runs(values: list[str]) -> list[tuple[str, int]]:
    out: list[tuple[str, int]] = []
    for value in values:
        if out and out[-1][0] == value:
            out[-1] = (value, out[-1][1] + 1)
        else:
            out.append((value, 1))
    return out


def test_a_listener_that_fails_is_silenced_and_the_run_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[Progress] = []

    def tell(progress: Progress) -> None:
        calls.append(progress)
        raise RuntimeError("listener")

    outcome: RunResult = wipe(SimulatedSystem(SimulatedDrive()), tmp_path, hooks=Hooks(progress=tell))
    assert outcome.state == "succeeded"
    assert len(calls) == 1
    assert "no longer told" in caplog.text


def test_a_small_device_asked_for_samples_is_read_in_full_and_says_so(tmp_path: Path) -> None:
    request = PlanRequest(verification="representative")
    check = wipe(SimulatedSystem(SimulatedDrive()), tmp_path, request).verification
    assert (check.kind, check.seed, check.regions) == ("full", None, 1)


def test_a_run_without_verification_says_that_nothing_was_read(tmp_path: Path) -> None:
    outcome = wipe(SimulatedSystem(SimulatedDrive()), tmp_path, PlanRequest(verification="none"))
    assert outcome.state == "succeeded"
    check = outcome.verification
    assert (check.kind, check.bytes_read, check.completed, check.direct_io) == ("none", 0, False, False)


def test_two_threads_write_the_same_as_one(tmp_path: Path) -> None:
    drive = SimulatedDrive()
    outcome = wipe(SimulatedSystem(drive), tmp_path, ZEROS, settings=dataclasses.replace(SETTINGS, threads=2))
    assert outcome.state == "succeeded"
    assert not any(drive.durable)


def test_the_default_settings_are_the_measured_ones() -> None:
    settings = Settings()
    assert (settings.block_bytes, settings.checkpoint_seconds, settings.fan_out) == (4 << 20, 30.0, 64)
    assert settings.checkpoint_bytes == 16 << 30
    assert settings.block_for(512 << 20) == 1 << 20
    assert settings.block_for(1 << 40) == 4 << 20


# --- the clock --------------------------------------------------------------------------------------------------------


class JumpingClock(SimulatedSystem):
    """Somebody sets the wall clock while the run is going on."""

    by = timedelta()
    after_writes = MARKERS + 4

    def now(self) -> datetime:
        return super().now() + (self.by if self.drive.writes > self.after_writes else timedelta())


@pytest.mark.parametrize(
    ("by", "kept"), [(timedelta(days=3650), False), (timedelta(days=-13), False), (timedelta(seconds=-20), True)]
)
def test_a_clock_that_was_set_during_a_run_is_not_told_as_synchronized(
    tmp_path: Path, by: timedelta, *, kept: bool
) -> None:
    system = JumpingClock(SimulatedDrive())
    system.by = by
    outcome = wipe(system, tmp_path, ZEROS)
    assert outcome.state == "succeeded"
    assert outcome.run.clock_synchronized is kept


@pytest.mark.parametrize("days", [-1, 30])
def test_between_two_stretches_time_passes_and_never_goes_back(tmp_path: Path, days: int) -> None:
    drive = SimulatedDrive()
    drive.gone_after = MARKERS + 6
    cut = wipe(SimulatedSystem(drive), tmp_path, ZEROS)
    assert cut.resumable
    drive.gone_after = None
    later = JumpingClock(drive)
    later.by, later.after_writes, later.clock = timedelta(days=days), -1, 5.0  # another boot: its own monotonic clock
    outcome = go_on(later, tmp_path, ZEROS)
    assert outcome.state == "succeeded", outcome.run.error
    assert outcome.run.clock_synchronized is (days > 0)
