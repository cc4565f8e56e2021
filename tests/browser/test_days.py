"""What a day brings: a session that ends in the middle of a decision, two people at one thing, the back button, no mouse."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from inventory.services import devices, queries, sessions
from inventory.services.queries.devices import DeviceFilter
from tests.support.browser import Console
from tests.support.capabilities import requires_browser
from tests.support.console_story import Story
from tests.support.console_world import PASSWORD
from tests.support.days import tab_to

pytestmark = [pytest.mark.browser, requires_browser]


def declared(story: Story, tag: str) -> str:
    """A device of this test alone; its number."""
    command = devices.DeclareDevice(asset_tag=tag, source="shelf")
    return devices.declare(story.world.context, story.world.actor("carla"), command).id


def end_every_session(story: Story, login: str) -> None:
    someone = story.world.actor(login)
    for session in sessions.list_sessions(story.world.context, someone):
        sessions.end_session(story.world.context, someone, session.id)


def test_a_session_that_ends_in_the_middle_of_a_decision_decides_nothing_and_leads_back_to_it(
    told: tuple[Console, Story],
) -> None:
    console, story = told
    order = story.numbers["recorded"]
    with console.someone("vera") as (page, complaints):
        complaints.expected.add(401)
        page.goto(f"/console/orders/{order}/validate")
        page.get_by_label("Reason").fill("Read back, nothing left.")
        page.get_by_label(re.compile("Approve")).first.check()
        end_every_session(story, "vera")
        page.locator("main form button").last.click()
        expect(page.get_by_label("Login name")).to_be_visible()
        assert queries.order(story.world.context, story.world.actor("vera"), order).state == "recorded"
        page.get_by_label("Login name").fill("vera")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_url("**/console/**")
        assert "sign-in" not in page.url
        expect(page.get_by_label("Reason")).to_have_value("Read back, nothing left.")
    assert queries.order(story.world.context, story.world.actor("vera"), order).state == "recorded"


def test_of_two_people_at_one_device_the_second_is_told_what_it_is_now(told: tuple[Console, Story]) -> None:
    console, story = told
    number = declared(story, "TWO-1")
    address = f"/console/devices/{number}/do/place"
    with console.someone("carla") as (first, complaints), console.someone("omar") as (second, others):
        others.expected.update({409, 412, 422})
        for page in (first, second):
            page.goto(address)
            page.get_by_label("Reason").fill("It goes into rack 7.")
        first.get_by_role("button", name="Put into service").click()
        expect(first.locator("h1 + .chip")).to_have_text("In service")
        second.get_by_role("button", name="Put into service").click()
        expect(second.locator("main")).to_contain_text("in service")
        expect(second.get_by_label("Reason")).to_have_value("It goes into rack 7.")
        assert complaints.found == []
        assert others.found == []


def test_the_back_button_and_a_second_send_make_no_second_device(told: tuple[Console, Story]) -> None:
    console, story = told
    with console.someone("carla") as (page, complaints):
        page.goto("/console/devices/declare")
        page.get_by_label("Asset tag").fill("BACK-1")
        page.get_by_role("button", name="Declare").click()
        expect(page.locator("h1")).to_have_text("BACK-1")
        page.go_back()
        complaints.expected.update({409, 422})
        page.get_by_label("Asset tag").fill("BACK-1")
        page.get_by_role("button", name="Declare").click()
        expect(page.locator("main")).to_contain_text("There is already a device with this asset tag")
        assert complaints.found == []
    found = queries.list_devices(story.world.context, story.world.actor("carla"), DeviceFilter(text="BACK-1"))
    assert len(found.items) == 1


def test_a_custodian_without_a_mouse_declares_a_device_and_puts_it_into_service(told: tuple[Console, Story]) -> None:
    console, _ = told
    with console.someone("carla") as (page, complaints):
        page.goto("/console/devices/declare")
        tab_to(page, "Asset tag")
        page.keyboard.type("KEYS-1")
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text("KEYS-1")
        tab_to(page, "Put into service")
        page.keyboard.press("Enter")
        expect(page.get_by_label("Reason")).to_be_visible()
        tab_to(page, "Reason")
        page.keyboard.type("It goes into rack 7.")
        tab_to(page, "Put into service")
        page.keyboard.press("Enter")
        expect(page.locator("h1 + .chip")).to_have_text("In service")
        assert complaints.found == []


def test_an_auditor_goes_from_a_device_to_the_proof_of_each_step_and_can_change_nothing(
    told: tuple[Console, Story],
) -> None:
    console, story = told
    with console.someone("aud") as (page, complaints):
        page.goto(f"/console/devices/{story.device('old')}")
        stations = page.get_by_role("list", name="Its life so far")
        expect(stations.get_by_role("listitem")).to_have_count(10)
        stations.get_by_role("link", name="Validated").click()
        expect(page.locator("main")).to_contain_text("validation")
        page.go_back()
        page.get_by_role("navigation", name="Parts of the story").get_by_role("link", name="Evidence").click()
        expect(page.locator("#story")).to_contain_text("The signed record was accepted and logged")
        expect(page.locator("#story")).not_to_contain_text("Attached to a host")
        assert page.locator("main form[method=post]").count() == 0
        page.get_by_role("link", name="CRM production").first.click()
        expect(page.locator("svg.map")).to_be_visible()
        assert complaints.found == []


def test_the_wall_follows_the_runs_and_says_when_the_line_is_lost(told: tuple[Console, Story]) -> None:
    console, story = told
    with console.someone("vic") as (page, complaints):
        page.goto(f"/console/wall?host={story.world.agents[0].host}")
        state = page.locator("[data-live-state=wall]")
        expect(state).to_have_text("Live now")
        page.context.set_offline(True)
        expect(state).to_have_text("Connection lost. Trying again")
        page.context.set_offline(False)
        expect(state).to_have_text("Live now")
        assert all("ERR_INTERNET_DISCONNECTED" in text for text in complaints.found)
