"""Devices: the list, one device with its story, declaring and adopting."""

from __future__ import annotations

from flask import request, url_for
from werkzeug.wrappers import Response as AnyResponse

from inventory.console.blueprint import Reply, form, page
from inventory.console.formatting import sentence_case
from inventory.console.forms import Form, Option
from inventory.console.language.speaking import words
from inventory.console.sheets import Field, Sheet
from inventory.console.views.device import acts_of, crumbs_of, known_facts, media_words
from inventory.console.views.journey import PARTS, stops_of
from inventory.console.views.lists import narrowed, pager
from inventory.console.views.map import picture
from inventory.console.views.obstacles import told
from inventory.console.web import actor, go, here, may, perform, posted, received, show, show_sheet
from inventory.domain.journey import Part
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import DeviceState, HoldingKind
from inventory.services import data, devices, places, queries
from inventory.services.queries.devices import DeviceFilter

from .history import device_story, opens

MEDIA = tuple(Option(value, media_words(value)) for value in ("magnetic", "flash", "virtual", "pmem", "unknown"))


def _part() -> Part | None:
    wanted = request.args.get("part", "")
    return Part(wanted) if wanted in {str(part) for part in Part} else None


@page("/devices/<device>")
def device(device: str) -> Reply:
    """One device: what it is, what it holds, what may happen to it, and its whole story."""
    with here().together(actor()):
        return _whole(device)


def _whole(device: str) -> Reply:
    found = queries.device(here(), actor(), device)
    part = _part()
    story = queries.device_timeline(here(), actor(), found.id, part=part, after=request.args.get("after"), limit=40)
    certificates = (
        queries.list_certificates(here(), actor(), device=found.id).items if may(Permission.READ_EVIDENCE) else ()
    )
    current = next((attachment for attachment in found.attachments if attachment.until is None), None)
    return show(
        "device.html",
        device=found,
        map=(found_map := queries.device_map(here(), actor(), found.id)),
        drawn=picture(found_map),
        stops=stops_of(queries.device_journey(here(), actor(), found.id), opens),
        parts=narrowed("part", (("", "Everything", None), *((str(one), words, None) for one, words in PARTS.items()))),
        part=part,
        story=device_story(story.items),
        pager=pager(story, "events"),
        acts=acts_of(found, actor()),
        facts=known_facts(found),
        certificates=certificates,
        health=queries.device_health(here(), actor(), found.id),
        current=current,
        obstacles=told(current.obstacles) if current else (),
    )


def _locations() -> tuple[Option, ...]:
    return tuple(
        Option(place.id, words("{name} ({zone} zone)", name=place.name, zone=words(place.zone)))
        for place in places.list_locations(here(), actor())
    )


def _capacity(sheet_form: Form) -> int | None:
    return sheet_form.number("capacity_gb", "", low=0, high=10**9)


@form("/devices/declare", Permission.DEVICE_DECLARE)
def declare_device() -> Reply:
    """State that a medium exists."""
    typed = received()
    if posted():
        tag = typed.text("asset_tag", "Give it its asset tag: the number on its label.", limit=64)
        media = typed.optional("media")
        if media is not None:
            typed.one_of("media", MEDIA, "Choose one of the media types.")
        capacity = _capacity(typed)
        command = devices.DeclareDevice(
            asset_tag=tag,
            serial=typed.optional("serial"),
            vendor=typed.optional("vendor"),
            model=typed.optional("model"),
            capacity_bytes=None if capacity is None else capacity * 10**9,
            media=media,
            location=typed.optional("location"),
            source=typed.text("source", limit=256),
        )
        done = perform(
            typed, lambda: go("device", said="device-declared", device=devices.declare(here(), actor(), command).id)
        )
        if done is not None:
            return done
    return show_sheet(
        Sheet(
            title="Declare a device",
            submit="Declare",
            lead="State that a medium exists, whether or not an agent can see it. What is stated and what is seen meet later.",
            crumbs=(("Devices", url_for("console.devices")),),
            back=url_for("console.devices"),
            fields=(
                Field(
                    kind="text",
                    name="asset_tag",
                    label="Asset tag",
                    hint="The number on its label; unique here.",
                    limit=64,
                    mono=True,
                ),
                Field(kind="text", name="vendor", label="Make", required=False),
                Field(kind="text", name="model", label="Model", required=False),
                Field(
                    kind="text",
                    name="serial",
                    label="Serial number",
                    hint="As printed on the medium. An agent that sees this model with this number binds the two.",
                    required=False,
                    mono=True,
                ),
                Field(kind="number", name="capacity_gb", label="Capacity in GB", required=False),
                Field(
                    kind="select",
                    name="media",
                    label="Kind of medium",
                    options=MEDIA,
                    required=False,
                    blank="Not known",
                ),
                Field(
                    kind="select",
                    name="location",
                    label="Where it is",
                    options=_locations(),
                    required=False,
                    blank="Not known",
                ),
                Field(
                    kind="text",
                    name="source",
                    label="Where it comes from",
                    hint="The computer or person it came from; stands on the certificate as media source.",
                    required=False,
                ),
            ),
        ),
        typed,
    )


@form("/devices/<device>/adopt", Permission.DEVICE_DECLARE)
def adopt_device(device: str) -> Reply:
    """Give an observed device its asset tag, or say which declared device it is."""
    found = queries.device(here(), actor(), device)
    typed = received()
    declared = queries.list_devices(
        here(), actor(), DeviceFilter(states=frozenset({DeviceState.DECLARED})), limit=200
    ).items
    choices = tuple(Option(row.id, f"{row.asset_tag}: {row.label}") for row in declared if row.fingerprint is None)
    if posted():
        tag, other = typed.optional("asset_tag", limit=64), typed.optional("declared_device")
        if (tag is None) == (other is None):
            typed.fail("asset_tag", "Give an asset tag, or choose a declared device: exactly one of the two.")
        command = devices.AdoptDevice(
            device=found.id, asset_tag=tag, declared_device=other, source=typed.text("source")
        )
        done = perform(
            typed, lambda: go("device", said="device-adopted", device=devices.adopt(here(), actor(), command).id)
        )
        if done is not None:
            return done
    return show_sheet(
        Sheet(
            title=words("Adopt {device}", device=words(found.label)),
            submit="Adopt",
            lead="An agent sees this device and nobody has declared it. Say what it is.",
            crumbs=crumbs_of(found.id, found.asset_tag),
            back=url_for("console.device", device=found.id),
            fields=(
                Field(
                    kind="text",
                    name="asset_tag",
                    label="Asset tag",
                    hint="For a device nobody has declared.",
                    required=False,
                    limit=64,
                    mono=True,
                ),
                Field(
                    kind="select",
                    name="declared_device",
                    label="It is this declared device",
                    options=choices,
                    required=False,
                    blank="None of these",
                ),
                Field(kind="text", name="source", label="Where it comes from", required=False),
            ),
        ),
        typed,
    )


@form("/devices/<device>/holdings/new", Permission.DATA_SET_MANAGE)
def declare_holding(device: str) -> Reply:
    """Say that a device holds, or held, a data set."""
    found = queries.device(here(), actor(), device)
    sets = tuple(Option(row.id, f"{row.name} ({words(row.category)})") for row in data.list_data_sets(here(), actor()))
    kinds = tuple(Option(str(kind), sentence_case(kind)) for kind in HoldingKind)
    typed = received()
    if posted():
        data_set = typed.one_of("data_set", sets, "Choose a data set.")
        kind = typed.word("kind", HoldingKind, "Choose how it lies there.")
        since = typed.day("since", "Since which day? Write YYYY-MM-DD.")
        until = typed.day("until", end=True)
        reason = typed.text("reason", "Say how you know.")
        if kind is not None and since is not None:
            command = data.DeclareHolding(
                device=found.id, data_set=data_set, kind=kind, since=since, until=until, reason=reason
            )

            def deed() -> AnyResponse:
                data.declare_holding(here(), actor(), command)
                return go("device", said="holding-declared", device=found.id)

            done = perform(typed, deed)
            if done is not None:
                return done
    return show_sheet(
        Sheet(
            title="Say what it holds",
            submit="Declare holding",
            lead=f"For what no agent can resolve: backups on a shelf, a replica moved by hand. About {found.label}.",
            crumbs=crumbs_of(found.id, found.asset_tag),
            back=url_for("console.device", device=found.id),
            consequences=(
                "From now on the gate holds this device back until a validated record covers it.",
                "Open erasure cases gain obligations where it concerns them.",
            ),
            fields=(
                Field(kind="select", name="data_set", label="Data set", options=sets, blank="Choose"),
                Field(kind="choices", name="kind", label="How it lies there", options=kinds),
                Field(kind="day", name="since", label="Since"),
                Field(
                    kind="day",
                    name="until",
                    label="Until",
                    hint="Where it is no longer live: the day it stopped. It is residue since.",
                    required=False,
                ),
                Field(kind="area", name="reason", label="How you know"),
            ),
        ),
        typed,
    )
