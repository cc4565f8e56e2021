"""Verify-only orders: what is to be read again, what was found, and asking for it."""

from __future__ import annotations

from flask import request, url_for

from inventory.console.blueprint import Reply, form, page
from inventory.console.forms import Option
from inventory.console.sheets import Field, Sheet, reason
from inventory.console.views.device import crumbs_of
from inventory.console.views.lists import narrowed, pager
from inventory.console.web import actor, go, here, perform, posted, received, show, show_sheet
from inventory.domain.roles import Permission
from inventory.services import queries
from inventory.services import readings as service
from inventory.services.queries import readings as reading_queries
from inventory.services.queries.readings import ReadingFilter

EXTENTS = (
    Option("full", "Every block", "Nothing is left to chance."),
    Option(
        "representative",
        "A representative sample",
        "At least a tenth of the medium, places chosen by the order's own random number (SP 800-88 Rev. 1, 4.7.3).",
    ),
)


@page("/readings")
def readings_page() -> Reply:
    """Every verify-only order, or those that are open."""
    only = request.args.get("show") == "open" or None
    found = reading_queries.list_readings(
        here(), actor(), ReadingFilter(open=only), after=request.args.get("after"), limit=50
    )
    segments = narrowed("show", (("", "All", None), ("open", "Still open", None)))
    return show("readings.html", readings=found.items, pager=pager(found, "orders"), segments=segments)


@page("/readings/<reading>")
def reading(reading: str) -> Reply:
    """One of them, with what the agent signed."""
    found = reading_queries.reading(here(), actor(), reading)
    return show("reading.html", reading=found)


@form("/devices/<device>/reading", Permission.READING_REQUEST)
def new_reading(device: str) -> Reply:
    """Have a sanitized medium read again."""
    found = queries.device(here(), actor(), device)
    typed = received()
    if posted():
        extent = typed.one_of("verification", EXTENTS, "Choose how much is read.")
        command = service.RequestReading(device=found.id, verification=extent, reason=typed.text("reason", "Say why."))
        done = perform(
            typed,
            lambda: go(
                "reading", said="reading-requested", reading=service.request_reading(here(), actor(), command).id
            ),
        )
        if done is not None:
            return done
    return show_sheet(
        Sheet(
            title=f"Read {found.asset_tag or found.id} again",
            submit="Order the reading",
            lead=found.label,
            crumbs=crumbs_of(found.id, found.asset_tag),
            back=url_for("console.device", device=found.id),
            consequences=(
                "Its agent reads the medium and compares it with what its standing record claims. Nothing is written.",
                "Where other content is found, the record stops counting: the device has failed and the gate is closed.",
                "Where the claim holds, nothing changes: a reading opens no gate.",
                "Until it has ended, the device neither leaves nor is sanitized again.",
            ),
            fields=(Field(kind="choices", name="verification", label="How much is read", options=EXTENTS), reason()),
        ),
        typed,
    )


@form("/readings/<reading>/cancel", Permission.ORDER_CANCEL)
def cancel_reading(reading: str) -> Reply:
    """Nobody waits for it any more."""
    found = reading_queries.reading(here(), actor(), reading)
    typed = received()
    if posted():
        why = typed.text("reason", "Say why.")
        done = perform(
            typed,
            lambda: go(
                "reading", said="reading-cancelled", reading=service.cancel_reading(here(), actor(), found.id, why).id
            ),
        )
        if done is not None:
            return done
    return show_sheet(
        Sheet(
            title=f"Cancel {found.id}",
            submit="Cancel the reading",
            tone="danger",
            lead=found.device_label,
            crumbs=(
                ("Readings", url_for("console.readings")),
                (found.id, url_for("console.reading", reading=found.id)),
            ),
            back=url_for("console.reading", reading=found.id),
            consequences=(
                "An agent at work stops.",
                "A reading that comes all the same counts only where it contradicts the record.",
            ),
            fields=(reason(),),
        ),
        typed,
    )
