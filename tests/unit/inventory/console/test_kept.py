"""Words that were written when a session ended: nothing is done, and they come back, only to who wrote them, and only once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from inventory.console import kept
from inventory.services import queries, sessions
from inventory.services.queries.devices import DeviceFilter
from tests.support.console_world import PASSWORD

from .conftest import HERE, Site

TYPED = {"asset_tag": "KEPT-1", "vendor": "Kept & Sons <i>", "source": "second shelf from the left", "once": "ab" * 16}
HOST = "127.0.0.1"
PAGE = "/console/devices/declare"


@pytest.fixture
def carla(site: Site) -> Iterator[FlaskClient]:
    """A browser of hers alone."""
    client = site.world.client(site.app, "carla")
    yield client
    assert not queries.list_devices(
        site.world.context, site.world.actor("carla"), DeviceFilter(text=TYPED["asset_tag"])
    ).items


def end_sessions(site: Site, login: str) -> None:
    someone = site.world.actor(login)
    for session in sessions.list_sessions(site.world.context, someone):
        sessions.end_session(site.world.context, someone, session.id)
    site.clients.pop(login, None)


def send(site: Site, client: FlaskClient, path: str = PAGE, **more: str) -> TestResponse:
    """The form, as the browser had it open."""
    page = client.get(PAGE, base_url=site.base).text
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    values = {"csrf_token": found[1] if found else "", **TYPED, **more}
    return client.post(path, data=values, base_url=site.base, headers=HERE)


def sign_in(site: Site, client: FlaskClient, login: str) -> None:
    form = {"login": login, "password": PASSWORD}
    answer = client.post("/console/sign-in", data=form, base_url=site.base, headers=HERE)
    assert answer.status_code == 303


def test_words_come_back_after_signing_in_again(site: Site, carla: FlaskClient) -> None:
    end_sessions(site, "carla")
    answer = send(site, carla, password="never kept")
    assert answer.location == f"/console/sign-in?next={PAGE}&said=words-kept"
    assert "is kept for a quarter of an hour" in carla.get(answer.location, base_url=site.base).text
    sign_in(site, carla, "carla")
    page = carla.get(PAGE, base_url=site.base).text
    assert 'value="KEPT-1"' in page
    assert 'value="Kept &amp; Sons &lt;i&gt;"' in page
    assert "Nothing was done: your session had ended" in page
    assert "never kept" not in page
    assert TYPED["once"] not in page


def test_words_come_back_to_nobody_else(site: Site, carla: FlaskClient) -> None:
    end_sessions(site, "carla")
    send(site, carla)
    sign_in(site, carla, "omar")
    assert "KEPT-1" not in carla.get(PAGE, base_url=site.base).text


def test_words_come_back_on_no_other_page_and_not_after_a_quarter_of_an_hour(site: Site, carla: FlaskClient) -> None:
    end_sessions(site, "carla")
    send(site, carla)
    sign_in(site, carla, "carla")
    assert "KEPT-1" not in carla.get("/console/devices", base_url=site.base).text
    site.world.clock.offset += timedelta(seconds=kept.SECONDS + 1)
    try:
        assert "KEPT-1" not in carla.get(PAGE, base_url=site.base).text
    finally:
        site.world.clock.offset -= timedelta(seconds=kept.SECONDS + 1)


def test_words_are_let_go_once_their_form_is_sent(site: Site, carla: FlaskClient) -> None:
    end_sessions(site, "carla")
    send(site, carla)
    sign_in(site, carla, "carla")
    assert send(site, carla, asset_tag="").status_code == 422
    assert "KEPT-1" not in carla.get(PAGE, base_url=site.base).text


@pytest.mark.parametrize("harm", ["other page", "other words", "no checksum", "rubbish"])
def test_words_that_somebody_else_put_there_are_nothing(site: Site, carla: FlaskClient, harm: str) -> None:
    end_sessions(site, "carla")
    send(site, carla)
    sign_in(site, carla, "carla")
    cookie = carla.get_cookie(kept.COOKIE, HOST, PAGE)
    assert cookie is not None
    packed, _, checksum = cookie.value.rpartition(".")
    page = "/console/places/new" if harm == "other page" else PAGE
    forged = {"other words": f"A{packed[1:]}.{checksum}", "no checksum": packed, "rubbish": "%.%"}
    carla.set_cookie(kept.COOKIE, forged.get(harm, cookie.value), domain=HOST)
    carla.delete_cookie(kept.COOKIE, domain=HOST, path=PAGE)
    answer = carla.get(page, base_url=site.base)
    assert answer.status_code == 200
    assert "Nothing was done" not in answer.text


def test_a_page_of_an_earlier_session_is_refused_and_its_words_are_kept(site: Site, carla: FlaskClient) -> None:
    stale = re.search(r'name="csrf_token" value="([^"]+)"', carla.get(PAGE, base_url=site.base).text)
    assert stale is not None
    carla.delete_cookie("sanitrail", domain=HOST)
    sign_in(site, carla, "carla")
    answer = carla.post(PAGE, data={**TYPED, "csrf_token": stale[1]}, base_url=site.base, headers=HERE)
    assert answer.status_code == 403
    assert "Open the page again: what you wrote is kept." in answer.text
    assert 'value="KEPT-1"' in carla.get(PAGE, base_url=site.base).text


def test_nothing_is_kept_of_what_another_site_sends(site: Site, carla: FlaskClient) -> None:
    foreign = {"Sec-Fetch-Site": "cross-site"}
    answer = carla.post(PAGE, data={**TYPED, "csrf_token": "ab" * 32}, base_url=site.base, headers=foreign)
    assert answer.status_code == 403
    assert kept.COOKIE not in answer.headers.get("Set-Cookie", "")
    end_sessions(site, "carla")
    answer = carla.post(PAGE, data=TYPED, base_url=site.base, headers=foreign)
    assert kept.COOKIE not in answer.headers.get("Set-Cookie", "")


def test_who_must_show_again_who_they_are_finds_their_words_afterwards(site: Site) -> None:
    client = site.world.client(site.app, "ines")
    page = "/console/people/new"
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(page, base_url=site.base).text)
    assert token is not None
    site.world.clock.offset += timedelta(minutes=20)
    try:
        values = {"csrf_token": token[1], "login": "new-1", "name": "Noor El Sayed", "roles": "viewer"}
        answer = client.post(page, data=values, base_url=site.base, headers=HERE)
        assert answer.location.startswith("/console/confirm?next=")
        shown = {"csrf_token": token[1], "password": PASSWORD, "next": page}
        client.post("/console/confirm", data=shown, base_url=site.base, headers=HERE)
        back = client.get(page, base_url=site.base).text
    finally:
        site.world.clock.offset -= timedelta(minutes=20)
    assert "Nothing is done yet: first you had to show who you are." in back
    assert 'value="Noor El Sayed"' in back
    assert 'value="new-1"' in back


def test_words_of_a_button_beside_a_list_are_shown_on_the_list(site: Site, carla: FlaskClient) -> None:
    end_sessions(site, "carla")
    words = "The pallet was counted twice, and both counts agree."
    headers = {**HERE, "Referer": f"{site.base}/console/exceptions?state=open"}
    answer = carla.post(
        "/console/exceptions/X-1/resolve", data={"resolution": words}, base_url=site.base, headers=headers
    )
    assert "next=/console/exceptions&said=words-kept" in answer.location
    sign_in(site, carla, "carla")
    assert words in carla.get("/console/exceptions", base_url=site.base).text
    assert words not in carla.get("/console/exceptions", base_url=site.base).text


def test_what_is_too_long_for_a_cookie_is_said_to_be_lost(site: Site, carla: FlaskClient) -> None:
    end_sessions(site, "carla")
    long = " ".join(f"{number:x}" for number in range(10_000, 14_000))
    assert send(site, carla, source=long).location.endswith("said=words-kept")
    sign_in(site, carla, "carla")
    page = carla.get(PAGE, base_url=site.base).text
    assert "What you wrote was too long to be kept." in page
    assert "KEPT-1" not in page


def test_every_secret_that_a_page_asks_for_is_among_those_never_kept() -> None:
    console = Path(kept.__file__).parent
    asked = {
        name
        for page in (console / "templates/console").glob("*.html")
        for name in re.findall(r"forms\.text\(\w+, '(\w+)'[^}]*type='password'", page.read_text())
    }
    asked |= {
        name
        for page in (console / "pages").glob("*.py")
        for name in re.findall(r'kind="password",\s*name="(\w+)"', page.read_text())
    }
    assert {"password", "again", "current", "new"} <= asked
    assert asked <= kept.NEVER
