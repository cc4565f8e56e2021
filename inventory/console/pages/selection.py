"""Acts on many devices: chosen in the list, looked at one by one before anything is done, and each refused by itself."""

from __future__ import annotations

from typing import Final

from flask import request, url_for
from werkzeug.wrappers import Response as AnyResponse

from inventory.console.blueprint import Reply, form
from inventory.console.formatting import sentence_case
from inventory.console.forms import Form, Option
from inventory.console.language.speaking import words
from inventory.console.web import actor, form_status, go, here, may, perform, posted, received, show
from inventory.domain.labels import codes_read
from inventory.domain.lifecycle import DeviceEvent
from inventory.domain.roles import Permission
from inventory.services import device_batches, places
from inventory.services.views import BatchLineView

from ._chosen import chosen, seal, unchanged

EVENTS: Final = tuple(
    Option(str(event), words, hint)
    for event, words, hint in (
        (DeviceEvent.PLACE_IN_SERVICE, "Place in service", "They are in use from now on."),
        (DeviceEvent.RETIRE, "Retire", "Out of use, still in place. What they hold stays until a record covers it."),
        (DeviceEvent.QUARANTINE, "Quarantine", "Out of use and under lock, in a secure zone."),
        (DeviceEvent.RETURN_TO_SERVICE, "Return to service", "In use again, under our control; the gate is asked."),
        (DeviceEvent.REPORT_MISSING, "Report missing", "An incident for each: what it held is written down."),
        (DeviceEvent.FIND, "Report found", "They go into quarantine: where they have been is unknown."),
    )
)


def _seal(lines: tuple[BatchLineView, ...], command: device_batches.ChangeMany) -> str:
    told = [(line.device, str(line.state), line.code) for line in lines]
    return seal(told, (str(command.event), command.reason, command.location))


@form("/devices/selected", Permission.READ)
def selected_devices() -> Reply:
    """What shall happen to the devices chosen; first what it would mean for each."""
    ticked = (*request.values.getlist("device"), *codes_read(request.values.get("devices", "")))
    rows, more = chosen("devices", ticked, device_batches.MOST)
    typed = received()
    lines: tuple[BatchLineView, ...] = ()
    command = None
    if posted() and may(Permission.DEVICE_MOVE):
        command = _command(typed, rows)
    if command is not None:
        lines = device_batches.change_many(here(), actor(), command)
        if typed.value("step") == "do":
            done = _do(typed, command, lines)
            if done is not None:
                return done
    return show(
        "selected.html",
        form_status(typed),
        form=typed,
        chosen=rows,
        more=more,
        lines=lines,
        seal=_seal(lines, command) if command is not None else "",
        passing=sum(line.code is None for line in lines),
        events=EVENTS,
        event_words=sentence_case(str(command.event)) if command is not None else "",
        locations=_locations(),
        most=device_batches.MOST,
        back=url_for("console.devices"),
    )


def _locations() -> tuple[Option, ...]:
    return tuple(
        Option(place.id, words("{name} ({zone} zone)", name=place.name, zone=words(place.zone)))
        for place in places.list_locations(here(), actor())
    )


def _command(typed: Form, rows: tuple[str, ...]) -> device_batches.ChangeMany | None:
    typed.one_of("event", EVENTS, "Choose what shall happen.")
    why = typed.text("reason", "Say why.")
    if why and len(why) < 3:  # as the service wants it
        typed.fail("reason", "At least three characters, please.")
    if not rows:
        typed.fail("devices", "Choose at least one device.")
    if not typed.ok:
        return None
    return device_batches.ChangeMany(
        devices=rows,
        event=DeviceEvent(typed.value("event")),
        reason=why,
        location=typed.optional("location"),
        dry_run=True,
    )


def _do(typed: Form, command: device_batches.ChangeMany, lines: tuple[BatchLineView, ...]) -> AnyResponse | None:
    """Do it, where nothing has changed since it was looked at."""
    if not unchanged(typed, _seal(lines, command)):
        return None
    passing = tuple(line.device for line in lines if line.code is None)
    if not passing:
        typed.fail("devices", "None of them can do this.")
        return None
    deed = device_batches.ChangeMany(
        devices=passing, event=command.event, reason=command.reason, location=command.location
    )

    def perform_it() -> AnyResponse:
        done = device_batches.change_many(here(), actor(), deed)
        refused = any(line.code is not None for line in done)
        if refused:
            return go("selected_devices", said="many-changed-some", device=passing)
        return go("selected_devices", said="many-changed", device=passing)

    return perform(typed, perform_it)
