"""Tables about places, data sets, holdings, people and hosts: tried, taken over, given again; and who may."""

from __future__ import annotations

import io
from typing import Any

import pytest
import sqlalchemy as sa

from inventory.domain.import_fields import Subject
from inventory.domain.scopes import Scope
from inventory.domain.vocabulary import Category, HoldingKind
from inventory.errors import Forbidden, Invalid, NotFound
from inventory.models import DataSet, Event, Holding, Host, Import, ImportLine, Location, OneTimeLink, Person
from inventory.services import data, organisation, people
from inventory.services.imports import register
from inventory.services.imports.register import ImportView
from tests.support.inventory_world import World


def sent(world: World, by: str, subject: str, text: str) -> ImportView:
    return register.receive(
        world.context, world.actor(by), "list.csv", io.BytesIO(text.encode()), subject=Subject(subject)
    )


def to_its_end(world: World, by: str, view: ImportView) -> ImportView:
    """A busy machine does not finish within the moment that an answer may take."""
    while view.state in {"checking", "running"}:
        view = register.advance(world.context, world.actor(by), view.id)
    return view


def tried(world: World, by: str, subject: str, text: str) -> ImportView:
    view = sent(world, by, subject, text)
    return to_its_end(world, by, register.check(world.context, world.actor(by), view.id, view.version))


def taken(world: World, by: str, subject: str, text: str) -> ImportView:
    view = tried(world, by, subject, text)
    return to_its_end(world, by, register.run(world.context, world.actor(by), view.id, view.version))


def codes(world: World, by: str, view: ImportView) -> list[list[str]]:
    page = register.list_lines(world.context, world.actor(by), view.id, limit=200)
    return [[why["code"] for why in one.problems] for one in page.items]


def all_of(world: World, model: Any) -> list[Any]:  # noqa: ANN401 - a model
    with world.context.reading() as session:
        return list(session.scalars(sa.select(model)))


@pytest.fixture
def porto(world: World) -> str:
    return organisation.create_site(world.context, world.actor("admin"), organisation.CreateSite(name="Porto")).id


def test_places_are_added_once_with_their_site_and_never_changed(world: World, porto: str) -> None:
    text = "Place,Zone,Site\nStore,secure,Porto\nRamp,open,\nStore,open,\nNowhere,open,Lisbon\n"
    view = taken(world, "custodian", "places", text)
    assert view.counts == {"new": 2, "refused": 2}
    assert codes(world, "custodian", view) == [[], [], ["twice"], ["site-unknown"]]
    assert {(one.name, str(one.zone), one.site_id) for one in all_of(world, Location)} >= {
        ("Store", "secure", porto), ("Ramp", "open", None),
    }  # fmt: skip
    again = taken(world, "custodian", "places", "Place,Zone,Site\nStore,secure,Porto\nRamp,secure,\n")
    assert (again.counts, codes(world, "custodian", again)) == ({"same": 1, "refused": 1}, [[], ["differs"]])


def test_data_sets_and_what_lies_where_since_when(world: World) -> None:
    sets = "Data set,Category,Owner,Retention,Encryption\nPayroll,high,HR,3650,none\nWiki,low,IT,,\n"
    assert taken(world, "privacy", "data_sets", sets).counts == {"new": 2}
    assert taken(world, "privacy", "data_sets", sets).counts == {"same": 2}
    assert {one.name for one in all_of(world, DataSet)} >= {"Payroll", "Wiki"}
    device = world.device().id
    held = (
        f"Device,Data set,Kind,Since,Until\n{device},Payroll,backup,2026-01-02,2026-02-01\n{device},Wiki,,2026-01-02,\n"
    )
    bad = f"D-9,Payroll,,2026-01-02,\n{device},Nothing,,2026-01-02,\n{device},Wiki,,2036-01-02,\n"
    view = taken(world, "privacy", "holdings", held + bad)
    assert view.counts == {"new": 2, "refused": 3}
    assert codes(world, "privacy", view)[2:] == [["device-unknown"], ["data-set-unknown"], ["not-yet"]]
    kinds = {(one.kind, one.until is None) for one in all_of(world, Holding) if one.device_id == device}
    assert kinds >= {(HoldingKind.BACKUP, False), (HoldingKind.PRIMARY, True)}
    assert taken(world, "privacy", "holdings", held).counts == {"same": 2}
    ended = held.replace("Wiki,,2026-01-02,", "Wiki,,2026-01-02,2026-03-01")
    assert codes(world, "privacy", tried(world, "privacy", "holdings", ended))[1] == ["differs"]


def test_people_come_with_roles_without_a_way_in_and_leave_no_name_behind(world: World, porto: str) -> None:
    text = (
        "Login,Name,Contact,Roles,Sites\nrui,Rui Example,rui@example.org,custodian,Porto\neva,Eva Example,,auditor,\n"
    )
    view = taken(world, "admin", "people", text)
    assert view.counts == {"new": 2}
    rui = next(one for one in all_of(world, Person) if one.login == "rui")
    assert (rui.roles, rui.sites, rui.everywhere) == (["custodian"], [porto], False)
    assert rui.ref not in {one.person for one in all_of(world, OneTimeLink)}, "nobody gets in by a table"
    kept = [f"{one.identity} {one.facts} {one.problems}" for one in all_of(world, ImportLine)]
    kept += [str(one.sample) for one in all_of(world, Import)]
    kept += [f"{one.reason} {one.details}" for one in all_of(world, Event)]
    assert not [one for one in kept if "rui" in one.lower().replace("h-truin", "")]
    again = text.replace("Rui Example", "Rui Other").replace("auditor", "viewer")
    view = tried(world, "admin", "people", again)
    assert codes(world, "admin", view) == [["differs"], ["differs"]]
    register.abandon(world.context, world.actor("admin"), view.id)
    assert taken(world, "admin", "people", text).counts == {"same": 2}


def test_a_host_is_put_where_it_belongs_once_and_never_invented(world: World, porto: str) -> None:
    view = taken(world, "admin", "hosts", "Host,Site\ncrm-db-01,Porto\nunheard-of,Porto\n")
    assert view.counts == {"adopt": 1, "refused": 1}
    assert codes(world, "admin", view) == [[], ["host-unknown"]]
    (host,) = all_of(world, Host)
    assert host.site_id == porto
    organisation.create_site(world.context, world.actor("admin"), organisation.CreateSite(name="Braga"))
    other = tried(world, "admin", "hosts", "Host,Site\ncrm-db-01,Braga\n")
    assert codes(world, "admin", other) == [["differs"]]


@pytest.mark.parametrize(
    ("by", "subject"),
    [
        ("custodian", "people"),
        ("operator", "places"),
        ("privacy", "devices"),
        ("admin", "data_sets"),
        ("auditor", "places"),
    ],
)
def test_only_who_may_say_it_one_by_one_may_say_it_by_a_table(world: World, by: str, subject: str) -> None:
    with pytest.raises(Forbidden):
        sent(world, by, subject, "Place,Zone\nStore,open\n")


def test_a_table_of_people_is_nothing_for_whoever_may_add_none(world: World) -> None:
    view = sent(world, "admin", "people", "Login,Name\nrui,Rui Example\n")
    custodian = world.actor("custodian")
    assert not register.list_imports(world.context, custodian).items
    for deed in (
        register.one_import,
        register.preview,
        register.list_lines,
        register.check,
        register.abandon,
        register.advance,
    ):
        with pytest.raises(NotFound):
            deed(world.context, custodian, view.id)
    assert [one.id for one in register.list_imports(world.context, world.actor("admin")).items] == [view.id]


def test_a_narrowed_administrator_says_nothing_about_people(world: World, porto: str) -> None:
    import dataclasses  # noqa: PLC0415 - used here only

    narrowed = dataclasses.replace(world.actor("admin"), scope=Scope(sites=frozenset({porto}), teams=None))
    with pytest.raises(Forbidden, match="sees everything"):
        register.receive(
            world.context, narrowed, "list.csv", io.BytesIO(b"Login,Name\nrui,Rui\n"), subject=Subject.PEOPLE
        )


def test_a_mapping_about_something_else_is_refused(world: World) -> None:
    with pytest.raises(Invalid, match="about"):
        register.receive(
            world.context, world.actor("custodian"), "x", io.BytesIO(b"Place,Zone\na,open\n"), "generic", Subject.PLACES
        )
    view = sent(world, "custodian", "places", "Place,Zone\na,open\n")
    with pytest.raises(Invalid, match="about"):
        register.set_mapping(world.context, world.actor("custodian"), view.id, register.mapping_named("generic"))


def test_what_somebody_said_in_the_meantime_wins(world: World) -> None:
    view = tried(world, "privacy", "data_sets", "Data set,Category,Owner\nPayroll,high,HR\n")
    command = data.CreateDataSet(name="Payroll", category=Category.LOW, owner="HR", encryption="none")
    data.create_data_set(world.context, world.actor("privacy"), command)
    view = register.run(world.context, world.actor("privacy"), view.id, view.version)
    assert (view.counts, codes(world, "privacy", view)) == ({"refused": 1}, [["differs"]])


def test_a_person_added_in_the_meantime_is_not_added_twice(world: World) -> None:
    view = tried(world, "admin", "people", "Login,Name\nrui,Rui Example\n")
    command = people.CreatePerson(login="rui", name="Rui Example", title="", contact="", roles=frozenset())
    people.create_person(world.context, world.actor("admin"), command)
    assert register.run(world.context, world.actor("admin"), view.id, view.version).counts == {"same": 1}


TABLES = {
    "places": ("custodian", "Name,Zone,Site\n", "Room {0},secure,Porto\n"),
    "data_sets": ("privacy", "Name,Category,Owner\n", "Data {0},low,Us\n"),
    "holdings": ("privacy", "Device,Data set,Since\n", "BC-{0},CRM production,2024-01-02\n"),
    "people": ("admin", "Login,Name,Roles,Sites\n", "person{0},Somebody,viewer,Porto\n"),
    "hosts": ("admin", "Host,Site\n", "host-{0},Porto\n"),
}


@pytest.mark.usefixtures("porto")
@pytest.mark.parametrize("subject", TABLES)
def test_many_lines_are_tried_with_as_many_statements_as_few(world: World, subject: str) -> None:
    by, head, line = TABLES[subject]
    asked: list[int] = []
    for many in (3, 60):
        view = sent(world, by, subject, head + "".join(line.format(number) for number in range(many)))
        statements: list[str] = []
        with world.context.database.writing() as session:
            engine = session.get_bind()

        def count(*told: Any, into: list[str] = statements) -> None:  # noqa: ANN401 - SQLAlchemy's event
            into.append(told[2])

        sa.event.listen(engine, "before_cursor_execute", count)
        register.check(world.context, world.actor(by), view.id, view.version)
        sa.event.remove(engine, "before_cursor_execute", count)
        asked.append(len(statements))
    assert asked[0] == asked[1]
