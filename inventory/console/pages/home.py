"""Home: what may not leave, what is overdue, what is running, what waits for me, what changed. And the search."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from flask import redirect, request, url_for

from inventory.console.blueprint import Reply, page
from inventory.console.views.chips import Tone
from inventory.console.views.order import RUNNING
from inventory.console.views.story import Link
from inventory.console.web import actor, here, may, show
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import DeviceState, ExceptionState, HostState, OrderState
from inventory.errors import InventoryError
from inventory.services import queries
from inventory.services.queries.devices import DeviceFilter
from inventory.services.queries.orders import OrderFilter
from inventory.services.views import Dashboard

from .history import told

_FEW = 6


@dataclass(frozen=True)
class Waiting:
    """Something only this reader (or somebody of the same role) can do."""

    icon: str
    tone: Tone
    title: str
    text: str
    link: Link


def _decisions() -> Iterator[Waiting]:
    """Orders that wait for this reader's signature or decision."""
    if may(Permission.ORDER_APPROVE):
        where = OrderFilter(states=frozenset({OrderState.REQUESTED}))
        for order in queries.list_orders(here(), actor(), where, limit=_FEW).items:
            if order.requested_by != actor().ref:
                text = f"{order.approvals_given} of {order.approvals_required} signatures, {order.device_label}"
                link = Link("Read and sign", url_for("console.approve", order=order.id))
                yield Waiting("sign", "warn", f"Approve {order.id}", text, link)
    if may(Permission.RECORD_VALIDATE):
        where = OrderFilter(states=frozenset({OrderState.RECORDED}))
        for order in queries.list_orders(here(), actor(), where, limit=_FEW).items:
            link = Link("Read and decide", url_for("console.validate", order=order.id))
            yield Waiting("inbox", "warn", f"Validate {order.id}", order.device_label, link)


def _confirmations(board: Dashboard) -> Iterator[Waiting]:
    """Keys that wait for a comparison, and what is unaccounted."""
    if may(Permission.HOST_MANAGE) and board.hosts_waiting:
        for host in queries.list_hosts(here(), actor(), state=HostState.PENDING, limit=_FEW).items:
            link = Link("Compare fingerprints", url_for("console.confirm_host", host=host.id))
            yield Waiting("host", "warn", f"Confirm host {host.name}", "It asked to enrol", link)
    if may(Permission.APPROVER_KEY_CONFIRM) and board.approver_keys_waiting:
        text = f"{board.approver_keys_waiting} registered by their owners"
        yield Waiting(
            "key", "warn", "Confirm approvers' keys", text, Link("Compare fingerprints", url_for("console.roster"))
        )
    if may(Permission.EXCEPTION_RESOLVE) and board.exceptions_critical:
        text = f"{board.exceptions_critical} critical"
        yield Waiting("alert", "bad", "Answer exceptions", text, Link("Open exceptions", url_for("console.exceptions")))


@page("/", None)
def home() -> Reply:
    """The start page."""
    if not may(Permission.READ):
        return show("no-role.html")
    board = queries.dashboard(here(), actor())
    kept_in = queries.list_devices(here(), actor(), DeviceFilter(with_data=True), limit=_FEW)
    overdue = queries.list_cases(here(), actor(), overdue=True, limit=_FEW)
    running = queries.list_orders(here(), actor(), OrderFilter(states=RUNNING), limit=_FEW)
    recent = queries.list_orders(here(), actor(), OrderFilter(), limit=_FEW)
    changes = told(queries.list_events(here(), actor(), limit=12).items) if may(Permission.READ_EVENTS) else None
    critical = queries.list_exceptions(here(), actor(), state=ExceptionState.OPEN, limit=_FEW)
    return show(
        "home.html",
        board=board,
        waiting=(*_decisions(), *_confirmations(board)),
        kept_in=kept_in.items,
        overdue=overdue.items,
        running=running.items,
        running_count=sum(board.orders_by_state.get(str(state), 0) for state in RUNNING),
        recent=recent.items,
        changes=changes,
        exceptions=critical.items,
        states=_state_bars(board),
        starting=board.hosts_by_state.get("confirmed", 0) == 0 and sum(board.devices_by_state.values()) == 0,
    )


@page("/running")
def running() -> Reply:
    """The running part of the start page, for its live region."""
    orders = queries.list_orders(here(), actor(), OrderFilter(states=RUNNING), limit=_FEW)
    return show("running.html", running=orders.items)


def _state_bars(board: Dashboard) -> tuple[tuple[DeviceState, int], ...]:
    return tuple(
        (state, board.devices_by_state.get(str(state), 0))
        for state in DeviceState
        if board.devices_by_state.get(str(state), 0)
    )


def _exact(text: str) -> str | None:
    """The page of the one thing this text names, if it names one."""
    lookups: tuple[tuple[str, Callable[[], str]], ...] = (
        ("device", lambda: queries.device(here(), actor(), text).id),
        ("order", lambda: queries.order(here(), actor(), text).id),
        ("host", lambda: queries.host(here(), actor(), text).id),
        ("case", lambda: queries.case(here(), actor(), text).id),
        ("record", lambda: queries.record(here(), actor(), text).sha256),
    )
    for kind, find in lookups:
        try:
            parts: dict[str, Any] = {kind: find()}
        except InventoryError:
            continue
        return url_for(f"console.{kind}", **parts)
    return None


@page("/search")
def search() -> Reply:
    """Straight to what a number, tag, serial or digest names; else the devices that match."""
    text = request.args.get("q", "").strip()[:128]
    if not text:
        return redirect(url_for("console.devices"), 303)
    found = _exact(text)
    return redirect(found or url_for("console.devices", q=text), 303)
