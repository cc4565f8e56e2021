"""Documents of every kind are taken back from their own pages, and say so ever after."""

from __future__ import annotations

import pytest

from inventory.services import cases, lots

from .conftest import Site

WHY = "It names a serial number that was mistaken."


def _lot(site: Site, name: str) -> str:
    command = lots.IssueLot(name=name, devices=(site.story.numbers["older"],))
    return lots.issue(site.world.context, site.world.actor("omar"), command).number


def _statement(site: Site) -> str:
    return cases.issue_statement(site.world.context, site.world.actor("petra"), site.story.numbers["case"]).number


@pytest.mark.parametrize("kind", ["lot", "statement"])
def test_a_document_is_voided_from_its_page_and_the_page_says_so(site: Site, kind: str) -> None:
    number = _lot(site, "Pallet 1") if kind == "lot" else _statement(site)
    page = f"/documents/{number}" if kind == "lot" else f"/cases/{site.story.numbers['case']}"
    act = f"/documents/{number}/correct"
    assert act in site.get("vera", page).text
    assert act not in site.get("omar", page).text
    assert site.get("vera", act).status_code == 200
    done = site.post("vera", act, {"action": "void", "reason": WHY})
    assert done.status_code == 303
    assert done.location.partition("?")[0].endswith(page)
    shown = site.get("vera", page).text
    assert "Void" in shown
    assert WHY in shown
    assert act not in shown


def test_another_document_takes_the_place_of_a_lots(site: Site) -> None:
    old, new = _lot(site, "Pallet 2"), _lot(site, "Pallet 2, counted again")
    values = {"action": "supersede", "reason": WHY, "replacement": new}
    assert site.post("vera", f"/documents/{old}/correct", values).status_code == 303
    shown = site.get("vera", f"/documents/{old}").text
    assert "Superseded" in shown
    assert f"/documents/{new}" in shown


def test_a_certificate_may_be_corrected_under_either_address(site: Site) -> None:
    number = site.story.numbers["certificate"]
    for address in (f"/certificates/{number}/correct", f"/documents/{number}/correct"):
        shown = site.get("vera", address)
        assert shown.status_code == 200
        assert f"Correct {number}" in shown.text


def test_what_is_no_document_cannot_be_corrected(site: Site) -> None:
    assert site.get("vera", "/documents/LC-9999-000001/correct").status_code == 404
    assert (
        site.post(
            "vera", f"/documents/{site.story.numbers['paper']}/correct", {"action": "void", "reason": "no"}
        ).status_code
        == 422
    )
    assert (
        site.post(
            "omar", f"/documents/{site.story.numbers['paper']}/correct", {"action": "void", "reason": WHY}
        ).status_code
        == 403
    )
