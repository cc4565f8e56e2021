"""The daemon on a state that cannot be written: it goes on telling, begins nothing, says so once, and goes on by itself."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import sanitizer
from tests.support.agent_process import AgentProcess, agent_process, until
from tests.support.breaking_storage import FailingDisk, SmallDisk, failing_disk, small_disk
from tests.support.capabilities import requires_loop
from tests.support.fake_service import FakeService, Order
from tests.support.loopdev import SECRET, Loop, loop_device

pytestmark = [requires_loop, pytest.mark.block_device]

STATE_MIB = 80
"""Beyond what the agent wants free."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Loop]:
    with loop_device(tmp_path) as loop:
        yield loop


@pytest.fixture
def small(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path, mib=STATE_MIB) as found:
        yield found


@pytest.fixture
def failing(tmp_path: Path) -> Iterator[FailingDisk]:
    with failing_disk(tmp_path, mib=STATE_MIB + 16) as found:
        yield found


def order_for(service: FakeService, loop: Loop) -> Order:
    (key,) = service.hosts
    fingerprint = sanitizer.inspect(loop.path).fingerprint
    assert fingerprint is not None
    return service.order(key, fingerprint)


def told(service: FakeService, code: str, times: int) -> None:
    """That many heartbeats in a row say so; each is an interval of its own."""
    until(
        lambda: sum(code in " ".join(beat.standing_by) for beat in service.heartbeats[-times:]) == times,
        f"{times} heartbeats that tell {code}",
    )


def lines(agent: AgentProcess, about: str) -> list[str]:
    return [line for line in agent.said().splitlines() if f" {about}: " in line]


def test_a_full_disk_is_told_once_and_with_room_the_agent_goes_on(
    tmp_path: Path, service: FakeService, disk: Loop, small: SmallDisk
) -> None:
    with agent_process(tmp_path, service, state_dir=str(small.root / "state")) as agent:
        agent.start()
        until(lambda: len(service.heartbeats) > 1, "it is at work")
        small.fill()
        told(service, "state-disk-full", 3)
        order = order_for(service, disk)
        told(service, "state-disk-full", 3)
        assert order.state == "approved", "what could not be kept is not taken"
        assert SECRET in disk.backing()
        small.make_room()
        until(lambda: order.state == "recorded", "the record, once there is room")
        assert SECRET not in disk.backing()
        assert agent.stop() == 0
        assert len(lines(agent, "state")) == 2, agent.said()
        assert "well again" in lines(agent, "state")[1]


def test_a_read_only_state_is_told_with_every_heartbeat_until_it_is_repaired(
    tmp_path: Path, service: FakeService, disk: Loop, failing: FailingDisk
) -> None:
    with agent_process(tmp_path, service, state_dir=str(failing.root / "state")) as agent:
        agent.start()
        until(lambda: len(service.heartbeats) > 1, "it is at work")
        service.world.log.append_entry(b"a checkpoint that must be followed")
        failing.turn_read_only()
        order = order_for(service, disk)
        told(service, "state-unwritable", 4)
        assert order.state == "approved"
        assert len(lines(agent, "state")) == 1, agent.said()
        assert len(lines(agent, "heartbeat")) == 1, agent.said()
        doctor = agent.command("doctor")
        assert "state-unwritable" in doctor.stdout
        agent.stop()
        assert agent.command("run").returncode != 0, "it does not start on such a state"
        failing.repair()
        agent.start()
        until(lambda: order.state == "recorded", "the record, once it was repaired")
        assert SECRET not in disk.backing()
        assert agent.stop() == 0


def test_without_names_left_nothing_is_begun(tmp_path: Path, service: FakeService) -> None:
    place = tmp_path / "few"
    place.mkdir()
    options = f"size={STATE_MIB}m,nr_inodes=70,mode=0700"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], check=True)
    try:
        with agent_process(tmp_path, service, state_dir=str(place / "state")) as agent:
            agent.start()
            told(service, "more files can be made there", 1)
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)
