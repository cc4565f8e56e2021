"""The first-run guide: from an empty inventory to the first registered disk, and on to the first order."""

from __future__ import annotations

from inventory.console.blueprint import Reply, page
from inventory.console.views.beginnings import guide
from inventory.console.web import actor, here, may, show
from inventory.services.queries.beginnings import beginnings


@page("/start")
def first_steps() -> Reply:
    """What is done, what is next, and who does it."""
    found = guide(beginnings(here(), actor()), may)
    return show("first-steps.html", guide=found)
