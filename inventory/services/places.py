"""Locations with their security zone; parties and their undertakings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from inventory.domain.vocabulary import PartyKind, Zone

from .context import Actor, Context
from .views import LocationView, PartyView


@dataclass(frozen=True, kw_only=True)
class CreateLocation:
    """A place."""

    name: str
    zone: Zone
    address: str = ""
    party: str | None = None
    """Whose place; None: ours."""


@dataclass(frozen=True, kw_only=True)
class ChangeLocation:
    """Rename a place or change its zone; a less secure zone asks the gate for every device in it."""

    location: str
    name: str
    zone: Zone
    address: str
    reason: str
    version: int | None = None


@dataclass(frozen=True, kw_only=True)
class CreateParty:
    """Own team, subsidiary or vendor."""

    name: str
    kind: PartyKind
    contact: str = ""


@dataclass(frozen=True, kw_only=True)
class FileUndertaking:
    """A party's signed commitment to equal restrictions."""

    party: str
    scope: str
    valid_from: datetime
    valid_until: datetime
    document_sha256: str


def create_location(context: Context, actor: Actor, command: CreateLocation) -> LocationView:
    """Permission `location.manage`. Raises `Duplicate` (name), `NotFound` (party)."""
    raise NotImplementedError


def change_location(context: Context, actor: Actor, command: ChangeLocation) -> LocationView:
    """Permission `location.manage`. Raises `GateClosed` where a device in it may not be in the new zone, `StaleVersion`, `Duplicate`."""
    raise NotImplementedError


def list_locations(context: Context, actor: Actor) -> tuple[LocationView, ...]:
    """All places by name. Permission `inventory.read`."""
    raise NotImplementedError


def create_party(context: Context, actor: Actor, command: CreateParty) -> PartyView:
    """Permission `party.manage`. Raises `Duplicate` (name)."""
    raise NotImplementedError


def file_undertaking(context: Context, actor: Actor, command: FileUndertaking) -> PartyView:
    """Permission `party.manage`. Raises `NotFound`, `Invalid` (dates, digest)."""
    raise NotImplementedError


def list_parties(context: Context, actor: Actor) -> tuple[PartyView, ...]:
    """All parties by name. Permission `inventory.read`."""
    raise NotImplementedError
