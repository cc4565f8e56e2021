"""Pictures of every page, light and dark, wide and narrow, in each language; also refused, empty, not found, and a full room.

python -m tests.browser.screenshots OUT [endpoint ...] [--language en] [--theme dark] [--width 390] [--states]
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Page

from inventory.console.blueprint import ACCESS
from inventory.console.language.catalogs import TONGUES
from tests.support.browser import Console, chromium, overflow, served_world
from tests.support.console_pages import FORMS_DONE_WHEN_EMPTY, addresses, refusals, states
from tests.support.console_room import Room, furnished
from tests.support.console_story import Story, tell

FILES = {
    "statement_pdf", "failure_report", "certificate_pdf", "certificate_bundle", "envelope_file", "trust_root",
    "audit_pack_file", "export_file", "balance_file", "balance_sheet", "incident_file", "policy_as_file", "paper_pdf",
    "paper_file", "paper_folder", "sample_file", "evidence_file", "list_file", "job_bundle_file", "job_bundle_sheet",
}  # fmt: skip
"""Addresses that save a file instead of showing a page."""
FRAGMENTS = {"running", "order_live", "search", "explorer_ask", "search_hits", "wall_bays", "scan_read"}
THEMES = ("light", "dark")
WIDTHS = (1440, 390)
SCREEN = (1920, 1080)
"""Of a wipe room's wall."""
_PREFERRED = ("ines", "petra", "ben", "vera", "carla", "omar", "aud")
ROOM = {"wall-sixty", "home-sixty", "orders-sixty", "order-writing", "order-stalled", "order-silent"}
"""What is pictured of a wipe room of sixty bays, told when all else is done; the wall also on a screen of its own size."""
_OWN_FORM = """() => [...document.querySelectorAll("main form[method=post]")].find(
  (form) => new URL(form.getAttribute("action") ?? "", location).pathname === location.pathname) ?? null"""
_SEND = "form => HTMLFormElement.prototype.submit.call(form)"
"""Past what the browser itself would ask for, so that the service answers."""


@dataclass(frozen=True)
class Shot:
    """One picture to be taken."""

    path: str
    who: str | None
    sent: bool = False
    """Whether its form is sent as it stands, with nothing filled in."""


@dataclass(frozen=True)
class Selection:
    """Which pictures are wanted."""

    only: set[str] = field(default_factory=set)
    tongues: Sequence[str] = TONGUES
    themes: Sequence[str] = THEMES
    widths: Sequence[int] = WIDTHS
    states_alone: bool = False


def reader(story: Story, endpoint: str) -> str:
    """Somebody of the cast who may see this page."""
    permission = ACCESS[f"console.{endpoint}"].permission
    if endpoint == "sign_statement":
        return "ann"  # the responsible person alone
    if permission is None or endpoint == "import_sheet":  # the table of the story is about devices
        return "omar"
    return next(login for login in _PREFERRED if story.world.actor(login).may(permission))


def pages(story: Story) -> dict[str, Shot]:
    """Every page as it is found."""
    shown = {name: path for name, path in addresses(story).items() if name not in FILES | FRAGMENTS}
    return {"sign_in": Shot("/sign-in", None)} | {name: Shot(path, reader(story, name)) for name, path in shown.items()}


def other_states(story: Story) -> dict[str, Shot]:
    """The same pages in other states: later in a life, nothing found, refused, sent with nothing filled in."""
    found = {name: Shot(path, reader(story, name.partition("-")[0])) for name, path in states(story).items()}
    found |= {name: Shot(path, who) for name, (who, path) in refusals().items()}
    for rule in story.world.application().url_map.iter_rules():
        name = rule.endpoint.removeprefix("console.")
        takes = {"GET", "POST"} <= (rule.methods or set()) and name in addresses(story)
        if takes and name not in FORMS_DONE_WHEN_EMPTY:
            found[f"{name}-empty"] = Shot(addresses(story)[name].partition("?")[0], reader(story, name), sent=True)
    return found


def _take(page: Page, shot: Shot, address: str, file: Path) -> bool:
    """The picture, where there is one: a page without a form of its own cannot be sent."""
    page.goto(address, wait_until="load")
    if shot.sent:
        form = page.evaluate_handle(_OWN_FORM).as_element()
        if form is None:
            return False
        with page.expect_navigation(wait_until="load"):
            form.evaluate(_SEND)
    page.evaluate("document.fonts.ready")
    page.screenshot(path=file, full_page=True)
    return True


def shoot(out: Path, wanted: Selection) -> int:
    """Every page in every language, theme and width; the number of pictures."""
    out.mkdir(parents=True, exist_ok=True)
    taken = 0
    with served_world() as (world, base), chromium() as browser:
        console = Console(world, base, browser)
        story = tell(world)
        shots = {} if wanted.states_alone else pages(story)
        shots |= other_states(story)
        shots = {name: shot for name, shot in shots.items() if not wanted.only or name in wanted.only}
        for tongue, theme, width in itertools.product(wanted.tongues, wanted.themes, wanted.widths):
            for who in sorted({shot.who for shot in shots.values()}, key=str):
                with console.someone(who, theme=theme, width=width) as (page, _):
                    page.context.set_extra_http_headers({"Accept-Language": tongue})
                    for name, shot in shots.items():
                        if shot.who != who:
                            continue
                        file = out / tongue / f"{name}-{theme}-{width}.png"
                        taken += _take(page, shot, f"{base}/console{shot.path}", file)
                        if overflow(page):
                            sys.stderr.write(f"{name} in {tongue} is wider than {width} px\n")
        if not wanted.states_alone and (not wanted.only or wanted.only & ROOM):
            taken += _shoot_room(console, furnished(world), out, wanted)
    return taken


def _shoot_room(console: Console, room: Room, out: Path, wanted: Selection) -> int:
    """The room while its runs speak: they are asked anew before each picture, or nothing would be believed of them."""
    taken = 0
    shots = {"wall-sixty": f"/wall?host={room.agent.host}", "home-sixty": "/", "orders-sixty": "/orders?show=running"}
    shots |= {f"order-{kind}": f"/orders/{room.orders[kind]}" for kind in ("writing", "stalled", "silent")}
    for tongue, theme, width in itertools.product(wanted.tongues, wanted.themes, (*wanted.widths, SCREEN[0])):
        with console.someone("omar", theme=theme, width=width) as (page, _):
            page.context.set_extra_http_headers({"Accept-Language": tongue})
            if width == SCREEN[0]:
                page.set_viewport_size({"width": SCREEN[0], "height": SCREEN[1]})
            for name, path in shots.items():
                if (wanted.only and name not in wanted.only) or (width == SCREEN[0] and name != "wall-sixty"):
                    continue
                room.report()
                taken += _take(
                    page,
                    Shot(path, "omar"),
                    f"{console.base}/console{path}",
                    out / tongue / f"{name}-{theme}-{width}.png",
                )
    return taken


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("only", nargs="*", help="pages to picture; all when none is named")
    for option, choices, kind in (("--language", TONGUES, str), ("--theme", THEMES, str), ("--width", WIDTHS, int)):
        parser.add_argument(option, action="append", choices=choices, type=kind, help="every one when none is named")
    parser.add_argument("--states", action="store_true", help="only the other states: refused, empty, not found")
    given = parser.parse_intermixed_args()
    wanted = Selection(
        set(given.only), given.language or TONGUES, given.theme or THEMES, given.width or WIDTHS, given.states
    )
    sys.stdout.write(f"{shoot(given.out, wanted)} pictures in {given.out}\n")


if __name__ == "__main__":
    main()
