from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

import pytest

from sanitizer.clearance import VALID_FOR, Clearance, Confirmation, clear, obstacles_to
from sanitizer.errors import (
    ClearanceExpired,
    ClearanceSpent,
    ConfirmationMissing,
    DeviceChanged,
    DormantMember,
    FactsUnknown,
    IdentityMismatch,
    IdentityUnreadable,
    MountedFilesystem,
    PlanMismatch,
    Refused,
)
from sanitizer.inspection import Inspection
from sanitizer.planning import PlanRequest, plan
from tests.support.simulated_drive import SimulatedDrive, SimulatedSystem

SYSTEM = SimulatedSystem(SimulatedDrive())
INSPECTION = SYSTEM.inspect()
PLAN = plan(PlanRequest(), INSPECTION)
YES = Confirmation(fingerprint=INSPECTION.fingerprint or "")
NOW = INSPECTION.taken + timedelta(seconds=1)


def granted() -> Clearance:
    return clear(INSPECTION, PLAN, YES, NOW)


def with_obstacle(*obstacles: Refused, signatures: tuple[str, ...] = ()) -> Inspection:
    return dataclasses.replace(INSPECTION, obstacles=obstacles, dormant_signatures=signatures)


def test_a_device_without_obstacles_confirmed_by_its_fingerprint_is_cleared() -> None:
    clearance = granted()
    assert clearance.identity == INSPECTION.identity
    clearance.consume(NOW)
    clearance.prove(INSPECTION)


def test_a_clearance_is_used_once() -> None:
    clearance = granted()
    clearance.consume(NOW)
    with pytest.raises(ClearanceSpent):
        clearance.consume(NOW)


def test_an_expired_clearance_is_spent_as_well() -> None:
    clearance = granted()
    with pytest.raises(ClearanceExpired):
        clearance.consume(INSPECTION.taken + VALID_FOR)
    with pytest.raises(ClearanceSpent):
        clearance.consume(NOW)


@pytest.mark.parametrize("now", [INSPECTION.taken - timedelta(seconds=1), INSPECTION.taken + VALID_FOR])
def test_an_old_inspection_or_a_clock_set_back_gives_no_clearance(now: datetime) -> None:
    with pytest.raises(ClearanceExpired):
        clear(INSPECTION, PLAN, YES, now)


def test_a_clock_set_back_after_clearing_stops_the_run() -> None:
    with pytest.raises(ClearanceExpired):
        granted().consume(NOW - timedelta(days=1))


def test_a_time_without_offset_is_a_bug() -> None:
    with pytest.raises(TypeError):
        clear(INSPECTION, PLAN, YES, NOW.replace(tzinfo=None))


@pytest.mark.parametrize("typed", ["", "yes", (INSPECTION.fingerprint or "")[:-1], "0" * 64])
def test_anything_but_the_whole_fingerprint_is_no_confirmation(typed: str) -> None:
    with pytest.raises(ConfirmationMissing) as caught:
        clear(INSPECTION, PLAN, Confirmation(fingerprint=typed), NOW)
    assert caught.value.expected == INSPECTION.fingerprint


def test_every_obstacle_stands_and_the_gravest_is_raised() -> None:
    first, second = MountedFilesystem(mount_points=("/mnt",)), FactsUnknown(facts=("swap",))
    inspection = with_obstacle(first, second)
    assert obstacles_to(inspection, PLAN, YES) == (first, second)
    with pytest.raises(MountedFilesystem):
        clear(inspection, PLAN, YES, NOW)


def test_a_device_without_identity_is_refused_even_if_nothing_else_is_known_against_it() -> None:
    inspection = dataclasses.replace(INSPECTION, identity=None)
    with pytest.raises(IdentityUnreadable):
        clear(inspection, PLAN, YES, NOW)


def test_a_plan_for_another_size_is_refused() -> None:
    with pytest.raises(PlanMismatch):
        clear(INSPECTION, dataclasses.replace(PLAN, capacity_bytes=1), YES, NOW)


@pytest.mark.parametrize(
    ("in_plan", "in_confirmation", "left"),
    [
        ((), (), ("lvm2-member", "zfs-member")),
        (("lvm2-member", "zfs-member"), (), ("lvm2-member", "zfs-member")),
        ((), ("lvm2-member", "zfs-member"), ("lvm2-member", "zfs-member")),
        (("lvm2-member",), ("lvm2-member",), ("zfs-member",)),
        (("lvm2-member", "zfs-member"), ("lvm2-member", "zfs-member"), None),
    ],
)
def test_a_dormant_group_must_be_named_in_the_plan_and_in_the_confirmation(
    in_plan: tuple[str, ...], in_confirmation: tuple[str, ...], left: tuple[str, ...] | None
) -> None:
    names = ("lvm2-member", "zfs-member")
    inspection = with_obstacle(DormantMember(signatures=names), signatures=names)
    planned = plan(PlanRequest(acknowledged_signatures=in_plan), inspection)
    said = dataclasses.replace(YES, acknowledged_signatures=in_confirmation)
    if left is None:
        clear(inspection, planned, said, NOW).prove(inspection)
        return
    with pytest.raises(DormantMember) as caught:
        clear(inspection, planned, said, NOW)
    assert caught.value.signatures == left


def test_acknowledging_a_signature_moves_no_other_obstacle() -> None:
    inspection = with_obstacle(
        MountedFilesystem(mount_points=("/",)), DormantMember(signatures=("x",)), signatures=("x",)
    )
    planned = plan(PlanRequest(acknowledged_signatures=("x", "mounted-filesystem")), inspection)
    said = dataclasses.replace(YES, acknowledged_signatures=("x", "mounted-filesystem"))
    assert [o.code for o in obstacles_to(inspection, planned, said)] == ["mounted-filesystem"]


def test_another_medium_behind_the_descriptor_is_refused() -> None:
    other = SimulatedSystem(SimulatedDrive(serial="SIM-0002")).inspect()
    with pytest.raises(IdentityMismatch) as caught:
        granted().prove(other)
    assert caught.value.found == other.fingerprint


def test_an_unreadable_identity_behind_the_descriptor_is_refused() -> None:
    with pytest.raises(IdentityMismatch):
        granted().prove(dataclasses.replace(INSPECTION, identity=None))


@pytest.mark.parametrize("change", [{"disk_sequence": 2}, {"disk_sequence": None}, {"boot_id": "boot-2"}])
def test_the_same_medium_attached_anew_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(DeviceChanged):
        granted().prove(dataclasses.replace(INSPECTION, **change))  # type: ignore[arg-type]  # fields of their own types


def test_an_obstacle_that_came_up_since_is_refused() -> None:
    with pytest.raises(MountedFilesystem):
        granted().prove(with_obstacle(MountedFilesystem(mount_points=("/mnt",))))


def test_there_is_no_force_flag_anywhere() -> None:
    for made in (Confirmation, PlanRequest, Clearance):
        assert not {"force", "override"} & {f.name for f in dataclasses.fields(made)}
