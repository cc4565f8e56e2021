"""Runs on emulated ATA and SCSI drives that are cut off: killed, stopped, without power; and what a record says of the others."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from sanitizer.capability import SanitizePhase
from sanitizer.planning import PlanRequest
from sanitizer.stretch import Hooks
from sanitizer.techniques.base import Escrow

from .drives.ata import AtaDrive
from .drives.ata_registers import Taskfile
from .drives.clock import ManualClock
from .drives.faults import Faults
from .drives.medium import Medium
from .drives.ports import ScsiBlocks
from .drives.sat import SataDisk, encode_16
from .drives.scsi import ScsiDisk
from .drives.scsi_world import power_lost, scsi_world
from .drives.world import World
from .test_in_process_scsi import ATA_SANITIZE, FORMAT, GOOD, NO, SCSI_SANITIZE, SECRET, SECURITY, asked


class Killed(BaseException):
    """The process dies; nothing of ours may catch it."""


@dataclass
class Guillotine:
    """A target in front of a target: the process dies at one of the commands that change the drive, or ask how it stands."""

    target: SataDisk | ScsiDisk
    at: int
    when: str
    """before or after the drive has carried it out."""
    count: int = 0
    name: str = ""

    def command(self, cdb: bytes, data_out: bytes) -> tuple[int, bytes, bytes]:
        mine = False
        if cdb[0] in {0x48, 0x04, 0x03} or (cdb[0] == 0x85 and cdb[14] in {0xB4, *range(0xF1, 0xF7)}):
            mine, self.count = self.count == self.at, self.count + 1
        if mine:
            self.name = f"{cdb.hex()} {self.when}"
        if mine and self.when == "before":
            raise Killed
        answer = self.target.command(cdb, data_out)
        if mine:
            raise Killed
        return answer

    def power_cut(self) -> None:
        self.target.power_cut()

    def power_on(self) -> None:
        self.target.power_on()

    def reset(self) -> None:
        self.target.reset()


def small(technique: str) -> SataDisk | ScsiDisk:
    made = Medium(512, faults=Faults(seconds=30), clock=ManualClock())
    made.fill(SECRET)
    disk = SataDisk(AtaDrive(made)) if technique.startswith("ata") else ScsiDisk(made)
    disk.attention = None
    return disk


def dies(technique: str, at: int, when: str, *, power: bool, journals: Path) -> str:
    """Kill a run at one command and go on with it; the name of the command, empty when the run came to its end before."""
    disk, kept = small(technique), list[Escrow]()
    hooks = Hooks(escrow=kept.append)
    world = scsi_world(disk)
    guillotine = Guillotine(disk, at, when)
    world.blocks = ScsiBlocks(guillotine, world.clock)
    began = disk.medium.erasure.begun
    try:
        assert world.wipe(asked(technique), journals, hooks).state == GOOD
    except Killed:
        pass
    else:
        return ""
    world.claimed = False
    if power:
        power_lost(world, disk)
    for _ in range(3):
        fresh = not any(journals.iterdir())  # it died while the plan was made
        again = world.wipe if fresh else world.go_on
        result = again(asked(technique), journals, hooks)
        if result.state != "interrupted":
            break
    assert (result.state, result.error_code) == (GOOD, None), (guillotine.name, result.run.error)
    assert disk.medium.remains(SECRET)[0] == [], guillotine.name
    assert disk.medium.erasure.begun - began <= 2, guillotine.name
    if isinstance(disk, SataDisk):
        assert disk.ata.security.user is None, guillotine.name
    return guillotine.name


@pytest.mark.parametrize(("when", "power"), [("before", False), ("after", False), ("after", True)])
@pytest.mark.parametrize("technique", [ATA_SANITIZE[1], *SECURITY, SCSI_SANITIZE[1], FORMAT])
def test_a_run_killed_at_any_command_is_brought_to_a_good_end(
    technique: str, when: str, power: bool, tmp_path: Path
) -> None:
    walked = 0
    while dies(technique, walked, when, power=power, journals=new(tmp_path / str(walked))):
        walked += 1
    assert walked > 3


def new(folder: Path) -> Path:
    folder.mkdir()
    return folder


def gone_on_by_itself(technique: str, seconds: float) -> tuple[SataDisk | ScsiDisk, World[ScsiBlocks]]:
    """A drive that somebody told to sanitize, and a host that knows nothing of it."""
    disk = small(technique)
    world = scsi_world(disk)
    disk.medium.faults.seconds = seconds
    disk.medium.erasure.start("block")
    return disk, world


@pytest.mark.parametrize("technique", [ATA_SANITIZE[1], SCSI_SANITIZE[1], SECURITY[0], FORMAT])
def test_another_host_finds_the_sanitize_in_progress_and_begins_nothing(technique: str, tmp_path: Path) -> None:
    disk, world = gone_on_by_itself(technique, 600)
    inspection = world.inspect()
    assert next(each.code for each in inspection.obstacles) == "sanitize-in-progress"
    assert inspection.capabilities is not None
    assert inspection.capabilities.standing is not None
    assert inspection.capabilities.standing.phase is SanitizePhase.IN_PROGRESS
    assert world.outcome(asked(technique), tmp_path) == NO
    assert disk.medium.erasure.begun == 1


@pytest.mark.parametrize("technique", [ATA_SANITIZE[0], SCSI_SANITIZE[2]])
def test_a_stop_is_heard_while_the_drive_works_and_the_run_goes_on_later(technique: str, tmp_path: Path) -> None:
    disk, stop = small(technique), threading.Event()
    disk.medium.faults.seconds = 600
    world = scsi_world(disk)
    world.waits = [lambda: None, stop.set]
    stopped = world.wipe(asked(technique), tmp_path, Hooks(stop=stop))
    assert (stopped.state, stopped.error_code) == ("interrupted", "interrupted")
    assert world.go_on(asked(technique), tmp_path).state == GOOD
    assert disk.medium.erasure.begun == 1  # it was waited for, not sent again


@pytest.mark.parametrize("technique", [ATA_SANITIZE[1], SCSI_SANITIZE[1]])
def test_a_sanitize_that_fails_while_nobody_looks_is_a_failure_for_the_resumed_run(
    technique: str, tmp_path: Path
) -> None:
    disk, stop = small(technique), threading.Event()
    disk.medium.faults.seconds = 600
    world = scsi_world(disk)
    world.waits = [stop.set]
    world.wipe(asked(technique), tmp_path, Hooks(stop=stop))
    disk.medium.faults.fail_at = 0.5
    power_lost(world, disk)
    world.clock.sleep(3600)
    result = world.go_on(asked(technique), tmp_path)
    assert (result.state, result.error_code) == ("failed", "technique-failed")


def test_no_password_is_set_while_nobody_keeps_it(tmp_path: Path) -> None:
    disk = small(SECURITY[1])
    world = scsi_world(disk)

    def forgets(_escrow: Escrow) -> None:
        raise OSError("the inventory does not answer")

    assert world.outcome(asked(SECURITY[1]), tmp_path / "1") == "refused: escrow-not-confirmed"
    assert world.outcome(asked(SECURITY[1]), tmp_path / "2", Hooks(escrow=forgets)).endswith("escrow-not-confirmed")
    assert not any(cdb[0] == 0x85 and cdb[14] in range(0xF1, 0xF7) for cdb in world.blocks.sent)


def test_the_commands_of_a_run_are_in_its_result_byte_by_byte(tmp_path: Path) -> None:
    result = scsi_world(small(ATA_SANITIZE[1])).wipe(asked(ATA_SANITIZE[1]), tmp_path)
    (only,) = result.method.commands
    erase = Taskfile(command=0xB4, feature=0x12, lba=0x426B4572, extend=True)
    assert only["sent"] == encode_16(erase, protocol=3, direction=0x20).hex()
    assert (only["opcode"], only["accepted"], only["reported"]) == ("b4", "yes", "success")
    # Registers: count 15:8 is 00h before and 80h (completed without error) after.
    status = [bytes.fromhex(str(only[moment])) for moment in ("before", "after")]
    assert [each[8:14].hex() for each in status] == ["090c01000000", "090c01008000"]


def test_a_combination_overwrites_first_and_erases_then(tmp_path: Path) -> None:
    disk, kept = small(SECURITY[1]), list[Escrow]()
    request = PlanRequest(
        method="clear",
        technique=f"overwrite+{SECURITY[1]}",
        pattern_set="canaries",
        verification="representative",
    )
    result = scsi_world(disk).wipe(request, tmp_path, Hooks(escrow=kept.append))
    assert (result.state, result.error_code) == (GOOD, None)
    assert result.method.passes[0].bytes_written == disk.medium.blocks * 512
    assert disk.medium.remains(SECRET) == ([], [])


def test_a_password_never_stands_in_a_result(tmp_path: Path) -> None:
    kept = list[Escrow]()
    result = scsi_world(small(SECURITY[0])).wipe(asked(SECURITY[0]), tmp_path, Hooks(escrow=kept.append))
    assert kept
    told = str(result.to_dict())
    assert all(each.secret.decode() not in told and each.secret.hex() not in told for each in kept)
