"""Passkeys in a real Chromium with a virtual authenticator: through a link, at the door, again, and under roster and order."""

from __future__ import annotations

import base64
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from inventory.domain.signin import STEP_SECONDS, one_time_code
from inventory.domain.vocabulary import Category, HoldingKind
from inventory.services import approvers, data, devices, people, queries, roster
from inventory.services.devices import ChangeState
from inventory.services.queries import evidence
from reports.canonical import from_base64
from reports.passkeys import PasskeyKey, counter_of, load_approver_key
from tests.support.browser import Complaints, Console, accessibility, overflow
from tests.support.capabilities import requires_browser
from tests.support.console_agent import Disk
from tests.support.console_story import request_order
from tests.support.console_world import ConsoleWorld, LateApplication, serving

pytestmark = [pytest.mark.browser, requires_browser]

_DEVICES = re.compile(r"[0-9]/console/devices$")
_LONG = timedelta(minutes=20)
DISK = Disk("Seagate", "ST4000NM0035", "ZC1A9F3T", 4_000_787_030_016, path="/dev/sdb", slot="bay 3")


@pytest.fixture(scope="module")
def console(browser: Browser) -> Iterator[Console]:
    """The console under a name: browsers make no passkeys for bare addresses."""
    late = LateApplication()
    with tempfile.TemporaryDirectory(prefix="sanitrail-passkeys-") as folder, serving(late) as base:
        named = base.replace("127.0.0.1", "localhost")
        world = ConsoleWorld(Path(folder), named, history=False)
        late.app = world.application()
        world.invite_everybody(with_keys=False)
        try:
            yield Console(world, named, browser)
        finally:
            world.close()


@contextmanager
def profile(console: Console) -> Iterator[tuple[Page, Complaints]]:
    """Somebody's browser with an authenticator of its own, which always has its user's finger."""
    with console.someone(None) as (page, complaints):
        page.emulate_media(reduced_motion="reduce")  # no button is half way between two colours
        authenticator = page.context.new_cdp_session(page)
        authenticator.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
            "isUserVerified": True, "automaticPresenceSimulation": True,
        }  # fmt: skip
        authenticator.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        yield page, complaints


def _press(page: Page, name: str) -> None:
    page.locator("form[data-passkey][data-ready]").first.wait_for()
    page.get_by_role("button", name=name).click()


def test_a_link_a_passkey_and_no_password_ever(console: Console) -> None:
    command = people.CreatePerson(
        login="paula",
        name="Paula Brandt",
        title="",
        contact="",
        roles=console.world.actor("ines").roles,
        everywhere=True,
    )
    view, link = people.create_person(console.world.context, console.world.actor("ines"), command)
    with profile(console) as (page, complaints):
        page.goto(link.path)
        assert not accessibility(page)
        _press(page, "Make a passkey and go in")
        page.wait_for_url(re.compile("/console/$"))
        page.goto("/console/account")
        expect(page.get_by_text("First passkey")).to_be_visible()
        page.get_by_label("Which device holds it").fill("A second one")
        _press(page, "Make a passkey")
        expect(page.get_by_text("This authenticator holds a passkey of yours already.")).to_be_visible()
        page.context.clear_cookies()
        page.goto("/console/sign-in?next=/console/devices")
        page.locator("form[data-passkey][data-ready]").wait_for()
        assert not accessibility(page)
        _press(page, "Sign in with a passkey")
        page.wait_for_url(_DEVICES)
        console.world.clock.offset += _LONG
        try:  # a browser left open: nothing dangerous goes on, and the way back leads to where one was
            page.goto("/console/people/new")
            page.wait_for_url(re.compile(r"/console/confirm\?next="))
            assert not accessibility(page)
            assert not overflow(page)
            _press(page, "Show a passkey")
            page.wait_for_url(re.compile(r"[0-9]/console/people/new$"))
        finally:
            console.world.clock.offset -= _LONG
        assert not complaints.found
    assert people.person(console.world.context, console.world.actor("ines"), view.ref).has_password is False


def test_a_password_and_a_telephone(console: Console) -> None:
    with console.someone("vic") as (page, complaints):
        page.goto("/console/account/authenticator")
        page.get_by_role("button", name="Begin").click()
        secret = page.locator("code").first.inner_text()
        assert not accessibility(page)
        code = _code(secret)
        page.get_by_label("Code").fill(code)
        page.get_by_role("button", name="It counts from now on").click()
        recovery = page.locator(".secret code").all_inner_texts()
        assert len(recovery) == 10
        assert not accessibility(page)
        page.context.clear_cookies()
        console.sign_in(page, "vic")
        page.wait_for_url(re.compile("/console/second-factor"))
        assert not accessibility(page)
        complaints.expected.add(401)
        page.get_by_label("Code").fill(code)
        page.get_by_role("button", name="Go in").click()
        expect(page.get_by_text("The code is wrong, too old, or was used before.")).to_be_visible()
        page.goto("/console/devices")
        page.wait_for_url(re.compile(r"/console/second-factor\?next="))
        page.get_by_label("Code").fill(recovery[0])
        page.get_by_role("button", name="Go in").click()
        page.wait_for_url(_DEVICES)
        assert not complaints.found


def test_roster_and_order_are_signed_by_passkey_and_the_evidence_says_so(console: Console) -> None:
    world = console.world
    with profile(console) as (ann, first), profile(console) as (ben, second):
        for login, page in (("ann", ann), ("ben", ben)):
            console.sign_in(page, login)
            page.goto("/console/keys")
            page.locator("form[data-passkey][data-ready]").wait_for()
            assert not accessibility(page)
            _press(page, "Make and register a passkey")
            expect(page.get_by_text("Your key is registered.")).to_be_visible()
        keys = approvers.list_keys(world.context, world.actor("ines"))
        assert {key.passkey.origins for key in keys if key.passkey} == {(console.base,)}
        for key in keys:
            approvers.confirm_key(world.context, world.actor("ines"), key.key_id)
        command = roster.ProposeRoster(key_ids=tuple(key.key_id for key in keys), quorum=2, minimum_approvals=2)
        roster.propose(world.context, world.actor("ines"), command)
        for page in (ann, ben):
            page.goto("/console/roster/sign")
            _sign(page, "Sign the roster")
        agent = world.enrol("crm-db-01", [DISK])
        number = agent.observe()[DISK.facts.fingerprint]
        petra = world.actor("petra")
        owned = data.CreateDataSet(name="CRM", category=Category.LOW, owner="Sales")
        crm = data.create_data_set(world.context, petra, owned)
        now = world.clock.now()
        known = data.DeclareHolding(device=number, data_set=crm.id, kind=HoldingKind.PRIMARY, since=now - _LONG)
        data.declare_holding(world.context, petra, known)
        retirement = ChangeState(device=number, reason="Shelf stock.")
        devices.retire(world.context, world.actor("omar"), retirement)
        order = request_order(world, number, "Shelf stock.", pattern="zeros")
        for page in (ann, ben):
            page.goto(f"/console/orders/{order}/approve")
            _sign(page, "Sign and approve")
        # Chromium would rather have us take RSA as well; nobody who checks an approval could check that.
        assert not [said for said in (*first.found, *second.found) if "pubKeyCredParams" not in said]
    found = queries.order(world.context, world.actor("vera"), order)
    assert str(found.state) == "approved"
    for approval in found.approvals:
        with world.context.reading() as session:
            envelope = evidence.envelope(session, approval.sha256)
        (signature,) = envelope["signatures"]
        key = next(one for one in keys if one.key_id == signature["keyid"])
        loaded = load_approver_key(from_base64(key.public_key))
        assert isinstance(loaded, PasskeyKey)
        assert counter_of(from_base64(signature["sig"])) >= 1


def _sign(page: Page, button: str) -> None:
    page.locator("form[data-sign][data-ready]").wait_for()
    expect(page.get_by_label("Your passkey")).to_be_checked()
    compared = page.get_by_label("I have read what will be destroyed")
    if compared.count():
        compared.check()
    assert not accessibility(page)
    page.get_by_role("button", name=button).click()
    expect(page.get_by_text("Your signature is accepted.")).to_be_visible()


def _code(secret: str) -> str:
    return one_time_code(base64.b32decode(secret), int(time.time()) // STEP_SECONDS)
