"""Devices: lists, one device and its story, and what people do with it."""

from __future__ import annotations

from collections.abc import Callable

from inventory.api.dispatch import Call
from inventory.api.endpoint import READERS, Answer, Noun, people
from inventory.api.paging import Paging, Text
from inventory.contract.v1.common import Message
from inventory.contract.v1.endpoints import PREFIX
from inventory.contract.v1.lifecycle import (
    DestinationMessage,
    DeviceAdopt,
    DeviceDeclare,
    DeviceEvent,
    DeviceEvents,
    DeviceMove,
    DeviceRelease,
)
from inventory.contract.v1.requests import OrderPurpose
from inventory.contract.v1.vocabulary import Key
from inventory.domain.journey import Part
from inventory.domain.lifecycle import DeviceEvent as LifecycleEvent
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import Category, DeviceState
from inventory.errors import Conflict, Duplicate, GateClosed, Held, IllegalTransition, Invalid
from inventory.services import device_batches, devices, disposal, orders, queries
from inventory.services.context import Actor, Context
from inventory.services.queries.devices import DeviceFilter
from inventory.services.views import (
    BatchLineView,
    DeviceDetail,
    DeviceRow,
    EventView,
    GateView,
    Page,
    PolicyDecisionView,
)
from inventory.services.views.health import HealthView
from inventory.services.views.journeys import StopView

noun = Noun("devices", "Storage media: declared by people, observed by agents, released only through the gate.")

_MOVE = people(Permission.DEVICE_MOVE)
_STATE_RAISES = (IllegalTransition, GateClosed, Held, Conflict, Invalid)


class DeviceQuery(Paging):
    """Which devices; every parameter that is given must match."""

    state: frozenset[DeviceState] = frozenset()
    """May be given several times."""
    text: Text = ""
    """Part of asset tag, serial number, model, vendor, number or fingerprint; case does not matter."""
    host: Text | None = None
    location: Text | None = None
    data_set: Text | None = None
    """Holds it live or as residue."""
    category: Category | None = None
    with_residue: bool | None = None
    with_exceptions: bool | None = None
    held: bool | None = None


class StoryQuery(Paging):
    """Which part of a story."""

    part: Part | None = None


class GateQuery(Message):
    """Where the device would go."""

    party: Text | None = None
    location: Text | None = None
    reuse: bool = True


class PurposeQuery(OrderPurpose):
    """What shall become of the device."""


@noun.get("/devices", "Devices", READERS)
def list_devices(call: Call, query: DeviceQuery) -> Page[DeviceRow]:
    """By number."""
    where = DeviceFilter(
        states=query.state,
        text=query.text,
        host=query.host,
        location=query.location,
        data_set=query.data_set,
        category=query.category,
        with_residue=query.with_residue,
        with_exceptions=query.with_exceptions,
        held=query.held,
    )
    return queries.list_devices(call.context, call.actor, where, after=query.after, limit=query.limit)


@noun.post(
    "/devices",
    "Declare a device",
    people(Permission.DEVICE_DECLARE),
    creates=True,
    raises=(Duplicate, Invalid),
)
def declare_device(call: Call, body: DeviceDeclare) -> Answer[DeviceDetail]:
    """A medium a person knows of; an agent's observation is bound to it later."""
    command = devices.DeclareDevice(**body.model_dump())
    device = devices.declare(call.context, call.actor, command)
    return Answer(device, version=device.version, location=f"{PREFIX}/devices/{device.id}")


@noun.get("/devices/{device}", "One device", READERS)
def get_device(call: Call, device: Key) -> DeviceDetail:
    """By number, asset tag or fingerprint."""
    return queries.device(call.context, call.actor, device)


@noun.get("/devices/{device}/story", "A device's story", READERS)
def get_device_story(call: Call, device: Key, query: StoryQuery) -> Page[EventView]:
    """Everything that happened to it, or one part of it, newest first."""
    return queries.device_timeline(
        call.context, call.actor, device, part=query.part, after=query.after, limit=query.limit
    )


@noun.get("/devices/{device}/journey", "A device's life as stations", READERS)
def get_device_journey(call: Call, device: Key) -> tuple[StopView, ...]:
    """Declared, seen, held, moved, ordered, approved, wiped, verified, validated, left: each with the event that reached it."""
    return queries.device_journey(call.context, call.actor, device)


@noun.get("/devices/{device}/health", "How a drive was by its own account", READERS)
def get_device_health(call: Call, device: Key) -> tuple[HealthView, ...]:
    """Before and after its newest run, as the record has it; empty where no drive was asked. The newest look is the last."""
    return queries.device_health(call.context, call.actor, device)


@noun.post(
    "/devices/{device}/adoption",
    "Adopt an observed device",
    people(Permission.DEVICE_DECLARE),
    updates=True,
    raises=(Duplicate, Conflict, Invalid),
)
def adopt_device(call: Call, device: Key, body: DeviceAdopt) -> Answer[DeviceDetail]:
    """Gives it its asset tag, or binds it to a device that was declared before."""
    command = devices.AdoptDevice(device=device, version=call.version, **body.model_dump())
    return _versioned(devices.adopt(call.context, call.actor, command))


@noun.post("/devices/{device}/move", "Move a device", _MOVE, updates=True, raises=_STATE_RAISES)
def move_device(call: Call, device: Key, body: DeviceMove) -> Answer[DeviceDetail]:
    """To another of our locations; where that is less secure the gate is asked."""
    command = devices.MoveDevice(device=device, location=body.location, reason=body.reason, version=call.version)
    return _versioned(devices.move(call.context, call.actor, command))


_WORDS = {LifecycleEvent.FIND: "report_found"}
"""Where the interface has another word than the table."""
_EVENTS: dict[str, Callable[[Context, Actor, devices.ChangeState], DeviceDetail]] = {
    "place_in_service": devices.place_in_service,
    "retire": devices.retire,
    "quarantine": devices.quarantine,
    "return_to_service": devices.return_to_service,
    "report_missing": devices.report_missing,
    "report_found": devices.report_found,
}


@noun.post("/devices/{device}/events", "Change a device's state", _MOVE, updates=True, raises=_STATE_RAISES)
def change_device_state(call: Call, device: Key, body: DeviceEvent) -> Answer[DeviceDetail]:
    """One event of the lifecycle table that needs no further facts."""
    command = devices.ChangeState(device=device, reason=body.reason, location=body.location, version=call.version)
    return _versioned(_EVENTS[body.event](call.context, call.actor, command))


_BY_WORD = {word: event for event in LifecycleEvent if (word := _WORDS.get(event, str(event))) in _EVENTS}


@noun.post("/device-events", "Change the state of many devices", _MOVE, creates=True, status=200, raises=(Invalid,))
def change_device_states(call: Call, body: DeviceEvents) -> tuple[BatchLineView, ...]:
    """Each by itself: one that is refused changes nothing, says why, and stops none of the others."""
    command = device_batches.ChangeMany(
        devices=body.devices,
        event=_BY_WORD[body.event],
        reason=body.reason,
        location=body.location,
        dry_run=body.dry_run,
    )
    return device_batches.change_many(call.context, call.actor, command)


@noun.get("/devices/{device}/gate", "Ask the gate", READERS)
def ask_gate(call: Call, device: Key, query: GateQuery) -> GateView:
    """May it go there, and if not, why not. Nothing moves."""
    destination = disposal.Destination(party=query.party, location=query.location, reuse=query.reuse)
    return disposal.gate(call.context, call.actor, device, destination)


@noun.get("/devices/{device}/advice", "What would the policy demand", READERS)
def advise_device(call: Call, device: Key, query: PurposeQuery) -> PolicyDecisionView:
    """Method, verification and approvals for a purpose, and how the policy comes to them."""
    purpose = orders.Purpose(**query.model_dump())
    return orders.advise(call.context, call.actor, device, purpose)


@noun.post(
    "/devices/{device}/release",
    "Release a device",
    people(Permission.DEVICE_RELEASE),
    updates=True,
    raises=_STATE_RAISES,
)
def release_device(call: Call, device: Key, body: DeviceRelease) -> Answer[DeviceDetail]:
    """Hands it over for good, through the gate. There is no override."""
    command = disposal.ReleaseDevice(
        device=device, destination=_destination(body.destination), reason=body.reason, version=call.version
    )
    return _versioned(disposal.release(call.context, call.actor, command))


def _destination(message: DestinationMessage) -> disposal.Destination:
    return disposal.Destination(**message.model_dump())


def _versioned(device: DeviceDetail) -> Answer[DeviceDetail]:
    return Answer(device, version=device.version)
