"""The commands: what they print, for people and for programs, and how they end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agents import keys, local_rules
from agents.cli import main
from agents.cli.output import EXIT_CODES
from tests.support.agent_world import AgentWorld
from tests.support.capabilities import requires_loop


def run(*arguments: str, text: str = "", state: Path | None = None) -> Result:
    options = [] if state is None else ["--state-dir", str(state)]
    return CliRunner().invoke(main, [*options, *arguments], input=text)


def test_help_shows_every_exit_code() -> None:
    shown = run("--help").output
    for code, text in EXIT_CODES.items():
        assert f"{code}  {text}" in shown


@pytest.mark.parametrize("command", sorted(main.commands))
def test_every_command_explains_itself(command: str) -> None:
    shown = run(command, "--help")
    assert shown.exit_code == 0
    assert len(shown.output.splitlines()) > 4


def test_wrong_usage_is_exit_code_two(tmp_path: Path) -> None:
    assert run("fly").exit_code == 2
    assert run("enrol", state=tmp_path / "s").exit_code == 2
    assert run("enrol", "--server", "http://evil.example", "--token", "x" * 30, state=tmp_path / "s").exit_code == 2


def test_a_host_that_is_not_enrolled_says_what_to_do(tmp_path: Path) -> None:
    done = run("status", state=tmp_path / "s")
    assert done.exit_code == 3
    assert "sanitrail-agent enrol" in done.output
    machine = json.loads(run("status", "--json", state=tmp_path / "s").output)
    assert machine["error"]["code"] == "enrolment-refused"
    assert run("run", state=tmp_path / "s").exit_code == 3


def test_an_unreachable_service_is_exit_code_four(tmp_path: Path) -> None:
    done = run(
        "enrol", "--server", "http://127.0.0.1:9", "--token", "x" * 30, "--trust-root", "0" * 64, state=tmp_path / "s"
    )
    assert done.exit_code == 4
    assert "no answer" in done.output


def test_a_damaged_state_is_exit_code_six(tmp_path: Path) -> None:
    world = AgentWorld(tmp_path)
    (world.settings.state_dir / "pins.json").write_bytes(b"{}")
    done = run("status", state=world.settings.state_dir)
    assert done.exit_code == 6
    assert "cannot be read back" in done.output


def test_status_of_an_enrolled_host(tmp_path: Path) -> None:
    world = AgentWorld(tmp_path)
    found = json.loads(run("status", "--json", state=world.settings.state_dir).output)
    own = keys.load(world.agent.state)
    assert own is not None
    assert found["fingerprint"] == own.fingerprint
    assert found["trust_root"] == world.service.world.pin
    text = run("status", state=world.settings.state_dir).output
    assert "has not run yet" in text
    assert own.fingerprint in text


def test_the_outbox_shows_what_waits_and_what_is_damaged(tmp_path: Path) -> None:
    world = AgentWorld(tmp_path)
    assert "Nothing waits." in run("outbox", state=world.settings.state_dir).output
    world.order()
    world.lease()
    world.work()
    (record_id,) = world.agent.outbox.waiting()
    shown = run("outbox", state=world.settings.state_dir)
    assert record_id in shown.output
    file = world.settings.state_dir / f"outbox/{record_id}.json"
    file.write_bytes(file.read_bytes()[:-10])
    damaged = run("outbox", state=world.settings.state_dir)
    assert damaged.exit_code == 6
    assert "DAMAGED" in damaged.output


@requires_loop
def test_the_rules_in_force_are_shown_as_they_are_understood(tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text(local_rules.EXAMPLE + '\n[[never_touch]]\nserial = "WD-1"\nreason = "the database"\n')
    rules.chmod(0o644)
    config = tmp_path / "agent.toml"
    config.write_text(f'local_rules = "{rules}"\n')
    shown = run("--config", str(config), "rules", "check")
    assert shown.exit_code == 0
    assert "serial WD-1 (the database)" in shown.output
    assert (
        json.loads(run("--config", str(config), "rules", "check", "--json").output)["rules"]["max_devices_per_hour"]
        == 4
    )
    rules.chmod(0o666)
    refused = run("--config", str(config), "rules", "check")
    assert refused.exit_code == 3
    assert "everything is refused" in refused.output


def test_the_example_can_be_installed_as_it_is_printed() -> None:
    assert local_rules.parse(run("rules", "example").output).allowed_methods == ("clear",)


def test_devices_are_shown_with_every_reason_against_them() -> None:
    found = json.loads(run("devices", "--json").output)
    for device in found["devices"]:
        assert device["identity"] is not None or device["obstacles"]


def test_a_path_is_followed_or_what_stands_in_the_way_is_named(tmp_path: Path) -> None:
    (mapping,) = json.loads(run("paths", str(tmp_path), "--json").output)["paths"]
    assert mapping["devices"] or mapping["unresolved"]
