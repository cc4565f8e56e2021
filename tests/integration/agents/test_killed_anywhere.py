"""The agent is killed before and after every single effect, and started again: nothing is lost, nothing is done twice.

Effects are counted over the drive, the sanitizer's journal, the agent's own disk and the exchanges with the service
together. After the restart the same must be true as if nothing had happened: one run, one record, one number, a medium
that holds nothing of what it held.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.canonical import parse_strict
from reports.record import SanitizationRecord
from reports.verdict import judge
from tests.support.agent_world import AgentWorld
from tests.support.simulated_drive import Crash, Steps


def _interesting(names: list[str]) -> list[int]:
    """Every step, but of a row of equal ones (reads and writes of the drive) the first and the last."""
    last = len(names) - 1
    return [n for n, name in enumerate(names) if n in {0, last} or name != names[n - 1] or name != names[n + 1]]


def _clean_run(folder: Path) -> list[str]:
    world = AgentWorld(folder)
    world.order()
    world.start(steps := Steps())
    world.settle()
    assert world.service.orders[0].state == "recorded"
    return steps.names


@pytest.fixture(scope="module")
def steps_of_a_run(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return _clean_run(tmp_path_factory.mktemp("clean"))


def _assert_all_is_well(world: AgentWorld) -> None:
    (order,) = world.service.orders
    assert order.state == "recorded", order.reasons
    (record,) = world.records()
    assert record["run"]["state"] == "succeeded"
    assert record["run"]["touched"] == "yes"
    assert record["host"]["sequence"] == 1
    assert record["previous"] is None
    assert judge(SanitizationRecord.from_dict(record)).outcome == "sanitized"
    assert world.agent.outbox.waiting() == []
    assert world.agent.runs.all() == []
    assert world.engine.pending_runs(world.settings.state_dir / "journals") == []
    assert b"SECRET" not in bytes(world.system.drive.durable)
    counter = parse_strict((world.settings.state_dir / "sequence.json").read_bytes())
    assert (counter["last"], counter["open"]) == (1, {})


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("how", ["killed", "power-cut", "killed-and-started-late"])
def test_killed_at_any_effect_it_ends_as_if_nothing_had_happened(
    tmp_path: Path, steps_of_a_run: list[str], when: str, how: str
) -> None:
    for number in _interesting(steps_of_a_run):
        folder = tmp_path / str(number)
        folder.mkdir()
        world = AgentWorld(folder)
        world.order()
        world.start(Steps(crash_at=number, when=when))
        with pytest.raises(Crash):
            world.settle()
        world.system.die(power_cut=how == "power-cut")
        if how == "killed-and-started-late":
            world.system.clock += world.service.lease_seconds + 1
        world.start()
        world.settle()
        if (
            world.service.orders[0].state == "leased"
        ):  # the answer with the lease was lost: it is leased again once it has ended
            world.system.clock += world.service.lease_seconds
            world.settle()
        try:
            _assert_all_is_well(world)
        except AssertionError as error:
            raise AssertionError(f"killed {when} step {number}, {steps_of_a_run[number]}: {error}") from error
