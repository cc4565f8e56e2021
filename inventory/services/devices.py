"""Devices: declared by people, observed by agents; every change of state through the lifecycle table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.exceptions import ExceptionCode
from inventory.domain.lifecycle import GUARDS, TABLE, DeviceEvent, Guard
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import DeviceState, PartyKind, Zone, less_secure
from inventory.errors import Conflict, Duplicate, GateClosed, Invalid, Reason
from inventory.events import Tag
from inventory.models import CaseDataSet, DataSet, Device, ErasureCase, Holding, Location, Party

from ._gate import REUSE_INSIDE, Way, gate_view, policy_in_force
from ._mapping import device_label
from ._scope import claim
from ._transitions import move_device, possible_for_device
from .context import Actor, Context, authorize
from .kernel import (
    check_version,
    find,
    next_number,
    note,
    note_new,
    optional,
    raise_exception,
    required,
    settle_exception,
)
from .queries.devices import device_detail, find_device
from .views import DeviceDetail

MEDIA: Final = ("magnetic", "flash", "virtual", "pmem", "unknown")


@dataclass(frozen=True, kw_only=True)
class DeclareDevice:
    """A medium a person knows of: bought, imported, scanned."""

    asset_tag: str
    """1 to 64 printable characters, unique."""
    serial: str | None = None
    vendor: str | None = None
    model: str | None = None
    capacity_bytes: int | None = None
    media: str | None = None
    """magnetic, flash, virtual, unknown."""
    location: str | None = None
    source: str = ""
    """User or computer it came from (SP 800-88 Rev. 1, 4.8 `Media Source`)."""


@dataclass(frozen=True, kw_only=True)
class AdoptDevice:
    """Declare a device an agent has observed: give it its asset tag, or bind it to one that was declared before."""

    device: str
    asset_tag: str | None = None
    declared_device: str | None = None
    """Number of the declared device this is; exactly one of the two is given."""
    source: str = ""
    version: int | None = None


@dataclass(frozen=True, kw_only=True)
class MoveDevice:
    """To another of our locations; the gate is asked when it is less secure."""

    device: str
    location: str
    reason: str
    version: int | None = None


@dataclass(frozen=True, kw_only=True)
class ChangeState:
    """A lifecycle event without further facts."""

    device: str
    reason: str
    location: str | None = None
    """Where it is put at the same time, if it moves."""
    version: int | None = None


def declare(context: Context, actor: Actor, command: DeclareDevice) -> DeviceDetail:
    """Declare a device. Permission `device.declare`. Raises `Duplicate` (asset tag), `Invalid`, `NotFound` (location)."""
    authorize(actor, Permission.DEVICE_DECLARE)
    with context.writing(actor) as session:
        tag = _free_tag(session, command.asset_tag)
        place = find(session, Location, command.location, "location") if command.location else None
        device = drafted(context, actor, command, tag, next_number(session, "device"), place)
        enter(session, context, actor, [(device, {})])
        session.flush()
        return device_detail(session, device)


def drafted(
    context: Context, actor: Actor, command: DeclareDevice, tag: str | None, number: str, place: Location | None
) -> Device:
    """The device as it will be; nobody knows of it until it is entered. Raises `Invalid`."""
    if command.media is not None and command.media not in MEDIA:
        raise Invalid("media", f"The kind of medium is one of {', '.join(MEDIA)}.")
    if command.capacity_bytes is not None and not 0 < command.capacity_bytes < 2**53:
        raise Invalid("capacity_bytes", "The capacity is a positive number of bytes.")
    device = Device(
        id=number,
        state=DeviceState.DECLARED,
        asset_tag=tag,
        source=optional("source", command.source, most=200),
        location_id=place.id if place else None,
        created=context.now(),
        declared_at=context.now(),
        declared_by=actor.ref,
        declared_vendor=_fact("vendor", command.vendor),
        declared_model=_fact("model", command.model),
        declared_serial=_fact("serial", command.serial),
        declared_capacity=command.capacity_bytes,
        declared_media=command.media,
    )
    claim(actor, device, place)
    return device


def enter(session: Session, context: Context, actor: Actor, drafts: Sequence[tuple[Device, dict[str, object]]]) -> None:
    """Declared devices enter the inventory, its history and the log; each with what else is to be said of it."""
    session.add_all([device for device, _ in drafts])
    session.flush()
    told = [
        (
            device,
            {"asset_tag": device.asset_tag, "label": device_label(device), "location": device.location_id, **more},
        )
        for device, more in drafts
    ]
    note_new(session, context, actor, Tag.DEVICE_DECLARED, told)


def _fact(field: str, text: str | None) -> str | None:
    return optional(field, text, most=256) or None if text is not None else None


def _free_tag(session: Session, text: str) -> str:
    tag = required("asset_tag", text, most=64)
    existing = session.scalar(sa.select(Device.id).where(Device.asset_tag == tag))
    if existing is not None:
        raise Duplicate("device", "asset tag", existing)
    return tag


def adopt(context: Context, actor: Actor, command: AdoptDevice) -> DeviceDetail:
    """Declare an observed device, or bind it to a declared one. Permission `device.declare`.

    Raises:
        NotFound, Duplicate, StaleVersion.
        Conflict: it is declared already, or the other one has been bound or observed itself.
    """
    authorize(actor, Permission.DEVICE_DECLARE)
    if (command.asset_tag is None) == (command.declared_device is None):
        raise Invalid("asset_tag", "Give the device an asset tag, or name the declared device it is.")
    with context.writing(actor) as session:
        device = find(session, Device, command.device, "device")
        check_version(f"Device {device.id}", device.version, command.version)
        if device.fingerprint is None:
            raise Conflict(f"No agent has observed device {device.id} yet; there is nothing to adopt.")
        if device.declared_at is not None:
            raise Conflict(f"Device {device.id} is declared already.")
        if command.declared_device is not None:
            bind(session, context, actor, device, find(session, Device, command.declared_device, "device"))
        else:
            device.asset_tag = _free_tag(session, command.asset_tag or "")
            device.declared_at, device.declared_by = context.now(), actor.ref
            device.declared_vendor, device.declared_model = device.vendor, device.model
            device.declared_serial, device.declared_capacity = device.serial, device.capacity_bytes
            device.declared_media = device.media
            session.flush()
            note(
                session, context, actor, Tag.DEVICE_DECLARED, "device", device.id,
                details={"asset_tag": device.asset_tag, "label": device_label(device)},
            )  # fmt: skip
        if command.source:
            device.source = optional("source", command.source, most=200)
        settle_exception(session, context, ExceptionCode.UNDECLARED_DEVICE, device.id, "It was declared.")
        session.flush()
        return device_detail(session, device)


def bind(session: Session, context: Context, actor: Actor, device: Device, declared: Device) -> None:
    """An observed device is the one that was declared: one row carries both sides from now on, the other leads to it.

    Raises:
        Conflict: the declaration was bound before, or an agent has observed it as another medium.
    """
    if declared.bound_to is not None or declared.fingerprint is not None or declared.id == device.id:
        raise Conflict(f"Device {declared.id} is another medium that was observed, or was bound before.")
    tag = declared.asset_tag
    declared.asset_tag, declared.bound_to = None, device.id
    session.flush()  # the tag is unique: it leaves one row before the other takes it
    device.asset_tag, device.source = tag, device.source or declared.source
    device.location_id = device.location_id or declared.location_id
    device.declared_at, device.declared_by = declared.declared_at, declared.declared_by
    device.declared_vendor, device.declared_model = declared.declared_vendor, declared.declared_model
    device.declared_serial, device.declared_capacity = declared.declared_serial, declared.declared_capacity
    device.declared_media = declared.declared_media
    session.flush()
    note(
        session, context, actor, Tag.DEVICE_BOUND, "device", device.id,
        details={"declared": declared.id, "asset_tag": tag},
    )  # fmt: skip
    compare(session, context, device)


def compare(session: Session, context: Context, device: Device) -> None:
    """Declared against observed: every difference is an exception, and goes when it has gone."""
    pairs = (
        ("serial number", device.declared_serial, device.serial),
        ("model", device.declared_model, device.model),
        ("vendor", device.declared_vendor, device.vendor),
        ("kind of medium", device.declared_media, device.media),
    )
    differing = [
        f"{name} declared {said!r}, observed {seen!r}"
        for name, said, seen in pairs
        if said is not None and seen is not None and "unknown" not in {said, seen} and not same_words(said, seen)
    ]
    if not same_capacity(device.declared_capacity, device.capacity_bytes):
        differing.append(f"capacity declared {device.declared_capacity}, observed {device.capacity_bytes}")
    if device.declared_at is None or device.observed_at is None or not differing:
        settle_exception(session, context, ExceptionCode.FACTS_DIFFER, device.id, "Declared and observed facts agree.")
        return
    sentence = f"Device {device.id}: {'; '.join(differing)}."
    raise_exception(session, context, ExceptionCode.FACTS_DIFFER, device.id, sentence, device=device.id)


def same_words(declared: object, observed: object) -> bool:
    """Whether a declared word agrees with one that was read; people and drives pad and case them differently."""
    return "".join(str(declared).lower().split()) == "".join(str(observed).lower().split())


def same_capacity(declared: int | None, observed: int | None) -> bool:
    """Whether they may be one drive's: a round number is what stands on labels, and labels are right within one percent."""
    if declared is None or observed is None or declared == observed:
        return True
    round_number = declared % 10**7 == 0 or declared % 2**20 == 0
    return round_number and abs(declared - observed) * 100 <= declared


def place_in_service(context: Context, actor: Actor, command: ChangeState) -> DeviceDetail:
    """Declared -> in service. Permission `device.move`. Raises `IllegalTransition`, `StaleVersion`, `GateClosed`."""
    return _change(context, actor, command, DeviceEvent.PLACE_IN_SERVICE)


def move(context: Context, actor: Actor, command: MoveDevice) -> DeviceDetail:
    """To another location of ours. Permission `device.move`. Raises `GateClosed` where the zone is less secure."""
    change = ChangeState(
        device=command.device, reason=command.reason, location=command.location, version=command.version
    )
    return _change(context, actor, change, DeviceEvent.RELOCATE)


def retire(context: Context, actor: Actor, command: ChangeState) -> DeviceDetail:
    """In service -> retired. Live holdings stay live until an agent or person says otherwise. Permission `device.move`."""
    return _change(context, actor, command, DeviceEvent.RETIRE)


def quarantine(context: Context, actor: Actor, command: ChangeState) -> DeviceDetail:
    """Under lock, awaiting sanitization or destruction; a location given must be a secure zone. Permission `device.move`."""
    return _change(context, actor, command, DeviceEvent.QUARANTINE)


def return_to_service(context: Context, actor: Actor, command: ChangeState) -> DeviceDetail:
    """retired, quarantined or sanitized -> in service, under our control. Permission `device.move`.

    From sanitized the gate must grant reuse under our control. Raises as `place_in_service`.
    """
    return _change(context, actor, command, DeviceEvent.RETURN_TO_SERVICE)


def report_missing(context: Context, actor: Actor, command: ChangeState) -> DeviceDetail:
    """An incident: raises a critical exception that lists data sets, erasure cases and encryption facts exposed.

    Permission `device.move`. Raises `IllegalTransition`, `StaleVersion`, `NotFound`.
    """
    return _change(context, actor, command, DeviceEvent.REPORT_MISSING)


def report_found(context: Context, actor: Actor, command: ChangeState) -> DeviceDetail:
    """Missing -> quarantined: where it has been is unknown. Permission `device.move`."""
    return _change(context, actor, command, DeviceEvent.FIND)


def _change(context: Context, actor: Actor, command: ChangeState, event: DeviceEvent) -> DeviceDetail:
    """Table first, then the event's guards, then the change and its entry in the history."""
    authorize(actor, Permission.DEVICE_MOVE)
    reason = required("reason", command.reason, least=3)
    with context.writing(actor) as session:
        device, place = _checked(session, command, event)
        before = {"state": str(device.state), "location": device.location_id}
        if place is not None:
            device.location_id = place.id
        said = {"before": before, "location": device.location_id}
        move_device(session, context, actor, device, event, reason=reason, details=said)
        if event is DeviceEvent.RETURN_TO_SERVICE:
            # From now on anything may be written to it; its certificates speak of the past.
            device.standing_record = None
        if event is DeviceEvent.REPORT_MISSING:
            _incident(session, context, device)
        if event is DeviceEvent.FIND:
            settle_exception(session, context, ExceptionCode.DEVICE_MISSING, device.id, f"It was found: {reason}")
        settle_exception(session, context, ExceptionCode.DEVICE_GONE, device.id, f"Answered: {reason}")
        number = device.id
    # What is told of it is read once it is committed: nobody else waits for that.
    with context.reading(actor) as session:
        return device_detail(session, session.get_one(Device, number))


def would_change(context: Context, actor: Actor, command: ChangeState, event: DeviceEvent) -> tuple[str, DeviceState]:
    """The device's number and the state the event would bring; nothing changes. Permission `device.move`; raises as it would."""
    authorize(actor, Permission.DEVICE_MOVE)
    required("reason", command.reason, least=3)
    with context.reading(actor) as session:
        device, _ = _checked(session, command, event)
        return device.id, TABLE[device.state, event]


def _checked(session: Session, command: ChangeState, event: DeviceEvent) -> tuple[Device, Location | None]:
    """The device and the place it is put at, where the table and the event's guards let it happen."""
    device = find_device(session, command.device)
    check_version(f"Device {device.id}", device.version, command.version)
    possible_for_device(device, event)
    place = find(session, Location, command.location, "location") if command.location else None
    _guard(session, device, event, place)
    return device, place


def _guard(session: Session, device: Device, event: DeviceEvent, place: Location | None) -> None:
    guards = GUARDS[event]
    if (
        Guard.SECURE_PLACE in guards
        and place is not None
        and (place.zone is not Zone.SECURE or _foreign(session, place))
    ):
        raise Invalid("location", f"{place.name} is no secure zone of ours; quarantine means under lock.")
    if Guard.GATE_IF_SANITIZED in guards and device.state is DeviceState.SANITIZED:
        _ask(session, device, REUSE_INSIDE)
    if Guard.GATE_IF_LESS_SECURE in guards and place is not None:
        here = session.get(Location, device.location_id) if device.location_id else None
        # Where it stands now is unknown: then it counts as secure, so that leaving it is asked about.
        if _foreign(session, place) or less_secure(here.zone if here else Zone.SECURE, place.zone):
            way = Way(
                f"{place.name} ({place.zone} zone)", reuse=True, leaves_control=_foreign(session, place), receiver="own"
            )
            _ask(session, device, way if not _foreign(session, place) else _to_vendor(way))


def _to_vendor(way: Way) -> Way:
    """A vendor's place is no mere move: the release, with its undertaking, is the way there."""
    return Way(way.words, reuse=way.reuse, leaves_control=True, receiver="undertaking-missing")


def _foreign(session: Session, place: Location) -> bool:
    owner = session.get(Party, place.party_id) if place.party_id else None
    return owner is not None and owner.kind is not PartyKind.OWN


def _ask(session: Session, device: Device, way: Way) -> None:
    answer = gate_view(session, policy_in_force(session), device, way)
    if not answer.open:
        reasons = [Reason(one.code, one.sentence) for one in answer.reasons]
        raise GateClosed(f"Device {device.id}", way.words, reasons)


def _incident(session: Session, context: Context, device: Device) -> None:
    """What is exposed, in words: data sets, how they were encrypted, whose withdrawals are concerned."""
    held = session.execute(
        sa.select(DataSet.id, DataSet.name, DataSet.category, DataSet.encryption)
        .join(Holding, Holding.data_set_id == DataSet.id)
        .where(Holding.device_id == device.id, Holding.covered_at.is_(None))
        .distinct()
        .order_by(DataSet.name)
    ).all()
    cases = session.scalars(
        sa.select(ErasureCase.id)
        .join(CaseDataSet, CaseDataSet.case_id == ErasureCase.id)
        .where(CaseDataSet.data_set_id.in_([row.id for row in held]))
        .distinct()
        .order_by(ErasureCase.id)
    ).all()
    exposed = "; ".join(f"{row.name} ({row.category}, encryption {row.encryption})" for row in held)
    sentence = f"Device {device.id} is missing. Exposed: {exposed or 'no data set is known to be on it'}."
    if cases:
        sentence += f" Erasure cases concerned: {', '.join(cases)}."
    raise_exception(session, context, ExceptionCode.DEVICE_MISSING, device.id, sentence, device=device.id)
