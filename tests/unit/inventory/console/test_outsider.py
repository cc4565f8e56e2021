"""Somebody of another site: everything is 404 to them, and no list, count or page tells that there is anything.

The company is the told one of the console's tests, at one site. The outsiders hold every role that goes together, and are
limited to a site with nothing in it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from inventory.api.endpoint import Endpoint, template
from inventory.api.install import endpoints
from inventory.console.blueprint import ACCESS
from inventory.domain.roles import Role
from inventory.services import exports, lists, organisation, people, places, sessions
from inventory.services.context import Actor
from tests.support.console_pages import addresses
from tests.support.console_story import Story
from tests.support.console_world import PASSWORD, ConsoleWorld

from .conftest import Site

WORKER = frozenset({Role.CUSTODIAN, Role.OPERATOR, Role.APPROVER, Role.VALIDATOR, Role.PRIVACY_OFFICER})
ORGANISATION = {
    "ref", "key_id", "party", "version", "index", "session", "token", "passkey", "identity", "name", "view", "permission",
}  # fmt: skip
"""Parts of an address that name what belongs to the whole organisation (a kind of list or act, a saved view), or oneself."""
EXAMPLES = {"style", "request_audit_pack", "duties", "draw_up_balance", "offer_handover", "explorer_operation"}
"""Pages whose hints show how a number looks; and the one that names every place of ours, to send something there."""
OPEN_PAGES = {
    "person",
    "erase_directory",
    "file_undertaking",
    "confirm_key",
    "revoke_key",
    "log_entry",
    "search",
    "open_view",
    "list_file",
}
"""Pages about what belongs to the whole organisation."""


NOT_TOLD = tuple(
    f"/api/v1/{noun}"
    for noun in (
        "balances",
        "containers",
        "evidence-files",
        "exports",
        "handovers",
        "imports",
        "lots",
        "questions",
        "samples",
        "teams",
        "webhooks",
    )
)
"""What the told story has none of; the tests of these parts look at them."""


@dataclass
class Company:
    """The told company, and people who see another site of it only."""

    world: ConsoleWorld
    story: Story
    app: Flask
    tokens: dict[str, str]

    def ask(self, who: str, method: str, path: str, body: object = None) -> TestResponse:
        """One request below /api/v1 with somebody's token."""
        return self.app.test_client(use_cookies=False).open(
            path,
            method=method,
            data=None if body is None else json.dumps(body),
            headers={"Authorization": f"Bearer {self.tokens[who]}", "Content-Type": "application/json"},
            base_url=self.world.settings.external_url,
        )


@pytest.fixture(scope="module")
def company(site: Site) -> Company:
    return _company(site.world, site.story, site.app)


def _company(world: ConsoleWorld, story: Story, app: Flask) -> Company:
    context, boss = world.context, world.actor("ines")
    here, away = (
        organisation.create_site(context, boss, organisation.CreateSite(name=name)).id for name in ("Lisbon", "Porto")
    )
    for agent in world.agents:
        organisation.assign_host(
            context, boss, organisation.Assign(subject=agent.host, site=here, reason="Where it stands.")
        )
    for place in places.list_locations(context, boss):
        command = organisation.Assign(subject=place.id, site=here, reason="Where it is.")
        organisation.assign_location(context, boss, command)
    tokens = {}
    for login, roles, site in (
        ("worker", WORKER, away),
        ("auditor", frozenset({Role.AUDITOR}), away),
        ("insider", WORKER, here),
        ("everybody", WORKER, None),
    ):
        person = people.CreatePerson(
            login=login,
            name=f"{login.title()} of Porto",
            title="",
            contact="",
            roles=roles,
            everywhere=site is None,
            sites=frozenset({site} if site else ()),
        )
        view, link = people.create_person(context, boss, person)
        sessions.use_link(context, sessions.UseLink(secret=link.secret, password=PASSWORD))
        made = sessions.CreateToken(name="test", roles=roles)
        actor = Actor(view.ref, "person", roles, scope=boss.scope)
        tokens[login] = sessions.create_token(context, actor, made)[1]
    return Company(world, story, app, tokens)


def secrets_of(company: Company) -> set[str]:
    """What somebody of another site must never read: numbers, tags, serials, host names, case references, places.

    Vendors, data sets and teams are the whole organisation's: sites do not limit them.
    """
    common = {"recycler", "data_set", "team"}
    numbers = {value for name, value in company.story.numbers.items() if name not in common}
    disks = {disk.serial for agent in company.world.agents for disk in agent.disks}
    hosts = {agent.host for agent in company.world.agents} | {agent.name for agent in company.world.agents}
    return numbers | disks | hosts | {"AT-004711", "CUST-88213", "LIT-2026-044", "Rack 7"}


def told_to(company: Company, text: str) -> set[str]:
    found = {word for word in secrets_of(company) if word in text}  # few: then it is asked whether they stand alone
    return {word for word in found if re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text)}


def value_of(company: Company, endpoint: Endpoint, name: str) -> str | None:
    """Something that exists, for a part of an address; None where it is the organisation's."""
    if name in ORGANISATION:
        return None
    n = company.story.numbers
    by_path = {
        "audit-packs": n["pack"],
        "cases": n["case"],
        "certificates": n["certificate"],
        "data-sets": n["data_set"],
        "destructions": n["destruction"],
        "devices": n["flash"],
        "documents": n["paper"],
        "duties": n["validated"],
        "escrows": n["custody"],
        "exceptions": _exception(company),
        "holdings": n["holding"],
        "holds": n["hold"],
        "hosts": company.world.agents[0].host,
        "locations": n["Office store"],
        "orders": n["validated"],
        "paths": n["path"],
        "processor-statements": n["unsigned"],
        "readings": n["reading"],
        "records": n["record"],
        "log": n["record"],
        "sites": "SI-0001",
        "statements": n["statement"],
        "waivers": n["waiver"],
        "webhooks": n["webhook"],
    }
    if "bundle" in endpoint.parameters:  # the told story has one, for its second host
        return {"host": company.world.agents[1].host, "bundle": "1"}[name]
    noun = endpoint.path.removeprefix("/api/v1/").split("/")[0]
    return by_path.get(noun)


def _exception(company: Company) -> str:
    answer = company.ask("everybody", "GET", "/api/v1/exceptions")
    found: str = answer.get_json()["items"][0]["id"]
    return found


NAMING = [
    endpoint
    for endpoint in endpoints()
    if endpoint.access.kind == "person" and endpoint.parameters and not set(endpoint.parameters) & ORGANISATION
]
LISTS = [
    endpoint
    for endpoint in endpoints()
    if endpoint.access.kind == "person" and endpoint.method == "GET" and not endpoint.parameters
]


def address(company: Company, endpoint: Endpoint) -> str | None:
    path = template(endpoint.path)
    for name in endpoint.parameters:
        value = value_of(company, endpoint, name)
        if value is None:
            return None
        path = path.replace(f"{{{name}}}", value)
    return path


def test_whatever_an_outsider_names_does_not_exist(company: Company) -> None:
    unknown, told, vacuous = [], [], []
    for endpoint in NAMING:
        if endpoint.path.startswith(NOT_TOLD):
            continue
        path = address(company, endpoint)
        if path is None:
            unknown.append(endpoint.path)
            continue
        body = {"unlikely": 1} if endpoint.body is not None else None
        for who in ("worker", "auditor"):
            answer = company.ask(who, endpoint.method, path, body)
            if answer.status_code not in {403, 404} or (answer.status_code == 403 and not _role_is_missing(answer)):
                told.append((who, endpoint.method, path, answer.status_code))
        if company.ask("everybody", endpoint.method, path, body).status_code == 404:
            vacuous.append((endpoint.method, path))
    assert told == []
    assert unknown == [], "say in value_of what the address names"
    assert vacuous == [], "the address names nothing that exists, so 404 proves nothing"


def _role_is_missing(answer: TestResponse) -> bool:
    return bool(answer.get_json()["code"] == "forbidden")


def test_no_list_and_no_count_tells_an_outsider_anything(company: Company) -> None:
    told = {}
    for endpoint in LISTS:
        for who in ("worker", "auditor"):
            answer = company.ask(who, "GET", endpoint.path)
            found = told_to(company, answer.text)
            if found:
                told[who, endpoint.path] = found
    assert told == {}
    for table in exports.EXPORTS:
        for who in ("worker", "auditor"):
            answer = company.ask(who, "GET", f"/api/v1/exports/{table}.csv")
            assert answer.status_code == 200, table
            assert told_to(company, answer.text) == set(), table
    for name in lists.LISTS:
        for way in ("", "/facets", ".csv", ".jsonl"):
            for who in ("worker", "auditor"):
                answer = company.ask(who, "GET", f"/api/v1/lists/{name}{way}")
                assert answer.status_code in {200, 403}, (name, way)
                assert told_to(company, answer.text) == set(), (name, way)
    board = company.ask("worker", "GET", "/api/v1/dashboard").get_json()
    counted = {name: value for name, value in board.items() if isinstance(value, int) and value}
    assert set(counted) <= {"approver_keys_waiting", "log_size"}
    assert not any(board["devices_by_state"].values())
    assert not any(board["orders_by_state"].values())
    assert not any(board["hosts_by_state"].values())


def test_the_same_lists_tell_who_is_of_the_site(company: Company) -> None:
    for path, word in (("/devices", "flash"), ("/orders", "validated"), ("/certificates", "certificate")):
        answer = company.ask("insider", "GET", f"/api/v1{path}")
        assert company.story.numbers[word] in answer.text, path


def test_a_case_crosses_sites_so_whoever_is_limited_to_one_sees_none(company: Company) -> None:
    case = company.story.numbers["case"]
    assert company.ask("insider", "GET", f"/api/v1/cases/{case}").status_code == 404
    assert company.ask("everybody", "GET", f"/api/v1/cases/{case}").status_code == 200


def test_a_filter_or_body_that_names_what_is_outside_finds_nothing(company: Company) -> None:
    n = company.story.numbers
    order = {
        "device": n["flash"],
        "plan": {"method": "clear", "technique": "overwrite", "pattern_set": "zeros", "verification": "full"},
        "purpose": {"reuse": True, "leaves_control": False},
        "reason": "Because.",
    }
    bodies: dict[str, Any] = {
        "/orders": order,
        "/holds": {"kind": "legal", "reference": "X-1", "reason": "Because.", "device": n["flash"]},
        "/lot-certificates": {"name": "All", "devices": [n["flash"]]},
        "/cases": {"reference": "C-1", "data_sets": [n["data_set"]], "withdrawn": "2026-01-01T00:00:00Z"},
        "/paths": {"host": company.world.agents[0].host, "data_set": n["data_set"], "path": "/srv/x"},
    }
    for path, body in bodies.items():
        answer = company.ask("worker", "POST", f"/api/v1{path}", body)
        assert answer.status_code == 404, (path, answer.status_code, answer.text)
        assert answer.get_json()["code"] == "not-found"
    for path in (
        f"/devices?host={company.world.agents[0].host}",
        f"/orders?device={n['old']}",
        f"/holdings?device={n['old']}",
    ):
        answer = company.ask("worker", "GET", f"/api/v1{path}")
        assert told_to(company, answer.text) == set(), path


def test_no_page_tells_an_outsider_anything(company: Company) -> None:
    told: dict[str, Any] = {}
    shown = addresses(company.story)
    clients = {}
    for who in ("worker", "auditor"):
        client = company.app.test_client()
        form = {"login": who, "password": PASSWORD}
        answer = client.post(
            "/console/sign-in",
            data=form,
            base_url=company.world.settings.external_url,
            headers={"Sec-Fetch-Site": "same-origin"},
        )
        assert answer.status_code == 303, answer.text
        clients[who] = client
    for page, path in shown.items():
        if page in EXAMPLES:
            continue
        names_something = bool(ACCESS.get(f"console.{page}")) and bool(re.search(r"/[A-Z]{1,2}-\d|/[0-9a-f]{64}", path))
        for who, client in clients.items():
            answer = client.get(f"/console{path}", base_url=company.world.settings.external_url)
            if names_something and page not in OPEN_PAGES and answer.status_code not in {403, 404}:
                told[f"{who} {page}"] = answer.status_code
            asked = {word for word in secrets_of(company) if word in path}
            found = told_to(company, answer.text) - asked
            if found:
                told[f"{who} {page} reads"] = found
    assert told == {}
