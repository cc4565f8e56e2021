"""The first five minutes of an organisation: from the one-time link to the first registered disk, by what the pages say alone."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from agents.local_rules import EXAMPLE
from inventory.services import hosts, setup
from reports.keys import FileSigner
from tests.support.browser import Console, accessibility, overflow
from tests.support.capabilities import requires_browser
from tests.support.console_agent import ConsoleAgent, Disk
from tests.support.console_world import ConsoleWorld
from tests.support.live_service import ROOT, free_port, serving

pytestmark = [pytest.mark.browser, requires_browser]

DISK = Disk("Seagate", "ST4000NM0035", "ZC1A9F3T", 4_000_787_030_016, path="/dev/sdb", slot="bay 3")
MOST = 12
"""Clicks and fields that five minutes have room for, reading included."""


@pytest.fixture
def console(browser: Browser) -> Iterator[Console]:
    """A service as it is installed, with nobody in it and a second factor demanded."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="sanitrail-first-") as folder:
        base = f"http://localhost:{port}"
        world = ConsoleWorld(Path(folder), base, history=False)
        try:
            with serving(world.settings.data_dir, port, external_url=base):
                yield Console(world, base, browser)
        finally:
            world.close()


@dataclass
class Hand:
    """What somebody does, counted."""

    page: Page
    steps: int = 0

    def click(self, name: str | re.Pattern[str]) -> None:
        target = self.page.get_by_role("main")
        link = target.get_by_role("link", name=name).or_(target.get_by_role("button", name=name))
        link.first.click()
        self.steps += 1

    def type(self, label: str, words: str) -> None:
        self.page.get_by_label(label).fill(words)
        self.steps += 1


def run_on_the_host(command: str, typed: str, folder: Path) -> str:
    """The page's own words, on a host whose files lie in this folder."""
    rules = folder / "rules.toml"
    rules.write_text(EXAMPLE)
    rules.chmod(0o644)
    config = folder / "agent.toml"
    values = {"state_dir": str(folder / "state"), "local_rules": str(rules), "survey": False}
    config.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items()))
    words = shlex.split(command.replace("\\\n", " "))
    assert words[:3] == ["sudo", "sanitrail-agent", "enrol"]
    line = [sys.executable, "-m", "agents", "--config", str(config), *words[2:]]
    done = subprocess.run(line, input=typed, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_guide_leads_from_the_one_time_link_to_the_first_registered_disk(console: Console, tmp_path: Path) -> None:
    world = console.world
    link = setup.first_administrator_link(world.context)
    assert link is not None
    with console.someone(None) as (page, complaints):
        page.emulate_media(reduced_motion="reduce")
        devices = page.context.new_cdp_session(page)
        devices.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
            "isUserVerified": True, "automaticPresenceSimulation": True,
        }  # fmt: skip
        devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        hand = Hand(page)
        page.goto(f"{console.base}{link.path}")
        page.locator("form[data-passkey][data-ready]").first.wait_for()
        hand.click("Make a passkey and go in")
        expect(page.get_by_text("From nothing to the first registered disk")).to_be_visible()
        hand.click("Make a token")
        hand.click("Make a one-time token")
        assert accessibility(page) == []
        assert not overflow(page)
        command = page.locator("main pre").first.inner_text()
        said = run_on_the_host(command, page.locator(".secret code").inner_text() + "\n", tmp_path)
        signer = FileSigner.load(next((tmp_path / "state").rglob("*.pem")))
        printed = re.search(r"Fingerprint\s+(.+)", said)
        assert printed is not None
        hand.click("First steps")
        hand.click("Hosts to confirm")
        hand.click("Compare fingerprints")
        hand.type("Fingerprint from the host", printed[1])
        hand.click("They are the same: confirm")
        expect(page.get_by_text("The fingerprint is confirmed.")).to_be_visible()
        hand.click("Go on with the first steps")
        path = page.get_by_role("list", name="To the first registered disk")
        expect(path.get_by_role("listitem").last).not_to_contain_text("Done")
        agent = ConsoleAgent(world.context, "first", [DISK], signer=signer)
        agent.host = hosts.actor_for_key(world.context, signer.key_id).ref
        agent.beat()
        agent.observe()
        expect(path.get_by_role("listitem").last).to_contain_text("Done")  # by itself: nobody loads the page
        assert accessibility(page) == []
        hand.click("Look at them")
        expect(page.get_by_role("link", name=re.compile("ST4000NM0035|D-0")).first).to_be_visible()
        assert hand.steps <= MOST
        assert [said for said in complaints.found if "pubKeyCredParams" not in said] == []
