"""Every page in a real browser: nothing reported by axe, no complaint of the browser, no sideways scrolling, light enough."""

from __future__ import annotations

import pytest

from tests.browser.screenshots import FILES, FRAGMENTS, reader
from tests.support.browser import Console, accessibility, overflow
from tests.support.capabilities import requires_browser
from tests.support.console_pages import addresses
from tests.support.console_story import Story

pytestmark = [pytest.mark.browser, requires_browser, pytest.mark.timeout(900)]

CAN_BE_ABSENT = {"link_sso", "confirm_by_sso"}
"""In the story nobody else signs people in."""
BUDGET = 100_000
"""Bytes of a first visit, uncompressed, with every sheet, script and icon."""


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 390)])
def test_no_page_has_anything_to_complain_about(told: tuple[Console, Story], theme: str, width: int) -> None:
    console, story = told
    wrong: list[str] = []
    shown = {name: path for name, path in addresses(story).items() if name not in FILES | FRAGMENTS | CAN_BE_ABSENT}
    by_reader: dict[str, dict[str, str]] = {}
    for name, path in shown.items():
        by_reader.setdefault(reader(story, name), {})[name] = path
    for login, pages in by_reader.items():
        with console.someone(login, theme=theme, width=width) as (page, complaints):
            for name, path in pages.items():
                page.goto(f"/console{path}")
                wrong += [f"{name}: {finding}" for finding in accessibility(page)]
                if overflow(page):
                    wrong.append(f"{name}: wider than {width} px")
            wrong += [f"{login}: {complaint}" for complaint in complaints.found]
    assert wrong == []


def test_sign_in_and_error_pages_are_accessible_too(told: tuple[Console, Story]) -> None:
    console, _ = told
    with console.someone(None) as (page, complaints):
        page.goto("/console/sign-in")
        assert accessibility(page) == []
        assert complaints.found == []
    with console.someone("vic", theme="dark") as (page, complaints):
        complaints.expected.update({403, 404})
        for path in ("/console/devices/D-999999", "/console/people/new"):
            page.goto(path)
            assert accessibility(page) == []
        assert complaints.found == []


@pytest.mark.parametrize(
    "name", ["home", "devices", "device", "order", "approve", "validate", "case", "roster", "events"]
)
def test_a_first_visit_stays_below_a_hundred_kilobytes(told: tuple[Console, Story], name: str) -> None:
    console, story = told
    with console.someone(reader(story, name)) as (page, _):
        state = page.context.storage_state()
    with console.someone(None, state=state) as (page, complaints):
        page.goto(f"/console{addresses(story)[name]}", wait_until="networkidle")
        assert complaints.loaded
        assert sum(complaints.loaded.values()) < BUDGET, complaints.loaded
