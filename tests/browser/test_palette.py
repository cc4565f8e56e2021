"""The search by keyboard alone, and a list's acts on many by a browser without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.support.browser import Console, accessibility
from tests.support.capabilities import requires_browser
from tests.support.console_story import Story

pytestmark = [pytest.mark.browser, requires_browser]


def test_ctrl_k_finds_and_opens_without_a_mouse(told: tuple[Console, Story]) -> None:
    console, story = told
    with console.someone("carla") as (page, complaints):
        page.goto("/console/")
        page.keyboard.press("Control+k")
        palette = page.locator("dialog.palette")
        expect(palette).to_be_visible()
        page.keyboard.type("CUST-88")
        hit = palette.get_by_role("link", name="CUST-88213")
        expect(hit).to_be_visible()
        assert accessibility(page) == []
        page.keyboard.press("ArrowDown")
        expect(hit).to_be_focused()
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/console/cases/{story.numbers['case']}")
        page.keyboard.press("/")
        page.keyboard.type("queues")
        page.keyboard.press("Escape")
        expect(page.locator("dialog.palette")).to_be_hidden()
        assert complaints.found == []


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
