"""What is made once and shown often: the cells of a table and the sidebar are never another reader's."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from flask import g
from markupsafe import escape

from inventory.console import web
from inventory.console.language import speaking
from inventory.console.views.cells import Cells
from inventory.console.views.frame import NavGroup, NavItem
from inventory.console.views.listing import Cell, Shown
from inventory.domain.vocabulary import DeviceState

from .conftest import Site

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FOUL = '<b onclick="x">&'


def cells(site: Site, tongue: str) -> Cells:
    g.console_tongue = tongue
    return Cells("/icons.svg", NOW, lambda ref: f"{ref} {FOUL}")


def shown(kind: str, value: object, url: str | None = None) -> Shown:
    return Shown("name", "State", kind, value, url)


@pytest.mark.parametrize("kind", ["text", "mono", "person", "words", "technique", "severity", "progress", "number"])
def test_nothing_that_somebody_typed_becomes_markup(site: Site, kind: str) -> None:
    with site.app.test_request_context(base_url=site.base):
        draw = cells(site, "en")
        for cell in (
            Cell(shown(kind, FOUL), ()),
            Cell(shown(kind, FOUL, "/there?a=" + FOUL), (shown(kind, FOUL),)),
            Cell(shown("mono", FOUL * 4), ()),
        ):
            for first in (True, False):
                html = draw.draw(cell, first=first)
                assert FOUL not in html
                assert "<b " not in html
                assert str(escape("<b")) in html.replace("&lt;B", "&lt;b")


def test_a_size_that_nobody_knows_is_not_called_none(site: Site) -> None:
    with site.app.test_request_context(base_url=site.base):
        draw = cells(site, "en")
        assert "not known" in draw.draw(Cell(shown("size", None), ()), first=False)
        assert "none" in draw.draw(Cell(shown("text", None), ()), first=False)


def test_a_state_is_said_in_the_language_of_who_reads(site: Site) -> None:
    cell = Cell(shown("state", DeviceState.RETIRED), ())
    said: dict[str, str] = {}
    for tongue in ("en", "pt", "ms", "en"):
        with site.app.test_request_context(base_url=site.base):
            html = cells(site, tongue).draw(cell, first=False)
            assert said.setdefault(tongue, html) == html
    assert "Retired" in said["en"]
    assert len(set(said.values())) == 3


def test_a_hold_looks_as_on_the_page_of_the_device(site: Site) -> None:
    with site.app.test_request_context(base_url=site.base):
        held = Shown("held", "Hold", "yes", value=True, url=None)
        html = cells(site, "en").draw(Cell(shown("text", "X"), (held,)), first=False)
        page = site.app.jinja_env.get_template("console/_ui.html").module.tag("On hold", "warn", "hold")  # type: ignore[attr-defined]
    assert re.sub(r"/[^ ]*#", "#", str(page).strip()) in re.sub(r"/icons.svg#", "#", html)


def test_a_moment_is_named_exactly_in_each_language(site: Site) -> None:
    cell = Cell(shown("time", NOW - timedelta(days=1)), ())
    found = []
    for tongue in ("en", "pt", "ms"):
        with site.app.test_request_context(base_url=site.base):
            found += re.findall('title="([^"]+)"', cells(site, tongue).draw(cell, first=True))
    assert found == [
        "Saturday, 28 February 2026, 12:00:00 UTC",
        "sábado, 28 de fevereiro de 2026, 12:00:00 UTC",
        "Sabtu, 28 Februari 2026, 12:00:00 UTC",
    ]


def test_a_sidebar_is_another_for_another_language_count_permission_or_group(site: Site) -> None:
    def sidebar(tongue: str, items: tuple[NavItem, ...], *, opened: bool = True) -> str:
        with site.app.test_request_context(base_url=site.base):
            g.console_tongue = tongue
            nav = (NavGroup("assets", "Assets", items, opened),)
            return str(web._drawn_sidebar(nav, "Example", speaking.tongue(), ""))

    devices = NavItem("Devices", "drive", "/console/devices", current=False)
    waits = NavItem("Devices", "drive", "/console/devices", current=False, count=3, count_meaning="waiting", hot=True)
    policy = NavItem("Policy", "policy", "/console/policy", current=False)
    drawn = [
        sidebar("en", (devices,)),
        sidebar("pt", (devices,)),
        sidebar("en", (waits,)),
        sidebar("en", (devices, policy)),
        sidebar("en", (devices,), opened=False),
    ]
    assert len(set(drawn)) == len(drawn)
    assert drawn[0] == sidebar("en", (devices,))
    assert "Policy" not in drawn[0]


def test_two_readers_in_turn_are_each_shown_what_they_may_open(site: Site) -> None:
    def links(login: str) -> set[str]:
        nav = site.get(login, "/exports").text.split('<nav class="sidebar"', 1)[1].split("</nav>", 1)[0]
        return set(re.findall(r'href="/console/([a-z/-]+)"', nav))

    before = links("carla"), links("aud")
    assert before[0] != before[1]
    assert (links("carla"), links("aud")) == before
