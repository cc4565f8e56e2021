"""Lifecycle events a person causes: put into service, retire, quarantine, return, missing, found, move, end of a holding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from flask import abort, url_for
from werkzeug.wrappers import Response as AnyResponse

from inventory.console.blueprint import Reply, form
from inventory.console.forms import Option
from inventory.console.language.speaking import words
from inventory.console.sheets import Field, Sheet, reason
from inventory.console.views.device import crumbs_of
from inventory.console.web import actor, go, here, perform, posted, received, show_sheet
from inventory.domain.roles import Permission
from inventory.errors import NotFound
from inventory.services import data, devices, places, queries
from inventory.services.context import Actor, Context
from inventory.services.devices import ChangeState
from inventory.services.views import DeviceDetail

Service = Callable[[Context, Actor, ChangeState], DeviceDetail]


@dataclass(frozen=True)
class _Change:
    title: str
    submit: str
    service: Service
    consequences: tuple[str, ...]
    tone: Literal["primary", "danger"] = "primary"
    asks_place: bool = False


_CHANGES: Final[dict[str, _Change]] = {
    "place": _Change(
        "Put {device} into service",
        "Put into service",
        devices.place_in_service,
        ("From now on it counts as in use.",),
        asks_place=True,
    ),
    "retire": _Change(
        "Retire {device}",
        "Retire",
        devices.retire,
        (
            "It is out of use and stays where it is.",
            "What it holds stays on it: nothing leaves before a validated record covers it.",
            "Sanitization can be ordered from now on.",
        ),
    ),
    "quarantine": _Change(
        "Quarantine {device}",
        "Quarantine",
        devices.quarantine,
        ("It is under lock, awaiting sanitization or destruction.", "A place named here must be in a secure zone."),
        asks_place=True,
    ),
    "return": _Change(
        "Return {device} to service",
        "Return to service",
        devices.return_to_service,
        (
            "It stays under our control and may hold data again.",
            "A sanitized device loses that standing with the first new holding.",
        ),
    ),
    "missing": _Change(
        "Report {device} missing",
        "Report missing",
        devices.report_missing,
        (
            "This is an incident: a critical exception lists the data sets and erasure cases it exposes.",
            "Found again, it goes to quarantine, because nobody knows where it has been.",
        ),
        tone="danger",
    ),
    "found": _Change(
        "Report {device} found",
        "Report found",
        devices.report_found,
        ("It goes to quarantine: where it has been is unknown.",),
        asks_place=True,
    ),
}


def _now(device: DeviceDetail) -> str:
    """Where it is, before it moves."""
    place = device.location_name or words("no place stated")
    if not device.zone:
        return words("Now: {place}.", place=place)
    return words("Now: {place}, {zone} zone.", place=place, zone=words(device.zone))


def _places() -> tuple[Option, ...]:
    return tuple(
        Option(place.id, words("{name} ({zone} zone)", name=place.name, zone=words(place.zone)))
        for place in places.list_locations(here(), actor())
    )


@form("/devices/<device>/do/<event>", Permission.DEVICE_MOVE)
def change_state(device: str, event: str) -> Reply:
    """One lifecycle event, with its reason."""
    change = _CHANGES.get(event)
    if change is None:
        abort(404)
    found = queries.device(here(), actor(), device)
    typed = received()
    if posted():
        command = ChangeState(
            device=found.id,
            reason=typed.text("reason", "Say why."),
            location=typed.optional("location") if change.asks_place else None,
        )
        done = perform(
            typed, lambda: go("device", said="device-changed", device=change.service(here(), actor(), command).id)
        )
        if done is not None:
            return done
    where = Field(
        kind="select",
        name="location",
        label="Where it is put",
        options=_places(),
        required=False,
        blank="It stays where it is",
    )
    return show_sheet(
        Sheet(
            title=words(change.title, device=found.asset_tag or words(found.label)),
            submit=change.submit,
            lead=found.label,
            crumbs=crumbs_of(found.id, found.asset_tag),
            back=url_for("console.device", device=found.id),
            tone=change.tone,
            warning=change.tone == "danger",
            consequences=change.consequences,
            fields=((where,) if change.asks_place else ()) + (reason(),),
        ),
        typed,
    )


@form("/devices/<device>/move", Permission.DEVICE_MOVE)
def move_device(device: str) -> Reply:
    """To another place of ours; the gate is asked where it is less secure."""
    found = queries.device(here(), actor(), device)
    typed = received()
    if posted():
        command = devices.MoveDevice(
            device=found.id,
            location=typed.one_of("location", _places(), "Choose a place."),
            reason=typed.text("reason", "Say why."),
        )
        done = perform(
            typed, lambda: go("device", said="device-moved", device=devices.move(here(), actor(), command).id)
        )
        if done is not None:
            return done
    return show_sheet(
        Sheet(
            title=words("Move {device}", device=found.asset_tag or words(found.label)),
            submit="Move",
            lead=_now(found),
            crumbs=crumbs_of(found.id, found.asset_tag),
            back=url_for("console.device", device=found.id),
            consequences=(
                "To a less secure zone it goes only if the gate lets it: what it holds must be covered by a validated record.",
            ),
            fields=(
                Field(kind="select", name="location", label="To", options=_places(), blank="Choose a place"),
                reason(),
            ),
        ),
        typed,
    )


@form("/devices/<device>/holdings/<holding>/end", Permission.DATA_SET_MANAGE)
def end_holding(device: str, holding: str) -> Reply:
    """A declared holding is live no more."""
    found = queries.device(here(), actor(), device)
    view = next((item for item in found.holdings if item.id == holding), None)
    if view is None:
        raise NotFound("holding", holding)
    typed = received()
    if posted():
        why = typed.text("reason", "Say what happened to the data.")

        def deed() -> AnyResponse:
            data.end_holding(here(), actor(), view.id, why)
            return go("device", said="holding-ended", device=found.id)

        done = perform(typed, deed)
        if done is not None:
            return done
    return show_sheet(
        Sheet(
            title=f"End the holding of {view.data_set_name}",
            submit="It is no longer live there",
            crumbs=crumbs_of(found.id, found.asset_tag),
            back=url_for("console.device", device=found.id),
            consequences=(
                "Deleted files leave their bytes: it becomes residue, and stays so until a validated record covers it.",
            ),
            fields=(reason(label="What happened to the data"),),
        ),
        typed,
    )
