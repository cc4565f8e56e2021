"""The document as somebody reads it: whole, with examples that the service would read, and addresses nothing can bend."""

from __future__ import annotations

import json
from typing import Any

import pytest

from inventory.api.endpoint import Endpoint, template
from inventory.api.examples import example
from inventory.api.explained import Explained, address, command, explained, found, groups, key_of, kind_of
from inventory.api.install import document, endpoints
from inventory.domain.roles import Role, may

DOCUMENT = document("https://inventory.example")
SCHEMAS = DOCUMENT["components"]["schemas"]
ALL = {endpoint.name: endpoint for endpoint in endpoints()}


def operation(name: str) -> Explained:
    one = explained(DOCUMENT, key_of(ALL[name].noun), name)
    assert one is not None
    return one


def body_schema(endpoint: Endpoint) -> dict[str, Any]:
    declared = DOCUMENT["paths"][template(endpoint.path)][endpoint.method.lower()]
    schema: dict[str, Any] = declared["requestBody"]["content"]["application/json"]["schema"]
    return schema


@pytest.mark.parametrize("every", [False, True], ids=["what is needed", "every member"])
def test_every_example_of_a_body_is_one_the_service_would_read(every: bool) -> None:
    refused = {}
    for endpoint in ALL.values():
        if endpoint.body is None:
            continue
        text = json.dumps(example(body_schema(endpoint), SCHEMAS, every=every))
        try:
            endpoint.body.model_validate_json(text)
        except ValueError as error:
            refused[endpoint.name] = str(error)
    assert refused == {}


def test_every_operation_is_in_exactly_one_group_and_is_explained() -> None:
    listed = [brief for group in groups(DOCUMENT) for brief in group.operations]
    assert sorted(brief.name for brief in listed) == sorted(ALL)
    assert len({group.key for group in groups(DOCUMENT)}) == len(DOCUMENT["tags"])
    for brief in listed:
        one = explained(DOCUMENT, brief.group, brief.name)
        assert one is not None
        assert bool(one.body) == (ALL[brief.name].body is not None), brief.name


def test_who_may_is_what_the_guard_will_say() -> None:
    for endpoint in ALL.values():
        brief = operation(endpoint.name).brief
        assert brief.who == {"public": "everybody", "person": "people"}.get(endpoint.access.kind, "agents")
        if endpoint.access.kind == "person":
            needed = [one for one in (endpoint.access.see, endpoint.access.do) if one is not None]
            assert set(brief.roles) == {str(role) for role in Role if all(may([role], one) for one in needed)}


def test_the_address_is_the_declared_one_with_its_places_filled() -> None:
    one = operation("get_device")
    assert address(one, {"path.device": ["D-000001"]}) == "/api/v1/devices/D-000001"
    assert address(one, {"path.device": ["a/b?c#d"], "query.host": ["x"]}) == "/api/v1/devices/a%2Fb%3Fc%23d"


@pytest.mark.parametrize("value", ["", ".", "..", "a/../b", "x\r\nSet-Cookie: a=b", "\x00"])
def test_what_is_no_part_of_an_address_makes_none(value: str) -> None:
    assert address(operation("get_device"), {"path.device": [value]}) is None


def test_a_tile_keeps_its_slashes_and_climbs_nowhere() -> None:
    tile = next(name for name in ALL if "{tile" in ALL[name].path)
    given = {"path.level": ["0"], "path.tile": ["x001/234"]}
    assert (address(operation(tile), given) or "").endswith("/x001/234")
    assert address(operation(tile), {**given, "path.tile": ["x001/../../../trust-root.json"]}) is None


def test_every_value_of_a_list_is_asked_and_what_is_empty_is_not() -> None:
    given = {"query.state": ["retired", "quarantined"], "query.limit": [""], "query.nonsense": ["x"]}
    assert address(operation("list_devices"), given) == "/api/v1/devices?state=retired&state=quarantined"


def test_a_search_wants_every_word_and_names_come_first() -> None:
    first = found(DOCUMENT, "release device")[0]
    assert (first.method, first.path) == ("POST", "/api/v1/devices/{device}/release")
    assert found(DOCUMENT, "release zebra") == ()
    assert found(DOCUMENT, "  ") == ()
    assert "list_devices" in {one.name for one in found(DOCUMENT, "GET /api/v1/devices")}


def test_a_message_within_a_message_is_told_once_and_never_for_ever() -> None:
    rows = operation("create_order").members
    assert ("plan", 0) in {(row.name, row.depth) for row in rows}
    assert ("technique", 1) in {(row.name, row.depth) for row in rows}
    loop = {"A": {"type": "object", "properties": {"a": {"$ref": "#/components/schemas/A"}}}}
    assert json.dumps(example({"$ref": "#/components/schemas/A"}, loop, every=True)).count("a") < 20


def test_a_kind_is_said_in_the_words_of_json() -> None:
    assert (
        kind_of({"anyOf": [{"type": "string", "maxLength": 9}, {"type": "null"}]}, {})
        == "string, 0 to 9 characters or null"
    )
    assert kind_of({"type": "array", "items": {"type": "integer", "minimum": 1}}, {}) == "list of integer, 1 or more"


def test_a_command_shows_a_token_only_where_somebody_must_be_known() -> None:
    assert "Bearer" not in command(operation("healthz"), "https://x.example")
    told = command(operation("create_order"), "https://x.example")
    assert told.startswith("curl -X POST 'https://x.example/api/v1/orders'")
    assert "Bearer $SANITRAIL_CLIENT_TOKEN" in told
