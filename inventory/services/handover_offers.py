"""Offering devices to the other side: gathered, asked about at the gate, and bound until there is an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.domain.handovers import HandoverState
from inventory.domain.lifecycle import DeviceEvent
from inventory.domain.lots import LotState
from inventory.domain.roles import Permission
from inventory.errors import Conflict, Invalid, NotFound, Reason
from inventory.events import Tag
from inventory.models import Container, Device, Handover, HandoverDevice, Location, Lot, Party
from reports.media import MAX_MEDIA

from ._gate import Way
from ._handovers import handover_detail
from ._lots import contained, containers_of, members
from ._travel import objections, refuse
from .containers import refuse_offered
from .context import Actor, Context, authorize
from .disposal import way_between
from .kernel import find, moment, next_number, note, optional
from .lots import find_devices
from .views.handovers import HandoverDetail

ANSWER_WITHIN: Final = timedelta(days=7)
LONGEST: Final = timedelta(days=90)


@dataclass(frozen=True, kw_only=True)
class OfferHandover:
    """What is handed over, and to whom. Either a whole lot, or containers and single devices."""

    to_location: str | None = None
    to_party: str | None = None
    lot: str | None = None
    containers: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    """Numbers or asset tags."""
    reuse: bool = True
    destination: str = ""
    """In words, printed on certificates; empty: named after place and party."""
    answer_by: datetime | None = None
    """None: in a week."""
    note: str = ""


@dataclass(frozen=True)
class _Load:
    """What is handed over, gathered."""

    lot: Lot | None
    containers: tuple[Container, ...]
    devices: tuple[Device, ...]


def offer(context: Context, actor: Actor, command: OfferHandover) -> HandoverDetail:
    """Offer devices to the other side. Permission `handover.take_part`; out of our control also `device.release`.

    Raises:
        GateClosed: with every reason, device by device; nothing is offered.
        Conflict: devices stand at several places, are offered already, or the lot is not closed.
        Invalid, NotFound, IllegalTransition.
    """
    authorize(actor, Permission.HANDOVER)
    with context.writing(actor) as session:
        load = _gather(session, command)
        place, party = _receiver(session, command)
        words = optional("destination", command.destination) or _words(place, party)
        way = way_between(session, context, place, party, words, reuse=command.reuse)
        if way.leaves_control:
            authorize(actor, Permission.DEVICE_RELEASE)
        _refuse_unready(session, load, way)
        here, holder = _one_origin(load)
        if not way.leaves_control and (place is None or place.id == here):
            raise Invalid("to_location", "Name another place of ours: that is where it is handed over to.")
        reasons = objections(session, load.devices, way, place, event_of(outward=way.leaves_control))
        if not reasons:
            row = _offer(session, context, actor, command, load, way, (here, holder), (place, party))
            return handover_detail(session, row, actor, context.now())
        note_refusals(session, context, actor, reasons, way)
    # Raised only now: the attempt is part of the devices' history and must not be rolled back with the refusal.
    refuse("What is offered", way, reasons)
    raise AssertionError("unreachable")


def destinations(context: Context, actor: Actor) -> tuple[tuple[str, str], ...]:
    """Every place something may be sent to, by name: also those the sender does not see. Permission `handover.take_part`."""
    authorize(actor, Permission.HANDOVER)
    with context.reading(actor) as session:
        rows = session.execute(select(Location.id, Location.name, Location.zone).order_by(Location.name))
        return tuple((row.id, f"{row.name} ({row.zone})") for row in rows)


def _gather(session: Session, command: OfferHandover) -> _Load:
    if command.lot is not None:
        if command.containers or command.devices:
            raise Invalid("lot", "A lot is handed over whole: name the lot, or containers and devices.")
        lot = find(session, Lot, command.lot, "lot")
        boxes = session.scalars(
            select(Container).where(Container.lot_id == lot.id, Container.ended.is_(None)).order_by(Container.id)
        ).all()
        return _Load(lot, tuple(boxes), tuple(members(session, lot.id)))
    boxes = [find(session, Container, number, "container") for number in dict.fromkeys(command.containers)]
    found = {device.id: device for box in boxes for device in contained(session, box.id)}
    for device in find_devices(session, command.devices) if command.devices else []:
        found[device.id] = device
    lying = containers_of(session, list(found))
    named = {box.id for box in boxes}
    for number, outside in sorted(lying.items()):
        if outside not in named:
            raise Conflict(
                f"Device {number} lies in container {outside}; hand that over, or take the device out first."
            )
    return _Load(None, tuple(boxes), tuple(found[key] for key in sorted(found)))


def _receiver(session: Session, command: OfferHandover) -> tuple[Location | None, Party | None]:
    """Where to and to whom. A place may be named that the sender does not see: that is what handing over is for."""
    place = session.get(Location, command.to_location) if command.to_location else None
    if command.to_location and place is None:
        raise NotFound("location", command.to_location)
    party = find(session, Party, command.to_party, "party") if command.to_party else None
    if place is not None and place.party_id is not None:
        owner = session.get_one(Party, place.party_id)
        if party is not None and party.id != owner.id:
            raise Invalid("to_location", f"{place.name} belongs to {owner.name}, not to {party.name}.")
        party = owner
    if place is None and party is None:
        raise Invalid("to_location", "Name the place or the party that receives it.")
    return place, party


def _words(place: Location | None, party: Party | None) -> str:
    return ", ".join(one.name for one in (party, place) if one is not None)


def _refuse_unready(session: Session, load: _Load, way: Way) -> None:
    if not 1 <= len(load.devices) <= MAX_MEDIA:
        raise Invalid("devices", f"A hand-over has 1 to {MAX_MEDIA} devices.")
    if load.lot is not None:
        if load.lot.state is LotState.CLOSING:
            raise Conflict(f"Lot {load.lot.id} is being closed; close it or break that off first.")
        if way.leaves_control and load.lot.state is not LotState.CLOSED:
            raise Conflict(f"Lot {load.lot.id} is not closed; it leaves once each of its devices is accounted for.")
    for device in load.devices:
        refuse_offered(session, device.id)


def _one_origin(load: _Load) -> tuple[str, str | None]:
    """Where everything is, and who has it. Raises `Conflict` where that is not one place and one party."""
    here = {device.location_id for device in load.devices} | {box.location_id for box in load.containers}
    holders = {device.party_id for device in load.devices} | {box.party_id for box in load.containers}
    if len(here) != 1 or None in here or len(holders) != 1:
        raise Conflict(
            "What is handed over together is at one known place, in one party's hands: "
            + ", ".join(f"{device.id} at {device.location_id or 'no known place'}" for device in load.devices[:20])
            + "."
        )
    return str(next(iter(here))), next(iter(holders))


def event_of(*, outward: bool) -> DeviceEvent:
    """What acceptance does to each device: it leaves for good, or stands elsewhere."""
    return DeviceEvent.RELEASE if outward else DeviceEvent.RELOCATE


def note_refusals(session: Session, context: Context, actor: Actor, reasons: Sequence[Reason], way: Way) -> None:
    """What the gate refused stands in each device's history."""
    by_device: dict[str, list[str]] = {}
    for one in reasons:
        by_device.setdefault(one.sentence.split(" ", 1)[0].rstrip(":"), []).append(one.code)
    for device, codes in by_device.items():
        details = {"destination": way.words, "reasons": codes}
        note(session, context, actor, Tag.DEVICE_RELEASE_REFUSED, "device", device, details=details)


def _offer(
    session: Session,
    context: Context,
    actor: Actor,
    command: OfferHandover,
    load: _Load,
    way: Way,
    origin: tuple[str, str | None],
    target: tuple[Location | None, Party | None],
) -> Handover:
    now = context.now()
    until = moment("answer_by", command.answer_by) if command.answer_by else now + ANSWER_WITHIN
    if not now < until <= now + LONGEST:
        raise Invalid("answer_by", f"An answer is due within {LONGEST.days} days, and not in the past.")
    place, party = target
    row = Handover(
        id=next_number(session, "handover"),
        state=HandoverState.OFFERED,
        lot_id=load.lot.id if load.lot else None,
        from_location=origin[0],
        from_party=origin[1],
        to_location=place.id if place else None,
        to_party=party.id if party else None,
        outward=way.leaves_control,
        reuse=command.reuse,
        destination=way.words,
        note=optional("note", command.note),
        containers=[box.id for box in load.containers],
        seals=sorted({number for box in load.containers for number in box.seals}),
        count=len(load.devices),
        offered=now,
        offered_by=actor.ref,
        answer_by=until,
        differences=[],
    )
    session.add(row)
    session.flush()
    lying = containers_of(session, [device.id for device in load.devices])
    for device in load.devices:
        entry = HandoverDevice(handover_id=row.id, device_id=device.id, container_id=lying.get(device.id), open=True)
        session.add(entry)
        details = {"handover": row.id, "destination": way.words}
        note(session, context, actor, Tag.HANDOVER_OFFERED, "handover", row.id, device=device.id, details=details)
    session.flush()
    return row
