from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from flask import Flask

from inventory.console import pages
from inventory.console.blueprint import console
from inventory.console.views.device import CHANGES, acts_of, known_facts
from inventory.domain.lifecycle import TABLE, DeviceEvent
from inventory.domain.roles import Permission, Role, may
from inventory.domain.vocabulary import DeviceState
from inventory.services.context import Actor
from inventory.services.views import DeviceDetail, DeviceFactsView
from tests.support.example_views import example

GONE = {DeviceState.RELEASED, DeviceState.DESTROYED, DeviceState.RETURNED_UNSANITIZED_BY_WAIVER}


def possible(state: DeviceState) -> tuple[str, ...]:
    return tuple(event for event in DeviceEvent if (state, event) in TABLE)


def acts(state: DeviceState, *roles: Role, **facts: object) -> set[str]:
    chosen: dict[str, Any] = {"state": state, "order": None, "events_possible": possible(state), **facts}
    device = dataclasses.replace(example(DeviceDetail), **chosen)
    app = Flask(__name__, static_folder=None)
    pages.load()
    app.register_blueprint(console)
    with app.test_request_context():
        return {act.label for act in acts_of(device, Actor("p:x", "person", frozenset(roles)))}


@pytest.mark.parametrize("state", list(DeviceState))
@pytest.mark.parametrize("role", [Role.VIEWER, Role.AUDITOR, Role.VALIDATOR, Role.ADMINISTRATOR])
def test_who_may_not_move_a_device_is_shown_no_way_to(role: Role, state: DeviceState) -> None:
    assert not may([role], Permission.DEVICE_MOVE)
    assert not acts(state, role) & {change.label for change in CHANGES} | acts(state, role) & {"Release", "Move"}


@pytest.mark.parametrize("state", sorted(GONE))
def test_a_device_that_is_gone_can_do_nothing_any_more(state: DeviceState) -> None:
    assert acts(state, *Role) - {"Adopt"} == set()


def test_only_a_device_that_is_out_of_use_and_attached_can_be_ordered() -> None:
    assert "Order sanitization" in acts(DeviceState.RETIRED, Role.OPERATOR)
    assert "Order sanitization" not in acts(DeviceState.IN_SERVICE, Role.OPERATOR)
    assert "Order sanitization" not in acts(DeviceState.RETIRED, Role.OPERATOR, host=None)
    assert "Order sanitization" not in acts(DeviceState.RETIRED, Role.OPERATOR, order="O-1")
    assert "Order sanitization" not in acts(DeviceState.RETIRED, Role.CUSTODIAN)


@pytest.mark.parametrize("state", list(DeviceState))
def test_a_button_is_offered_exactly_where_the_lifecycle_table_has_the_event(state: DeviceState) -> None:
    offered = acts(state, Role.CUSTODIAN)
    for change in CHANGES:
        assert (change.label in offered) == ((state, change.event) in TABLE)


def test_two_sources_that_disagree_are_marked() -> None:
    facts = example(DeviceFactsView)
    device = dataclasses.replace(
        example(DeviceDetail),
        declared=dataclasses.replace(facts, serial="A"),
        observed=dataclasses.replace(facts, serial="B"),
    )
    rows = {row.name: row for row in known_facts(device)}
    assert rows["Serial number"].differs
    assert not rows["Model"].differs


def test_a_fact_nobody_states_is_not_shown() -> None:
    device = dataclasses.replace(
        example(DeviceDetail), declared=None, observed=dataclasses.replace(example(DeviceFactsView), wwn=None)
    )
    assert "World wide name" not in {row.name for row in known_facts(device)}
