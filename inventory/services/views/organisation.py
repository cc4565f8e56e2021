"""Sites and teams."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from inventory.domain.vocabulary import DeviceState


@dataclass(frozen=True, kw_only=True)
class SiteView:
    """A place of work; counts are of what the reader sees."""

    id: str
    name: str
    address: str
    locations: int
    hosts: int
    devices: int
    """That this site answers for."""
    people: int
    """Who are limited to it, alone or among others."""
    version: int
    counted: datetime | None = None
    """When the devices were counted; None: just now."""


@dataclass(frozen=True, kw_only=True)
class TeamView:
    """People who answer for some hosts and data sets; counts are of what the reader sees."""

    id: str
    name: str
    purpose: str
    hosts: int
    data_sets: int
    people: int
    version: int


@dataclass(frozen=True, kw_only=True)
class BatchLineView:
    """What became of one device of many."""

    device: str
    done: bool
    state: DeviceState | None
    """Its state now; in a dry run the one it would have. None: it was refused."""
    code: str | None
    """Why it was refused."""
    sentence: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class AssignmentView:
    """Where something belongs now."""

    subject: str
    site: str | None
    team: str | None
    version: int
