"""How often the database is asked: what every request and every change costs, and that asking once finds the same (ADR 0058)."""

from __future__ import annotations

import dataclasses
import gc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from inventory.db import Database
from inventory.domain.exceptions import ExceptionCode
from inventory.domain.roles import Permission, Role
from inventory.domain.signin import Way
from inventory.errors import NotSignedIn
from inventory.models import ApiToken, Device, LogEntry, LogHead, Person, WebSession
from inventory.services import devices, holds, lists, people, queries, sessions
from inventory.services._reach import REACH, reach_of
from inventory.services._scope import able_for
from inventory.services.context import SYSTEM, Actor, once
from inventory.services.holds import PlaceHold
from inventory.services.kernel import raise_exception, sign_and_log
from inventory.services.lists import asked_of
from inventory.services.people import scope_of_person
from inventory.services.queries.devices import DeviceFilter, find_device
from inventory.services.sessions import open_session
from inventory.services.views import DeviceRow, PersonView
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


def a_devices_page(world: World, who: Actor, number: str) -> None:
    """Everything that stands on it (`console.pages.devices`)."""
    with world.context.together(who):
        queries.device(world.context, who, number)
        queries.device_timeline(world.context, who, number, limit=40)
        queries.list_certificates(world.context, who, device=number)
        queries.device_map(world.context, who, number)
        queries.device_journey(world.context, who, number)
        queries.device_health(world.context, who, number)


def test_a_devices_page_asks_nothing_twice(world: World) -> None:
    number = world.device().id
    with statements(world) as asked:
        a_devices_page(world, world.actor("auditor"), number)
    assert len(set(asked)) == len(asked), "\n".join(asked)
    assert len(asked) <= 23, "\n".join(asked)
    world.hold_data()
    world.change("retire")
    world.order()
    with statements(world) as asked:
        a_devices_page(world, world.actor("auditor"), number)
    assert len(set(asked)) == len(asked), "\n".join(asked)
    assert len(asked) <= 30, "\n".join(asked)


def test_the_row_on_a_devices_page_is_the_one_of_the_list(world: World) -> None:
    who, number = world.actor("auditor"), world.device().id

    def same() -> DeviceRow:
        (row,) = queries.list_devices(world.context, who, DeviceFilter(text=number)).items
        detail = queries.device(world.context, who, number)
        assert row == DeviceRow(**{one.name: getattr(detail, one.name) for one in dataclasses.fields(DeviceRow)})
        return row

    assert (same().holdings_open, same().category, same().order) == (0, None, None)
    data_set = world.hold_data()
    world.change("retire")
    order = world.order()
    command = PlaceHold(kind="legal", reference="LIT-7", reason="Litigation", data_set=data_set)
    holds.place_hold(world.context, world.actor("privacy"), command)
    with world.context.writing() as session:
        raise_exception(session, world.context, min(ExceptionCode), number, "Nobody knows.", device=number)
    row = same()
    assert (row.holdings_open, row.category, row.order, row.held) == (1, "moderate", order.id, True)
    assert (row.exceptions_open, row.host_name) == (2, "crm-db-01")  # the other: nobody declared it


def test_what_a_view_found_is_known_within_it_and_nowhere_else(world: World) -> None:
    who, number = world.actor("auditor"), world.device().id
    with statements(world) as asked, world.context.together(who):
        for _ in range(2):
            with world.context.reading(who) as session:
                find_device(session, number)
    assert len(asked) == 1
    answers = iter(range(10))
    with world.context.reading(who) as session:
        assert [once(session, "key", answers.__next__) for _ in range(2)] == [0, 1]
    with world.context.writing() as session:
        assert [once(session, "key", answers.__next__) for _ in range(2)] == [2, 3]
    for found in (4, 5):  # another view finds anew
        with world.context.together(who), world.context.reading(who) as session:
            assert [once(session, "key", answers.__next__) for _ in range(2)] == [found, found]


def seen_as(value: object) -> object:
    return sorted(value) if isinstance(value, list | tuple | frozenset) else value


def test_a_view_reads_a_row_once_also_where_nobody_holds_it_meanwhile(world: World) -> None:
    with world.context.together(SYSTEM), world.context.reading(SYSTEM) as session:
        (number,) = session.scalars(sa.select(Person.ref).where(Person.login == "auditor"))
        assert session.get(Person, number) is not None
        gc.collect()
        with statements(world) as asked:
            assert session.get(Person, number) is not None
    assert asked == []


def test_what_a_row_says_of_a_person_is_never_another_ones(world: World) -> None:
    """The store is by what the row says: whoever loses a role or a site is another row, and nobody gets anybody's."""
    admin, ref = world.actor("admin"), world.actor("validator").ref

    def told() -> PersonView:
        (one,) = [view for view in people.list_people(world.context, admin) if view.ref == ref]
        assert one == people.person(world.context, admin, ref)
        return one

    number = world.device().id
    with world.context.reading() as session:
        assert ref in able_for(session, Permission.RECORD_VALIDATE, [number])[number]
    assert (told().roles, told().everywhere) == (frozenset({Role.VALIDATOR}), True)
    for changes in (
        {"everywhere": False, "sites": ["SI-0001"]},
        {"sites": [], "teams": ["TM-0001"]},
        {"roles": ["viewer"]},
    ):
        with world.context.writing() as session:
            for name, value in changes.items():
                setattr(session.get_one(Person, ref), name, value)
        seen = told()
        assert all(seen_as(getattr(seen, name)) == seen_as(value) for name, value in changes.items())
        with world.context.reading() as session:
            row = session.get_one(Person, ref)
            assert reach_of(
                *session.execute(sa.select(*REACH).where(Person.ref == ref)).one()
            ).scope == scope_of_person(row)
            assert ref not in able_for(session, Permission.RECORD_VALIDATE, [number])[number]


def test_what_changed_is_there_with_the_next_view(world: World) -> None:
    who, number = world.actor("auditor"), world.device().id
    for state in ("in_service", "retired"):
        with world.context.together(who):
            assert {queries.device(world.context, who, number).state for _ in range(2)} == {state}
        if state == "in_service":
            world.change("retire")
