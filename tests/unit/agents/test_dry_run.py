"""A host that rehearses tells what it would do, and opens nothing for writing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Never

import pytest
from click.testing import CliRunner, Result

import sanitizer
from agents.cli import main
from agents.local_rules import EXAMPLE, parse
from sanitizer.errors import MountedFilesystem
from tests.support.agent_world import RULES, AgentWorld, self_test_of_this_build
from tests.support.simulated_drive import Crash, SimulatedDrive, SimulatedSystem, Steps

DRY = RULES.model_copy(update={"dry_run": True})


def test_rules_are_not_dry_unless_they_say_so() -> None:
    assert not parse(EXAMPLE).dry_run
    assert parse(EXAMPLE.replace("#dry_run", "dry_run")).dry_run


def test_an_order_is_refused_with_what_would_have_been_done_and_the_medium_is_never_claimed(tmp_path: Path) -> None:
    world = AgentWorld(tmp_path)
    world.rules = DRY
    order = world.order()
    world.start(steps := Steps())
    world.settle()
    ((code, reason),) = order.reasons
    assert (order.state, code) == ("refused", "dry-run")
    for words in ("/dev/sim", "SIM-0001", "65536 bytes", "clear by overwriting", "full verification"):
        assert words in reason
    assert not {"claim", "write", "create-journal"} & set(steps.names)
    assert list((tmp_path / "state/spent").iterdir()) == []


def test_an_order_that_would_be_refused_anyway_is_refused_for_that(tmp_path: Path) -> None:
    world = AgentWorld(tmp_path)
    world.rules = DRY
    world.system.drive.obstacles = (MountedFilesystem(mount_points=("/mnt",)),)
    order = world.order()
    world.settle()
    assert order.reasons[0][0] == "mounted-filesystem"


def test_a_run_that_was_begun_waits_and_goes_on_when_the_rule_is_gone(tmp_path: Path) -> None:
    clean = AgentWorld(tmp_path / "clean")
    clean.order()
    clean.start(steps := Steps())
    clean.settle()
    world = AgentWorld(tmp_path / "cut")
    world.order()
    last = len(steps.names) - 1 - steps.names[::-1].index("write")
    world.start(Steps(crash_at=last, when="after"))
    with pytest.raises(Crash):
        world.settle()
    written = len(world.system.drive.spent_writes)
    world.rules = DRY
    world.start()
    (waits,) = world.work()
    assert waits.reason_code == "dry-run"
    assert len(world.system.drive.spent_writes) == written
    world.rules = RULES
    world.settle()
    assert world.service.orders[0].state == "recorded"


def test_a_rule_that_comes_right_before_the_first_write_still_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = AgentWorld(tmp_path)
    world.order()
    world.lease()
    ask = world.agent.service.ask_hold
    seen: list[str] = []

    def rules_change(*arguments: Any) -> Any:  # noqa: ANN401 - as the client's
        seen.append("asked")
        return ask(*arguments)

    monkeypatch.setattr(world.agent.service, "ask_hold", rules_change)
    clear = world.engine.clear

    def then_dry(*arguments: Any) -> Any:  # noqa: ANN401 - as the engine's
        given = clear(*arguments)
        world.agent.judge.permit_writing(given)
        return given

    monkeypatch.setattr(world.engine, "clear", then_dry)
    original = world.agent.runs.spend

    def spend(*arguments: Any) -> None:  # noqa: ANN401 - as the store's
        original(*arguments)
        world.rules = DRY

    monkeypatch.setattr(world.agent.runs, "spend", spend)
    world.work()
    assert world.system.drive.spent_writes == []
    assert seen == []


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: ANN401 - a function
    system = SimulatedSystem(SimulatedDrive())
    rules = [EXAMPLE]

    def never(*_: object, **__: object) -> Never:
        raise AssertionError("opened for writing")

    monkeypatch.setattr("sanitizer.transport.block.BlockDevice.open_exclusive", never)
    monkeypatch.setattr(sanitizer, "inspect", lambda _path: system.inspect())
    monkeypatch.setattr("agents.cli.rehearsing.rules_file.load", lambda _path: parse(rules[0]))

    def run(*words: str, text: str = EXAMPLE, obstacle: bool = False) -> Result:
        rules[0] = text
        system.drive.obstacles = (MountedFilesystem(mount_points=("/mnt",)),) if obstacle else ()
        return CliRunner().invoke(main, ["--state-dir", str(tmp_path / "state"), "dry-run", "/dev/sim", *words])

    return run


def test_the_command_says_step_by_step_what_would_be_done(command: Any) -> None:  # noqa: ANN401
    result = command()
    assert result.exit_code == 0, result.output
    assert "1. Write a stream that only this run's key can make" in result.output
    assert "2. Read back" in result.output
    assert "Nothing stands against it." in result.output
    assert "nothing was opened for writing" in result.output
    assert "sanitizer wipe" not in result.output


@pytest.mark.parametrize(
    ("words", "changes", "code"),
    [
        (("--json",), {"text": EXAMPLE.replace("#dry_run", "dry_run")}, "dry-run"),
        (("--json",), {"text": EXAMPLE.replace('["clear"]', '["purge"]')}, "method-forbidden-here"),
        (("--json",), {"text": EXAMPLE + '\n[[never_touch]]\nserial = "SIM-*"\n'}, "never-touch"),
        (("--json",), {"text": EXAMPLE.replace("hour = 4", "hour = 0")}, "too-many-devices"),
        (("--json",), {"obstacle": True}, "mounted-filesystem"),
        (("--json", "--method", "purge"), {}, "no-technique"),
    ],
)
def test_everything_that_stands_against_it_is_named(
    command: Any,  # noqa: ANN401 - the fixture
    words: tuple[str, ...],
    changes: dict[str, Any],
    code: str,
) -> None:
    result = command(*words, **changes)
    assert result.exit_code == 3, result.output
    assert code in {one["code"] for one in json.loads(result.output)["against"]}


def test_a_build_that_misses_faults_stands_against_it(command: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN401
    monkeypatch.setattr("sanitizer.selftest.cases.SelfTest.missed", property(lambda _self: ("bad-sector",)))
    assert self_test_of_this_build().missed == ("bad-sector",)
    result = command()
    assert result.exit_code == 3
    assert "self-test-missed" in result.output
