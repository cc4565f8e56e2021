"""Runs with the drive's own commands: what an honest drive gives, and every way in which one can lie, fail or fall silent."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sanitizer.capability import SanitizePhase, SanitizeStanding
from sanitizer.command_log import digest_of
from sanitizer.commanding import Commanding
from sanitizer.errors import EscrowNotConfirmed, MountedFilesystem
from sanitizer.hooks import Hooks
from sanitizer.run import Progress, RunResult
from sanitizer.techniques.base import CommandFacts, Escrow, Hands, Sent
from sanitizer.transport.commands import Ports, ScsiAnswer
from tests.support.command_drive import (
    ERASE,
    SECRET,
    START,
    CommandDrive,
    CommandSystem,
    PasswordErase,
    SelfSanitize,
    port_of,
)
from tests.support.simulated_drive import BLOCK, identity
from tests.unit.sanitizer.commanded import BLOCK_ERASE, CRYPTO_THEN_BLOCK, PASSWORD_ERASE, command, escrowed
from tests.unit.sanitizer.simulation import SETTINGS


def outcome_of(drive: CommandDrive, folder: Path, steps: tuple[str, ...] = BLOCK_ERASE) -> RunResult:
    return command(CommandSystem(drive), folder, steps)


# --- an honest drive ---


def test_an_honest_drive_is_sanitized_and_every_fact_is_told(tmp_path: Path) -> None:
    drive = CommandDrive()
    result = outcome_of(drive, tmp_path)
    assert (result.state, result.error_code, result.touched) == ("succeeded", None, "yes")
    assert (result.method.technique, result.method.pattern_set) == ("nvme-sanitize-block-erase", "canaries")
    (only,) = result.method.passes
    assert (only.number, only.pattern, only.bytes_written, only.flushed) == (1, "keyed-stream", drive.size, True)
    check = result.verification
    assert (check.kind, check.expected, check.bytes_read) == ("full", "no-canary+uniform:00", drive.size)
    assert check.completed
    (sent,) = result.method.commands
    assert set(sent) == {field.name for field in dataclasses.fields(CommandFacts)}
    assert (sent["number"], sent["technique"], sent["opcode"]) == (1, "nvme-sanitize-block-erase", "48")
    assert (sent["accepted"], sent["reported"], sent["setting"]) == ("yes", "success", None)
    assert sent["before"] != sent["after"] != ""
    assert sent["sent_at"] <= sent["answered_at"]
    assert b"SECRET" not in bytes(drive.durable)


def test_two_steps_are_carried_out_in_order_and_both_are_told(tmp_path: Path) -> None:
    drive = CommandDrive()
    result = outcome_of(drive, tmp_path, CRYPTO_THEN_BLOCK)
    assert result.state == "succeeded"
    assert result.method.technique == "nvme-sanitize-crypto-erase+nvme-sanitize-block-erase"
    assert [(c["number"], c["technique"]) for c in result.method.commands] == list(enumerate(CRYPTO_THEN_BLOCK, 1))


@pytest.mark.parametrize(("fill", "label"), [(b"\0", "00"), (b"\xff", "ff")])
def test_one_byte_of_the_vendors_choice_may_be_zeros_or_ones(tmp_path: Path, fill: bytes, label: str) -> None:
    drive = CommandDrive()
    drive.fill = fill
    result = outcome_of(drive, tmp_path)
    assert (result.state, result.verification.expected) == ("succeeded", f"no-canary+uniform:{label}")


def test_any_other_byte_is_no_defined_content(tmp_path: Path) -> None:
    drive = CommandDrive()
    drive.fill = b"\xaa"
    assert outcome_of(drive, tmp_path).error_code == "residual"


def test_an_undefined_aftermath_is_held_against_the_canaries_alone(tmp_path: Path) -> None:
    drive = CommandDrive()
    drive.fill = b"vendor's garbage"
    result = outcome_of(drive, tmp_path, ("nvme-sanitize-crypto-erase",))
    assert (result.state, result.verification.expected) == ("succeeded", "no-canary")


def test_a_password_is_in_escrow_before_the_drive_has_it_and_gone_afterwards(tmp_path: Path) -> None:
    drive, kept = CommandDrive(), []

    def keep(escrow: Escrow) -> None:
        assert drive.password is None
        kept.append(escrow)

    result = command(CommandSystem(drive), tmp_path, PASSWORD_ERASE, hooks=Hooks(escrow=keep))
    assert result.state == "succeeded"
    assert [escrow.secret for escrow in kept] == [SECRET]
    assert drive.password is None
    assert SECRET.hex() not in str(result.to_dict())
    assert SECRET.decode() not in str(result.to_dict())
    assert [c["command"] for c in result.method.commands] == ["SET PASSWORD", "ERASE UNIT"]


def test_a_sample_is_written_and_the_same_sample_is_read_back(tmp_path: Path) -> None:
    drive = CommandDrive(size=20480 * BLOCK)
    result = command(CommandSystem(drive), tmp_path, verification="representative")
    assert (result.state, result.verification.kind) == ("succeeded", "representative")
    assert result.method.passes[0].bytes_written == result.verification.bytes_read
    assert drive.size // 10 <= result.verification.bytes_read < drive.size // 6
    assert all(length < drive.size for _, length in drive.spent_writes)


def test_without_verification_asked_for_the_canaries_are_looked_for_all_the_same(tmp_path: Path) -> None:
    drive = CommandDrive()
    drive.leaves = [(0, drive.size)]
    assert command(CommandSystem(drive), tmp_path, verification="none").state == "failed"


def test_overwriting_first_covers_the_whole_medium_whatever_is_sampled(tmp_path: Path) -> None:
    drive = CommandDrive(size=20480 * BLOCK)
    result = command(CommandSystem(drive), tmp_path, ("overwrite", *BLOCK_ERASE), "representative")
    assert (result.state, result.verification.kind) == ("succeeded", "full")
    assert result.method.technique == "overwrite+nvme-sanitize-block-erase"
    assert result.method.passes[0].bytes_written == drive.size


# --- drives that lie ---


@pytest.mark.parametrize("history", [True, False], ids=["status", "idle only"])
@pytest.mark.parametrize("technique", ["nvme-sanitize-block-erase", "nvme-sanitize-crypto-erase"])
@pytest.mark.parametrize(
    "kept",
    [(0, 64 << 10), (0, BLOCK), ((64 << 10) - BLOCK, 64 << 10), (17 * BLOCK, 18 * BLOCK), (16 << 10, 64 << 10)],
    ids=["nothing erased", "all but the first", "all but the last", "all but one", "first part only"],
)
def test_a_drive_that_lies_about_its_work_never_succeeds(
    tmp_path: Path, technique: str, kept: tuple[int, int], *, history: bool
) -> None:
    drive = CommandDrive()
    drive.leaves, drive.tells_history = [kept], history
    result = outcome_of(drive, tmp_path, (technique,))
    assert (result.state, result.error_code) == ("failed", "residual")
    assert result.verification.residual == (kept,)


def test_a_success_that_is_years_old_is_told_as_stale(tmp_path: Path) -> None:
    drive = CommandDrive()
    drive.phase, drive.ends, drive.polls = SanitizePhase.SUCCEEDED, SanitizePhase.SUCCEEDED, 0
    system = CommandSystem(drive)
    drive.erase = lambda: None  # type: ignore[method-assign]
    system.techniques["nvme-sanitize-block-erase"] = _Unmoved()
    result = command(system, tmp_path)
    assert (result.state, result.error_code) == ("failed", "stale-success")


class _Unmoved(SelfSanitize):
    """Takes the command and tells the status of before."""

    def standing(self, ports: Ports) -> SanitizeStanding:
        found = super().standing(ports)
        return dataclasses.replace(found, raw=b"old")


def test_a_password_erase_that_erases_nothing_never_succeeds(tmp_path: Path) -> None:
    drive = CommandDrive()
    drive.leaves = [(0, drive.size)]
    assert outcome_of(drive, tmp_path, PASSWORD_ERASE).error_code == "residual"


def test_a_drive_that_drops_writes_is_found_by_its_canaries(tmp_path: Path) -> None:
    drive = CommandDrive()
    drive.dropped = {12}
    assert outcome_of(drive, tmp_path).error_code == "addressing-fault"


def test_a_canary_that_cannot_be_read_back_leaves_no_conclusion(tmp_path: Path) -> None:
    drive = CommandDrive()
    drive.bad_reads = {12}
    system = CommandSystem(drive)
    heal = drive.erase

    def erase() -> None:
        drive.bad_reads = set()
        heal()

    drive.erase = erase  # type: ignore[method-assign]
    result = command(system, tmp_path)
    assert (result.state, result.error_code) == ("failed", "inconclusive")


def test_a_block_that_takes_no_canary_is_told_and_no_success(tmp_path: Path) -> None:
    drive = CommandDrive()
    drive.bad_writes = {12}
    result = outcome_of(drive, tmp_path)
    assert (result.state, result.error_code) == ("failed", "unwritable-region")
    assert result.method.passes[0].unwritten == ((12 * BLOCK, 13 * BLOCK),)
    assert b"SECRET" not in bytes(drive.durable)


# --- drives that refuse, fail, stall, fall silent ---


def test_a_refused_command_fails_the_run_with_the_raw_answer(tmp_path: Path) -> None:
    drive = CommandDrive()
    drive.refuses = True
    result = outcome_of(drive, tmp_path)
    assert (result.state, result.error_code) == ("failed", "technique-failed")
    (sent,) = result.method.commands
    assert (sent["accepted"], sent["reported"], sent["answer"]) == ("no", "failed", "02700005")
    assert "02700005" in (result.run.error or "")


@pytest.mark.parametrize("phase", [SanitizePhase.FAILED, SanitizePhase.FAILED_RESTRICTED])
def test_a_failed_operation_is_told_and_its_mode_is_never_left_by_a_side_door(
    tmp_path: Path, phase: SanitizePhase
) -> None:
    drive = CommandDrive()
    drive.ends = phase
    result = outcome_of(drive, tmp_path)
    assert (result.state, result.error_code) == ("failed", "technique-failed")
    assert "failure mode" in (result.remedy or "")
    assert result.method.commands[-1]["reported"] == "failed"
    assert drive.started == [START]
    assert drive.phase is phase


def test_a_drive_found_in_failure_mode_is_led_out_by_its_own_sanitize_and_then_done_anew(tmp_path: Path) -> None:
    drive = CommandDrive()
    drive.phase = SanitizePhase.FAILED_RESTRICTED
    result = outcome_of(drive, tmp_path)
    assert result.state == "succeeded", result.run.error
    assert drive.started == [START, START]
    assert [c["reported"] for c in result.method.commands] == ["success", "success"]
    assert result.method.passes[0].bytes_written == drive.size


def test_a_drive_led_out_of_failure_mode_that_then_lies_never_succeeds(tmp_path: Path) -> None:
    drive = CommandDrive()
    drive.phase, drive.leaves = SanitizePhase.FAILED, [(0, BLOCK)]
    assert outcome_of(drive, tmp_path).error_code == "residual"


def test_an_operation_without_progress_is_given_up(tmp_path: Path) -> None:
    drive = CommandDrive()
    drive.stalls = True
    system = CommandSystem(drive)
    begun = system.clock
    result = command(system, tmp_path)
    assert (result.state, result.error_code, result.touched) == ("failed", "technique-stalled", "yes")
    assert 3600 <= system.clock - begun < 3600 + 120


def test_a_slow_drive_is_waited_for_three_times_its_own_estimate(tmp_path: Path) -> None:
    drive = CommandDrive()
    drive.stalls = True
    system = CommandSystem(drive)
    system.techniques["nvme-sanitize-block-erase"] = SelfSanitize(estimate=10_000)
    begun = system.clock
    assert command(system, tmp_path).error_code == "technique-stalled"
    assert system.clock - begun >= 30_000


def test_questions_without_an_answer_are_put_up_with_for_a_while(tmp_path: Path) -> None:
    drive = CommandDrive()
    system = CommandSystem(drive)
    heard = _after_start(drive, lambda: setattr(drive, "silent", 5))
    assert command(system, tmp_path).state == "succeeded"
    assert heard


def test_a_drive_that_falls_silent_is_given_up(tmp_path: Path) -> None:
    drive = CommandDrive()
    system = CommandSystem(drive)
    _after_start(drive, lambda: setattr(drive, "silent", 1_000_000))
    result = command(system, tmp_path)
    assert (result.state, result.error_code) == ("failed", "unanswered-destructive-command")


def _after_start(drive: CommandDrive, then: Callable[[], None]) -> list[bool]:
    """Have something happen once the drive has begun; what is returned is filled then."""
    start = drive._start
    heard: list[bool] = []

    def started(_: bytes) -> ScsiAnswer:
        answer = start(b"")
        heard.append(True)
        then()
        return answer

    drive._start = started  # type: ignore[method-assign]
    return heard


@pytest.mark.parametrize("how", ["lost", "reset"])
def test_a_command_whose_answer_was_lost_is_settled_by_the_drives_status(tmp_path: Path, how: str) -> None:
    drive = CommandDrive()
    drive.answers = how  # type: ignore[assignment]
    result = outcome_of(drive, tmp_path)
    assert result.state == "succeeded", result.run.error
    (sent,) = result.method.commands
    assert (sent["accepted"], sent["answered_at"], sent["reported"]) == ("unknown", None, "success")
    assert drive.started == [START]


@pytest.mark.parametrize("how", ["lost", "reset", "lost-undone"])
def test_a_drive_that_only_says_it_is_idle_is_sent_the_command_again_when_its_answer_was_lost(
    tmp_path: Path, how: str
) -> None:
    """Nothing it says could show that the first one was carried out; a second one harms nothing."""
    drive = CommandDrive()
    drive.answers, drive.tells_history, drive.loses_once = how, False, True  # type: ignore[assignment]
    result = outcome_of(drive, tmp_path)
    assert result.state == "succeeded", result.run.error
    assert [c["accepted"] for c in result.method.commands] == ["unknown", "yes"]
    assert drive.started == [START, START]


def test_a_drive_that_never_answers_and_tells_nothing_is_given_up(tmp_path: Path) -> None:
    drive = CommandDrive()
    drive.answers, drive.tells_history = "lost", False
    assert outcome_of(drive, tmp_path).error_code == "unanswered-destructive-command"


def test_a_command_the_drive_knows_nothing_of_is_sent_again_and_then_given_up(tmp_path: Path) -> None:
    drive = CommandDrive()
    drive.answers = "lost-undone"
    result = outcome_of(drive, tmp_path)
    assert (result.state, result.error_code) == ("failed", "unanswered-destructive-command")
    assert drive.started == [START, START]
    assert [c["accepted"] for c in result.method.commands] == ["unknown", "unknown"]


def test_a_device_that_vanishes_is_never_a_success(tmp_path: Path) -> None:
    drive = CommandDrive()
    drive.answers = "gone"
    result = outcome_of(drive, tmp_path)
    assert (result.state, result.error_code, result.resumable) == ("interrupted", "device-gone", True)
    assert result.method.commands[-1]["accepted"] == "unknown"


def test_a_capacity_that_comes_back_is_waited_for(tmp_path: Path) -> None:
    drive = CommandDrive()
    drive.wrong_sizes = 3
    assert outcome_of(drive, tmp_path).state == "succeeded"


def test_a_capacity_that_stays_zero_is_never_done(tmp_path: Path) -> None:
    drive = CommandDrive()
    drive.wrong_sizes = 1_000_000
    result = outcome_of(drive, tmp_path)
    assert (result.state, result.error_code) == ("failed", "capacity-changed")


def test_a_drive_without_capacity_after_its_own_command_has_failed_and_is_not_waited_for(tmp_path: Path) -> None:
    drive = CommandDrive()
    drive.right_sizes = 1
    result = outcome_of(drive, tmp_path)
    assert (result.state, result.error_code) == ("failed", "capacity-changed")


def test_another_medium_afterwards_is_never_a_success(tmp_path: Path) -> None:
    drive = CommandDrive()
    system = CommandSystem(drive)
    _after_start(drive, lambda: setattr(drive, "serial", "SIM-0666"))
    result = command(system, tmp_path)
    assert (result.state, result.error_code) == ("failed", "identity-changed")
    assert result.run.identity_fingerprint_after == identity("SIM-0666", drive.size).fingerprint


# --- passwords ---


def test_without_anybody_to_keep_a_password_nothing_is_touched(tmp_path: Path) -> None:
    drive = CommandDrive()
    result = command(CommandSystem(drive), tmp_path, PASSWORD_ERASE, hooks=Hooks())
    assert (result.state, result.error_code, result.touched) == ("refused", "escrow-not-confirmed", "no")
    assert drive.spent_writes == []


def test_no_technique_sets_a_password_that_nobody_keeps_whatever_its_name(tmp_path: Path) -> None:
    drive = CommandDrive()
    system = CommandSystem(drive)
    system.techniques[BLOCK_ERASE[0]] = PasswordErase(blocking=True, resumes=False)
    result = command(system, tmp_path, hooks=Hooks())
    assert (result.state, result.error_code) == ("interrupted", "escrow-not-confirmed")
    assert drive.password is None


@pytest.mark.parametrize("error", [EscrowNotConfirmed(kind="k", reason="no answer"), OSError("disk full")])
def test_an_escrow_that_is_not_confirmed_leaves_the_drive_without_password_and_the_run_resumable(
    tmp_path: Path, error: Exception
) -> None:
    drive = CommandDrive()

    def refuse(_: Escrow) -> None:
        raise error

    result = command(CommandSystem(drive), tmp_path, PASSWORD_ERASE, hooks=Hooks(escrow=refuse))
    assert (result.state, result.error_code, result.resumable) == ("interrupted", "escrow-not-confirmed", True)
    assert drive.password is None
    assert drive.started == []


class _Mute(PasswordErase):
    """Its identify data cannot be read afterwards."""

    def standing(self, ports: Ports) -> SanitizeStanding:
        return dataclasses.replace(super().standing(ports), phase=SanitizePhase.UNKNOWN)


@pytest.mark.parametrize("opens", [True, False])
def test_a_drive_that_erases_and_keeps_the_password_is_rid_of_it_or_no_success(tmp_path: Path, *, opens: bool) -> None:
    drive = CommandDrive()
    system = CommandSystem(drive)
    system.techniques["ata-security-erase"] = _Mute(name="ata-security-erase", blocking=True, resumes=False)
    erase = drive._erase_unit

    def keeps(write: bytes) -> ScsiAnswer:
        answer = erase(write)
        drive.password = write
        return answer

    drive._erase_unit = keeps  # type: ignore[method-assign]
    if not opens:
        drive._disable = lambda write: drive._unlock(b"another" + write)  # type: ignore[method-assign]
    result = command(system, tmp_path, PASSWORD_ERASE)
    assert result.error_code == (None if opens else "locked-by-us")
    assert (drive.password is None) is opens


@pytest.mark.parametrize("how", ["lost-undone", "refused"])
def test_an_erase_that_fails_leaves_the_drive_without_our_password(tmp_path: Path, how: str) -> None:
    drive = CommandDrive()
    system = CommandSystem(drive)
    if how == "refused":
        drive._erase_unit = lambda write: drive._unlock(b"another" + write)  # type: ignore[method-assign]
    else:
        drive.answers = "lost-undone"
    result = command(system, tmp_path, PASSWORD_ERASE)
    assert (result.state, result.error_code) == ("failed", "technique-failed")
    assert drive.password is None
    assert [c["command"] for c in result.method.commands][-2:] == ["UNLOCK", "DISABLE PASSWORD"]


def test_a_drive_that_keeps_our_password_is_told_as_locked_by_us(tmp_path: Path) -> None:
    drive = CommandDrive()
    drive.answers = "gone"
    system = CommandSystem(drive)
    drive._disable = lambda write: drive._unlock(b"another" + write)  # type: ignore[method-assign]
    result = command(system, tmp_path, PASSWORD_ERASE)
    assert (result.state, result.error_code) == ("interrupted", "locked-by-us")
    assert digest_of(SECRET)[:16] in (result.run.error or "")
    assert drive.started == [ERASE]


# --- permission ---


def test_the_clearance_is_proven_again_right_before_the_command(tmp_path: Path) -> None:
    drive = CommandDrive()
    system = CommandSystem(drive)
    flush = drive.flush

    def mounted() -> None:
        flush()
        drive.obstacles = (MountedFilesystem(mount_points=("/mnt",)),)

    drive.flush = mounted  # type: ignore[method-assign]
    result = command(system, tmp_path)
    assert (result.state, result.error_code, result.resumable) == ("interrupted", "mounted-filesystem", True)
    assert drive.started == []


class _Careless(SelfSanitize):
    """Sends without asking for leave again."""

    def start(self, hands: Hands) -> tuple[Sent, ...]:
        return super().start(dataclasses.replace(hands, prove=lambda: None))


class _Trusting(SelfSanitize):
    """Asks for leave, after something has happened that no earlier proof could know of."""

    def start(self, hands: Hands) -> tuple[Sent, ...]:
        drive = port_of(hands.ports)._drive
        drive.obstacles = (MountedFilesystem(mount_points=("/mnt",)),)
        return super().start(hands)


@pytest.mark.parametrize("technique", [_Careless(), _Trusting()], ids=["by the engine", "by the technique"])
def test_each_of_the_two_proofs_holds_on_its_own(tmp_path: Path, technique: SelfSanitize) -> None:
    drive = CommandDrive()
    system = CommandSystem(drive)
    system.techniques["nvme-sanitize-block-erase"] = technique
    flush = drive.flush

    def mounted() -> None:
        flush()
        drive.obstacles = (MountedFilesystem(mount_points=("/mnt",)),) if isinstance(technique, _Careless) else ()

    drive.flush = mounted  # type: ignore[method-assign]
    result = command(system, tmp_path)
    assert (result.state, result.error_code) == ("interrupted", "mounted-filesystem")
    assert drive.started == []
    assert result.method.commands == ()


def test_a_technique_the_drive_does_not_fit_any_more_refuses_before_anything_is_written(tmp_path: Path) -> None:
    drive = CommandDrive()
    system = CommandSystem(drive)
    system.techniques["nvme-sanitize-block-erase"] = SelfSanitize(refused=("It is frozen.",))
    result = command(system, tmp_path)
    assert (result.state, result.error_code, result.touched) == ("refused", "no-technique", "no")
    assert drive.spent_writes == []


class _AtWork(SelfSanitize):
    """Somebody else's operation is under way, and only its own status tells."""

    def standing(self, ports: Ports) -> SanitizeStanding:
        return dataclasses.replace(super().standing(ports), phase=SanitizePhase.IN_PROGRESS, progress=7)


def test_a_drive_at_work_for_somebody_else_is_neither_marked_nor_sent_anything(tmp_path: Path) -> None:
    drive = CommandDrive()
    system = CommandSystem(drive)
    system.techniques["nvme-sanitize-block-erase"] = _AtWork()
    result = command(system, tmp_path)
    assert (result.state, result.error_code, result.touched) == ("refused", "sanitize-in-progress", "no")
    assert (drive.spent_writes, drive.started) == ([], [])


def test_a_revert_without_the_number_it_needs_touches_nothing(tmp_path: Path) -> None:
    drive = CommandDrive()
    system = CommandSystem(drive)
    system.techniques["opal-psid-revert"] = SelfSanitize(name="opal-psid-revert")
    result = command(system, tmp_path, ("opal-psid-revert",))
    assert (result.state, result.error_code, result.touched) == ("refused", "no-technique", "no")
    assert (drive.spent_writes, drive.started) == ([], [])


def test_a_drive_that_becomes_unfit_while_canaries_are_written_is_sent_nothing(tmp_path: Path) -> None:
    drive = CommandDrive()
    system = CommandSystem(drive)
    technique = SelfSanitize()
    system.techniques["nvme-sanitize-block-erase"] = technique
    flush = drive.flush

    def frozen() -> None:
        flush()
        technique.refused = ("It is frozen.",)

    drive.flush = frozen  # type: ignore[method-assign]
    result = command(system, tmp_path)
    assert (result.state, result.error_code, result.resumable) == ("interrupted", "no-technique", True)
    assert drive.started == []


def test_a_stop_while_the_drive_works_leaves_it_working_and_the_run_resumable(tmp_path: Path) -> None:
    drive = CommandDrive()
    drive.stalls = True
    stop = threading.Event()

    def tell(progress: Progress) -> None:
        if progress.state == "settling":
            stop.set()

    result = command(CommandSystem(drive), tmp_path, hooks=Hooks(progress=tell, stop=stop))
    assert (result.state, result.resumable) == ("interrupted", True)
    assert drive.working


# --- progress ---


def test_progress_tells_the_stages_and_what_the_drive_itself_says_is_left(tmp_path: Path) -> None:
    drive = CommandDrive()
    drive.polls = 20
    told: list[Progress] = []
    system = CommandSystem(drive)
    command(
        system, tmp_path, hooks=Hooks(progress=told.append), settings=dataclasses.replace(SETTINGS, poll_seconds=10)
    )
    states = list(dict.fromkeys(each.state for each in told))
    assert states == ["cleared", "executing", "settling", "verifying", "succeeded"]
    assert {each.bytes_total for each in told[5:]} == {3 * drive.size}
    assert told[-1].bytes_done == 3 * drive.size
    left = [each.seconds_left for each in told if each.state == "settling" and each.seconds_left is not None]
    assert len(left) > 5
    assert max(left) > min(left)


def test_an_unknown_estimate_is_told_as_unknown(tmp_path: Path) -> None:
    drive = CommandDrive()
    system = CommandSystem(drive)
    system.techniques["nvme-sanitize-block-erase"] = SelfSanitize(estimate=None)
    told: list[Progress] = []
    command(system, tmp_path, hooks=Hooks(progress=told.append))
    assert {each.seconds_left for each in told if each.state in {"cleared", "executing"}} == {None}


def test_escrow_is_asked_once(tmp_path: Path) -> None:
    kept: list[Escrow] = []
    command(CommandSystem(CommandDrive()), tmp_path, PASSWORD_ERASE, hooks=escrowed(kept))
    assert len(kept) == 1


@pytest.mark.parametrize(
    ("resumes", "phase", "progress"),
    [
        (True, SanitizePhase.IN_PROGRESS, 100),
        (False, SanitizePhase.IN_PROGRESS, None),
        (False, SanitizePhase.SUCCEEDED, 100),
        (False, SanitizePhase.UNKNOWN, 100),
    ],
)
def test_only_progress_of_what_does_not_go_on_by_itself_can_be_left_over(
    resumes: bool, phase: SanitizePhase, progress: int | None
) -> None:
    technique: Any = SimpleNamespace(resumes=resumes, name="some-technique")
    standing = SanitizeStanding(phase=phase, progress=progress, raw=b"")
    nobody_asks: Any = object()  # what is asked anew, or waited for, fails
    assert Commanding._left_over(nobody_asks, technique, standing) is False
