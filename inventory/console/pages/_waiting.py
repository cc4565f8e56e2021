"""What waits for this reader: one line for each thing only they, or somebody of their role, can do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from flask import url_for

from inventory.console.views.chips import Tone
from inventory.console.views.story import Link
from inventory.console.web import actor, here, may
from inventory.domain.handovers import HandoverState
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import CaseState, HostState, OrderState
from inventory.services import handovers, queries, roster
from inventory.services.queries.orders import OrderFilter
from inventory.services.views import Dashboard

FEW: Final = 6
"""Lines of one kind; the queue itself holds the rest."""


@dataclass(frozen=True)
class Waiting:
    """Something to do, in one line."""

    icon: str
    tone: Tone
    title: str
    text: str
    link: Link


@dataclass(frozen=True)
class Queue:
    """Everything of one kind that waits."""

    title: str
    count: int
    lines: tuple[Waiting, ...]
    rest: Link | None = None
    """Where those stand that are not shown."""


def queues(board: Dashboard) -> tuple[Queue, ...]:
    """What waits for this reader; empty queues are left out."""
    found = (make(board) for make in _QUEUES)
    return tuple(queue for queue in found if queue is not None and queue.count)


def _to_approve(board: Dashboard) -> Queue | None:
    if not may(Permission.ORDER_APPROVE):
        return None
    where = OrderFilter(states=frozenset({OrderState.REQUESTED}))
    lines = tuple(
        Waiting(
            "sign",
            "warn",
            f"Approve {order.id}",
            f"{order.approvals_given} of {order.approvals_required} signatures, {order.device_label}",
            Link("Read and sign", url_for("console.approve", order=order.id)),
        )
        for order in queries.list_orders(here(), actor(), where, limit=FEW).items
        if order.requested_by != actor().ref
    )
    count = board.approvals_waiting if lines else 0
    return _queue("To approve", count, lines, "orders_to_approve")


def _to_validate(board: Dashboard) -> Queue | None:
    if not may(Permission.RECORD_VALIDATE):
        return None
    where = OrderFilter(states=frozenset({OrderState.RECORDED}))
    lines = tuple(
        Waiting(
            "inbox",
            "warn",
            f"Validate {order.id}",
            order.device_label,
            Link("Read and decide", url_for("console.validate", order=order.id)),
        )
        for order in queries.list_orders(here(), actor(), where, limit=FEW).items
    )
    return _queue("To validate", board.validations_waiting, lines, "orders_to_validate")


def _hosts(board: Dashboard) -> Queue | None:
    if not may(Permission.HOST_MANAGE) or not board.hosts_waiting:
        return None
    lines = tuple(
        Waiting(
            "host",
            "warn",
            f"Confirm host {host.name}",
            "It asked to enrol",
            Link("Compare fingerprints", url_for("console.confirm_host", host=host.id)),
        )
        for host in queries.list_hosts(here(), actor(), state=HostState.PENDING, limit=FEW).items
    )
    return _queue("Hosts to confirm", board.hosts_waiting, lines, "hosts")


def _keys(board: Dashboard) -> Queue | None:
    if not may(Permission.APPROVER_KEY_CONFIRM):
        return None
    count = board.approver_keys_waiting
    line = Waiting(
        "key",
        "warn",
        "Confirm approvers' keys",
        f"{count} registered by their owners",
        Link("Compare fingerprints", url_for("console.roster")),
    )
    return Queue("Keys to confirm", count, (line,))


def _roster(_: Dashboard) -> Queue | None:
    if not may(Permission.ROSTER_SIGN):
        return None
    proposed = roster.proposal(here(), actor())
    if proposed is None or any(person.ref == actor().ref and person.signed for person in proposed.people):
        return None
    line = Waiting(
        "roster",
        "warn",
        f"Sign roster {proposed.version}",
        f"{len(proposed.signatures)} of {proposed.signatures_needed} signatures",
        Link("Read and sign", url_for("console.sign_roster")),
    )
    return Queue("A roster to sign", 1, (line,))


def _handovers(_: Dashboard) -> Queue | None:
    if not may(Permission.HANDOVER):
        return None
    offered = handovers.list_handovers(here(), actor(), state=HandoverState.OFFERED, limit=FEW)
    lines = tuple(
        Waiting(
            "handover",
            "bad" if one.overdue else "warn",
            f"Count hand-over {one.id}",
            "The day of the answer has passed" if one.overdue else "Nothing has changed hands before you have counted",
            Link("Count and answer", url_for("console.answer_handover", handover=one.id)),
        )
        for one in offered.items
        if one.offered_by != actor().ref and not one.outward
    )
    return Queue("To count", len(lines), lines, Link("All", url_for("console.handovers", state="offered")))


def _cases(_: Dashboard) -> Queue | None:
    if not may(Permission.CASE_MANAGE):
        return None
    fulfilled = queries.list_cases(here(), actor(), state=CaseState.FULFILLED, limit=FEW).items
    lines = tuple(
        Waiting(
            "case",
            "accent",
            f"Close {case.reference}",
            "Every obligation is closed by evidence",
            Link("Read and close", url_for("console.case", case=case.id)),
        )
        for case in fulfilled
    )
    return Queue("To close", len(lines), lines, Link("All", url_for("console.cases", state="fulfilled")))


def _exceptions(board: Dashboard) -> Queue | None:
    if not may(Permission.EXCEPTION_RESOLVE) or not board.exceptions_critical:
        return None
    line = Waiting(
        "alert",
        "bad",
        "Answer exceptions",
        f"{board.exceptions_critical} critical",
        Link("Open exceptions", url_for("console.exceptions")),
    )
    return Queue("Critical exceptions", board.exceptions_critical, (line,))


def _queue(title: str, count: int, lines: tuple[Waiting, ...], endpoint: str) -> Queue:
    return Queue(title, count, lines, Link("All", url_for(f"console.{endpoint}")) if count > len(lines) else None)


_QUEUES: Final[tuple[Callable[[Dashboard], Queue | None], ...]] = (
    _to_approve,
    _to_validate,
    _handovers,
    _cases,
    _hosts,
    _keys,
    _roster,
    _exceptions,
)


def lines(found: tuple[Queue, ...]) -> Iterator[Waiting]:
    """All lines, queue after queue."""
    for queue in found:
        yield from queue.lines
