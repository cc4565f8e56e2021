"""Devices in lists, one device, and its story."""

from __future__ import annotations

from dataclasses import dataclass

from inventory.domain.vocabulary import Category, DeviceState
from inventory.services.context import Actor, Context
from inventory.services.views import DeviceDetail, DeviceRow, EventView, Page


@dataclass(frozen=True, kw_only=True)
class DeviceFilter:
    """Which devices; every field that is given must match."""

    states: frozenset[DeviceState] = frozenset()
    text: str = ""
    """Part of asset tag, serial number, model, vendor, number or fingerprint; case does not matter."""
    host: str | None = None
    location: str | None = None
    data_set: str | None = None
    """Holds it live or as residue."""
    category: Category | None = None
    with_residue: bool | None = None
    with_exceptions: bool | None = None
    held: bool | None = None


def list_devices(
    context: Context, actor: Actor, where: DeviceFilter, *, after: str | None = None, limit: int = 50
) -> Page[DeviceRow]:
    """Devices by number. Permission `inventory.read`."""
    raise NotImplementedError


def device(context: Context, actor: Actor, device_id: str) -> DeviceDetail:
    """One device by number, asset tag or fingerprint. Permission `inventory.read`. Raises `NotFound`."""
    raise NotImplementedError


def device_timeline(
    context: Context, actor: Actor, device_id: str, *, after: str | None = None, limit: int = 100
) -> Page[EventView]:
    """A device's story, newest first. Permission `inventory.read`. Raises `NotFound`."""
    raise NotImplementedError
