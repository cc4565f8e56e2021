"""Questions on pages: what is known years ahead is told so, and is nobody's task yet."""

from __future__ import annotations

from datetime import timedelta

from inventory.console import formatting
from inventory.domain.questions import AHEAD, ChangeKind
from inventory.services import devices, questions
from inventory.services.questions import AnnounceChange

from .conftest import Site


def test_a_lease_that_ends_in_years_stands_on_the_page_as_far_ahead(site: Site) -> None:
    context, carla = site.world.context, site.world.actor("carla")
    device = devices.declare(context, carla, devices.DeclareDevice(asset_tag="LEASED-1"))
    due = context.now() + timedelta(days=1000)
    command = AnnounceChange(device=device.id, kind=ChangeKind.LEASE_RETURN, reason="leased with the server", due=due)
    asked = questions.announce(context, carla, command)
    text = site.get("carla", "/questions").text
    row = text.split(f'id="{asked.id}"', 1)[1].split("</li>", 1)[0]
    assert "Far ahead" in row
    assert f"from {formatting.day(due - AHEAD)} on" in row
    assert "Next:" not in row
