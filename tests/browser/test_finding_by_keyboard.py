"""Finding by keyboard, the navigation on a low screen, and the API explorer with its script, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Route, expect

from inventory.services import queries
from inventory.services.queries.devices import DeviceFilter
from tests.support.browser import Console
from tests.support.capabilities import requires_browser
from tests.support.console_story import Story

pytestmark = [pytest.mark.browser, requires_browser]


def test_the_palette_finds_goes_by_arrows_and_gives_the_keyboard_back(told: tuple[Console, Story]) -> None:
    console, story = told
    device = story.numbers["old"]
    with console.someone("carla") as (page, complaints):
        page.goto("/console/lots")
        page.get_by_role("link", name="Open a lot").focus()
        page.keyboard.press("Control+k")
        box = page.get_by_role("dialog", name="Search everything").get_by_role("searchbox")
        expect(box).to_be_focused()
        page.keyboard.type("Hand-ov")
        expect(page.locator("dialog.palette a.menu-item").first).to_have_text("Hand-overs")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog", name="Search everything")).to_be_hidden()
        expect(page.get_by_role("link", name="Open a lot")).to_be_focused()
        page.keyboard.press("/")
        expect(box).to_be_focused()
        held: list[Route] = []

        def keep(route: Route) -> None:
            held.append(route)

        page.route("**/search/hits?*", keep)
        page.keyboard.type(device[:4])
        expect(page.locator("dialog.palette .skeleton")).to_be_visible()
        complaints.expected.add(503)
        held[-1].fulfill(status=503)
        expect(page.locator("dialog.palette .hits-none")).to_contain_text("No answer came")
        page.unroute("**/search/hits?*")
        page.keyboard.type(device[4:])
        hit = page.locator("dialog.palette .hits a.menu-item").first
        expect(hit).to_have_attribute("href", f"/console/devices/{device}")
        page.keyboard.press("ArrowDown")
        expect(hit).to_be_focused()
        page.keyboard.press("ArrowUp")
        expect(box).to_be_focused()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(f"/console/devices/{device}$"))
        assert complaints.found == []


def test_the_navigation_fits_a_low_screen(told: tuple[Console, Story]) -> None:
    console, _ = told
    with console.someone("ines") as (page, _):
        page.set_viewport_size({"width": 1440, "height": 900})
        for path in ("/console/", "/console/devices", "/console/policy"):
            page.goto(path)
            side = page.locator(".sidebar")
            assert side.evaluate("one => one.scrollHeight <= one.clientHeight"), path
            lines = page.locator(".sidebar .nav-link:visible").evaluate_all(
                "all => all.map(one => one.getBoundingClientRect().height)"
            )
            assert min(lines) >= 24


def test_the_explorer_asks_with_the_readers_session_and_changes_only_what_is_meant(
    told: tuple[Console, Story],
) -> None:
    console, story = told
    device = story.numbers["old"]
    with console.someone("carla") as (page, complaints):
        page.goto("/console/api/devices/get_device")
        page.get_by_label("device", exact=True).fill(device)
        page.get_by_role("button", name="Ask").click()
        expect(page.locator("[data-status]")).to_have_text(re.compile("^200"))
        expect(page.locator("[data-text]")).to_contain_text(f'"id": "{device}"')
        page.goto("/console/api/devices/declare_device")
        page.get_by_label("Body").fill('{"asset_tag": "AT-EXPLORER"}')
        send = page.get_by_role("button", name="Send POST")
        send.click()
        expect(page.locator("[data-answer]")).to_be_hidden()
        page.get_by_label("I mean it").check()
        send.dblclick()
        expect(page.locator("[data-status]")).to_have_text(re.compile("^201"))
        expect(page.get_by_label("I mean it")).not_to_be_checked()
        complaints.expected.add(401)
        page.get_by_text("Ask with a token").click()
        page.get_by_label("Token").fill("strl_nonsense")
        page.get_by_label("I mean it").check()
        send.click()
        expect(page.locator("[data-status]")).to_have_text(re.compile("^401"))
        assert complaints.found == []
    found = queries.list_devices(console.world.context, console.world.actor("carla"), DeviceFilter(text="AT-EXPLORER"))
    assert len(found.items) == 1
