"""Sites and teams, and what belongs to them."""

from __future__ import annotations

from .common import Message
from .vocabulary import Key, Line, OptionalLine, Prose


class SiteCreate(Message):
    """A place of work."""

    name: Line
    address: OptionalLine = ""


class SiteChange(Message):
    """A site's name and address."""

    name: Line
    address: OptionalLine
    reason: Prose


class TeamCreate(Message):
    """People who answer for some hosts and data sets."""

    name: Line
    purpose: OptionalLine = ""


class TeamChange(Message):
    """A team's name, and what it is for."""

    name: Line
    purpose: OptionalLine
    reason: Prose


class LocationSite(Message):
    """At which site a location is; null: at none."""

    site: Key | None
    reason: Prose


class HostBelonging(Message):
    """At which site a host is, and which team's; null: none."""

    site: Key | None
    team: Key | None
    reason: Prose


class DataSetTeam(Message):
    """Which team's a data set is; null: no team's."""

    team: Key | None
    reason: Prose
