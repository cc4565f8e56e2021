"""The part of the told story that travels: a lot in a sealed box, offered to the dock."""

from __future__ import annotations

from inventory.domain.lots import ContainerKind, LotPurpose
from inventory.services import containers, handover_offers, lot_register
from tests.support.console_world import ConsoleWorld


def travelling(world: ConsoleWorld, numbers: dict[str, str]) -> dict[str, str]:
    """Numbers of the lot, its container and their hand-over."""
    context, carla = world.context, world.actor("carla")
    opening = lot_register.OpenLot(
        name="Spares for Porto", purpose=LotPurpose.TRANSFER, destination="Porto", devices=(numbers["declared"],)
    )
    lot = lot_register.open_lot(context, carla, opening).id
    making = containers.CreateContainer(
        name="Grey case 3", kind=ContainerKind.CASE, location=numbers["Office store"], lot=lot
    )
    box = containers.create_container(context, carla, making).id
    containers.fill(context, carla, containers.FillContainer(container=box, devices=(numbers["declared"],)))
    sealing = containers.SealContainer(container=box, seals=("GL-20817", "GL-20818"), reason="Packed for the road.")
    containers.seal(context, carla, sealing)
    offering = handover_offers.OfferHandover(
        lot=lot, to_location=numbers["Loading dock"], note="The lorry comes at nine."
    )
    return {"lot": lot, "box": box, "handover": handover_offers.offer(context, carla, offering).id}
