"""Each thing that can be wrong with a host's agent is found, named by its code, and comes with what to do."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from agents import doctor, enrolment, metrics
from agents.doctor import Place
from agents.enrolment import Enrolment
from agents.local_rules import EXAMPLE
from tests.support.agent_world import AgentWorld, self_test_of_this_build

NOW = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)


@pytest.fixture
def world(tmp_path: Path) -> AgentWorld:
    made = AgentWorld(tmp_path)
    (tmp_path / "rules.toml").write_text(EXAMPLE)
    return made


def place(world: AgentWorld, uid: int | None = None) -> Place:
    settings = world.settings.model_copy(
        update={
            "local_rules": world.folder / "rules.toml",
            "carrier_user": "nobody",
            "carrier_socket": world.folder / "carrier.sock",
        }
    )
    return Place(settings, world.agent.state, lambda: NOW, os.geteuid() if uid is None else uid)


def codes(world: AgentWorld, uid: int | None = None) -> set[str]:
    return {finding.code for finding in doctor.looks(place(world, uid))}


def as_it_is(world: AgentWorld) -> set[str]:
    """What is so in every test: nobody runs the daemon here."""
    return codes(world) - {"not-running", "no-carrier-socket", "not-root", "local-rules-unusable"}


def test_a_healthy_host_has_no_finding_but_that_nothing_runs(world: AgentWorld) -> None:
    assert as_it_is(world) == set()
    assert "not-running" in codes(world)


def test_while_the_agent_runs_nothing_says_that_it_does_not(world: AgentWorld) -> None:
    import subprocess  # noqa: PLC0415 - a lock of another process
    import sys  # noqa: PLC0415

    lock = world.agent.state.path("lock")
    hold = "import os, sys; os.lockf(os.open(sys.argv[1], os.O_RDWR | os.O_CREAT), os.F_LOCK, 0); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert "not-running" not in codes(world)
        other.communicate(b"\n")


def _unconfirmed(world: AgentWorld) -> None:
    known = enrolment.load(world.agent.state)
    assert known is not None
    enrolment.save(world.agent.state, Enrolment(known.server, known.host, "pending", known.key_id))


def _status(world: AgentWorld, **facts: object) -> None:
    shown = {"written": "2026-11-22T11:59:00Z", "exchanges": {}, **facts}
    world.agent.state.path("status.json").write_text(json.dumps(shown))


def _tested(world: AgentWorld, **changes: object) -> None:
    """The agent has run, and shows a self-test."""
    _status(world)
    made = {**self_test_of_this_build().to_dict(), **changes}
    world.agent.state.path("self-test.json").write_text(json.dumps(made))


BROKEN: dict[str, Callable[[AgentWorld], object]] = {
    "not-enrolled": lambda world: world.agent.state.path("enrolment.json").unlink(),
    "not-confirmed": _unconfirmed,
    "state-open": lambda world: world.agent.state.root.chmod(0o755),
    "state-damaged": lambda world: world.agent.state.path("pins.json").write_text("{"),
    "host-halted": lambda world: world.agent.judge.halts.halt_here("smoke", NOW),
    "outbox-damaged": lambda world: world.agent.state.path("outbox/damaged/x.json").write_text("{"),
    "nothing-allowed": lambda world: (world.folder / "rules.toml").write_text(
        EXAMPLE.replace('allowed_methods = ["clear"]', "allowed_methods = []")
    ),
    "dry": lambda world: (world.folder / "rules.toml").write_text(
        EXAMPLE.replace("max_devices_per_hour = 4", "max_devices_per_hour = 0")
    ),
    "clock-untrusted": lambda world: _status(
        world, clock={"skew_seconds": 900.0, "problem": "This host's clock is 15 minutes ahead."}
    ),
    "self-test-missing": _status,
    "self-test-missed": lambda world: _tested(world, cases=[]),
    "another-build-runs": lambda world: _tested(world, build_sha256="0" * 64),
    "service-not-heard": lambda world: _status(
        world, exchanges={"heartbeat": {"failures": 3, "problem": "no answer", "last_success": None}}
    ),
}


@pytest.mark.parametrize("code", BROKEN)
def test_what_is_broken_is_found_and_comes_with_what_to_do(world: AgentWorld, code: str) -> None:
    if code in {"nothing-allowed", "dry"} and os.geteuid() != 0:
        pytest.skip("the local rules must be root's")
    assert code not in codes(world)
    BROKEN[code](world)
    (found,) = [finding for finding in doctor.looks(place(world)) if finding.code == code]
    assert len(found.fix) > 10
    assert code in found.describe()


def test_a_build_that_found_everything_is_no_finding_and_its_figures_say_so(world: AgentWorld) -> None:
    _tested(world, taken="2026-11-22T11:00:00Z")
    assert as_it_is(world) == set()
    lines = metrics.text(place(world)).splitlines()
    assert "sanitrail_agent_self_test_missed 0" in lines
    assert "sanitrail_agent_self_test_age_seconds 3600" in lines


def test_rules_that_are_missing_are_found(world: AgentWorld) -> None:
    (world.folder / "rules.toml").unlink()
    assert "local-rules-unusable" in codes(world)


def test_whoever_is_not_root_is_told_that_not_everything_was_seen(world: AgentWorld) -> None:
    assert "not-root" in codes(world, uid=65534)


def test_what_stops_work_comes_first(world: AgentWorld) -> None:
    world.agent.judge.halts.halt_here("smoke", NOW)
    weights = [finding.weight for finding in doctor.looks(place(world))]
    assert weights == sorted(weights, key=lambda weight: weight != "stops")


# --- figures ----------------------------------------------------------------------------------------------------------


def test_figures_are_in_the_form_prometheus_reads_and_name_no_medium(world: AgentWorld) -> None:
    world.order()
    world.lease()
    _status(world, exchanges={"heartbeat": {"failures": 2, "problem": "x", "last_success": None}})
    world.agent.judge.halts.halt_here("smoke", NOW)
    text = metrics.text(place(world))
    lines = text.splitlines()
    assert 'sanitrail_agent_runs{state="leased"} 1' in lines
    assert "sanitrail_agent_halted 1" in lines
    assert 'sanitrail_agent_exchange_failures{exchange="heartbeat"} 2' in lines
    assert "sanitrail_agent_status_age_seconds 60" in lines
    names = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(names) == len(set(names)), "each announced once"
    assert "SIM-0001" not in text


def test_a_state_that_cannot_be_read_is_a_finding_and_not_a_zero(world: AgentWorld) -> None:
    world.agent.state.path("runs/x.json").write_text("{")
    text = metrics.text(place(world))
    assert "sanitrail_agent_runs" not in text
    assert 'sanitrail_agent_findings{weight="stops"} 0' not in text
