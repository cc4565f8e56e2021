"""Each role's day, from the door to the evening, with everything that days bring; auditor and viewer only look."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, expect

from inventory.models import WebSession
from inventory.services import holds as hold_service
from inventory.services import people, queries
from inventory.services.queries.orders import OrderFilter
from tests.support.capabilities import requires_browser
from tests.support.console_story import request_order
from tests.support.days import Company, Day, day, served_company

pytestmark = [pytest.mark.browser, requires_browser, pytest.mark.xdist_group("role-days")]


@pytest.fixture(scope="module")
def company(browser: Browser) -> Iterator[Company]:
    with served_company(browser) as made:
        yield made


def orders_of(company: Company, device: str) -> list[str]:
    world = company.story.world
    return [
        order.id for order in queries.list_orders(world.context, world.actor("vic"), OrderFilter(device=device)).items
    ]


def state_of(company: Company, order: str) -> str:
    world = company.story.world
    return str(queries.order(world.context, world.actor("vic"), order).state)


def test_a_viewers_day_on_a_telephone(company: Company) -> None:
    """Looks everything up, watches the wipe room while the service goes away and comes back, and changes nothing."""
    with day(company, "vic", width=390) as vic:
        page = vic.page
        vic.at("Home")
        page.get_by_role("button", name="Menu").click()
        page.get_by_role("navigation", name="Main").get_by_role("link", name="Devices", exact=True).click()
        vic.at("Devices")
        page.keyboard.press("/")
        page.keyboard.type("ZC1A9F3T")
        page.keyboard.press("Enter")
        vic.at(re.compile("AT-004712"))  # one hit alone is opened at once
        assert page.locator("main form[method=post]").count() == 0
        vic.complaints.expected.add(403)
        vic.go("/devices/declare", re.compile("."))
        vic.told("your role")
        vic.go(f"/wall?host={company.story.world.agents[0].host}", re.compile("."))
        state = page.locator("[data-live-state=wall]")
        expect(state).to_have_text("Live now")
        before = list(vic.complaints.found)
        company.close()
        expect(state).to_have_text("Connection lost. Trying again")
        company.open()
        expect(state).to_have_text("Live now")
        lost = vic.complaints.found[len(before) :]
        assert all("ERR_" in text for text in lost), lost
        vic.complaints.found[:] = before


def test_an_operators_day(company: Company) -> None:
    """Orders, is signed out over it, orders once, watches a run, stops it by keyboard, and reveals a password."""
    device = company.story.device("backup")
    with day(company, "omar") as omar:
        page = omar.page
        omar.at("Home")
        omar.turn_to("Devices", "Devices")
        omar.go(f"/devices/{device}", re.compile("AT-"))
        omar.follow("Order sanitization", "Order sanitization")
        omar.write("Reason", "It goes back into the pool of spare disks.")
        omar.write("Where it goes", "Shelf 4")
        company.end_sessions("omar")
        omar.press("Seal and request approval")
        omar.told("what you wrote is kept")
        omar.sign_in_again()
        omar.at("Order sanitization")
        omar.told("Nothing was done: your session had ended")
        assert orders_of(company, device) == []
        expect(page.get_by_label("Reason")).to_have_value("It goes back into the pool of spare disks.")
        expect(page.get_by_label("Where it goes")).to_have_value("Shelf 4")
        omar.press("Seal and request approval", twice=True)
        omar.told("The order is sealed")
        (order,) = orders_of(company, device)
        omar.at(order)
        page.go_back()
        omar.complaints.expected.update({409, 422})
        omar.write("Reason", "Once more, by mistake.")
        omar.press("Seal and request approval")
        expect(page.get_by_role("alert").first).to_be_visible()
        expect(page.get_by_label("Reason")).to_have_value("Once more, by mistake.")
        assert orders_of(company, device) == [order]

        running = company.story.numbers["running"]
        omar.turn_to("Orders", "Orders")
        omar.go(f"/orders/{running}", running)
        expect(page.locator("[data-live-state=run]")).to_have_text("Live now")
        omar.follow("Stop", f"Stop {running}", exact=True)
        omar.tab_to("Reason")
        page.keyboard.type("The rack is needed at once.")
        omar.tab_to("Ask the agent to stop")
        page.keyboard.press("Enter")
        omar.told("The agent is asked to stop.")

        omar.go(f"/devices/{company.story.device('spare')}", re.compile("57H3K0DPF7CA|Toshiba|D-"))
        omar.follow("Reveal", "Reveal the drive's password")
        omar.write("Reason", "The drive is locked on the bench.")
        omar.press("Reveal it")
        omar.at("The drive's password")
        omar.follow("Done", re.compile("57H3K0DPF7CA|Toshiba|D-"))


def key_file(company: Company, folder: Path, login: str) -> Path:
    signer = company.story.world.people[login].signer
    assert signer is not None
    path = folder / "approver.pem"
    signer.save(path)
    return path


def sign(who: Day, key: Path, button: str, *, twice: bool = False) -> None:
    """With a key file, as an approver without a passkey does."""
    who.page.locator("form[data-sign][data-ready]").wait_for()
    compared = who.page.get_by_label("I have read what will be destroyed")
    if compared.count():
        compared.check()
    who.page.get_by_label("A key file").check()
    who.page.locator("[data-key-file]").set_input_files(key)
    who.press(button, twice=twice)


def test_an_approvers_day(company: Company, tmp_path: Path) -> None:
    """Is signed out before the signature, signs twice by impatience and once in effect, goes back, and signs the next roster."""
    key, order = key_file(company, tmp_path, "ben"), company.story.numbers["requested"]
    with day(company, "ben") as ben:
        page = ben.page
        ben.at("Home")
        ben.turn_to("To approve", "To approve")
        ben.follow(re.compile(f"Read and sign.*{order}"), f"Approve {order}")
        company.end_sessions("ben")
        sign(ben, key, "Sign and approve")
        ben.sign_in_again()
        ben.at(f"Approve {order}")
        ben.told("Nothing was done: your session had ended")
        expect(page.get_by_label("I have read what will be destroyed")).not_to_be_checked()
        assert state_of(company, order) == "requested"
        sign(ben, key, "Sign and approve", twice=True)
        ben.told("Your signature is accepted.")
        assert state_of(company, order) == "approved"
        ben.complaints.expected.update({409, 412})
        page.go_back()
        expect(page.locator("h1")).to_be_visible()
        page.reload()
        expect(page.locator("form[data-sign]")).to_have_count(0)
        ben.turn_to("Roster and keys", "Roster and keys")
        ben.follow("Sign the proposal", re.compile("Sign"))
        sign(ben, key, "Sign the roster")
        ben.told("Your signature is accepted.")


def test_an_approver_who_reads_while_an_operator_cancels_is_told_and_has_signed_nothing(
    company: Company, tmp_path: Path
) -> None:
    key, device = key_file(company, tmp_path, "ben"), company.story.device("backup")
    found = orders_of(company, device)
    order = found[0] if found else request_order(company.story.world, device, "Goes back to the pool.", pattern="zeros")
    with day(company, "ben", axe=False) as ben, day(company, "otto") as otto:
        ben.go(f"/orders/{order}/approve", f"Approve {order}")
        otto.go(f"/orders/{order}", order)
        otto.follow("Cancel", f"Cancel {order}", exact=True)
        otto.write("Reason", "Ordered by mistake.")
        otto.press("Cancel the order", twice=True)
        otto.told("The order is cancelled.")
        ben.complaints.expected.update({409, 412})
        sign(ben, key, "Sign and approve")
        ben.told("cancelled")
    assert state_of(company, order) == "cancelled"


def test_a_validators_day(company: Company) -> None:
    """Decides by keyboard once her session has ended and come back; the second validator, late, is told; a certificate."""
    order = company.story.numbers["recorded"]
    why = "Every block was read back; the same medium answered afterwards."
    with day(company, "vera") as vera, day(company, "vito", axe=False) as vito:
        page = vera.page
        vera.at("Home")
        vera.turn_to("To validate", "To validate")
        vito.go(f"/orders/{order}/validate", f"Validate {order}")
        vera.go(f"/orders/{order}/validate", f"Validate {order}")
        vera.tab_to("Approve")
        page.keyboard.press("Space")
        vera.tab_to("Reason")
        page.keyboard.type(why)
        company.end_sessions("vera")
        vera.tab_to("Sign the decision")
        page.keyboard.press("Enter")
        vera.sign_in_again()
        vera.at(f"Validate {order}")
        expect(page.get_by_label("Reason")).to_have_value(why)
        expect(page.get_by_label(re.compile("^Approve"))).to_be_checked()
        assert state_of(company, order) == "recorded"
        vera.press("Sign the decision", twice=True)
        vera.told("Your decision is signed and logged.")
        vera.at(order)
        vito.complaints.expected.update({409, 412})
        vito.page.get_by_label(re.compile("^Reject")).check()
        vito.write("Reason", "I doubt it.")
        vito.press("Sign the decision")
        expect(vito.page.get_by_role("alert").first).to_be_visible()
        expect(vito.page.get_by_label("Reason")).to_have_value("I doubt it.")
        assert state_of(company, order) == "validated"
        vera.write(re.compile("Where the medium goes"), "Pool of spare disks")
        vera.press("Issue the certificate")
        vera.told("The certificate is signed, logged and sealed.")
        vera.at(re.compile("^C-|CERT|[A-Z]+-"))
        with page.expect_download() as download:
            page.get_by_role("link", name="Bundle (JSON)").click()
        assert download.value.suggested_filename.endswith(".json")
        vera.follow("What else waits for a decision", "To validate")
        vera.turn_to("Samples", "Samples")
        vera.go(f"/samples/{company.story.numbers['sample']}", re.compile("."))


def test_a_privacy_officers_day(company: Company) -> None:
    """Works off her queue, moves a due date although her session ends, places one hold by two clicks, and lifts it."""
    world = company.story.world
    with day(company, "petra") as petra:
        page = petra.page
        petra.at("Home")
        petra.turn_to("For privacy", "For the privacy officer")
        petra.turn_to("Erasure cases", "Erasure cases")
        petra.follow("CUST-88213", "CUST-88213")
        petra.follow("Move the due date", re.compile("Move the due date"))
        petra.write("Due", (world.clock.now() + timedelta(days=40)).date().isoformat())
        petra.write("Reason", "The customer agreed to wait for the new array.")
        company.end_sessions("petra")
        petra.press("Move the due date")
        petra.sign_in_again()
        petra.at(re.compile("Move the due date"))
        expect(page.get_by_label("Reason")).to_have_value("The customer agreed to wait for the new array.")
        petra.press("Move the due date", twice=True)
        petra.told("The due date is moved.")

        petra.turn_to("Holds", "Holds")
        petra.follow("Place a hold", "Place a hold")
        page.get_by_role("main").get_by_label("Legal", exact=False).first.check()
        petra.write("File number", "LIT-2026-071")
        page.get_by_label("Data set, on every medium").select_option(label="CRM nightly backups")
        petra.write("Reason", "The regulator has asked.")
        page.context.set_offline(True)
        petra.press("Place the hold")
        petra.told("You are offline: nothing was sent.")
        page.context.set_offline(False)
        petra.press("Place the hold", twice=True)
        petra.told("The hold is in force.")
        placed = [
            hold
            for hold in hold_service.list_holds(world.context, world.actor("vic"))
            if hold.reference == "LIT-2026-071"
        ]
        assert len(placed) == 1
        petra.go(f"/holds/{placed[0].id}/lift", re.compile("LIT-2026-071"))
        petra.write("Reason", "Answered.")
        petra.press("Lift the hold")
        petra.told("The hold is lifted.")

        petra.turn_to("Data sets", "Data sets")
        petra.follow("CRM production", "CRM production")
        petra.turn_to("Exposure", re.compile("."))
        petra.go(f"/devices/{company.story.numbers['missing']}/incident", re.compile("."))


def test_a_custodians_day(company: Company) -> None:
    """Counts what arrives without having seen the sender's count, is cut off over it, asks the gate, scans."""
    handover = company.story.numbers["handover"]
    with day(company, "cora") as cora:
        page = cora.page
        cora.at("Home")
        cora.turn_to("For the custodian", "For the custodian")
        cora.follow(re.compile(f"Count and answer.*{handover}"), f"Answer {handover}")
        cora.write("Devices you counted", "1")
        cora.write("Seals you found", "GL-20817\nGL-20818")
        page.context.set_offline(True)
        cora.press("Answer")
        cora.told("You are offline: nothing was sent.")
        page.context.set_offline(False)
        company.end_sessions("cora")
        cora.press("Answer")
        cora.sign_in_again()
        cora.at(f"Answer {handover}")
        expect(page.get_by_label("Seals you found")).to_have_value("GL-20817\nGL-20818")
        cora.press("Answer", twice=True)
        cora.told("Both counts agree")
        cora.at(f"Hand-over {handover}")
        cora.follow("What else waits for you", "For the custodian")

        cora.go(f"/devices/{company.story.device('flash')}/release", re.compile("Release"))
        cora.write("Where it goes, in words", "A buyer")
        cora.press("Ask the gate")
        cora.told("The gate is closed")
        cora.turn_to("Containers", "Containers")
        cora.turn_to("Scan", re.compile("Scan"))
        cora.turn_to("Lots", "Lots")


def test_of_two_custodians_at_one_waiver_one_countersigns_and_the_other_is_told(company: Company) -> None:
    waiver, backup = company.story.numbers["waiver"], company.story.device("backup")
    with day(company, "cora") as cora, day(company, "carla", axe=False) as carla:
        for one in (cora, carla):
            one.go(f"/devices/{backup}/waiver/{waiver}", re.compile("Waiver for"))
            one.page.get_by_label("Custodian", exact=True).check()
            one.page.get_by_label(re.compile("It leaves unsanitized")).check()
        carla.press("Countersign", twice=True)
        carla.told("The waiver is countersigned.")
        cora.complaints.expected.update({409, 412, 422})
        cora.press("Countersign")
        expect(cora.page.get_by_role("main")).to_contain_text(re.compile("countersigned", re.IGNORECASE))


def test_an_auditors_day(company: Company, tmp_path: Path) -> None:
    """Goes from a device to the proof in the log, asks for a pack by keyboard, fetches it, and finds nothing to press."""
    with day(company, "aud") as aud:
        page = aud.page
        aud.at("Home")
        aud.go(f"/devices/{company.story.device('old')}", re.compile("AT-"))
        page.get_by_role("list", name="Its life so far").get_by_role("link", name="Validated").click()
        aud.at(re.compile("."))
        aud.turn_to("Log", re.compile("Log|log"))
        aud.go("/log/3", re.compile("3"))
        aud.turn_to("Events", re.compile("Events"))
        aud.turn_to("Certificates", "Certificates")
        for path in (
            f"/devices/{company.story.device('old')}",
            f"/orders/{company.story.numbers['validated']}",
            "/log",
        ):
            page.goto(f"/console{path}")
            assert page.locator("main form[method=post]").count() == 0, path
        aud.turn_to("Audit packs", "Audit packs")
        aud.follow("Ask for a pack", "Ask for an audit pack")
        aud.tab_to("Which one")
        page.keyboard.type(company.story.numbers["case"])
        company.end_sessions("aud")
        aud.press("Ask for the pack")
        aud.sign_in_again()
        expect(page.get_by_label("Which one")).to_have_value(company.story.numbers["case"])
        aud.press("Ask for the pack", twice=True)
        aud.at(re.compile("."))
        with page.expect_download() as download:
            page.get_by_role("main").get_by_role("link", name=re.compile("ZIP|Fetch")).first.click()
        download.value.save_as(tmp_path / "pack.zip")
        assert (tmp_path / "pack.zip").read_bytes().startswith(b"PK")


def test_an_administrators_day(company: Company) -> None:
    """Shows again who she is over a new person, whom two clicks make once, and looks after what is hers."""
    with day(company, "ines") as ines:
        page = ines.page
        ines.at("Home")
        ines.turn_to("People", "People")
        ines.follow("Add a person", "Add a person")
        ines.write("Login name", "noor")
        ines.write(re.compile("^Name$"), "Noor El Sayed")
        page.get_by_label(re.compile("^Viewer")).check()
        long_ago(company, "ines")
        ines.press("Add")
        ines.at("Show again who you are")
        ines.write("Password", "correct horse battery staple")
        ines.press("It is me")
        ines.at("Add a person")
        expect(page.get_by_label("Login name")).to_have_value("noor")
        expect(page.get_by_label(re.compile("^Viewer"))).to_be_checked()
        assert "noor" not in logins(company)
        ines.press("Add", twice=True)
        expect(page.get_by_text("/welcome/").first).to_be_visible()
        assert logins(company).count("noor") == 1

        ines.turn_to("Policy", "Policy")
        ines.turn_to("Webhooks", "Webhooks")
        ines.turn_to("Sites and teams", "Sites and teams")


def test_of_two_administrators_at_one_host_the_second_is_told(company: Company) -> None:
    """A wrong fingerprint confirms nothing; the right one once; the host is halted, and let go by keyboard."""
    world = company.story.world
    pending = world.agents[-1]
    with day(company, "ines") as ines, day(company, "ida", axe=False) as ida:
        page = ines.page
        ines.turn_to("Hosts", "Hosts")
        ida.go(f"/hosts/{pending.host}/confirm", "Compare fingerprints")
        ines.go(f"/hosts/{pending.host}/confirm", "Compare fingerprints")
        ines.complaints.expected.update({409, 422})
        ines.write("Fingerprint from the host", "ab" * 32)
        ines.press("They are the same: confirm")
        expect(page.get_by_role("alert").first).to_be_visible()
        ines.write("Fingerprint from the host", pending.signer.key_id)
        ines.press("They are the same: confirm")
        ines.told("The fingerprint is confirmed.")
        ida.complaints.expected.update({409, 412, 422})
        ida.write("Fingerprint from the host", pending.signer.key_id)
        ida.press("They are the same: confirm")
        ida.told("confirmed")

        ines.follow("Halt all work", re.compile("Halt all work"))
        ines.write("Reason", "Smoke in the room.")
        ines.press("Halt all work", twice=True)
        ines.told("Halted.")
        ines.follow("Lift the halt", re.compile("Lift the halt"))
        ines.tab_to("Reason")
        page.keyboard.type("It was the toaster.")
        ines.tab_to("Lift the halt")
        page.keyboard.press("Enter")
        ines.told("The halt is lifted.")
        assert queries.host(world.context, world.actor("ines"), pending.host).halt is None


def logins(company: Company) -> list[str]:
    world = company.story.world
    return [person.login for person in people.list_people(world.context, world.actor("ines"))]


def long_ago(company: Company, login: str) -> None:
    """It is half an hour since they last showed who they are."""
    world = company.story.world
    with world.context.writing() as session:
        moment = world.clock.now().replace(year=2020)
        session.execute(
            sa.update(WebSession).where(WebSession.person == world.people[login].ref).values(confirmed=moment)
        )
