"""What the console shows of a drive's own techniques and of passwords in custody."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest

from inventory.domain.techniques import DISPUTES, SCOPES
from inventory.services import orders, queries

from .conftest import Site

PASSWORD = "correct horse spare"


def page(site: Site, path: str, login: str = "omar") -> str:
    answer = site.get(login, path)
    assert answer.status_code == 200, answer.text[:300]
    return answer.text


def custody(site: Site) -> str:
    return f"/devices/{site.story.numbers['spare']}/custody/{site.story.numbers['locking']}"


# --- what the drive can do ----------------------------------------------------------------------------------------------


def test_a_device_shows_what_it_can_do_with_the_level_and_why_not_the_rest(site: Site) -> None:
    html = page(site, f"/devices/{site.story.numbers['flash']}")
    assert "What the drive can do itself" in html
    assert "ATA Sanitize, block erase" in html
    assert "frozen until it is powered off and on" in html


def test_a_device_nobody_asked_shows_no_such_card(site: Site) -> None:
    assert "What the drive can do itself" not in page(site, f"/devices/{site.story.numbers['spare']}")


def test_the_form_offers_each_technique_with_its_level_and_disables_what_the_drive_cannot(site: Site) -> None:
    html = page(site, f"/devices/{site.story.numbers['flash']}/order")
    offered = re.findall(r'name="technique" value="([^"]+)"([^>]*)>', html)
    assert [name for name, _ in offered][:3] == ["overwrite", "auto", "ata-sanitize-crypto-scramble"]
    assert {name: "disabled" in rest for name, rest in offered} == {
        "overwrite": False,
        "auto": False,
        "ata-sanitize-crypto-scramble": False,
        "ata-sanitize-block-erase": False,
        "ata-sanitize-overwrite": True,
        "ata-security-erase-enhanced": True,
    }
    assert "ATA Sanitize, block erase: purge" in html


def test_a_drive_nobody_asked_can_only_be_overwritten_or_left_to_the_agent(site: Site) -> None:
    html = page(site, f"/devices/{site.story.numbers['backup']}/order")
    assert re.findall(r'name="technique" value="([^"]+)"', html) == ["overwrite", "auto"]
    assert "has not reported" in html


@pytest.mark.parametrize("technique", ["ata-sanitize-overwrite", "nvme-sanitize-block-erase", ""])
def test_what_was_not_offered_is_not_ordered(site: Site, technique: str) -> None:
    typed: dict[str, object] = {
        "purpose": "inside", "pattern": "zeros", "verification": "full", "hours": "24", "method": "purge",
        "technique": technique, "reason": "as the test says",
    }  # fmt: skip
    answer = site.post("omar", f"/devices/{site.story.numbers['flash']}/order", typed)
    assert answer.status_code == 422
    assert "Choose one of the techniques offered." in answer.text


WORDS: dict[str, object] = {
    "purpose": "inside", "pattern": "zeros", "verification": "full", "hours": "24", "method": "purge",
    "technique": "ata-sanitize-block-erase", "reason": "as the test says",
}  # fmt: skip


def ordered(site: Site, monkeypatch: pytest.MonkeyPatch, **typed: object) -> dict[str, Any]:
    """The plan that the form asks the service for."""
    asked: list[orders.CreateOrder] = []

    def keep(_context: object, _actor: object, command: orders.CreateOrder) -> Any:  # noqa: ANN401 - stands in for an order
        asked.append(command)
        return SimpleNamespace(id=site.story.numbers["requested"])

    monkeypatch.setattr(orders, "create_order", keep)
    answer = site.post("omar", f"/devices/{site.story.numbers['flash']}/order", {**WORDS, **typed})
    assert answer.status_code == 303, answer.text[:300]
    return asked[0].plan.model_dump(mode="json")


def test_a_key_can_go_before_what_it_was_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    html = page(site, f"/devices/{site.story.numbers['flash']}/order")
    offered = re.findall(r'<option value="([^"]*)"', html.partition('name="first"')[2].partition("</select>")[0])
    assert offered == ["", "overwrite", "ata-sanitize-crypto-scramble"]
    plan = ordered(site, monkeypatch, first="ata-sanitize-crypto-scramble")
    assert plan["technique"] == "ata-sanitize-crypto-scramble+ata-sanitize-block-erase"
    assert plan["pattern_set"] == "canaries"
    assert "firmware_pattern" not in plan
    assert ordered(site, monkeypatch, first="overwrite")["technique"] == "overwrite+ata-sanitize-block-erase"


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"first": "ata-sanitize-block-erase"}, "cannot come before"),
        ({"first": "overwrite", "technique": "overwrite"}, "cannot come before"),
        ({"first": "overwrite", "technique": "auto"}, "cannot come before"),
        ({"firmware_pattern": "00ff00ff"}, "takes a pattern"),
        ({"firmware_pattern": "00ff00", "technique": "auto"}, "Eight hexadecimal digits"),
        ({"firmware_pattern": "0000000g", "technique": "auto"}, "Eight hexadecimal digits"),
        ({"no_deallocate": "yes"}, "Only NVMe Sanitize"),
    ],
)
def test_words_that_mean_nothing_to_the_technique_are_told_beside_their_field(
    site: Site, typed: dict[str, object], sentence: str
) -> None:
    answer = site.post("omar", f"/devices/{site.story.numbers['flash']}/order", {**WORDS, **typed})
    assert answer.status_code == 422
    assert sentence in answer.text


def test_words_for_the_drive_are_asked_for_where_auto_may_take_them(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = ordered(site, monkeypatch, technique="auto", firmware_pattern="00FF00FF", no_deallocate="yes")
    assert (plan["firmware_pattern"], plan["no_deallocate"]) == ("00ff00ff", True)


def test_a_drive_without_own_techniques_has_no_words_for_them(site: Site) -> None:
    html = page(site, f"/devices/{site.story.numbers['backup']}/order")
    assert 'name="first"' not in html
    assert 'name="firmware_pattern"' not in html


def test_an_order_says_in_plain_words_what_it_does(site: Site) -> None:
    html = page(site, f"/orders/{site.story.numbers['requested']}")
    assert "Overwrite through the host interface" in html


def test_the_policy_page_names_every_dispute(site: Site) -> None:
    html = page(site, "/policy")
    for word in DISPUTES:
        assert word in html
    assert "Decided: purge" not in html


def test_scopes_are_asked_for_only_where_a_drive_could_reach_beyond(site: Site) -> None:
    html = page(site, f"/devices/{site.story.numbers['flash']}/order")
    assert not [word for word in SCOPES if f'value="{word}"' in html]


# --- custody ------------------------------------------------------------------------------------------------------------


def test_a_drive_left_with_our_password_is_said_to_be_locked_by_us(site: Site) -> None:
    html = page(site, f"/devices/{site.story.numbers['spare']}")
    assert "Locked by us" in html
    assert "run <code>sanitizer unlock</code> on it" in html
    assert PASSWORD not in html
    assert "Locked by us" not in page(site, f"/devices/{site.story.numbers['older']}")


def test_who_may_not_reveal_is_told_who_may(site: Site) -> None:
    html = page(site, f"/devices/{site.story.numbers['spare']}", "vic")
    assert "An operator can reveal it." in html
    assert custody(site) not in html
    assert site.post("vic", custody(site), {"reason": "let me see"}).status_code == 403


def test_a_password_is_shown_by_the_answer_alone_with_a_reason_and_an_event(site: Site) -> None:
    assert PASSWORD not in page(site, custody(site))
    refused = site.post("omar", custody(site), {"reason": " "})
    assert refused.status_code == 422
    assert PASSWORD not in refused.text
    shown = site.post("omar", custody(site), {"reason": "the drive is locked on the bench"})
    assert shown.status_code == 200
    assert PASSWORD in shown.text
    assert shown.headers["Cache-Control"] == "no-store"
    auditor = site.world.actor("aud")
    told = queries.list_events(site.world.context, auditor, subject=site.story.numbers["locking"], limit=10).items
    assert (told[0].tag, told[0].reason) == ("escrow.revealed", "the drive is locked on the bench")
    assert PASSWORD not in repr(told)


def test_a_custody_of_another_device_is_not_found_here(site: Site) -> None:
    path = f"/devices/{site.story.numbers['flash']}/custody/{site.story.numbers['locking']}"
    assert site.get("omar", path).status_code == 404
