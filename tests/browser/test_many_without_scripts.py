"""A list's acts on many are looked at by a browser without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.support.browser import Console
from tests.support.capabilities import requires_browser
from tests.support.console_story import Story

pytestmark = [pytest.mark.browser, requires_browser]


def test_many_are_looked_at_without_a_script(told: tuple[Console, Story]) -> None:
    console, _ = told
    with console.someone("carla", scripts=False) as (page, complaints):
        page.goto("/console/devices?state=retired")
        boxes = page.locator('td.tick input[type="checkbox"]')
        boxes.first.check()
        page.get_by_role("button", name="Act on the ticked ones").click()
        page.get_by_role("radio", name="Quarantine Out of use").check()
        page.get_by_label("Reason").fill("Under lock until they go.")
        page.get_by_role("button", name="Show what it would mean").click()
        expect(page.get_by_role("heading", name="What would happen to each")).to_be_visible()
        assert complaints.found == []
