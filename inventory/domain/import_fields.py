"""What a table from elsewhere may be about, and what its columns may say of that. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Subject(StrEnum):
    """What each row of a table is about."""

    DEVICES = "devices"
    PLACES = "places"
    DATA_SETS = "data_sets"
    HOLDINGS = "holdings"
    """A data set on a device."""
    PEOPLE = "people"
    HOSTS = "hosts"
    """Where known hosts belong; a host itself comes with its agent."""


class Field(StrEnum):
    """What a column may say."""

    ASSET_TAG = "asset_tag"
    SERIAL = "serial"
    VENDOR = "vendor"
    MODEL = "model"
    CAPACITY = "capacity"
    MEDIA = "media"
    LOCATION = "location"
    SOURCE = "source"
    NAME = "name"
    ZONE = "zone"
    ADDRESS = "address"
    PARTY = "party"
    SITE = "site"
    TEAM = "team"
    CATEGORY = "category"
    OWNER = "owner"
    DESCRIPTION = "description"
    RETENTION = "retention"
    ENCRYPTION = "encryption"
    KEY_HOLDER = "key_holder"
    DEVICE = "device"
    DATA_SET = "data_set"
    KIND = "kind"
    SINCE = "since"
    UNTIL = "until"
    REASON = "reason"
    LOGIN = "login"
    TITLE = "title"
    CONTACT = "contact"
    ROLES = "roles"
    SITES = "sites"
    TEAMS = "teams"
    HOST = "host"


FIELDS: Final[Mapping[Subject, tuple[Field, ...]]] = {
    Subject.DEVICES: (
        Field.ASSET_TAG, Field.SERIAL, Field.VENDOR, Field.MODEL, Field.CAPACITY, Field.MEDIA, Field.LOCATION, Field.SOURCE,
    ),
    Subject.PLACES: (Field.NAME, Field.ZONE, Field.ADDRESS, Field.PARTY, Field.SITE),
    Subject.DATA_SETS: (
        Field.NAME, Field.CATEGORY, Field.OWNER, Field.DESCRIPTION, Field.RETENTION, Field.ENCRYPTION, Field.KEY_HOLDER,
    ),
    Subject.HOLDINGS: (Field.DEVICE, Field.DATA_SET, Field.KIND, Field.SINCE, Field.UNTIL, Field.REASON),
    Subject.PEOPLE: (Field.LOGIN, Field.NAME, Field.TITLE, Field.CONTACT, Field.ROLES, Field.SITES, Field.TEAMS),
    Subject.HOSTS: (Field.HOST, Field.SITE, Field.TEAM),
}  # fmt: skip
"""What can be said, in the order in which it is asked for."""

NEEDED: Final[Mapping[Subject, tuple[Field, ...]]] = {
    Subject.PLACES: (Field.NAME, Field.ZONE),
    Subject.DATA_SETS: (Field.NAME, Field.CATEGORY, Field.OWNER),
    Subject.HOLDINGS: (Field.DEVICE, Field.DATA_SET, Field.SINCE),
    Subject.PEOPLE: (Field.LOGIN, Field.NAME),
    Subject.HOSTS: (Field.HOST,),
}
"""Without these a row says nothing. A device is named in one of two ways; its own rules ask for that."""

LIMITS: Final[Mapping[Field, int]] = {
    Field.ASSET_TAG: 64,
    Field.SERIAL: 256,
    Field.VENDOR: 256,
    Field.MODEL: 256,
    Field.CAPACITY: 64,
    Field.MEDIA: 64,
    Field.ADDRESS: 500,
    Field.DESCRIPTION: 500,
    Field.REASON: 500,
    Field.LOGIN: 64,
    Field.DATA_SET: 64,
    Field.DEVICE: 64,
}
MOST_LETTERS: Final = 200
"""Of a field that is not named above."""

KNOWN_TITLES: Final[Mapping[Subject, Mapping[Field, tuple[str, ...]]]] = {
    Subject.DEVICES: {
        Field.ASSET_TAG: ("asset tag", "asset_tag", "assettag", "asset", "tag", "inventory number", "label"),
        Field.SERIAL: ("serial", "serial number", "serial_number", "serialnumber", "s/n", "sn"),
        Field.VENDOR: ("manufacturer", "vendor", "make", "brand"),
        Field.MODEL: ("model", "model name", "part id", "part_id", "part number", "product"),
        Field.CAPACITY: ("capacity", "capacity bytes", "capacity_bytes", "size", "disk size"),
        Field.MEDIA: ("media", "media type", "kind of medium", "disk type", "type"),
        Field.LOCATION: ("location", "place", "site", "room"),
        Field.SOURCE: ("source", "user", "host", "device", "computer"),
    },
    Subject.PLACES: {
        Field.NAME: ("place", "location", "name", "room"),
        Field.ZONE: ("zone", "security zone", "security"),
        Field.ADDRESS: ("address", "street"),
        Field.PARTY: ("party", "owner", "vendor", "company"),
        Field.SITE: ("site", "region"),
    },
    Subject.DATA_SETS: {
        Field.NAME: ("data set", "data_set", "dataset", "name", "system"),
        Field.CATEGORY: ("category", "confidentiality", "classification", "impact"),
        Field.OWNER: ("owner", "data owner", "responsible"),
        Field.DESCRIPTION: ("description", "purpose"),
        Field.RETENTION: ("retention days", "retention", "retention_days", "days"),
        Field.ENCRYPTION: ("encryption", "encrypted"),
        Field.KEY_HOLDER: ("key holder", "key_holder", "keys"),
    },
    Subject.HOLDINGS: {
        Field.DEVICE: ("device", "asset tag", "asset_tag", "disk", "medium"),
        Field.DATA_SET: ("data set", "data_set", "dataset", "data"),
        Field.KIND: ("kind", "copy", "type"),
        Field.SINCE: ("since", "from", "begin", "start"),
        Field.UNTIL: ("until", "to", "end"),
        Field.REASON: ("reason", "how known", "note"),
    },
    Subject.PEOPLE: {
        Field.LOGIN: ("login", "user", "username", "user name", "account"),
        Field.NAME: ("name", "full name", "display name", "person"),
        Field.TITLE: ("title", "job title", "function", "position"),
        Field.CONTACT: ("contact", "email", "e-mail", "mail", "telephone"),
        Field.ROLES: ("roles", "role"),
        Field.SITES: ("sites", "site"),
        Field.TEAMS: ("teams", "team"),
    },
    Subject.HOSTS: {
        Field.HOST: ("host", "name", "hostname", "server", "computer"),
        Field.SITE: ("site", "region", "location"),
        Field.TEAM: ("team", "owner", "group"),
    },
}
"""Titles that say what they mean, for a first proposal; a person confirms it."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One reason why a row is refused."""

    code: str
    field: str
    sentence: str


def problem(code: str, one: Field, sentence: str) -> Problem:
    """One reason, cut to what a page shows."""
    return Problem(code=code, field=str(one), sentence=sentence[:300])


def squeezed(text: str) -> str:
    """As people and drives pad and case words differently."""
    return "".join(text.lower().split())
