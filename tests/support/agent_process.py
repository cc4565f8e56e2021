"""The agent as a process of its own: real command line, real sanitizer, the fake service on loopback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agents.local_rules import EXAMPLE
from tests.support.fake_service import FakeService

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0
"""Seconds after which a test gives up waiting for what must happen; nothing is concluded from how long it took."""


def until(true: Callable[[], bool], what: str) -> None:
    """Wait for something that must happen."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"it did not happen: {what}")
        time.sleep(0.02)


class AgentProcess:
    """One host: its settings, its state, and the process that works on them."""

    def __init__(self, folder: Path, service: FakeService, name: str = "host", **settings: Any) -> None:  # noqa: ANN401 - TOML values
        self.folder = folder / name
        self.folder.mkdir()
        self.state = self.folder / "state"
        self.rules = self.folder / "local-rules.toml"
        self.rules.write_text(EXAMPLE.replace("max_devices_per_hour = 4", "max_devices_per_hour = 50"))
        self.rules.chmod(0o644)
        values = {
            "server": service.base,
            "state_dir": str(self.state),
            "local_rules": str(self.rules),
            "progress_interval": 0.02,
            "outbox_retry_limit": 1.0,
            "survey": False,  # this machine runs the tests' own databases
            **settings,
        }
        self.config = self.folder / "agent.toml"
        self.config.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items()))
        self.service = service
        self.process: subprocess.Popen[bytes] | None = None
        self.log = self.folder / "log"

    def command(self, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """One `sanitrail-agent` command to its end."""
        line = [sys.executable, "-m", "agents", "--config", str(self.config), *arguments]
        return subprocess.run(line, input=text, capture_output=True, text=True, timeout=PATIENCE, check=False, cwd=ROOT)

    def enrol(self) -> dict[str, Any]:
        """As an administrator does it, both sides."""
        world = self.service.world
        from reports.envelope import payload_digest  # noqa: PLC0415 - used here only

        roster = payload_digest(world.rosters[-1][0])
        token = self.service.new_token()
        done = self.command(
            "enrol", "--token-file", "-", "--trust-root", world.pin, "--roster", roster, "--json", text=token
        )
        assert done.returncode == 0, done.stdout + done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        self.service.hosts[answer["key_id"]].status = "confirmed"
        return answer

    def start(self, *killer: str) -> None:
        """The daemon; with arguments, the one that kills itself at the place they name (`tests.support.agent_killed`)."""
        module = ["tests.support.agent_killed", str(self.config), *killer]
        line = [sys.executable, "-m", *(module if killer else ["agents", "--config", str(self.config), "run"])]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(line, stdout=log, stderr=log, cwd=ROOT)

    def ended(self) -> int:
        """Wait for the process to end by itself; its exit code."""
        assert self.process is not None
        code = self.process.wait(timeout=PATIENCE)
        self.process = None
        return code

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it; its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.ended()

    def close(self) -> None:
        """Whatever happened."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def said(self) -> str:
        """Everything it logged."""
        return self.log.read_text() if self.log.exists() else ""

    def waiting(self) -> Sequence[Path]:
        """Records in the outbox."""
        return sorted((self.state / "outbox").glob("*.json"))


@contextmanager
def agent_process(folder: Path, service: FakeService, name: str = "host", **settings: Any) -> Iterator[AgentProcess]:  # noqa: ANN401
    """An enrolled host whose process ends with the test; its log is shown when the test fails."""
    agent = AgentProcess(folder, service, name, **settings)
    try:
        agent.enrol()
        yield agent
    except BaseException:
        sys.stderr.write(f"--- log of {name}\n{agent.said()}\n")
        raise
    finally:
        agent.close()


def pid_is_alive(pid: int) -> bool:
    """Whether a process of that number exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
