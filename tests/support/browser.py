"""The real console in a real browser: the application on loopback, Debian's Chromium, and everything it complains about."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    StorageState,
    expect,
    sync_playwright,
)

from tests.support.console_world import PASSWORD, ConsoleWorld, LateApplication, serving

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--no-first-run"]
AXE = (Path(__file__).parents[1] / "browser" / "vendor" / "axe-core" / "axe.min.js").read_text()
AXE_OPTIONS = json.dumps(
    {
        "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
        "resultTypes": ["violations"],
    }
)


expect.set_options(timeout=20_000)
"""Several browsers and servers may share two cores; nothing waits longer than it must."""


@dataclass
class Complaints:
    """What a page did that no page may do: errors, violations of the policy, requests to elsewhere, and how much it loaded."""

    base: str
    found: list[str] = field(default_factory=list)
    loaded: dict[str, int] = field(default_factory=dict)
    expected: set[int] = field(default_factory=set)
    """Statuses a test provokes: the browser reports each failed load of the page itself as a console error."""

    def watch(self, page: Page) -> None:
        """Listen to everything."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.found.append(f"script: {error}"))
        page.on("request", self._request)
        page.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type not in {"error", "warning"}:
            return
        if any(f"status of {status}" in message.text for status in self.expected):
            return
        self.found.append(f"console: {message.text}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.base, "data:", "blob:")):
            self.found.append(f"elsewhere: {request.url}")

    def _response(self, response: Response) -> None:
        length = response.headers.get("content-length")
        if length is not None:
            self.loaded[urlsplit(response.url).path] = int(length)


@dataclass
class Console:
    """A world that is served, and the browser that looks at it."""

    world: ConsoleWorld
    base: str
    browser: Browser

    @contextmanager
    def someone(
        self,
        login: str | None,
        *,
        theme: str = "light",
        width: int = 1440,
        scripts: bool = True,
        state: StorageState | None = None,
    ) -> Iterator[tuple[Page, Complaints]]:
        """A fresh browser profile, signed in as somebody (None: nobody)."""
        context = self.browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if theme == "dark" else "light",
            java_script_enabled=scripts,
            accept_downloads=True,
            base_url=self.base,
            storage_state=state,
        )
        context.set_default_timeout(20_000)
        complaints = Complaints(self.base)
        page = context.new_page()
        complaints.watch(page)
        try:
            if login is not None:
                self.sign_in(page, self.world.people[login].login)
            yield page, complaints
        finally:
            context.close()

    def sign_in(self, page: Page, login: str) -> None:
        """By the form, as a person does."""
        page.goto(f"{self.base}/console/sign-in")
        page.get_by_label("Login name").fill(login)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_url(lambda address: "/sign-in" not in address)

    def profile(self) -> BrowserContext:
        """An empty browser profile, for whoever keeps keys in it."""
        context = self.browser.new_context(
            viewport={"width": 1440, "height": 900}, accept_downloads=True, base_url=self.base
        )
        context.set_default_timeout(20_000)
        return context


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, headless."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def served_world(*, history: bool = True) -> Iterator[tuple[ConsoleWorld, str]]:
    """An empty inventory on a loopback port; fill it through services or through the browser.

    Args:
        history: begin four weeks ago, so that there is room for a past.
    """
    late = LateApplication()
    with tempfile.TemporaryDirectory(prefix="sanitrail-console-") as folder, serving(late) as base:
        world = ConsoleWorld(Path(folder), base, history=history)
        try:
            late.app = world.application()
            yield world, base
        finally:
            world.close()


def accessibility(page: Page) -> list[str]:
    """What axe-core finds wrong with the page as it stands; one line a node."""
    page.evaluate(AXE)  # by the debugger's channel, so that the page's own policy stays as strict as it is
    result = page.evaluate(f"axe.run(document, {AXE_OPTIONS})")
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in result["violations"]
        for node in violation["nodes"]
    ]


def overflow(page: Page) -> bool:
    """Whether the page is wider than its window."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))
