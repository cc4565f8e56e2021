"""What is known about the rows of one batch: by asset tag, by serial number, and by earlier lines of the same file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.import_mapping import Row
from inventory.domain.import_outcomes import Outcome
from inventory.domain.importing import Known
from inventory.domain.lifecycle import FINAL
from inventory.models import Device, Import, ImportLine, Location


class Matches:
    """A fixed number of statements for a whole batch."""

    def __init__(self, session: Session, rows: Sequence[Row]) -> None:
        self._by_tag: dict[str, Device] = {}
        self._by_serial: dict[str, list[Device]] = defaultdict(list)
        tags = [row.asset_tag for row in rows if row.asset_tag is not None]
        serials = [row.serial for row in rows if row.serial is not None]
        for device in session.scalars(sa.select(Device).where(Device.asset_tag.in_(tags))):
            self._by_tag[str(device.asset_tag)] = device
        spelled = sorted({way for serial in serials for way in (serial, serial.upper(), serial.lower())})
        found = sa.select(Device).where(
            Device.bound_to.is_(None), sa.or_(Device.serial.in_(spelled), Device.declared_serial.in_(spelled))
        )
        for device in session.scalars(found.order_by(Device.id)):
            for serial in {(one or "").lower() for one in (device.serial, device.declared_serial)} - {""}:
                self._by_serial[serial].append(device)

    def by_tag(self, row: Row) -> Known | None:
        """The device that bears the row's asset tag."""
        device = self._by_tag.get(row.asset_tag or "")
        return None if device is None else known(device)

    def by_serial(self, row: Row) -> tuple[Known, ...]:
        """Devices with the row's serial number."""
        return tuple(known(device) for device in self._by_serial.get((row.serial or "").lower(), ()))

    def add(self, device: Device) -> None:
        """A device that was declared within this batch."""
        if device.asset_tag is not None:
            self._by_tag[device.asset_tag] = device
        if device.declared_serial is not None:
            self._by_serial[device.declared_serial.lower()].append(device)


def known(device: Device) -> Known:
    """A device as the rules of imports see it."""

    def said(*values: str | None) -> tuple[str, ...]:
        return tuple(dict.fromkeys(value for value in values if value))

    return Known(
        device=device.id,
        asset_tag=device.asset_tag,
        declared=device.declared_at is not None,
        gone=device.state in FINAL,
        serials=said(device.declared_serial, device.serial),
        models=said(device.declared_model, device.model),
        vendors=said(device.declared_vendor, device.vendor),
        capacities=tuple(value for value in (device.declared_capacity, device.capacity_bytes) if value is not None),
        media=said(device.declared_media, device.media),
    )


def earlier_lines(session: Session, row: Import, rows: Sequence[Row]) -> dict[str, int]:
    """Asset tag or identity -> the line of the same file that has it already."""
    wanted = (Outcome.NEW, Outcome.ADOPT, Outcome.SAME)
    found: dict[str, int] = {}
    for column, values in (
        (ImportLine.asset_tag, [one.asset_tag for one in rows if one.asset_tag is not None]),
        (ImportLine.identity, [one.identity for one in rows if one.identity is not None]),
    ):
        statement = sa.select(column, ImportLine.line).where(
            ImportLine.import_id == row.id, column.in_(values), ImportLine.outcome.in_(wanted)
        )
        found |= {str(value): line for value, line in session.execute(statement)}
    return found


def earlier_keys(session: Session, row: Import, keys: Sequence[str]) -> dict[str, int]:
    """As `earlier_lines`, of rows that are not about devices."""
    statement = sa.select(ImportLine.identity, ImportLine.line).where(
        ImportLine.import_id == row.id,
        ImportLine.identity.in_(keys),
        ImportLine.outcome.in_((Outcome.NEW, Outcome.ADOPT, Outcome.SAME)),
    )
    return {str(key): line for key, line in session.execute(statement)} if keys else {}


def places(session: Session, rows: Sequence[Row], conditions: Sequence[sa.ColumnElement[bool]]) -> dict[str, Location]:
    """Number or name of a place -> the place, where the actor sees it."""
    wanted = sorted({row.location for row in rows if row.location is not None})
    found: dict[str, Location] = {}
    statement = sa.select(Location).where(sa.or_(Location.id.in_(wanted), Location.name.in_(wanted)), *conditions)
    for place in session.scalars(statement):
        found[place.id] = found[place.name] = place
    return found
