"""Many devices at once: each by itself, refusals told line by line, and a dry run that changes nothing."""

from __future__ import annotations

import pytest

from inventory.domain.lifecycle import DeviceEvent
from inventory.domain.vocabulary import DeviceState
from inventory.errors import Forbidden, Invalid
from inventory.services import device_batches
from inventory.services.device_batches import ChangeMany
from tests.support.inventory_world import DISK, OTHER_DISK, World


def retire(world: World, *devices: str, dry_run: bool = False) -> dict[str, tuple[bool, str | None]]:
    command = ChangeMany(devices=devices, event=DeviceEvent.RETIRE, reason="the array is replaced", dry_run=dry_run)
    lines = device_batches.change_many(world.context, world.actor("custodian"), command)
    return {line.device: (line.done, line.code) for line in lines}


def test_one_that_is_refused_stops_no_other(world: World) -> None:
    first, second = world.device(DISK).id, world.device(OTHER_DISK).id
    world.change("retire", DISK)
    told = retire(world, first, "D-999999", second)
    assert told == {
        first: (False, "illegal-transition"),
        "D-999999": (False, "not-found"),
        second: (True, None),
    }
    assert world.device(OTHER_DISK).state is DeviceState.RETIRED


def test_a_dry_run_says_the_same_and_changes_nothing(world: World) -> None:
    number = world.device().id
    version, told = world.device().version, retire(world, number, "D-999999", dry_run=True)
    assert told == {number: (False, None), "D-999999": (False, "not-found")}
    assert (world.device().state, world.device().version) == (DeviceState.IN_SERVICE, version)


def test_every_event_that_has_a_deed_of_its_own_is_refused_for_many(world: World) -> None:
    for event in DeviceEvent:
        if event in device_batches._DEEDS:
            continue
        with pytest.raises(Invalid, match="facts of each device"):
            device_batches.change_many(
                world.context,
                world.actor("custodian"),
                ChangeMany(devices=("D-000001",), event=event, reason="why not"),
            )


def test_too_many_none_or_one_named_twice_is_no_batch(world: World) -> None:
    for devices in ((), ("D-1", "D-1"), tuple(f"D-{number}" for number in range(201))):
        with pytest.raises(Invalid):
            retire(world, *devices)
    command = ChangeMany(devices=("D-000001",), event=DeviceEvent.RETIRE, reason="the array is replaced")
    with pytest.raises(Forbidden):
        device_batches.change_many(world.context, world.actor("viewer"), command)
