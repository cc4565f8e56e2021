"""Everything a page reads in one view; nothing of another actor, and nothing is written within."""

from __future__ import annotations

import pytest

from inventory.services.context import SYSTEM
from tests.support.inventory_world import World


def test_one_actor_reads_in_one_view(world: World) -> None:
    carla, vera = world.actor("custodian"), world.actor("validator")
    with world.context.together(carla):
        with world.context.reading(carla) as first, world.context.reading(carla) as second:
            assert first is second
            assert first.info["actor"] == carla
        with world.context.reading(vera) as other, world.context.reading() as nobodys:
            assert other is not first, "what somebody else sees is asked for anew"
            assert other.info["actor"] == vera
            assert nobodys is not first
    with world.context.reading(carla) as later:
        assert later is not first


def test_another_inventory_has_views_of_its_own(world: World) -> None:
    carla = world.actor("custodian")
    with world.context.together(carla), world.context.reading(carla) as ours:
        ours.info["context"] = object()
        with world.context.reading(carla) as theirs:
            assert theirs is not ours


def test_nothing_is_written_within_and_an_error_ends_the_view(world: World) -> None:
    carla = world.actor("custodian")
    with pytest.raises(RuntimeError), world.context.together(carla), world.context.writing(SYSTEM):
        pytest.fail("it was written")
    with world.context.writing(SYSTEM):
        """The view is over."""
