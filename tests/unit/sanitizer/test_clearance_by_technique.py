"""An obstacle stands against the techniques it concerns, and against no run that only waits for its own operation."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from sanitizer.clearance import Confirmation, _reaches_neighbours, clear, concerns, obstacles_to
from sanitizer.errors import DormantMember, MountedFilesystem, Refused
from sanitizer.errors.drives import (
    CapacityHidden,
    InFailureMode,
    NeighbourInUse,
    OpalLocked,
    SanitizeInProgress,
    SecurityFrozen,
    SecurityLocked,
)
from sanitizer.inspection import Inspection
from sanitizer.planning import Plan, PlanRequest, plan
from tests.support.made_up_drives import ATA_OLD_HDD, ATA_SSD, NVME, NVME_TWO
from tests.support.pretend_techniques import PRETENDED

FAILED = InFailureMode(mode="restricted")
RUNNING = SanitizeInProgress(progress=7)
LOCKED = SecurityLocked(attempts_exhausted="no")
MOUNTED = MountedFilesystem(mount_points=("/mnt",))
UNREADABLE = DormantMember(signatures=("unreadable-area",))


def with_obstacles(inspection: Inspection, *obstacles: Refused) -> Inspection:
    names = tuple(name for each in obstacles if isinstance(each, DormantMember) for name in each.signatures)
    return dataclasses.replace(inspection, obstacles=obstacles, dormant_signatures=names)


def planned(technique: str, inspection: Inspection = ATA_SSD) -> Plan:
    pattern_set = "keyed-stream" if technique == "overwrite" else "canaries"
    return plan(PlanRequest(method="clear", technique=technique, pattern_set=pattern_set), inspection, PRETENDED)


def against(technique: str, *obstacles: Refused, inspection: Inspection = ATA_SSD, settling: bool = False) -> list[str]:
    yes = Confirmation(fingerprint=inspection.fingerprint or "")
    found = obstacles_to(with_obstacles(inspection, *obstacles), planned(technique, inspection), yes, settling=settling)
    return [each.code for each in found]


@pytest.mark.parametrize(
    ("obstacle", "technique", "stands"),
    [
        (FAILED, "overwrite", True),
        (FAILED, "ata-security-erase", True),
        (FAILED, "ata-sanitize-block-erase", False),
        (FAILED, "scsi-sanitize-overwrite", False),
        (FAILED, "nvme-sanitize-crypto-erase", False),
        (FAILED, "nvme-format-user-data", True),
        (FAILED, "mmc-sanitize", True),
        (RUNNING, "ata-sanitize-block-erase", True),
        (LOCKED, "ata-sanitize-block-erase", True),
        (LOCKED, "overwrite", True),
        (OpalLocked(state=("locked",)), "overwrite", True),
        (OpalLocked(state=("locked",)), "opal-psid-revert", False),
        (OpalLocked(state=("locked",)), "opal-revert", False),
        (CapacityHidden(hidden_by=("hpa",)), "overwrite", True),
        (CapacityHidden(hidden_by=("hpa",)), "ata-security-erase", True),
        (CapacityHidden(hidden_by=("hpa",)), "ata-sanitize-overwrite", True),
        (SecurityFrozen(feature_set="security"), "ata-security-erase-enhanced", True),
        (SecurityFrozen(feature_set="security"), "ata-sanitize-block-erase", False),
        (SecurityFrozen(feature_set="sanitize"), "ata-sanitize-block-erase", True),
        (SecurityFrozen(feature_set="sanitize"), "ata-security-erase", False),
        (SecurityFrozen(feature_set="sanitize"), "overwrite", False),
        (MOUNTED, "ata-sanitize-block-erase", True),
        (UNREADABLE, "ata-sanitize-block-erase", True),
    ],
)
def test_an_obstacle_stands_against_the_techniques_it_concerns(obstacle: Refused, technique: str, stands: bool) -> None:
    assert concerns(obstacle, technique) is stands


def test_failure_mode_stands_against_overwriting_and_not_against_sanitize() -> None:
    assert against("overwrite", FAILED) == ["in-failure-mode"]
    assert against("ata-sanitize-block-erase", FAILED) == []
    assert against("ata-sanitize-block-erase", FAILED, MOUNTED) == ["mounted-filesystem"]


def test_one_step_it_concerns_is_enough() -> None:
    found = against("overwrite+ata-security-erase-enhanced", FAILED, inspection=ATA_OLD_HDD)
    assert found == ["in-failure-mode"]


def test_an_operation_under_way_is_an_obstacle_to_all_but_its_own_run() -> None:
    assert against("ata-sanitize-block-erase", RUNNING) == ["sanitize-in-progress"]
    assert against("ata-sanitize-block-erase", RUNNING, settling=True) == []
    assert against("ata-sanitize-block-erase", UNREADABLE, settling=True) == []
    assert against("ata-security-erase", LOCKED, FAILED, settling=True) == []


@pytest.mark.parametrize("obstacle", [MOUNTED, DormantMember(signatures=("zfs-member", "unreadable-area"))])
def test_waiting_for_the_own_operation_moves_no_other_obstacle(obstacle: Refused) -> None:
    assert against("ata-sanitize-block-erase", obstacle, settling=True) == [obstacle.code]


def test_the_clearance_is_proven_by_the_same_rules() -> None:
    yes = Confirmation(fingerprint=ATA_SSD.fingerprint or "")
    now = ATA_SSD.taken + timedelta(seconds=1)
    sanitize = clear(with_obstacles(ATA_SSD, FAILED), planned("ata-sanitize-block-erase"), yes, now)
    sanitize.prove(with_obstacles(ATA_SSD, FAILED))
    with pytest.raises(SanitizeInProgress):
        sanitize.prove(with_obstacles(ATA_SSD, RUNNING))
    sanitize.prove(with_obstacles(ATA_SSD, RUNNING), settling=True)
    overwrite = clear(ATA_SSD, planned("overwrite"), yes, now)
    with pytest.raises(InFailureMode):
        overwrite.prove(with_obstacles(ATA_SSD, FAILED))
    with pytest.raises(SanitizeInProgress):
        clear(with_obstacles(ATA_SSD, RUNNING), planned("ata-sanitize-block-erase"), yes, now)
    clear(with_obstacles(ATA_SSD, RUNNING), planned("ata-sanitize-block-erase"), yes, now, settling=True)


NEIGHBOUR = NeighbourInUse(neighbour="/dev/nvme0n2", because=("mounted",))


def test_a_neighbour_in_use_stands_against_what_reaches_the_whole_drive_and_only_that() -> None:
    """Whoever has accepted the loss of the other namespace has not accepted that it is in use."""
    wide = PlanRequest(
        method="purge",
        technique="nvme-sanitize-block-erase",
        pattern_set="canaries",
        acknowledged_scope=("other-namespaces",),
    )
    yes = Confirmation(fingerprint=NVME_TWO.fingerprint or "")
    seen = with_obstacles(NVME_TWO, NEIGHBOUR)
    assert [e.code for e in obstacles_to(seen, plan(wide, NVME_TWO, PRETENDED), yes)] == ["neighbour-in-use"]
    assert not obstacles_to(seen, planned("overwrite", NVME_TWO), yes)
    alone = with_obstacles(NVME, NEIGHBOUR)
    assert not obstacles_to(
        alone, planned("nvme-sanitize-block-erase", NVME), Confirmation(fingerprint=NVME.fingerprint or "")
    )


def test_what_is_not_known_of_technique_or_drive_reaches_the_neighbours() -> None:
    assert _reaches_neighbours("nvme-sanitize-of-tomorrow", NVME)
    assert _reaches_neighbours("nvme-sanitize-block-erase", dataclasses.replace(NVME, capabilities=None))
    assert not _reaches_neighbours("nvme-sanitize-block-erase", NVME)
    assert not _reaches_neighbours("overwrite", NVME_TWO)
