"""Devices: declared by people, observed by agents; every change of state through the lifecycle table."""

from __future__ import annotations

from dataclasses import dataclass

from .context import Actor, Context
from .views import DeviceDetail


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
    raise NotImplementedError


def adopt(context: Context, actor: Actor, command: AdoptDevice) -> DeviceDetail:
    """Declare an observed device, or bind it to a declared one. Permission `device.declare`.

    Raises:
        NotFound, Duplicate, StaleVersion.
        Conflict: it is declared already, or the other one has been bound or observed itself.
    """
    raise NotImplementedError


def place_in_service(context: Context, actor: Actor, command: ChangeState) -> DeviceDetail:
    """declared -> in service. Permission `device.move`. Raises `IllegalTransition`, `StaleVersion`, `GateClosed` (less secure place)."""
    raise NotImplementedError


def move(context: Context, actor: Actor, command: MoveDevice) -> DeviceDetail:
    """To another location of ours. Permission `device.move`. Raises `GateClosed` with every reason where the zone is less secure."""
    raise NotImplementedError


def retire(context: Context, actor: Actor, command: ChangeState) -> DeviceDetail:
    """in service -> retired. Live holdings stay live until an agent or person says otherwise. Permission `device.move`."""
    raise NotImplementedError


def quarantine(context: Context, actor: Actor, command: ChangeState) -> DeviceDetail:
    """Under lock, awaiting sanitization or destruction; a location given must be a secure zone. Permission `device.move`."""
    raise NotImplementedError


def return_to_service(context: Context, actor: Actor, command: ChangeState) -> DeviceDetail:
    """retired, quarantined or sanitized -> in service, under our control; from sanitized the gate must grant reuse. Permission `device.move`."""
    raise NotImplementedError


def report_missing(context: Context, actor: Actor, command: ChangeState) -> DeviceDetail:
    """An incident: raises a critical exception that lists data sets, erasure cases and encryption facts exposed. Permission `device.move`."""
    raise NotImplementedError


def report_found(context: Context, actor: Actor, command: ChangeState) -> DeviceDetail:
    """missing -> quarantined: where it has been is unknown. Permission `device.move`."""
    raise NotImplementedError
