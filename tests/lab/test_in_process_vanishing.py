"""A drive that leaves in the middle of a run cuts it off; when the same drive is back, at whatever place, the run goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sanitizer import pending_runs
from sanitizer.hooks import Hooks
from sanitizer.planning import PlanRequest
from sanitizer.techniques.base import Escrow

from .drives.faults import Faults
from .drives.medium import Medium
from .drives.nvme_asking import drive
from .drives.nvme_world import nvme_world
from .drives.scsi_world import scsi_world
from .drives.world import World
from .test_in_process_nvme import BOTH
from .test_in_process_scsi import SECRET, ata, scsi

TECHNIQUES = (
    "ata-sanitize-block-erase",
    "ata-sanitize-overwrite",
    "ata-security-erase",
    "ata-security-erase-enhanced",
    "scsi-sanitize-block-erase",
    "scsi-format-unit",
    "nvme-sanitize-overwrite",
    "nvme-format-user-data",
    BOTH,
    "overwrite+ata-security-erase",
)


def made(technique: str, **faults: Any) -> tuple[World[Any], Medium, Callable[[], None]]:  # noqa: ANN401 - fields by name
    """A host with a drive, its medium, and what a power cycle is to it."""
    name = technique.removeprefix("overwrite+")
    if name.startswith("nvme"):
        controller = drive(faults=Faults(**faults))
        world: World[Any] = nvme_world(controller)
        medium = controller.subsystem.medium

        def cycle() -> None:
            controller.power_cut()
            controller.power_on()

        return world, medium, cycle
    disk = (ata if name.startswith("ata") else scsi)(**faults)()

    def cycled() -> None:
        disk.power_cut()
        disk.power_on()
        disk.attention = None

    return scsi_world(disk), disk.medium, cycled


def back(world: World[Any], medium: Medium, cycle: Callable[[], None]) -> None:
    """Pulled and put in again: the host counts another attachment."""
    medium.faults.vanish_at, medium.gone = None, False
    cycle()
    world.claimed, world.sequence = False, world.sequence + 1


def asked(technique: str) -> PlanRequest:
    method = "purge" if "-sanitize-" in technique else "clear"
    return PlanRequest(method=method, technique=technique, pattern_set="canaries")


@pytest.mark.parametrize("technique", TECHNIQUES)
def test_a_drive_that_left_in_the_middle_and_is_back_is_sanitized_by_the_same_run(
    technique: str, tmp_path: Path
) -> None:
    kept: list[Escrow] = []
    world, medium, cycle = made(technique, seconds=10, vanish_at=0.5)
    request, hooks = asked(technique), Hooks(escrow=kept.append)
    cut = world.wipe(request, tmp_path, hooks)
    locked = "ata-security" in technique
    assert (cut.state, cut.error_code) == ("interrupted", "locked-by-us" if locked else "device-gone")
    assert cut.resumable
    (pending,) = pending_runs(tmp_path)
    assert (pending.state, pending.result) == ("interrupted", None)
    back(world, medium, cycle)
    result = world.go_on(request, tmp_path, hooks)
    assert (result.state, result.error_code) == ("succeeded", None)
    assert medium.remains(SECRET)[0] == []
    assert result.device is not None
    assert result.device.hidden_capacity == ("unknown" if technique.startswith("scsi") else "no")
    assert [one.ended_by for one in result.run.segments] == ["stopped", "completed"]


def test_another_drive_at_its_place_does_not_get_its_run(tmp_path: Path) -> None:
    technique = "scsi-sanitize-block-erase"
    world, _, _ = made(technique, seconds=10, vanish_at=0.5)
    assert world.wipe(asked(technique), tmp_path).resumable
    other, medium, _ = made(technique)
    other.name = lambda: ("scsi", "SAS DISK", "ANOTHER")
    result = other.go_on(asked(technique), tmp_path)
    assert (result.state, result.error_code) == ("interrupted", "identity-mismatch")
    assert len(medium.remains(SECRET)[0]) == medium.blocks


def test_a_drive_that_leaves_while_it_is_looked_at_for_the_last_time_is_read_again_when_it_is_back(
    tmp_path: Path,
) -> None:
    technique = "scsi-sanitize-block-erase"
    world, medium, cycle = made(technique)
    inspect = world.inspect_open
    seen = world.blocks

    def leaves(device: Any) -> Any:  # noqa: ANN401 - hands on
        if medium.erasure.begun and not medium.remains(SECRET)[0]:
            medium.gone = True
        return inspect(device)

    world.inspect_open = leaves  # type: ignore[method-assign]  # pulled after the last read
    cut = world.wipe(asked(technique), tmp_path)
    assert (cut.state, cut.error_code) == ("interrupted", "device-gone")
    world.inspect_open = inspect  # type: ignore[method-assign]
    assert world.blocks is seen
    back(world, medium, cycle)
    assert world.go_on(asked(technique), tmp_path).state == "succeeded"
