"""What people see, through the services: sites and teams, and what follows a device when it moves."""

from __future__ import annotations

import ast
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

import inventory.services
from inventory import models
from inventory.domain.roles import Permission, Role
from inventory.domain.scopes import EVERYTHING, NOTHING, Scope
from inventory.domain.vocabulary import Zone
from inventory.errors import Forbidden, Invalid, NotFound
from inventory.models import Base, Device
from inventory.services import _scope, devices, organisation, people, places, queries, sessions
from inventory.services.context import SYSTEM, Actor
from inventory.services.organisation import Assign, CreateSite, CreateTeam, SetScope
from inventory.services.queries.devices import DeviceFilter
from tests.support.inventory_world import World

WITHIN: frozenset[str] = frozenset(
    {
        "BalanceLine",
        "Counter",
        "DataSetCopy",
        "DirectoryRow",
        "EnrolmentToken",
        "HostContact",
        "IdempotencyKey",
        "ImportLine",
        "ImportPart",
        "Nonce",
        "OneTimeLink",
        "RecoveryCode",
        "Seal",
        "SealedTranslation",
        "SignInAttempt",
        "StoredEnvelope",
        "Validation",
        "PersonalSignature",
        "Correction",
    }
)
"""Rows nobody names: they are reached through what they belong to, or by secrets and digests alone."""
NEVER = frozenset({"Webhook", "WebhookCursor", "WebhookDelivery"})
"""Tell of the whole organisation: seen by nobody who is limited."""


def limited(world: World, login: str, *, sites: tuple[str, ...] = (), teams: tuple[str, ...] = ()) -> Actor:
    """Somebody of the cast, limited from now on."""
    who = world.actor(login)
    command = SetScope(
        person=who.ref, everywhere=False, sites=frozenset(sites), teams=frozenset(teams), reason="as the test says"
    )
    organisation.set_scope(world.context, world.actor("admin"), command)
    return Actor(who.ref, "person", who.roles, scope=Scope(frozenset(sites) or None, frozenset(teams) or None))


def site(world: World, name: str) -> str:
    return organisation.create_site(world.context, world.actor("admin"), CreateSite(name=name)).id


def team(world: World, name: str) -> str:
    return organisation.create_team(world.context, world.actor("admin"), CreateTeam(name=name)).id


def place(world: World, name: str, at: str | None) -> str:
    command = places.CreateLocation(name=name, zone=Zone.SECURE, site=at)
    return places.create_location(world.context, world.actor("custodian"), command).id


def seen(world: World, actor: Actor) -> set[str]:
    return {row.id for row in queries.list_devices(world.context, actor, DeviceFilter()).items}


def host_to(world: World, *, at: str | None = None, of: str | None = None) -> None:
    command = Assign(subject=world.agent.host, site=at, team=of, reason="as the test says")
    organisation.assign_host(world.context, world.actor("admin"), command)


def test_a_device_is_seen_where_its_host_stands_and_nowhere_else(world: World) -> None:
    here, away = site(world, "Here"), site(world, "Away")
    host_to(world, at=here)
    device = world.device().id
    assert device in seen(world, limited(world, "custodian", sites=(here,)))
    outsider = limited(world, "operator", sites=(away,))
    assert seen(world, outsider) == set()
    with pytest.raises(NotFound) as absent:
        queries.device(world.context, outsider, "D-999999")
    with pytest.raises(NotFound) as hidden:
        queries.device(world.context, outsider, device)
    assert str(hidden.value) == str(absent.value).replace("D-999999", device), "the answer tells that it exists"


def test_who_answers_follows_the_device_to_its_next_place_and_stays_when_it_is_gone(world: World) -> None:
    here, away = site(world, "Here"), site(world, "Away")
    host_to(world, at=here)
    number = world.device().id
    world.change("retire")
    shelf, nowhere = place(world, "Shelf", away), place(world, "Crate", None)
    world.change("quarantine", location=shelf)
    with world.context.reading() as session:
        assert session.get_one(Device, number).site_id == away
    devices.move(
        world.context,
        world.actor("custodian"),
        devices.MoveDevice(device=number, location=nowhere, reason="to a crate"),
    )
    with world.context.reading() as session:
        assert session.get_one(Device, number).site_id == away, "somebody goes on answering for it"


def test_nobody_moves_a_device_to_a_place_they_do_not_see(world: World) -> None:
    here, away = site(world, "Here"), site(world, "Away")
    host_to(world, at=here)
    shelf = place(world, "Shelf", away)
    somebody = limited(world, "custodian", sites=(here,))
    world.change("retire")
    with pytest.raises(NotFound):
        devices.move(
            world.context, somebody, devices.MoveDevice(device=world.device().id, location=shelf, reason="to the shelf")
        )


def test_a_team_sees_what_holds_its_data_also_on_another_teams_host(world: World) -> None:
    storage, crm = team(world, "Storage"), team(world, "CRM")
    host_to(world, of=storage)
    data_set = world.hold_data()
    organisation.assign_data_set(
        world.context, world.actor("privacy"), Assign(subject=data_set, team=crm, reason="as the test says")
    )
    assert seen(world, limited(world, "operator", teams=(crm,))) == {world.device().id}
    assert len(seen(world, limited(world, "custodian", teams=(storage,)))) == 2
    at = site(world, "Elsewhere")
    assert seen(world, limited(world, "viewer", sites=(at,), teams=(crm,))) == set(), "both must fit"


def test_residue_keeps_a_device_visible_to_the_team_whose_data_it_was(world: World) -> None:
    crm = team(world, "CRM")
    data_set = world.hold_data()
    organisation.assign_data_set(
        world.context, world.actor("privacy"), Assign(subject=data_set, team=crm, reason="as the test says")
    )
    world.unmount()
    assert seen(world, limited(world, "operator", teams=(crm,))) == {world.device().id}


def test_whoever_is_limited_goes_on_seeing_what_they_declare(world: World) -> None:
    here, other = site(world, "Here"), site(world, "Other")
    one = limited(world, "custodian", sites=(here,))
    declared = devices.declare(world.context, one, devices.DeclareDevice(asset_tag="AT-1", source="shelf"))
    assert declared.id in seen(world, one)
    several = limited(world, "operator", sites=(here, other))
    with pytest.raises(Invalid, match="Say where it is"):
        devices.declare(world.context, several, devices.DeclareDevice(asset_tag="AT-2", source="shelf"))


def test_only_somebody_who_sees_everything_says_who_sees_what(world: World) -> None:
    here = site(world, "Here")
    boss = world.actor("admin")
    narrowed = Actor(boss.ref, "person", boss.roles, scope=Scope(frozenset({here}), None))
    with pytest.raises(Forbidden, match="sees everything"):
        organisation.create_site(world.context, narrowed, CreateSite(name="Mine"))
    command = people.SetRoles(person=world.actor("viewer").ref, roles=frozenset({Role.ADMINISTRATOR}))
    with pytest.raises(Forbidden, match="sees everything"):
        people.set_roles(world.context, narrowed, command)
    somebody = limited(world, "custodian", sites=(here,))
    shelf = place_of(world, somebody, here)
    with pytest.raises(Forbidden, match="sees everything"):
        organisation.assign_location(world.context, somebody, Assign(subject=shelf, site=None, reason="none of mine"))


def place_of(world: World, actor: Actor, at: str) -> str:
    with pytest.raises(Invalid, match="one of your sites"):
        places.create_location(world.context, actor, places.CreateLocation(name="Nowhere", zone=Zone.SECURE))
    return places.create_location(
        world.context, actor, places.CreateLocation(name="Mine", zone=Zone.SECURE, site=at)
    ).id


def test_an_administrator_cannot_be_limited_for_a_limit_would_only_pretend(world: World) -> None:
    here = site(world, "Here")
    command = SetScope(
        person=world.actor("admin").ref, everywhere=False, sites=frozenset({here}), teams=frozenset(), reason="try it"
    )
    with pytest.raises(Invalid, match="would only pretend"):
        organisation.set_scope(world.context, world.actor("admin"), command)


def test_a_scope_is_changed_with_a_reason_and_stands_in_the_history(world: World) -> None:
    here = site(world, "Here")
    limited(world, "viewer", sites=(here,))
    page = queries.list_events(world.context, world.actor("auditor"), tag="person.scope-set")
    assert page.items[0].reason == "as the test says"
    assert page.items[0].details["after"]["sites"] == [here]


def token_scope(world: World, secret: str) -> Scope:
    return sessions.caller_for_token(world.context, secret).actor.scope


def test_a_token_sees_no_further_than_its_person_sees_now(world: World) -> None:
    here, away = site(world, "Here"), site(world, "Away")
    everybody = world.actor("operator")
    narrow = sessions.CreateToken(name="job", roles=everybody.roles, sites=frozenset({here}))
    _, secret = sessions.create_token(world.context, everybody, narrow)
    assert token_scope(world, secret) == Scope(frozenset({here}), None)
    limited(world, "operator", sites=(away,))
    assert token_scope(world, secret).nothing


def test_a_token_made_with_a_narrowed_token_is_as_narrow(world: World) -> None:
    here, away = site(world, "Here"), site(world, "Away")
    person = world.actor("operator")
    acting = Actor(person.ref, "person", person.roles, scope=Scope(frozenset({here}), None))
    _, secret = sessions.create_token(world.context, acting, sessions.CreateToken(name="copy", roles=person.roles))
    assert token_scope(world, secret) == Scope(frozenset({here}), None)
    wider = sessions.CreateToken(name="wider", roles=person.roles, sites=frozenset({away}))
    with pytest.raises(Invalid, match="see yourself"):
        sessions.create_token(world.context, acting, wider)


def test_an_actor_without_a_scope_sees_nothing_and_agents_are_not_asked(world: World) -> None:
    careless = Actor(world.actor("operator").ref, "person", frozenset({Role.OPERATOR}))
    assert careless.scope == NOTHING
    assert seen(world, careless) == set()
    assert _scope.only(SYSTEM, Device) == ()
    assert _scope.only(world.agent.actor, Device) == ()
    assert Scope(None, None) == EVERYTHING


def test_every_model_says_what_of_it_somebody_limited_sees() -> None:
    known = {model.__name__ for model in (*_scope.RULES, *_scope.ORGANISATION)} | WITHIN | NEVER
    found = {mapper.class_.__name__ for mapper in Base.registry.mappers}
    assert found - known == set(), "add it to the rules of inventory/services/_scope.py"


def test_every_service_opens_its_session_for_the_one_who_acts() -> None:
    """Otherwise `kernel.find` would find what they do not see."""
    careless = []
    for path in Path(inventory.services.__path__[0]).rglob("*.py"):
        if path.name == "context.py":  # there, sessions are made
            continue
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(function, ast.FunctionDef) or "actor" not in {one.arg for one in function.args.args}:
                continue
            careless += [
                f"{path.name}:{call.lineno}"
                for call in ast.walk(function)
                if isinstance(call, ast.Call)
                and isinstance(call.func, ast.Attribute)
                and call.func.attr in {"reading", "writing"}
                and not call.args
            ]
    assert careless == []


@pytest.mark.usefixtures("residue")
def test_what_a_rule_lets_through_is_what_it_says_of_each_row(world: World) -> None:
    """Lists filter by the same condition that one object is asked by."""
    here = site(world, "Here")
    host_to(world, at=here)
    world.recorded()
    world.clock.forward(seconds=timedelta(hours=1).total_seconds())
    for scope in (
        Scope(frozenset({here}), None),
        Scope(frozenset({"SI-9999"}), None),
        Scope(None, frozenset({"TM-9"})),
    ):
        actor = Actor(world.actor("viewer").ref, "person", frozenset({Role.VIEWER}), scope=scope)
        with world.context.reading(actor) as session:
            for model in (models.Device, models.Host, models.Order, models.Record, models.Event, models.ExceptionItem):
                rows = session.scalars(sa.select(model)).all()
                listed = set(session.scalars(sa.select(model).where(*_scope.only(actor, model))))
                assert {row for row in rows if _scope.sees(session, actor, row)} == listed


def test_who_is_able_is_who_sees_by_the_same_rule(world: World) -> None:
    """Reckoned for everybody at once, without a question for each: it must not say otherwise than the rule of the lists."""
    here, away, ours, theirs = site(world, "Here"), site(world, "Away"), team(world, "Ours"), team(world, "Theirs")
    data_set = world.hold_data()
    device = world.device().id
    scopes = [((), ()), ((here,), ()), ((), (ours,)), ((here,), (ours, theirs)), ((away,), (ours,))]
    for at, of, held_by in [(None, None, None), (here, ours, None), (away, theirs, ours), (here, theirs, ours)]:
        host_to(world, at=at, of=of)
        command = Assign(subject=data_set, team=held_by, reason="as the test says")
        organisation.assign_data_set(world.context, world.actor("privacy"), command)
        for sites, teams in scopes:
            who = limited(world, "custodian", sites=sites, teams=teams)
            if not sites and not teams:
                who = Actor(who.ref, "person", who.roles, scope=NOTHING)
            with world.context.reading() as session:
                able = who.ref in _scope.able_for(session, Permission.DEVICE_MOVE, [device])[device]
            assert able == (device in seen(world, who)), (at, of, held_by, sites, teams)
