"""The separated agent as systemd runs it: one process with the disks and no say on the network, one with the network alone."""

from __future__ import annotations

import json
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import sanitizer
from tests.support.agent_process import PATIENCE, ROOT, AgentProcess, agent_process, until
from tests.support.capabilities import requires_loop
from tests.support.fake_service import FakeService
from tests.support.loopdev import SECRET, loop_device

pytestmark = [requires_loop, pytest.mark.block_device]


@pytest.fixture
def room() -> Iterator[Path]:
    """Where the socket is: short enough for one, and others may pass."""
    folder = Path(tempfile.mkdtemp(prefix="sanitrail-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


class Halves:
    """Both processes."""

    def __init__(self, agent: AgentProcess) -> None:
        self.agent = agent
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *line: str) -> subprocess.Popen[bytes]:
        with self.agent.log.open("ab") as log:
            self.running[name] = subprocess.Popen([sys.executable, "-m", *line], stdout=log, stderr=log, cwd=ROOT)
        return self.running[name]

    def helper(self) -> subprocess.Popen[bytes]:
        return self.start("helper", "agents.helper", "--config", str(self.agent.config), "--log-format", "json")

    def carrier(self) -> subprocess.Popen[bytes]:
        return self.start(
            "carrier", "agents", "--config", str(self.agent.config), "carry", "--user", "nobody", "--log-format", "json"
        )

    def kill(self, name: str) -> None:
        process = self.running.pop(name)
        process.kill()
        process.wait(PATIENCE)

    def end(self) -> list[int]:
        codes = []
        for process in self.running.values():
            process.terminate()
            codes.append(process.wait(PATIENCE))
        self.running = {}
        return codes


@pytest.fixture
def halves(tmp_path: Path, room: Path, service: FakeService) -> Iterator[Halves]:
    made = {"carrier_socket": str(room / "c"), "carrier_user": "nobody"}
    with agent_process(tmp_path, service, **made) as agent:
        both = Halves(agent)
        try:
            yield both
        finally:
            for name in list(both.running):
                both.kill(name)


def uids(process: subprocess.Popen[bytes]) -> set[int]:
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return {int(number) for line in lines if line.startswith("Uid:") for number in line.split()[1:]}


def opened(process: subprocess.Popen[bytes]) -> list[str]:
    return [str(entry.readlink()) for entry in Path(f"/proc/{process.pid}/fd").iterdir()]


def test_a_disk_is_wiped_while_the_half_with_the_network_is_killed_and_holds_nothing(
    halves: Halves, service: FakeService, tmp_path: Path
) -> None:
    with loop_device(tmp_path) as disk:
        helper = halves.helper()
        first = halves.carrier()
        until(lambda: bool(service.observations), "an observation, through the carrier")
        assert uids(first) == {pwd.getpwnam("nobody").pw_uid}, "root is given up for good, saved ids included"
        assert not [name for name in opened(first) if name.startswith(("/dev/loop", str(halves.agent.state)))]
        assert not [name for name in opened(helper) if name.startswith("socket:") and _is_inet(helper, name)]
        halves.kill("carrier")
        fingerprint = sanitizer.inspect(disk.path).fingerprint
        assert fingerprint is not None
        (key,) = service.hosts
        order = service.order(key, fingerprint)
        halves.carrier()
        until(lambda: order.state == "recorded", "the record, through the next carrier")
        assert SECRET not in disk.backing()
        assert halves.end() == [0, 0]
    lines = [json.loads(line) for line in halves.agent.said().splitlines() if line.startswith("{")]
    assert {line["process"] for line in lines} >= {"helper"}
    assert all({"time", "level", "message"} <= set(line) for line in lines)


def _is_inet(process: subprocess.Popen[bytes], name: str) -> bool:
    inode = name.removeprefix("socket:[").removesuffix("]")
    tables = [Path(f"/proc/{process.pid}/net/{table}") for table in ("tcp", "tcp6", "udp", "udp6")]
    return any(inode in line.split() for table in tables if table.exists() for line in table.read_text().splitlines())


def test_as_root_nothing_is_carried(halves: Halves) -> None:
    line = [sys.executable, "-m", "agents", "--config", str(halves.agent.config), "carry", "--json"]
    done = subprocess.run(line, capture_output=True, text=True, check=False, cwd=ROOT, timeout=PATIENCE)
    assert json.loads(done.stdout)["error"]["code"] == "carrier-privileged"
    assert done.returncode != 0
