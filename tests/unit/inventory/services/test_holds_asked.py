"""A hold is asked for four times: when ordering, approving, leasing, and right before the first write. Each stands by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from inventory.domain.lots import LotPurpose
from inventory.errors import Held, Invalid
from inventory.services import approvals, destruction, holds, leases, lot_register, orders
from inventory.services.holds import PlaceHold
from tests.support.inventory_world import DISK, World, copied_world, copy_of

SUBJECTS = ("device", "data_set", "lot")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A company whose first disk is out of use, in a lot, and held data."""
    with copied_world(tmp_path_factory.mktemp("holds") / "data") as made:
        made.hold_data()
        made.change("retire")
        command = lot_register.OpenLot(name="Rack 7", purpose=LotPurpose.SANITIZATION, devices=(made.device(DISK).id,))
        lot_register.open_lot(made.context, made.actor("custodian"), command)
    return made


@pytest.fixture
def world(template: World, tmp_path: Path) -> Iterator[World]:
    """The same for each test."""
    with copy_of(template, tmp_path / "data") as made:
        yield made


def place(world: World, subject: str) -> str:
    """A hold that covers the disk, one way or another."""
    device = world.device()
    named = {"device": device.id, "data_set": device.holdings[0].data_set, "lot": "LT-00001"}
    command = PlaceHold(kind="legal", reference="LIT-7", reason="Litigation", **{subject: named[subject]})
    return holds.place_hold(world.context, world.actor("privacy"), command).id


@pytest.mark.parametrize("subject", SUBJECTS)
def test_when_ordering(world: World, subject: str) -> None:
    number = place(world, subject)
    with pytest.raises(Held) as refused:
        world.order()
    assert "LIT-7" in refused.value.reasons[0].sentence
    holds.lift_hold(world.context, world.actor("privacy"), number, "settled out of court")
    assert world.order().id


@pytest.mark.parametrize("subject", SUBJECTS)
def test_when_approving(world: World, subject: str) -> None:
    order = world.order()
    envelope = world.approval(order.id, "approver1")
    place(world, subject)
    with pytest.raises(Held):
        orders_approve(world, order.id, envelope)


def orders_approve(world: World, order: str, envelope: dict[str, object]) -> None:
    """An approval that was signed before the hold."""
    approvals.approve(world.context, world.actor("approver1"), approvals.Approve(order=order, envelope=envelope))


@pytest.mark.parametrize("subject", SUBJECTS)
def test_when_leasing(world: World, subject: str) -> None:
    world.approve(world.order().id)
    place(world, subject)
    assert leases.acquire(world.context, world.agent.actor).lease is None


@pytest.mark.parametrize("subject", SUBJECTS)
def test_right_before_the_first_write(world: World, subject: str) -> None:
    world.approve(world.order().id)
    lease = world.agent.take()
    place(world, subject)
    answer = world.ask(lease)
    assert not answer.clear
    assert "LIT-7" in " ".join(answer.reasons)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_the_same_before_physical_destruction(world: World, subject: str) -> None:
    place(world, subject)
    command = destruction.RecordDestruction(
        kept_elsewhere="the works",
        device=world.device().id, method="shred", machine="Shredder 7", facility="Hall 2",
        performed=world.clock.now(), evidence=("ab" * 32,),
    )  # fmt: skip
    with pytest.raises(Held):
        destruction.record_destruction(world.context, world.actor("operator"), command)


def test_a_run_under_way_in_a_lot_is_asked_to_stop(world: World) -> None:
    order = world.approve(world.order().id)
    assert world.ask(world.agent.take()).clear
    place(world, "lot")
    assert orders.request_stop(world.context, world.actor("operator"), order.id, "as asked").stop_requested
    assert world.tags(order.id).count("order.stop-requested") == 1


def test_what_is_in_a_held_lot_stays_in_it(world: World) -> None:
    place(world, "lot")
    command = lot_register.TakeFromLot(lot="LT-00001", device=world.device().id, reason="elsewhere")
    with pytest.raises(Held):
        lot_register.take_out(world.context, world.actor("custodian"), command)


@pytest.mark.parametrize("fields", [{}, {"device": "D-000001", "lot": "LT-00001"}])
def test_a_hold_is_about_one_thing(world: World, fields: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        holds.place_hold(
            world.context,
            world.actor("privacy"),
            PlaceHold(kind="legal", reference="LIT-7", reason="Litigation", **fields),
        )
