"""What the story of the console has in its books: a balance that was closed."""

from __future__ import annotations

from inventory.domain.balance import ScopeKind
from inventory.domain.vocabulary import Zone
from inventory.services import places, reconciliation
from tests.support.console_world import ConsoleWorld


def closed_balance(world: ConsoleWorld) -> str:
    """Of a place where nothing is."""
    carla = world.actor("carla")
    empty = places.create_location(world.context, carla, places.CreateLocation(name="Spare cupboard", zone=Zone.SECURE))
    asked = reconciliation.DrawUp(scope=ScopeKind.PLACE, reference=empty.id)
    number = reconciliation.draw_up(world.context, carla, asked).id
    reconciliation.close(
        world.context, carla, reconciliation.CloseBalance(balance=number, reason="Nothing lies there.")
    )
    return number
