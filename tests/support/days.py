"""A person's day in the browser: the real service as a process of its own, every page they come to looked at by axe."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, expect

from inventory.domain.roles import Role
from inventory.domain.scopes import EVERYTHING
from inventory.services import people, sessions
from inventory.services.context import Actor
from tests.support.browser import Complaints, Console, accessibility, overflow
from tests.support.console_story import Story, tell
from tests.support.console_world import ORGANISATION, PASSWORD, ConsoleWorld, Someone
from tests.support.live_service import Service, free_port, serving

SECOND: dict[str, tuple[str, Role]] = {
    "otto": ("Otto Brandt", Role.OPERATOR),
    "vito": ("Vito Marchetti", Role.VALIDATOR),
    "cora": ("Cora Whitfield", Role.CUSTODIAN),
    "pia": ("Pia Lindholm", Role.PRIVACY_OFFICER),
    "ida": ("Ida Rousseau", Role.ADMINISTRATOR),
}
"""Who works beside whom: login -> name and role."""
_NUMBER = re.compile(r"\b[A-Z]{1,3}-[A-Za-z0-9-]+\b|[0-9a-f]{64}|\b\d+\b|\bu-[a-z0-9]+\b")


@dataclass
class Company:
    """The told company and the process that serves it, which can go away and come back."""

    console: Console
    story: Story
    port: int
    stack: ExitStack = field(default_factory=ExitStack)
    service: Service | None = None

    def open(self) -> None:
        """The service comes (back)."""
        folder = self.story.world.settings.data_dir
        address = self.story.world.settings.external_url
        self.service = self.stack.enter_context(
            serving(folder, self.port, external_url=address, second_factor="offered")
        )

    def close(self) -> None:
        """The service goes away."""
        self.stack.close()
        self.service = None

    def end_sessions(self, login: str) -> None:
        """An administrator's hand, or time: every session of theirs is over."""
        someone = self.story.world.actor(login)
        for session in sessions.list_sessions(self.story.world.context, someone):
            sessions.end_session(self.story.world.context, someone, session.id)


@dataclass
class Day:
    """One person before one browser."""

    company: Company
    login: str
    page: Page
    complaints: Complaints
    axe: bool = True
    looked: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def at(self, heading: str | re.Pattern[str]) -> None:
        """They see this page: it must be sound, once for each kind of page."""
        expect(self.page.locator("h1")).to_have_text(heading)
        kind = _NUMBER.sub("#", urlsplit(self.page.url).path)
        if kind in self.looked or not self.axe:
            return
        self.looked.add(kind)
        self.faults += [f"{kind}: {fault}" for fault in accessibility(self.page)]
        if overflow(self.page):
            self.faults.append(f"{kind}: wider than its window")

    def go(self, path: str, heading: str | re.Pattern[str]) -> None:
        """They type an address, or come by a bookmark."""
        self.page.goto(f"/console{path}")
        self.at(heading)

    def follow(self, name: str | re.Pattern[str], heading: str | re.Pattern[str], *, exact: bool = False) -> None:
        """They click a link of the page itself."""
        self.page.get_by_role("main").get_by_role("link", name=name, exact=exact).first.click()
        self.at(heading)

    def turn_to(self, name: str, heading: str | re.Pattern[str]) -> None:
        """They use the navigation."""
        link = self.page.get_by_role("navigation", name="Main").get_by_role("link", name=re.compile(f"^{name}"))
        if not link.is_visible():
            group = self.page.locator("details[data-nav]").filter(has=self.page.get_by_text(name, exact=True))
            group.locator("summary").click()
        link.click()
        self.at(heading)

    def write(self, label: str | re.Pattern[str], words: str) -> None:
        """They type into a field of the page."""
        self.page.get_by_role("main").get_by_label(label).first.fill(words)

    def press(self, name: str | re.Pattern[str], *, twice: bool = False) -> None:
        """They press a button: impatient people press it twice."""
        button = self.page.get_by_role("main").get_by_role("button", name=name).first
        if twice:
            button.dblclick()
        else:
            button.click()

    def told(self, words: str) -> None:
        """The page says this."""
        expect(self.page.get_by_role("main").get_by_text(words).first).to_be_visible()

    def sign_in_again(self) -> None:
        """At the door, where the service has sent them."""
        expect(self.page.get_by_label("Login name")).to_be_visible()
        self.page.get_by_label("Login name").fill(self.login)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in", exact=True).click()
        self.page.wait_for_url(lambda address: "sign-in" not in address)

    def tab_to(self, words: str) -> None:
        """Only the Tab key, until the thing with these words has the focus."""
        tab_to(self.page, words)

    def end(self) -> None:
        """The evening: nothing to complain about."""
        assert self.faults == []
        assert self.complaints.found == []


def tab_to(page: Page, words: str) -> None:
    """Press Tab until the thing with these words has the focus, as who has no mouse does."""
    for _ in range(150):
        found = page.evaluate(
            "(() => { const e = document.activeElement; const l = e.labels && e.labels[0];"
            " if (e.matches('body, main')) return '';"
            " return [e.innerText, e.getAttribute('aria-label'), l && l.innerText].join(' '); })()"
        )
        if words in found:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no Tab leads to {words!r}")


@contextmanager
def day(company: Company, login: str, *, width: int = 1440, axe: bool = True) -> Iterator[Day]:
    """Somebody's day, from the door on; what they come to complain about fails it."""
    with company.console.someone(login, width=width) as (page, complaints):
        page.emulate_media(reduced_motion="reduce")  # no button is half way between two colours
        theirs = Day(company, login, page, complaints, axe)
        yield theirs
        theirs.end()


@contextmanager
def served_company(browser: Browser) -> Iterator[Company]:
    """A month of history, a second person for each role, and the service as a process of its own, under a name."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="sanitrail-days-") as folder:
        base = f"http://localhost:{port}"
        world = ConsoleWorld(Path(folder), base)
        story = tell(world)
        for login in SECOND:
            _hire(world, login)
        company = Company(Console(world, base, browser), story, port)
        try:
            company.open()
            yield company
        finally:
            company.close()
            world.close()


def _hire(world: ConsoleWorld, login: str) -> None:
    name, role = SECOND[login]
    command = people.CreatePerson(
        login=login, name=name, title="", contact=ORGANISATION.contact, roles=frozenset({role}), everywhere=True
    )
    view, invitation = people.create_person(world.context, world.actor("ines"), command)
    sessions.use_link(world.context, sessions.UseLink(secret=invitation.secret, password=PASSWORD))
    world.people[login] = Someone(view.ref, login, Actor(view.ref, "person", frozenset({role}), scope=EVERYTHING), None)
