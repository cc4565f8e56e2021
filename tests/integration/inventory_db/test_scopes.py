"""What somebody limited sees is asked of both databases, in lists and of each row; and who answers for a device is kept there."""

from __future__ import annotations

import sqlalchemy as sa

from inventory.domain.roles import Role
from inventory.domain.scopes import Scope
from inventory.models import Device, Event, ExceptionItem, Order
from inventory.services import _scope, organisation, queries
from inventory.services.context import Actor
from inventory.services.organisation import Assign, CreateSite, CreateTeam, SetScope
from tests.support.inventory_world import World


def test_every_rule_is_understood_and_lists_agree_with_single_rows(world: World) -> None:
    admin = world.actor("admin")
    site = organisation.create_site(world.context, admin, CreateSite(name="Lisbon")).id
    team = organisation.create_team(world.context, admin, CreateTeam(name="Storage")).id
    belongs = Assign(subject=world.agent.host, site=site, team=team, reason="where it stands")
    organisation.assign_host(world.context, admin, belongs)
    world.hold_data()
    world.unmount()
    world.change("retire")
    world.order()
    seen = {}
    for name, scope in (
        ("here", Scope(frozenset({site}), frozenset({team}))),
        ("away", Scope(frozenset({"SI-9999"}), None)),
        ("others", Scope(None, frozenset({"TM-9999"}))),
    ):
        actor = Actor("p-somebody", "person", frozenset({Role.VIEWER}), scope=scope)
        with world.context.reading(actor) as session:
            for model in _scope.RULES:  # each one runs on this database
                session.scalars(sa.select(sa.func.count()).select_from(model).where(*_scope.only(actor, model))).all()
            for model in (Device, Order, ExceptionItem, Event):
                rows = session.scalars(sa.select(model)).all()
                listed = set(session.scalars(sa.select(model).where(*_scope.only(actor, model))))
                assert {row for row in rows if _scope.sees(session, actor, row)} == listed
                seen[name, model.__name__] = len(listed)
    assert seen["here", "Device"] == 2
    assert seen["here", "Order"] == 1
    assert all(not count for (name, _), count in seen.items() if name != "here")


def test_a_scope_and_a_token_narrowed_to_it_are_kept(world: World) -> None:
    admin = world.actor("admin")
    site = organisation.create_site(world.context, admin, CreateSite(name="Porto")).id
    command = SetScope(
        person=world.actor("operator").ref, everywhere=False, sites=frozenset({site}), teams=frozenset(), reason="there"
    )
    organisation.set_scope(world.context, admin, command)
    assert organisation.list_sites(world.context, admin)[0].people == 1
    page = queries.list_events(world.context, world.actor("auditor"), tag="person.scope-set")
    assert page.items[0].details["after"] == {"everywhere": False, "sites": [site], "teams": []}
