"""The two halves of an agent as systemd starts them, and a service in this process: what `footprint` measures."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.config import Settings
from tests.support.agent_process import ROOT, AgentProcess
from tests.support.fake_service import FakeService

from .errors import CannotMeasure

HEARTBEAT = 30
"""Seconds between two heartbeats, as the service asks of its agents."""
_SCHEDULED = 2
"""CPUCLOCK_SCHED of linux/posix-timers.h: what the scheduler counted, in nanoseconds."""
PATIENCE = 900.0
"""Seconds for everything that must happen; what takes longer cannot be measured."""
_UNITS = ROOT / "packaging" / "systemd"
_LAUNCHER = """
import sys, importlib
sys.path.insert(0, sys.argv.pop(1))
importlib.import_module(sys.argv.pop(1)).main()
"""
"""As the package's programs begin: isolated, with our own folder first."""


@dataclass
class Half:
    """One process of the agent."""

    name: str
    process: subprocess.Popen[bytes]
    seconds: float
    """From the command to readiness."""

    def memory(self) -> float:
        """MiB resident, shared pages counted whole."""
        return _field(self.process.pid, "status", "VmRSS")

    def shared_out(self) -> float:
        """MiB, pages shared with other processes counted by shares."""
        return _field(self.process.pid, "smaps_rollup", "Pss")

    def own_memory(self) -> float:
        """MiB that nobody else has and the host cannot take back; the rest are pages of files, which it can."""
        return _field(self.process.pid, "status", "RssAnon")

    def peak(self) -> float:
        """MiB: the most that was ever resident."""
        return _field(self.process.pid, "status", "VmHWM")

    def cpu(self) -> float:
        """Seconds of a processor used so far, ended threads included: the process's clock (clock_getcpuclockid(3))."""
        return time.clock_gettime(~self.process.pid << 3 | _SCHEDULED)


class Bench:
    """One enrolled host and its two halves."""

    def __init__(self, folder: Path, service: FakeService, **settings: Any) -> None:  # noqa: ANN401 - the agent's settings
        shipped = {name: Settings.model_fields[name].default for name in ("progress_interval", "outbox_retry_limit")}
        self.agent = AgentProcess(
            folder, service, **{"carrier_socket": str(folder / "c"), "carrier_user": "nobody", **shipped, **settings}
        )
        self.folder = folder
        self.agent.enrol()

    def compile(self) -> None:
        """The package is compiled when it is made; here it is a start that is not counted."""
        for name, module in (("helper", "agents.helper"), ("carrier", "agents.carrier")):
            look = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import {module}"
            line = [sys.executable, *self._flags(name), "-c", look]
            subprocess.run(line, check=True, env={"PATH": os.environ["PATH"]})

    def _flags(self, name: str) -> tuple[str, ...]:
        """As the package's programs are started; what stays is without docstrings, and compiled for that."""
        return ("-IOO", "-X", f"pycache_prefix={self.folder / 'compiled'}") if name == "helper" else ("-I",)

    @contextmanager
    def running(self) -> Iterator[tuple[Half, Half]]:
        """Helper and carrier, until the end of the block."""
        config = str(self.agent.config)
        carry = ("agents.cli", "--config", config, "carry", "--user", "nobody", "--log-format", "json")
        with ExitStack() as ending:
            helper = self._start("helper", "agents.helper", "--config", config, "--log-format", "json")
            ending.callback(_stop, helper.process)
            carrier = self._start("carrier", *carry)
            ending.callback(_stop, carrier.process)
            yield helper, carrier

    def _start(self, name: str, *words: str) -> Half:
        told = self.folder / f"notify-{name}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready, self.agent.log.open("ab") as log:
            told.unlink(missing_ok=True)
            ready.bind(str(told))
            told.chmod(0o666)
            ready.settimeout(60)
            environ = {"PATH": os.environ["PATH"], "NOTIFY_SOCKET": str(told), **_of_the_unit(name)}
            began = time.monotonic()
            line = [sys.executable, *self._flags(name), "-c", _LAUNCHER, str(ROOT), *words]
            process = subprocess.Popen(line, stdout=log, stderr=log, env=environ)
            try:
                while b"READY=1" not in ready.recv(4096):
                    pass
            except TimeoutError:
                _stop(process)
                raise CannotMeasure(f"the {name} does not get ready; see {self.agent.log}") from None
            return Half(name, process, time.monotonic() - began)


def _of_the_unit(name: str) -> dict[str, str]:
    """The environment that systemd gives this half."""
    lines = (_UNITS / f"sanitrail-{name}.service").read_text().splitlines()
    words = [
        word for line in lines if line.startswith("Environment=") for word in line.removeprefix("Environment=").split()
    ]
    watchdog = next(int(line.removeprefix("WatchdogSec=")) for line in lines if line.startswith("WatchdogSec="))
    return {**dict(word.split("=", 1) for word in words), "WATCHDOG_USEC": str(watchdog * 1_000_000)}


def _field(pid: int, file: str, name: str) -> float:
    for line in Path(f"/proc/{pid}/{file}").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise CannotMeasure(f"the kernel does not tell {name}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(60)
    if process.poll() is None:
        process.kill()
        process.wait()


def until(true: Callable[[], bool], what: str) -> None:
    """Wait for what must happen. Raises `CannotMeasure` where it does not."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > deadline:
            raise CannotMeasure(f"it did not happen: {what}")
        time.sleep(0.1)


@contextmanager
def service() -> Iterator[FakeService]:
    """A service in this process that asks for a heartbeat as often as the real one."""
    fake = FakeService()
    fake.alter = lambda name, reply: {**reply, "interval_seconds": HEARTBEAT} if name.endswith("/heartbeat") else reply
    server = fake.serve()
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # halves that end leave connections behind
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
