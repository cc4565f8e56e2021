"""A run with the drive's own commands dies at each of its steps, before and after the step's effect; then it is resumed.

With an honest drive the end is a success that is true. With one that lies it never is, wherever the run died. No drive is left
with a password of ours that nobody has.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sanitizer import api
from sanitizer.capability import SanitizePhase
from sanitizer.run import RunResult
from tests.support.command_drive import ERASE, START, CommandDrive, CommandSystem, SelfSanitize
from tests.support.simulated_drive import BLOCK, Crash, Steps
from tests.unit.sanitizer.commanded import BLOCK_ERASE, CRYPTO_THEN_BLOCK, PASSWORD_ERASE, command, escrowed, go_on
from tests.unit.sanitizer.simulation import RUN

SIZE = 16 << 10
Steps_ = tuple[str, ...]


def honest() -> CommandDrive:
    return CommandDrive(size=SIZE)


def without_history() -> CommandDrive:
    drive = honest()
    drive.tells_history = False
    return drive


def sanitized_long_ago() -> CommandDrive:
    drive = honest()
    drive.phase, drive.operation = SanitizePhase.SUCCEEDED, 7
    return drive


def in_failure_mode() -> CommandDrive:
    drive = honest()
    drive.phase = SanitizePhase.FAILED_RESTRICTED
    return drive


def lying() -> CommandDrive:
    drive = honest()
    drive.leaves = [(SIZE - BLOCK, SIZE)]
    return drive


def lying_without_history() -> CommandDrive:
    drive = without_history()
    drive.leaves = [(0, SIZE)]
    return drive


KINDS: dict[str, tuple[Callable[[], CommandDrive], Steps_]] = {
    "status": (honest, BLOCK_ERASE),
    "idle only": (without_history, BLOCK_ERASE),
    "stale success before": (sanitized_long_ago, BLOCK_ERASE),
    "two steps": (honest, CRYPTO_THEN_BLOCK),
    "password": (honest, PASSWORD_ERASE),
    "failure mode": (in_failure_mode, BLOCK_ERASE),
}
LIARS: dict[str, tuple[Callable[[], CommandDrive], Steps_]] = {
    "all but one block": (lying, BLOCK_ERASE),
    "nothing, no history": (lying_without_history, BLOCK_ERASE),
    "password": (lying, PASSWORD_ERASE),
}


def _names(make: Callable[[], CommandDrive], steps: Steps_, journals: Path) -> list[str]:
    system = CommandSystem(make())
    command(system, journals, steps)
    return system.steps.names


def _die(drive: CommandDrive, steps: Steps_, journals: Path, number: int, when: str, *, power_cut: bool) -> None:
    system = CommandSystem(drive, Steps(crash_at=number, when=when))
    with pytest.raises(Crash):
        command(system, journals, steps)
    system.die(power_cut=power_cut)


def _finish(drive: CommandDrive, steps: Steps_, journals: Path, boot: str) -> RunResult:
    """What a restarted process does: read the journals first, then resume or begin."""
    system = CommandSystem(drive, boot=boot)
    if not api.pending_runs(journals):
        return command(system, journals, steps)
    return go_on(system, journals, steps)


@pytest.mark.parametrize("power_cut", [False, True], ids=["killed", "power cut"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_run_killed_at_any_step_is_resumed_to_a_true_success(
    tmp_path: Path, kind: str, when: str, *, power_cut: bool
) -> None:
    make, steps = KINDS[kind]
    names = _names(make, steps, tmp_path / "whole")
    assert {"journal step", "journal command-sending", "journal command-answered", "journal command-settled"} <= set(
        names
    )
    for number, name in enumerate(names):
        drive, journals = make(), tmp_path / str(number)
        _die(drive, steps, journals, number, when, power_cut=power_cut)
        result = _finish(drive, steps, journals, "boot-2" if power_cut else "boot-1")
        where = f"died {when} {name} ({number})"
        assert result.state == "succeeded", (where, result.run.error)
        assert not any(drive.durable), where
        assert result.verification.completed
        assert drive.password is None, where
        assert result.method.commands[-1]["reported"] == "success", where
        assert [c["number"] for c in result.method.commands] == list(range(1, len(result.method.commands) + 1))


@pytest.mark.parametrize("power_cut", [False, True], ids=["killed", "power cut"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", LIARS)
def test_a_lying_drive_never_gets_a_success_wherever_its_run_died(
    tmp_path: Path, kind: str, when: str, *, power_cut: bool
) -> None:
    make, steps = LIARS[kind]
    for number, name in enumerate(_names(make, steps, tmp_path / "whole")):
        drive, journals = make(), tmp_path / str(number)
        _die(drive, steps, journals, number, when, power_cut=power_cut)
        result = _finish(drive, steps, journals, "boot-2")
        assert result.state == "failed", (when, name, result.run.error)
        assert result.error_code == "residual", (when, name)
        assert drive.password is None


@pytest.mark.parametrize("when", ["before", "after"])
def test_no_command_is_sent_before_the_journal_says_so(tmp_path: Path, when: str) -> None:
    for number, name in enumerate(_names(honest, BLOCK_ERASE, tmp_path / "whole")):
        drive, journals = honest(), tmp_path / str(number)
        _die(drive, BLOCK_ERASE, journals, number, when, power_cut=False)
        pending = api.pending_runs(journals)
        if drive.started:
            assert pending[0].own_work or "command-settled" in (journals / RUN / "journal").read_text(), name
        if not pending or pending[0].touched == "no":
            assert not drive.started
            assert not drive.spent_writes


@pytest.mark.parametrize("kind", KINDS)
def test_a_command_that_was_answered_is_not_sent_again(tmp_path: Path, kind: str) -> None:
    make, steps = KINDS[kind]
    whole = make()
    names = _names(lambda: whole, steps, tmp_path / "whole")
    number = len(names) - 1 - names[::-1].index("journal command-answered")
    drive = make()
    _die(drive, steps, tmp_path / "j", number, "after", power_cut=True)
    assert _finish(drive, steps, tmp_path / "j", "boot-2").state == "succeeded"
    assert drive.started == whole.started


def test_what_does_not_go_on_by_itself_is_sent_again_after_a_power_cut(tmp_path: Path) -> None:
    """An accepted command of that kind says nothing of its end: the drive is idle because it lost power."""

    def system(drive: CommandDrive, steps: Steps | None = None, boot: str = "boot-1") -> CommandSystem:
        made = CommandSystem(drive, steps, boot)
        made.techniques[BLOCK_ERASE[0]] = SelfSanitize(resumes=False)
        return made

    whole = system(honest())
    command(whole, tmp_path / "whole")
    number = whole.steps.names.index("journal command-answered")
    drive = honest()
    first = system(drive, Steps(crash_at=number, when="after"))
    with pytest.raises(Crash):
        command(first, tmp_path / "j")
    first.die(power_cut=True)
    drive.phase = SanitizePhase.IDLE
    assert go_on(system(drive, boot="boot-2"), tmp_path / "j").state == "succeeded"
    assert drive.started == [START, START]


def test_canaries_altered_while_nobody_looked_are_written_anew(tmp_path: Path) -> None:
    names = _names(honest, BLOCK_ERASE, tmp_path / "whole")
    drive = honest()
    _die(drive, BLOCK_ERASE, tmp_path / "j", names.index("journal marked"), "after", power_cut=True)
    drive.erase()
    drive.spent_writes.clear()
    result = _finish(drive, BLOCK_ERASE, tmp_path / "j", "boot-2")
    assert result.state == "succeeded"
    assert sum(length for _, length in drive.spent_writes) == SIZE
    assert len(result.method.passes) == 1


def test_a_command_that_never_left_is_sent_although_the_drive_was_wiped_elsewhere(tmp_path: Path) -> None:
    """Its canaries are gone and an old success stands in its status: neither is this run's work."""
    names = _names(sanitized_long_ago, BLOCK_ERASE, tmp_path / "whole")
    drive = sanitized_long_ago()
    _die(drive, BLOCK_ERASE, tmp_path / "j", names.index("command 48"), "before", power_cut=True)
    drive.erase()
    assert drive.started == []
    result = _finish(drive, BLOCK_ERASE, tmp_path / "j", "boot-2")
    assert result.state == "succeeded"
    assert drive.started == [START]


def test_a_locked_drive_is_unlocked_with_the_journals_password_and_erased_again(tmp_path: Path) -> None:
    names = _names(honest, PASSWORD_ERASE, tmp_path / "whole")
    drive = honest()
    _die(drive, PASSWORD_ERASE, tmp_path / "j", names.index("command f4"), "before", power_cut=True)
    assert drive.locked
    (pending,) = api.pending_runs(tmp_path / "j")
    assert pending.own_work
    result = go_on(CommandSystem(drive, boot="boot-2"), tmp_path / "j", PASSWORD_ERASE)
    assert result.state == "succeeded", result.run.error
    assert drive.started == [ERASE]
    told = [c["command"] for c in result.method.commands]
    assert told == ["SET PASSWORD", "ERASE UNIT", "UNLOCK", "DISABLE PASSWORD", "SET PASSWORD", "ERASE UNIT"]


def test_a_run_given_up_with_its_password_on_the_drive_says_so(tmp_path: Path) -> None:
    names = _names(honest, PASSWORD_ERASE, tmp_path / "whole")
    drive = honest()
    _die(drive, PASSWORD_ERASE, tmp_path / "j", names.index("command f4"), "before", power_cut=True)
    (pending,) = api.pending_runs(tmp_path / "j")
    result = api.abandon(pending, "the drive is needed")
    assert (result.state, result.error_code) == ("interrupted", "locked-by-us")
    assert "unlock" in (result.remedy or "")
    assert len(result.method.commands) == 2


def test_the_password_goes_with_the_journal(tmp_path: Path) -> None:
    command(CommandSystem(honest()), tmp_path, PASSWORD_ERASE, hooks=escrowed())
    assert (tmp_path / RUN / "journal").stat().st_mode & 0o777 == 0o600
    api.discard_journal(tmp_path, RUN)
    assert not list(tmp_path.iterdir())
