"""The public verification page in a real browser: with and without scripts, for strangers, in every theme and width."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from inventory.services import certificates
from tests.support.browser import Console, accessibility, overflow
from tests.support.capabilities import requires_browser
from tests.support.console_story import Story

pytestmark = [pytest.mark.browser, requires_browser, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def certificate(told: tuple[Console, Story], tmp_path_factory: pytest.TempPathFactory) -> Path:
    console, story = told
    file = tmp_path_factory.mktemp("file") / "certificate.pdf"
    number = story.numbers["certificate"]
    file.write_bytes(certificates.pdf(console.world.context, console.world.actor("vera"), number))
    return file


def word_of(page: Page) -> str:
    """The answer as a person reads it."""
    page.wait_for_selector(".verdict-word")
    return page.locator(".verdict-word").inner_text()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_stranger_checks_a_file(told: tuple[Console, Story], certificate: Path, scripts: bool) -> None:
    console, _ = told
    with console.someone(None, scripts=scripts) as (page, complaints):
        page.goto("/verify")
        page.set_input_files("input[type=file]", certificate)
        page.get_by_role("button", name="Check the file").click()
        assert word_of(page) == "Yes"
        assert page.get_by_text("It stands in this service's log").is_visible()
        assert complaints.found == []


def test_a_dropped_file_is_checked(told: tuple[Console, Story], certificate: Path, tmp_path: Path) -> None:
    console, _ = told
    altered = bytearray(certificate.read_bytes())
    altered[5000] ^= 1
    with console.someone(None) as (page, complaints):
        page.goto("/verify")
        transfer = page.evaluate_handle(
            "bytes => { const t = new DataTransfer();"
            " t.items.add(new File([new Uint8Array(bytes)], 'x.pdf', {type: 'application/pdf'})); return t; }",
            list(altered),
        )
        page.dispatch_event("[data-drop]", "drop", {"dataTransfer": transfer})
        assert word_of(page) == "No"
        assert complaints.found == []


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 1440), ("light", 390), ("dark", 390)])
def test_the_page_has_nothing_to_complain_about(
    told: tuple[Console, Story], certificate: Path, theme: str, width: int
) -> None:
    console, story = told
    context, vera = console.world.context, console.world.actor("vera")
    digest = certificates.certificate(context, vera, story.numbers["certificate"]).bundle_sha256
    with console.someone(None, theme=theme, width=width) as (page, complaints):
        for address in ("/verify", f"/verify?sha256={digest}", f"/verify?sha256={'ab' * 32}"):
            page.goto(address)
            assert accessibility(page) == []
            assert not overflow(page)
        page.set_input_files("input[type=file]", certificate)
        page.get_by_role("button", name="Check the file").click()
        assert word_of(page) == "No", "another digest was expected"
        assert accessibility(page) == []
        assert not overflow(page)
        assert complaints.found == []
