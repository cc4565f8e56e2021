"""Passkeys, authenticator apps and recovery codes over HTTP; a service that demands a second factor of everybody."""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from inventory.cli.client import Client
from inventory.cli.common import Refused
from inventory.contract.v1.endpoints import PREFIX
from inventory.domain.roles import Role
from inventory.domain.signin import STEP_SECONDS, one_time_code
from reports.canonical import to_base64
from tests.support.http_world import PASSWORD, HttpWorld, Person, problem
from tests.support.software_passkey import BE, UP, UV, SoftwarePasskey

HOST = "sanitrail.example.org"
BASE = f"https://{HOST}"
OURS = {"Origin": BASE, "Sec-Fetch-Site": "same-origin"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpWorld]:
    made = HttpWorld(
        tmp_path_factory.mktemp("signing-in"), base=BASE, external_url=BASE, second_factor="required",
        session_idle_seconds=86_400, session_absolute_seconds=30 * 86_400,
    )  # fmt: skip
    yield made
    made.close()


class Browser:
    """Keeps the cookie and sends what a browser sends."""

    def __init__(self, world: HttpWorld) -> None:
        self.world = world
        self.client: FlaskClient = world.app.test_client()
        self.token = ""

    def ask(self, method: str, path: str, json: object = None) -> TestResponse:
        given = {"X-CSRF-Token": self.token, **OURS}
        reply = self.client.open(PREFIX + path, method=method, json=json, headers=given, base_url=BASE)
        if reply.is_json and "csrf_token" in (reply.get_json() or {}):
            self.token = reply.get_json()["csrf_token"]
        return reply

    def good(self, method: str, path: str, json: object = None) -> Any:  # noqa: ANN401 - any JSON
        reply = self.ask(method, path, json)
        assert reply.status_code < 300, reply.text
        return reply.get_json() if reply.data else None

    def enter(self, somebody: Person) -> Any:  # noqa: ANN401 - who they are
        return self.good("POST", "/welcome", {"secret": somebody.link, "password": PASSWORD})

    def again(self, somebody: Person, code: str = "") -> Any:  # noqa: ANN401 - who they are
        return self.good("POST", "/session", {"login": somebody.login, "password": PASSWORD, "code": code})


def code_of(world: HttpWorld, secret: str, later: int = 0) -> str:
    return one_time_code(base64.b32decode(secret), int(world.clock.now().timestamp()) // STEP_SECONDS + later)


def with_app(world: HttpWorld, *roles: Role) -> tuple[Browser, Person, str, list[str]]:
    """Somebody who has set up an app; the next step is a fresh one."""
    somebody, browser = world.newcomer(roles or (Role.VIEWER,)), Browser(world)
    browser.enter(somebody)
    secret = browser.good("POST", "/session/authenticator")["secret"]
    codes = browser.good("POST", "/session/authenticator/confirmation", {"code": code_of(world, secret)})["codes"]
    world.clock.advance(seconds=STEP_SECONDS)
    return browser, somebody, secret, codes


def with_passkey(world: HttpWorld, *roles: Role, **kept: Any) -> tuple[Browser, Person, SoftwarePasskey]:  # noqa: ANN401
    """Somebody who never had a password."""
    somebody, browser, key = (
        world.newcomer(roles or (Role.VIEWER,)),
        Browser(world),
        SoftwarePasskey(HOST, BASE, **kept),
    )
    options = browser.good("POST", "/welcome/passkey-options", {"secret": somebody.link})["options"]
    made = {"secret": somebody.link, "label": "laptop", **key.make(options)}
    assert browser.good("POST", "/welcome/passkey", made)["session"]["standing"] == "full"
    return browser, somebody, key


# --- a password alone


def test_a_password_alone_opens_nothing_but_the_way_to_a_second_factor(world: HttpWorld) -> None:
    browser = Browser(world)
    who = browser.enter(world.newcomer({Role.ADMINISTRATOR}))
    assert who["roles"] == []
    assert who["session"]["standing"] == "setup"
    for method, path, body in (
        ("GET", "/devices", None),
        ("GET", "/people", None),
        ("POST", "/people", {"login": "friend", "name": "Friend", "roles": []}),
        ("GET", "/tokens", None),
        ("GET", "/sessions", None),
        ("POST", "/tokens", {"name": "mine", "roles": ["administrator"]}),
        ("POST", "/session/recovery-codes", None),
    ):
        assert problem(browser.ask(method, path, body)) == (403, "second-factor-needed"), path
    assert browser.good("GET", "/session/factors")["passkeys"] == []


def test_an_app_makes_a_whole_session_of_it_and_is_asked_from_then_on(world: HttpWorld) -> None:
    browser, somebody, secret, codes = with_app(world)
    assert len(set(codes)) == 10
    assert browser.good("GET", "/session")["session"]["standing"] == "full"
    assert browser.ask("GET", "/devices").status_code == 200
    other = Browser(world)
    assert other.again(somebody)["session"]["standing"] == "code"
    assert problem(other.ask("GET", "/devices")) == (403, "second-factor-needed")
    assert problem(other.ask("POST", "/session/authenticator")) == (403, "second-factor-needed")
    assert problem(other.ask("POST", "/passkeys/options")) == (403, "second-factor-needed")
    assert problem(other.ask("POST", "/session/second-factor", {"code": "000000"})) == (401, "not-signed-in")
    who = other.good("POST", "/session/second-factor", {"code": code_of(world, secret)})
    assert who["roles"] == ["viewer"]
    assert other.ask("GET", "/devices").status_code == 200


def test_password_and_code_go_in_one_step_and_no_code_is_good_twice(world: HttpWorld) -> None:
    _, somebody, secret, _ = with_app(world)
    code = code_of(world, secret)
    assert Browser(world).again(somebody, code)["session"]["way"] == "password-code"
    body = {"login": somebody.login, "password": PASSWORD, "code": code}
    assert problem(Browser(world).ask("POST", "/session", body)) == (401, "not-signed-in")


def test_a_wrong_password_with_a_right_code_takes_nothing(world: HttpWorld) -> None:
    _, somebody, secret, _ = with_app(world)
    code = code_of(world, secret)
    body = {"login": somebody.login, "password": "not the password", "code": code}
    assert problem(Browser(world).ask("POST", "/session", body)) == (401, "not-signed-in")
    assert Browser(world).again(somebody, code)["session"]["standing"] == "full"


def test_a_recovery_code_is_good_once_and_new_ones_end_the_old(world: HttpWorld) -> None:
    browser, somebody, _, codes = with_app(world)
    assert Browser(world).again(somebody, codes[0].upper())["session"]["way"] == "password-recovery"
    again = {"login": somebody.login, "password": PASSWORD, "code": codes[0]}
    assert problem(Browser(world).ask("POST", "/session", again)) == (401, "not-signed-in")
    assert browser.good("GET", "/session/factors")["recovery_codes"] == 9
    fresh = browser.good("POST", "/session/recovery-codes")["codes"]
    assert not set(fresh) & set(codes)
    assert problem(Browser(world).ask("POST", "/session", {**again, "code": codes[1]})) == (401, "not-signed-in")
    assert Browser(world).again(somebody, fresh[0])["session"]["standing"] == "full"


def test_somebody_elses_recovery_code_is_none_of_ours(world: HttpWorld) -> None:
    _, _, _, codes = with_app(world)
    _, other, _, _ = with_app(world, Role.OPERATOR)
    body = {"login": other.login, "password": PASSWORD, "code": codes[3]}
    assert problem(Browser(world).ask("POST", "/session", body)) == (401, "not-signed-in")


def test_guessing_codes_is_limited_even_with_the_right_one_at_last(world: HttpWorld) -> None:
    _, somebody, secret, _ = with_app(world)
    browser = Browser(world)
    browser.again(somebody)
    for guess in range(5):
        assert browser.ask("POST", "/session/second-factor", {"code": f"{guess:06d}"}).status_code == 401
    world.clock.advance(minutes=6)
    right = {"code": code_of(world, secret)}
    assert problem(browser.ask("POST", "/session/second-factor", right)) == (429, "too-many-attempts")
    world.clock.advance(minutes=10)
    browser.again(somebody)
    browser.good("POST", "/session/second-factor", {"code": code_of(world, secret)})


def test_an_app_counts_only_after_its_first_code(world: HttpWorld) -> None:
    somebody, browser = world.newcomer({Role.VIEWER}), Browser(world)
    browser.enter(somebody)
    first = browser.good("POST", "/session/authenticator")["secret"]
    second = browser.good("POST", "/session/authenticator")["secret"]
    assert first != second
    refused = browser.ask("POST", "/session/authenticator/confirmation", {"code": code_of(world, first)})
    assert problem(refused) == (401, "not-signed-in")
    assert Browser(world).again(somebody)["session"]["standing"] == "setup"


def test_secrets_of_apps_and_recovery_codes_do_not_stand_in_the_database(world: HttpWorld) -> None:
    _, _, secret, codes = with_app(world)
    world.context.database.engine.raw_connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = b"".join(path.read_bytes() for path in world.settings.data_dir.glob("inventory.db*"))
    assert base64.b32decode(secret) not in content
    assert secret.encode() not in content
    for code in codes:
        assert code.encode() not in content
        assert code.replace("-", "").encode() not in content


# --- passkeys


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP256R1()),
        ed25519.Ed25519PrivateKey.generate(),
        rsa.generate_private_key(public_exponent=65537, key_size=2048),
    ],
    ids=["ES256", "EdDSA", "RS256"],
)
def test_a_link_and_a_passkey_and_no_password_ever(world: HttpWorld, key: Any) -> None:  # noqa: ANN401 - of three kinds
    browser, somebody, passkey = with_passkey(world, key=key)
    assert browser.good("GET", "/session/factors")["password"] is False
    other = Browser(world)
    options = other.good("GET", "/session/passkey")["options"]
    who = other.good("POST", "/session/passkey", passkey.ask(options))
    assert (who["person"]["ref"], who["session"]["way"], who["roles"]) == (somebody.ref, "passkey", ["viewer"])
    used = Browser(world).ask("POST", "/welcome", {"secret": somebody.link, "password": PASSWORD})
    assert problem(used) == (401, "not-signed-in")


@pytest.mark.parametrize(
    "wrong",
    [
        {"flags": UP | BE},
        {"flags": UV | BE},
        {"rp_id": "evil.example"},
        {"origin": "https://evil.example"},
        {"origin": f"http://{HOST}"},
        {"origin": f"https://{HOST}:8443"},
        {"cross_origin": True},
        {"type": "webauthn.create"},
        {"challenge": b"\0" * 48},
        {"challenge": b""},
        {"credential_id": b"another"},
    ],
    ids=lambda wrong: "-".join(f"{name}={value!r}" for name, value in wrong.items()),
)
def test_an_answer_that_is_wrong_in_one_way_lets_nobody_in(world: HttpWorld, wrong: dict[str, Any]) -> None:
    _, _, passkey = _kept(world)
    browser = Browser(world)
    options = browser.good("GET", "/session/passkey")["options"]
    assert problem(browser.ask("POST", "/session/passkey", passkey.ask(options, **wrong))) == (401, "not-signed-in")
    assert browser.ask("POST", "/session/passkey", passkey.ask(options)).status_code == 201


_KEPT: dict[int, tuple[Browser, Person, SoftwarePasskey]] = {}


def _kept(world: HttpWorld) -> tuple[Browser, Person, SoftwarePasskey]:
    if id(world) not in _KEPT:
        _KEPT[id(world)] = with_passkey(world, Role.VIEWER)
    return _KEPT[id(world)]


def test_another_keys_signature_lets_nobody_in(world: HttpWorld) -> None:
    _, _, passkey = _kept(world)
    thief = SoftwarePasskey(HOST, BASE, credential_id=passkey.credential_id)
    browser = Browser(world)
    options = browser.good("GET", "/session/passkey")["options"]
    assert problem(browser.ask("POST", "/session/passkey", thief.ask(options))) == (401, "not-signed-in")


def test_a_challenge_is_good_once_for_ten_minutes_and_for_one_purpose(world: HttpWorld) -> None:
    inside, _, passkey = _kept(world)
    browser = Browser(world)
    options = browser.good("GET", "/session/passkey")["options"]
    answer = passkey.ask(options)
    assert browser.ask("POST", "/session/passkey", answer).status_code == 201
    assert problem(Browser(world).ask("POST", "/session/passkey", answer)) == (401, "not-signed-in")
    late = Browser(world).good("GET", "/session/passkey")["options"]
    world.clock.advance(minutes=11)
    assert problem(Browser(world).ask("POST", "/session/passkey", passkey.ask(late))) == (401, "not-signed-in")
    confirming = inside.good("GET", "/session/confirmation")["options"]
    elsewhere = Browser(world).ask("POST", "/session/passkey", passkey.ask(confirming))
    assert problem(elsewhere) == (401, "not-signed-in")


def test_a_counter_that_goes_back_is_refused_and_noted(world: HttpWorld) -> None:
    _, _, passkey = with_passkey(world, counter=7)
    copied = passkey.counter
    for _ in range(2):
        options = Browser(world).good("GET", "/session/passkey")["options"]
        assert Browser(world).ask("POST", "/session/passkey", passkey.ask(options)).status_code == 201
    passkey.counter = copied
    options = Browser(world).good("GET", "/session/passkey")["options"]
    assert problem(Browser(world).ask("POST", "/session/passkey", passkey.ask(options))) == (401, "not-signed-in")
    events = world.call("GET", "/events?tag=passkey.counter-back", who=world.person(Role.AUDITOR)).get_json()
    assert len(events["items"]) == 1


@pytest.mark.parametrize("wrong", [{"flags": UP}, {"origin": "https://evil.example"}, {"type": "webauthn.get"}])
def test_no_passkey_is_made_of_a_wrong_answer(world: HttpWorld, wrong: dict[str, Any]) -> None:
    somebody, browser, key = world.newcomer({Role.VIEWER}), Browser(world), SoftwarePasskey(HOST, BASE)
    options = browser.good("POST", "/welcome/passkey-options", {"secret": somebody.link})["options"]
    made = {"secret": somebody.link, "label": "laptop", **key.make(options, **wrong)}
    assert problem(browser.ask("POST", "/welcome/passkey", made)) == (401, "not-signed-in")
    browser.enter(somebody)


@pytest.mark.parametrize(
    "junk", [b"", b"{}", b"\xff" * 40, b"[" * 9000, b"\xbf\xff", b"\x9b" + b"\xff" * 8, b'{"type":1}']
)
def test_junk_in_the_place_of_an_answer_is_refused_in_words(world: HttpWorld, junk: bytes) -> None:
    somebody, browser, key = world.newcomer({Role.VIEWER}), Browser(world), SoftwarePasskey(HOST, BASE)
    options = browser.good("POST", "/welcome/passkey-options", {"secret": somebody.link})["options"]
    good = {"secret": somebody.link, "label": "laptop", **key.make(options)}
    for name in ("client_data", "attestation"):
        reply = browser.ask("POST", "/welcome/passkey", {**good, name: to_base64(junk)})
        assert problem(reply) == (401, "not-signed-in")
    _, _, passkey = _kept(world)
    asked = browser.good("GET", "/session/passkey")["options"]
    for name in ("client_data", "authenticator_data", "signature", "credential_id"):
        reply = browser.ask("POST", "/session/passkey", {**passkey.ask(asked), name: to_base64(junk)})
        assert problem(reply) == (401, "not-signed-in")


def test_a_passkey_is_the_second_factor_where_there_is_no_app(world: HttpWorld) -> None:
    somebody, browser, key = world.newcomer({Role.VIEWER}), Browser(world), SoftwarePasskey(HOST, BASE)
    browser.enter(somebody)
    options = browser.good("POST", "/passkeys/options")["options"]
    browser.good("POST", "/passkeys", {"label": "key", **key.make(options)})
    assert browser.good("GET", "/session")["session"]["standing"] == "full"
    other = Browser(world)
    assert other.again(somebody)["session"]["standing"] == "code"
    asked = other.good("GET", "/session/confirmation")["options"]
    assert asked["allow"] == [to_base64(key.credential_id)]
    assert other.good("POST", "/session/confirmation/passkey", key.ask(asked))["roles"] == ["viewer"]


def test_the_last_way_in_is_not_removed_and_a_removed_one_is_none(world: HttpWorld) -> None:
    browser, _, key = with_passkey(world)
    (first,) = browser.good("GET", "/session/factors")["passkeys"]
    assert problem(browser.ask("DELETE", f"/passkeys/{first['id']}")) == (409, "conflict")
    second = SoftwarePasskey(HOST, BASE)
    options = browser.good("POST", "/passkeys/options")["options"]
    assert options["exclude"] == [to_base64(key.credential_id)]
    browser.good("POST", "/passkeys", {"label": "second", **second.make(options)})
    browser.good("DELETE", f"/passkeys/{first['id']}")
    asked = Browser(world).good("GET", "/session/passkey")["options"]
    assert problem(Browser(world).ask("POST", "/session/passkey", key.ask(asked))) == (401, "not-signed-in")
    stranger, _, _ = _kept(world)
    (others,) = browser.good("GET", "/session/factors")["passkeys"]
    assert problem(stranger.ask("DELETE", f"/passkeys/{others['id']}")) == (404, "not-found")


# --- again, before what is dangerous


def test_a_dangerous_act_wants_somebody_who_has_lately_shown_who_they_are(world: HttpWorld) -> None:
    browser, _, secret, _ = with_app(world, Role.ADMINISTRATOR)
    newcomer = {"login": "recent-friend", "name": "Friend", "roles": ["viewer"]}
    world.clock.advance(minutes=15)
    assert problem(browser.ask("POST", "/people", newcomer)) == (403, "confirmation-needed")
    for path, body in (
        ("/tokens", {"name": "mine", "roles": ["administrator"]}),
        ("/session/recovery-codes", None),
        ("/passkeys", {"label": "x", **SoftwarePasskey(HOST, BASE).make({"challenge": "AAAA"})}),
    ):
        assert problem(browser.ask("POST", path, body)) == (403, "confirmation-needed"), path
    assert browser.ask("GET", "/people").status_code == 200
    wrong = {"password": "not the password", "code": code_of(world, secret)}
    assert problem(browser.ask("POST", "/session/confirmation", wrong)) == (401, "not-signed-in")
    half = {"password": PASSWORD, "code": ""}
    assert problem(browser.ask("POST", "/session/confirmation", half)) == (401, "not-signed-in")
    assert problem(browser.ask("POST", "/people", newcomer)) == (403, "confirmation-needed")
    browser.good("POST", "/session/confirmation", {"password": PASSWORD, "code": code_of(world, secret)})
    browser.good("POST", "/people", newcomer)


def test_a_passkey_shows_it_again_and_only_ones_own_in_ones_own_session(world: HttpWorld) -> None:
    browser, _, key = with_passkey(world, Role.ADMINISTRATOR)
    _, _, others = _kept(world)
    newcomer = {"login": "passkey-friend", "name": "Friend", "roles": ["viewer"]}
    world.clock.advance(minutes=16)
    assert problem(browser.ask("POST", "/people", newcomer)) == (403, "confirmation-needed")
    asked = browser.good("GET", "/session/confirmation")["options"]
    foreign = browser.ask("POST", "/session/confirmation/passkey", others.ask(asked))
    assert problem(foreign) == (401, "not-signed-in")
    assert problem(browser.ask("POST", "/people", newcomer)) == (403, "confirmation-needed")
    browser.good("POST", "/session/confirmation/passkey", key.ask(asked))
    browser.good("POST", "/people", newcomer)
    with_password = browser.ask("POST", "/session/confirmation", {"password": PASSWORD})
    assert problem(with_password) == (409, "conflict")


def test_a_token_registers_nothing_to_sign_in_with(world: HttpWorld) -> None:
    who = world.person(Role.VIEWER)
    for method, path in (
        ("POST", "/passkeys/options"),
        ("POST", "/session/authenticator"),
        ("DELETE", "/session/authenticator"),
        ("POST", "/session/recovery-codes"),
        ("DELETE", "/passkeys/PK-00001"),
    ):
        assert problem(world.call(method, path, who=who)) == (403, "forbidden"), path


def test_an_administrator_resets_what_somebody_lost_but_not_their_own(world: HttpWorld) -> None:
    lost, somebody, key = with_passkey(world)
    boss, chief, _ = with_passkey(world, Role.ADMINISTRATOR)
    reason = {"reason": "Lost their laptop; came to the desk in person."}
    assert problem(boss.ask("POST", f"/people/{chief.ref}/sign-in-reset", reason)) == (403, "separation-of-duty")
    boss.good("POST", f"/people/{somebody.ref}/sign-in-reset", reason)
    assert lost.ask("GET", "/session").status_code == 401
    asked = Browser(world).good("GET", "/session/passkey")["options"]
    assert problem(Browser(world).ask("POST", "/session/passkey", key.ask(asked))) == (401, "not-signed-in")
    link = boss.good("POST", f"/people/{somebody.ref}/links")["secret"]
    back, fresh = Browser(world), SoftwarePasskey(HOST, BASE)
    options = back.good("POST", "/welcome/passkey-options", {"secret": link})["options"]
    back.good("POST", "/welcome/passkey", {"secret": link, "label": "new", **fresh.make(options)})


def test_a_link_takes_nobodys_second_factor_away(world: HttpWorld) -> None:
    _, somebody, _ = with_passkey(world)
    boss, _, _ = with_passkey(world, Role.ADMINISTRATOR)
    link = boss.good("POST", f"/people/{somebody.ref}/links")["secret"]
    thief = Browser(world)
    assert thief.good("POST", "/welcome/passkey-options", {"secret": link})["options"] is None
    entered = thief.good("POST", "/welcome", {"secret": link, "password": PASSWORD})
    assert entered["session"]["standing"] == "code"
    assert problem(thief.ask("GET", "/devices")) == (403, "second-factor-needed")


# --- the console


class Pages:
    """Somebody at the console, without scripts."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser

    def get(self, path: str) -> TestResponse:
        return self.browser.client.get(f"/console{path}", base_url=BASE, headers={"Sec-Fetch-Site": "same-origin"})

    def post(self, path: str, form: dict[str, str], came: str = "") -> TestResponse:
        headers = {"Sec-Fetch-Site": "same-origin", "Referer": f"{BASE}/console{came}"}
        given = {"csrf_token": self.browser.token, "once": secrets.token_hex(16), **form}
        return self.browser.client.post(f"/console{path}", data=given, base_url=BASE, headers=headers)


def test_the_console_leads_whoever_is_half_signed_in_to_the_second_factor(world: HttpWorld) -> None:
    _, somebody, secret, _ = with_app(world)
    pages = Pages(Browser(world))
    pages.browser.again(somebody)
    for path in ("/", "/devices", "/account", "/account/authenticator", "/confirm"):
        assert pages.get(path).location.startswith("/console/second-factor"), path
    refused = pages.post("/account/tokens", {"name": "mine", "token_roles": "viewer", "days": "9"})
    assert refused.location.startswith("/console/second-factor")
    wrong = pages.post("/second-factor", {"code": "000000"})
    assert wrong.status_code == 401
    assert "The code is wrong" in wrong.text
    elsewhere = {"code": code_of(world, secret), "next": "https://evil.example/"}
    assert pages.post("/second-factor", elsewhere).location == "/console/"
    assert pages.get("/devices").status_code == 200


def test_the_console_leads_whoever_has_nothing_yet_to_their_account_and_nowhere_else(world: HttpWorld) -> None:
    pages = Pages(Browser(world))
    pages.browser.enter(world.newcomer({Role.ADMINISTRATOR}))
    assert pages.get("/devices").location.startswith("/console/second-factor")
    assert pages.get("/second-factor").location == "/console/account?said=set-up-factor"
    account = pages.get("/account")
    assert account.status_code == 200
    assert "One thing first" in account.text
    assert "Tokens for scripts" not in account.text
    assert pages.post("/account/authenticator", {"begin": "yes"}).location == "/console/account/authenticator"
    page = pages.get("/account/authenticator").text
    secret = re.findall(r"<code[^>]*>([A-Z2-7]{32})</code>", page)[0]
    assert 'src="data:image/svg+xml' in page
    shown = pages.post("/account/authenticator", {"code": code_of(world, secret)})
    assert len(set(re.findall(r"<code>([a-z2-9-]{19})</code>", shown.text))) == 10
    assert pages.get("/devices").status_code == 200


def test_the_console_asks_again_and_leads_back_to_where_one_was(world: HttpWorld) -> None:
    browser, _, secret, _ = with_app(world, Role.ADMINISTRATOR)
    pages = Pages(browser)
    other = world.newcomer({Role.VIEWER})
    world.clock.advance(minutes=15)
    assert pages.get("/people").status_code == 200
    assert pages.get(f"/people/{other.ref}").status_code == 200
    assert pages.get("/people/new").location == "/console/confirm?next=/console/people/new"
    refused = pages.post(f"/people/{other.ref}/enabled", {"enabled": "no"}, came=f"/people/{other.ref}")
    assert refused.location == f"/console/confirm?next=/console/people/{other.ref}"
    assert pages.post("/confirm", {"password": PASSWORD, "code": "000000"}).status_code == 401
    right = {"password": PASSWORD, "code": code_of(world, secret), "next": f"/console/people/{other.ref}"}
    assert pages.post("/confirm", right).location == f"/console/people/{other.ref}"
    reset = pages.post(f"/people/{other.ref}/reset-sign-in", {"reason": "Lost the telephone; came in person."})
    assert reset.location == f"/console/people/{other.ref}?said=sign-in-reset"


def test_without_scripts_the_pages_say_what_is_missing(world: HttpWorld) -> None:
    pages = Pages(Browser(world))
    page = pages.get("/sign-in").text
    assert "Sign in with a passkey" in page
    assert "Passkeys need JavaScript." in page
    sent = pages.browser.client.post(
        "/console/sign-in", data={"answer": "{}"}, base_url=BASE, headers={"Sec-Fetch-Site": "same-origin"}
    )
    assert sent.status_code == 422


def test_a_command_line_asks_for_the_code(world: HttpWorld) -> None:
    """The client signs in as `sanitrail token create --login` does."""
    _, somebody, secret, _ = with_app(world)
    sent: list[tuple[str, Any]] = []

    class Wired(Client):
        def _send(self, method: str, path: str, body: dict[str, Any] | None) -> tuple[Any, str]:
            sent.append((path, body))
            reply = browser.ask(method, path, body)
            if reply.status_code >= 400:
                raise Refused(reply.get_json()["detail"])
            return (reply.get_json() if reply.data else None), reply.headers.get("Set-Cookie", "")

    browser = Browser(world)
    client = Wired(BASE).sign_in(somebody.login, PASSWORD, lambda: code_of(world, secret))
    assert client.post("/tokens", {"name": "mine", "roles": ["viewer"], "lifetime_seconds": 60})["secret"]
    assert [path for path, _ in sent] == ["/session", "/session/second-factor", "/tokens"]
    with pytest.raises(Refused):
        Wired(BASE).sign_in(somebody.login, PASSWORD, lambda: "000000")
    assert sent[-1][0] == "/session"
    assert browser.ask("GET", "/session").status_code == 401
    new = world.newcomer({Role.VIEWER})
    Browser(world).enter(new)
    with pytest.raises(Refused, match="passkey or an authenticator app"):
        Wired(BASE).sign_in(new.login, PASSWORD, lambda: "")
