"""The design is one: every component stands on the style page, home answers its five questions, decisions say all they must."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from pathlib import Path

import pytest

import inventory.console
from inventory.console.pages.style import PAGE_TYPES, icon_names
from inventory.console.views.decisions import after_approval
from inventory.domain.scopes import Scope
from inventory.services import queries
from inventory.services.queries.beginnings import beginnings
from inventory.services.queries.today import today

from .conftest import Site

HOME = Path(inventory.console.__file__).parent


def test_every_component_stands_on_the_style_page(site: Site) -> None:
    shown = {word for value in re.findall(r'class="([^"]*)"', site.get("vic", "/style").text) for word in value.split()}
    for word in (
        "button", "chip", "card", "callout", "facts", "table", "form", "digest", "fingerprint", "empty", "rows",
        "steps", "story", "verdict", "seal", "decision", "outcomes", "guide", "chart", "legend", "skeleton", "secret",
    ):  # fmt: skip
        assert word in shown, word


def test_the_style_page_shows_every_icon_and_every_page_type(site: Site) -> None:
    text = site.get("vic", "/style").text
    assert len(icon_names()) > 60
    for name in icon_names():
        assert f"#{name}" in text
    for _, symbol, _, example in PAGE_TYPES:
        assert symbol in icon_names()
        assert (HOME / "templates" / "console" / f"{example}.html").exists()


def test_a_template_draws_only_icons_there_are() -> None:
    for template in (HOME / "templates").rglob("*.html"):
        for name in re.findall(r"ui\.icon\('([a-z-]+)'", template.read_text()):
            assert name in icon_names(), (template.name, name)


@pytest.mark.parametrize("login", ["omar", "ben", "vera", "petra", "carla", "ines", "aud", "vic"])
def test_home_answers_its_five_questions_for_everybody(site: Site, login: str) -> None:
    text = site.get(login, "/").text
    labels = [html.unescape(found) for found in re.findall(r'class="tile-label">.*?</svg>([^<]+)</span>', text)]
    assert labels[:4] == ["May not leave", "Overdue", "Running", "Waits for you"]
    assert labels[4] in {"Changed", "Exceptions"}


def test_what_waits_is_what_this_reader_can_do_and_a_link_to_it(site: Site) -> None:
    requested, recorded = site.story.numbers["requested"], site.story.numbers["recorded"]
    assert f"/orders/{requested}/approve" in site.get("ben", "/").text
    assert f"/orders/{recorded}/validate" in site.get("vera", "/").text
    for login in ("vic", "aud", "omar"):
        main = site.get(login, "/").text.split("<main", 1)[1]
        assert f"/orders/{requested}/approve" not in main
        assert f"/orders/{recorded}/validate" not in main


def test_a_chart_says_in_words_what_it_draws(site: Site) -> None:
    text = site.get("omar", "/").text
    for picture in re.findall(r'<svg class="chart[^>]*>', text):
        assert 'role="img"' in picture
        assert 'aria-label="' in picture
    board = queries.dashboard(site.world.context, site.world.actor("omar"))
    legend = text.split('class="legend"', 1)[1].split("</ul>", 1)[0]
    counts = [int(number) for number in re.findall(r'class="num">(\d+)<', legend)]
    assert sum(counts) == sum(board.devices_by_state.values())


def test_an_approval_says_what_follows_and_what_is_final(site: Site) -> None:
    order = queries.order(site.world.context, site.world.actor("ben"), site.story.numbers["requested"])
    said = after_approval(order)
    assert "last signature" in said.sentences[0]
    text = html.unescape(site.get("ben", f"/orders/{order.id}/approve").text)
    for sentence in (*said.sentences, said.final):
        assert sentence in text
    assert text.count('class="fingerprint"') == 2  # the medium's, and the sealed order's


def test_a_waiver_is_not_signed_without_naming_the_device(site: Site) -> None:
    device = site.story.numbers["flash"]
    values = {"destination": "Lessor", "role": "privacy_officer", "days": "3", "reason": "The contract forbids it."}
    for tag in ("", "AT-000000"):
        answer = site.post("petra", f"/devices/{device}/waiver", {**values, "tag": tag})
        assert answer.status_code == 422
        assert "it shows that you mean this device" in answer.text
    found = queries.device(site.world.context, site.world.actor("petra"), device)
    assert not found.waivers


def test_a_waiver_is_not_countersigned_without_a_tick(site: Site) -> None:
    device, waiver = site.story.numbers["backup"], site.story.numbers["waiver"]
    answer = site.post("carla", f"/devices/{device}/waiver/{waiver}/countersign", {"role": "custodian"})
    assert answer.status_code == 422
    assert "Tick that you know" in answer.text
    (view,) = queries.device(site.world.context, site.world.actor("carla"), device).waivers
    assert view.countersigned_by is None


def test_who_counts_a_hand_over_is_told_what_follows_and_not_what_was_counted(site: Site) -> None:
    text = site.get("carla", f"/handovers/{site.story.numbers['handover']}/answer").text
    assert "You state in your own name" in text
    assert "What happens then" in text
    assert "An answer is not taken back" in text


def test_the_guide_leads_a_new_organisation_and_is_over_for_a_working_one(site: Site) -> None:
    assert "Everything is in place" in site.get("vic", "/start").text
    assert "From nothing to the first registered disk" not in site.get("vic", "/").text


def test_the_bars_of_due_cases_count_what_the_list_shows(site: Site) -> None:
    context, actor = site.world.context, site.world.actor("petra")
    seen = today(context, actor)
    overdue = queries.list_cases(context, actor, overdue=True, limit=200).items
    assert seen.due.overdue == len(overdue) > 0
    assert seen.due.total == queries.dashboard(context, actor).cases_open
    assert today(context, site.world.actor("vic")).changed is None, (
        "the history is not for everybody, nor is its length"
    )
    assert today(context, site.world.actor("aud")).changed is not None


def test_the_guide_knows_only_what_its_reader_may_see(site: Site) -> None:
    begun = beginnings(site.world.context, site.world.actor("vic"))
    assert begun.hosts > begun.hosts_confirmed > 0
    assert begun.disks_seen
    assert begun.approvers >= 2
    outside = replace(site.world.actor("vic"), scope=Scope(frozenset({"S-0999"}), frozenset()))
    hidden = beginnings(site.world.context, outside)
    assert (hidden.hosts, hidden.disks_seen, hidden.paths, hidden.orders) == (0, False, False, False)
