"""The living style page: every token and component of this console, with examples that decide nothing."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Final

from inventory.console.blueprint import Reply, page
from inventory.console.forms import Form, Option
from inventory.console.views.chips import state_chip
from inventory.console.views.order import Step, VerdictView
from inventory.console.views.story import Day, Link, StoryEvent
from inventory.console.web import here, show
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


@page("/style", None)
def style() -> Reply:
    """Tokens, type, components, states."""
    now = here().now()
    refused = Form.starting({"name": "CRM production", "kind": "b"})
    refused.fail("path", "An absolute path, please: it begins with /.")
    story = (
        Day(
            "Today",
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
                    "the service",
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
        digest="4f1c0d5e9b7a3c2184d6e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b39a2e",
    )
