"""Locations with their zone, parties and their undertakings."""

from __future__ import annotations

from .common import Instant, Message, Sha256
from .vocabulary import Key, Line, OptionalLine, PartyKindName, Prose, ZoneName


class LocationCreate(Message):
    """A place."""

    name: Line
    zone: ZoneName
    address: OptionalLine = ""
    party: Key | None = None
    """Whose place; null: ours."""
    site: Key | None = None
    """At which site; whoever is limited to sites names one of theirs."""


class LocationChange(Message):
    """A place's name, zone and address; a less secure zone asks the gate for every device in it."""

    name: Line
    zone: ZoneName
    address: OptionalLine
    reason: Prose


class PartyCreate(Message):
    """Own team, subsidiary or downstream vendor."""

    name: Line
    kind: PartyKindName
    contact: OptionalLine = ""


class UndertakingFile(Message):
    """A party's signed commitment to equal restrictions."""

    scope: Prose
    valid_from: Instant
    valid_until: Instant
    document_sha256: Sha256
