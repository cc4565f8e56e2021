"""What the protocol layer does for every address alike: bodies, queries, versions, repetition, names, headers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from inventory.api.bodies import MAX_PERSON_BODY
from inventory.domain.roles import Role
from inventory.models import IdempotencyKey
from tests.support.http_world import BASE, HttpWorld, Person, problem

DECLARED = {"asset_tag": "AT-1", "serial": "S-1", "reason": "bought"}


@pytest.fixture
def boss(world: HttpWorld) -> Person:
    return world.administrator


@pytest.fixture
def fresh(tmp_path: Path, database_url: str) -> Iterator[HttpWorld]:
    made = HttpWorld(tmp_path, database_url=database_url)
    yield made
    made.close()


def place(name: str) -> dict[str, Any]:
    return {"name": name, "zone": "secure", "address": "Cellar"}


@pytest.mark.parametrize(
    "media_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/json; charset=utf-16"],
)
def test_another_media_type_is_refused(world: HttpWorld, boss: Person, media_type: str) -> None:
    reply = world.call("POST", "/locations", place("x"), who=boss, headers={"Content-Type": media_type})
    assert problem(reply) == (415, "unsupported-media-type")


def test_an_oversized_body_is_refused_announced_or_not(world: HttpWorld, boss: Person) -> None:
    raw = b'{"name":"' + b"x" * MAX_PERSON_BODY + b'"}'
    assert problem(world.call("POST", "/locations", raw=raw, who=boss)) == (413, "body-too-large")
    assert problem(world.call("POST", "/agent/records", raw=b"x" * 9_000_000)) == (413, "body-too-large")


@pytest.mark.parametrize(
    "raw", [b"", b"null", b"[]", b'"x"', b"1", b"{", b"[" * 5000, b'{"a":1,"a":1}', b"\xff\xfe", b"\x00" * 10]
)
def test_garbage_is_refused(world: HttpWorld, boss: Person, raw: bytes) -> None:
    status, code = problem(world.call("POST", "/locations", raw=raw, who=boss))
    assert (status, code) in {(400, "malformed-json"), (422, "invalid-body")}


def test_a_body_nobody_reads_is_refused(world: HttpWorld, boss: Person) -> None:
    assert problem(world.call("GET", "/locations", {"a": 1}, who=boss)) == (400, "bad-request")


def test_findings_point_at_the_place_and_echo_nothing(world: HttpWorld, boss: Person) -> None:
    reply = world.call("POST", "/locations", {"name": "n", "zone": "hunter2", "extra-member": "hunter3"}, who=boss)
    assert problem(reply) == (422, "invalid-body")
    assert {item["pointer"] for item in reply.get_json()["errors"]} == {"/zone", "/extra-member"}
    assert "hunter" not in reply.text


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=x",
        "unknown=1",
        "limit=1&limit=2",
        "state=nonsense",
        "held=perhaps",
        "text=%00",
        "text=" + "x" * 300,
    ],
)
def test_a_query_that_does_not_fit_is_refused(world: HttpWorld, boss: Person, query: str) -> None:
    assert problem(world.call("GET", f"/devices?{query}", who=boss)) == (422, "invalid-query")


def test_a_list_may_be_narrowed_by_several_states(world: HttpWorld, boss: Person) -> None:
    assert world.call("GET", "/devices?state=retired&state=quarantined&held=true", who=boss).status_code == 200


def test_a_query_nobody_reads_is_refused(world: HttpWorld, boss: Person) -> None:
    assert problem(world.call("GET", "/locations?a=1", who=boss)) == (422, "invalid-query")


@pytest.mark.parametrize(
    "name", ["evil.example", "127.0.0.1:9", "127.0.0.1:8443.evil.example", "sanitrail.example.org"]
)
def test_a_name_that_is_not_ours_is_refused(world: HttpWorld, name: str) -> None:
    reply = world.app.test_client().get("/api/v1/log/trust", headers={"Host": name})
    assert problem(reply) == (421, "misdirected")


def test_a_forwarded_name_is_not_believed(tmp_path: Path) -> None:
    world = HttpWorld(tmp_path, trusted_proxies=1)
    headers = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}
    assert world.call("GET", "/log/trust", headers=headers).status_code == 200
    reply = world.app.test_client().get("/api/v1/log/trust", headers={"Host": "evil.example", **headers})
    assert problem(reply) == (421, "misdirected")
    world.close()


def test_health_is_told_under_any_name(world: HttpWorld) -> None:
    for path in ("/healthz", "/readyz", "/version"):
        assert world.app.test_client().get(path, headers={"Host": "10.1.2.3"}).status_code == 200


def test_a_created_location_has_a_version_and_is_changed_only_by_who_has_read_it(fresh: HttpWorld) -> None:
    boss = fresh.administrator
    made = fresh.call("POST", "/locations", place("Store"), who=boss)
    assert made.status_code == 201, made.text
    path, etag = f"/locations/{made.get_json()['id']}", made.headers["ETag"]
    change = {**place("Store room"), "reason": "renamed"}
    assert problem(fresh.call("PUT", path, change, who=boss)) == (428, "if-match-required")
    for header in ("*", "1", 'W/"1"', '"x"', '"1", "2"', '"' + "9" * 30 + '"'):
        reply = fresh.call("PUT", path, change, who=boss, headers={"If-Match": header})
        assert problem(reply) == (422, "invalid-header")
    changed = fresh.call("PUT", path, change, who=boss, headers={"If-Match": etag})
    assert changed.status_code == 200, changed.text
    assert changed.headers["ETag"] != etag
    late = fresh.call("PUT", path, {**change, "name": "Too late"}, who=boss, headers={"If-Match": etag})
    assert problem(late) == (412, "stale-version")
    assert [row["name"] for row in fresh.call("GET", "/locations", who=boss).get_json()] == ["Store room"]


def test_a_device_that_has_not_changed_is_not_sent_again(fresh: HttpWorld) -> None:
    keeper = fresh.person(Role.CUSTODIAN)
    made = fresh.call("POST", "/devices", {"asset_tag": "AT-1"}, who=keeper)
    assert made.status_code == 201, made.text
    path = made.headers["Location"]
    first = fresh.call("GET", path, who=keeper)
    again = fresh.call("GET", path, who=keeper, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_a_create_repeated_with_its_key_happens_once(fresh: HttpWorld) -> None:
    boss, key = fresh.administrator, {"Idempotency-Key": "create-store-1"}
    first = fresh.call("POST", "/locations", place("Store"), who=boss, headers=key)
    again = fresh.call("POST", "/locations", place("Store"), who=boss, headers=key)
    assert (first.status_code, first.data) == (again.status_code, again.data) == (201, first.data)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert len(fresh.call("GET", "/locations", who=boss).get_json()) == 1
    other = fresh.call("POST", "/locations", place("Another"), who=boss, headers=key)
    assert problem(other) == (422, "idempotency-key-reused")
    assert problem(fresh.call("POST", "/locations", place("Store"), who=boss)) == (409, "duplicate")


def test_a_key_is_its_owners(fresh: HttpWorld) -> None:
    key = {"Idempotency-Key": "shared-key-1"}
    assert fresh.call("POST", "/locations", place("A"), who=fresh.administrator, headers=key).status_code == 201
    reply = fresh.call("POST", "/locations", place("B"), who=fresh.person(Role.CUSTODIAN), headers=key)
    assert reply.status_code == 201


def test_a_refused_create_gives_its_key_back(fresh: HttpWorld) -> None:
    boss, key = fresh.administrator, {"Idempotency-Key": "create-store-2"}
    fresh.call("POST", "/locations", place("Store"), who=boss)
    assert problem(fresh.call("POST", "/locations", place("Store"), who=boss, headers=key)) == (409, "duplicate")
    assert fresh.call("POST", "/locations", place("Other"), who=boss, headers=key).status_code == 201


def test_an_answer_with_a_secret_is_never_kept(fresh: HttpWorld) -> None:
    boss, key = fresh.administrator, {"Idempotency-Key": "enrol-one-host"}
    made = fresh.call("POST", "/tokens", {"name": "t", "roles": ["administrator"]}, who=boss, headers=key)
    assert made.status_code == 201
    again = fresh.call("POST", "/tokens", {"name": "t", "roles": ["administrator"]}, who=boss, headers=key)
    assert problem(again) == (409, "idempotency-in-flight")
    with fresh.context.reading() as session:
        assert session.scalars(sa.select(IdempotencyKey.body)).all() == [None]


@pytest.mark.parametrize("key", ["short", "x" * 129, "with space and more", "tab\tin the key"])
def test_a_poor_idempotency_key_is_refused(world: HttpWorld, boss: Person, key: str) -> None:
    reply = world.call("POST", "/locations", place("x"), who=boss, headers={"Idempotency-Key": key})
    assert problem(reply) == (422, "invalid-header")


def test_every_answer_forbids_what_it_does_not_need(world: HttpWorld, boss: Person) -> None:
    for path in ("/devices", "/api/v1/openapi.json", "/nowhere", "/healthz"):
        headers = world.call("GET", path, who=boss).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "Strict-Transport-Security" not in headers


def test_the_reference_page_loads_nothing_from_elsewhere_and_runs_nothing(world: HttpWorld) -> None:
    page = world.call("GET", "/api/docs")
    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert "<script" not in page.text
    assert "style=" not in page.text
    assert not re.findall(r"""(?:src|href)=["'](?!/|#)""", page.text)
    policy = page.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert re.search(r"script-src 'nonce-[\w-]{20,}'", policy)
    style = re.search(r'href="(/api/static/[^"]+)"', page.text)
    assert style is not None
    sheet = world.app.test_client().get(style[1], base_url=BASE, buffered=True)
    assert (sheet.status_code, sheet.mimetype) == (200, "text/css")
    for noun in ("devices", "orders", "agents"):
        assert f'id="{noun}"' in page.text


def test_each_page_has_a_nonce_of_its_own(world: HttpWorld) -> None:
    policies = {world.call("GET", "/api/docs").headers["Content-Security-Policy"] for _ in range(3)}
    assert len(policies) == 3


def test_the_trust_root_is_served_as_the_bytes_its_pin_names(world: HttpWorld) -> None:
    from hashlib import sha256  # noqa: PLC0415 - read beside its use

    reply = world.call("GET", "/trust-root.json")
    pin = world.call("GET", "/log/trust").get_json()["pin"]
    assert sha256(reply.data).hexdigest() == pin
    assert world.call("GET", "/log/trust-root").data == reply.data


def test_a_list_goes_on_where_it_ended(fresh: HttpWorld) -> None:
    keeper = fresh.person(Role.CUSTODIAN)
    for number in range(7):
        assert fresh.call("POST", "/devices", {"asset_tag": f"AT-{number}"}, who=keeper).status_code == 201
    seen: list[str] = []
    after = ""
    for _ in range(4):
        page = fresh.call("GET", f"/devices?limit=3{after}", who=keeper).get_json()
        seen += [row["asset_tag"] for row in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert sorted(seen) == [f"AT-{number}" for number in range(7)]


@pytest.mark.parametrize("cursor", ["x", "../..", "%27%20or%201=1", "-1", "9" * 40, "é"])
def test_a_made_up_cursor_breaks_nothing(world: HttpWorld, boss: Person, cursor: str) -> None:
    for path in (
        "/devices",
        "/orders",
        "/events",
        "/cases",
        "/certificates",
        "/log/entries",
        "/exceptions",
        "/holdings",
        "/hosts",
    ):
        assert world.call("GET", f"{path}?after={cursor}", who=boss).status_code in {200, 400, 404, 422}, path


def test_metrics_are_for_those_who_may_read_events(world: HttpWorld) -> None:
    reply = world.call("GET", "/metrics", who=world.person(Role.AUDITOR))
    assert reply.status_code == 200
    assert "sanitrail_log_size 1" in reply.text
    for line in reply.text.splitlines():
        assert re.fullmatch(r"(# (HELP|TYPE) .+)|([a-z_]+(\{state=\"[a-z_]+\"\})? \d+)", line), line
