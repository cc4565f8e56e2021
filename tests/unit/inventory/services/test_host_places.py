"""Data nobody declared: memory on disk becomes holdings, an undeclared database a question, what is not known shuts the gate."""

from __future__ import annotations

from typing import Any

import pytest

from inventory.contract.v1.devices import AreaSeen, Observation, PathMapping, PathStep
from inventory.domain.vocabulary import HoldingKind, HoldingState
from inventory.errors import NotFound
from inventory.services import exceptions, observation, queries
from tests.support.console_agent import Disk
from tests.support.inventory_world import DISK, OTHER_DISK, World

CRM = ("CRM production", "/srv/crm")
STEP = PathStep(above="/srv", below="sdb", how="the device number in the mount table")


def area(kind: Any, path: str, *disks: Disk, unresolved: tuple[str, ...] = ()) -> AreaSeen:  # noqa: ANN401 - a literal
    devices = tuple(disk.facts.fingerprint for disk in disks)
    return AreaSeen(kind=kind, path=path, devices=devices, unresolved=unresolved, process="postgres (1)")


def observe(world: World, areas: tuple[AreaSeen, ...] | None, *disks: Disk, real: str | None = None) -> None:
    beneath = tuple(disk.facts.fingerprint for disk in disks or (DISK,))
    mapping = PathMapping(
        data_set=CRM[0], path=CRM[1], mount_point="/srv", devices=beneath, unresolved=(), real_path=real, steps=(STEP,)
    )
    seen = (DISK.observed, OTHER_DISK.observed)
    message = Observation(taken="2026-11-22T09:00:00Z", devices=seen, paths=(mapping,), areas=areas)
    world.clock.forward(minutes=1)
    observation.observe(world.context, world.agent.actor, message)


def held(world: World, disk: Disk) -> list[tuple[HoldingKind, HoldingState]]:
    return sorted((holding.kind, holding.state) for holding in world.device(disk).holdings)


def test_a_disk_that_memory_is_written_to_holds_what_the_host_works_with(world: World) -> None:
    world.hold_data()
    observe(world, (area("swap", "/dev/sdc1", OTHER_DISK),))
    assert held(world, OTHER_DISK) == [(HoldingKind.SWAP, HoldingState.LIVE)]
    assert held(world, DISK) == [(HoldingKind.PRIMARY, HoldingState.LIVE)]
    observe(world, None)
    assert held(world, OTHER_DISK) == [(HoldingKind.SWAP, HoldingState.LIVE)], "nobody looked: nothing ended"
    observe(world, ())
    assert held(world, OTHER_DISK) == [(HoldingKind.SWAP, HoldingState.RESIDUE)], "deleting a swap area cleans nothing"


def test_swap_on_the_same_disk_as_the_path_is_not_counted_twice(world: World) -> None:
    world.hold_data()
    observe(world, (area("swap", "/dev/sdb2", DISK),))
    assert held(world, DISK) == [(HoldingKind.PRIMARY, HoldingState.LIVE)]


def test_a_disk_that_was_swapped_to_and_is_now_beneath_the_path_holds_it_in_earnest(world: World) -> None:
    world.hold_data()
    observe(world, (area("swap", "/dev/sdc1", OTHER_DISK),))
    observe(world, (area("swap", "/dev/sdc1", OTHER_DISK),), DISK, OTHER_DISK)
    assert held(world, OTHER_DISK) == [
        (HoldingKind.PRIMARY, HoldingState.LIVE),
        (HoldingKind.SWAP, HoldingState.RESIDUE),
    ]


def test_a_disk_beneath_the_path_stays_that_while_it_is_not_known_where_the_path_lies(world: World) -> None:
    world.hold_data()
    lost = PathMapping(data_set=CRM[0], path=CRM[1], mount_point=None, devices=(), unresolved=("it is not there",))
    message = Observation(
        taken="2026-11-22T09:00:00Z",
        devices=(DISK.observed, OTHER_DISK.observed),
        paths=(lost,),
        areas=(area("swap", "/dev/sdb2", DISK),),
    )
    observation.observe(world.context, world.agent.actor, message)
    assert held(world, DISK) == [(HoldingKind.PRIMARY, HoldingState.LIVE)]


def test_a_swap_area_nobody_can_follow_leaves_the_path_unresolved_and_ends_nothing(world: World) -> None:
    world.hold_data()
    observe(world, (area("swap", "/dev/sdc1", OTHER_DISK),))
    observe(world, (area("swap", "/dev/zd16", unresolved=("zd16 is assembled, and does not say from what",)),))
    assert "path-unresolved" in world.codes(host=world.agent.host)
    assert held(world, OTHER_DISK) == [(HoldingKind.SWAP, HoldingState.LIVE)]
    observe(world, ())
    assert "path-unresolved" not in world.codes(host=world.agent.host)


def test_a_database_beneath_no_declared_path_is_a_question_until_one_covers_it(world: World) -> None:
    world.hold_data()
    elsewhere = area("postgresql", "/var/lib/postgresql/15/main", OTHER_DISK)
    observe(world, (elsewhere, area("postgresql", "/srv/crm/pg", DISK)))
    assert "database-undeclared" in world.codes(host=world.agent.host)
    observe(world, (elsewhere,), real="/var/lib/postgresql")
    assert "database-undeclared" not in world.codes(host=world.agent.host), "the declared path is a link to there"


def test_what_a_person_has_answered_is_not_asked_again(world: World) -> None:
    world.hold_data()
    database = area("sqlite", "/var/lib/fwupd/pending.db", OTHER_DISK)
    observe(world, (database,))
    (item,) = [
        found
        for found in queries.list_exceptions(world.context, world.actor("custodian"), host=world.agent.host).items
        if found.code == "database-undeclared"
    ]
    exceptions.resolve(
        world.context,
        world.actor("custodian"),
        exceptions.ResolveException(exception=item.id, resolution="It holds firmware versions, no data of customers."),
    )
    observe(world, (database,))
    assert "database-undeclared" not in world.codes(host=world.agent.host)


def test_the_places_of_a_host_are_told_with_the_way_down_and_stay_known_when_they_are_gone(world: World) -> None:
    world.hold_data()
    observe(world, (area("mariadb", "/srv/crm/maria", DISK),))
    reader = world.actor("custodian")
    found = queries.host_places(world.context, reader, world.agent.host)
    assert [(place.kind, place.path) for place in found] == [("declared", "/srv/crm"), ("mariadb", "/srv/crm/maria")]
    assert [device.id for device in found[0].devices] == [world.device().id]
    assert [(step.above, step.below, step.how) for step in found[0].steps] == [(STEP.above, STEP.below, STEP.how)]
    assert found[1].process == "postgres (1)"
    observe(world, ())
    assert [place.kind for place in queries.host_places(world.context, reader, world.agent.host)] == ["declared"]
    both = queries.host_places(world.context, reader, world.agent.host, gone=True)
    assert [(place.kind, place.gone is None) for place in both] == [("declared", True), ("mariadb", False)]
    with pytest.raises(NotFound):
        queries.host_places(world.context, reader, "H-9999")
