"""Two people decide the same thing at the same moment, having read the same: one of them decides, the other is told.

Through the interface itself, from two threads, on both databases. Then the same table by one person of a service whose
clock was set back or ahead: what is decided is decided wholly, or refused in words and decided once the clock is right again;
every rule of the procedure holds after it.
"""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from inventory.api.install import endpoints
from inventory.models import Approval, Device, Event, Holding, LogEntry, Order, StoredEnvelope
from inventory.services import upkeep
from tests.support.decisions import DECISIONS, Stage
from tests.support.inventory_world import World, copied_world
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


def test_of_two_who_decide_at_once_one_decides_and_the_other_is_told(world: World) -> None:
    stage, wrong = Stage(world), {}
    for name, decision in DECISIONS.items():
        first, second = both(stage, name)
        code = (second.get_json(silent=True) or {}).get("code", "")
        told = {"stale-version"} if decision.shown else {"conflict", "illegal-transition", "stale-version"}
        if first.status_code >= 300 or code not in told:
            wrong[name] = (first.status_code, first.text[:300], second.status_code, second.text[:300])
    assert wrong == {}
    Watch(world.context).look()


@pytest.mark.parametrize("days", [-3, 3, 60], ids=["set back", "set ahead", "past every end"])
def test_a_clock_that_was_set_decides_wholly_or_refuses_in_words(tmp_path: Path, days: int) -> None:
    with copied_world(tmp_path / "data") as world:
        stage, watch = Stage(world), Watch(world.context)
        wrong: dict[str, tuple[object, ...]] = {}
        for name, decision in DECISIONS.items():
            wanted = decision.ready(stage)
            before = events(stage)
            world.clock.forward(days=days)
            reply = stage.ask(f"{decision.who}1", METHODS[name], wanted)
            world.clock.forward(days=-days)
            refused = reply.mimetype == "application/problem+json" and 400 <= reply.status_code < 500
            if reply.status_code >= 300 and (not refused or events(stage) != before):
                wrong[name] = (reply.status_code, reply.text[:300])
            elif refused:  # nothing was lost: the clock is right again, and the same is decided
                again = stage.ask(f"{decision.who}1", METHODS[name], wanted)
                if again.status_code >= 300:
                    wrong[name] = (reply.status_code, reply.text[:200], again.status_code, again.text[:300])
            watch.look(name)
        assert wrong == {}


def test_what_a_clock_set_ahead_has_ended_is_begun_anew_and_nothing_is_lost(tmp_path: Path) -> None:
    """Upkeep runs while the clock is wrong: what it ends is said to have ended, and the same is asked for again."""
    kept = (Event, Device, Holding, Order, Approval, StoredEnvelope, LogEntry)
    with copied_world(tmp_path / "data") as world:
        watch = Watch(world.context)

        def sizes() -> list[int]:
            with world.context.reading() as session:
                return [session.scalar(sa.select(sa.func.count()).select_from(table)) or 0 for table in kept]

        world.hold_data()
        world.unmount()
        order, before = world.approved().id, sizes()
        world.clock.forward(days=400)
        upkeep.run(world.context)
        world.clock.forward(days=-400)
        assert all(now >= then for now, then in zip(sizes(), before, strict=True))
        assert "order.expired" in world.tags(order)
        watch.look("set ahead")
        upkeep.run(world.context)
        assert world.sanitized().id != order
        assert world.device().state == "sanitized"
        watch.look("and right again")
