"""Sites and teams, and what belongs to them."""

from __future__ import annotations

from inventory.api.dispatch import Call
from inventory.api.endpoint import READERS, Answer, Noun, people
from inventory.contract.v1.organisation import (
    DataSetTeam,
    HostBelonging,
    LocationSite,
    SiteChange,
    SiteCreate,
    TeamChange,
    TeamCreate,
)
from inventory.contract.v1.vocabulary import Key
from inventory.domain.roles import Permission
from inventory.errors import Duplicate, Forbidden, Invalid, NotFound
from inventory.services import organisation as service
from inventory.services.views import AssignmentView, SiteView, TeamView

noun = Noun(
    "sites and teams", "Where things stand and whose they are; people see what is at their sites and of their teams."
)

_MANAGE = people(do=Permission.PEOPLE_MANAGE)


@noun.get("/sites", "Sites", READERS)
def list_sites(call: Call) -> tuple[SiteView, ...]:
    """By name, as far as the reader sees."""
    return service.list_sites(call.context, call.actor)


@noun.post("/sites", "Add a site", _MANAGE, creates=True, raises=(Duplicate, Invalid, Forbidden))
def create_site(call: Call, body: SiteCreate) -> Answer[SiteView]:
    """A place of work; locations and hosts are put at it, and people limited to it."""
    made = service.create_site(call.context, call.actor, service.CreateSite(name=body.name, address=body.address))
    return Answer(made, version=made.version)


@noun.put("/sites/{site}", "Change a site", _MANAGE, updates=True, raises=(Duplicate, Invalid, Forbidden))
def change_site(call: Call, site: Key, body: SiteChange) -> SiteView:
    """Name and address."""
    command = service.ChangeSite(
        site=site, name=body.name, address=body.address, reason=body.reason, version=call.version
    )
    return service.change_site(call.context, call.actor, command)


@noun.get("/teams", "Teams", READERS)
def list_teams(call: Call) -> tuple[TeamView, ...]:
    """By name, as far as the reader sees."""
    return service.list_teams(call.context, call.actor)


@noun.post("/teams", "Add a team", _MANAGE, creates=True, raises=(Duplicate, Invalid, Forbidden))
def create_team(call: Call, body: TeamCreate) -> Answer[TeamView]:
    """Hosts and data sets are given to it, and people limited to it."""
    made = service.create_team(call.context, call.actor, service.CreateTeam(name=body.name, purpose=body.purpose))
    return Answer(made, version=made.version)


@noun.put("/teams/{team}", "Change a team", _MANAGE, updates=True, raises=(Duplicate, Invalid, Forbidden))
def change_team(call: Call, team: Key, body: TeamChange) -> TeamView:
    """Name and purpose."""
    command = service.ChangeTeam(
        team=team, name=body.name, purpose=body.purpose, reason=body.reason, version=call.version
    )
    return service.change_team(call.context, call.actor, command)


@noun.put(
    "/locations/{location}/site",
    "Put a location at a site",
    people(Permission.LOCATION_MANAGE),
    updates=True,
    raises=(NotFound, Invalid, Forbidden),
)
def assign_location(call: Call, location: Key, body: LocationSite) -> AssignmentView:
    """The site answers for what stands there from now on."""
    command = service.Assign(subject=location, site=body.site, reason=body.reason, version=call.version)
    return service.assign_location(call.context, call.actor, command)


@noun.put(
    "/hosts/{host}/belonging",
    "Put a host at a site and give it to a team",
    people(Permission.HOST_MANAGE),
    updates=True,
    raises=(NotFound, Invalid, Forbidden),
)
def assign_host(call: Call, host: Key, body: HostBelonging) -> AssignmentView:
    """Site and team answer for what is in the host from now on."""
    command = service.Assign(subject=host, site=body.site, team=body.team, reason=body.reason, version=call.version)
    return service.assign_host(call.context, call.actor, command)


@noun.put(
    "/data-sets/{data_set}/team",
    "Give a data set to a team",
    people(Permission.DATA_SET_MANAGE),
    updates=True,
    raises=(NotFound, Invalid, Forbidden),
)
def assign_data_set(call: Call, data_set: Key, body: DataSetTeam) -> AssignmentView:
    """The team sees what holds the data set from now on."""
    command = service.Assign(subject=data_set, team=body.team, reason=body.reason, version=call.version)
    return service.assign_data_set(call.context, call.actor, command)
