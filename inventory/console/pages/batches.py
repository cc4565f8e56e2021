"""Orders for a lot or a list of devices: looked at on this page, then ordered exactly as they were seen."""

from __future__ import annotations

from datetime import timedelta

from flask import url_for
from werkzeug.wrappers import Response as AnyResponse

from inventory.console.blueprint import Reply, form
from inventory.console.forms import Form, Option
from inventory.console.views.order import PATTERNS
from inventory.console.web import actor, form_status, go, here, perform, posted, received, show
from inventory.contract.v1.orders import PlanRequest
from inventory.domain.lots import LotState
from inventory.domain.roles import Permission
from inventory.domain.techniques import AUTO
from inventory.domain.vocabulary import Method, Verification
from inventory.errors import InventoryError
from inventory.services import batches as service
from inventory.services import lot_register
from inventory.services.orders import Purpose
from inventory.services.views.batches import BatchView
from reports.findings.techniques import HOST

from .orders import LIFETIMES, PURPOSES, READ_BACK

_HOW = (
    Option(HOST, "Overwrite by the host", "Reaches clear."),
    Option(AUTO, "The best the drive offers", "Chosen by each agent; never one below the method."),
)
_METHODS = (Option("clear", "Clear"), Option("purge", "Purge"))
_FIRST = {
    "purpose": "inside",
    "pattern": "zeros",
    "verification": "full",
    "hours": "24",
    "method": "clear",
    "technique": HOST,
}


def _lots() -> tuple[Option, ...]:
    found = [
        lot
        for state in (LotState.OPEN, LotState.REOPENED)
        for lot in lot_register.list_lots(here(), actor(), state=state, limit=100).items
    ]
    return tuple(Option(lot.id, f"{lot.id}: {lot.name}") for lot in found)


def _command(typed: Form) -> service.BatchOrders | None:
    """What was asked, where the form says it all; mistakes are noted in the form."""
    pattern = typed.one_of("pattern", PATTERNS, "Choose what is written.")
    technique = typed.one_of("technique", _HOW, "Choose how.")
    wanted = typed.one_of("purpose", PURPOSES, "Say what shall become of them: the policy decides by that.")
    verification = typed.word("verification", Verification, "Choose how much is read back.")
    method = typed.word("method", Method, "Choose the method to reach.")
    hours = typed.one_of("hours", LIFETIMES, "Choose how long the orders are good for.")
    reason = typed.text("reason", "Say why.")
    lot = typed.optional("lot")
    devices = tuple(word for word in typed.value("devices").replace(",", " ").split() if word)
    if (lot is None) == (not devices):
        typed.fail("devices", "Choose a lot, or list devices by number or asset tag: exactly one of the two.")
    if verification is None or method is None or not typed.ok:
        return None
    return service.BatchOrders(
        plan=PlanRequest(
            method=method.value, technique=technique, pattern_set=pattern, verification=verification.value
        ),
        purpose=Purpose(
            reuse=wanted != "scrap",
            leaves_control=wanted == "outside",
            damaged=typed.has("damaged", "yes"),
            description=typed.optional("description", limit=200) or "",
        ),
        reason=reason,
        lot=lot,
        devices=devices,
        lifetime=timedelta(hours=int(hours)),
    )


@form("/orders/batch", Permission.ORDER_REQUEST)
def new_batch() -> Reply:
    """The same plan for many devices: look first, then order what was seen."""
    typed = received()
    for name, value in _FIRST.items():
        typed.values.setdefault(name, value)
    seen: BatchView | None = None
    command = _command(typed) if posted() else None
    if command is not None:
        if typed.value("step") == "order":
            done = _ordered(typed, command)
            if done is not None:
                return done
        seen = _looked_at(typed, command)
    return show(
        "batch.html", form_status(typed), form=typed, seen=seen, lots=_lots(), patterns=PATTERNS, how=_HOW,
        methods=_METHODS, purposes=PURPOSES, read_back=READ_BACK, lifetimes=LIFETIMES,
        action=url_for("console.new_batch"),
    )  # fmt: skip


def _ordered(typed: Form, command: service.BatchOrders) -> AnyResponse | None:
    return perform(
        typed,
        lambda: _to_orders(service.order_batch(here(), actor(), command, typed.value("seen"))),
    )


def _to_orders(_: BatchView) -> AnyResponse:
    return go("orders", said="batch-ordered", show="to-approve")


def _looked_at(typed: Form, command: service.BatchOrders) -> BatchView | None:
    try:
        return service.preview(here(), actor(), command)
    except InventoryError as error:
        typed.refused(error)
        return None
