"""Pages in the reader's language in states that only a deed brings: forms sent empty, refusals, nothing found."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import pytest

from inventory.console.blueprint import ACCESS
from inventory.services.lists import LISTS
from tests.support.console_pages import FORMS_DONE_WHEN_EMPTY, addresses, refusals, states

from .conftest import HERE, Site
from .test_tongues import ALIKE, CODED, DATA, VALUES, reader, texts_of, written

TONGUE: Final = "ms"
"""One language shows what no catalog is asked for; another test finds what a catalog lacks."""


def forms(site: Site) -> list[str]:
    """The pages that also take what somebody typed."""
    rules = [rule for rule in site.app.url_map.iter_rules() if {"GET", "POST"} <= (rule.methods or set())]
    found = {rule.endpoint.removeprefix("console.") for rule in rules if rule.endpoint in ACCESS}
    return sorted(found & set(addresses(site.story)) - set(FORMS_DONE_WHEN_EMPTY))


Left = Callable[[str, str], list[str]]


@pytest.fixture(scope="module")
def left(site: Site) -> Left:
    """What a page says alike in both languages and is no data."""
    theirs, alike = written(site), re.compile(rf"\b(?:{'|'.join(ALIKE[TONGUE])})\b", re.IGNORECASE)

    def found(english: str, said: str) -> list[str]:
        same = {text for text in texts_of(english) & texts_of(said) if "<" not in text} - VALUES
        return sorted(
            text for text in same if re.search(r"[a-z]{2}", alike.sub(" ", DATA.sub(" ", theirs.sub(" ", text))))
        )

    return found


def test_a_form_sent_empty_says_what_is_missing_in_the_readers_language(site: Site, left: Left) -> None:
    found, marks = [], {login: site.token(login) for login in site.world.people}
    for endpoint in forms(site):
        path, who = addresses(site.story)[endpoint].partition("?")[0], reader(site, endpoint)
        answers = [
            site.client(who).post(
                f"/console{path}",
                data={"csrf_token": marks[who]},
                base_url=site.base,
                headers={**HERE, "Accept-Language": tongue},
            )
            for tongue in ("en", TONGUE)
        ]
        if answers[0].status_code in {404, 409}:
            continue  # what it is about does not wait for anybody in this story
        assert answers[0].status_code == 422, f"{endpoint}: done, or passed over, with nothing filled in"
        found += [f"{endpoint}: {text}" for text in left(*(one.text for one in answers))]
    assert not found, "\n".join(found)


def test_what_is_refused_or_found_empty_is_said_in_the_readers_language(site: Site, left: Left) -> None:
    asked = {
        **refusals(),
        **{
            f"{name}, every column": (
                "aud",
                f"/{name}?state=any&columns={','.join(column.name for column in one.columns)}",
            )
            for name, one in LISTS.items()
        },
        **{
            f"{name}, narrowed": ("aud", f"/{name}?" + "&".join(f"{facet.name}={facet.choices[0].value}" for facet in one.facets))
            for name, one in LISTS.items()
        },
        **{name: (reader(site, name.partition("-")[0]), path) for name, path in states(site.story).items()},
    }  # fmt: skip
    found = []
    for name, (who, path) in asked.items():
        answers = [
            site.client(who).get(f"/console{path}", base_url=site.base, headers={"Accept-Language": tongue})
            for tongue in ("en", TONGUE)
        ]
        assert answers[1].status_code in {200, 403, 404}, name
        found += [f"{name}: {text}" for text in left(*(one.text for one in answers))]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", ["/console/sign-in", "/verify"])
def test_a_stranger_is_met_in_their_language(site: Site, left: Left, path: str) -> None:
    stranger = site.app.test_client()
    answers = [
        stranger.get(path, base_url=site.base, headers={"Accept-Language": tongue}).text for tongue in ("en", TONGUE)
    ]
    assert texts_of(answers[1])
    assert left(*answers) == []


def test_a_form_of_an_earlier_session_is_refused_in_the_readers_language(site: Site, left: Left) -> None:
    client = site.client("omar")
    answers = [
        client.post(
            "/console/devices/declare",
            data={"csrf_token": "of yesterday", "serial": "X1"},
            base_url=site.base,
            headers={**HERE, "Accept-Language": tongue},
        )
        for tongue in ("en", TONGUE)
    ]
    assert answers[0].status_code in {400, 403}
    assert left(*(one.text for one in answers)) == []


def test_pages_about_the_interface_alone_stay_english() -> None:
    assert {f"console.{name}" for name in CODED} <= set(ACCESS)
