"""The API explorer without a script: reading, searching, asking what only reads, and never what changes something."""

from __future__ import annotations

import re

import pytest

from inventory.api.explained import groups
from inventory.api.install import document

from .conftest import Site


def test_every_operation_has_a_page_that_stays_light(site: Site) -> None:
    heavy = {}
    for group in groups(document("https://x.example")):
        assert site.get("vic", f"/api/{group.key}").status_code == 200
        for brief in group.operations[::3]:
            answer = site.get("vic", f"/api/{group.key}/{brief.name}")
            assert answer.status_code == 200, brief.name
            if len(answer.data) >= 60_000:
                heavy[brief.name] = len(answer.data)
    assert heavy == {}


def test_a_page_says_who_may_and_whether_it_is_the_reader(site: Site) -> None:
    assert "You may" in site.get("omar", "/api/orders/create_order").text
    refused = site.get("vic", "/api/orders/create_order").text
    assert "Not your role" in refused
    assert "Your roles do not allow this" in refused
    agents = site.get("omar", "/api/agents/observe").text
    assert "Only an agent can ask this" in agents
    assert "data-try" not in agents


def test_the_search_works_by_a_form(site: Site) -> None:
    page = site.get("vic", "/api?q=release+device").text
    assert 'href="/console/api/devices/release_device"' in page
    assert "No operation has all these words" in site.get("vic", "/api?q=zebra").text


def test_what_reads_is_asked_by_an_ordinary_form_and_answered_as_to_the_reader(site: Site) -> None:
    device = site.story.numbers["old"]
    sent = site.get("vic", f"/api/devices/get_device/ask?path.device={device}")
    assert (sent.status_code, sent.location) == (303, f"/api/v1/devices/{device}")
    answer = site.client("vic").get(sent.location, base_url=site.base)
    assert answer.get_json()["id"] == device


@pytest.mark.parametrize("query", ["", "?path.device=..", "?path.device=%0d%0aX:y"])
def test_a_missing_part_is_asked_for_again(site: Site, query: str) -> None:
    answer = site.get("vic", f"/api/devices/get_device/ask{query}")
    assert answer.status_code == 422
    assert "Something that its address needs is missing" in answer.text


def test_what_changes_something_is_never_asked_by_a_link(site: Site) -> None:
    assert site.get("omar", "/api/orders/create_order/ask").status_code == 404
    page = site.get("omar", "/api/orders/create_order").text
    button = re.search(r"<div class=\"form-foot\"[^>]*>\s*<button class=\"button button-danger\"", page)
    assert button is not None
    assert "hidden" in button[0], "it appears only with the script that asks for a confirmation"
    assert re.search(r'<input type="checkbox" data-mean required>', page)


def test_unknown_groups_and_operations_are_not_found(site: Site) -> None:
    for path in ("/api/nothing", "/api/devices/create_order", "/api/devices/nothing"):
        assert site.get("vic", path).status_code == 404
