"""Every address, every role: who is let through, who is refused, and who is not told that there is anything."""

from __future__ import annotations

import re
from typing import Any

import pytest

from inventory.api.endpoint import Endpoint, template
from inventory.api.install import endpoints
from inventory.domain.roles import Permission, Role, may
from tests.support.http_world import HttpWorld, problem

OF_PEOPLE = [endpoint for endpoint in endpoints() if endpoint.access.kind == "person"]
OF_AGENTS = [endpoint for endpoint in endpoints() if endpoint.access.kind in {"agent", "enrolment"}]
PUBLIC = [endpoint for endpoint in endpoints() if endpoint.access.kind == "public"]
DIGEST = "0" * 64


def path_of(endpoint: Endpoint) -> str:
    """The address with something plausible in each place; nothing of it exists."""
    values = {"sha256": DIGEST, "key_id": DIGEST, "version": "1", "level": "0", "tile": "000"}
    return re.sub(r"\{([a-z0-9_]+)\}", lambda part: values.get(part[1], "NONE-1"), template(endpoint.path))


def ask(world: HttpWorld, endpoint: Endpoint, **more: Any) -> tuple[int, str]:  # noqa: ANN401 - what HttpWorld.call takes
    """What the address answers: status, and the code where it is a refusal."""
    body = {"unlikely": 1} if endpoint.body is not None else None
    response = world.call(endpoint.method, path_of(endpoint), body, **more)
    if response.mimetype == "application/problem+json":
        return problem(response)
    return response.status_code, ""


def named(found: list[Endpoint]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("endpoint", found, ids=lambda endpoint: endpoint.name)


@named(OF_PEOPLE)
def test_a_stranger_is_asked_to_sign_in(world: HttpWorld, endpoint: Endpoint) -> None:
    assert ask(world, endpoint) == (401, "not-signed-in")


@named(OF_PEOPLE)
@pytest.mark.parametrize("token", ["Bearer nonsense", "Bearer ", "Basic dXNlcjpwYXNz", "Bearer strl_" + "A" * 43, "x"])
def test_a_bad_token_is_refused(world: HttpWorld, endpoint: Endpoint, token: str) -> None:
    assert ask(world, endpoint, headers={"Authorization": token}) == (401, "not-signed-in")


@named(OF_PEOPLE)
@pytest.mark.parametrize("role", list(Role))
def test_each_role_may_exactly_what_it_is_granted(world: HttpWorld, endpoint: Endpoint, role: Role) -> None:
    status, code = ask(world, endpoint, who=world.person(role))
    access = endpoint.access
    sees = access.see is None or may([role], access.see)
    does = access.do is None or may([role], access.do)
    if not sees:
        assert (status, code) == (404, "not-found")
    elif not does:
        assert (status, code) == (403, "forbidden")
    else:
        assert code not in {"not-signed-in", "csrf-refused"}
        assert status < 500
        if endpoint.body is not None:  # let through, and stopped by what it said
            expected = {"invalid-body"} | ({"if-match-required"} if endpoint.options.updates else set())
            assert code in expected


@named([endpoint for endpoint in OF_PEOPLE if endpoint.access.see is not None])
def test_an_outsider_is_not_told_that_there_is_anything(world: HttpWorld, endpoint: Endpoint) -> None:
    assert ask(world, endpoint, who=world.person()) == (404, "not-found")


@named(OF_AGENTS)
def test_no_person_speaks_for_an_agent(world: HttpWorld, endpoint: Endpoint) -> None:
    for who in (None, world.administrator):
        status, code = ask(world, endpoint, who=who)
        assert (status, code) in {(401, "signature-refused"), (422, "invalid-body")}
        assert endpoint.access.kind == "enrolment" or status == 401


@named(PUBLIC)
def test_the_public_addresses_need_nobody(world: HttpWorld, endpoint: Endpoint) -> None:
    status, code = ask(world, endpoint)
    assert status not in {401, 403}
    assert status < 500
    assert code != "not-signed-in"


def test_every_rule_of_the_application_is_declared_or_the_consoles(world: HttpWorld) -> None:
    """A route somebody adds beside the declarations would be a route without access rules."""
    declared = {(template(endpoint.path), endpoint.method) for endpoint in endpoints()}
    for rule in world.app.url_map.iter_rules():
        path = re.sub(r"<(?:[a-z]+:)?([a-z0-9_]+)>", r"{\1}", rule.rule)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            ours = (path, method) in declared
            files = rule.endpoint in {"api_files.static", "console.static"}
            consoles = rule.endpoint.startswith(("console.", "doors."))
            assert ours or files or consoles, rule


def test_no_address_answers_options_without_its_rules(world: HttpWorld) -> None:
    assert problem(world.call("OPTIONS", "/devices")) == (405, "method-not-allowed")


def test_roles_that_are_taken_away_count_at_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    world = HttpWorld(tmp_path_factory.mktemp("taken"))
    somebody = world.newcomer({Role.OPERATOR})
    assert world.call("GET", "/devices", who=somebody).status_code == 200
    version = world.call("GET", f"/people/{somebody.ref}", who=world.administrator).headers["ETag"]
    answer = world.call(
        "PUT", f"/people/{somebody.ref}/roles", {"roles": []}, who=world.administrator, headers={"If-Match": version}
    )
    assert answer.status_code == 200, answer.text
    assert problem(world.call("GET", "/devices", who=somebody)) == (404, "not-found")
    world.close()


def test_a_disabled_persons_token_dies(tmp_path_factory: pytest.TempPathFactory) -> None:
    world = HttpWorld(tmp_path_factory.mktemp("disabled"))
    somebody = world.newcomer({Role.VIEWER})
    assert world.call("POST", f"/people/{somebody.ref}/disabling", who=world.administrator).status_code == 200
    assert problem(world.call("GET", "/devices", who=somebody)) == (401, "not-signed-in")
    world.close()


def test_an_administrator_neither_approves_nor_validates() -> None:
    assert not may([Role.ADMINISTRATOR], Permission.ORDER_APPROVE)
    assert not may([Role.ADMINISTRATOR], Permission.RECORD_VALIDATE)
