"""The big red stop at the host: what it halts, what it cannot, and who lifts it."""

from __future__ import annotations

import datetime as dt
import errno
import threading
from pathlib import Path
from typing import Any

import pytest

import sanitizer
from agents import readiness
from agents.errors import HaltRefused
from agents.halts import LOCAL, SERVICE, Halts, what_became
from agents.reporter import Control
from agents.runs import State
from agents.status import Board
from agents.workers import Workers
from reports.envelope import Envelope, sign
from reports.keys import FileSigner
from tests.support.agent_world import AgentWorld

NOW = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)


@pytest.fixture
def world(tmp_path: Path) -> AgentWorld:
    return AgentWorld(tmp_path)


def said(
    world: AgentWorld,
    number: int,
    action: str = "halt",
    *,
    by: FileSigner | None = None,
    **more: Any,  # noqa: ANN401 - fields of the payload
) -> Envelope:
    body = {
        "schema": "sanitrail/halt/1",
        "host": "H-0001",
        "agent_key": world.signer.key_id,
        "number": number,
        "action": action,
        "by": "P-0003",
        "reason": "smoke in the rack",
        "time": "2026-11-22T12:00:00.000Z",
        **more,
    }
    return sign("halt", body, by or world.service.world.acceptance)


def follow(world: AgentWorld, envelope: Envelope) -> None:
    judge = world.agent.judge
    judge.halts.follow(envelope, judge.agent_key, judge.service_keys())


def test_while_halted_nothing_is_begun_and_afterwards_it_is(world: AgentWorld) -> None:
    order = world.order()
    world.agent.judge.halts.halt_here("smoke", NOW)
    world.lease()
    (waits,) = world.work()
    assert waits.reason_code == "host-halted"
    assert world.system.drive.writes == 0
    assert world.agent.judge.halts.lift_here()
    world.settle()
    assert order.state == "recorded"


def test_a_run_under_way_is_halted_and_goes_on_from_there(world: AgentWorld) -> None:
    order, control = world.order(), Control()
    halts = world.agent.judge.halts

    def halted_in_the_middle(progress: sanitizer.Progress) -> None:
        if progress.state == "executing" and halts.halt_here("smoke", NOW):
            control.stop.set()

    world.engine.during = halted_in_the_middle
    world.lease()
    (waits,) = world.work(control)
    (became,) = what_became(world.agent.runs, world.agent.engine, world.agent.state.journals)
    assert became.progress == "halted", waits.reason_code
    (again,) = world.work()
    assert again.reason_code == "host-halted", "nor does it go on by itself"
    halts.lift_here()
    world.settle()
    assert order.state == "recorded"
    (record,) = world.records()
    assert record["run"]["state"] == "succeeded"


def test_a_halt_survives_the_agent_and_a_file_nobody_can_read_halts_too(world: AgentWorld) -> None:
    world.agent.judge.halts.halt_here("smoke", NOW)
    again = Halts(world.agent.state)
    assert "smoke" in (again.standing() or "")
    again.lift_here()
    for name in (LOCAL, SERVICE):
        world.agent.state.path(name).write_bytes(b"{")
        assert "cannot be read" in (again.standing() or ""), name
        world.agent.state.path(name).unlink()
    assert again.standing() is None


def test_the_service_halts_and_lifts_and_older_words_change_nothing(world: AgentWorld) -> None:
    halts = world.agent.judge.halts
    follow(world, said(world, 1))
    assert "P-0003" in (halts.standing() or "")
    follow(world, said(world, 2, "lift"))
    assert halts.standing() is None
    follow(world, said(world, 1))
    assert halts.standing() is None, "an old halt played again"
    follow(world, said(world, 3))
    follow(world, said(world, 2, "lift"))
    assert halts.by_service, "an old lifting played again"


def test_a_halt_that_cannot_be_kept_stands_nevertheless(world: AgentWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    halts = world.agent.judge.halts
    before = halts.traces()
    with monkeypatch.context() as patched:
        patched.setattr(type(world.agent.state.disk), "write_file", _read_only)
        with pytest.raises(OSError, match="Read-only"):
            follow(world, said(world, 1))
        assert "P-0003" in (halts.standing() or "")
        assert halts.traces() != before, "the daemon sees that something came"
    assert Halts(world.agent.state).standing() is None, "it was not kept"
    follow(world, said(world, 1))
    assert "P-0003" in (Halts(world.agent.state).standing() or ""), "heard again, it is"


def _read_only(*_: object, **__: object) -> None:
    raise OSError(errno.EROFS, "Read-only file system")


@pytest.mark.parametrize("forged", ["another-key", "another-agent", "an-order"])
def test_only_the_service_lifts_what_it_halted(world: AgentWorld, forged: str) -> None:
    follow(world, said(world, 1))
    lifting = {
        "another-key": said(world, 2, "lift", by=FileSigner.generate()),
        "another-agent": said(world, 2, "lift", agent_key="0" * 64),
        "an-order": world.order().envelope,
    }[forged]
    with pytest.raises(HaltRefused):
        follow(world, lifting)
    assert world.agent.judge.halts.by_service


def test_the_hosts_own_people_do_not_lift_the_services_halt(world: AgentWorld) -> None:
    follow(world, said(world, 1))
    assert not world.agent.judge.halts.lift_here()
    assert world.agent.judge.halts.by_service


def test_a_halted_host_says_that_it_stands_by(world: AgentWorld) -> None:
    agent = world.agent
    agent.judge.halts.halt_here("smoke", NOW)
    reasons = readiness.standing_by(agent.judge, agent.runs, agent.state.root, agent.watch)
    assert any(reason.startswith("host-halted: ") and "smoke" in reason for reason in reasons)


def test_a_drive_that_works_by_itself_is_said_to_go_on(world: AgentWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    import dataclasses  # noqa: PLC0415 - used here only

    world.order()
    control = Control()
    world.engine.during = lambda progress: control.stop.set() if progress.state == "executing" else None
    world.lease()
    world.work(control)
    (pending,) = world.engine.pending_runs(world.agent.state.journals)
    by_itself = dataclasses.replace(pending, own_work=True)
    monkeypatch.setattr(world.engine, "pending_runs", lambda _: [by_itself])
    (became,) = what_became(world.agent.runs, world.engine, world.agent.state.journals)
    assert became.progress == "goes-on"
    assert "CANNOT" in became.describe()


def test_workers_end_what_writes_begin_nothing_and_go_on_with_a_fresh_control(world: AgentWorld) -> None:
    """The threads are the real ones; the halt comes from the main loop, as the daemon does it."""
    order = world.order()
    began, wrote = threading.Event(), threading.Event()
    nudged = threading.Semaphore(0)
    workers = Workers(world.agent.runner, 4, Board(world.clock), world.clock.monotonic, lambda _: nudged.release())

    def during(progress: sanitizer.Progress) -> None:
        if progress.state == "executing":
            began.set()
            wrote.wait(30)

    world.engine.during = during
    world.lease()
    workers.dispatch(world.agent.runs.all())
    assert began.wait(30)
    world.agent.judge.halts.halt_here("smoke", NOW)
    workers.halt()
    wrote.set()
    assert nudged.acquire(timeout=30)
    (run,) = world.agent.runs.all()
    assert run.state is State.STARTED
    workers.go_on()
    workers.halt()
    workers.dispatch(world.agent.runs.all())
    assert workers.free == 4, "nothing was started while halted"
    world.agent.judge.halts.lift_here()
    workers.go_on()
    workers.dispatch(world.agent.runs.all())
    for _ in range(4):
        if not world.agent.runs.all():
            break
        assert nudged.acquire(timeout=30)
    assert workers.stop(30)
    world.deliver()
    assert order.state == "recorded"
