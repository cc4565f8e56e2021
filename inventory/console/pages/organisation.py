"""Sites and teams: where things stand, whose they are, and so what people see."""

from __future__ import annotations

from collections.abc import Callable

from flask import url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from inventory.console.blueprint import Reply, form, page
from inventory.console.forms import Form, Option
from inventory.console.sheets import Field, Sheet, reason
from inventory.console.web import actor, go, here, perform, posted, received, show, show_sheet
from inventory.domain.roles import Permission
from inventory.errors import NotFound
from inventory.services import data, people, places, queries
from inventory.services import organisation as service

_NAME = Field(kind="text", name="name", label="Name", limit=128)


def site_options() -> tuple[Option, ...]:
    """The sites the reader sees, as choices."""
    return tuple(Option(site.id, site.name, site.id) for site in service.list_sites(here(), actor()))


def team_options() -> tuple[Option, ...]:
    """The teams the reader sees, as choices."""
    return tuple(Option(team.id, team.name, team.id) for team in service.list_teams(here(), actor()))


def scope_fields() -> tuple[Field, ...]:
    """How far somebody sees: everything by name, or sites and teams."""
    everything = Option("yes", "Everything", "Every site and team, also those to come.")
    fields = [Field(kind="ticks", name="everywhere", label="Sees", options=(everything,), required=False)]
    sites, teams = site_options(), team_options()
    if sites:
        fields.append(Field(kind="ticks", name="sites", label="Only at these sites", options=sites, required=False))
    if teams:
        fields.append(Field(kind="ticks", name="teams", label="Only of these teams", options=teams, required=False))
    return tuple(fields)


def typed_scope(typed: Form) -> tuple[bool, frozenset[str], frozenset[str]]:
    """What was ticked."""
    return (
        typed.value("everywhere") == "yes",
        frozenset(typed.values.getlist("sites")),
        frozenset(typed.values.getlist("teams")),
    )


@page("/sites")
def sites() -> Reply:
    """Every site and team the reader sees."""
    return show("sites.html", sites=service.list_sites(here(), actor()), teams=service.list_teams(here(), actor()))


def _crumbs() -> tuple[tuple[str, str], ...]:
    return (("Sites and teams", url_for("console.sites")),)


def _ask(sheet: Sheet, typed: Form, deed: Callable[[], object], endpoint: str, said: str, **parts: str) -> Reply:
    """Show a sheet, or do what it asks and go on."""
    if posted():

        def act() -> AnyResponse:
            deed()
            return go(endpoint, said=said, **parts)

        done = perform(typed, act)
        if done is not None:
            return done
    return show_sheet(sheet, typed)


@form("/sites/new", Permission.PEOPLE_MANAGE)
def new_site() -> Reply:
    """Add a site."""
    typed = received()
    command = None
    if posted():
        command = service.CreateSite(
            name=typed.text("name", "Give it a name.", limit=128), address=typed.text("address")
        )
    sheet = Sheet(
        title="Add a site",
        submit="Add",
        lead="Then say which places and hosts are there, and which people see it.",
        crumbs=_crumbs(),
        back=url_for("console.sites"),
        fields=(_NAME, Field(kind="area", name="address", label="Address", required=False)),
    )
    return _ask(
        sheet, typed, lambda: command and service.create_site(here(), actor(), command), "sites", said="site-saved"
    )


@form("/sites/<site>/change", Permission.PEOPLE_MANAGE)
def change_site(site: str) -> Reply:
    """Rename a site."""
    found = next((one for one in service.list_sites(here(), actor()) if one.id == site), None)
    if found is None:
        raise NotFound("site", site)
    typed = received() if posted() else Form(MultiDict({"name": found.name, "address": found.address}))
    command = None
    if posted():
        command = service.ChangeSite(
            site=found.id,
            name=typed.text("name", "Give it a name.", limit=128),
            address=typed.text("address"),
            reason=typed.text("reason", "Say why."),
        )
    sheet = Sheet(
        title=f"Change {found.name}",
        submit="Save",
        crumbs=_crumbs(),
        back=url_for("console.sites"),
        fields=(_NAME, Field(kind="area", name="address", label="Address", required=False), reason()),
    )
    return _ask(
        sheet, typed, lambda: command and service.change_site(here(), actor(), command), "sites", said="site-saved"
    )


@form("/teams/new", Permission.PEOPLE_MANAGE)
def new_team() -> Reply:
    """Add a team."""
    typed = received()
    command = None
    if posted():
        command = service.CreateTeam(
            name=typed.text("name", "Give it a name.", limit=128), purpose=typed.text("purpose")
        )
    sheet = Sheet(
        title="Add a team",
        submit="Add",
        lead="Then say which hosts and data sets are theirs, and which people see them.",
        crumbs=_crumbs(),
        back=url_for("console.sites"),
        fields=(_NAME, Field(kind="area", name="purpose", label="What it is for", required=False)),
    )
    return _ask(
        sheet, typed, lambda: command and service.create_team(here(), actor(), command), "sites", said="team-saved"
    )


@form("/teams/<team>/change", Permission.PEOPLE_MANAGE)
def change_team(team: str) -> Reply:
    """Rename a team."""
    found = next((one for one in service.list_teams(here(), actor()) if one.id == team), None)
    if found is None:
        raise NotFound("team", team)
    typed = received() if posted() else Form(MultiDict({"name": found.name, "purpose": found.purpose}))
    command = None
    if posted():
        command = service.ChangeTeam(
            team=found.id,
            name=typed.text("name", "Give it a name.", limit=128),
            purpose=typed.text("purpose"),
            reason=typed.text("reason", "Say why."),
        )
    sheet = Sheet(
        title=f"Change {found.name}",
        submit="Save",
        crumbs=_crumbs(),
        back=url_for("console.sites"),
        fields=(_NAME, Field(kind="area", name="purpose", label="What it is for", required=False), reason()),
    )
    return _ask(
        sheet, typed, lambda: command and service.change_team(here(), actor(), command), "sites", said="team-saved"
    )


@form("/people/<person>/scope", Permission.PEOPLE_MANAGE)
def set_scope(person: str) -> Reply:
    """Say how far somebody sees."""
    found = people.person(here(), actor(), person)
    typed = received()
    if not posted():
        typed.values.setlist("everywhere", ["yes"] if found.everywhere else [])
        typed.values.setlist("sites", list(found.sites))
        typed.values.setlist("teams", list(found.teams))
    command = None
    if posted():
        everywhere, at, of = typed_scope(typed)
        command = service.SetScope(
            person=found.ref,
            everywhere=everywhere,
            sites=at,
            teams=of,
            reason=typed.text("reason", "Say why."),
        )
    name = found.name or found.login
    sheet = Sheet(
        title=f"How far {name} sees",
        submit="Save",
        lead=found.sees,
        crumbs=(("People", url_for("console.people")), (name, url_for("console.person", person=found.ref))),
        back=url_for("console.person", person=found.ref),
        consequences=(
            "It counts from their next request on, for their tokens, too.",
            "Sites and teams together: only what is at one of the sites and of one of the teams.",
            "Nothing ticked: only administrators, auditors and privacy officers see anything.",
        ),
        fields=(*scope_fields(), reason()),
    )
    deed = lambda: command and service.set_scope(here(), actor(), command)  # noqa: E731 - one line, given on
    return _ask(sheet, typed, deed, "person", said="person-changed", person=found.ref)


def _site_field() -> Field:
    return Field(kind="select", name="site", label="Site", options=site_options(), required=False, blank="No site")


def _team_field() -> Field:
    return Field(kind="select", name="team", label="Team", options=team_options(), required=False, blank="No team")


def _assignment(typed: Form, subject: str, version: int) -> service.Assign | None:
    if not posted():
        return None
    return service.Assign(
        subject=subject,
        site=typed.optional("site"),
        team=typed.optional("team"),
        reason=typed.text("reason", "Say why."),
        version=version,
    )


@form("/places/<location>/site", Permission.LOCATION_MANAGE)
def assign_location(location: str) -> Reply:
    """Say at which site a place is."""
    found = next((place for place in places.list_locations(here(), actor()) if place.id == location), None)
    if found is None:
        raise NotFound("place", location)
    typed = received() if posted() else Form(MultiDict({"site": found.site or ""}))
    command = _assignment(typed, found.id, found.version)
    sheet = Sheet(
        title=f"Where {found.name} is",
        submit="Save",
        crumbs=(("Places and parties", url_for("console.places")),),
        back=url_for("console.places"),
        consequences=("The site answers for what stands there now, and its people see it.",),
        fields=(_site_field(), reason()),
    )
    deed = lambda: command and service.assign_location(here(), actor(), command)  # noqa: E731 - one line, given on
    return _ask(sheet, typed, deed, "places", said="location-saved")


@form("/hosts/<host>/belonging", Permission.HOST_MANAGE)
def assign_host(host: str) -> Reply:
    """Say where a host stands and whose it is."""
    found = queries.host(here(), actor(), host)
    typed = received() if posted() else Form(MultiDict({"site": found.site or "", "team": found.team or ""}))
    command = _assignment(typed, found.id, found.version)
    sheet = Sheet(
        title=f"Where {found.name} belongs",
        submit="Save",
        crumbs=(("Hosts", url_for("console.hosts")), (found.name, url_for("console.host", host=found.id))),
        back=url_for("console.host", host=found.id),
        consequences=("Site and team answer for every device in it now, and their people see it.",),
        fields=(_site_field(), _team_field(), reason()),
    )
    deed = lambda: command and service.assign_host(here(), actor(), command)  # noqa: E731 - one line, given on
    return _ask(sheet, typed, deed, "host", said="belonging-saved", host=found.id)


@form("/data/<data_set>/team", Permission.DATA_SET_MANAGE)
def assign_data_set(data_set: str) -> Reply:
    """Say which team's a data set is."""
    found = data.data_set(here(), actor(), data_set)
    typed = received() if posted() else Form(MultiDict({"team": found.team or ""}))
    command = _assignment(typed, found.id, found.version)
    sheet = Sheet(
        title=f"Whose {found.name} is",
        submit="Save",
        crumbs=(
            ("Data sets", url_for("console.data_sets")),
            (found.name, url_for("console.data_set", data_set=found.id)),
        ),
        back=url_for("console.data_set", data_set=found.id),
        consequences=("The team sees every device that holds it, or held it.",),
        fields=(_team_field(), reason()),
    )
    deed = lambda: command and service.assign_data_set(here(), actor(), command)  # noqa: E731 - one line, given on
    return _ask(sheet, typed, deed, "data_set", said="belonging-saved", data_set=found.id)
