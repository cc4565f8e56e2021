"""One browser for all; a told company for looking, empty ones for working."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.browser import Console, chromium, served_world
from tests.support.console_story import Story, tell


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="session")
def told(browser: Browser) -> Iterator[tuple[Console, Story]]:
    """A company with a past; tests that use it change nothing others look at."""
    with served_world() as (world, base):
        story = tell(world)
        yield Console(world, base, browser), story


@pytest.fixture
def empty(browser: Browser) -> Iterator[Console]:
    """An inventory that was set up a moment ago."""
    with served_world(history=False) as (world, base):
        yield Console(world, base, browser)
