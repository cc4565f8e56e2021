"""Lots: devices that travel together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from flask import url_for
from werkzeug.wrappers import Response as AnyResponse

from inventory.console.blueprint import Reply, form, page
from inventory.console.formatting import sentence_case
from inventory.console.forms import Form, Option, options
from inventory.console.language.speaking import words
from inventory.console.sheets import Field, Sheet, reason
from inventory.console.web import actor, go, here, perform, posted, received, show, show_sheet
from inventory.domain.labels import codes_read
from inventory.domain.lots import LotPurpose
from inventory.domain.roles import Permission
from inventory.errors import NotFound
from inventory.services import lot_register, places

_PURPOSES: Final = options(LotPurpose, sentence_case)


class _Act(NamedTuple):
    """An event of the lot's table, as its form says it."""

    deed: Callable[..., object]
    title: str
    submit: str
    consequence: str


ACTS: Final = {
    "freeze": _Act(lot_register.begin_closing, "Freeze", "Freeze it", "Nothing goes in or out while it is reconciled."),
    "resume": _Act(lot_register.resume, "Break closing off", "Open it again", "Devices can go in and out again."),
    "close": _Act(
        lot_register.close,
        "Close",
        "Close it",
        "The list of its devices is signed and logged; the log's next checkpoint is the seed of samples drawn from it.",
    ),
    "reopen": _Act(lot_register.reopen, "Re-open", "Re-open it", "An exception says so until it is closed again."),
}


def _parties() -> dict[str, str]:
    return {party.id: party.name for party in places.list_parties(here(), actor())}


@page("/lots/<lot>")
def lot_page(lot: str) -> Reply:
    """One lot with everything in it."""
    return show("lot.html", lot=lot_register.lot(here(), actor(), lot), parties=_parties())


def devices_field(hint: str = "One a line, typed, pasted or read with a scanner.") -> Field:
    """Where numbers, asset tags or codes of labels are typed."""
    return Field(kind="area", name="devices", label="Devices", hint=hint, limit=100_000)


def devices_typed(typed: Form, *, required: bool = True) -> tuple[str, ...]:
    """What was typed there."""
    found = codes_read(typed.value("devices"))
    if required and not found:
        typed.fail("devices", "Name at least one device.")
    return found


@form("/lots/new", Permission.LOT_MANAGE)
def open_lot() -> Reply:
    """Open a lot."""
    typed = received()
    if posted():
        purpose = typed.word("purpose", LotPurpose, "Choose what it is for.")
        name = typed.text("name", "Give it a name.", limit=120)
        if purpose is not None:
            command = lot_register.OpenLot(
                name=name,
                purpose=purpose,
                destination=typed.text("destination"),
                party=typed.optional("party"),
                note=typed.text("note"),
                devices=devices_typed(typed, required=False),
            )

            def deed() -> AnyResponse:
                made = lot_register.open_lot(here(), actor(), command)
                return go("lot", said="lot-opened", lot=made.id)

            done = perform(typed, deed)
            if done is not None:
                return done
    devices = Field(
        kind="area", name="devices", label="Devices", required=False, limit=100_000,
        hint="Numbers or asset tags, one a line. More can follow.",
    )  # fmt: skip
    return show_sheet(
        Sheet(
            title="Open a lot",
            submit="Open the lot",
            lead="Devices that travel together, to be closed once each of them is accounted for.",
            crumbs=(("Lots", url_for("console.lots")),),
            back=url_for("console.lots"),
            fields=(*_about(), devices),
        ),
        typed,
    )


def _about() -> tuple[Field, ...]:
    return (
        Field(kind="text", name="name", label="Name", limit=120),
        Field(kind="select", name="purpose", label="What it is for", options=_PURPOSES, blank="Choose"),
        Field(
            kind="select", name="party", label="Who shall receive it", required=False, blank="Nobody outside is named",
            options=tuple(Option(key, name) for key, name in _parties().items()),
        ),
        Field(kind="text", name="destination", label="Where to, in words", required=False),
        Field(kind="area", name="note", label="Note", required=False),
    )  # fmt: skip


@form("/lots/<lot>/change", Permission.LOT_MANAGE)
def change_lot(lot: str) -> Reply:
    """What is said about a lot."""
    found = lot_register.lot(here(), actor(), lot)
    known = {
        "name": found.name, "purpose": str(found.purpose), "party": found.party or "",
        "destination": found.destination, "note": found.note,
    }  # fmt: skip
    typed = received() if posted() else Form.starting(known)
    if posted():
        name = typed.text("name", "Give it a name.", limit=120)
        purpose = typed.word("purpose", LotPurpose, "Choose what it is for.")
        why = typed.text("reason", "Say why it is changed.")
        if purpose is not None:
            command = lot_register.ChangeLot(
                lot=found.id,
                name=name,
                purpose=purpose,
                destination=typed.text("destination"),
                party=typed.optional("party"),
                note=typed.text("note"),
                reason=why,
            )

            def deed() -> AnyResponse:
                lot_register.change_lot(here(), actor(), command)
                return go("lot", said="lot-changed", lot=found.id)

            done = perform(typed, deed)
            if done is not None:
                return done
    return show_sheet(_sheet(found.id, f"Change {found.id}", "Save", (*_about(), reason())), typed)


@form("/lots/<lot>/devices", Permission.LOT_MANAGE)
def fill_lot(lot: str) -> Reply:
    """Put devices in."""
    found = lot_register.lot(here(), actor(), lot)
    typed = received()
    if posted():
        command = lot_register.PutIntoLot(lot=found.id, devices=devices_typed(typed))

        def deed() -> AnyResponse:
            lot_register.put_in(here(), actor(), command)
            return go("lot", said="lot-changed", lot=found.id)

        done = perform(typed, deed)
        if done is not None:
            return done
    title = f"Put devices into {found.id}"
    return show_sheet(_sheet(found.id, title, "Put in", (devices_field(),), "All of them go in, or none."), typed)


@form("/lots/<lot>/remove", Permission.LOT_MANAGE)
def empty_lot(lot: str) -> Reply:
    """Take a device out."""
    found = lot_register.lot(here(), actor(), lot)
    typed = received()
    inside = tuple(Option(one.device, f"{one.asset_tag or one.device}: {one.label}") for one in found.members)
    if posted():
        device = typed.one_of("device", inside, "Choose which device.")
        command = lot_register.TakeFromLot(
            lot=found.id, device=device, reason=typed.text("reason", "Say why it is taken out.")
        )

        def deed() -> AnyResponse:
            lot_register.take_out(here(), actor(), command)
            return go("lot", said="lot-changed", lot=found.id)

        done = perform(typed, deed)
        if done is not None:
            return done
    field = Field(kind="select", name="device", label="Device", options=inside, blank="Choose")
    return show_sheet(_sheet(found.id, f"Take a device from {found.id}", "Take out", (field, reason())), typed)


@form("/lots/<lot>/do/<deed_name>", Permission.LOT_MANAGE)
def move_lot(lot: str, deed_name: str) -> Reply:
    """Freeze, resume, close, re-open."""
    chosen = ACTS.get(deed_name)
    if chosen is None:
        raise NotFound("page", deed_name)
    found = lot_register.lot(here(), actor(), lot)
    typed = received()
    if posted():
        why = typed.text("reason", "Say why.")

        def deed() -> AnyResponse:
            chosen.deed(here(), actor(), lot_register.MoveLot(lot=found.id, reason=why))
            return go("lot", said="lot-changed", lot=found.id)

        done = perform(typed, deed)
        if done is not None:
            return done
    title = f"{words(chosen.title)}: {found.name}"
    return show_sheet(_sheet(found.id, title, chosen.submit, (reason(),), chosen.consequence), typed)


def _sheet(lot: str, title: str, submit: str, fields: tuple[Field, ...], *consequences: str) -> Sheet:
    """A form about one lot."""
    address = url_for("console.lot", lot=lot)
    crumbs = (("Lots", url_for("console.lots")), (lot, address))
    return Sheet(title=title, submit=submit, fields=fields, consequences=consequences, crumbs=crumbs, back=address)
