"""Single sign-on against a real provider on loopback: linked accounts, strangers, other browsers, late and replayed answers."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from inventory.auth.web import EXTENSION
from inventory.contract.v1.endpoints import PREFIX
from inventory.domain.roles import Role
from inventory.domain.signin import STEP_SECONDS, one_time_code
from inventory.errors import Conflict
from inventory.models import WebSession
from inventory.services import sso
from inventory.services.context import Actor
from inventory.settings import SingleSignOn
from tests.support.capabilities import requires_postgres, requires_tool
from tests.support.http_world import PASSWORD, HttpWorld, MovableClock, Person
from tests.support.oidc_provider import SECRET, Visitor, provider, requires_provider

BASE = "https://sanitrail.example.org"
BACK = f"{BASE}/console/sso/back"
REFUSED = "/console/sign-in?said=sso-refused"
OURS = {"Origin": BASE, "Sec-Fetch-Site": "same-origin"}

pytestmark = [pytest.mark.reference_tool, requires_tool("node"), requires_provider]


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with provider(BACK) as running:
        yield running


def _world(folder: Path, issuer: str, database_url: str = "") -> HttpWorld:
    secret = folder / "secret"
    secret.touch(mode=0o600)
    secret.write_text(SECRET)
    return HttpWorld(
        folder, base=BASE, external_url=BASE, second_factor="required", clock=MovableClock(datetime.now(tz=UTC)),
        database_url=database_url,
        sso={"issuer": issuer, "client_id": "sanitrail", "client_secret_file": str(secret), "name": "Example ID"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, issuer: str) -> Iterator[HttpWorld]:
    made = _world(tmp_path_factory.mktemp("sso"), issuer)
    yield made
    made.close()


class Browser:
    """Somebody's browser, at our pages and at the provider's."""

    def __init__(self, world: HttpWorld) -> None:
        self.world = world
        self.client: FlaskClient = world.app.test_client()
        self.abroad = Visitor(world.settings.sso.issuer if world.settings.sso else "")

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(path, base_url=BASE, headers={"Sec-Fetch-Site": "same-origin", **headers})

    def away(self, path: str) -> str:
        """Where we are sent, having asked for it on our own page."""
        reply = self.get(path)
        assert reply.status_code == 303, reply.text
        return str(reply.location)

    def through(self, path: str, name: str) -> str:
        """There, as somebody, and the address it sends us back to."""
        return self.abroad.go(self.away(path), name)

    def back(self, address: str) -> TestResponse:
        parts = urlsplit(address)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == BACK
        return self.get(f"{parts.path}?{parts.query}", **{"Sec-Fetch-Site": "cross-site"})

    def session(self) -> dict[str, Any] | None:
        reply = self.client.get(f"{PREFIX}/session", base_url=BASE)
        return reply.get_json() if reply.status_code == 200 else None

    def enter(self, somebody: Person) -> None:
        """By link and password; a whole session only after a second factor, which SSO is not."""
        body = {"secret": somebody.link, "password": PASSWORD}
        assert self.client.post(f"{PREFIX}/welcome", json=body, headers=OURS, base_url=BASE).status_code == 201


def _whole(world: HttpWorld, *roles: Role) -> tuple[Browser, Person]:
    """Somebody in a whole session, by an app."""
    somebody, browser = world.newcomer(roles or (Role.VIEWER,)), Browser(world)
    browser.enter(somebody)
    me = browser.session()
    assert me is not None
    headers = {**OURS, "X-CSRF-Token": str(me["csrf_token"])}
    made = browser.client.post(f"{PREFIX}/session/authenticator", headers=headers, base_url=BASE).get_json()
    step = int(world.clock.now().timestamp()) // STEP_SECONDS
    code = {"code": one_time_code(base64.b32decode(made["secret"]), step)}
    done = browser.client.post(
        f"{PREFIX}/session/authenticator/confirmation", json=code, headers=headers, base_url=BASE
    )
    assert done.status_code == 200, done.text
    return browser, somebody


@pytest.fixture(scope="module")
def linked(world: HttpWorld) -> tuple[Browser, Person]:
    """Somebody who has linked the account `alice`."""
    browser, somebody = _whole(world, Role.ADMINISTRATOR)
    reply = browser.back(browser.through("/console/sso/link", "alice"))
    assert (reply.status_code, reply.location) == (303, "/console/account")
    return browser, somebody


def test_a_linked_account_opens_a_whole_session_and_leads_to_the_page_one_wanted(
    world: HttpWorld, linked: tuple[Browser, Person]
) -> None:
    browser = Browser(world)
    reply = browser.back(browser.through("/console/sso?next=/console/devices", "alice"))
    assert (reply.status_code, reply.location) == (303, "/console/devices")
    me = browser.session()
    assert me is not None
    assert me["person"]["ref"] == linked[1].ref
    assert (me["session"]["way"], me["session"]["standing"]) == ("sso", "full")
    assert browser.get("/console/people").status_code == 200


def test_what_is_asked_binds_code_browser_and_answer(world: HttpWorld) -> None:
    asked = parse_qs(urlsplit(Browser(world).away("/console/sso")).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["response_type"] == ["code"]
    assert asked["redirect_uri"] == [BACK]
    again = parse_qs(urlsplit(Browser(world).away("/console/sso")).query)
    for name in ("state", "nonce", "code_challenge"):
        assert len(asked[name][0]) >= 32
        assert asked[name] != again[name]


def test_an_account_that_is_nobodys_here_lets_nobody_in(world: HttpWorld) -> None:
    browser = Browser(world)
    reply = browser.back(browser.through("/console/sso", "mallory"))
    assert (reply.status_code, reply.location) == (303, REFUSED)
    assert browser.session() is None


def test_an_answer_in_another_browser_is_refused(world: HttpWorld, linked: tuple[Browser, Person]) -> None:
    address = Browser(world).through("/console/sso", "alice")
    victim = Browser(world)
    assert victim.back(address).location == REFUSED
    victim.away("/console/sso")  # a note of its own does not help
    assert victim.back(address).location == REFUSED
    assert victim.session() is None


def test_an_answer_is_good_once_and_not_late(world: HttpWorld, linked: tuple[Browser, Person]) -> None:
    browser = Browser(world)
    address = browser.through("/console/sso", "alice")
    kept = browser.client.get_cookie("__Host-sanitrail-sso", domain="sanitrail.example.org")
    assert kept is not None
    assert browser.back(address).location == "/console/"
    other = Browser(world)
    other.client.set_cookie("__Host-sanitrail-sso", kept.value, domain="sanitrail.example.org", secure=True)
    assert other.back(address).location == REFUSED
    late = Browser(world)
    address = late.through("/console/sso", "alice")
    world.clock.advance(minutes=11)
    try:
        assert late.back(address).location == REFUSED
    finally:
        world.clock.advance(minutes=-11)


@pytest.mark.postgres
@pytest.mark.xdist_group("postgres")
@requires_postgres
def test_on_postgresql_an_account_is_linked_once_and_an_answer_is_good_once(
    tmp_path: Path, issuer: str, new_postgres: Callable[[], str]
) -> None:
    world = _world(tmp_path, issuer, new_postgres())
    try:
        first, somebody = _whole(world, Role.ADMINISTRATOR)
        assert first.back(first.through("/console/sso/link", "alice")).location == "/console/account"
        second, _ = _whole(world, Role.VIEWER)
        assert second.back(second.through("/console/sso/link", "alice")).location != "/console/account"
        browser = Browser(world)
        address = browser.through("/console/sso?next=/console/devices", "alice")
        kept = browser.client.get_cookie("__Host-sanitrail-sso", domain="sanitrail.example.org")
        assert kept is not None
        assert browser.back(address).location == "/console/devices"
        me = browser.session()
        assert me is not None
        assert (me["person"]["ref"], me["session"]["standing"]) == (somebody.ref, "full")
        other = Browser(world)
        other.client.set_cookie("__Host-sanitrail-sso", kept.value, domain="sanitrail.example.org", secure=True)
        assert other.back(address).location == REFUSED
        stranger = Browser(world)
        assert stranger.back(stranger.through("/console/sso", "mallory")).location == REFUSED
    finally:
        world.close()


@pytest.mark.parametrize(
    "change", [{"iss": "https://evil.example"}, {"iss": None}, {"code": "made-up"}, {"code": None}, {"state": "x"}]
)
def test_an_answer_that_was_altered_is_refused(
    world: HttpWorld, linked: tuple[Browser, Person], change: dict[str, str | None]
) -> None:
    browser = Browser(world)
    parts = urlsplit(browser.through("/console/sso", "alice"))
    said = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert "iss" in said
    altered = {name: value for name, value in {**said, **change}.items() if value is not None}
    reply = browser.back(parts._replace(query=urlencode(altered)).geturl())
    assert reply.location == REFUSED
    assert browser.session() is None


def test_a_note_for_one_thing_does_nothing_else(world: HttpWorld, linked: tuple[Browser, Person]) -> None:
    browser, _ = linked
    address = browser.through("/console/sso/confirm?next=/console/people", "alice")
    stranger = Browser(world)
    note = browser.client.get_cookie("__Host-sanitrail-sso", domain="sanitrail.example.org")
    assert note is not None
    stranger.client.set_cookie("__Host-sanitrail-sso", note.value, domain="sanitrail.example.org", secure=True)
    assert stranger.back(address).location == REFUSED
    assert stranger.session() is None


def test_nobody_else_begins_to_link_for_me(world: HttpWorld, linked: tuple[Browser, Person]) -> None:
    browser, _ = linked
    for site in ("cross-site", "same-site", "none"):
        reply = browser.get("/console/sso/link", **{"Sec-Fetch-Site": site})
        assert reply.status_code == 403, site


def test_an_account_is_linked_to_one_person_only(world: HttpWorld, linked: tuple[Browser, Person]) -> None:
    other, _ = _whole(world)
    reply = other.back(other.through("/console/sso/link", "alice"))
    assert reply.location == "/console/account?said=sso-refused"


def test_showing_again_who_one_is_asks_the_provider_anew(world: HttpWorld, linked: tuple[Browser, Person]) -> None:
    browser = Browser(world)
    browser.back(browser.through("/console/sso", "alice"))
    _age(world, browser)
    assert browser.get("/console/people/new").location == "/console/confirm?next=/console/people/new"
    address = browser.away("/console/sso/confirm?next=/console/people/new")
    assert "prompt=login" in address
    assert "max_age=0" in address
    browser.abroad = Visitor(browser.abroad.issuer)
    wrong = browser.back(browser.through("/console/sso/confirm?next=/console/people/new", "bob"))
    assert wrong.location == "/console/account?said=sso-refused"
    assert browser.get("/console/people/new").status_code == 303
    browser.abroad = Visitor(browser.abroad.issuer)
    right = browser.back(browser.through("/console/sso/confirm?next=/console/people/new", "alice"))
    assert right.location == "/console/people/new"
    assert browser.get("/console/people/new").status_code == 200


def _age(world: HttpWorld, browser: Browser) -> None:
    """Let it be long since this session's person showed themselves."""
    me = browser.session()
    assert me is not None
    with world.context.writing() as session:
        long_ago = datetime(2026, 1, 1, tzinfo=UTC)
        session.execute(sa.update(WebSession).where(WebSession.id == me["session"]["id"]).values(confirmed=long_ago))


@contextmanager
def _under(world: HttpWorld, **changes: object) -> Iterator[None]:
    """The same inventory and application under other settings of single sign-on."""
    assert world.settings.sso is not None
    sso = SingleSignOn.model_validate({**world.settings.sso.model_dump(), **changes})
    context = dataclasses.replace(world.context, settings=world.settings.model_copy(update={"sso": sso}))
    opened = world.app.extensions[EXTENSION]
    world.app.extensions[EXTENSION] = dataclasses.replace(opened, context=context)
    try:
        yield
    finally:
        world.app.extensions[EXTENSION] = opened


def test_a_claim_is_a_login_name_only_where_the_settings_say_so(world: HttpWorld) -> None:
    somebody = world.newcomer({Role.VIEWER})
    browser = Browser(world)
    assert browser.back(browser.through("/console/sso", somebody.login)).location == REFUSED
    with _under(world, login_claim="preferred_username"):
        browser = Browser(world)
        assert browser.back(browser.through("/console/sso", somebody.login)).location == "/console/"
        me = browser.session()
        assert me is not None
        assert me["person"]["ref"] == somebody.ref
        (identity,) = browser.client.get(f"{PREFIX}/session/factors", base_url=BASE).get_json()["identities"]
        # Unlinked, the same name at the provider lets nobody in again, whoever has it by then.
        Browser(world).enter(somebody)
        sso.unlink(world.context, Actor(somebody.ref, "person"), identity["id"])
        again = Browser(world)
        assert again.back(again.through("/console/sso", somebody.login)).location == REFUSED


def test_the_only_way_in_is_not_unlinked(world: HttpWorld) -> None:
    somebody = world.newcomer({Role.VIEWER})
    with _under(world, login_claim="preferred_username"):
        browser = Browser(world)
        browser.back(browser.through("/console/sso", somebody.login))
    (identity,) = browser.client.get(f"{PREFIX}/session/factors", base_url=BASE).get_json()["identities"]
    with pytest.raises(Conflict):
        sso.unlink(world.context, Actor(somebody.ref, "person"), identity["id"])


@pytest.mark.parametrize(
    "changes",
    [
        {"login_claim": "email"},
        {"client_id": "somebody-else"},
        {"acr": ("urn:example:hardware",)},
        {"algorithms": ("ES256",)},
        {"client_secret_file": None},
    ],
    ids=repr,
)
def test_settings_that_the_provider_does_not_meet_let_nobody_in(
    world: HttpWorld, linked: tuple[Browser, Person], changes: dict[str, object]
) -> None:
    """An address nobody has verified, another client, a context not reached, another kind of signature, no secret."""
    name = "unverified-person" if "login_claim" in changes else "alice"
    with _under(world, **changes):
        browser = Browser(world)
        assert browser.back(browser.through("/console/sso", name)).location == REFUSED
        assert browser.session() is None


def test_a_public_client_is_bound_by_pkce_alone(world: HttpWorld, linked: tuple[Browser, Person]) -> None:
    with _under(world, client_id="public", client_secret_file=None):
        browser = Browser(world)
        assert browser.back(browser.through("/console/sso", "alice")).location == "/console/"


def test_a_provider_that_is_not_there_is_told_from_an_answer_that_is_wrong(world: HttpWorld) -> None:
    with _under(world, issuer="http://127.0.0.1:9"):
        reply = Browser(world).get("/console/sso")
    assert reply.status_code == 503
    assert "did not answer" in reply.text
