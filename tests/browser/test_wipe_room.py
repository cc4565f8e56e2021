"""A wipe room of sixty bays in a real browser: all on one screen, nothing left standing that nobody knows any more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import Console, accessibility, overflow, served_world
from tests.support.capabilities import requires_browser
from tests.support.console_room import BAYS, Room, furnished

pytestmark = [pytest.mark.browser, requires_browser, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def room(browser: Browser) -> Iterator[tuple[Console, Room]]:
    with served_world(history=False) as (world, base):
        world.invite_everybody()
        world.publish_roster()
        yield Console(world, base, browser), furnished(world)


def cut_off(page: Page) -> list[str]:
    """Bays whose words or figures are cut off."""
    found: list[str] = page.locator(".bay-head, .bay-word, .bay-figures, .bay-foot > :not(.bay-tag)").evaluate_all(
        "all => all.filter(one => { const bay = one.closest('.bay').getBoundingClientRect();"
        " const own = one.getBoundingClientRect();"
        " return own.right > bay.right || own.bottom > bay.bottom || one.scrollWidth > one.clientWidth + 1"
        " && getComputedStyle(one).display !== 'inline'; }).map(one => one.closest('.bay').innerText)"
    )
    return found


@pytest.mark.parametrize("language", ["en", "pt", "ms"])
def test_sixty_bays_stand_on_one_screen_with_every_word_whole(room: tuple[Console, Room], language: str) -> None:
    console, made = room
    with console.someone("omar", theme="dark", width=1920) as (page, complaints):
        page.context.set_extra_http_headers({"Accept-Language": language})
        for width, height in ((1920, 1080), (1440, 900)):
            made.report()
            page.set_viewport_size({"width": width, "height": height})
            page.goto(f"/console/wall?host={made.agent.host}")
            expect(page.locator(".bay")).to_have_count(BAYS)
            assert page.evaluate("document.documentElement.scrollHeight <= innerHeight"), (width, height)
            assert cut_off(page) == []
        page.set_viewport_size({"width": 390, "height": 844})
        assert not overflow(page)
        assert cut_off(page) == []
        assert accessibility(page) == []
        assert complaints.found == []


def test_a_wall_that_is_cut_off_says_so_and_loses_its_colours_until_it_hears_again(room: tuple[Console, Room]) -> None:
    console, made = room
    with console.someone("vic", width=1920) as (page, complaints):
        made.report()
        page.goto(f"/console/wall?host={made.agent.host}")
        state, grid = page.locator("[data-live-state=wall]"), page.locator(".wall-grid")
        expect(state).to_have_text("Live now")
        expect(grid).to_have_css("filter", "none")
        page.context.set_offline(True)
        expect(state).to_have_text("Connection lost. Trying again")
        assert state.evaluate("one => one.getBoundingClientRect().width") > 1800
        assert "grayscale(1)" in grid.evaluate("one => getComputedStyle(one).filter")
        page.context.set_offline(False)
        expect(state).to_have_text("Live now")
        expect(page.locator(".wall-grid")).to_have_css("filter", "none")
        assert all("ERR_INTERNET_DISCONNECTED" in text for text in complaints.found)


def test_home_with_more_runs_than_it_shows_stays_where_it_is_and_leads_to_all(room: tuple[Console, Room]) -> None:
    """Page and picture once showed another number of them, and the page loaded itself anew without end."""
    console, made = room
    with console.someone("omar") as (page, complaints):
        made.report()
        page.goto("/console/")
        page.evaluate("window.untouched = true")
        expect(page.locator("[data-live-state=running]")).to_have_text("Live now")
        made.report()
        expect(page.locator("#running").get_by_role("link", name="All that run")).to_be_visible()
        assert page.evaluate("window.untouched") is True
        assert complaints.found == []
