"""The search: anything by what people have in their hands. The same hits as a page, and as a part of one for the palette."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import redirect, request, url_for

from inventory.console.blueprint import Reply, page
from inventory.console.web import actor, here, may, show
from inventory.domain.roles import Permission
from inventory.services import finding
from inventory.services.finding import Hit

_KINDS: Final = {
    "device": ("Devices", "drive", "device", "device"),
    "host": ("Hosts", "host", "host", "host"),
    "order": ("Orders", "order", "order", "order"),
    "case": ("Erasure cases", "case", "case", "case"),
    "lot": ("Lots", "box", "lot", "lot"),
    "container": ("Containers", "archive", "container", "container"),
    "handover": ("Hand-overs", "exit", "handover", "handover"),
    "data_set": ("Data sets", "data", "data_set", "data_set"),
    "certificate": ("Certificates", "certificate", "certificate", "certificate"),
    "document": ("Documents", "certificate", "paper", "paper"),
    "record": ("Records", "shield", "record", "record"),
    "envelope": ("Signed statements", "sign", "envelope", "sha256"),
    "log_entry": ("Log", "log", "log_entry", "index"),
    "reading": ("Readings", "eye", "reading", "reading"),
    "sample": ("Samples", "check", "sample", "sample"),
    "balance": ("Balances", "half", "balance", "balance"),
    "exception": ("Exceptions", "alert", "exceptions", "q"),
    "question": ("Questions", "eye", "questions", ""),
    "place": ("Places", "place", "devices", "location"),
    "person": ("People", "people", "person", "person"),
}
"""Kind -> title, icon, endpoint, and the part of its address that takes the number."""


@dataclass(frozen=True)
class Found:
    """A hit with its page."""

    hit: Hit
    icon: str
    url: str


@dataclass(frozen=True)
class Group:
    """Hits of one kind."""

    title: str
    found: tuple[Found, ...]


def address(hit: Hit) -> str:
    """The page of what was found."""
    _, _, endpoint, part = _KINDS[hit.kind]
    values: dict[str, Any] = {part: hit.number} if part else {}
    if hit.kind == "exception":
        values["state"] = "any"
    return url_for(f"console.{endpoint}", **values)


def _groups(hits: Sequence[Hit]) -> tuple[Group, ...]:
    shown = [hit for hit in hits if hit.kind != "person" or may(Permission.READ)]
    return tuple(
        Group(title, found)
        for kind, (title, icon, _, _) in _KINDS.items()
        if (found := tuple(Found(hit, icon, address(hit)) for hit in shown if hit.kind == kind))
    )


def _text() -> str:
    return request.args.get("q", "").strip()[: finding.TEXT_MOST]


@page("/search")
def search() -> Reply:
    """Straight to what a text names in whole; else everything it may mean."""
    text = _text()
    hits = finding.find(here(), actor(), text)
    one = finding.the_one(hits)
    if one is not None and request.args.get("stay") != "yes":
        return redirect(address(one), 303)
    return show("search.html", groups=_groups(hits), text=text, search_text=text)


@page("/search/hits")
def search_hits() -> Reply:
    """The hits alone, for the palette."""
    text = _text()
    return show("hits.html", groups=_groups(finding.find(here(), actor(), text)), text=text)
