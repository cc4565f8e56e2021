"""Places with their security zone; parties with their undertakings."""

from __future__ import annotations

from flask import url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from inventory.console.blueprint import Reply, form, page
from inventory.console.formatting import sentence_case
from inventory.console.forms import Form, Option, options
from inventory.console.sheets import Field, Sheet, reason
from inventory.console.web import actor, go, here, perform, posted, received, show, show_sheet
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import PartyKind, Zone
from inventory.errors import NotFound
from inventory.services import places as service

_ZONES = options(
    Zone,
    sentence_case,
    {
        "secure": "Under lock and watch.",
        "controlled": "Under our control, fewer locks.",
        "open": "Outside our control.",
    },
)
_KINDS = options(
    PartyKind,
    sentence_case,
    {"own": "Our team or a subsidiary.", "vendor": "Needs a signed undertaking before anything passes to it."},
)


@page("/places")
def places_page() -> Reply:
    """Every place and party."""
    return show(
        "places.html",
        locations=service.list_locations(here(), actor()),
        parties=service.list_parties(here(), actor()),
        now=here().now(),
    )


def _crumbs() -> tuple[tuple[str, str], ...]:
    return (("Places and parties", url_for("console.places")),)


def _party_options() -> tuple[Option, ...]:
    return tuple(Option(party.id, party.name) for party in service.list_parties(here(), actor()))


@form("/places/new", Permission.LOCATION_MANAGE)
def new_location() -> Reply:
    """Add a place."""
    typed = received()
    if posted():
        name = typed.text("name", "Give it a name.", limit=128)
        zone = typed.word("zone", Zone, "Choose how secure it is.")
        if zone is not None:
            command = service.CreateLocation(
                name=name, zone=zone, address=typed.text("address"), party=typed.optional("party")
            )

            def deed() -> AnyResponse:
                service.create_location(here(), actor(), command)
                return go("places", said="location-saved")

            done = perform(typed, deed)
            if done is not None:
                return done
    return show_sheet(
        Sheet(
            title="Add a place",
            submit="Add",
            crumbs=_crumbs(),
            back=url_for("console.places"),
            fields=(
                Field(kind="text", name="name", label="Name", limit=128),
                Field(kind="choices", name="zone", label="How secure it is", options=_ZONES),
                Field(kind="area", name="address", label="Address", required=False),
                Field(
                    kind="select",
                    name="party",
                    label="Whose place",
                    options=_party_options(),
                    required=False,
                    blank="Ours",
                ),
            ),
        ),
        typed,
    )


@form("/places/<location>/change", Permission.LOCATION_MANAGE)
def change_location(location: str) -> Reply:
    """Rename a place or change its zone."""
    found = next((place for place in service.list_locations(here(), actor()) if place.id == location), None)
    if found is None:
        raise NotFound("place", location)
    known = {"name": found.name, "zone": str(found.zone), "address": found.address}
    typed = received() if posted() else Form(MultiDict(known))
    if posted():
        name = typed.text("name", "Give it a name.", limit=128)
        zone = typed.word("zone", Zone, "Choose how secure it is.")
        why = typed.text("reason", "Say why.")
        if zone is not None:
            command = service.ChangeLocation(
                location=found.id, name=name, zone=zone, address=typed.text("address"), reason=why
            )

            def deed() -> AnyResponse:
                service.change_location(here(), actor(), command)
                return go("places", said="location-saved")

            done = perform(typed, deed)
            if done is not None:
                return done
    return show_sheet(
        Sheet(
            title=f"Change {found.name}",
            submit="Save",
            crumbs=_crumbs(),
            back=url_for("console.places"),
            consequences=("A less secure zone asks the gate for every device that is there.",),
            fields=(
                Field(kind="text", name="name", label="Name", limit=128),
                Field(kind="choices", name="zone", label="How secure it is", options=_ZONES),
                Field(kind="area", name="address", label="Address", required=False),
                reason(),
            ),
        ),
        typed,
    )


@form("/parties/new", Permission.PARTY_MANAGE)
def new_party() -> Reply:
    """Add a team, subsidiary or vendor."""
    typed = received()
    if posted():
        name = typed.text("name", "Give it a name.", limit=128)
        kind = typed.word("kind", PartyKind, "Choose who it is to us.")
        if kind is not None:
            command = service.CreateParty(name=name, kind=kind, contact=typed.text("contact"))

            def deed() -> AnyResponse:
                service.create_party(here(), actor(), command)
                return go("places", said="party-saved")

            done = perform(typed, deed)
            if done is not None:
                return done
    return show_sheet(
        Sheet(
            title="Add a party",
            submit="Add",
            crumbs=_crumbs(),
            back=url_for("console.places"),
            fields=(
                Field(kind="text", name="name", label="Name", limit=128),
                Field(kind="choices", name="kind", label="Who it is to us", options=_KINDS),
                Field(kind="text", name="contact", label="Contact", required=False),
            ),
        ),
        typed,
    )


@form("/parties/<party>/undertaking", Permission.PARTY_MANAGE)
def file_undertaking(party: str) -> Reply:
    """File a party's signed commitment to equal restrictions."""
    found = next((item for item in service.list_parties(here(), actor()) if item.id == party), None)
    if found is None:
        raise NotFound("party", party)
    typed = received()
    if posted():
        scope = typed.text("scope", "Say what it covers.")
        begins = typed.day("valid_from", "From which day? Write YYYY-MM-DD.")
        ends = typed.day("valid_until", "Until which day? Write YYYY-MM-DD.", end=True)
        digest = typed.digest("document_sha256", "The document's SHA-256: 64 hexadecimal digits.")
        if begins is not None and ends is not None and digest is not None:
            command = service.FileUndertaking(
                party=found.id, scope=scope, valid_from=begins, valid_until=ends, document_sha256=digest
            )

            def deed() -> AnyResponse:
                service.file_undertaking(here(), actor(), command)
                return go("places", said="undertaking-filed")

            done = perform(typed, deed)
            if done is not None:
                return done
    return show_sheet(
        Sheet(
            title=f"File an undertaking of {found.name}",
            submit="File the undertaking",
            lead="A signed commitment to the same restrictions that bind us. Without a valid one, nothing passes to a vendor.",
            crumbs=_crumbs(),
            back=url_for("console.places"),
            fields=(
                Field(kind="area", name="scope", label="What it covers"),
                Field(kind="day", name="valid_from", label="Valid from"),
                Field(kind="day", name="valid_until", label="Valid until"),
                Field(
                    kind="digest",
                    name="document_sha256",
                    label="SHA-256 of the signed document",
                    hint="sha256sum FILE. The document stays with you.",
                    limit=120,
                ),
            ),
        ),
        typed,
    )
