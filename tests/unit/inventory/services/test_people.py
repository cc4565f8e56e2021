"""Accounts, roles, links, sessions, tokens: least privilege, secrets shown once, nobody locked out of their own house."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from inventory.domain.roles import Permission, Role
from inventory.errors import (
    Conflict,
    Duplicate,
    Forbidden,
    Invalid,
    NotFound,
    NotSignedIn,
    StaleVersion,
    TooManyAttempts,
)
from inventory.models import ApiToken, OneTimeLink, Person, WebSession
from inventory.services import passwords, people, sessions, setup
from inventory.services.context import SYSTEM, Actor, authorize
from inventory.services.people import ChangePassword, CreatePerson, SetRoles
from inventory.services.sessions import CreateToken, SignIn, UseLink
from tests.support.inventory_world import World

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real algorithm with its smallest cost: what is tested here is the rule, not the work."""
    from argon2 import PasswordHasher  # noqa: PLC0415

    passwords._nobody.cache_clear()
    monkeypatch.setattr(passwords, "_hasher", lambda: PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def newcomer(world: World, login: str = "new.person", *roles: Role) -> tuple[str, str]:
    command = CreatePerson(
        login=login, name="New Person", title="", contact="", roles=frozenset(roles or {Role.VIEWER})
    )
    view, link = people.create_person(world.context, world.actor("admin"), command)
    return view.ref, link.secret


def test_a_person_is_known_by_a_pseudonym_and_let_in_by_a_link_that_works_once(world: World) -> None:
    ref, secret = newcomer(world)
    assert ref.startswith("p-")
    assert "new" not in ref
    assert sessions.peek_link(world.context, secret).ref == ref
    signed_in = sessions.use_link(world.context, UseLink(secret=secret, password=PASSWORD))
    assert sessions.caller_for_session(world.context, signed_in.secret).actor.ref == ref
    with pytest.raises(NotSignedIn):
        sessions.use_link(world.context, UseLink(secret=secret, password="another password"))


def test_a_link_dies_with_time_and_with_its_successor(world: World) -> None:
    ref, first = newcomer(world)
    second = people.new_link(world.context, world.actor("admin"), ref).secret
    with pytest.raises(NotSignedIn):
        sessions.peek_link(world.context, first)
    world.clock.forward(seconds=world.context.settings.link_seconds + 1)
    with pytest.raises(NotSignedIn):
        sessions.use_link(world.context, UseLink(secret=second, password=PASSWORD))


def test_only_digests_of_secrets_are_stored(world: World) -> None:
    _, secret = newcomer(world)
    signed_in = sessions.use_link(world.context, UseLink(secret=secret, password=PASSWORD))
    actor = sessions.caller_for_session(world.context, signed_in.secret).actor
    _, token = sessions.create_token(world.context, actor, CreateToken(name="script", roles=actor.roles))
    with world.context.reading() as session:
        stored = [
            *session.scalars(sa.select(OneTimeLink.secret_sha256)),
            *session.scalars(sa.select(WebSession.secret_sha256)),
            *session.scalars(sa.select(ApiToken.secret_sha256)),
        ]
        hashes = [text for text in session.scalars(sa.select(Person.password_hash)) if text]
    assert not {secret, signed_in.secret, token} & set(stored)
    assert all(text.startswith("$argon2id$") for text in hashes)
    assert hashes


@pytest.mark.parametrize("login", ["ab", "Has Space", "ümlaut", "-dash", "a" * 65, "a/b"])
def test_a_login_name_has_plain_characters(world: World, login: str) -> None:
    with pytest.raises(Invalid):
        newcomer(world, login)


def test_a_login_name_is_taken_once(world: World) -> None:
    newcomer(world)
    with pytest.raises(Duplicate):
        newcomer(world, "NEW.person")


def test_roles_that_exclude_each_other_are_refused(world: World) -> None:
    with pytest.raises(Invalid, match="administrator and approver"):
        newcomer(world, "both", Role.ADMINISTRATOR, Role.APPROVER)
    ref, _ = newcomer(world)
    with pytest.raises(Invalid):
        people.set_roles(
            world.context, world.actor("admin"), SetRoles(person=ref, roles=frozenset({Role.AUDITOR, Role.OPERATOR}))
        )


def test_somebody_remains_administrator(world: World) -> None:
    admin = world.actor("admin")
    with pytest.raises(Conflict, match="remain administrator"):
        people.set_roles(world.context, admin, SetRoles(person=admin.ref, roles=frozenset({Role.VIEWER})))
    with pytest.raises(Conflict, match="remain administrator"):
        people.set_enabled(world.context, admin, admin.ref, enabled=False)


def test_changing_roles_needs_the_version_that_was_read(world: World) -> None:
    ref, _ = newcomer(world)
    command = SetRoles(person=ref, roles=frozenset({Role.OPERATOR}), version=1)
    assert people.set_roles(world.context, world.actor("admin"), command).roles == {Role.OPERATOR}
    with pytest.raises(StaleVersion):
        people.set_roles(world.context, world.actor("admin"), command)


@pytest.mark.parametrize("login", ["viewer", "operator", "approver1", "validator", "privacy", "auditor", "custodian"])
def test_only_the_administrator_manages_people(world: World, login: str) -> None:
    with pytest.raises(Forbidden, match="administrator"):
        people.new_link(world.context, world.actor(login), world.actor("viewer").ref)


def test_neither_the_system_nor_an_agent_is_granted_a_persons_permission(world: World) -> None:
    for actor in (SYSTEM, world.agent.actor, Actor("x", "agent", frozenset(Role))):
        with pytest.raises(Forbidden):
            authorize(actor, Permission.READ)


def test_disabling_a_person_ends_sessions_tokens_and_links_at_once(world: World) -> None:
    ref, secret = newcomer(world)
    signed_in = sessions.use_link(world.context, UseLink(secret=secret, password=PASSWORD))
    actor = sessions.caller_for_session(world.context, signed_in.secret).actor
    _, token = sessions.create_token(world.context, actor, CreateToken(name="script", roles=actor.roles))
    people.set_enabled(world.context, world.actor("admin"), ref, enabled=False)
    with pytest.raises(NotSignedIn):
        sessions.caller_for_session(world.context, signed_in.secret)
    with pytest.raises(NotSignedIn):
        sessions.caller_for_token(world.context, token)
    with pytest.raises(NotSignedIn):
        sessions.sign_in(world.context, SignIn(login="new.person", password=PASSWORD, address="127.0.0.1"))


def test_erasing_the_directory_leaves_the_pseudonym(world: World) -> None:
    ref, _ = newcomer(world)
    admin = world.actor("admin")
    with pytest.raises(Conflict):
        people.erase_directory(world.context, admin, ref, "left the company")
    people.set_enabled(world.context, admin, ref, enabled=False)
    view = people.erase_directory(world.context, admin, ref, "left the company")
    assert (view.ref, view.name, view.contact) == (ref, None, None)
    assert "new.person" not in view.login


def test_names_are_for_those_who_may_read_evidence_and_contacts_for_those_who_may_read_the_directory(
    world: World,
) -> None:
    ref = world.actor("operator").ref
    whole = people.person(world.context, world.actor("auditor"), ref)
    assert (whole.name, whole.title, whole.contact) != ("Operator Example", None, None)
    beside = people.person(world.context, world.actor("validator"), ref)
    assert (beside.name, beside.title, beside.contact) == ("Operator Example", None, None)
    assert people.person(world.context, world.actor("viewer"), ref).name is None
    assert people.person(world.context, world.actor("operator"), ref).name == "Operator Example"
    assert all(
        row.name is None or row.ref == world.actor("viewer").ref
        for row in people.list_people(world.context, world.actor("viewer"))
    )


def test_whoever_decides_knows_people_by_name_and_two_of_one_name_apart(world: World) -> None:
    admin, ref = world.actor("admin"), world.actor("operator").ref
    known = people.names_by_ref(world.context, world.actor("validator"))
    assert (known[ref].name, known[ref].login) == ("Operator Example", "operator")
    assert people.names_by_ref(world.context, world.actor("viewer"))[ref].name == "operator"
    other, _ = newcomer(world)
    change = people.UpdateDirectory(person=other, name="Operator Example", title="", contact="")
    people.update_directory(world.context, admin, change)
    known = people.names_by_ref(world.context, world.actor("validator"))
    assert {known[ref].name, known[other].name} == {"Operator Example (operator)", "Operator Example (new.person)"}


def signed_in(world: World, login: str = "new.person") -> tuple[sessions.SignedIn, Actor]:
    _, secret = newcomer(world, login, Role.OPERATOR)
    made = sessions.use_link(world.context, UseLink(secret=secret, password=PASSWORD))
    return made, sessions.caller_for_session(world.context, made.secret).actor


def test_a_password_is_checked_and_a_wrong_one_says_nothing_more(world: World) -> None:
    signed_in(world)
    good = sessions.sign_in(world.context, SignIn(login="New.Person", password=PASSWORD, address="127.0.0.1"))
    assert good.person.login == "new.person"
    said = set()
    for login, password in (("new.person", "wrong password"), ("nobody.here", PASSWORD)):
        with pytest.raises(NotSignedIn) as refused:
            sessions.sign_in(world.context, SignIn(login=login, password=password, address="127.0.0.2"))
        said.add(str(refused.value))
    assert len(said) == 1


def test_sign_in_attempts_are_limited_by_name_and_by_address(world: World) -> None:
    signed_in(world)
    limit = world.context.settings.sign_in_attempts

    def attempt(login: str, address: str, password: str = "wrong password") -> None:
        sessions.sign_in(world.context, SignIn(login=login, password=password, address=address))

    for number in range(limit):
        with pytest.raises(NotSignedIn):
            attempt("new.person", f"10.0.0.{number}")
    with pytest.raises(TooManyAttempts) as refused:
        attempt("new.person", "10.0.1.1", PASSWORD)
    assert 0 < refused.value.retry_after_seconds <= 300
    for number in range(limit):
        with pytest.raises(NotSignedIn):
            attempt(f"someone{number}", "10.9.9.9")
    with pytest.raises(TooManyAttempts):
        attempt("yet.another", "10.9.9.9")
    world.clock.forward(minutes=6)
    attempt("new.person", "10.0.1.1", PASSWORD)


def test_success_takes_back_its_own_attempt(world: World) -> None:
    signed_in(world)
    for _ in range(world.context.settings.sign_in_attempts * 2):
        sessions.sign_in(world.context, SignIn(login="new.person", password=PASSWORD, address="10.0.0.1"))


@pytest.mark.parametrize("password", ["short", "x" * 257, "my new.person password"])
def test_a_password_that_is_none_is_refused(world: World, password: str) -> None:
    _, secret = newcomer(world)
    with pytest.raises(Invalid):
        sessions.use_link(world.context, UseLink(secret=secret, password=password))


def test_changing_the_password_needs_the_old_one_and_ends_the_other_sessions(world: World) -> None:
    first, actor = signed_in(world)
    second = sessions.sign_in(world.context, SignIn(login="new.person", password=PASSWORD, address="127.0.0.1"))
    with pytest.raises(NotSignedIn):
        people.change_password(world.context, actor, ChangePassword(current="not it at all", new="another password"))
    people.change_password(world.context, actor, ChangePassword(current=PASSWORD, new="another password"))
    assert sessions.caller_for_session(world.context, first.secret).actor.ref == actor.ref
    with pytest.raises(NotSignedIn):
        sessions.caller_for_session(world.context, second.secret)


def test_a_session_ends_when_idle_and_in_any_case_after_its_time(world: World) -> None:
    made, _ = signed_in(world)
    settings = world.context.settings
    for _ in range(settings.session_absolute_seconds // settings.session_idle_seconds):
        world.clock.forward(seconds=settings.session_idle_seconds - 1)
        sessions.caller_for_session(world.context, made.secret)
    world.clock.forward(seconds=settings.session_idle_seconds - 1)
    with pytest.raises(NotSignedIn):
        sessions.caller_for_session(world.context, made.secret)
    idle, _ = signed_in(world, "other.person")
    world.clock.forward(seconds=settings.session_idle_seconds)
    with pytest.raises(NotSignedIn):
        sessions.caller_for_session(world.context, idle.secret)


def test_one_ends_ones_own_sessions_only(world: World) -> None:
    made, actor = signed_in(world)
    _, stranger = signed_in(world, "other.person")
    assert [row.id for row in sessions.list_sessions(world.context, actor)] == [made.session.id]
    with pytest.raises(NotFound):
        sessions.end_session(world.context, stranger, made.session.id)
    sessions.end_session(world.context, actor, made.session.id)
    assert sessions.list_sessions(world.context, actor) == ()
    sessions.sign_out(world.context, "no such secret")


def test_a_token_never_reaches_beyond_its_owner(world: World) -> None:
    _, actor = signed_in(world)
    with pytest.raises(Invalid):
        sessions.create_token(world.context, actor, CreateToken(name="too much", roles=frozenset({Role.ADMINISTRATOR})))
    with pytest.raises(Invalid):
        sessions.create_token(world.context, actor, CreateToken(name="nothing", roles=frozenset()))
    view, secret = sessions.create_token(world.context, actor, CreateToken(name="script", roles=actor.roles))
    assert sessions.caller_for_token(world.context, secret).actor.roles == {Role.OPERATOR}
    people.set_roles(world.context, world.actor("admin"), SetRoles(person=actor.ref, roles=frozenset({Role.CUSTODIAN})))
    assert sessions.caller_for_token(world.context, secret).actor.roles == frozenset()
    with pytest.raises(NotFound):
        sessions.revoke_token(world.context, world.actor("operator"), view.id)
    sessions.revoke_token(world.context, actor, view.id)
    with pytest.raises(NotSignedIn):
        sessions.caller_for_token(world.context, secret)


def test_a_token_dies_of_age(world: World) -> None:
    _, actor = signed_in(world)
    command = CreateToken(name="short", roles=actor.roles, lifetime=timedelta(minutes=5))
    _, secret = sessions.create_token(world.context, actor, command)
    world.clock.forward(minutes=5)
    with pytest.raises(NotSignedIn):
        sessions.caller_for_token(world.context, secret)


def test_the_terminals_link_is_for_the_first_administrator_only(world: World) -> None:
    link = setup.first_administrator_link(world.context)
    assert link is not None
    assert link.person == world.actor("admin").ref
    sessions.use_link(world.context, UseLink(secret=link.secret, password=PASSWORD))
    assert setup.first_administrator_link(world.context) is None
    recovered = setup.recover_administrator_link(world.context, "admin")
    assert recovered.person == world.actor("admin").ref
    with pytest.raises(NotFound):
        setup.recover_administrator_link(world.context, "operator")
