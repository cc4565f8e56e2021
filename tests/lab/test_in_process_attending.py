"""Waiting for a drive that is at work, and unlocking one, without a run: by real techniques on emulated SATA and SAS drives."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from sanitizer.attending import settle, unlock
from sanitizer.capability import SanitizePhase
from sanitizer.errors import (
    Interrupted,
    LockedByUs,
    NoTechnique,
    Refused,
    TechniqueFailed,
    TechniqueStalled,
)
from sanitizer.hooks import Hooks
from sanitizer.planning import PlanRequest
from sanitizer.run import Progress

from .drives.ata import AtaDrive
from .drives.clock import ManualClock
from .drives.faults import Faults
from .drives.medium import Medium
from .drives.ports import ScsiBlocks
from .drives.sat import SataDisk
from .drives.scsi import ScsiDisk
from .drives.scsi_world import scsi_world
from .drives.world import PATH, SETTINGS, World

PASSWORD = b"somebody's password".ljust(32, b"\0")
TECHNIQUES = {"sata": "ata-sanitize-block-erase", "sas": "scsi-sanitize-block-erase"}


def drive(kind: str, **faults: object) -> SataDisk | ScsiDisk:
    medium = Medium(4096, faults=Faults(**faults), clock=ManualClock())  # type: ignore[arg-type]
    return SataDisk(AtaDrive(medium)) if kind == "sata" else ScsiDisk(medium)


def at_work(kind: str, journals: Path, **faults: object) -> tuple[World[ScsiBlocks], PlanRequest]:
    """A drive whose run was stopped while it worked."""
    world = scsi_world(drive(kind, **faults))
    stop = threading.Event()
    request = PlanRequest(method="purge", technique=TECHNIQUES[kind], pattern_set="canaries")
    world.waits = [stop.set]
    assert world.wipe(request, journals, Hooks(stop=stop)).resumable
    return world, request


@pytest.mark.parametrize("kind", TECHNIQUES)
def test_an_operation_under_way_is_waited_for_and_the_run_then_looks_at_the_medium(kind: str, tmp_path: Path) -> None:
    world, request = at_work(kind, tmp_path, seconds=7200)
    with pytest.raises(Refused):
        world.cleared(request)
    told: list[Progress] = []
    begun = world.clock.now()
    standing = settle(world, SETTINGS, PATH, Hooks(progress=told.append))
    assert standing.phase in {SanitizePhase.SUCCEEDED, SanitizePhase.IDLE}
    assert world.clock.now() - begun >= 7000
    assert {each.state for each in told} == {"settling"}
    left = [each.seconds_left for each in told if each.seconds_left is not None]
    assert left == sorted(left, reverse=True)
    assert world.go_on(request, tmp_path).state == "succeeded"


@pytest.mark.parametrize("kind", TECHNIQUES)
def test_an_operation_that_stands_still_is_given_up(kind: str, tmp_path: Path) -> None:
    world, _ = at_work(kind, tmp_path, stall_at=0.01, seconds=7200)
    with pytest.raises(TechniqueStalled):
        settle(world, SETTINGS, PATH, Hooks())


def test_a_stop_ends_the_waiting(tmp_path: Path) -> None:
    world, _ = at_work("sata", tmp_path, seconds=7200)
    stop = threading.Event()
    stop.set()
    with pytest.raises(Interrupted):
        settle(world, SETTINGS, PATH, Hooks(stop=stop))


def locked() -> tuple[World[ScsiBlocks], SataDisk]:
    disk = drive("sata")
    assert isinstance(disk, SataDisk)
    disk.ata.security.execute(0xF1, bytes(2) + PASSWORD + bytes(478))
    disk.ata.security.power_on()
    return scsi_world(disk), disk


def test_a_locked_drive_is_unlocked_and_its_password_taken_away() -> None:
    world, disk = locked()
    before = disk.medium.remains(bytes(16))
    unlock(world, PATH, PASSWORD)
    assert disk.ata.security.user is None
    assert not disk.ata.security.locked
    assert disk.medium.remains(bytes(16)) == before
    assert not world.claimed


@pytest.mark.parametrize("secret", [b"another password".ljust(32, b"\0"), b""])
def test_another_password_leaves_the_drive_as_it_was(secret: bytes) -> None:
    world, disk = locked()
    with pytest.raises((TechniqueFailed, LockedByUs)):
        unlock(world, PATH, secret)
    assert disk.ata.security.locked
    assert not world.claimed


def test_a_drive_without_a_password_needs_no_unlocking() -> None:
    unlock(scsi_world(drive("sata")), PATH, PASSWORD)


def test_a_drive_without_ata_security_cannot_be_unlocked() -> None:
    with pytest.raises(NoTechnique):
        unlock(scsi_world(drive("sas")), PATH, PASSWORD)
