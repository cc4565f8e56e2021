"""Labels to print, and codes that were read: what they are, and what is missing of a lot, container or place."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.labels import SHEETS, Label, code_read
from inventory.domain.roles import Permission
from inventory.errors import Invalid, NotFound, Unavailable
from inventory.labelling import sheets
from inventory.models import Container, Device, Location, Lot
from reports.errors import RenderingUnavailable
from reports.language import Language, Speaker, speaker

from ._lots import contained, container_views, members
from ._mapping import device_label
from ._scope import within
from .context import Actor, Context, authorize
from .kernel import find
from .lots import find_devices

MAX_LABELS = 2000


@dataclass(frozen=True, kw_only=True)
class PrintLabels:
    """Which labels, on which sheet."""

    devices: tuple[str, ...] = ()
    """Numbers or asset tags."""
    containers: tuple[str, ...] = ()
    lots: tuple[str, ...] = ()
    contents: bool = False
    """The devices of these lots and containers, too."""
    sheet: str = "70x37"
    skip: int = 0
    """Labels of the first sheet that are gone already."""
    language: Language | None = None
    """None: that of documents."""


@dataclass(frozen=True, kw_only=True)
class ReadCode:
    """A code, and what it is."""

    code: str
    kind: str
    """device, container, lot, several, unknown."""
    number: str | None
    title: str
    state: str
    location: str | None
    times: int
    """How often it was read."""
    expected: bool | None
    """Whether it belongs to what it was compared with; None: it was compared with nothing, or is no device."""


@dataclass(frozen=True, kw_only=True)
class ScanResult:
    """What was read, and what was not."""

    codes: tuple[ReadCode, ...]
    compared: str
    """Number of what it was compared with; empty: nothing."""
    absent: tuple[ReadCode, ...]
    """Devices that belong to it and were not read."""


@dataclass(frozen=True, kw_only=True)
class LookUp:
    """Codes as they were read, and at most one thing to compare them with."""

    codes: tuple[str, ...]
    lot: str | None = None
    container: str | None = None
    location: str | None = None


def labels(context: Context, actor: Actor, command: PrintLabels) -> bytes:
    """A PDF of labels on A4. Permission `inventory.read`.

    Raises:
        Invalid: no label, too many, or an unknown sheet.
        NotFound: a device, container or lot.
        Unavailable: nothing can be printed here.
    """
    authorize(actor, Permission.READ)
    sheet = SHEETS.get(command.sheet)
    if sheet is None:
        raise Invalid("sheet", f"The sheet is one of {', '.join(SHEETS)}.")
    if not 0 <= command.skip < sheet.labels:
        raise Invalid("skip", f"This sheet has {sheet.labels} labels; fewer than that can be gone already.")
    voice = speaker(command.language or context.settings.documents.language)
    with context.reading(actor) as session:
        wanted = _labels(session, command, voice)
    if not 1 <= len(wanted) <= MAX_LABELS:
        raise Invalid("devices", f"Name what is to be labelled: 1 to {MAX_LABELS} labels.")
    try:
        return sheets(wanted, sheet, context.settings.external_url, skip=command.skip, language=voice.language)
    except RenderingUnavailable as error:
        raise Unavailable("Labels cannot be printed here: the libraries that print documents are missing.") from error


def _labels(session: Session, command: PrintLabels, voice: Speaker) -> list[Label]:
    found: list[Label] = []
    devices: dict[str, Device] = {}
    for number in command.lots:
        lot = find(session, Lot, number, "lot")
        found.append(Label(number=lot.id, title=lot.name, text=voice.say(f"labels.lot-{lot.purpose}")))
        if command.contents:
            devices |= {device.id: device for device in members(session, lot.id)}
    for number in command.containers:
        box = find(session, Container, number, "container")
        found.append(Label(number=box.id, title=box.name, text=voice.say(f"labels.container-{box.kind}")))
        if command.contents:
            devices |= {device.id: device for device in contained(session, box.id)}
    if command.devices:
        devices |= {device.id: device for device in find_devices(session, command.devices)}
    for device in devices.values():
        model = device.model or device.declared_model or ""
        found.append(Label(number=device.id, title=device.asset_tag or "", text=model))
    return found


def look_up(context: Context, actor: Actor, command: LookUp) -> ScanResult:
    """What codes are: numbers, asset tags or serial numbers. Permission `inventory.read`. Changes nothing.

    Raises:
        Invalid: compared with more than one thing.
        NotFound: what it shall be compared with.
    """
    authorize(actor, Permission.READ)
    named = [one for one in (command.lot, command.container, command.location) if one]
    if len(named) > 1:
        raise Invalid("lot", "Compare with one lot, container or place.")
    times: dict[str, int] = {}
    for text in command.codes:
        code = code_read(text)
        times[code] = times.get(code, 0) + 1
    with context.reading(actor) as session:
        expected = _expected(session, command)
        known = _known(session, list(times))
        read = tuple(_read(session, code, count, known.get(code, []), expected) for code, count in times.items())
        seen = {one.number for one in read if one.kind == "device"}
        missing = [device for device in expected or () if device.id not in seen]
        absent = tuple(_of_device(device, device.id, 0, None) for device in missing)
        return ScanResult(codes=read, compared=named[0] if named else "", absent=absent)


def _expected(session: Session, command: LookUp) -> list[Device] | None:
    if command.lot:
        return members(session, find(session, Lot, command.lot, "lot").id)
    if command.container:
        return contained(session, find(session, Container, command.container, "container").id)
    if command.location:
        place = find(session, Location, command.location, "location")
        here = sa.select(Device).where(
            Device.location_id == place.id, Device.bound_to.is_(None), *within(session, Device)
        )
        return list(session.scalars(here.order_by(Device.id).limit(20_000)))
    return None


def _known(session: Session, codes: Sequence[str]) -> dict[str, list[Device]]:
    """Code -> the devices it may mean. A number or asset tag is one device's; a serial number may be several's."""
    found: dict[str, dict[str, Device]] = {}
    for start in range(0, len(codes), 300):
        part = codes[start : start + 300]
        fields = (Device.id, Device.asset_tag, Device.serial, Device.declared_serial)
        rows = session.scalars(
            sa.select(Device)
            .where(sa.or_(*(one.in_(part) for one in fields)), *within(session, Device))
            .order_by(Device.id)
        )
        for row in rows:
            device = session.get_one(Device, row.bound_to) if row.bound_to else row
            for name in {row.id, row.asset_tag, row.serial, row.declared_serial} & set(part):
                found.setdefault(str(name), {})[device.id] = device
    return {code: list(devices.values()) for code, devices in found.items()}


def _read(
    session: Session, code: str, times: int, devices: Sequence[Device], expected: Collection[Device] | None
) -> ReadCode:
    if len(devices) == 1:
        (device,) = devices
        belongs = None if expected is None else any(one.id == device.id for one in expected)
        return _of_device(device, code, times, belongs)
    if devices:
        words = "May be " + ", ".join(device.id for device in devices[:5])
        return _code(code, "several", None, words, "", None, times)
    for model, kind in ((Container, "container"), (Lot, "lot")):
        try:
            row = find(session, model, code, kind)
        except NotFound:
            continue
        if isinstance(row, Container):
            (view,) = container_views(session, [row])
            words = f"devices in it: {len(view.devices)}" + (f", sealed {', '.join(view.seals)}" if view.seals else "")
            return _code(code, kind, row.id, row.name, words, row.location_id, times)
        if isinstance(row, Lot):
            return _code(code, kind, row.id, row.name, str(row.state), None, times)
    return _code(code, "unknown", None, "", "", None, times)


def _of_device(device: Device, code: str, times: int, expected: bool | None) -> ReadCode:
    title = f"{device.asset_tag}: {device_label(device)}" if device.asset_tag else device_label(device)
    return ReadCode(
        code=code,
        kind="device",
        number=device.id,
        title=title,
        state=str(device.state),
        location=device.location_id,
        times=times,
        expected=expected,
    )


def _code(
    code: str, kind: str, number: str | None, title: str, state: str, location: str | None, times: int
) -> ReadCode:
    return ReadCode(
        code=code, kind=kind, number=number, title=title, state=state, location=location, times=times, expected=None
    )
