"""What the story of the console has in its books: a balance that was closed, and a medium that is missing."""

from __future__ import annotations

from datetime import timedelta

from inventory.domain.balance import ScopeKind
from inventory.domain.vocabulary import HoldingKind, Zone
from inventory.services import data, devices, places, reconciliation
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


def missing_medium(world: ConsoleWorld, data_set: str) -> str:
    """A backup disk that nobody finds any more."""
    carla = world.actor("carla")
    declared = devices.DeclareDevice(
        asset_tag="AT-0666", vendor="Toshiba", model="MG08", serial="X0A0B0C", media="magnetic"
    )
    number = devices.declare(world.context, carla, declared).id
    held = data.DeclareHolding(
        device=number, data_set=data_set, kind=HoldingKind.BACKUP, since=world.clock.now() - timedelta(days=90),
        reason="Found on the rotation sheet.",
    )  # fmt: skip
    data.declare_holding(world.context, world.actor("petra"), held)
    lost = devices.ChangeState(device=number, reason="Not on its shelf when the shelves were counted.")
    devices.report_missing(world.context, carla, lost)
    return number
