"""What is good once is good once, also when two ask at the same moment, on both databases."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
import sqlalchemy as sa

from inventory.domain.roles import Role
from inventory.domain.scopes import EVERYTHING
from inventory.domain.signin import STEP_SECONDS, Way, one_time_code
from inventory.errors import InventoryError
from inventory.models import Person, WebSession
from inventory.services import authenticators, passkeys, people, sessions, setup
from inventory.services.ceremonies import Assertion, Attestation
from inventory.services.context import Actor, Context
from inventory.services.passkeys import Register
from inventory.services.sessions import SignedIn, SignIn, UseLink
from inventory.settings import Settings
from reports.canonical import from_base64
from tests.support.inventory_world import FixedClock
from tests.support.software_passkey import SoftwarePasskey

HOST = "sanitrail.example.org"
PASSWORD = "correct horse battery staple"


@pytest.fixture
def context(database_url: str, tmp_path: Path) -> Iterator[Context]:
    settings = Settings(data_dir=tmp_path / "data", database_url=database_url, external_url=f"https://{HOST}")
    opened = setup.initialise(settings, FixedClock())
    yield opened
    opened.database.close()


def _boss() -> Actor:
    return Actor("test-bootstrap", "person", frozenset({Role.ADMINISTRATOR}), scope=EVERYTHING)


def _invite(context: Context, login: str) -> str:
    command = people.CreatePerson(login=login, name=login, title="", contact="", roles=frozenset({Role.VIEWER}))
    return people.create_person(context, _boss(), command)[1].secret


def _at_once(deed: Callable[[], SignedIn]) -> list[SignedIn]:
    """Two at the same moment; those that got in."""
    together = Barrier(2)

    def one() -> SignedIn | None:
        together.wait()
        try:
            return deed()
        except InventoryError:
            return None

    with ThreadPoolExecutor(2) as pool:
        found = [future.result() for future in [pool.submit(one), pool.submit(one)]]
    return [one for one in found if one is not None]


def test_a_code_and_a_recovery_code_let_one_in(context: Context) -> None:
    entered = sessions.use_link(context, UseLink(secret=_invite(context, "ada"), password=PASSWORD))
    actor = sessions.caller_for_session(context, entered.secret).actor
    secret = base64.b32decode(authenticators.begin(context, actor).secret)
    step = int(context.now().timestamp()) // STEP_SECONDS
    codes = authenticators.confirm(context, actor, one_time_code(secret, step - 1))
    for code in (one_time_code(secret, step), codes[0]):
        command = SignIn(login="ada", password=PASSWORD, address="192.0.2.7", code=code)
        (one,) = _at_once(lambda command=command: sessions.sign_in(context, command))  # type: ignore[misc]
        assert one.session.standing == "full"


def test_a_challenge_lets_one_in_and_a_link_makes_one_passkey(context: Context) -> None:
    secret, key = _invite(context, "ben"), SoftwarePasskey(HOST, f"https://{HOST}")
    options = passkeys.welcome_options(context, secret)
    assert options is not None
    made = {name: from_base64(text) for name, text in key.make(dataclasses.asdict(options)).items()}
    command = Register(label="laptop", answer=Attestation(**made))
    assert len(_at_once(lambda: passkeys.welcome(context, secret, command, ""))) == 1
    asked = passkeys.sign_in_options(context)
    assert asked is not None
    answer = Assertion(**{name: from_base64(text) for name, text in key.ask(dataclasses.asdict(asked)).items()})
    (one,) = _at_once(lambda: passkeys.sign_in(context, answer, ""))
    assert one.session.way is Way.PASSKEY


def test_a_session_from_before_is_worth_a_password_and_no_confirmation(context: Context) -> None:
    """As the migration leaves the rows of older versions."""
    entered = sessions.use_link(context, UseLink(secret=_invite(context, "cara"), password=PASSWORD))
    with context.writing() as session:
        table = sa.inspect(WebSession).local_table
        kept = session.execute(sa.select(table)).mappings().one()
        session.execute(sa.delete(WebSession))
        old = {name: value for name, value in kept.items() if name not in {"way", "confirmed"}}
        session.execute(sa.insert(WebSession).values(**old))
        assert session.get_one(Person, kept["person"]).enabled
    actor = sessions.caller_for_session(context, entered.secret).actor
    assert (actor.standing, actor.recent) == ("setup", False)
