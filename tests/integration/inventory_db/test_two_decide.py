"""Two people decide the same thing at the same moment, having read the same: one of them decides, the other is told.

Through the interface itself, from two threads. Then the same table by one person of a service whose clock was set
back: what is decided is decided wholly, or refused in words, and every rule of the procedure holds after it.
"""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from inventory.api.install import endpoints
from inventory.models import Event
from tests.support.decisions import DECISIONS, Stage
from tests.support.inventory_world import copied_world
from tests.year.invariants import Watch

METHODS = {endpoint.name: endpoint.method for endpoint in endpoints()}


def test_every_decision_that_demands_a_version_stands_in_the_table() -> None:
    demanding = {endpoint.name for endpoint in endpoints() if endpoint.options.updates}
    assert demanding == {name for name, one in DECISIONS.items() if one.shown}
    assert set(DECISIONS) <= set(METHODS)


def events(stage: Stage) -> int:
    with stage.world.context.reading() as session:
        return session.scalar(sa.select(sa.func.max(Event.id))) or 0


def both(stage: Stage, name: str) -> list[TestResponse]:
    """Two people, one object, one version, two threads."""
    decision = DECISIONS[name]
    wanted = decision.ready(stage)
    barrier = threading.Barrier(2)
    replies: list[TestResponse] = []

    def decide(who: str) -> None:
        barrier.wait(timeout=30)
        replies.append(stage.ask(who, METHODS[name], wanted))

    threads = [threading.Thread(target=decide, args=(f"{decision.who}{n}",)) for n in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return sorted(replies, key=lambda reply: reply.status_code)


def test_of_two_who_decide_at_once_one_decides_and_the_other_is_told(tmp_path: Path) -> None:
    with copied_world(tmp_path / "data") as world:
        stage, wrong = Stage(world), {}
        for name, decision in DECISIONS.items():
            first, second = both(stage, name)
            code = (second.get_json(silent=True) or {}).get("code", "")
            told = {"stale-version"} if decision.shown else {"conflict", "illegal-transition", "stale-version"}
            if first.status_code >= 300 or code not in told:
                wrong[name] = (first.status_code, first.text[:300], second.status_code, second.text[:300])
        assert wrong == {}
        Watch(world.context).look()


@pytest.mark.parametrize("days", [-3], ids=["set back"])
def test_a_clock_that_was_set_decides_wholly_or_refuses_in_words(tmp_path: Path, days: int) -> None:
    with copied_world(tmp_path / "data") as world:
        stage, watch, wrong = Stage(world), Watch(world.context), {}
        for name, decision in DECISIONS.items():
            wanted = decision.ready(stage)
            before = events(stage)
            world.clock.forward(days=days)
            reply = stage.ask(f"{decision.who}1", METHODS[name], wanted)
            world.clock.forward(days=-days)
            refused = reply.mimetype == "application/problem+json" and 400 <= reply.status_code < 500
            if reply.status_code >= 300 and (not refused or events(stage) != before):
                wrong[name] = (reply.status_code, reply.text[:300])
            watch.look(name)
        assert wrong == {}
