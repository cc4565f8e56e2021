"""Signing in by password, what the cookie is worth, and forged requests."""

from __future__ import annotations

from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from inventory.contract.v1.endpoints import PREFIX
from inventory.domain.roles import Role
from tests.support.http_world import BASE, PASSWORD, HttpWorld, Person, problem

OURS = {"Origin": BASE, "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[HttpWorld]:
    made = HttpWorld(tmp_path, session_idle_seconds=600, session_absolute_seconds=3600)
    yield made
    made.close()


class Browser:
    """Keeps the cookie and sends what a browser sends."""

    def __init__(self, world: HttpWorld) -> None:
        self.client: FlaskClient = world.app.test_client()
        self.token = ""

    def ask(self, method: str, path: str, json: object = None, headers: dict[str, str] | None = None) -> TestResponse:
        given = {"X-CSRF-Token": self.token, **OURS} if headers is None else headers
        return self.client.open(PREFIX + path, method=method, json=json, headers=given, base_url=BASE)

    def enter(self, somebody: Person) -> TestResponse:
        """Uses the person's one-time link."""
        reply = self.ask("POST", "/welcome", {"secret": somebody.link, "password": PASSWORD})
        assert reply.status_code == 201, reply.text
        self.token = reply.get_json()["csrf_token"]
        return reply


def test_a_link_lets_in_once_and_the_password_afterwards(fresh: HttpWorld) -> None:
    somebody = fresh.newcomer({Role.VIEWER})
    browser = Browser(fresh)
    assert browser.enter(somebody).get_json()["person"]["ref"] == somebody.ref
    assert browser.ask("GET", "/session").get_json()["roles"] == ["viewer"]
    again = Browser(fresh).ask("POST", "/welcome", {"secret": somebody.link, "password": PASSWORD})
    assert problem(again) == (401, "not-signed-in")
    other = Browser(fresh)
    assert other.ask("POST", "/session", {"login": somebody.login, "password": PASSWORD}).status_code == 201
    assert other.ask("GET", "/devices").status_code == 200


def test_the_cookie_is_closed_to_scripts_and_other_sites(fresh: HttpWorld) -> None:
    reply = Browser(fresh).enter(fresh.newcomer({Role.VIEWER}))
    (cookie,) = SimpleCookie(reply.headers["Set-Cookie"]).values()
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    assert not cookie["domain"]
    assert not cookie["secure"]


def test_over_tls_the_cookie_is_bound_to_host_and_tls(tmp_path: Path) -> None:
    base = "https://sanitrail.example.org"
    world = HttpWorld(tmp_path, external_url=base)
    body = {"secret": world.newcomer({Role.VIEWER}).link, "password": PASSWORD}
    reply = world.app.test_client().post(f"{PREFIX}/welcome", json=body, base_url=base)
    ((name, cookie),) = SimpleCookie(reply.headers["Set-Cookie"]).items()
    assert name == "__Host-sanitrail"
    assert cookie["secure"]
    assert reply.headers["Strict-Transport-Security"]
    world.close()


def test_a_wrong_password_says_the_same_as_an_unknown_name(fresh: HttpWorld) -> None:
    somebody = fresh.newcomer({Role.VIEWER})
    Browser(fresh).enter(somebody)
    wrong = Browser(fresh).ask("POST", "/session", {"login": somebody.login, "password": "not the password"})
    unknown = Browser(fresh).ask("POST", "/session", {"login": "nobody-at-all", "password": PASSWORD})
    assert problem(wrong) == problem(unknown) == (401, "not-signed-in")
    assert wrong.get_json() == unknown.get_json()


def test_guessing_is_limited_even_with_the_right_password_at_last(tmp_path: Path) -> None:
    world = HttpWorld(tmp_path, sign_in_attempts=3)
    somebody = world.newcomer({Role.VIEWER})
    Browser(world).enter(somebody)
    for _ in range(3):
        reply = Browser(world).ask("POST", "/session", {"login": somebody.login, "password": "not the password"})
        assert reply.status_code == 401
    limited = Browser(world).ask("POST", "/session", {"login": somebody.login, "password": PASSWORD})
    assert problem(limited) == (429, "too-many-attempts")
    assert int(limited.headers["Retry-After"]) > 0
    world.clock.advance(minutes=6)
    assert Browser(world).ask("POST", "/session", {"login": somebody.login, "password": PASSWORD}).status_code == 201
    world.close()


@pytest.mark.parametrize("password", ["short", "x" * 257, "before p0-viewer after"])
def test_a_poor_password_is_not_taken_and_the_link_still_good(fresh: HttpWorld, password: str) -> None:
    somebody = fresh.newcomer({Role.VIEWER})
    assert somebody.login == "p0-viewer"
    reply = Browser(fresh).ask("POST", "/welcome", {"secret": somebody.link, "password": password})
    assert reply.status_code == 422
    Browser(fresh).enter(somebody)


def test_a_session_ends_when_it_is_idle_and_at_last_whatever_happens(fresh: HttpWorld) -> None:
    browser = Browser(fresh)
    browser.enter(fresh.newcomer({Role.VIEWER}))
    for _ in range(6):
        fresh.clock.advance(seconds=540)
        assert browser.ask("GET", "/session").status_code == 200
    fresh.clock.advance(seconds=540)
    assert problem(browser.ask("GET", "/session")) == (401, "not-signed-in")
    other = Browser(fresh)
    other.enter(fresh.newcomer({Role.OPERATOR}))
    fresh.clock.advance(seconds=601)
    assert problem(other.ask("GET", "/session")) == (401, "not-signed-in")


def test_signing_out_ends_the_session_on_the_server(fresh: HttpWorld) -> None:
    browser = Browser(fresh)
    browser.enter(fresh.newcomer({Role.VIEWER}))
    stolen = browser.client.get_cookie("sanitrail", domain="127.0.0.1")
    assert stolen is not None
    assert browser.ask("DELETE", "/session").status_code == 204
    thief = fresh.app.test_client()
    thief.set_cookie("sanitrail", stolen.value, domain="127.0.0.1")
    assert problem(thief.get(f"{PREFIX}/session", base_url=BASE)) == (401, "not-signed-in")


def test_one_browser_can_end_another(fresh: HttpWorld) -> None:
    somebody = fresh.newcomer({Role.VIEWER})
    first, second = Browser(fresh), Browser(fresh)
    first.enter(somebody)
    reply = second.ask("POST", "/session", {"login": somebody.login, "password": PASSWORD})
    second.token = reply.get_json()["csrf_token"]
    mine = reply.get_json()["session"]["id"]
    for session in second.ask("GET", "/sessions").get_json():
        if session["id"] != mine:
            assert second.ask("DELETE", f"/sessions/{session['id']}").status_code == 204
    assert first.ask("GET", "/session").status_code == 401
    assert second.ask("GET", "/session").status_code == 200


def test_changing_the_password_ends_every_other_session(fresh: HttpWorld) -> None:
    somebody = fresh.newcomer({Role.VIEWER})
    first, second = Browser(fresh), Browser(fresh)
    first.enter(somebody)
    second.token = second.ask("POST", "/session", {"login": somebody.login, "password": PASSWORD}).get_json()[
        "csrf_token"
    ]
    change = {"current": PASSWORD, "new": "another long pass-phrase"}
    assert second.ask("PUT", "/session/password", {**change, "current": "wrong"}).status_code == 401
    assert first.ask("GET", "/session").status_code == 200
    assert second.ask("PUT", "/session/password", change).status_code == 204
    assert first.ask("GET", "/session").status_code == 401
    assert second.ask("GET", "/session").status_code == 200


@pytest.mark.parametrize("cookie", ["", "x", "x.y", "." * 50, "a" * 600, "AAAA.BBBB", "é.é"])
def test_a_made_up_cookie_is_nobody(fresh: HttpWorld, cookie: str) -> None:
    client = fresh.app.test_client()
    client.set_cookie("sanitrail", cookie, domain="127.0.0.1")
    assert problem(client.get(f"{PREFIX}/session", base_url=BASE)) == (401, "not-signed-in")


def test_a_guessed_cookie_never_reaches_the_database(fresh: HttpWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("inventory.auth.web.sessions.caller_for_session", lambda _, secret: asked.append(secret))
    client = fresh.app.test_client()
    client.set_cookie("sanitrail", "A" * 43 + "." + "0" * 32, domain="127.0.0.1")
    assert client.get(f"{PREFIX}/session", base_url=BASE).status_code == 401
    assert asked == []


@pytest.mark.parametrize(
    "headers",
    [
        {},
        OURS,
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_forged_request_on_a_session_changes_nothing(fresh: HttpWorld, headers: dict[str, str]) -> None:
    browser = Browser(fresh)
    browser.enter(fresh.newcomer({Role.VIEWER}))
    body = {"name": "forged", "roles": ["viewer"]}
    before = browser.ask("GET", "/tokens").get_json()
    assert problem(browser.ask("POST", "/tokens", body, headers=headers)) == (403, "csrf-refused")
    if "Origin" not in headers or headers["Origin"] != BASE:
        forged = browser.ask("POST", "/tokens", body, headers={**headers, "X-CSRF-Token": browser.token})
        assert problem(forged) == (403, "csrf-refused")
    assert browser.ask("GET", "/tokens").get_json() == before
    assert browser.ask("POST", "/tokens", body).status_code == 201


def test_nobody_is_signed_in_from_another_site(fresh: HttpWorld) -> None:
    somebody = fresh.newcomer({Role.VIEWER})
    body = {"secret": somebody.link, "password": PASSWORD}
    forged = Browser(fresh).ask("POST", "/welcome", body, headers={"Origin": "https://evil.example"})
    assert problem(forged) == (403, "csrf-refused")
    Browser(fresh).enter(somebody)


def test_a_token_carries_no_more_than_its_roles(fresh: HttpWorld) -> None:
    browser = Browser(fresh)
    browser.enter(fresh.newcomer({Role.OPERATOR, Role.CUSTODIAN}))
    narrow = browser.ask("POST", "/tokens", {"name": "narrow", "roles": ["custodian"]})
    assert narrow.status_code == 201
    secret = narrow.get_json()["secret"]
    bearer = {"Authorization": f"Bearer {secret}"}
    assert fresh.call("GET", "/session", headers=bearer).get_json()["roles"] == ["custodian"]
    assert problem(fresh.call("POST", "/orders", {}, headers=bearer)) == (403, "forbidden")
    assert browser.ask("POST", "/tokens", {"name": "wide", "roles": ["administrator"]}).status_code == 422
    assert browser.ask("DELETE", f"/tokens/{narrow.get_json()['token']['id']}").status_code == 204
    assert problem(fresh.call("GET", "/session", headers=bearer)) == (401, "not-signed-in")


def test_a_token_expires(fresh: HttpWorld) -> None:
    browser = Browser(fresh)
    browser.enter(fresh.newcomer({Role.VIEWER}))
    made = browser.ask("POST", "/tokens", {"name": "brief", "roles": ["viewer"], "lifetime_seconds": 60}).get_json()
    bearer = {"Authorization": f"Bearer {made['secret']}"}
    assert fresh.call("GET", "/session", headers=bearer).status_code == 200
    fresh.clock.advance(seconds=61)
    assert fresh.call("GET", "/session", headers=bearer).status_code == 401
