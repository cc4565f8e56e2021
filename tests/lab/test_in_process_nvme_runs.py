"""Runs with the drives' own commands that are cut off, resumed, looked at by others; and TCG reverts, by the real engine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from sanitizer import pending_runs
from sanitizer.stretch import Hooks
from sanitizer.transport.commands import NvmeAnswer, NvmeCommand

from .drives.faults import Faults
from .drives.nvme import NvmeController
from .drives.nvme_asking import SECRET, drive
from .drives.nvme_ports import EmulatedNvmePort, NvmeBlocks
from .drives.nvme_world import nvme_world
from .drives.opal import PSID, Opal
from .drives.world import World
from .test_in_process_nvme import BOTH, FAILED, FORMAT, GOOD, NO, RESIDUAL, SANITIZE, asked, opal_of
from .ways_out import of_nvme


class Killed(BaseException):
    """The process dies; nothing of ours may catch it."""


def killed() -> None:
    raise Killed


def power_lost(world: World[NvmeBlocks], controller: NvmeController) -> None:
    """Process and drive lose power together, and come back."""
    controller.power_cut()
    world.clock.sleep(3600)
    controller.power_on()
    world.claimed, world.boot, world.sequence = False, "boot-2", world.sequence + 1


@pytest.mark.parametrize("technique", SANITIZE)
@pytest.mark.parametrize("waits", [1, 3])
def test_a_sanitize_goes_on_over_a_power_cut_and_is_settled_by_the_resumed_run(
    technique: str, waits: int, tmp_path: Path
) -> None:
    controller = drive(faults=Faults(seconds=600))
    world = nvme_world(controller)
    world.waits = [lambda: None] * (waits - 1) + [killed]
    with pytest.raises(Killed):
        world.wipe(asked(technique), tmp_path)
    power_lost(world, controller)
    begun = controller.subsystem.medium.erasure.begun
    result = world.go_on(asked(technique), tmp_path)
    assert (result.state, result.error_code) == ("succeeded", None)
    assert controller.subsystem.medium.erasure.begun == begun  # it was waited for, not sent again
    assert controller.subsystem.medium.remains(SECRET) == ([], [])


@pytest.mark.parametrize("technique", FORMAT)
def test_a_format_that_a_power_cut_ended_is_sent_again_though_the_drive_tells_of_it_for_ever(
    technique: str, tmp_path: Path
) -> None:
    controller = drive(faults=Faults(seconds=600, stall_at=0.25))
    controller.subsystem.traits.keeps_format_progress = True
    world = nvme_world(controller)
    world.waits = [killed]
    with pytest.raises(Killed):
        world.wipe(asked(technique), tmp_path)
    power_lost(world, controller)
    assert 0 < controller.subsystem.namespaces[0].format_percent_left < 100
    controller.subsystem.medium.faults.stall_at = None
    result = world.go_on(asked(technique), tmp_path)
    assert (result.state, result.error_code) == ("succeeded", None)
    assert controller.subsystem.medium.remains(SECRET)[0] == []
    assert [one["reported"] for one in result.method.commands] == ["unknown", "success"]


def test_a_format_of_somebody_else_is_not_disturbed_while_it_moves(tmp_path: Path) -> None:
    controller = drive()
    world, namespace = nvme_world(controller), controller.subsystem.namespaces[0]
    namespace.format_percent_left = 75

    def moves() -> None:
        namespace.format_percent_left -= 1

    world.waits = [moves] * 3
    result = world.wipe(asked(FORMAT[0]), tmp_path)
    assert (result.state, result.error_code, result.touched) == ("refused", "sanitize-in-progress", "no")
    assert len(controller.subsystem.medium.remains(SECRET)[0]) == 4096


def test_a_stop_is_heard_while_the_drive_works_and_the_run_goes_on_later(tmp_path: Path) -> None:
    controller = drive(faults=Faults(seconds=600))
    world, stop = nvme_world(controller), threading.Event()
    world.waits = [lambda: None, stop.set]
    stopped = world.wipe(asked(SANITIZE[1]), tmp_path, Hooks(stop=stop))
    assert (stopped.state, stopped.error_code) == ("interrupted", "interrupted")
    assert world.go_on(asked(SANITIZE[1]), tmp_path).state == "succeeded"


def test_another_host_finds_the_sanitize_in_progress_and_begins_nothing(tmp_path: Path) -> None:
    controller = drive(faults=Faults(seconds=600))
    world = nvme_world(controller)
    world.waits = [killed]
    with pytest.raises(Killed):
        world.wipe(asked(SANITIZE[1]), tmp_path)
    other = nvme_world(controller)
    assert next(each.code for each in other.inspect().obstacles) == "sanitize-in-progress"
    sent = len(other.blocks.port.sent)
    assert other.outcome(asked(SANITIZE[0]), tmp_path / "other") == NO
    assert 0x84 not in {command.opcode for command in other.blocks.port.sent[sent:]}


def test_a_sanitize_that_fails_while_nobody_looks_is_a_failure_for_the_resumed_run(tmp_path: Path) -> None:
    controller = drive(faults=Faults(seconds=600))
    world = nvme_world(controller)
    world.waits = [killed]
    with pytest.raises(Killed):
        world.wipe(asked(SANITIZE[1]), tmp_path)
    controller.subsystem.medium.faults.fail_at = 0.5
    power_lost(world, controller)
    world.clock.sleep(3600)
    result = world.go_on(asked(SANITIZE[1]), tmp_path)
    assert (result.state, result.error_code) == ("failed", "technique-failed")


def test_a_format_cut_off_by_a_power_cut_is_done_again(tmp_path: Path) -> None:
    controller = drive(faults=Faults(seconds=600, stall_at=0.5))
    world = nvme_world(controller)
    world.waits = [killed]  # the first question after the command timed out
    with pytest.raises(Killed):
        world.wipe(asked(FORMAT[0]), tmp_path)
    controller.subsystem.medium.faults.stall_at = None
    power_lost(world, controller)
    result = world.go_on(asked(FORMAT[0]), tmp_path)
    assert (result.state, result.error_code) == ("succeeded", None)
    assert controller.subsystem.medium.remains(SECRET)[0] == []


def test_the_commands_of_a_run_are_in_its_result_byte_by_byte(tmp_path: Path) -> None:
    controller = drive(faults=Faults(seconds=60))
    result = nvme_world(controller).wipe(asked(BOTH), tmp_path)
    first, second = result.method.commands
    assert (first["opcode"], first["accepted"], first["answer"]) == ("84", "yes", "0000")
    assert first["sent"] == "840000000000000004000000" + "00000000" * 5
    assert second["sent"] == "840000000000000002000000" + "00000000" * 5
    assert (first["before"][:16], first["after"][:16]) == ("ffff000000000000", "ffff010104000000")
    assert (second["before"][:16], second["after"][:16]) == ("ffff010104000000", "ffff010102000000")
    assert result.verification.expected.startswith("no-canary")


REVERTS = ("opal-psid-revert", "opal-revert")
OWNER = b"the owner's password"


def owned(opal: Opal) -> None:
    opal.own(OWNER)


def removes_slowly(opal: Opal) -> None:
    opal.own(OWNER)
    opal.removal_seconds = 600.0


def is_removing(opal: Opal) -> None:
    opal.own(OWNER)
    opal.removing = True


OPAL_KINDS: Mapping[str, tuple[Callable[[Opal], None], str]] = {
    "owned": (owned, GOOD),
    "removes in the background": (removes_slowly, GOOD),
    "in the factory state": (lambda _: None, NO),
    "locked": (lambda opal: opal.lock(OWNER), NO),
    "shadowed": (lambda opal: opal.shadow(OWNER), NO),
    "removing already": (is_removing, NO),
}


@pytest.mark.parametrize("technique", REVERTS)
@pytest.mark.parametrize("name", OPAL_KINDS)
def test_each_revert_on_each_state_of_opal(name: str, technique: str, tmp_path: Path) -> None:
    prepare, expected = OPAL_KINDS[name]
    controller = drive()
    prepare(opal_of(controller))
    secret = PSID if technique == REVERTS[0] else OWNER
    assert nvme_world(controller).outcome(asked(technique), tmp_path, Hooks(secret=secret)) == expected
    blocks, spare = controller.subsystem.medium.remains(SECRET)
    assert (len(blocks), len(spare)) == ((0, 0) if expected == GOOD else (4096, 16))
    assert of_nvme(controller) == ""


@pytest.mark.parametrize("technique", REVERTS)
def test_a_revert_needs_its_password_before_anything_is_written(technique: str, tmp_path: Path) -> None:
    controller = drive()
    opal_of(controller).own(OWNER)
    assert nvme_world(controller).outcome(asked(technique), tmp_path) == NO
    assert len(controller.subsystem.medium.remains(SECRET)[0]) == 4096


@pytest.mark.parametrize("technique", REVERTS)
def test_a_wrong_password_reverts_nothing(technique: str, tmp_path: Path) -> None:
    controller = drive()
    opal_of(controller).own(OWNER)
    assert nvme_world(controller).outcome(asked(technique), tmp_path, Hooks(secret=b"X" * 32)) == FAILED
    assert (opal_of(controller).reverts, opal_of(controller).active) == (0, True)


def test_a_revert_that_changes_no_key_is_found_out(tmp_path: Path) -> None:
    controller = drive(faults=Faults(erases="nothing"))
    opal_of(controller).own(OWNER)
    assert nvme_world(controller).outcome(asked(REVERTS[0]), tmp_path, Hooks(secret=PSID)) == RESIDUAL


@pytest.mark.parametrize("power", [False, True], ids=["process", "power"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("technique", [SANITIZE[1], FORMAT[0], BOTH])
def test_a_run_killed_at_any_command_is_brought_to_a_good_end(
    technique: str, when: str, power: bool, tmp_path: Path
) -> None:
    for number in range(0, 200, 3):
        controller = drive(faults=Faults(seconds=30), blocks=512)
        world = nvme_world(controller)
        journals = tmp_path / str(number)
        die_at(world.blocks.port, number, when)
        try:
            result = world.wipe(asked(technique), journals)
        except Killed:
            world.blocks = NvmeBlocks(controller)
            world.claimed = False
            if power:
                power_lost(world, controller)
            result = (
                world.go_on(asked(technique), journals) if begun(journals) else world.wipe(asked(technique), journals)
            )
        else:
            assert number > 20
            break
        assert (number, result.state, result.error_code) == (number, "succeeded", None)
        assert controller.subsystem.medium.remains(SECRET)[0] == []
    else:
        raise AssertionError("the run never came to its end")


def begun(journals: Path) -> bool:
    return bool(pending_runs(journals))


def die_at(port: EmulatedNvmePort, number: int, when: str) -> None:
    """The process dies at the command of this number, before it reaches the drive or before its answer is taken."""
    left, carry_out = [number], port.admin

    def admin(command: NvmeCommand, *, timeout_ms: int, read: int = 0, write: bytes = b"") -> NvmeAnswer:
        left[0] -= 1
        if left[0] == -1 and when == "before":
            raise Killed
        answer = carry_out(command, timeout_ms=timeout_ms, read=read, write=write)
        if left[0] == -1:
            raise Killed
        return answer

    port.admin = admin  # type: ignore[method-assign]  # this one port, for one run
