"""Locations with their security zone; parties and their undertakings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.roles import Permission
from inventory.domain.vocabulary import PartyKind, Zone, less_secure
from inventory.errors import Duplicate, GateClosed, Invalid, Reason
from inventory.events import Tag
from inventory.models import Device, Location, Party, Site, Undertaking
from reports.canonical import is_sha256

from ._gate import Way, gate_view, policy_in_force
from ._kept import Counted, kept, total_of
from ._scope import only, within
from .context import Actor, Context, authorize
from .kernel import check_version, find, moment, next_number, note, optional, required
from .views import LocationView, PartyView, UndertakingView


@dataclass(frozen=True, kw_only=True)
class CreateLocation:
    """A place."""

    name: str
    zone: Zone
    address: str = ""
    party: str | None = None
    """Whose place; None: ours."""
    site: str | None = None
    """At which site; whoever is limited to sites names one of theirs."""


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
    authorize(actor, Permission.LOCATION_MANAGE)
    with context.writing(actor) as session:
        return _location_views(session, [add_location(session, context, actor, command)])[0]


def add_location(
    session: Session, context: Context, actor: Actor, command: CreateLocation, more: Mapping[str, object] | None = None
) -> Location:
    """As `create_location`, within a transaction that is under way; `more` stands in the history beside it."""
    name = required("name", command.name, most=200)
    _free_name(session, name)
    party = find(session, Party, command.party, "party") if command.party else None
    site = find(session, Site, command.site, "site") if command.site else None
    if site is None and actor.scope.sites is not None:
        raise Invalid("site", "Name one of your sites: you would not see a place that is at none of them.")
    location = Location(
        id=next_number(session, "location"),
        name=name,
        zone=Zone(command.zone),
        address=optional("address", command.address),
        party_id=party.id if party else None,
        site_id=site.id if site else None,
    )
    session.add(location)
    session.flush()
    note(
        session, context, actor, Tag.LOCATION_CREATED, "location", location.id,
        details={"name": name, "zone": str(location.zone), **(more or {})},
    )  # fmt: skip
    return location


def change_location(context: Context, actor: Actor, command: ChangeLocation) -> LocationView:
    """Permission `location.manage`.

    Raises:
        GateClosed: a device in it may not be in the new zone.
        StaleVersion, Duplicate, NotFound.
    """
    authorize(actor, Permission.LOCATION_MANAGE)
    with context.writing(actor) as session:
        location = find(session, Location, command.location, "location")
        check_version(f"Location {location.id}", location.version, command.version)
        name = required("name", command.name, most=200)
        if name != location.name:
            _free_name(session, name)
        if less_secure(location.zone, Zone(command.zone)):
            _ask_for_every_device(session, location, Zone(command.zone))
        before = {"name": location.name, "zone": str(location.zone)}
        location.name, location.zone = name, Zone(command.zone)
        location.address = optional("address", command.address)
        session.flush()
        note(
            session, context, actor, Tag.LOCATION_CHANGED, "location", location.id,
            reason=required("reason", command.reason),
            details={"before": before, "after": {"name": name, "zone": str(location.zone)}},
        )  # fmt: skip
        return _location_views(session, [location])[0]


def _free_name(session: Session, name: str) -> None:
    existing = session.scalar(sa.select(Location.id).where(Location.name == name))
    if existing is not None:
        raise Duplicate("location", "name", existing)


def _ask_for_every_device(session: Session, location: Location, zone: Zone) -> None:
    """A place that becomes less secure moves everything in it: the gate answers for each device."""
    policy = policy_in_force(session)
    way = Way(f"the {zone} zone of {location.name}", reuse=True, leaves_control=False, receiver="own")
    reasons: list[Reason] = []
    for device in session.scalars(sa.select(Device).where(Device.location_id == location.id).order_by(Device.id)):
        answer = gate_view(session, policy, device, way)
        reasons += [Reason(one.code, f"{device.id}: {one.sentence}") for one in answer.reasons]
    if reasons:
        raise GateClosed(f"What stands in {location.name}", way.words, reasons)


def list_locations(context: Context, actor: Actor) -> tuple[LocationView, ...]:
    """All places by name. Permission `inventory.read`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        statement = sa.select(Location).where(*only(actor, Location)).order_by(Location.name)
        rows = session.scalars(statement).all()
        counts = kept(context, actor, "devices of locations", partial(_all_device_counts, context, actor), total_of)
        return _location_views(session, rows, counts)


def _all_device_counts(context: Context, actor: Actor) -> dict[str, int]:
    with context.reading(actor) as session:
        return _device_counts(session, None)


def _device_counts(session: Session, rows: Sequence[Location] | None) -> dict[str, int]:
    """Devices at each place; None: at every place."""
    which = Device.location_id.is_not(None) if rows is None else Device.location_id.in_([row.id for row in rows])
    statement = (
        sa.select(Device.location_id, sa.func.count())
        .where(which, *within(session, Device))
        .group_by(Device.location_id)
    )
    return {place: count for place, count in session.execute(statement) if place is not None}


def _location_views(
    session: Session, rows: Sequence[Location], counted: Counted[dict[str, int]] | None = None
) -> tuple[LocationView, ...]:
    counts = _device_counts(session, rows) if counted is None else counted.value
    return tuple(
        LocationView(
            id=row.id,
            name=row.name,
            zone=row.zone,
            party=row.party_id,
            site=row.site_id,
            address=row.address,
            devices=counts.get(row.id, 0),
            version=row.version,
            counted=counted.at if counted is not None else None,
        )
        for row in rows
    )


def create_party(context: Context, actor: Actor, command: CreateParty) -> PartyView:
    """Permission `party.manage`. Raises `Duplicate` (name)."""
    authorize(actor, Permission.PARTY_MANAGE)
    with context.writing(actor) as session:
        name = required("name", command.name, most=200)
        existing = session.scalar(sa.select(Party.id).where(Party.name == name))
        if existing is not None:
            raise Duplicate("party", "name", existing)
        party = Party(
            id=next_number(session, "party"),
            name=name,
            kind=PartyKind(command.kind),
            contact=optional("contact", command.contact),
        )
        session.add(party)
        session.flush()
        note(
            session, context, actor, Tag.PARTY_CREATED, "party", party.id,
            details={"name": name, "kind": str(party.kind)},
        )  # fmt: skip
        return _party_views(session, [party], context.now())[0]


def file_undertaking(context: Context, actor: Actor, command: FileUndertaking) -> PartyView:
    """Permission `party.manage`. Raises `NotFound`, `Invalid` (dates, digest)."""
    authorize(actor, Permission.PARTY_MANAGE)
    begins = moment("valid_from", command.valid_from)
    ends = moment("valid_until", command.valid_until)
    if ends <= begins:
        raise Invalid("valid_until", "An undertaking ends after it begins.")
    if not is_sha256(command.document_sha256):
        raise Invalid(
            "document_sha256", "The digest is 64 lower-case hexadecimal digits: SHA-256 of the signed document."
        )
    with context.writing(actor) as session:
        party = find(session, Party, command.party, "party")
        undertaking = Undertaking(
            id=next_number(session, "undertaking"),
            party_id=party.id,
            scope=required("scope", command.scope),
            valid_from=begins,
            valid_until=ends,
            document_sha256=command.document_sha256,
            filed=context.now(),
            filed_by=actor.ref,
        )
        session.add(undertaking)
        session.flush()
        note(
            session, context, actor, Tag.PARTY_UNDERTAKING_FILED, "party", party.id,
            details={"undertaking": undertaking.id, "valid_until": ends.isoformat()},
            evidence=[command.document_sha256],
        )  # fmt: skip
        return _party_views(session, [party], context.now())[0]


def list_parties(context: Context, actor: Actor) -> tuple[PartyView, ...]:
    """All parties by name. Permission `inventory.read`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        rows = session.scalars(sa.select(Party).order_by(Party.name)).all()
        return _party_views(session, rows, context.now())


def _party_views(session: Session, rows: Sequence[Party], now: datetime) -> tuple[PartyView, ...]:
    filed: dict[str, list[Undertaking]] = {}
    statement = sa.select(Undertaking).where(Undertaking.party_id.in_([row.id for row in rows]))
    for undertaking in session.scalars(statement.order_by(Undertaking.id.desc())):
        filed.setdefault(undertaking.party_id, []).append(undertaking)
    return tuple(
        PartyView(
            id=row.id,
            name=row.name,
            kind=row.kind,
            contact=row.contact,
            undertakings=tuple(
                UndertakingView(
                    id=one.id,
                    scope=one.scope,
                    valid_from=one.valid_from,
                    valid_until=one.valid_until,
                    document_sha256=one.document_sha256,
                    filed_by=one.filed_by,
                )
                for one in filed.get(row.id, [])
            ),
            undertaking_valid=row.kind is PartyKind.OWN or undertaking_valid(filed.get(row.id, []), now),
        )
        for row in rows
    )


def undertaking_valid(undertakings: Sequence[Undertaking], now: datetime) -> bool:
    """Whether one of them binds the party now."""
    return any(one.valid_from <= now < one.valid_until for one in undertakings)
