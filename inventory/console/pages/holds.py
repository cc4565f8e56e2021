"""Legal and investigation holds: what may not be destroyed, and who said so."""

from __future__ import annotations

from flask import request, url_for
from werkzeug.wrappers import Response as AnyResponse

from inventory.console.blueprint import Reply, form, page
from inventory.console.forms import Option
from inventory.console.sheets import Field, Sheet, reason
from inventory.console.views.lists import narrowed
from inventory.console.web import actor, go, here, perform, posted, received, show, show_sheet
from inventory.domain.roles import Permission
from inventory.errors import NotFound
from inventory.services import data, lot_register, queries
from inventory.services import holds as service
from inventory.services.queries.devices import DeviceFilter

_KINDS = (
    Option("legal", "Legal", "Litigation, a request by an authority."),
    Option("investigation", "Investigation", "Our own inquiry."),
)


@page("/holds")
def holds_page() -> Reply:
    """Holds in force, or all."""
    active = request.args.get("all") != "yes"
    found = service.list_holds(here(), actor(), active=active)
    segments = narrowed("all", (("", "In force", None), ("yes", "All", None)))
    sets = {item.id: item.name for item in data.list_data_sets(here(), actor())}
    return show("holds.html", holds=found, segments=segments, sets=sets, active=active)


def _device_options(first: str) -> tuple[Option, ...]:
    rows = list(queries.list_devices(here(), actor(), DeviceFilter(), limit=200).items)
    if first and first not in {row.id for row in rows}:
        rows.insert(0, queries.device(here(), actor(), first))
    return tuple(Option(row.id, f"{row.asset_tag or row.id}: {row.label}") for row in rows)


@form("/holds/new", Permission.HOLD_MANAGE)
def place_hold() -> Reply:
    """Nothing on this device, nothing in this lot, or nothing that holds this data set, may be destroyed."""
    typed = received()
    if posted():
        kind = typed.one_of("kind", _KINDS, "Choose what kind of hold it is.")
        device, data_set = typed.optional("device"), typed.optional("data_set")
        lot = typed.optional("lot")
        if [device, data_set, lot].count(None) != 2:
            typed.fail("device", "Choose a device, a data set or a lot: exactly one of the three.")
        command = service.PlaceHold(
            kind=kind,
            reference=typed.text("reference", "Give its file number.", limit=128),
            reason=typed.text("reason", "Say why."),
            device=device,
            data_set=data_set,
            lot=lot,
        )

        def deed() -> AnyResponse:
            service.place_hold(here(), actor(), command)
            return go("holds", said="hold-placed")

        done = perform(typed, deed)
        if done is not None:
            return done
    sets = tuple(Option(row.id, row.name) for row in data.list_data_sets(here(), actor()))
    lots = tuple(
        Option(row.id, f"{row.id}: {row.name}") for row in lot_register.list_lots(here(), actor(), limit=200).items
    )
    return show_sheet(
        Sheet(
            title="Place a hold",
            submit="Place the hold",
            crumbs=(("Holds", url_for("console.holds")),),
            back=url_for("console.holds"),
            consequences=(
                "No order can be made, approved or started for what it covers; the agent asks right before the first write.",
                "Runs under way are asked to stop.",
            ),
            fields=(
                Field(kind="choices", name="kind", label="Kind", options=_KINDS),
                Field(kind="text", name="reference", label="File number", mono=True, limit=128),
                Field(
                    kind="select",
                    name="device",
                    label="Device",
                    options=_device_options(typed.value("device")),
                    required=False,
                    blank="No single device",
                ),
                Field(
                    kind="select",
                    name="data_set",
                    label="Data set, on every medium",
                    options=sets,
                    required=False,
                    blank="No data set",
                ),
                Field(
                    kind="select",
                    name="lot",
                    label="Lot, and everything in it",
                    options=lots,
                    required=False,
                    blank="No lot",
                ),
                reason(),
            ),
        ),
        typed,
    )


@form("/holds/<hold>/lift", Permission.HOLD_MANAGE)
def lift_hold(hold: str) -> Reply:
    """It stands in the way no more."""
    found = next((item for item in service.list_holds(here(), actor(), active=False) if item.id == hold), None)
    if found is None:
        raise NotFound("hold", hold)
    typed = received()
    if posted():
        why = typed.text("reason", "Say why it is lifted.")

        def deed() -> AnyResponse:
            service.lift_hold(here(), actor(), found.id, why)
            return go("holds", said="hold-lifted")

        done = perform(typed, deed)
        if done is not None:
            return done
    return show_sheet(
        Sheet(
            title=f"Lift hold {found.reference}",
            submit="Lift the hold",
            crumbs=(("Holds", url_for("console.holds")),),
            back=url_for("console.holds"),
            warning=True,
            consequences=("What it covered may be sanitized and destroyed again.",),
            fields=(reason(),),
        ),
        typed,
    )
