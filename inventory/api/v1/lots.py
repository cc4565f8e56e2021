"""Lots and containers: gathered, sealed, moved, reconciled and closed."""

from __future__ import annotations

from inventory.api.dispatch import Call
from inventory.api.endpoint import READERS, Answer, Noun, people
from inventory.api.paging import Paging
from inventory.contract.v1.people import Reason
from inventory.contract.v1.travel import (
    ContainerAssign,
    ContainerCreate,
    ContainerMove,
    ContainerSeal,
    DeviceOut,
    DevicesIn,
    LotChange,
    LotEvent,
    LotOpen,
)
from inventory.contract.v1.vocabulary import Key
from inventory.domain.lots import ContainerKind, LotPurpose, LotState
from inventory.domain.roles import Permission
from inventory.errors import Conflict, GateClosed, IllegalTransition, Invalid, NotFound
from inventory.services import containers, lot_register
from inventory.services.views import Page
from inventory.services.views.lots import ContainerView, LotDetail, LotRow

noun = Noun("lots", "Devices that travel together, closed once each of them is accounted for.")
boxes = Noun("containers", "What devices lie in, with its seals.")

_MANAGE = people(Permission.LOT_MANAGE)


class LotQuery(Paging):
    """Which lots."""

    state: LotState | None = None


class ContainerQuery(Paging):
    """Which containers."""

    all: bool = False
    """Those that are used no more, too."""


@noun.get("/lots", "Lots", READERS)
def list_lots(call: Call, query: LotQuery) -> Page[LotRow]:
    """Newest first."""
    return lot_register.list_lots(call.context, call.actor, state=query.state, after=query.after, limit=query.limit)


@noun.post("/lots", "Open a lot", _MANAGE, creates=True, raises=(Invalid, NotFound, Conflict))
def open_lot(call: Call, body: LotOpen) -> Answer[LotDetail]:
    """With devices at once, or to be filled."""
    fields = body.model_dump() | {"purpose": LotPurpose(body.purpose)}
    lot = lot_register.open_lot(call.context, call.actor, lot_register.OpenLot(**fields))
    return Answer(lot, version=lot.version)


@noun.get("/lots/{lot}", "One lot", READERS, raises=(NotFound,))
def get_lot(call: Call, lot: Key) -> LotDetail:
    """With everything in it, and what keeps it from being closed."""
    return lot_register.lot(call.context, call.actor, lot)


@noun.put("/lots/{lot}", "Change a lot", _MANAGE, updates=True, raises=(Invalid, NotFound, IllegalTransition))
def change_lot(call: Call, lot: Key, body: LotChange) -> LotDetail:
    """What is said about it; its devices come and go by themselves."""
    fields = body.model_dump() | {"purpose": LotPurpose(body.purpose), "lot": lot, "version": call.version}
    return lot_register.change_lot(call.context, call.actor, lot_register.ChangeLot(**fields))


@noun.post("/lots/{lot}/devices", "Put devices into a lot", _MANAGE, raises=(Invalid, NotFound, Conflict))
def put_into_lot(call: Call, lot: Key, body: DevicesIn) -> LotDetail:
    """All of them, or none."""
    command = lot_register.PutIntoLot(lot=lot, devices=body.devices)
    return lot_register.put_in(call.context, call.actor, command)


@noun.post("/lots/{lot}/removals", "Take a device from a lot", _MANAGE, raises=(Invalid, NotFound, Conflict))
def take_from_lot(call: Call, lot: Key, body: DeviceOut) -> LotDetail:
    """It stays where it is."""
    command = lot_register.TakeFromLot(lot=lot, device=body.device, reason=body.reason)
    return lot_register.take_out(call.context, call.actor, command)


@noun.post("/lots/{lot}/events", "Freeze, close or re-open a lot", _MANAGE, raises=(NotFound, Conflict))
def move_lot(call: Call, lot: Key, body: LotEvent) -> LotDetail:
    """A lot is closed only from `closing`, and only once nothing in it is unaccounted; the list is then signed and logged."""
    deed = {
        "begin_closing": lot_register.begin_closing,
        "resume": lot_register.resume,
        "close": lot_register.close,
        "reopen": lot_register.reopen,
    }[body.event]
    return deed(call.context, call.actor, lot_register.MoveLot(lot=lot, reason=body.reason))


@boxes.get("/containers", "Containers", READERS)
def list_containers(call: Call, query: ContainerQuery) -> Page[ContainerView]:
    """Newest first."""
    return containers.list_containers(
        call.context, call.actor, all_of_them=query.all, after=query.after, limit=query.limit
    )


@boxes.post("/containers", "Add a container", _MANAGE, creates=True, raises=(Invalid, NotFound, Conflict))
def create_container(call: Call, body: ContainerCreate) -> Answer[ContainerView]:
    """At a place of ours, for a lot or for none."""
    fields = body.model_dump() | {"kind": ContainerKind(body.kind)}
    made = containers.create_container(call.context, call.actor, containers.CreateContainer(**fields))
    return Answer(made, version=made.version)


@boxes.get("/containers/{container}", "One container", READERS, raises=(NotFound,))
def get_container(call: Call, container: Key) -> ContainerView:
    """With what lies in it."""
    return containers.container(call.context, call.actor, container)


@boxes.post(
    "/containers/{container}/devices",
    "Put devices into a container",
    _MANAGE,
    raises=(Invalid, NotFound, Conflict, GateClosed),
)
def fill_container(call: Call, container: Key, body: DevicesIn) -> ContainerView:
    """All of them, or none; they are then where the container is."""
    command = containers.FillContainer(container=container, devices=body.devices)
    return containers.fill(call.context, call.actor, command)


@boxes.post("/containers/{container}/removals", "Take a device from a container", _MANAGE, raises=(NotFound, Conflict))
def take_from_container(call: Call, container: Key, body: DeviceOut) -> ContainerView:
    """It stays at the same place."""
    command = containers.TakeFromContainer(container=container, device=body.device, reason=body.reason)
    return containers.take(call.context, call.actor, command)


@boxes.put(
    "/containers/{container}/seals", "Seal a container", _MANAGE, updates=True, raises=(Invalid, NotFound, Conflict)
)
def seal_container(call: Call, container: Key, body: ContainerSeal) -> ContainerView:
    """The seals that are on it from now on; an empty list says that they were broken."""
    command = containers.SealContainer(container=container, seals=body.seals, reason=body.reason, version=call.version)
    return containers.seal(call.context, call.actor, command)


@boxes.put(
    "/containers/{container}/place",
    "Move a container",
    _MANAGE,
    updates=True,
    raises=(Invalid, NotFound, Conflict, GateClosed),
)
def move_container(call: Call, container: Key, body: ContainerMove) -> ContainerView:
    """With everything in it; towards a less secure place the gate is asked for each device."""
    command = containers.MoveContainer(
        container=container, location=body.location, reason=body.reason, version=call.version
    )
    return containers.move(call.context, call.actor, command)


@boxes.put(
    "/containers/{container}/lot", "Assign a container", _MANAGE, updates=True, raises=(Invalid, NotFound, Conflict)
)
def assign_container(call: Call, container: Key, body: ContainerAssign) -> ContainerView:
    """To a lot whose devices alone lie in it, or to none."""
    command = containers.AssignContainer(container=container, lot=body.lot, reason=body.reason, version=call.version)
    return containers.assign(call.context, call.actor, command)


@boxes.post("/containers/{container}/end", "Put a container out of use", _MANAGE, raises=(NotFound, Conflict))
def end_container(call: Call, container: Key, body: Reason) -> ContainerView:
    """Once it is empty."""
    return containers.end(call.context, call.actor, container, body.reason)
