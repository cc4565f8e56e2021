"""A drive's health reaches the people who decide what becomes of it."""

from __future__ import annotations

import dataclasses
from typing import Any

from inventory.domain.exceptions import ExceptionCode
from inventory.domain.vocabulary import OrderState
from inventory.services import queries
from tests.support.inventory_world import DISK, World
from tests.unit.reports.test_health import SOUND


def _recorded(world: World, **after: Any) -> None:  # noqa: ANN401 - fields of a reading
    world.hold_data()
    world.unmount()
    order = world.approved()
    lease = world.agent.take()
    assert world.ask(lease).clear
    taken = world.finished(lease)
    last = dataclasses.replace(SOUND, **{"moment": "after", **after})
    world.hand_over(lease, dataclasses.replace(taken, health=(SOUND, last)))
    assert queries.order(world.context, world.actor("auditor"), order.id).state is OrderState.RECORDED


def test_a_drive_that_got_worse_is_a_question_and_takes_nothing_from_its_record(world: World) -> None:
    _recorded(world, reallocated=4, temperature=44)
    assert ExceptionCode.DRIVE_WORSE in world.codes(device=world.device().id)
    before, after = queries.device_health(world.context, world.actor("viewer"), world.device().id)
    assert (before.moment, before.reallocated, before.temperature) == ("before", 0, 31)
    assert (after.moment, after.reallocated, after.temperature) == ("after", 4, 44)


def test_a_drive_that_stayed_as_it_was_is_none(world: World) -> None:
    _recorded(world)
    assert ExceptionCode.DRIVE_WORSE not in world.codes(device=world.device().id)


def test_a_drive_nobody_asked_has_no_health(world: World) -> None:
    world.hold_data()
    world.unmount()
    world.recorded()
    assert queries.device_health(world.context, world.actor("viewer"), world.device(DISK).id) == ()
