"""An agent that cannot prove that it finds faults begins nothing; what it proved stands in the record."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from agents import readiness, self_tests
from agents.durable import Disk
from agents.refusals import SelfTestMissed
from agents.runs import RunStore, State
from agents.self_tests import VALID, SelfTests
from agents.state import StateDirectory
from reports.record import SanitizationRecord
from reports.verdict import judge
from sanitizer.selftest import SelfTest
from tests.support.agent_world import AgentWorld, self_test_of_this_build

GOOD = self_test_of_this_build()
BAD = dataclasses.replace(GOOD, cases=GOOD.cases[:-1])


class _Made:
    """Tests that are counted, and a clock."""

    def __init__(self, folder: Path, *results: Callable[[], SelfTest]) -> None:
        self.state = StateDirectory(folder)
        self.state.prepare()
        self.results = list(results)
        self.made = 0
        self.now = 0.0
        self.tests = SelfTests(self.state, lambda: self.now, self._make)

    def _make(self) -> SelfTest:
        self.made += 1
        return self.results[min(self.made, len(self.results)) - 1]()


def test_a_test_counts_for_an_hour_of_the_clock_nobody_sets(tmp_path: Path) -> None:
    made = _Made(tmp_path, lambda: GOOD)
    assert made.tests.require() is GOOD
    made.now = VALID - 1
    assert (made.tests.require(), made.made) == (GOOD, 1)
    made.now = VALID
    made.tests.require()
    assert made.made == 2


def test_one_that_missed_a_fault_is_made_again_at_the_next_question_and_never_counts(tmp_path: Path) -> None:
    made = _Made(tmp_path, lambda: BAD, lambda: BAD, lambda: GOOD)
    for _ in range(2):
        with pytest.raises(SelfTestMissed, match="idle-command"):
            made.tests.require()
    assert made.tests.require() is GOOD


def test_a_good_one_of_before_does_not_outlive_a_bad_one(tmp_path: Path) -> None:
    made = _Made(tmp_path, lambda: GOOD, lambda: BAD)
    made.tests.require()
    made.now = VALID
    with pytest.raises(SelfTestMissed):
        made.tests.require()
    made.now = 0.0
    with pytest.raises(SelfTestMissed):
        made.tests.require()


def test_one_that_cannot_be_made_lets_nothing_begin(tmp_path: Path) -> None:
    def broken() -> SelfTest:
        raise ZeroDivisionError("in the engine")

    with pytest.raises(SelfTestMissed, match="ZeroDivisionError"):
        _Made(tmp_path, broken).tests.require()


def test_what_it_found_is_shown_and_a_full_disk_costs_only_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = _Made(tmp_path, lambda: GOOD)
    assert self_tests.shown(made.state) is None
    made.tests.require()
    assert self_tests.shown(made.state) == GOOD
    made.now = VALID

    def full(*_: object) -> None:
        raise OSError(28, "no room")

    monkeypatch.setattr(Disk, "write_volatile", full)
    assert made.tests.require() is GOOD


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"taken": 1}', json.dumps({**GOOD.to_dict(), "taken": "noon"})])
def test_what_is_shown_is_read_carefully(tmp_path: Path, text: str) -> None:
    (tmp_path / self_tests.FILE).write_text(text)
    assert self_tests.shown(StateDirectory(tmp_path)) is None


# --- in an agent ------------------------------------------------------------------------------------------------------


def test_the_record_of_a_run_carries_it_and_is_judged_as_any_other(tmp_path: Path) -> None:
    world = AgentWorld(tmp_path)
    world.order()
    world.settle()
    record = SanitizationRecord.from_dict(world.records()[0])
    (kept,) = record.self_tests
    assert kept.to_dict() == GOOD.to_dict()
    assert judge(record).outcome == "sanitized"


def test_an_agent_that_missed_a_fault_stands_by_and_begins_nothing_and_the_order_waits(tmp_path: Path) -> None:
    world = AgentWorld(tmp_path)
    world.self_test = BAD
    agent = world.start()
    (reason,) = readiness.standing_by(agent.judge, agent.runs, agent.state.root, agent.watch)
    assert reason.startswith("self-test-missed:")
    world.order()
    world.lease()
    (waits,) = world.work()
    assert waits.reason_code == "self-test-missed"
    assert world.system.drive.spent_writes == []
    (run,) = agent.runs.all()
    assert run.state is State.LEASED
    assert not agent.runs.spent(run)
    world.self_test = GOOD
    world.settle()
    assert world.service.orders[0].state == "recorded"


def test_a_run_that_was_cut_off_does_not_go_on_under_a_build_that_misses_faults(tmp_path: Path) -> None:
    world = _cut_off(tmp_path)
    written = len(world.system.drive.spent_writes)
    world.self_test = BAD
    world.start()
    (waits,) = world.work()
    assert waits.reason_code == "self-test-missed"
    assert len(world.system.drive.spent_writes) == written


def test_every_build_that_took_part_stands_in_the_record_once(tmp_path: Path) -> None:
    world = _cut_off(tmp_path)
    other = dataclasses.replace(GOOD, build_sha256="f" * 64)
    world.self_test = other
    for _ in range(2):
        world.start()
    world.settle()
    record = SanitizationRecord.from_dict(world.records()[0])
    assert [one.build_sha256 for one in record.self_tests] == [GOOD.build_sha256, other.build_sha256]
    assert judge(record).outcome == "sanitized"


def test_a_run_of_before_there_were_self_tests_is_read(tmp_path: Path) -> None:
    world = _cut_off(tmp_path)
    store = RunStore(world.agent.state)
    (run,) = store.all()
    older = {name: value for name, value in run.to_dict().items() if name != "self_tests"}
    world.agent.state.write(f"runs/{run.order_sha256}.json", "sanitrail-agent/run/1", older)
    assert store.all()[0].self_tests == ()
    world.start()
    world.settle()
    assert world.service.orders[0].state == "recorded"


def _cut_off(folder: Path) -> AgentWorld:
    """An agent killed in the midst of a run."""
    from tests.support.simulated_drive import Crash, Steps  # noqa: PLC0415 - used here only

    names = AgentWorld(folder / "clean")
    names.order()
    names.start(steps := Steps())
    names.settle()
    world = AgentWorld(folder / "cut")
    world.order()
    world.start(Steps(crash_at=len(steps.names) - 1 - steps.names[::-1].index("write"), when="before"))
    with pytest.raises(Crash):
        world.settle()
    world.system.die()
    world.start()
    return world
