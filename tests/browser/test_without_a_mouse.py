"""Decisions by keyboard alone, each with something that comes between: a lost line, a session that ends, the way back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from inventory.domain.handovers import HandoverState
from inventory.services import handovers, policies, queries
from inventory.services.queries.devices import DeviceFilter
from tests.support.capabilities import requires_browser
from tests.support.days import Company, Day, day, served_company

pytestmark = [pytest.mark.browser, requires_browser, pytest.mark.xdist_group("no-mouse")]


@pytest.fixture(scope="module")
def company(browser: Browser) -> Iterator[Company]:
    with served_company(browser) as made:
        yield made


def press(who: Day, words: str, key: str = "Enter") -> None:
    """Go there by Tab, and press a key."""
    who.tab_to(words)
    who.page.keyboard.press(key)


def type_into(who: Day, label: str, words: str) -> None:
    who.tab_to(label)
    who.page.keyboard.type(words)


def choose(page: Page, wanted: str) -> None:
    """By Tab to the next group of choices, by arrows to the one that is wanted."""
    for _ in range(150):
        if page.evaluate("document.activeElement.type") == "radio":
            break
        page.keyboard.press("Tab")
    for _ in range(20):
        label = page.evaluate("document.activeElement.labels[0].innerText")
        if wanted in label:
            page.keyboard.press("Space")
            return
        page.keyboard.press("ArrowDown")
    raise AssertionError(f"no choice {wanted!r}")


def test_an_order_is_signed_and_nothing_is_sent_while_the_line_is_lost(company: Company, tmp_path: Path) -> None:
    order, signer = company.story.numbers["requested"], company.story.world.people["ben"].signer
    assert signer is not None
    signer.save(tmp_path / "ben.pem")
    with day(company, "ben") as ben:
        page = ben.page
        ben.go(f"/orders/{order}/approve", f"Approve {order}")
        # Heard from here on: a browser told in the same moment as the key is pressed may be told too late.
        page.on("filechooser", lambda chooser: chooser.set_files(tmp_path / "ben.pem"))
        page.locator("form[data-sign][data-ready]").wait_for()
        press(ben, "A key file", "Space")
        press(ben, "Key file")
        expect(page.locator("[data-key-file]")).to_have_value(re.compile(r"ben\.pem$"))
        press(ben, "I have read what will be destroyed", "Space")
        page.context.set_offline(True)
        press(ben, "Sign and approve")
        ben.told("You are offline: nothing was sent.")
        assert (
            str(queries.order(company.story.world.context, company.story.world.actor("vic"), order).state)
            == "requested"
        )
        page.context.set_offline(False)
        press(ben, "Sign and approve")
        ben.told("Your signature is accepted.")


def test_a_decision_is_made_and_the_way_back_decides_nothing_twice(company: Company) -> None:
    order = company.story.numbers["recorded"]
    with day(company, "vera") as vera:
        page = vera.page
        vera.go(f"/orders/{order}/validate", f"Validate {order}")
        choose(page, "Approve")
        type_into(vera, "Reason", "Every block was read back.")
        page.context.set_offline(True)
        press(vera, "Sign the decision")
        vera.told("You are offline: nothing was sent.")
        page.context.set_offline(False)
        press(vera, "Sign the decision")
        vera.told("Your decision is signed and logged.")
        vera.complaints.expected.update({409, 412})
        page.go_back()
        expect(page.locator("h1")).to_have_text(f"Validate {order}")
        page.reload()
        vera.told("Nothing is left to decide here.")
        expect(page.get_by_role("main").get_by_role("button", name="Sign the decision")).to_have_count(0)


def test_a_waiver_is_countersigned_once_the_session_has_ended_and_come_back(company: Company) -> None:
    path = f"/devices/{company.story.device('backup')}/waiver/{company.story.numbers['waiver']}"
    with day(company, "cora") as cora:
        page = cora.page
        for ended in (True, False):
            cora.go(path, re.compile("Waiver for"))
            choose(page, "Custodian")
            press(cora, "It leaves unsanitized", "Space")
            if ended:
                company.end_sessions("cora")
            press(cora, "Countersign")
            if ended:
                cora.sign_in_again()
                cora.told("Nothing was done: your session had ended")
        cora.told("The waiver is countersigned.")
        page.go_back()
        page.reload()
        expect(page.get_by_role("main").get_by_role("button", name="Countersign")).to_have_count(0)


def test_custody_is_accepted_and_an_answer_from_the_way_back_is_refused(company: Company) -> None:
    handover = company.story.numbers["handover"]
    with day(company, "cora") as cora:
        page = cora.page
        cora.go(f"/handovers/{handover}/answer", f"Answer {handover}")
        type_into(cora, "Devices you counted", "1")
        type_into(cora, "Seals you found", "GL-20817\nGL-20818")
        press(cora, "Answer")
        cora.told("Both counts agree")
        cora.complaints.expected.update({409, 412, 422})
        page.go_back()
        expect(page.locator("h1")).to_have_text(f"Answer {handover}")
        type_into(cora, "Devices you counted", "7")
        press(cora, "Answer")
        expect(page.get_by_role("main").get_by_role("alert").first).to_be_visible()
    world = company.story.world
    assert handovers.handover(world.context, world.actor("cora"), handover).state is HandoverState.ACCEPTED


def test_many_of_a_list_are_looked_at_and_then_changed(company: Company) -> None:
    world = company.story.world
    with day(company, "carla") as carla:
        page = carla.page
        carla.go("/devices?state=sanitized", "Devices")
        press(carla, "Choose ", "Space")
        press(carla, "Act on the ticked ones")
        carla.at("Devices chosen")
        choose(page, "Quarantine")
        type_into(carla, "Reason", "Under lock until they go.")
        press(carla, "Show what it would mean")
        expect(page.get_by_role("heading", name="What would happen to each")).to_be_visible()
        before = queries.list_devices(world.context, world.actor("carla"), DeviceFilter(states=frozenset())).items
        press(carla, "Do it to these")
        expect(page.get_by_role("main").get_by_role("status").first).to_be_visible()
        after = queries.list_devices(world.context, world.actor("carla"), DeviceFilter(states=frozenset())).items
        assert [one.state for one in before] != [one.state for one in after]


def test_a_policy_is_previewed_and_put_in_force(company: Company) -> None:
    world = company.story.world
    with day(company, "ines") as ines:
        page = ines.page
        ines.go("/policy/new", "A new policy")
        ines.tab_to("The document (TOML)")
        page.keyboard.press("Control+End")
        page.keyboard.type("\n# looked at once a year")
        press(ines, "Preview")
        expect(page.locator("main")).to_contain_text("No row differs.")
        before = policies.policy_as_file(world.context, world.actor("ines"))
        type_into(ines, "Reason", "Looked at, as every year.")
        press(ines, "Put in force")
        ines.at("Policy")
        assert policies.policy_as_file(world.context, world.actor("ines")) != before
