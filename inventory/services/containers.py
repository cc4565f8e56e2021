"""Containers: what devices lie in, with its seals. What is sealed is neither filled nor emptied before the seals are broken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from inventory.domain.lifecycle import DeviceEvent
from inventory.domain.lots import ContainerKind, LotEvent, next_state
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import PartyKind
from inventory.errors import Conflict, IllegalTransition, Invalid, NotFound
from inventory.events import Tag
from inventory.models import Container, ContainerDevice, Device, Handover, HandoverDevice, Location, Lot, Party

from ._lots import contained, container_views, containers_of, members
from ._scope import only
from ._travel import objections, refuse, relocate, way_inside
from .context import Actor, Context, authorize
from .kernel import check_version, find, next_number, note, required
from .lots import find_devices
from .queries._paging import bounded, cut
from .queries.devices import find_device
from .views import Page
from .views.lots import ContainerView

MAX_SEALS: Final = 20


@dataclass(frozen=True, kw_only=True)
class CreateContainer:
    """Something devices lie in."""

    name: str
    kind: ContainerKind
    location: str
    lot: str | None = None


@dataclass(frozen=True, kw_only=True)
class SealContainer:
    """The seals that are on it from now on; none: they were broken."""

    container: str
    seals: tuple[str, ...]
    reason: str
    version: int | None = None


@dataclass(frozen=True, kw_only=True)
class FillContainer:
    """Devices that are put in."""

    container: str
    devices: tuple[str, ...]
    """Numbers or asset tags."""
    version: int | None = None


@dataclass(frozen=True, kw_only=True)
class TakeFromContainer:
    """A device that is taken out."""

    container: str
    device: str
    reason: str
    version: int | None = None


@dataclass(frozen=True, kw_only=True)
class MoveContainer:
    """To another place of ours, with everything in it."""

    container: str
    location: str
    reason: str
    version: int | None = None


@dataclass(frozen=True, kw_only=True)
class AssignContainer:
    """To a lot, or to none: what lies in it travels with it."""

    container: str
    lot: str | None
    reason: str
    version: int | None = None


def create_container(context: Context, actor: Actor, command: CreateContainer) -> ContainerView:
    """Permission `lot.manage`. Raises `Invalid`, `NotFound` (place, lot), `IllegalTransition` (the lot is closed)."""
    authorize(actor, Permission.LOT_MANAGE)
    with context.writing(actor) as session:
        place = find(session, Location, command.location, "location")
        lot = _open_lot(session, command.lot)
        box = Container(
            id=next_number(session, "container"),
            name=required("name", command.name, most=120),
            kind=ContainerKind(command.kind),
            seals=[],
            lot_id=lot.id if lot else None,
            location_id=_ours(session, place).id,
            created=context.now(),
            created_by=actor.ref,
        )
        session.add(box)
        session.flush()
        details = {"name": box.name, "kind": str(box.kind), "location": box.location_id, "lot": box.lot_id}
        note(session, context, actor, Tag.CONTAINER_CREATED, "container", box.id, details=details)
        return container_views(session, [box])[0]


def seal(context: Context, actor: Actor, command: SealContainer) -> ContainerView:
    """Put seals on, or write down that they were broken. Permission `lot.manage`. Raises `Invalid`, `Conflict`."""
    authorize(actor, Permission.LOT_MANAGE)
    reason = required("reason", command.reason, least=3)
    seals = seal_numbers("seals", command.seals)
    with context.writing(actor) as session:
        box = _find(session, command.container, command.version)
        _refuse_under_way(session, box)
        before, box.seals = list(box.seals), list(seals)
        session.flush()
        note(
            session, context, actor, Tag.CONTAINER_CHANGED, "container", box.id,
            reason=reason, details={"before": {"seals": before}, "after": {"seals": box.seals}},
        )  # fmt: skip
        return container_views(session, [box])[0]


def seal_numbers(field: str, seals: tuple[str, ...]) -> tuple[str, ...]:
    """Numbers of seals, each once, in order. Raises `Invalid`."""
    numbers = [required(field, one, most=64) for one in seals if one.strip()]
    if len(set(numbers)) != len(numbers):
        raise Invalid(field, "The same seal stands there twice.")
    if len(numbers) > MAX_SEALS:
        raise Invalid(field, f"At most {MAX_SEALS} seals.")
    return tuple(sorted(numbers))


def fill(context: Context, actor: Actor, command: FillContainer) -> ContainerView:
    """Put devices in, all or none; they are then where the container is. Permission `lot.manage`.

    A container of a lot takes devices of that lot only.

    Raises:
        Conflict: it is sealed or under way; a device lies elsewhere in a container, or is not in the container's lot.
        GateClosed: the container stands in a place that is less secure than where a device is.
        NotFound, Invalid, StaleVersion, IllegalTransition.
    """
    authorize(actor, Permission.LOT_MANAGE)
    with context.writing(actor) as session:
        box = _find(session, command.container, command.version)
        _refuse_closed(session, box)
        devices = find_devices(session, command.devices)
        lying = containers_of(session, [device.id for device in devices])
        lot = {device.id for device in members(session, box.lot_id)} if box.lot_id else None
        for device in devices:
            if device.id in lying:
                raise Conflict(f"Device {device.id} lies in container {lying[device.id]}; take it out of there first.")
            if lot is not None and device.id not in lot:
                raise Conflict(f"Device {device.id} is not in lot {box.lot_id}, with which this container travels.")
            refuse_offered(session, device.id)
        _bring(session, context, actor, box, devices)
        for device in devices:
            row = ContainerDevice(container_id=box.id, device_id=device.id, added=context.now(), added_by=actor.ref)
            session.add(row)
            note(session, context, actor, Tag.CONTAINER_DEVICE_ADDED, "container", box.id, device=device.id)
        _touch(session, box)
        return container_views(session, [box])[0]


def _bring(session: Session, context: Context, actor: Actor, box: Container, devices: list[Device]) -> None:
    """What is put in stands from then on where the container stands."""
    place = session.get_one(Location, box.location_id)
    moving = [device for device in devices if device.location_id != place.id]
    way = way_inside(place)
    refuse("What is put in", way, objections(session, moving, way, place, DeviceEvent.RELOCATE))
    for device in moving:
        relocate(session, context, actor, device, place, f"Put into container {box.id}.", container=box.id)


def take(context: Context, actor: Actor, command: TakeFromContainer) -> ContainerView:
    """Take a device out; it stays at the same place. Permission `lot.manage`.

    Raises:
        Conflict: it is sealed or under way.
        NotFound, StaleVersion.
    """
    authorize(actor, Permission.LOT_MANAGE)
    reason = required("reason", command.reason, least=3)
    with context.writing(actor) as session:
        box = _find(session, command.container, command.version)
        _refuse_closed(session, box)
        device = find_device(session, command.device)
        row = session.scalar(
            sa.select(ContainerDevice).where(
                ContainerDevice.container_id == box.id,
                ContainerDevice.device_id == device.id,
                ContainerDevice.removed.is_(None),
            )
        )
        if row is None:
            raise NotFound("device in this container", command.device)
        row.removed, row.removed_by = context.now(), actor.ref
        note(
            session, context, actor, Tag.CONTAINER_DEVICE_REMOVED, "container", box.id, device=device.id, reason=reason
        )
        _touch(session, box)
        return container_views(session, [box])[0]


def move(context: Context, actor: Actor, command: MoveContainer) -> ContainerView:
    """To another place of ours, with everything in it; the gate is asked for each device. Permission `lot.manage`.

    Raises:
        GateClosed: a device may not be at the new place; nothing is moved.
        Conflict: it is under way.
        NotFound, StaleVersion, IllegalTransition.
    """
    authorize(actor, Permission.LOT_MANAGE)
    reason = required("reason", command.reason, least=3)
    with context.writing(actor) as session:
        box = _find(session, command.container, command.version)
        _refuse_under_way(session, box)
        place = _ours(session, find(session, Location, command.location, "location"))
        devices = contained(session, box.id)
        way = way_inside(place)
        refuse(f"Container {box.id}", way, objections(session, devices, way, place, DeviceEvent.RELOCATE))
        for device in devices:
            relocate(session, context, actor, device, place, reason, container=box.id)
        before, box.location_id = box.location_id, place.id
        session.flush()
        note(
            session, context, actor, Tag.CONTAINER_CHANGED, "container", box.id,
            reason=reason, details={"before": {"location": before}, "after": {"location": place.id}},
        )  # fmt: skip
        return container_views(session, [box])[0]


def assign(context: Context, actor: Actor, command: AssignContainer) -> ContainerView:
    """To a lot whose devices alone lie in it, or to none. Permission `lot.manage`. Raises `Conflict`, `NotFound`."""
    authorize(actor, Permission.LOT_MANAGE)
    reason = required("reason", command.reason, least=3)
    with context.writing(actor) as session:
        box = _find(session, command.container, command.version)
        _refuse_under_way(session, box)
        lot = _open_lot(session, command.lot)
        if box.lot_id is not None:
            _open_lot(session, box.lot_id)
        inside = {device.id for device in contained(session, box.id)}
        strange = sorted(inside - {device.id for device in members(session, lot.id)}) if lot else []
        if strange:
            raise Conflict(f"Device {strange[0]} lies in it and is not in lot {command.lot}.")
        before, box.lot_id = box.lot_id, lot.id if lot else None
        session.flush()
        note(
            session, context, actor, Tag.CONTAINER_CHANGED, "container", box.id,
            reason=reason, details={"before": {"lot": before}, "after": {"lot": box.lot_id}},
        )  # fmt: skip
        return container_views(session, [box])[0]


def end(context: Context, actor: Actor, container: str, reason: str) -> ContainerView:
    """It is used no more. Permission `lot.manage`. Raises `Conflict` (not empty, or sealed), `NotFound`."""
    authorize(actor, Permission.LOT_MANAGE)
    with context.writing(actor) as session:
        box = _find(session, container, None)
        _refuse_closed(session, box)
        if contained(session, box.id):
            raise Conflict(f"Container {box.id} is not empty.")
        box.ended = context.now()
        session.flush()
        note(
            session,
            context,
            actor,
            Tag.CONTAINER_ENDED,
            "container",
            box.id,
            reason=required("reason", reason, least=3),
        )
        return container_views(session, [box])[0]


def container(context: Context, actor: Actor, number: str) -> ContainerView:
    """One container with what lies in it. Permission `inventory.read`. Raises `NotFound`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        return container_views(session, [find(session, Container, number, "container")])[0]


def list_containers(
    context: Context, actor: Actor, *, all_of_them: bool = False, after: str | None = None, limit: int = 50
) -> Page[ContainerView]:
    """Containers in use (or all), newest first. Permission `inventory.read`. Raises `Invalid`."""
    authorize(actor, Permission.READ)
    statement = sa.select(Container).where(*only(actor, Container)).order_by(Container.id.desc())
    if not all_of_them:
        statement = statement.where(Container.ended.is_(None))
    if after is not None:
        statement = statement.where(Container.id < after)
    with context.reading(actor) as session:
        rows, following = cut(session.scalars(statement.limit(bounded(limit) + 1)).all(), limit, lambda row: row.id)
        return Page(container_views(session, rows), following)


def refuse_offered(session: Session, device: str) -> None:
    """Let a device pass that nobody has offered to anybody. Raises `Conflict`."""
    handover = session.scalar(
        sa.select(HandoverDevice.handover_id).where(HandoverDevice.device_id == device, HandoverDevice.open)
    )
    if handover is not None:
        raise Conflict(f"Device {device} is offered in hand-over {handover}; withdraw that first.")


def _find(session: Session, number: str, version: int | None) -> Container:
    found = find(session, Container, number, "container")
    check_version(f"Container {found.id}", found.version, version)
    if found.ended is not None:
        raise Conflict(f"Container {found.id} is used no more.")
    if found.party_id is not None:
        owner = session.get_one(Party, found.party_id)
        if owner.kind is not PartyKind.OWN:
            raise Conflict(f"Container {found.id} is with {owner.name}; what happens to it there is theirs to say.")
    return found


def _refuse_closed(session: Session, box: Container) -> None:
    """Neither filled nor emptied while it is sealed, under way, or its lot is frozen."""
    if box.seals:
        raise Conflict(f"Container {box.id} is sealed; write down first that the seals were broken, and why.")
    if box.lot_id is not None:
        _open_lot(session, box.lot_id)
    _refuse_under_way(session, box)


def _refuse_under_way(session: Session, box: Container) -> None:
    offered = session.scalars(sa.select(Handover).where(Handover.state == "offered"))
    for one in offered:
        if box.id in one.containers:
            raise Conflict(f"Container {box.id} is offered in hand-over {one.id}; withdraw that first.")


def _open_lot(session: Session, number: str | None) -> Lot | None:
    """A lot that takes changes. Raises `NotFound`, `IllegalTransition`."""
    if number is None:
        return None
    lot = find(session, Lot, number, "lot")
    if next_state(lot.state, LotEvent.CHANGE) is None:
        raise IllegalTransition(f"Lot {lot.id}", str(lot.state), str(LotEvent.CHANGE))
    return lot


def _ours(session: Session, place: Location) -> Location:
    owner = session.get(Party, place.party_id) if place.party_id else None
    if owner is not None and owner.kind is not PartyKind.OWN:
        raise Invalid("location", f"{place.name} is {owner.name}'s; a hand-over is the way there.")
    return place


def _touch(session: Session, box: Container) -> None:
    """Whoever read the container before must read it again: its content is part of its version."""
    session.flush()
    flag_modified(box, "name")
    session.flush()
