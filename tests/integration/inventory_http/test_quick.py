"""Agents' usual words are answered before the web framework, exactly as behind it; everything else goes its way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from inventory.api import quick
from inventory.auth import agents
from inventory.contract.v1.agents import HeartbeatReply
from inventory.contract.v1.endpoints import AGENT_HEARTBEAT, AGENT_PROGRESS
from inventory.errors import StorageFailed
from inventory.models import Host, HostContact, Nonce
from inventory.services import words
from tests.integration.inventory_http.test_agents import Enrolled, enrol, heartbeat
from tests.support.http_world import HttpWorld, problem
from tests.support.signed_requests import Outgoing


@pytest.fixture
def fresh(tmp_path: Path, database_url: str) -> Iterator[HttpWorld]:
    made = HttpWorld(tmp_path, database_url=database_url)
    yield made
    made.close()


@pytest.fixture
def agent(fresh: HttpWorld) -> Enrolled:
    """Heard once the long way, so that its key is known and nothing of its next word is new."""
    found = enrol(fresh)
    assert beat(fresh, found).status_code == 200
    return found


def beat(world: HttpWorld, agent: Enrolled, **changes: Any) -> TestResponse:  # noqa: ANN401 - fields of the message
    return world.signed(agent.key, "POST", AGENT_HEARTBEAT, {**heartbeat(world), **changes})


def framework(world: HttpWorld) -> Any:  # noqa: ANN401 - a WSGI application
    made = world.app.wsgi_app
    assert isinstance(made, quick.Quick)
    return made


@pytest.fixture
def alone(fresh: HttpWorld, agent: Enrolled, monkeypatch: pytest.MonkeyPatch) -> HttpWorld:
    """Nothing reaches the framework."""
    del agent

    def refused(*_: object) -> object:
        raise AssertionError("it went to the framework")

    monkeypatch.setattr(framework(fresh), "_app", refused)
    return fresh


def nonces(world: HttpWorld) -> int:
    with world.context.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Nonce)) or 0


def test_a_usual_word_never_reaches_the_framework(alone: HttpWorld, agent: Enrolled) -> None:
    before = nonces(alone)
    alone.clock.advance(seconds=30)
    answer = beat(alone, agent, outbox=4, running=["O-1"], standing_by=["clock off"])
    assert answer.status_code == 200
    HeartbeatReply.model_validate_json(answer.data)
    assert nonces(alone) == before + 1
    with alone.context.reading() as session:
        found = session.get_one(HostContact, agent.host)
    assert (found.last_contact, found.outbox) == (alone.clock.now(), 4)
    assert (found.running, found.standing_by) == (["O-1"], ["clock off"])


def test_both_ways_give_the_same_answer_under_the_same_headers(fresh: HttpWorld, agent: Enrolled) -> None:
    fast = beat(fresh, agent)
    fresh.app.wsgi_app = framework(fresh)._app  # type: ignore[method-assign]  # as `create_app` wraps it
    slow = beat(fresh, agent)
    assert fast.status == slow.status
    assert fast.data == slow.data
    assert sorted(fast.headers) == sorted(slow.headers)


def test_a_word_heard_here_is_good_once(alone: HttpWorld, agent: Enrolled, monkeypatch: pytest.MonkeyPatch) -> None:
    request = alone.sign(agent.key, "POST", AGENT_HEARTBEAT, heartbeat(alone))
    assert alone.send(request).status_code == 200
    monkeypatch.undo()
    assert problem(alone.send(request)) == (409, "replayed")


def test_a_revoked_key_is_turned_away_though_it_is_known(fresh: HttpWorld, agent: Enrolled) -> None:
    assert beat(fresh, agent).status_code == 200
    fresh.call("POST", f"/hosts/{agent.host}/revocation", {"reason": "key lost"}, who=fresh.administrator)
    before = nonces(fresh)
    assert problem(beat(fresh, agent)) == (401, "not-signed-in")
    assert nonces(fresh) == before + 1


def test_what_changes_something_is_admitted_once_and_decided_the_long_way(
    fresh: HttpWorld, agent: Enrolled, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []
    long_way = framework(fresh)._app

    def watched(environ: dict[str, Any], start: Any) -> Any:  # noqa: ANN401 - WSGI
        seen.append(environ.get(agents.ADMITTED))
        return long_way(environ, start)

    monkeypatch.setattr(framework(fresh), "_app", watched)
    before = nonces(fresh)
    assert beat(fresh, agent, agent_version="0.2.0").status_code == 200
    assert isinstance(seen[0], agents.Admitted)
    assert nonces(fresh) == before + 1
    with fresh.context.reading() as session:
        assert session.get_one(Host, agent.host).agent_version == "0.2.0"
    strange = fresh.signed(agent.key, "POST", AGENT_PROGRESS.format(lease="LS-1"), PROGRESS)
    assert problem(strange) == (404, "not-found")
    assert isinstance(seen[1], agents.Admitted)


PROGRESS = {
    "token": 1, "state": "executing", "pass_number": 1, "passes": 1, "bytes_done": 1, "bytes_total": 2,
    "bytes_per_second": 1, "seconds_left": 1, "errors": 0,
}  # fmt: skip


def test_no_header_admits_anybody(fresh: HttpWorld, agent: Enrolled) -> None:
    forged = fresh.sign(agent.key, "POST", AGENT_HEARTBEAT, heartbeat(fresh))
    forged.headers["Signature"] = "pyhms=:AAAA:"
    forged.headers |= {"sanitrail.admitted": "1", "Sanitrail-Admitted": "1", "Sanitrail_Admitted": "1"}
    assert problem(fresh.send(forged)) == (401, "signature-refused")


UNUSUAL = {
    "cookie": {"Cookie": "sanitrail=x"},
    "bearer": {"Authorization": "Bearer x"},
    "page": {"Origin": "http://127.0.0.1:8443"},
    "charset": {"content-type": "application/json; charset=utf-8"},
    "name": {"Host": "elsewhere.example.org"},
    "digest": {"content-digest": "sha-256=:AAAA:"},
    "two signatures": {"Signature": "pyhms=:AAAA:, other=:AAAA:"},
}


@pytest.mark.parametrize("how", UNUSUAL)
def test_what_is_not_of_the_usual_form_is_passed_on_untouched(
    fresh: HttpWorld, agent: Enrolled, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    request = fresh.sign(agent.key, "POST", AGENT_HEARTBEAT, heartbeat(fresh))
    given = {name.lower(): value for name, value in UNUSUAL[how].items()}
    kept = {name: value for name, value in request.headers.items() if name.lower() not in given}
    request = Outgoing(request.method, request.url, {**kept, **UNUSUAL[how]}, request.body)
    got: list[bytes] = []

    def passed(environ: dict[str, Any], start: Any) -> list[bytes]:  # noqa: ANN401 - WSGI
        got.append(environ["wsgi.input"].read())
        assert agents.ADMITTED not in environ
        start("204 No Content", [])
        return []

    monkeypatch.setattr(framework(fresh), "_app", passed)
    before = nonces(fresh)
    assert fresh.send(request).status_code == 204
    assert (got, nonces(fresh)) == ([request.body], before)


def test_a_word_too_old_is_not_heard(fresh: HttpWorld, agent: Enrolled) -> None:
    request = fresh.sign(agent.key, "POST", AGENT_HEARTBEAT, heartbeat(fresh))
    fresh.clock.advance(seconds=61)
    before = nonces(fresh)
    assert problem(fresh.send(request)) == (401, "signature-refused")
    assert nonces(fresh) == before


@pytest.mark.parametrize("error", [StorageFailed("away"), RuntimeError("nobody expected it")])
def test_what_cannot_be_heard_together_goes_the_long_way(
    fresh: HttpWorld, agent: Enrolled, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fails(_: words.Word) -> words.Heard:
        raise error

    monkeypatch.setattr(words, "hear", fails)
    before = nonces(fresh)
    assert beat(fresh, agent).status_code == 200
    assert nonces(fresh) == before + 1
