"""Sites, teams, what belongs to them, and how far people see (governance, section 5)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from inventory.domain.roles import Permission, Role
from inventory.domain.scopes import UNLIMITED
from inventory.errors import Duplicate, Invalid
from inventory.events import Tag
from inventory.models import Attachment, Base, DataSet, Device, Host, Location, Person, Site, Team

from ._kept import Counted, kept, total_of
from ._scope import only, require_unlimited
from .context import Actor, Context, authorize
from .kernel import check_version, find, next_number, note, optional, required
from .people import known_ids, person_view
from .views import AssignmentView, PersonView, SiteView, TeamView


@dataclass(frozen=True, kw_only=True)
class CreateSite:
    """A place of work."""

    name: str
    address: str = ""


@dataclass(frozen=True, kw_only=True)
class ChangeSite:
    """Rename it, or correct its address."""

    site: str
    name: str
    address: str
    reason: str
    version: int | None = None


@dataclass(frozen=True, kw_only=True)
class CreateTeam:
    """People who answer for some hosts and data sets."""

    name: str
    purpose: str = ""


@dataclass(frozen=True, kw_only=True)
class ChangeTeam:
    """Rename it, or say better what it is for."""

    team: str
    name: str
    purpose: str
    reason: str
    version: int | None = None


@dataclass(frozen=True, kw_only=True)
class SetScope:
    """How far a person sees, all of it."""

    person: str
    everywhere: bool
    sites: frozenset[str]
    teams: frozenset[str]
    reason: str
    version: int | None = None


@dataclass(frozen=True, kw_only=True)
class Assign:
    """Where a location, host or data set belongs; None: to none."""

    subject: str
    reason: str
    site: str | None = None
    team: str | None = None
    version: int | None = None


def create_site(context: Context, actor: Actor, command: CreateSite) -> SiteView:
    """Permission `people.manage`. Raises `Duplicate` (name)."""
    _manage(actor)
    with context.writing(actor) as session:
        name = _free(session, Site, "site", command.name)
        row = Site(
            id=next_number(session, "site"),
            name=name,
            address=optional("address", command.address),
            created=context.now(),
        )
        session.add(row)
        session.flush()
        note(session, context, actor, Tag.SITE_CREATED, "site", row.id, details={"name": name})
        return _site_views(session, actor, [row])[0]


def change_site(context: Context, actor: Actor, command: ChangeSite) -> SiteView:
    """Permission `people.manage`. Raises `NotFound`, `StaleVersion`, `Duplicate`."""
    _manage(actor)
    with context.writing(actor) as session:
        row = find(session, Site, command.site, "site")
        check_version(f"Site {row.id}", row.version, command.version)
        before = {"name": row.name, "address": row.address}
        if command.name.strip() != row.name:
            row.name = _free(session, Site, "site", command.name)
        row.address = optional("address", command.address)
        session.flush()
        details = {"before": before, "after": {"name": row.name, "address": row.address}}
        why = required("reason", command.reason)
        note(session, context, actor, Tag.SITE_CHANGED, "site", row.id, reason=why, details=details)
        return _site_views(session, actor, [row])[0]


def create_team(context: Context, actor: Actor, command: CreateTeam) -> TeamView:
    """Permission `people.manage`. Raises `Duplicate` (name)."""
    _manage(actor)
    with context.writing(actor) as session:
        name = _free(session, Team, "team", command.name)
        row = Team(
            id=next_number(session, "team"),
            name=name,
            purpose=optional("purpose", command.purpose),
            created=context.now(),
        )
        session.add(row)
        session.flush()
        note(session, context, actor, Tag.TEAM_CREATED, "team", row.id, details={"name": name})
        return _team_views(session, actor, [row])[0]


def change_team(context: Context, actor: Actor, command: ChangeTeam) -> TeamView:
    """Permission `people.manage`. Raises `NotFound`, `StaleVersion`, `Duplicate`."""
    _manage(actor)
    with context.writing(actor) as session:
        row = find(session, Team, command.team, "team")
        check_version(f"Team {row.id}", row.version, command.version)
        before = {"name": row.name, "purpose": row.purpose}
        if command.name.strip() != row.name:
            row.name = _free(session, Team, "team", command.name)
        row.purpose = optional("purpose", command.purpose)
        session.flush()
        details = {"before": before, "after": {"name": row.name, "purpose": row.purpose}}
        why = required("reason", command.reason)
        note(session, context, actor, Tag.TEAM_CHANGED, "team", row.id, reason=why, details=details)
        return _team_views(session, actor, [row])[0]


def list_sites(context: Context, actor: Actor) -> tuple[SiteView, ...]:
    """By name, as far as the reader sees. Permission `inventory.read`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        rows = session.scalars(sa.select(Site).where(*only(actor, Site)).order_by(Site.name)).all()
        devices = kept(context, actor, "devices of sites", partial(_all_devices, context, actor), total_of)
        return _site_views(session, actor, rows, devices)


def _all_devices(context: Context, actor: Actor) -> dict[str, int]:
    with context.reading(actor) as session:
        statement = sa.select(Device.site_id, sa.func.count()).where(Device.site_id.is_not(None), *only(actor, Device))
        return {site: count for site, count in session.execute(statement.group_by(Device.site_id)) if site is not None}


def list_teams(context: Context, actor: Actor) -> tuple[TeamView, ...]:
    """By name, as far as the reader sees. Permission `inventory.read`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        rows = session.scalars(sa.select(Team).where(*only(actor, Team)).order_by(Team.name)).all()
        return _team_views(session, actor, rows)


def set_scope(context: Context, actor: Actor, command: SetScope) -> PersonView:
    """Say how far a person sees; counts from their next request on. Permission `people.manage`.

    Raises:
        NotFound, StaleVersion.
        Invalid: a site or team that does not exist; everything together with sites or teams; an administrator, who gives out
            the scopes and sees everything.
    """
    _manage(actor)
    if command.everywhere and (command.sites or command.teams):
        raise Invalid("everywhere", "Either everything, or these sites and teams; not both.")
    with context.writing(actor) as session:
        row = find(session, Person, command.person, "person")
        check_version(f"Person {row.ref}", row.version, command.version)
        if (command.sites or command.teams) and UNLIMITED & {Role(role) for role in row.roles}:
            raise Invalid(
                "sites",
                "An administrator gives out the scopes, so a limit would only pretend. Take the role away first.",
            )
        before = {"everywhere": row.everywhere, "sites": row.sites, "teams": row.teams}
        row.everywhere = command.everywhere
        row.sites = known_ids(session, Site, "sites", command.sites)
        row.teams = known_ids(session, Team, "teams", command.teams)
        session.flush()
        details = {"before": before, "after": {"everywhere": row.everywhere, "sites": row.sites, "teams": row.teams}}
        why = required("reason", command.reason)
        note(session, context, actor, Tag.PERSON_SCOPE_SET, "person", row.ref, reason=why, details=details)
        return person_view(session, row, directory=True)


def assign_location(context: Context, actor: Actor, command: Assign) -> AssignmentView:
    """Say at which site a location is; the site answers for what stands there. Permission `location.manage`.

    Raises:
        NotFound, StaleVersion.
        Forbidden: the one who says it does not see everything.
    """
    authorize(actor, Permission.LOCATION_MANAGE)
    require_unlimited(actor, "say at which site a location is")
    if command.team is not None:
        raise Invalid("team", "A location is at a site; it belongs to no team.")
    with context.writing(actor) as session:
        row = find(session, Location, command.subject, "location")
        check_version(f"Location {row.id}", row.version, command.version)
        site = _site(session, command.site)
        before, row.site_id = row.site_id, site
        session.flush()
        _answer(session, Device.location_id == row.id, site=site, team=None)
        details = {"before": before, "after": site}
        why = required("reason", command.reason)
        note(session, context, actor, Tag.LOCATION_ASSIGNED, "location", row.id, reason=why, details=details)
        return AssignmentView(subject=row.id, site=row.site_id, team=None, version=row.version)


def assign_host(context: Context, actor: Actor, command: Assign) -> AssignmentView:
    """Say at which site a host is and which team's; both answer for what is in it. Permission `host.manage`.

    Raises:
        NotFound, StaleVersion.
    """
    authorize(actor, Permission.HOST_MANAGE)
    require_unlimited(actor, "say where a host belongs")
    with context.writing(actor) as session:
        row = put_host(session, context, actor, command)
        return AssignmentView(subject=row.id, site=row.site_id, team=row.team_id, version=row.version)


def put_host(session: Session, context: Context, actor: Actor, command: Assign) -> Host:
    """As `assign_host`, within a transaction that is under way."""
    row = find(session, Host, command.subject, "host")
    check_version(f"Host {row.id}", row.version, command.version)
    before = {"site": row.site_id, "team": row.team_id}
    row.site_id, row.team_id = _site(session, command.site), _team(session, command.team)
    session.flush()
    inside = sa.exists().where(
        Attachment.device_id == Device.id, Attachment.host_id == row.id, Attachment.until.is_(None)
    )
    _answer(session, inside, site=row.site_id, team=row.team_id)
    details = {"before": before, "after": {"site": row.site_id, "team": row.team_id}}
    why = required("reason", command.reason)
    note(session, context, actor, Tag.HOST_ASSIGNED, "host", row.id, reason=why, details=details)
    return row


def assign_data_set(context: Context, actor: Actor, command: Assign) -> AssignmentView:
    """Say which team's a data set is; the team sees what holds it. Permission `data_set.manage`.

    Raises:
        NotFound, StaleVersion.
        Forbidden: the one who says it does not see everything.
    """
    authorize(actor, Permission.DATA_SET_MANAGE)
    require_unlimited(actor, "say which team's a data set is")
    if command.site is not None:
        raise Invalid("site", "Data lie where their media are; a data set is at no site.")
    with context.writing(actor) as session:
        row = find(session, DataSet, command.subject, "data set")
        check_version(f"Data set {row.id}", row.version, command.version)
        before, row.team_id = row.team_id, _team(session, command.team)
        session.flush()
        details = {"before": before, "after": row.team_id}
        why = required("reason", command.reason)
        note(session, context, actor, Tag.DATA_SET_ASSIGNED, "data_set", row.id, reason=why, details=details)
        return AssignmentView(subject=row.id, site=None, team=row.team_id, version=row.version)


def _manage(actor: Actor) -> None:
    authorize(actor, Permission.PEOPLE_MANAGE)
    require_unlimited(actor, "say who sees what")


def _free(session: Session, model: type[Site | Team], kind: str, text: str) -> str:
    name = required("name", text, most=200)
    existing = session.scalar(sa.select(model.id).where(model.name == name))
    if existing is not None:
        raise Duplicate(kind, "name", existing)
    return name


def _site(session: Session, number: str | None) -> str | None:
    return find(session, Site, number, "site").id if number else None


def _team(session: Session, number: str | None) -> str | None:
    return find(session, Team, number, "team").id if number else None


def _answer(session: Session, which: sa.ColumnElement[bool], *, site: str | None, team: str | None) -> None:
    """The site and team answer for these devices from now on; where none is named, whoever answered goes on."""
    values = {name: value for name, value in (("site_id", site), ("team_id", team)) if value is not None}
    if values:
        session.execute(
            sa.update(Device).where(which).values(**values), execution_options={"synchronize_session": False}
        )


def _count(
    session: Session, actor: Actor, model: type[Base], column: InstrumentedAttribute[Any], ids: Iterable[str]
) -> dict[str, int]:
    statement = sa.select(column, sa.func.count()).where(column.in_(sorted(ids)), *only(actor, model)).group_by(column)
    return dict(session.execute(statement).all())


def _members(session: Session, which: str) -> dict[str, int]:
    """How many people are limited to each site or team; the lists are JSON, and many people have the same."""
    found: dict[str, int] = {}
    limits = sa.cast(Person.sites if which == "sites" else Person.teams, sa.String)
    limited_ones = sa.select(limits, sa.func.count()).where(Person.enabled, limits != "[]").group_by(limits)
    for numbers, people in session.execute(limited_ones):
        for number in json.loads(numbers):
            found[number] = found.get(number, 0) + people
    return found


def _site_views(
    session: Session, actor: Actor, rows: Sequence[Site], counted: Counted[dict[str, int]] | None = None
) -> tuple[SiteView, ...]:
    ids = [row.id for row in rows]
    locations = _count(session, actor, Location, Location.site_id, ids)
    hosts = _count(session, actor, Host, Host.site_id, ids)
    devices = _count(session, actor, Device, Device.site_id, ids) if counted is None else counted.value
    people = _members(session, "sites")
    return tuple(
        SiteView(
            id=row.id,
            name=row.name,
            address=row.address,
            locations=locations.get(row.id, 0),
            hosts=hosts.get(row.id, 0),
            devices=devices.get(row.id, 0),
            people=people.get(row.id, 0),
            version=row.version,
            counted=counted.at if counted is not None else None,
        )
        for row in rows
    )


def _team_views(session: Session, actor: Actor, rows: Sequence[Team]) -> tuple[TeamView, ...]:
    ids = [row.id for row in rows]
    hosts = _count(session, actor, Host, Host.team_id, ids)
    data_sets = _count(session, actor, DataSet, DataSet.team_id, ids)
    people = _members(session, "teams")
    return tuple(
        TeamView(
            id=row.id,
            name=row.name,
            purpose=row.purpose,
            hosts=hosts.get(row.id, 0),
            data_sets=data_sets.get(row.id, 0),
            people=people.get(row.id, 0),
            version=row.version,
        )
        for row in rows
    )
