"""The list of devices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.roles import Permission
from inventory.domain.vocabulary import Category, DeviceState
from inventory.models import Device
from inventory.services._mapping import device_rows
from inventory.services._parts import devices_with
from inventory.services.queries.devices import DeviceFilter, device_conditions
from inventory.services.views import DeviceRow

from .spec import YES, Asking, Choice, Column, Condition, Exact, Facet, Listed, Sort, Walk, either, one_of, words

_MEDIA: Final = ("magnetic", "flash", "virtual", "pmem", "unknown")
_MEDIA_WORDS: Final = {"pmem": "Persistent memory", "unknown": "Not known"}


def _all(where: DeviceFilter) -> Condition:
    return sa.and_(sa.true(), *device_conditions(where))


def _category(values: Sequence[str], _: Asking) -> Condition:
    known = {str(word): word for word in Category}
    return sa.or_(sa.false(), *(_all(DeviceFilter(category=known[value])) for value in values))


def _media(values: Sequence[str], _: Asking) -> Condition:
    found = sa.func.coalesce(Device.media, Device.declared_media, "unknown")
    return found.in_(list(values))


def _make(row: DeviceRow) -> str:
    return " ".join(word for word in (row.vendor, row.model) if word)


def _rows(session: Session, _: Asking, found: Sequence[Any]) -> tuple[Any, ...]:
    return device_rows(session, found)


DEVICES: Final = Listed(
    name="devices",
    title="Devices",
    noun="device",
    permission=Permission.READ,
    model=Device,
    key=Device.id,
    base=(Device.bound_to.is_(None),),
    walk=Walk(by=(Device.id,), beyond=lambda key: Device.id > key, key=lambda row: str(row.id)),
    columns=(
        Column(
            name="device",
            title="Device",
            value=lambda row: row.asset_tag or row.id,
            opens="device",
            number=lambda row: row.id,
            sort=Sort(Device.asset_tag, gaps=True),
        ),
        Column(name="make", title="Make and model", value=_make, below="device"),
        Column(name="serial", title="Serial number", value=lambda row: row.serial, kind="mono", below="device"),
        Column(name="state", title="State", value=lambda row: row.state, kind="state"),
        Column(name="held", title="Hold", value=lambda row: row.held, kind="yes", below="state"),
        Column(name="exceptions", title="Open exceptions", value=lambda row: row.exceptions_open, below="state"),
        Column(name="holdings", title="Holdings", value=lambda row: row.holdings_open, kind="number"),
        Column(name="category", title="Category", value=lambda row: row.category, kind="words", below="holdings"),
        Column(name="host", title="Host", value=lambda row: row.host_name, opens="host", number=lambda row: row.host),
        Column(name="path", title="Path", value=lambda row: row.path, kind="mono", below="host"),
        Column(name="location", title="Place", value=lambda row: row.location_name),
        Column(
            name="capacity",
            title="Capacity",
            value=lambda row: row.capacity_bytes,
            kind="size",
            sort=Sort(sa.func.coalesce(Device.capacity_bytes, Device.declared_capacity), gaps=True),
        ),
        Column(name="media", title="Medium", value=lambda row: row.media or "unknown", kind="words"),
        Column(name="number", title="Number", value=lambda row: row.id, kind="mono", usual=False),
        Column(name="order", title="Open order", value=lambda row: row.order, opens="order", usual=False),
        Column(name="fingerprint", title="Fingerprint", value=lambda row: row.fingerprint, kind="mono", usual=False),
    ),
    facets=(
        Facet(
            name="state",
            title="State",
            choices=words(DeviceState),
            condition=one_of(Device.state),
            column=Device.state,
            indexed=True,
        ),
        Facet(
            name="data",
            title="Holds data or residue",
            choices=YES,
            condition=either(lambda _: _all(DeviceFilter(with_data=True))),
            single=True,
        ),
        Facet(name="category", title="Category ever held", choices=words(Category), condition=_category),
        Facet(
            name="exceptions",
            title="Open exceptions",
            choices=YES,
            condition=either(lambda _: _all(DeviceFilter(with_exceptions=True))),
            single=True,
        ),
        Facet(
            name="held",
            title="Under a hold",
            choices=YES,
            condition=either(lambda _: _all(DeviceFilter(held=True))),
            single=True,
        ),
        Facet(
            name="media",
            title="Medium",
            choices=tuple(Choice(word, _MEDIA_WORDS.get(word, word.capitalize())) for word in _MEDIA),
            condition=_media,
            column=sa.func.coalesce(Device.media, Device.declared_media, "unknown"),
        ),
        Facet(
            name="seen",
            title="Seen by an agent",
            choices=YES,
            condition=either(lambda _: Device.observed_at.is_not(None)),
            single=True,
        ),
    ),
    exacts=(
        Exact(name="host", title="In host", condition=lambda value: _all(DeviceFilter(host=value))),
        Exact(name="location", title="At", condition=lambda value: Device.location_id == value),
        Exact(name="data_set", title="Data set", condition=lambda value: _all(DeviceFilter(data_set=value))),
        Exact(name="site", title="Site", condition=lambda value: Device.site_id == value),
        Exact(name="team", title="Team", condition=lambda value: Device.team_id == value),
    ),
    text=devices_with,
    text_hint="Number, asset tag, serial number, WWN or model, in part or whole; how a fingerprint begins",
    time=Device.created,
    rows=_rows,
)
