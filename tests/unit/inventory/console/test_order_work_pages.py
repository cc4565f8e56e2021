"""Batches and the validation queue in the console: looked at first, and only what was shown is decided."""

from __future__ import annotations

import re

from .conftest import Site

ASKED = {
    "purpose": "inside", "pattern": "zeros", "verification": "full", "hours": "24", "method": "clear",
    "technique": "overwrite", "reason": "rack 7 is given up", "step": "look",
}  # fmt: skip


def test_a_batch_shows_each_device_with_what_stands_in_its_way_and_orders_nothing(site: Site) -> None:
    answer = site.post("omar", "/orders/batch", {**ASKED, "devices": f"{site.story.device('flash')} AT-004713"})
    assert answer.status_code == 200
    text = answer.text.partition('id="seen"')[2]
    assert text.count("Refused") == 2, "one has an open order, the other is under a hold"
    assert "Seal" not in answer.text


def test_a_batch_of_nothing_is_sent_back(site: Site) -> None:
    answer = site.post("omar", "/orders/batch", {**ASKED, "devices": ""})
    assert answer.status_code == 422
    assert "exactly one of the two" in answer.text


def test_whoever_decides_sees_who_signed_by_name_and_login_and_a_mere_reader_by_login(site: Site) -> None:
    order, waiver = (
        site.story.numbers["requested"],
        f"/devices/{site.story.device('backup')}/waiver/{site.story.numbers['waiver']}",
    )
    page = site.get("ben", f"/orders/{order}/approve").text
    assert 'Ann Okafor<span class="cell-sub">ann</span>' in page
    assert "Omar Haddad, " in page
    page = site.get("carla", waiver).text
    assert re.search(r'Petra Kovač, [a-z ]+<span class="cell-sub">petra</span>', page)
    page = site.get("vic", f"/orders/{order}").text
    assert "Okafor" not in page
    assert ">ann<" in page


def test_a_decision_that_was_made_is_shown_and_not_asked_for_again(site: Site) -> None:
    page = site.get("vera", f"/orders/{site.story.numbers['validated']}/validate").text
    assert "Nothing is left to decide here." in page
    assert "Vera Lindqvist" in page
    assert "Sign the decision" not in page
    assert "Sign the decision" in site.get("vera", f"/orders/{site.story.numbers['recorded']}/validate").text


def test_a_batch_that_was_not_seen_is_not_ordered(site: Site) -> None:
    values = {**ASKED, "devices": site.story.device("flash"), "step": "order", "seen": "0" * 64}
    answer = site.post("omar", "/orders/batch", values)
    assert answer.status_code == 412


def test_the_queue_tells_for_whom_it_waits_and_takes_no_decision_about_nothing(site: Site) -> None:
    page = site.get("vera", "/queues/validate").text
    word = re.search(r'name="shown" value="([^"]+)"', page)
    assert word is not None
    assert word[1].startswith(site.story.numbers["recorded"])
    answer = site.post("vera", "/queues/validate", {"decision": "approve", "reason": "looks good"})
    assert answer.status_code == 422
    assert "Tick the records" in answer.text


def test_a_decision_about_another_record_than_was_shown_is_refused(site: Site) -> None:
    page = site.get("vera", "/queues/validate").text
    word = re.search(r'name="shown" value="([^"]+)"', page)
    assert word is not None
    other = word[1].rsplit(" ", 1)[0] + " " + "0" * 64
    answer = site.post("vera", "/queues/validate", {"shown": other, "decision": "approve", "reason": "looks good"})
    assert answer.status_code == 412


def test_a_file_that_is_no_picture_is_not_kept(site: Site) -> None:
    path = f"/devices/{site.story.device('old')}/evidence/new"
    answer = site.post("carla", path, {"note": "nothing"})
    assert answer.status_code == 422
    assert "Choose a file first." in answer.text
