"""While the state cannot be written: who is told, how often, and that nobody is asked for what could not be kept."""

from __future__ import annotations

import errno
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import sanitizer
from agents.daemon import Daemon
from agents.errors import StateUnwritable
from agents.notify import Notifier
from agents.readiness import storage_problem
from agents.reporter import Control
from agents.runner import Runner
from agents.status import Board
from agents.workers import Workers
from tests.support.agent_world import AgentWorld


@pytest.fixture
def world(tmp_path: Path) -> AgentWorld:
    return AgentWorld(tmp_path)


def _read_only(*_: object, **__: object) -> None:
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "place"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=80m", "tmpfs", str(place)], check=True)
    try:
        assert storage_problem(place) is None
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts file systems")
def test_a_read_only_file_system_is_told_before_anything_is_written(read_only: Path) -> None:
    problem = storage_problem(read_only)
    assert isinstance(problem, StateUnwritable)
    assert "read-only" in problem.summarize()


def test_heartbeats_keep_their_pace_while_what_comes_back_cannot_be_kept(
    world: AgentWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = Daemon(world.agent, Notifier(None, None))
    monkeypatch.setattr(daemon, "_tasks", {"heartbeat": _read_only, "outbox": _read_only})
    for _ in range(9):
        daemon._attempt("heartbeat")
        daemon._attempt("outbox")
    assert daemon._backoffs["heartbeat"].failures == 0
    assert daemon._backoffs["outbox"].failures == 9
    assert daemon._board.snapshot()["exchanges"]["heartbeat"]["problem"].startswith("state-unwritable: ")
    monkeypatch.setattr(daemon, "_tasks", {"heartbeat": lambda: 1.0})
    daemon._attempt("heartbeat")
    assert daemon._board.snapshot()["exchanges"]["heartbeat"]["problem"] is None, "told no longer than it is so"


def test_no_lease_is_asked_for_that_could_not_be_kept(world: AgentWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    daemon = Daemon(world.agent, Notifier(None, None))
    daemon._confirmed = daemon._work_waiting = True
    world.order()
    with monkeypatch.context() as patched:
        patched.setattr(type(world.agent.state.disk), "write_volatile", _read_only)
        patched.setattr(Workers, "waiting", property(lambda _: True))  # a run for which a new lease is asked
        daemon._show()
        daemon._lease()
        assert world.service.orders[0].state == "approved"
        assert any(reason.startswith("state-unwritable: ") for reason in daemon._reasons())
    daemon._show()
    assert not any(reason.startswith("state-") for reason in daemon._reasons())
    monkeypatch.setattr(Workers, "waiting", property(lambda _: True))
    daemon._lease()
    assert world.service.orders[0].state == "leased"


def test_a_begun_run_that_cannot_be_noted_is_told_to_wait_until_it_is_at_work_again(
    world: AgentWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    control = Control()
    world.engine.during = lambda progress: control.stop.set() if progress.state == "executing" else None
    order = world.order()
    world.lease()
    world.work(control)
    (run,) = world.agent.runs.all()
    board, nudged = Board(world.clock), threading.Semaphore(0)
    workers = Workers(world.agent.runner, 4, board, world.clock.monotonic, lambda _: nudged.release())
    with monkeypatch.context() as patched:
        patched.setattr(Runner, "work", _read_only)
        workers.dispatch([run])
        assert nudged.acquire(timeout=30)
    told = world.service.progress[-1]
    assert (told.state, told.reason_code) == ("interrupted", "state-unwritable")
    assert board.snapshot()["waiting"][run.run_id].startswith("state-unwritable: ")
    waiting: list[object] = []

    def during(progress: sanitizer.Progress) -> None:
        if progress.state == "verifying":
            waiting.append(board.snapshot()["waiting"])

    world.engine.during = during
    assert nudged.acquire(timeout=30)
    workers.hasten()
    assert nudged.acquire(timeout=30)
    workers.dispatch([run])
    assert nudged.acquire(timeout=30)
    world.deliver()
    assert order.state == "recorded"
    assert waiting[-1] == {}, "it is at work, and does not wait"
