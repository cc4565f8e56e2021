"""The main loop waits for no disk, and a halt at the host reaches it at once."""

from __future__ import annotations

import errno
import functools
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agents.daemon import Daemon
from agents.folder_watch import FolderWatch
from agents.hotplug import HotPlug
from agents.looking import Looking
from agents.notify import Notifier
from reports.envelope import Envelope, sign
from tests.support.agent_world import AgentWorld

PATIENCE = 20.0
"""Less than the loop would sleep if nobody told it anything."""


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


@pytest.fixture
def world(tmp_path: Path) -> AgentWorld:
    return AgentWorld(tmp_path)


@pytest.fixture
def slow(world: AgentWorld, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """While it is not set, whoever looks at every device waits for one that does not answer."""
    answers, look = threading.Event(), world.engine.list_devices

    def waiting() -> object:
        if threading.current_thread().name.startswith("run-"):
            return look()
        assert answers.wait(PATIENCE * 3)
        return look()

    monkeypatch.setattr(world.engine, "list_devices", waiting)
    yield answers
    answers.set()


class Running:
    """The main loop in a thread of its own."""

    def __init__(self, world: AgentWorld) -> None:
        world.service.alter = beating
        self.daemon = Daemon(world.agent, Notifier(None, None), HotPlugOfNone)
        self._thread = threading.Thread(target=self.daemon.run)

    def __enter__(self) -> Daemon:
        self._thread.start()
        return self.daemon

    def __exit__(self, *_: object) -> None:
        self.daemon.stop()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()


def beating(name: str, reply: dict[str, Any], **more: object) -> dict[str, Any]:
    """The service asks for no heartbeat while a test lasts: what is told then was told for a reason."""
    return {**reply, "interval_seconds": 3600, **more} if name.endswith("/heartbeat") else reply


def asleep(world: AgentWorld) -> None:
    """Wait until the loop has told what it begins with, and that a disk is there."""
    until(lambda: bool(world.service.observations) and len(world.service.heartbeats) > 1)


class HotPlugOfNone(HotPlug):
    """Hears nothing."""

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass


def test_a_disk_that_does_not_answer_holds_up_no_order(world: AgentWorld, slow: threading.Event) -> None:
    order = world.order()
    with Running(world):
        until(lambda: order.state == "recorded")
        assert not world.service.observations
        slow.set()
        until(lambda: bool(world.service.observations))


def test_what_changed_during_a_look_is_looked_at_again(world: AgentWorld, slow: threading.Event) -> None:
    with Running(world) as daemon:
        until(lambda: bool(world.service.heartbeats))
        daemon.nudge("observation")
        until(lambda: daemon._looking.outdated)
        slow.set()
        until(lambda: len(world.service.observations) == 2)


@pytest.mark.parametrize("told", [True, False])
def test_a_halt_at_the_host_reaches_the_loop(world: AgentWorld, monkeypatch: pytest.MonkeyPatch, *, told: bool) -> None:
    if not told:
        monkeypatch.setattr(FolderWatch, "start", lambda _: None)
    with Running(world) as daemon:
        asleep(world)
        assert daemon._halt_files.hears is told
        world.agent.judge.halts.halt_here("smoke", world.clock.now())
        until(lambda: halted(world))
        world.agent.judge.halts.lift_here()
        until(lambda: not world.service.heartbeats[-1].standing_by)


def test_a_halt_by_the_service_that_the_disk_does_not_keep_is_heeded_at_once(
    world: AgentWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    envelope = halt(world)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    with Running(world) as daemon:
        asleep(world)
        monkeypatch.setattr(world.agent.state, "write", full)
        world.service.alter = functools.partial(beating, halt=envelope)
        daemon.nudge("heartbeat")
        until(lambda: halted(world))


def halted(world: AgentWorld) -> bool:
    """Whether the service was told so last."""
    return any("host-halted" in words for words in world.service.heartbeats[-1].standing_by)


def halt(world: AgentWorld) -> Envelope:
    """The service's word, for this host."""
    body = {
        "schema": "sanitrail/halt/1",
        "host": "H-0001",
        "agent_key": world.signer.key_id,
        "number": 1,
        "action": "halt",
        "by": "P-0003",
        "reason": "smoke in the rack",
        "time": "2026-11-22T12:00:00.000Z",
    }
    return sign("halt", body, world.service.world.acceptance)


def test_a_look_that_failed_is_told_once_and_begun_again() -> None:
    looks = iter([OSError("no table"), "everything"])
    over = threading.Semaphore(0)

    def look() -> str:
        found = next(looks)
        if isinstance(found, OSError):
            raise found
        return str(found)

    looking = Looking(look, over.release)
    assert looking.take() is None
    assert over.acquire(timeout=PATIENCE)
    with pytest.raises(OSError, match="no table"):
        looking.take()
    assert looking.take() is None
    assert over.acquire(timeout=PATIENCE)
    assert looking.take() == "everything"
