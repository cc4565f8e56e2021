"""Every combination of techniques on drives of many kinds: a key's end before its data, overwriting before each technique."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sanitizer.hooks import Hooks
from sanitizer.planning import COMBINATIONS, HOST, PlanRequest
from sanitizer.techniques import TECHNIQUES
from sanitizer.techniques.base import Escrow

from .drives.faults import Faults
from .drives.nvme_asking import drive
from .drives.nvme_world import mmc_world, nvme_world
from .drives.opal import PSID
from .drives.scsi_world import scsi_world
from .drives.world import World
from .test_in_process_nvme import card, opal_of
from .test_in_process_nvme_runs import OWNER, REVERTS
from .test_in_process_scsi import BY_ADDRESS, FAILED, GOOD, RESIDUAL, SECRET, SECURITY, ata, scsi
from .ways_out import of_nvme, of_scsi

GONE, LOCKED = "interrupted: device-gone", "interrupted: locked-by-us"
KEYS_FIRST = tuple(sorted("+".join(steps) for steps in COMBINATIONS))
OVERWRITE_FIRST = tuple(f"{HOST}+{name}" for name in TECHNIQUES if not name.startswith("luks-"))
STALE = "failed: stale-success"
MOVED, SHRUNK = "interrupted: identity-mismatch", "failed: capacity-changed"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What is wrong with a drive, and what must come of it."""

    faults: Mapping[str, object] = field(default_factory=dict)
    outcome: str = GOOD
    two: str = ""
    """Of two of the drive's own techniques: what the second is proven against is seen before it is sent."""
    password: str = ""
    """Where the second step gives the drive a password."""
    others: bool = False
    """Whether it is a kind of eMMC, and of drives with Opal, too."""

    def expects(self, technique: str) -> str:
        """What must come of one plan."""
        if technique.startswith("ata-") and self.outcome == RESIDUAL:
            return STALE  # its status is the one that the first step left: nobody saw the second at work
        if not technique.startswith(HOST):
            return self.two or self.outcome
        return self.password or self.outcome if technique.removeprefix(f"{HOST}+") in SECURITY else self.outcome


KINDS: Mapping[str, Kind] = {
    "good": Kind(others=True),
    "slow": Kind(faults={"seconds": 600}),
    "fails half-way": Kind(faults={"seconds": 10, "fail_at": 0.5}, outcome=FAILED),
    "refuses": Kind(faults={"refuses": frozenset({"sanitize", "security", "erase-unit", "format"})}, outcome=FAILED),
    "lies: nothing": Kind(faults={"erases": "nothing"}, outcome=RESIDUAL, others=True),
    "lies: first megabyte": Kind(faults={"erases": "first-megabyte"}, outcome=RESIDUAL),
    "lies: all but one block": Kind(faults={"erases": "all-but-one-block"}, outcome=RESIDUAL),
    "reset, lost": Kind(faults={"reset": "lost"}, password=FAILED),
    "reset, carried on": Kind(faults={"reset": "carried-on"}),
    "vanishes": Kind(faults={"seconds": 10, "vanish_at": 0.5}, outcome=GONE, password=LOCKED),
    "changes its serial number": Kind(faults={"new_serial": "OTHER"}, outcome="failed: identity-changed", two=MOVED),
    "no capacity meanwhile": Kind(faults={"seconds": 30, "capacity_during": "zero"}),
    "no capacity afterwards": Kind(faults={"capacity_after": "zero"}, outcome=SHRUNK, two=MOVED),
    "bad sectors, reading": Kind(faults={"bad_reads": ((1000, 8),)}, outcome="failed: unreadable"),
    "bad sectors, writing": Kind(faults={"bad_writes": ((1000, 8),)}, outcome="failed: unwritable-region"),
}


@dataclass
class Made:
    """A drive on a host."""

    world: World[Any]
    left: Callable[[], tuple[int, int]]
    """Blocks a host can address, and spare ones, that still hold the secret."""
    stuck: Callable[[Sequence[Escrow]], str]
    """Empty, or why it is locked without a way out."""
    secret: bytes = b""


def made(technique: str, faults: Mapping[str, Any]) -> Made:
    """One that knows the last technique of the plan."""
    last = technique.rpartition("+")[2]
    if last.startswith("mmc"):
        device = card(**faults)
        return Made(mmc_world(device), lambda: (int("user" in device.remains(SECRET)), 0), lambda _: "")
    if last.startswith(("nvme", "opal")):
        controller = drive(faults=Faults(**faults))
        secret = b""
        if last.startswith("opal"):
            opal_of(controller).own(OWNER)
            secret = PSID if last == REVERTS[0] else OWNER
        medium = controller.subsystem.medium
        world: World[Any] = nvme_world(controller)

        def stuck(_kept: Sequence[Escrow]) -> str:
            return of_nvme(controller)

    else:
        disk = (ata if last.startswith("ata") else scsi)(**faults)()
        medium, world, secret = disk.medium, scsi_world(disk), b""

        def stuck(_kept: Sequence[Escrow]) -> str:
            return of_scsi(disk, _kept)

    return Made(world, lambda: (len(medium.remains(SECRET)[0]), len(medium.remains(SECRET)[1])), stuck, secret)


def cells() -> Iterator[tuple[str, str, Kind]]:
    """Technique, name of the kind, kind."""
    for technique in (*KEYS_FIRST, *OVERWRITE_FIRST):
        for name, kind in KINDS.items():
            if kind.others or not technique.rpartition("+")[2].startswith(("mmc", "opal")):
                yield technique, name, kind


def asked(technique: str) -> PlanRequest:
    method = "purge" if "-sanitize" in technique else "clear"
    return PlanRequest(method=method, technique=technique, pattern_set="canaries", verification="full")


@pytest.mark.parametrize(("technique", "name"), [cell[:2] for cell in cells()])
def test_each_combination_on_each_kind_of_drive(technique: str, name: str, tmp_path: Path) -> None:
    kind, kept = KINDS[name], list[Escrow]()
    tested = made(technique, kind.faults)
    hooks = Hooks(escrow=kept.append, secret=tested.secret)
    assert tested.world.outcome(asked(technique), tmp_path, hooks) == kind.expects(technique)
    if kind.expects(technique) == GOOD:
        blocks, spare = tested.left()
        assert blocks == 0
        last = technique.rpartition("+")[2]
        assert not spare or last in BY_ADDRESS or last.startswith("nvme-format")
    assert tested.stuck(kept) == ""


def test_every_combination_there_is_has_cells() -> None:
    assert {technique for technique, _, _ in cells()} == {*KEYS_FIRST, *OVERWRITE_FIRST}
    assert len(KEYS_FIRST) == 6
