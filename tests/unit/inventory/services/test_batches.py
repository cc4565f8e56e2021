"""Orders for many devices: what was seen is ordered, each device by itself, and nothing half done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inventory.contract.v1.orders import PlanRequest
from inventory.domain.lots import LotPurpose
from inventory.errors import Conflict, Forbidden, Invalid, NotFound, StaleVersion
from inventory.services import batches, holds, lot_register, orders, queries
from inventory.services.queries.orders import OrderFilter
from tests.support.inventory_world import DISK, INSIDE, OTHER_DISK, PLAN, World, copied_world, copy_of
from tests.support.travelling import Travelling


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A company with two disks out of use."""
    with copied_world(tmp_path_factory.mktemp("batches") / "data") as made:
        made.hold_data()
        made.agent.observe(("CRM production", "/srv/crm", (DISK, OTHER_DISK), ()))
        made.change("retire", DISK)
        made.change("retire", OTHER_DISK)
    return made


@pytest.fixture
def world(template: World, tmp_path: Path) -> Iterator[World]:
    """The same for each test."""
    with copy_of(template, tmp_path / "data") as made:
        yield made


def both(world: World) -> tuple[str, ...]:
    """The numbers of the two disks."""
    return world.device(DISK).id, world.device(OTHER_DISK).id


def batch(world: World, **changes: Any) -> batches.BatchOrders:  # noqa: ANN401 - fields of the command
    """The same plan for both."""
    fields: dict[str, Any] = {"plan": PLAN, "purpose": INSIDE, "reason": "rack 7 is given up", "devices": both(world)}
    return batches.BatchOrders(**{**fields, **changes})


def orders_of(world: World) -> int:
    """How many orders there are."""
    return len(queries.list_orders(world.context, world.actor("auditor"), OrderFilter()).items)


def test_each_device_of_a_list_gets_its_own_sealed_order(world: World) -> None:
    command = batch(world)
    seen = batches.preview(world.context, world.actor("operator"), command)
    assert (seen.possible, orders_of(world)) == (2, 0), "a preview orders nothing"
    done = batches.order_batch(world.context, world.actor("operator"), command, seen.sha256)
    numbers = [line.order for line in done.lines]
    assert len({number for number in numbers if number}) == 2
    sealed = [queries.order(world.context, world.actor("auditor"), str(number)).sealed for number in numbers]
    assert [one["device"] for one in sealed] == [DISK.facts.fingerprint, OTHER_DISK.facts.fingerprint]
    assert sealed[0]["nonce"] != sealed[1]["nonce"]


def test_a_lot_is_ordered_by_its_number(world: World) -> None:
    command = lot_register.OpenLot(name="Rack 7", purpose=LotPurpose.SANITIZATION, devices=both(world))
    lot = lot_register.open_lot(world.context, world.actor("custodian"), command)
    asked = batch(world, devices=(), lot=lot.id)
    seen = batches.preview(world.context, world.actor("operator"), asked)
    done = batches.order_batch(world.context, world.actor("operator"), asked, seen.sha256)
    assert all(line.order for line in done.lines)


def test_a_lot_s_orders_are_for_where_the_lot_goes(world: World) -> None:
    road = Travelling(world)
    opening = lot_register.OpenLot(
        name="To the works",
        purpose=LotPurpose.SANITIZATION,
        devices=both(world),
        party=road.vendor,
        destination="Hall 3",
    )
    lot = lot_register.open_lot(world.context, world.actor("custodian"), opening).id
    with pytest.raises(Invalid, match="outside of our control"):
        batches.preview(world.context, world.actor("operator"), batch(world, devices=(), lot=lot))
    leaving = orders.Purpose(leaves_control=True)
    seen = batches.preview(world.context, world.actor("operator"), batch(world, devices=(), lot=lot, purpose=leaving))
    assert seen.destination == "Shredder Ltd, Hall 3"
    said = batch(world, devices=(), lot=lot, purpose=orders.Purpose(leaves_control=True, description="Recycling"))
    assert batches.preview(world.context, world.actor("operator"), said).destination == "Recycling"


def test_one_that_is_refused_says_why_and_holds_up_no_other(world: World) -> None:
    hold = holds.PlaceHold(kind="legal", reference="LIT-9", reason="Litigation", device=both(world)[0])
    holds.place_hold(world.context, world.actor("privacy"), hold)
    command = batch(world)
    seen = batches.preview(world.context, world.actor("operator"), command)
    assert [line.possible for line in seen.lines] == [False, True]
    assert "LIT-9" in seen.lines[0].reasons[0].sentence
    done = batches.order_batch(world.context, world.actor("operator"), command, seen.sha256)
    assert [line.order is None for line in done.lines] == [True, False]


def test_what_changed_since_it_was_seen_is_not_ordered_at_all(world: World) -> None:
    command = batch(world)
    seen = batches.preview(world.context, world.actor("operator"), command)
    hold = holds.PlaceHold(kind="legal", reference="LIT-9", reason="Litigation", device=both(world)[1])
    holds.place_hold(world.context, world.actor("privacy"), hold)
    with pytest.raises(StaleVersion):
        batches.order_batch(world.context, world.actor("operator"), command, seen.sha256)
    assert orders_of(world) == 0


def test_another_plan_than_was_seen_is_not_ordered(world: World) -> None:
    seen = batches.preview(world.context, world.actor("operator"), batch(world))
    other = PlanRequest(method="clear", technique="overwrite", pattern_set="ones", verification="full")
    with pytest.raises(StaleVersion):
        batches.order_batch(world.context, world.actor("operator"), batch(world, plan=other), seen.sha256)


def test_where_nothing_is_possible_nothing_is_ordered(world: World) -> None:
    weak = PlanRequest(method="clear", technique="overwrite", pattern_set="zeros", verification="none")
    command = batch(world, plan=weak)
    seen = batches.preview(world.context, world.actor("operator"), command)
    assert [one.code for line in seen.lines for one in line.reasons]
    with pytest.raises(Conflict):
        batches.order_batch(world.context, world.actor("operator"), command, seen.sha256)


def test_a_fault_in_the_middle_leaves_no_order_behind(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    command = batch(world)
    seen = batches.preview(world.context, world.actor("operator"), command)
    placed = orders.place
    calls = 0

    def second_fails(*args: Any) -> Any:  # noqa: ANN401 - passed through
        nonlocal calls
        calls += 1
        if calls == 2:
            raise RuntimeError("the machine failed")
        return placed(*args)

    monkeypatch.setattr(batches, "place", second_fails)
    with pytest.raises(RuntimeError):
        batches.order_batch(world.context, world.actor("operator"), command, seen.sha256)
    assert orders_of(world) == 0


@pytest.mark.parametrize("changes", [{"devices": ()}, {"lot": "LT-00001"}])
def test_a_batch_is_a_lot_or_a_list(world: World, changes: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        batches.preview(world.context, world.actor("operator"), batch(world, **changes))


def test_an_unknown_device_is_named(world: World) -> None:
    with pytest.raises(NotFound, match="AT-NONE"):
        batches.preview(world.context, world.actor("operator"), batch(world, devices=("AT-NONE",)))


def test_only_who_may_order_may_look(world: World) -> None:
    with pytest.raises(Forbidden):
        batches.preview(world.context, world.actor("custodian"), batch(world))
