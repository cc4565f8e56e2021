"""Pictures of every page, light and dark, wide and narrow, in each language.

python -m tests.browser.screenshots OUT [endpoint ...]
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

from inventory.console.blueprint import ACCESS
from inventory.console.language.catalogs import TONGUES
from tests.support.browser import Console, chromium, overflow, served_world
from tests.support.console_pages import addresses
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
_PREFERRED = ("ines", "petra", "ben", "vera", "carla", "omar", "aud")


def reader(story: Story, endpoint: str) -> str:
    """Somebody of the cast who may see this page."""
    permission = ACCESS[f"console.{endpoint}"].permission
    if endpoint == "sign_statement":
        return "ann"  # the responsible person alone
    if permission is None or endpoint == "import_sheet":  # the table of the story is about devices
        return "omar"
    return next(login for login in _PREFERRED if story.world.actor(login).may(permission))


def shoot(out: Path, only: set[str], tongues: Sequence[str] = TONGUES) -> int:
    """Every page in every language, theme and width; the number of pictures."""
    out.mkdir(parents=True, exist_ok=True)
    taken = 0
    with served_world() as (world, base), chromium() as browser:
        console = Console(world, base, browser)
        story = tell(world)
        shown = {
            name: path
            for name, path in addresses(story).items()
            if name not in FILES | FRAGMENTS and (not only or name in only)
        }
        shown |= {name: path for name, path in _more(story).items() if not only or name in only}
        for tongue, theme, width in itertools.product(tongues, THEMES, WIDTHS):
            by_reader: dict[str | None, dict[str, str]] = {}
            for name, path in shown.items():
                who = None if name == "sign_in" else reader(story, name.partition("-")[0])
                by_reader.setdefault(who, {})[name] = path
            for who, pages in by_reader.items():
                with console.someone(who, theme=theme, width=width) as (page, _):
                    page.context.set_extra_http_headers({"Accept-Language": tongue})
                    for name, path in pages.items():
                        page.goto(f"{base}/console{path}", wait_until="load")
                        page.evaluate("document.fonts.ready")
                        if overflow(page):
                            sys.stderr.write(f"{name} in {tongue} is wider than {width} px\n")
                        page.screenshot(path=out / tongue / f"{name}-{theme}-{width}.png", full_page=True)
                        taken += 1
    return taken


def _more(story: Story) -> dict[str, str]:
    """The same pages in other states."""
    n = story.numbers
    return {
        "sign_in": "/sign-in",
        "device-held": f"/devices/{n['mirror']}",
        "device-sanitized": f"/devices/{n['old']}",
        "device-locked": f"/devices/{n['spare']}",
        "order-running": f"/orders/{n['running']}",
        "order-requested": f"/orders/{n['requested']}",
        "order-recorded": f"/orders/{n['recorded']}",
        "case-late": f"/cases/{n['late_case']}",
    }


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("only", nargs="*", help="endpoints to picture; all when none is named")
    parser.add_argument(
        "--language", action="append", choices=TONGUES, help="one language; every one when none is named"
    )
    arguments = parser.parse_args()
    taken = shoot(arguments.out, set(arguments.only), arguments.language or TONGUES)
    sys.stdout.write(f"{taken} pictures in {arguments.out}\n")


if __name__ == "__main__":
    main()
