"""What happens to a host while a run is under way: its storage fills up or turns read-only, its clock is set, nobody answers.

At every step of a run, one after the other. Afterwards, once a person has set it right, the same must be true as if nothing had
happened: one run, one record, one number, a medium that holds nothing of what it held.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

import sanitizer
from agents import readiness
from agents.errors import AgentError
from agents.runs import State
from reports.record import SanitizationRecord
from reports.verdict import judge
from tests.support.agent_world import AgentWorld
from tests.support.breaking_storage import FailingDisk, SmallDisk, failing_disk, small_disk
from tests.support.simulated_drive import Steps

_T = TypeVar("_T")
SECRET = b"SECRET"


class Moment(Steps):
    """Lets something happen right before one step."""

    def __init__(self, number: int, happens: Callable[[], None]) -> None:
        super().__init__()
        self._number = number
        self._happens = happens

    def step(self, name: str, effect: Callable[[], _T]) -> _T:
        if self.count == self._number:
            self._happens()
            self._number = -1
        return super().step(name, effect)


@pytest.fixture(scope="module")
def moments(tmp_path_factory: pytest.TempPathFactory) -> list[int]:
    """The first step of each name: every kind of effect that a run has."""
    world = AgentWorld(tmp_path_factory.mktemp("clean"))
    world.order()
    world.start(steps := Steps())
    world.settle()
    assert world.service.orders[0].state == "recorded"
    return sorted({name: number for number, name in reversed(list(enumerate(steps.names)))}.values())


def _trouble(world: AgentWorld) -> None:
    """What the daemon does while something is wrong: everything is tried, and whatever is raised is tried again later."""
    for attempt in (world.work, world.lease, world.work, world.deliver):
        with contextlib.suppress(AgentError, OSError):
            attempt()


def _settle(world: AgentWorld) -> None:
    world.settle()
    if world.service.orders[0].state == "leased":  # the answer with the lease was lost
        world.system.clock += world.service.lease_seconds + 1
        world.settle()


def _assert_all_is_well(world: AgentWorld, number: int) -> None:
    (order,) = world.service.orders
    assert order.state == "recorded", (number, order.reasons)
    (record,) = world.records()
    assert judge(SanitizationRecord.from_dict(record)).outcome == "sanitized", number
    assert (record["host"]["sequence"], record["previous"]) == (1, None), number
    assert (world.agent.outbox.waiting(), world.agent.runs.all()) == ([], []), number
    assert SECRET not in bytes(world.system.drive.durable), number


# --- storage ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path) as disk:
        yield disk


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts file systems")
def test_a_file_system_without_room_at_any_step_loses_nothing(small: SmallDisk, moments: list[int]) -> None:
    for number in moments:
        world = AgentWorld(small.root / str(number))
        world.order()
        world.start(Moment(number, small.fill))
        _trouble(world)
        _trouble(world)
        small.make_room()
        world.start()
        _settle(world)
        _assert_all_is_well(world, number)


@pytest.fixture
def failing(tmp_path: Path) -> Iterator[FailingDisk]:
    with failing_disk(tmp_path) as disk:
        yield disk


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts file systems")
def test_a_file_system_that_turns_read_only_at_any_step_loses_nothing(failing: FailingDisk, moments: list[int]) -> None:
    for number in moments[::2]:
        world = AgentWorld(failing.root / str(number))
        world.order()
        world.start(Moment(number, failing.turn_read_only))
        _trouble(world)
        written = len(world.system.drive.spent_writes)
        _trouble(world)
        assert len(world.system.drive.spent_writes) == written, f"{number}: written on without a journal"
        world.system.die()
        failing.repair()
        world.start()
        _settle(world)
        _assert_all_is_well(world, number)


# --- clocks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "which"), [(400, 0), (-400, 1)])
def test_a_clock_that_is_set_at_any_step_neither_ends_an_order_nor_begins_one(
    tmp_path: Path, moments: list[int], days: int, which: int
) -> None:
    for number in moments[which::2]:
        world = AgentWorld(tmp_path / str(number))
        world.order()

        def jump(world: AgentWorld = world) -> None:
            world.clock.offset = dt.timedelta(days=days)

        world.start(Moment(number, jump))
        _trouble(world)
        _trouble(world)
        assert world.service.orders[0].state not in {"refused", "failed"}, (number, world.service.orders[0].reasons)
        world.clock.offset = dt.timedelta()
        world.agent.watch.heard(world.service.now())
        _settle(world)
        (record,) = world.records()
        if record["run"]["state"] == "refused":  # at the very last question: said so, and nothing was touched
            assert "clock-untrusted" in record["run"]["error"], number
            assert world.system.drive.spent_writes == []
        else:
            _assert_all_is_well(world, number)


def test_a_clock_that_is_set_is_noticed_before_anybody_answers(tmp_path: Path) -> None:
    world = AgentWorld(tmp_path)
    watch = world.agent.watch
    watch.heard(world.service.now())
    assert watch.reading().problem is None
    world.system.clock += 86_400 * 30  # a month passes: that is no jump
    assert watch.reading().problem is None
    world.clock.offset = dt.timedelta(days=1)
    assert "1 day ahead of" in (watch.reading().problem or "")
    world.clock.offset = dt.timedelta(days=-1)
    assert "1 day behind" in (watch.reading().problem or "")
    reasons = readiness.standing_by(world.agent.judge, world.agent.runs, world.agent.state.root, watch)
    assert any(reason.startswith("clock-untrusted:") for reason in reasons)


# --- the service is gone for weeks ------------------------------------------------------------------------------------


def test_a_service_that_is_gone_for_weeks_costs_no_record_and_begins_nothing_that_has_expired(tmp_path: Path) -> None:
    world = AgentWorld(tmp_path)
    begun = world.order()
    world.lease()

    def leave(progress: sanitizer.Progress) -> None:
        world.service.away = world.service.away or progress.state == "executing"

    world.engine.during = leave
    world.work()
    assert world.agent.outbox.waiting(), "a run that was begun needs nobody"
    world.engine.during = lambda _progress: None
    world.service.away = False
    world.system.clock += 1
    later = world.order()
    world.lease()
    world.service.away = True
    size = _size_of(world)
    for _week in range(4):
        world.system.clock += 7 * 86_400
        world.start()
        for _attempt in range(3):
            _trouble(world)
    assert _size_of(world) <= size + 65_536, "what waits does not grow while nobody answers"
    assert len(world.agent.outbox.waiting()) == 1
    assert all(run.state is not State.STARTED for run in world.agent.runs.all())
    world.service.away = False
    for _ in range(3):
        _trouble(world)
        world.system.clock += world.service.lease_seconds + 1
    assert begun.state == "recorded"
    assert later.state != "recorded", "its approvals had expired"
    (record,) = world.records()
    assert record["run"]["state"] == "succeeded"


def _size_of(world: AgentWorld) -> int:
    return sum(path.stat().st_size for path in world.settings.state_dir.rglob("*") if path.is_file())
