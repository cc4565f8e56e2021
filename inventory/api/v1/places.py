"""Locations with their security zone; parties and their undertakings."""

from __future__ import annotations

from inventory.api.dispatch import Call
from inventory.api.endpoint import READERS, Answer, Noun, people
from inventory.contract.v1.places import LocationChange, LocationCreate, PartyCreate, UndertakingFile
from inventory.contract.v1.vocabulary import Key
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import PartyKind, Zone
from inventory.errors import Duplicate, GateClosed, Invalid, NotFound
from inventory.services import places
from inventory.services.views import LocationView, PartyView

noun = Noun("locations", "Places and how secure they are.")
parties = Noun("parties", "Own teams and downstream vendors, with their signed undertakings.")


@noun.get("/locations", "Locations", READERS)
def list_locations(call: Call) -> tuple[LocationView, ...]:
    """By name."""
    return places.list_locations(call.context, call.actor)


@noun.post(
    "/locations",
    "Add a location",
    people(Permission.LOCATION_MANAGE),
    creates=True,
    raises=(Duplicate, NotFound, Invalid),
)
def create_location(call: Call, body: LocationCreate) -> Answer[LocationView]:
    """A place with its zone."""
    command = places.CreateLocation(
        name=body.name, zone=Zone(body.zone), address=body.address, party=body.party, site=body.site
    )
    location = places.create_location(call.context, call.actor, command)
    return Answer(location, version=location.version)


@noun.put(
    "/locations/{location}",
    "Change a location",
    people(Permission.LOCATION_MANAGE),
    updates=True,
    raises=(GateClosed, Duplicate, Invalid),
)
def change_location(call: Call, location: Key, body: LocationChange) -> LocationView:
    """A less secure zone asks the gate for every device in it."""
    command = places.ChangeLocation(
        location=location,
        name=body.name,
        zone=Zone(body.zone),
        address=body.address,
        reason=body.reason,
        version=call.version,
    )
    return places.change_location(call.context, call.actor, command)


@parties.get("/parties", "Parties", READERS)
def list_parties(call: Call) -> tuple[PartyView, ...]:
    """By name."""
    return places.list_parties(call.context, call.actor)


@parties.post("/parties", "Add a party", people(Permission.PARTY_MANAGE), creates=True, raises=(Duplicate, Invalid))
def create_party(call: Call, body: PartyCreate) -> PartyView:
    """Own team, subsidiary or vendor."""
    command = places.CreateParty(name=body.name, kind=PartyKind(body.kind), contact=body.contact)
    return places.create_party(call.context, call.actor, command)


@parties.post(
    "/parties/{party}/undertakings",
    "File an undertaking",
    people(Permission.PARTY_MANAGE),
    creates=True,
    raises=(NotFound, Invalid),
)
def file_undertaking(call: Call, party: Key, body: UndertakingFile) -> PartyView:
    """Without a valid one, no device may pass to a vendor."""
    return places.file_undertaking(call.context, call.actor, places.FileUndertaking(party=party, **body.model_dump()))
