"""The living style page: every token and component of this console, with examples that decide nothing."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Final

from inventory.console.blueprint import Reply, page
from inventory.console.forms import Form, Option
from inventory.console.language.speaking import words
from inventory.console.views import charts
from inventory.console.views.beginnings import guide
from inventory.console.views.chips import state_chip
from inventory.console.views.order import Seat, Step, VerdictView
from inventory.console.views.story import Day, Link, StoryEvent
from inventory.console.web import here, show
from inventory.domain.beginnings import Begun
from inventory.domain.vocabulary import CaseState, DeviceState, HoldingState, HostState, OrderState

_SPRITE: Final = Path(__file__).parents[1] / "static" / "img" / "icons.svg"


@cache
def icon_names() -> tuple[str, ...]:
    """Every icon there is, as the one file that holds them names them."""
    return tuple(re.findall(r'<symbol id="([a-z-]+)"', _SPRITE.read_text()))


_COLOURS = (
    "page",
    "surface",
    "sunken",
    "hover",
    "line",
    "ink",
    "ink-2",
    "ink-3",
    "accent",
    "ok",
    "warn",
    "bad",
    "busy",
    "residue",
)


PAGE_TYPES = (
    (
        "List",
        "filter",
        "Many things of one kind: how many, narrowed by what, and the one act that adds another.",
        "devices",
    ),
    ("Story", "history", "One thing and everything that ever happened to it; each step opens its evidence.", "device"),
    (
        "Decision",
        "sign",
        "What is decided in words, about which fingerprint, what follows, who else; beside it the hand that decides.",
        "approve",
    ),
    (
        "Queue",
        "inbox",
        "What waits for a role, longest first, and for whom; what one may not decide says why.",
        "queue",
    ),
    (
        "Board",
        "chart",
        "Several answers at one look: numbers first, pictures beside their numbers, lists below.",
        "home",
    ),
    ("Report", "file", "Facts that are signed or printed: digests in full, no act but to save or print.", "record"),
    ("Form", "edit", "One act with its consequences said first; refused, it comes back with every word kept.", "sheet"),
)
"""Name, icon, what it is for, a page that is one."""


@page("/style", None)
def style() -> Reply:
    """Tokens, type, components, states."""
    now = here().now()
    refused = Form.starting({"name": "CRM production", "kind": "b"})
    refused.fail("path", "An absolute path, please: it begins with /.")
    story = (
        Day(
            words("Today"),
            (
                StoryEvent(
                    now,
                    "A validator approved the record",
                    "Full read-back, no residual.",
                    "Vera Lindqvist",
                    "shield-check",
                    "ok",
                    None,
                    (Link("Evidence 4f1c…9a2e", "#"),),
                ),
                StoryEvent(
                    now - timedelta(minutes=3),
                    "Sanitization began",
                    "",
                    words("the service"),
                    "spin",
                    "busy",
                    Link("O-000012", "#"),
                    (),
                ),
                StoryEvent(
                    now - timedelta(hours=2),
                    "Data was removed: it is residue now",
                    "Path withdrawn.",
                    "agent 7",
                    "half",
                    "residue",
                    None,
                    (),
                ),
            ),
        ),
    )
    groups = {
        "Devices": [state_chip(state) for state in DeviceState],
        "Orders": [state_chip(state) for state in OrderState],
        "What a medium holds": [state_chip(state) for state in HoldingState],
        "Hosts": [state_chip(state) for state in HostState],
        "Cases": [state_chip(state) for state in CaseState],
    }
    return show(
        "style.html",
        icons=icon_names(),
        colours=_COLOURS,
        groups=groups,
        story=story,
        form=refused,
        options=(Option("a", "One choice", "With a word about it."), Option("b", "Another choice")),
        steps=(
            Step("Requested", "done"),
            Step("Approved", "done"),
            Step("Executed", "now"),
            Step("Verified", "todo"),
            Step("Validated", "todo"),
        ),
        verdicts=(
            VerdictView(
                "Sanitized by clear",
                "Every block was read back. It satisfies what the policy demanded.",
                "ok",
                "shield-check",
            ),
            VerdictView("Partial", "Two ranges could not be written.", "bad", "shield-x"),
        ),
        page_types=PAGE_TYPES,
        bar=charts.bar(
            (
                charts.Share("In service", 214, "accent", "#main"),
                charts.Share("Quarantined", 12, "warn", "#main"),
                charts.Share("Sanitized", 61, "ok", "#main"),
                charts.Share("Failed", 1, "bad", "#main"),
            )
        ),
        columns=charts.columns(
            (
                charts.Share("Overdue", 2, "bad"),
                charts.Share("In 7 days", 5, "warn"),
                charts.Share("In 30 days", 0, "accent"),
                charts.Share("Later", 11, "quiet"),
            )
        ),
        guide=guide(Begun(hosts=1), lambda _: True),
        seats=(Seat("AL", "Ann Larsen", taken=True, digest="4f1c0d5e"), Seat("?", "Another approver", taken=False)),
        digest="4f1c0d5e9b7a3c2184d6e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b39a2e",
    )
