"""Home: what may not leave, what is overdue, what is running, what waits for me, what changed. And the search."""

from __future__ import annotations

from dataclasses import dataclass

from flask import url_for

from inventory.console.blueprint import Reply, page
from inventory.console.views import charts
from inventory.console.views.beginnings import Guide, guide
from inventory.console.views.chips import Tone, state_chip
from inventory.console.views.frame import board as board_of
from inventory.console.views.order import RUNNING
from inventory.console.web import actor, here, may, show
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import DeviceState, ExceptionState
from inventory.services import queries
from inventory.services.queries.beginnings import beginnings
from inventory.services.queries.devices import DeviceFilter
from inventory.services.queries.orders import OrderFilter
from inventory.services.queries.today import MOST, today
from inventory.services.views import Dashboard
from inventory.services.views.today import DueView, TodayView

from ._waiting import FEW, Queue, queues
from .history import told


@dataclass(frozen=True)
class Tile:
    """One answer of the first row: a word, a number, and what it means."""

    label: str
    icon: str
    tone: Tone
    count: str
    note: str
    url: str


@page("/", None)
def home() -> Reply:
    """The start page."""
    if not may(Permission.READ):
        return show("no-role.html")
    with here().together(actor()):
        return _home()


def _home() -> Reply:
    board, now = board_of(here(), actor()), today(here(), actor())
    waiting = queues(board)
    kept_in = queries.list_devices(here(), actor(), DeviceFilter(with_data=True), limit=FEW)
    overdue = queries.list_cases(here(), actor(), overdue=True, limit=FEW)
    running = queries.list_orders(here(), actor(), OrderFilter(states=RUNNING), limit=FEW)
    reads_events = may(Permission.READ_EVENTS)
    recent = () if reads_events else queries.list_orders(here(), actor(), OrderFilter(), limit=FEW).items
    changes = told(queries.list_events(here(), actor(), limit=8).items) if reads_events else None
    critical = queries.list_exceptions(here(), actor(), state=ExceptionState.OPEN, limit=FEW)
    return show(
        "home.html",
        board=board,
        tiles=_tiles(board, now, waiting),
        waiting=waiting,
        kept_in=kept_in.items,
        overdue=overdue.items,
        running=running,
        recent=recent,
        changes=changes,
        exceptions=critical.items,
        devices=charts.bar(_by_state(board)),
        due=charts.columns(_due(now.due)),
        guide=_guide(board),
    )


def _guide(board: Dashboard) -> Guide | None:
    """The first steps, until there is an order."""
    return None if sum(board.orders_by_state.values()) else guide(beginnings(here(), actor()), may)


def _tiles(board: Dashboard, now: TodayView, waiting: tuple[Queue, ...]) -> tuple[Tile, ...]:
    under_way = sum(board.orders_by_state.get(str(state), 0) for state in RUNNING)
    mine = sum(queue.count for queue in waiting)
    late = board.cases_overdue + now.handovers_late
    found = [
        Tile(
            "May not leave",
            "shield-x",
            "bad" if board.residue_devices else "quiet",
            str(board.residue_devices),
            f"hold data or residue; {board.releasable} may leave",
            url_for("console.devices", data="yes"),
        ),
        Tile(
            "Overdue",
            "clock",
            "warn" if late else "quiet",
            str(late),
            f"{board.cases_overdue} of {board.cases_open} erasure cases, {now.handovers_late} hand-overs",
            url_for("console.cases", overdue="yes"),
        ),
        Tile(
            "Running",
            "spin",
            "busy" if under_way else "quiet",
            str(under_way),
            f"{board.approvals_waiting} to approve, {board.validations_waiting} to validate",
            url_for("console.orders", show="running"),
        ),
        Tile(
            "Waits for you",
            "inbox",
            "accent" if mine else "quiet",
            str(mine),
            f"in {len(waiting)} of your queues" if waiting else "nothing, just now",
            "#waiting",
        ),
    ]
    if now.changed is None:
        note = f"{board.exceptions_critical} critical, {board.hosts_silent} hosts silent"
        tone: Tone = "bad" if board.exceptions_critical else "quiet"
        found.append(Tile("Exceptions", "alert", tone, str(board.exceptions_open), note, url_for("console.exceptions")))
    else:
        count = f"{now.changed}{'+' if now.changed == MOST else ''}"
        note = f"entries since yesterday; {board.exceptions_open} open exceptions"
        found.append(Tile("Changed", "history", "quiet", count, note, url_for("console.events")))
    return tuple(found)


def _by_state(board: Dashboard) -> list[charts.Share]:
    found = []
    for state in DeviceState:
        chip, count = state_chip(state), board.devices_by_state.get(str(state), 0)
        found.append(charts.Share(chip.label, count, chip.tone, url_for("console.devices", state=state), chip.icon))
    return found


def _due(due: DueView) -> list[charts.Share]:
    address = url_for("console.cases")
    return [
        charts.Share("Overdue", due.overdue, "bad", address),
        charts.Share("In 7 days", due.week, "warn", address),
        charts.Share("In 30 days", due.month, "accent", address),
        charts.Share("Later", due.later, "quiet", address),
    ]
