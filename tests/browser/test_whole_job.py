"""The main job by mouse: keys, roster, host, data, order, signatures, run, decision, certificate, gate, statement."""

from __future__ import annotations

import re
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from inventory.services import setup
from tests.support.browser import Complaints, Console
from tests.support.capabilities import requires_browser
from tests.support.console_agent import ConsoleAgent, Disk
from tests.support.console_world import PASSWORD

pytestmark = [pytest.mark.browser, requires_browser]

DISK = Disk("Seagate", "ST4000NM0035-1V4107", "ZC1A9F3T", 4_000_787_030_016, path="/dev/sdb", slot="bay 3")


class Cast:
    """Everybody's own browser profile, opened when first needed, and all that any of them complained about."""

    def __init__(self, console: Console, stack: ExitStack) -> None:
        self.console, self.stack = console, stack
        self.pages: dict[str, tuple[Page, Complaints]] = {}

    def __getitem__(self, login: str) -> Page:
        if login not in self.pages:
            self.pages[login] = self.stack.enter_context(self.console.someone(login))
        return self.pages[login][0]

    def may_see(self, login: str, *statuses: int) -> None:
        _ = self[login]
        self.pages[login][1].expected.update(statuses)

    @property
    def complaints(self) -> list[str]:
        return [f"{login}: {text}" for login, (_, found) in self.pages.items() for text in found.found]


def make_key(page: Page) -> None:
    page.goto("/console/keys")
    page.locator("form[data-make-key][data-ready]").wait_for()
    page.get_by_role("button", name="Make and register a key").click()
    expect(page.get_by_text("Your key is registered.")).to_be_visible()
    expect(page.get_by_text("kept in this browser").first).to_be_visible()


def sign_here(page: Page, button: str) -> None:
    page.locator("form[data-sign][data-ready]").wait_for()
    expect(page.get_by_text("Worked out again in this browser")).to_be_visible()
    compared = page.get_by_label("I have read what will be destroyed")
    if compared.count():
        compared.check()
    page.get_by_role("button", name=button).click()
    expect(page.get_by_text("Your signature is accepted.")).to_be_visible()


def keys_and_roster(cast: Cast) -> None:
    for login in ("ann", "ben"):
        make_key(cast[login])
    ines = cast["ines"]
    for _ in range(2):
        ines.goto("/console/roster")
        ines.get_by_role("link", name="Compare and confirm").first.click()
        ines.get_by_label(re.compile("I have compared it with")).check()
        ines.get_by_role("button", name="Confirm the key").click()
        expect(ines.get_by_text("The key is confirmed and in the log.")).to_be_visible()
    ines.get_by_role("link", name="Propose a roster").click()
    ines.get_by_role("button", name="Propose").click()
    expect(ines.get_by_text("Proposed. The members")).to_be_visible()
    for login in ("ann", "ben"):
        cast[login].goto("/console/roster/sign")
        sign_here(cast[login], "Sign the roster")
    expect(cast["ben"].get_by_text("In force: version 1")).to_be_visible()


def host_and_data(cast: Cast) -> ConsoleAgent:
    ines, petra = cast["ines"], cast["petra"]
    ines.goto("/console/hosts")
    ines.get_by_role("link", name="Enrol a host").first.click()
    ines.get_by_role("button", name="Make a one-time token").click()
    token = ines.locator(".secret code").inner_text()
    agent = ConsoleAgent(cast.console.world.context, "crm-db-01", [DISK])
    agent.enrol(token)
    ines.goto("/console/")
    ines.get_by_role("link", name="Compare fingerprints").click()
    ines.get_by_label("Fingerprint from the host").fill(agent.signer.key_id)
    ines.get_by_role("button", name="They are the same: confirm").click()
    expect(ines.get_by_text("The fingerprint is confirmed.")).to_be_visible()

    petra.goto("/console/data/new")
    petra.get_by_label("Name", exact=True).fill("CRM production")
    petra.get_by_label(re.compile("Moderate")).check()
    petra.get_by_label("Owner").fill("Sales systems")
    petra.get_by_role("button", name="Add data set").click()
    petra.get_by_role("link", name="Declare a path").first.click()
    petra.get_by_label("Host").select_option(label="crm-db-01")
    petra.get_by_label("Path").fill("/srv/crm")
    petra.get_by_role("button", name="Declare path").click()
    expect(petra.get_by_text("Waits for the agent").last).to_be_visible()
    agent.beat()
    agent.observe(("CRM production", "/srv/crm", (DISK,), ()))
    petra.reload()
    expect(petra.get_by_role("link", name=re.compile("ZC1A9F3T")).first).to_be_visible()

    petra.goto("/console/cases/new")
    petra.get_by_label("Reference").fill("CUST-88213")
    petra.get_by_label(re.compile("CRM production")).check()
    petra.get_by_label("Withdrew on").fill("2026-11-20")
    petra.get_by_role("button", name="Open the case").click()
    expect(petra.get_by_text("0 of 2 closed")).to_be_visible()
    return agent


def retire_and_order(cast: Cast) -> str:
    """The order's number."""
    omar, carla = cast["omar"], cast["carla"]
    omar.goto("/console/")
    omar.get_by_label("Search everything").fill("ZC1A9F3T")
    omar.keyboard.press("Enter")
    omar.get_by_role("link", name=re.compile("D-0+1|ST4000")).first.click()
    omar.get_by_role("link", name="Adopt").click()
    omar.get_by_label("Asset tag").fill("AT-004711")
    omar.get_by_role("button", name="Adopt").click()
    omar.get_by_role("link", name="Retire").click()
    omar.get_by_label("Reason").fill("End of lease.")
    omar.get_by_role("button", name="Retire").click()
    expect(omar.locator("h1 + .chip")).to_have_text("Retired")

    cast.may_see("carla", 409)
    carla.goto(omar.url.split("?")[0])
    carla.get_by_role("link", name="Release").click()
    carla.get_by_label("Where it goes, in words").fill("Recycler")
    carla.get_by_role("button", name="Ask the gate").click()
    expect(carla.get_by_text("The gate is closed")).to_be_visible()
    carla.get_by_label("Reason").fill("Try it all the same.")
    carla.get_by_role("button", name="Try to release").click()
    expect(carla.get_by_text("The gate is closed")).to_be_visible()
    expect(carla.get_by_label("Reason")).to_have_value("Try it all the same.")

    omar.get_by_role("link", name="Order sanitization").click()
    omar.get_by_label("Reason").fill("Reuse in the pool.")
    omar.get_by_role("button", name="Seal and request approval").click()
    expect(omar.get_by_text("The order is sealed")).to_be_visible()
    return omar.locator("h1").inner_text()


def run_and_watch(cast: Cast, agent: ConsoleAgent, order: str) -> None:
    omar = cast["omar"]  # stands on the order's page since he sealed it; it moves by itself
    expect(omar.locator("h1")).to_have_text(order)
    expect(omar.locator("h1 + .chip")).to_have_text("Approved")
    lease = agent.take()
    agent.begin(lease)
    agent.progress(lease, "executing", 0.4)
    expect(omar.locator("#run").get_by_text("213 MB/s")).to_be_visible()
    expect(omar.locator("[data-live-state=run]")).to_have_text("Live now")
    first = omar.locator("#run progress").get_attribute("value")
    agent.progress(lease, "executing", 0.8)
    expect(omar.locator("#run progress")).not_to_have_attribute("value", first or "")
    agent.progress(lease, "verifying", 0.9)
    agent.progress(lease, "succeeded", 1.0)
    agent.hand_over(lease, agent.record(lease))
    expect(omar.locator("h1 + .chip")).to_have_text("Waiting for validation")
    expect(omar.get_by_text("Sanitized by clear")).to_be_visible()


def decide_and_certify(cast: Cast, order: str, folder: Path) -> None:
    vera = cast["vera"]
    vera.goto("/console/")
    vera.get_by_role("link", name="Read and decide").click()
    vera.get_by_label(re.compile("^Approve")).check()
    vera.get_by_label("Reason").fill("Every block read back, the same medium afterwards.")
    vera.get_by_role("button", name="Sign the decision").click()
    expect(vera.locator("h1 + .chip")).to_have_text("Validated")
    vera.get_by_label(re.compile("Where the medium goes")).fill("Pool of spare disks")
    vera.get_by_role("button", name="Issue the certificate").click()
    expect(vera.get_by_text("The certificate is signed, logged and sealed.")).to_be_visible()
    assert order in vera.locator("main").inner_text()
    pin = vera.locator("pre").inner_text().split("--pin ")[1].split()[0]
    for name, file in (("Certificate (PDF)", "certificate.pdf"), ("Bundle (JSON)", "bundle.json")):
        with vera.expect_download() as download:
            vera.get_by_role("link", name=name).click()
        download.value.save_as(folder / file)
        verified = subprocess.run(
            [sys.executable, "-c", "from reports.cli import main; main()", str(folder / file), "--pin", pin],
            check=False, capture_output=True, text=True,
        )  # fmt: skip
        assert verified.returncode == 0, verified.stdout + verified.stderr


def release_and_state(cast: Cast, folder: Path) -> None:
    carla, petra = cast["carla"], cast["petra"]
    petra.goto("/console/places")
    petra.get_by_role("link", name="Add a party").click()
    petra.get_by_label("Name", exact=True).fill("Test laboratory")
    petra.get_by_label(re.compile("^Own")).check()
    petra.get_by_role("button", name="Add").click()
    expect(petra.get_by_text("The party is saved.")).to_be_visible()
    carla.goto("/console/devices?state=sanitized")
    carla.get_by_role("link", name="AT-004711").click()
    carla.get_by_role("link", name="Release", exact=True).click()
    carla.get_by_label("Where it goes, in words").fill("A buyer we do not know")
    carla.get_by_role("button", name="Ask the gate").click()
    expect(
        carla.get_by_text("The gate is closed")
    ).to_be_visible()  # moderate data, leaving us: overwriting reaches clear only
    carla.get_by_label("Where it goes, in words").fill("The test laboratory")
    carla.get_by_label("Who receives it").select_option(label="Test laboratory")
    carla.get_by_role("button", name="Ask the gate").click()
    expect(carla.get_by_text("The gate is open")).to_be_visible()
    carla.get_by_label("Reason").fill("Reuse under our own control.")
    carla.get_by_role("button", name="Release for good").click()
    expect(carla.locator("h1 + .chip")).to_have_text("Released")

    petra.goto("/console/cases")
    petra.get_by_role("link", name="CUST-88213").click()
    expect(petra.get_by_text("2 of 2 closed")).to_be_visible()
    petra.get_by_role("button", name=re.compile("Issue the statement")).click()
    expect(petra.get_by_text("The statement is signed and logged.")).to_be_visible()
    with petra.expect_download() as download:
        petra.get_by_role("link", name="PDF").click()
    download.value.save_as(folder / "statement.pdf")
    assert (folder / "statement.pdf").read_bytes().startswith(b"%PDF-")


def test_the_main_job_is_done_in_the_browser_from_the_first_key_to_the_statement(
    empty: Console, tmp_path: Path
) -> None:
    empty.world.invite_everybody(with_keys=False)
    with ExitStack() as stack:
        cast = Cast(empty, stack)
        keys_and_roster(cast)
        agent = host_and_data(cast)
        order = retire_and_order(cast)
        for login in ("ann", "ben"):
            cast[login].goto("/console/")
            cast[login].get_by_role("link", name="Read and sign").click()
            sign_here(cast[login], "Sign and approve")
        run_and_watch(cast, agent, order)
        decide_and_certify(cast, order, tmp_path)
        release_and_state(cast, tmp_path)
        assert cast.complaints == []


def test_the_first_administrator_comes_in_through_the_one_time_link_and_only_once(empty: Console) -> None:
    link = setup.first_administrator_link(empty.world.context)
    assert link is not None
    with empty.someone(None) as (page, complaints):
        complaints.expected.add(422)
        page.goto(empty.base + link.path)
        page.get_by_label("New password").fill(PASSWORD)
        page.get_by_label("The same once more").fill("something else entirely")
        page.get_by_role("button", name="Set password and go in").click()
        expect(page.get_by_text("The two passwords are not the same.").first).to_be_visible()
        page.get_by_label("New password").fill(PASSWORD)
        page.get_by_label("The same once more").fill(PASSWORD)
        page.get_by_role("button", name="Set password and go in").click()
        expect(page.get_by_role("heading", name="Home")).to_be_visible()
        expect(page.get_by_text("From nothing to the first registered disk")).to_be_visible()
        complaints.expected.add(401)
        page.goto(empty.base + link.path)
        expect(page.get_by_text("This link lets nobody in")).to_be_visible()
        assert complaints.found == []
