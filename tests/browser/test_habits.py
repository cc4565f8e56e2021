"""How the console behaves in a person's hands: keyboard, no scripts, lost lines, double clicks, key files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from inventory.services import queries, sessions
from inventory.services.queries.devices import DeviceFilter
from reports.keys import FileSigner
from tests.support.browser import Console
from tests.support.capabilities import requires_browser
from tests.support.console_story import Story

pytestmark = [pytest.mark.browser, requires_browser]


def test_the_keyboard_alone_signs_in_skips_to_the_content_and_opens_the_menu(told: tuple[Console, Story]) -> None:
    console, _ = told
    with console.someone(None) as (page, complaints):
        page.goto("/console/sign-in")
        expect(page.get_by_label("Login name")).to_be_focused()
        page.keyboard.type("vic")
        page.keyboard.press("Tab")
        page.keyboard.type("correct horse battery staple")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Home", exact=True)).to_be_visible()
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#main")).to_be_focused()
        page.wait_for_load_state("load")  # a busy machine shows a page before its scripts listen
        page.keyboard.press("/")
        expect(page.get_by_role("dialog", name="Search everything").get_by_role("searchbox")).to_be_focused()
        page.keyboard.press("Escape")
        page.get_by_role("button", name=re.compile("Your account")).focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
        assert complaints.found == []


def test_every_focusable_thing_of_the_home_page_shows_its_focus(told: tuple[Console, Story]) -> None:
    console, _ = told
    with console.someone("ines") as (page, _):
        page.goto("/console/")
        seen: set[str] = set()
        for _step in range(200):
            page.keyboard.press("Tab")
            found = page.evaluate(
                "(() => { const e = document.activeElement; if (e === document.body) return null;"
                " const s = getComputedStyle(e);"
                " return [e.outerHTML.slice(0, 120), s.outlineStyle !== 'none' || s.top === '12px']; })()"
            )
            if found is None:
                break
            seen.add(found[0])
            assert found[1], found[0]
        assert len(seen) > 20


def test_the_theme_changes_at_once_and_stays(told: tuple[Console, Story]) -> None:
    console, _ = told
    with console.someone("vic") as (page, complaints):
        page.goto("/console/")
        page.get_by_role("button", name=re.compile("Your account")).click()
        page.get_by_role("button", name="Dark theme").click()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        page.reload()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        assert complaints.found == []


def test_without_scripts_everything_but_signing_works(told: tuple[Console, Story]) -> None:
    console, story = told
    with console.someone("carla", scripts=False) as (page, _):
        page.goto("/console/devices/declare")
        page.get_by_label("Asset tag").fill("NO-SCRIPT-1")
        page.get_by_role("button", name="Declare").click()
        expect(page.get_by_text("The device is declared.")).to_be_visible()
    with console.someone("ben", scripts=False) as (page, _):
        page.goto(f"/console/orders/{story.numbers['requested']}/approve")
        expect(page.get_by_text("Signing needs JavaScript")).to_be_visible()
        assert page.locator("html").get_attribute("lang") == "en"


def test_two_quick_clicks_make_one_device(told: tuple[Console, Story]) -> None:
    console, story = told
    with console.someone("carla") as (page, complaints):
        page.goto("/console/devices/declare")
        page.get_by_label("Asset tag").fill("DOUBLE-1")
        page.get_by_role("button", name="Declare").dblclick()
        expect(page.locator("h1")).to_have_text("DOUBLE-1")
        page.go_back()
        expect(page.locator("main")).to_be_visible()
        assert complaints.found == []
    found = queries.list_devices(story.world.context, story.world.actor("carla"), DeviceFilter(text="DOUBLE-1"))
    assert len(found.items) == 1


def test_a_lost_line_is_shown_and_the_picture_comes_back_by_itself(told: tuple[Console, Story]) -> None:
    console, story = told
    with console.someone("omar") as (page, complaints):
        page.goto(f"/console/orders/{story.numbers['running']}")
        state = page.locator("[data-live-state=run]")
        expect(state).to_have_text("Live now")
        page.context.set_offline(True)
        expect(state).to_have_text("Connection lost. Trying again")
        page.context.set_offline(False)
        expect(state).to_have_text("Live now")
        assert all("ERR_INTERNET_DISCONNECTED" in text for text in complaints.found)


def test_a_line_whose_words_something_between_keeps_is_given_up_and_the_picture_is_asked_for(
    told: tuple[Console, Story],
) -> None:
    console, story = told
    held: list[Route] = []

    def between(route: Route) -> None:
        """Passes everything on but what the service says by itself."""
        if "event-stream" in route.request.headers.get("accept", ""):
            held.append(route)
        else:
            route.continue_()

    with console.someone("omar") as (page, complaints):
        page.clock.install()
        page.route("**/console/**", between)
        with page.expect_request(lambda asked: "event-stream" in asked.headers.get("accept", "")):
            page.goto(f"/console/orders/{story.numbers['running']}")
        with page.expect_response(lambda answer: answer.request.resource_type == "fetch") as asked:
            page.clock.fast_forward(21_000)
        assert asked.value.status == 200
        expect(page.locator("[data-live-state]").first).to_have_text("Live now")
        assert held
        assert complaints.found == []


def test_a_session_that_ended_elsewhere_leads_back_through_sign_in(told: tuple[Console, Story]) -> None:
    console, story = told
    with console.someone("omar") as (page, _):
        page.goto(f"/console/orders/{story.numbers['running']}")
        expect(page.locator("[data-live-state=run]")).to_have_text("Live now")
        omar = story.world.actor("omar")
        for session in sessions.list_sessions(story.world.context, omar):
            sessions.end_session(story.world.context, omar, session.id)
        expect(page.get_by_label("Login name")).to_be_visible()
        assert "next=" in page.url


def test_a_forgotten_field_is_said_and_reached_from_the_summary(told: tuple[Console, Story]) -> None:
    console, _ = told
    with console.someone("carla") as (page, complaints):
        complaints.expected.add(422)
        page.goto("/console/devices/declare")
        page.get_by_role("button", name="Declare").click()
        summary = page.get_by_role("alert")
        expect(summary).to_be_focused()
        summary.get_by_role("link").click()
        expect(page.get_by_label("Asset tag")).to_be_focused()
        assert complaints.found == []


def key_file(folder: Path, signer: FileSigner, name: str) -> Path:
    path = folder / name
    signer.save(path)
    return path


def test_a_key_file_signs_in_the_page_and_is_never_sent(told: tuple[Console, Story], tmp_path: Path) -> None:
    console, story = told
    signer = story.world.people["ben"].signer
    assert signer is not None
    with console.someone("ben") as (page, complaints):
        bodies: list[str] = []
        page.on("request", lambda request: bodies.append(request.post_data or ""))
        page.goto(f"/console/orders/{story.numbers['requested']}/approve")
        page.locator("form[data-sign][data-ready]").wait_for()
        button = page.get_by_role("button", name="Sign and approve")
        button.click()
        expect(page.get_by_text("Tick that you have read the order")).to_be_visible()
        page.get_by_label("I have read what will be destroyed").check()
        button.click()
        expect(page.get_by_text("Choose your key file first.")).to_be_visible()
        stranger = key_file(tmp_path, FileSigner.generate("ed25519"), "stranger.pem")
        page.locator("[data-key-file]").set_input_files(stranger)
        button.click()
        expect(page.get_by_text("That key is not one of yours")).to_be_visible()
        rubbish = tmp_path / "rubbish.pem"
        rubbish.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        page.locator("[data-key-file]").set_input_files(rubbish)
        button.click()
        expect(page.get_by_text("not an unencrypted PKCS#8")).to_be_visible()
        own = key_file(tmp_path, signer, "approver.pem")
        page.locator("[data-key-file]").set_input_files(own)
        button.click()
        expect(page.get_by_text("Your signature is accepted.")).to_be_visible()
        secret = "".join(own.read_text().splitlines()[1:-1])
        assert not any(secret[:40] in body or "PRIVATE KEY" in body for body in bodies)
        assert complaints.found == []
    order = queries.order(story.world.context, story.world.actor("ben"), story.numbers["requested"])
    assert order.approvals_given == 2


def test_an_ed25519_key_file_can_be_registered_and_only_its_public_half_is_sent(empty: Console, tmp_path: Path) -> None:
    empty.world.invite_everybody(with_keys=False)
    signer = FileSigner.generate("ed25519")
    with empty.someone("ann") as (page, complaints):
        page.goto("/console/keys")
        page.locator("form[data-make-key][data-ready]").wait_for()
        page.get_by_label("Key file").set_input_files(key_file(tmp_path, signer, "ann.pem"))
        page.get_by_role("button", name="Register its public half").click()
        expect(page.get_by_text("Your key is registered.")).to_be_visible()
        shown = page.locator("[data-key-row]").get_attribute("data-key-row")
        assert shown == signer.key_id
        assert complaints.found == []
