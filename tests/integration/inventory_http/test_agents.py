"""Agents over HTTP: introduced, confirmed, believed only by their signature, and never twice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from inventory.contract.v1 import endpoints
from inventory.contract.v1.agents import EnrolmentReply, HeartbeatReply
from inventory.contract.v1.log import ConsistencyProof, RosterChain
from inventory.contract.v1.orders import LeaseReply
from reports.canonical import to_base64
from tests.support.http_world import BASE, START, HttpWorld, problem
from tests.support.signed_requests import AgentKey, Outgoing


@pytest.fixture
def fresh(tmp_path: Path, database_url: str) -> Iterator[HttpWorld]:
    made = HttpWorld(tmp_path, database_url=database_url)
    yield made
    made.close()


def introduction(key: AgentKey, token: str, name: str = "host-1") -> dict[str, Any]:
    return {
        "token": token,
        "public_key": to_base64(key.public_der),
        "host_name": name,
        "machine_id_sha256": "1" * 64,
        "agent_version": "0.1.0",
        "kernel": "6.1.0",
    }


def heartbeat(world: HttpWorld) -> dict[str, Any]:
    return {
        "agent_version": "0.1.0",
        "boot_id": "boot-1",
        "time": world.clock.now().isoformat(),
        "running": [],
        "outbox": 0,
        "checkpoint": None,
    }


@dataclass
class Enrolled:
    """A confirmed agent."""

    key: AgentKey
    host: str


def new_token(world: HttpWorld) -> str:
    made = world.call("POST", "/enrolment-tokens", {}, who=world.administrator)
    assert made.status_code == 201, made.text
    secret: str = made.get_json()["secret"]
    return secret


def enrol(world: HttpWorld, name: str = "host-1") -> Enrolled:
    key = AgentKey()
    reply = world.signed(key, "POST", endpoints.ENROLMENTS, introduction(key, new_token(world), name))
    assert reply.status_code == 201, reply.text
    pending = EnrolmentReply.model_validate_json(reply.data)
    assert pending.status == "pending"
    confirmed = world.call(
        "POST", f"/hosts/{pending.host}/confirmation", {"fingerprint": pending.fingerprint}, who=world.administrator
    )
    assert confirmed.status_code == 200, confirmed.text
    return Enrolled(key, pending.host)


@pytest.fixture(scope="module")
def agent(world: HttpWorld) -> Enrolled:
    return enrol(world)


def test_an_agent_is_introduced_confirmed_and_heard(fresh: HttpWorld) -> None:
    key, token = AgentKey(), new_token(fresh)
    first = fresh.signed(key, "POST", endpoints.ENROLMENTS, introduction(key, token))
    again = fresh.signed(key, "POST", endpoints.ENROLMENTS, introduction(key, token))
    assert first.status_code == again.status_code == 201
    pending = EnrolmentReply.model_validate_json(first.data)
    assert pending == EnrolmentReply.model_validate_json(again.data)
    waiting = fresh.signed(key, "GET", endpoints.AGENT_ENROLMENT)
    assert EnrolmentReply.model_validate_json(waiting.data).status == "pending"
    too_early = fresh.signed(key, "POST", endpoints.AGENT_HEARTBEAT, heartbeat(fresh))
    assert problem(too_early) == (403, "agent-not-trusted")
    wrong = fresh.call(
        "POST", f"/hosts/{pending.host}/confirmation", {"fingerprint": "0000 0000"}, who=fresh.administrator
    )
    assert problem(wrong) == (422, "evidence-refused")
    right = fresh.call(
        "POST", f"/hosts/{pending.host}/confirmation", {"fingerprint": pending.fingerprint}, who=fresh.administrator
    )
    assert right.status_code == 200
    assert (
        EnrolmentReply.model_validate_json(fresh.signed(key, "GET", endpoints.AGENT_ENROLMENT).data).status
        == "confirmed"
    )
    beat = fresh.signed(key, "POST", endpoints.AGENT_HEARTBEAT, heartbeat(fresh))
    assert beat.status_code == 200, beat.text
    HeartbeatReply.model_validate_json(beat.data)


def test_a_token_introduces_one_agent_only(fresh: HttpWorld) -> None:
    token = new_token(fresh)
    first, second = AgentKey(), AgentKey()
    assert fresh.signed(first, "POST", endpoints.ENROLMENTS, introduction(first, token)).status_code == 201
    reply = fresh.signed(second, "POST", endpoints.ENROLMENTS, introduction(second, token, "host-2"))
    assert problem(reply) == (401, "not-signed-in")
    made_up = fresh.signed(second, "POST", endpoints.ENROLMENTS, introduction(second, "x" * 43))
    assert problem(made_up) == (401, "not-signed-in")


def test_an_introduction_must_be_signed_by_the_key_it_carries(fresh: HttpWorld) -> None:
    token, mine, theirs = new_token(fresh), AgentKey(), AgentKey()
    body = introduction(theirs, token)
    for how in ({}, {"name": theirs.key_id}):
        reply = fresh.signed(mine, "POST", endpoints.ENROLMENTS, body, **how)
        assert problem(reply) == (401, "signature-refused")
    for spki in ("AAAA", "", to_base64(b"\x30\x00")):
        reply = fresh.signed(mine, "POST", endpoints.ENROLMENTS, {**body, "public_key": spki})
        assert problem(reply) == (401, "signature-refused")


def test_each_reading_address_answers_a_confirmed_agent(world: HttpWorld, agent: Enrolled) -> None:
    roster = world.signed(agent.key, "GET", f"{endpoints.AGENT_ROSTER}?version=0")
    assert RosterChain.model_validate_json(roster.data) == RosterChain(rosters=())
    lease = world.signed(agent.key, "POST", endpoints.AGENT_LEASES, {})
    assert LeaseReply.model_validate_json(lease.data) == LeaseReply(lease=None)
    note = world.signed(agent.key, "GET", endpoints.LOG_CHECKPOINT)
    assert note.mimetype == "text/plain"
    size = int(note.text.splitlines()[1])
    proof = world.signed(agent.key, "GET", f"{endpoints.LOG_CONSISTENCY}?old=1&new={size}")
    assert ConsistencyProof.model_validate_json(proof.data).new == size
    assert world.signed(agent.key, "GET", endpoints.LOG_TRUST_ROOTS).status_code == 200


def test_a_request_received_twice_is_a_replay(world: HttpWorld, agent: Enrolled) -> None:
    request = world.sign(agent.key, "POST", endpoints.AGENT_HEARTBEAT, heartbeat(world))
    assert world.send(request).status_code == 200
    assert problem(world.send(request)) == (409, "replayed")
    reused = world.signed(agent.key, "POST", endpoints.AGENT_LEASES, {}, nonce="0123456789abcdef01234567")
    assert reused.status_code == 200
    reused = world.signed(
        agent.key, "POST", endpoints.AGENT_HEARTBEAT, heartbeat(world), nonce="0123456789abcdef01234567"
    )
    assert problem(reused) == (409, "replayed")


def test_a_refused_signature_spends_no_nonce(world: HttpWorld, agent: Enrolled) -> None:
    nonce = "aaaaaaaaaaaaaaaaaaaaaaaa"
    forged = world.signed(AgentKey(), "POST", endpoints.AGENT_LEASES, {}, nonce=nonce, name=agent.key.key_id)
    assert problem(forged) == (401, "signature-refused")
    assert world.signed(agent.key, "POST", endpoints.AGENT_LEASES, {}, nonce=nonce).status_code == 200


@pytest.mark.parametrize(
    "offset", [dt.timedelta(seconds=-61), dt.timedelta(seconds=61), dt.timedelta(days=1), dt.timedelta(days=-1)]
)
def test_a_clock_that_is_off_is_refused(world: HttpWorld, agent: Enrolled, offset: dt.timedelta) -> None:
    reply = world.signed(agent.key, "POST", endpoints.AGENT_LEASES, {}, created=world.clock.now() + offset)
    assert problem(reply) == (401, "signature-refused")


def altered(request: Outgoing) -> dict[str, Outgoing]:
    """One altered copy for each part of a request."""

    def copy(**changes: Any) -> Outgoing:  # noqa: ANN401 - Outgoing's fields
        return Outgoing(**{**vars(request), "headers": dict(request.headers), **changes})

    def without(name: str) -> dict[str, str]:
        return {key: value for key, value in request.headers.items() if key.lower() != name}

    return {
        "body": copy(body=request.body.replace(b"boot-1", b"boot-2")),
        "no body": copy(body=b""),
        "method": copy(method="PUT", url=BASE + endpoints.AGENT_OBSERVATION),
        "address": copy(url=BASE + endpoints.AGENT_LEASES),
        "query": copy(url=request.url + "?x=1"),
        "media type": copy(headers={**request.headers, "content-type": "application/json; charset=utf-8"}),
        "no digest": copy(headers=without("content-digest")),
        "no signature": copy(headers=without("signature")),
        "no parameters": copy(headers=without("signature-input")),
        "other name": copy(headers={**request.headers, "Host": "localhost:8443"}),
    }


@pytest.mark.parametrize(
    "part",
    [
        "body",
        "no body",
        "method",
        "address",
        "query",
        "media type",
        "no digest",
        "no signature",
        "no parameters",
        "other name",
    ],
)
def test_an_altered_request_is_refused(world: HttpWorld, agent: Enrolled, part: str) -> None:
    request = world.sign(agent.key, "POST", endpoints.AGENT_HEARTBEAT, heartbeat(world))
    assert problem(world.send(altered(request)[part])) == (401, "signature-refused")
    assert world.send(request).status_code == 200


@pytest.mark.parametrize("tag", [None, "sanitrail-agent-2"])
def test_a_signature_made_for_something_else_is_refused(world: HttpWorld, agent: Enrolled, tag: str | None) -> None:
    assert problem(world.signed(agent.key, "GET", endpoints.AGENT_ENROLMENT, tag=tag)) == (401, "signature-refused")


def test_a_signature_that_leaves_the_digest_out_is_refused(world: HttpWorld, agent: Enrolled) -> None:
    covered = ["@method", "@authority", "@target-uri", "content-type"]
    reply = world.signed(agent.key, "POST", endpoints.AGENT_LEASES, {}, covered=covered)
    assert problem(reply) == (401, "signature-refused")


def test_another_media_type_is_refused_even_when_it_is_signed(world: HttpWorld, agent: Enrolled) -> None:
    request = Outgoing("POST", BASE + endpoints.AGENT_LEASES, {"content-type": "text/plain"}, b"{}")
    reply = world.send(agent.key.sign(request, created=world.clock.now()))
    assert problem(reply) == (415, "unsupported-media-type")


@pytest.mark.parametrize("body", [b"garbage", b"[" * 5000, b'{"a":1,"a":2}', b"\x00", b'{"unknown":1}', b"[]"])
def test_signed_garbage_is_refused(world: HttpWorld, agent: Enrolled, body: bytes) -> None:
    for address in (endpoints.AGENT_HEARTBEAT, endpoints.AGENT_RECORDS, endpoints.AGENT_LEASES):
        status, code = problem(world.signed(agent.key, "POST", address, body))
        assert (status, code) in {(400, "malformed-json"), (422, "invalid-body")}


def test_an_unknown_key_is_nobodys(world: HttpWorld) -> None:
    assert problem(world.signed(AgentKey(), "GET", endpoints.AGENT_ENROLMENT)) == (401, "not-signed-in")


def test_a_revoked_agent_is_turned_away_everywhere(fresh: HttpWorld) -> None:
    enrolled = enrol(fresh)
    assert fresh.signed(enrolled.key, "POST", endpoints.AGENT_LEASES, {}).status_code == 200
    revoked = fresh.call("POST", f"/hosts/{enrolled.host}/revocation", {"reason": "key lost"}, who=fresh.administrator)
    assert revoked.status_code == 200, revoked.text
    for method, address, body in (
        ("POST", endpoints.AGENT_LEASES, {}),
        ("POST", endpoints.AGENT_HEARTBEAT, heartbeat(fresh)),
        ("GET", endpoints.AGENT_ENROLMENT, None),
        ("GET", endpoints.AGENT_ROSTER, None),
    ):
        assert problem(fresh.signed(enrolled.key, method, address, body)) == (401, "not-signed-in")


def test_a_rejected_agent_hears_so_and_may_do_nothing(fresh: HttpWorld) -> None:
    key = AgentKey()
    reply = fresh.signed(key, "POST", endpoints.ENROLMENTS, introduction(key, new_token(fresh)))
    host = reply.get_json()["host"]
    assert (
        fresh.call(
            "POST", f"/hosts/{host}/rejection", {"reason": "unknown machine"}, who=fresh.administrator
        ).status_code
        == 200
    )
    assert fresh.signed(key, "GET", endpoints.AGENT_ENROLMENT).get_json()["status"] == "rejected"
    assert problem(fresh.signed(key, "POST", endpoints.AGENT_LEASES, {})) == (403, "agent-not-trusted")


def test_another_agents_lease_does_not_exist(world: HttpWorld, agent: Enrolled) -> None:
    question = {"token": 1, "nonce": "0" * 32}
    reply = world.signed(agent.key, "POST", endpoints.AGENT_HOLDS.format(lease="LEASE-1"), question)
    assert problem(reply) == (404, "not-found")


def test_a_message_relayed_from_another_service_is_refused(tmp_path: Path, world: HttpWorld, agent: Enrolled) -> None:
    """What an agent signed for one service is worth nothing at another that goes by another name."""
    request = agent.key.sign(
        Outgoing(
            "POST",
            "https://elsewhere.example.org" + endpoints.AGENT_LEASES,
            {"content-type": "application/json"},
            b"{}",
        ),
        created=START,
    )
    relayed = Outgoing("POST", BASE + endpoints.AGENT_LEASES, request.headers, request.body)
    assert problem(world.send(relayed)) == (401, "signature-refused")
    named = Outgoing(
        "POST", BASE + endpoints.AGENT_LEASES, {**request.headers, "Host": "elsewhere.example.org"}, request.body
    )
    assert problem(world.send(named)) == (421, "misdirected")
