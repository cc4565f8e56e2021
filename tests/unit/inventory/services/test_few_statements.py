"""How often the database is asked: what every request and every change costs, and that asking once finds the same (ADR 0058)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from inventory.db import Database
from inventory.domain.roles import Role
from inventory.domain.signin import Way
from inventory.errors import NotSignedIn
from inventory.models import ApiToken, Device, LogEntry, LogHead, Person, WebSession
from inventory.services import devices, lists, people, sessions
from inventory.services.kernel import sign_and_log
from inventory.services.lists import asked_of
from inventory.services.sessions import open_session
from tests.support.inventory_world import World


@contextmanager
def statements(world: World) -> Iterator[list[str]]:
    """What is asked meanwhile; settings of a connection apart."""
    asked: list[str] = []

    def note(*what: object) -> None:
        if not str(what[2]).startswith(("PRAGMA", "BEGIN")):
            asked.append(str(what[2]))

    engine = world.context.database.engine
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


def secret_of(world: World, login: str) -> str:
    with world.context.writing() as session:
        person = session.scalars(sa.select(Person).where(Person.login == login)).one()
        return open_session(session, world.context, person, "test", Way.PASSWORD).secret


def test_who_asks_is_one_statement_and_the_same_as_by_parts(world: World) -> None:
    secret = secret_of(world, "auditor")
    with statements(world) as asked:
        caller = sessions.caller_for_session(world.context, secret)
    assert len(asked) == 1
    assert caller.person == people.person(world.context, world.actor("auditor"), caller.person.ref)
    with pytest.raises(NotSignedIn):
        sessions.caller_for_session(world.context, secret + "x")


def test_who_was_shut_out_is_out_with_the_next_request(world: World) -> None:
    secret = secret_of(world, "auditor")
    assert sessions.caller_for_session(world.context, secret).actor.roles
    with world.context.writing() as session:
        session.scalars(sa.select(Person).where(Person.login == "auditor")).one().enabled = False
    with pytest.raises(NotSignedIn):
        sessions.caller_for_session(world.context, secret)


def test_a_reader_never_waits_for_the_writers_turn(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = secret_of(world, "auditor")
    wanted = sessions.CreateToken(name="script", roles=frozenset({Role.AUDITOR}))
    _, token = sessions.create_token(world.context, world.actor("auditor"), wanted)
    monkeypatch.setattr(Database, "writing", lambda _: pytest.fail("the one writer's turn was taken"))
    for _ in range(2):
        world.clock.forward(minutes=2)
        sessions.caller_for_session(world.context, secret)
        sessions.caller_for_token(world.context, token)
        with world.context.reading() as session:
            assert (
                session.scalars(sa.select(WebSession.last_seen).order_by(WebSession.id.desc())).first()
                == world.clock.now()
            )
            assert session.scalars(sa.select(ApiToken.last_used)).one() == world.clock.now()


def test_a_change_of_state_asks_little_while_others_wait(world: World) -> None:
    number = world.device().id
    with world.context.reading() as session:
        before = session.get_one(LogHead, 1).size
    custodian, command = world.actor("custodian"), devices.ChangeState(device=number, reason="Counted.")
    with statements(world) as asked:
        devices.retire(world.context, custodian, command)
    mine = asked[: next(at for at, one in enumerate(asked) if "UPDATE log_head SET checkpoint" in one) + 1]
    assert len(mine) <= 16, "\n".join(mine)
    assert sum("FROM log_head" in one for one in mine) == 2  # which keys count, and the head with its lock
    with world.context.reading() as session:
        assert session.get_one(LogHead, 1).size == before + 1
        assert session.get_one(Device, number).state == "retired"


def test_several_entries_of_one_transaction_stand_one_after_the_other(world: World) -> None:
    with world.context.writing() as session:
        first = [sign_and_log(session, world.context, "custody", {"n": n}, "acceptance", "D-1")[1] for n in range(3)]
    with world.context.writing() as session:
        again = sign_and_log(session, world.context, "custody", {"n": 3}, "acceptance", "D-1")
    assert [*first, again[1]] == list(range(first[0], first[0] + 4))
    with world.context.reading() as session:
        head = session.get_one(LogHead, 1)
        assert head.size == first[0] + 4
        assert session.scalar(sa.select(sa.func.count()).select_from(LogEntry)) == head.size
        world.context.ledger.check(session)


@pytest.mark.parametrize("query", [{}, {"q": "zzzz-nowhere"}, {"q": "D-0"}, {"state": "in_service"}, {"state": "lost"}])
def test_a_list_and_its_facets_together_are_what_they_are_apart(world: World, query: dict[str, str]) -> None:
    who = world.actor("auditor")
    asked = asked_of(lists.listed("devices"), list(query.items()))
    page, facets = lists.page_with_facets(world.context, who, "devices", asked)
    assert page == lists.page(world.context, who, "devices", asked)
    assert facets == lists.facets(world.context, who, "devices", asked)
    if query.get("q") == "zzzz-nowhere":
        assert {choice.count for facet in facets for choice in facet.choices} <= {0, None}
        assert any(choice.count == 0 for facet in facets for choice in facet.choices)
