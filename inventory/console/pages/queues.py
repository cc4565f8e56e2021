"""The queues of approvers, privacy officers and custodians: everything that waits, in parts, the most urgent first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from flask import url_for

from inventory.console.blueprint import Reply, page
from inventory.console.web import actor, here, show
from inventory.domain.roles import Permission
from inventory.services import queues
from inventory.services.queues import QueuedView, QueuePartView

_WORDS: Final = {
    "approve": (
        "To approve",
        "Orders that lack signatures, the one that lapses first on top. Nobody approves what they requested.",
    ),
    "privacy": (
        "For the privacy officer",
        "What customers are owed, what is missing, and what only two people may let go.",
    ),
    "custody": (
        "For the custodian",
        "What must be answered, counted, handed on or put away, before it lies forgotten on a shelf.",
    ),
}
_LISTS: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "orders": ("orders", {"show": "to-approve"}),
    "cases-due": ("cases", {"state": "open"}),
    "cases-fulfilled": ("cases", {"state": "fulfilled"}),
    "incidents": ("exceptions", {"severity": "critical"}),
    "exceptions": ("exceptions", {"owner": "mine"}),
    "questions": ("questions", {}),
    "handovers": ("handovers", {"state": "offered"}),
    "sanitized": ("devices", {"state": "sanitized"}),
    "failed": ("devices", {"state": "failed"}),
    "lots": ("lots", {}),
    "waivers": ("devices", {}),
    "destructions": ("devices", {}),
}
"""Part of a queue -> its list, for what the queue does not show."""


@dataclass(frozen=True)
class Line:
    """One thing that waits, with the page where it is decided."""

    item: QueuedView
    url: str
    act: str


@dataclass(frozen=True)
class Part:
    """A part with its lines."""

    part: QueuePartView
    lines: tuple[Line, ...]
    rest: str


def _line(item: QueuedView) -> Line:
    pages: dict[str, tuple[str, dict[str, Any], str]] = {
        "order": ("approve", {"order": item.number}, "Read and sign"),
        "case": ("case", {"case": item.number}, "Open the case"),
        "exception": ("exceptions", {"q": item.number}, "Answer"),
        "waiver": ("waiver", {"device": item.device, "waiver": item.number}, "Read and sign"),
        "question": ("device", {"device": item.device}, "Open the device"),
        "handover": ("answer_handover", {"handover": item.number}, "Count and answer"),
        "destruction": ("destruction", {"device": item.device, "destruction": item.number}, "Read it"),
        "lot": ("lot", {"lot": item.number}, "Open the lot"),
        "device": ("device", {"device": item.number}, "Open the device"),
    }
    endpoint, values, act = pages[item.kind]
    if item.bar and item.kind == "order":
        endpoint, act = "order", "Look"
    if item.bar and item.kind == "handover":
        endpoint, act = "handover", "Look"
    return Line(item, url_for(f"console.{endpoint}", **values), act)


def _show(name: str) -> Reply:
    title, lead = _WORDS[name]
    found = queues.queue(here(), actor(), name)
    parts = []
    for part in found:
        endpoint, values = _LISTS[part.name]
        where: dict[str, Any] = dict(values)
        parts.append(Part(part, tuple(_line(item) for item in part.waiting), url_for(f"console.{endpoint}", **where)))
    return show("worklist.html", title=title, lead=lead, parts=parts, waiting=sum(len(part.lines) for part in parts))


@page("/queues/approve", Permission.ORDER_APPROVE)
def orders_to_approve() -> Reply:
    """What waits for approvers."""
    return _show("approve")


@page("/queues/privacy", Permission.CASE_MANAGE)
def privacy_queue() -> Reply:
    """What waits for the privacy officer."""
    return _show("privacy")


@page("/queues/custody", Permission.DEVICE_RELEASE)
def custody_queue() -> Reply:
    """What waits for the custodian."""
    return _show("custody")
