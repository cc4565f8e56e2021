"""The validation queue: what waits and for whom; several decisions at once only about what was shown, all or none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from inventory.domain.vocabulary import OrderState, ValidationDecision
from inventory.errors import Forbidden, Invalid, SeparationOfDuty, StaleVersion
from inventory.services import destruction, organisation, queries, waiting
from inventory.services.waiting import DecideTogether, Shown
from tests.support.inventory_world import DISK, OTHER_DISK, World, copied_world, copy_of


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A company with two records that wait."""
    with copied_world(tmp_path_factory.mktemp("waiting") / "data") as made:
        made.hold_data()
        made.agent.observe(("CRM production", "/srv/crm", (DISK, OTHER_DISK), ()))
        made.unmount()
        made.recorded(DISK)
        made.recorded(OTHER_DISK)
    return made


@pytest.fixture
def world(template: World, tmp_path: Path) -> Iterator[World]:
    """The same for each test."""
    with copy_of(template, tmp_path / "data") as made:
        yield made


def shown(world: World) -> tuple[Shown, ...]:
    """Every record that waits, as it is shown."""
    found = waiting.list_waiting(world.context, world.actor("validator"))
    return tuple(
        Shown(order=one.subject, record=str(one.record), version=one.version) for one in found if one.kind == "record"
    )


def together(shown: tuple[Shown, ...], decision: ValidationDecision = ValidationDecision.APPROVE) -> DecideTogether:
    return DecideTogether(shown=shown, decision=decision, reason="read one by one")


def states(world: World) -> set[OrderState]:
    return {queries.order(world.context, world.actor("auditor"), one.order).state for one in shown(world)}


def test_it_tells_what_waits_since_when_and_for_whom(world: World) -> None:
    first, second = waiting.list_waiting(world.context, world.actor("validator"))
    assert first.since < second.since, "the longest first"
    world.clock.forward(hours=2)
    assert waiting.list_waiting(world.context, world.actor("validator"))[0].seconds == first.seconds + 7200
    assert set(first.people) == {world.actor("validator").ref, world.actor("all-hands").ref}
    assert first.mine
    assert first.reasons == ()


def test_whoever_had_a_part_in_it_is_not_among_them_and_is_told_why(world: World) -> None:
    world.validate(shown(world)[1].order, ValidationDecision.REJECT)
    order = world.approve(world.order(OTHER_DISK).id, "approver1", "all-hands")
    lease = world.agent.take()
    assert world.ask(lease).clear
    world.hand_over(lease, world.finished(lease))
    (found,) = [one for one in waiting.list_waiting(world.context, world.actor("all-hands")) if one.subject == order.id]
    assert (found.mine, found.bar) == (False, "approved the order")
    assert world.actor("all-hands").ref not in found.people
    mine = waiting.list_waiting(world.context, world.actor("all-hands"), mine=True)
    assert order.id not in {one.subject for one in mine}


def test_a_destruction_waits_for_its_witness_first(world: World) -> None:
    world.validate(shown(world)[0].order)
    command = destruction.RecordDestruction(
        kept_elsewhere="the works",
        device=world.device().id, method="shred", machine="Shredder 7", facility="Hall 2",
        performed=world.clock.now() - timedelta(hours=1), evidence=("ab" * 32,),
    )  # fmt: skip
    row = destruction.record_destruction(world.context, world.actor("operator"), command)
    (found,) = [
        one for one in waiting.list_waiting(world.context, world.actor("custodian")) if one.kind == "destruction"
    ]
    assert (found.subject, found.waits_for, found.mine) == (row.id, "witness", True)
    assert world.actor("operator").ref not in found.people
    destruction.witness_destruction(world.context, world.actor("custodian"), row.id, "I stood beside it.")
    (found,) = [
        one for one in waiting.list_waiting(world.context, world.actor("custodian")) if one.kind == "destruction"
    ]
    assert (found.waits_for, found.mine, found.bar) == ("validator", False, "witnessed the destruction")


def test_several_are_decided_at_once(world: World) -> None:
    decided = waiting.decide_together(world.context, world.actor("validator"), together(shown(world)))
    assert {row.state for row in decided} == {OrderState.VALIDATED}
    assert waiting.list_waiting(world.context, world.actor("validator")) == ()


@pytest.mark.parametrize("wrong", [{"record": "0" * 64}, {"version": 999}])
def test_what_was_not_shown_is_not_decided_and_nothing_else_is(world: World, wrong: dict[str, str]) -> None:
    good, other = shown(world)
    bad = Shown(**{**vars(other), **wrong})
    with pytest.raises(StaleVersion):
        waiting.decide_together(world.context, world.actor("validator"), together((good, bad)))
    assert states(world) == {OrderState.RECORDED}


def test_only_a_validator_decides(world: World) -> None:
    with pytest.raises(Forbidden):
        waiting.decide_together(world.context, world.actor("operator"), together(shown(world)))
    assert states(world) == {OrderState.RECORDED}


def test_the_same_record_twice_is_refused(world: World) -> None:
    one = shown(world)[0]
    with pytest.raises(Invalid):
        waiting.decide_together(world.context, world.actor("validator"), together((one, one)))
    with pytest.raises(Invalid):
        waiting.decide_together(world.context, world.actor("validator"), together(()))


def test_who_approved_one_of_them_decides_none(world: World) -> None:
    first, second = shown(world)
    world.validate(second.order, ValidationDecision.REJECT)
    order = world.approve(world.order(OTHER_DISK).id, "approver1", "all-hands")
    lease = world.agent.take()
    assert world.ask(lease).clear
    world.hand_over(lease, world.finished(lease))
    both = shown(world)
    assert {one.order for one in both} == {first.order, order.id}
    with pytest.raises(SeparationOfDuty):
        waiting.decide_together(world.context, world.actor("all-hands"), together(both))
    assert states(world) == {OrderState.RECORDED}


def test_only_who_sees_the_device_is_named_for_it(world: World) -> None:
    before = waiting.list_waiting(world.context, world.actor("auditor"))[0]
    validator = world.actor("validator").ref
    assert validator in before.people
    site = organisation.create_site(world.context, world.actor("admin"), organisation.CreateSite(name="Elsewhere")).id
    limit = organisation.SetScope(
        person=validator, everywhere=False, sites=frozenset({site}), teams=frozenset(), reason="works there"
    )
    organisation.set_scope(world.context, world.actor("admin"), limit)
    after = waiting.list_waiting(world.context, world.actor("auditor"))[0]
    assert set(after.people) == set(before.people) - {validator}
