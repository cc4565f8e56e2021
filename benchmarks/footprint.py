"""What an agent costs its host: `python -m benchmarks.footprint`, and a part of `make bench`.

The two halves as systemd starts them, with real loop devices, against a service in this process: memory and processor time while
nothing happens, seconds from the command to readiness, and sixty bays wiped at once: how much memory that takes, and whether
every disk gets its share. Needs root; writes only to loop devices over files that it makes itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

import sanitizer
from reports.envelope import unverified_body
from tests.support.agent_process import ROOT, AgentProcess
from tests.support.fake_service import FakeService
from tests.support.loopdev import attach

from . import throttle
from .errors import CannotMeasure
from .evidence import Figure, table

HEARTBEAT = 30
"""Seconds between two heartbeats, as the service asks of its agents."""
_PATIENCE = 900.0
_UNITS = ROOT / "packaging" / "systemd"
_LAUNCHER = """
import sys, importlib
sys.path.insert(0, sys.argv.pop(1))
importlib.import_module(sys.argv.pop(1)).main()
"""
"""As the package's programs begin: isolated, with our own folder first."""
MEGABYTES_60 = 60e6 / (1 << 20)
"""The bar of an idle agent, in MiB."""


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
        """Seconds of a processor used so far."""
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


class Bench:
    """One enrolled host and its two halves."""

    def __init__(self, folder: Path, service: FakeService, **settings: Any) -> None:  # noqa: ANN401 - the agent's settings
        self.agent = AgentProcess(
            folder, service, carrier_socket=str(folder / "c"), carrier_user="nobody", progress_interval=2.0, **settings
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
    return dict(word.split("=", 1) for word in words)


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


def _until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _PATIENCE
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


def idle(folder: Path, seconds: float, starts: int) -> list[Figure]:
    """Nothing to do: memory, processor time, and how long a start takes."""
    with service() as fake:
        bench = Bench(folder, fake, survey=True)
        begun: list[tuple[float, float]] = []
        bench.compile()
        for _ in range(starts):
            with bench.running() as (helper, carrier):
                begun.append((helper.seconds, carrier.seconds))
        seen = len(fake.observations)
        with bench.running() as (helper, carrier):
            _until(lambda: len(fake.observations) > seen, "a look at every device")
            looked = helper.own_memory() + carrier.own_memory()
            time.sleep(5)
            before, since = helper.cpu() + carrier.cpu(), time.monotonic()
            time.sleep(seconds)
            share = (helper.cpu() + carrier.cpu() - before) / (time.monotonic() - since)
            bare = _bare()
            return [
                Figure("idle, half with devices", helper.memory(), "MiB", MEGABYTES_60, False, "a bare Python", bare),
                Figure("idle, half with network", carrier.memory(), "MiB", MEGABYTES_60, False, "a bare Python", bare),
                Figure(
                    "idle, both, what is theirs alone",
                    helper.own_memory() + carrier.own_memory(),
                    "MiB",
                    MEGABYTES_60,
                    False,
                    "with their share of what is shared",
                    helper.shared_out() + carrier.shared_out(),
                ),
                Figure("both, what is theirs alone, having looked", looked, "MiB", MEGABYTES_60, False, "", 0.0),
                Figure("idle, both, of one core", share * 100, "per cent", 0.1, False, "", 0.0),
                Figure("start, half with devices", statistics.median(one for one, _ in begun), "s", 1, False, "", 0.0),
                Figure("start, half with network", statistics.median(two for _, two in begun), "s", 1, False, "", 0.0),
            ]


def _bare() -> float:
    line = [sys.executable, "-I", "-c", "print(open('/proc/self/status').read())"]
    text = subprocess.run(line, capture_output=True, text=True, check=True).stdout
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmRSS:")) / 1024


def bays(folder: Path, count: int, mib: int) -> list[Figure]:
    """So many disks at once: the memory it takes, and the longest run over the shortest."""
    with service() as fake, ExitStack() as ending:
        paths = []
        for number in range(count):
            file = folder / f"bay-{number}.img"
            with file.open("wb") as stream:
                stream.truncate(mib << 20)
            loop = attach(file, "--direct-io=on")
            ending.callback(loop.detach)
            paths.append(loop.path)
        bench = Bench(folder, fake, max_parallel_runs=min(64, count))
        bench.compile()
        bench.agent.rules.write_text(bench.agent.rules.read_text().replace("hour = 50", f"hour = {count}"))
        (key,) = fake.hosts
        prints = [sanitizer.inspect(path).fingerprint for path in paths]
        plan = {"verification": "full", "pattern_set": "zeros"}
        orders = [fake.order(key, str(fingerprint), plan=plan) for fingerprint in prints]
        with throttle.slowed(paths, mib << 14) as entrance, bench.running() as (helper, carrier):
            entrance.write_text(str(helper.process.pid))  # a minute to write each disk, and a minute to read it
            idle_memory = helper.memory()
            began = time.monotonic()
            passes = _passes(paths, mib)
            _until(lambda: all(order.state == "recorded" for order in orders), f"{count} records")
            span, most, carried = time.monotonic() - began, helper.peak(), carrier.peak()
        runs = [unverified_body(order.records[0], "sanitization-record")["run"] for order in orders]
    if any(run["state"] != "succeeded" for run in runs):
        raise CannotMeasure("a run on a sound device did not end well")
    at_once = _overlapping([(run["started"], run["finished"]) for run in runs])
    return [
        Figure(f"{count} bays, most at once", at_once, "runs", count, True, "", 0.0),
        Figure(f"{count} bays, fastest pass against the slowest", min(passes) / max(passes), "x", 0.5, True, "", 0.0),
        Figure(f"{count} bays, memory of the half with devices", most, "MiB", 1024, False, "idle", idle_memory),
        Figure(f"{count} bays, memory of the half with network", carried, "MiB", 256, False, "", 0.0),
        Figure(f"{count} bays of {mib} MiB, all recorded", span, "s", _PATIENCE, False, "", 0.0),
    ]


def _passes(nodes: Sequence[str], mib: int) -> list[float]:
    """Seconds it took to write each disk, from its first block to its last."""
    begun: dict[str, float] = {}
    ended: dict[str, float] = {}

    def look() -> bool:
        for node in nodes:
            written = _written(node)
            if written:
                begun.setdefault(node, time.monotonic())
            if written >= mib:
                ended.setdefault(node, time.monotonic())
        return len(ended) == len(nodes)

    _until(look, "every disk is written")
    return [ended[node] - begun[node] for node in nodes]


def _written(node: str) -> float:
    """MiB that the kernel was given to write on this disk so far: its word, not the agent's."""
    return int(Path("/sys/block", Path(node).name, "stat").read_text("ascii").split()[6]) / 2048


def _overlapping(spans: list[tuple[str, str]]) -> int:
    """The most that were under way at one moment; RFC 3339 in UTC sorts as text."""
    steps = sorted([(begin, 1) for begin, _ in spans] + [(end, -1) for _, end in spans])
    most = now = 0
    for _, step in steps:
        now += step
        most = max(most, now)
    return most


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--quick", is_flag=True, help="A short look at an idle agent, and twelve bays.")
@click.option("--bays", "count", type=click.IntRange(1, 64), help="Disks wiped at once; default 60, quick 12.")
@click.option("--mib", type=click.IntRange(4, 4096), default=32, show_default=True, help="Size of each disk.")
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the figures here.")
def main(*, quick: bool, count: int | None, mib: int, json_file: Path | None) -> None:
    """Measure what the agent costs its host, idle and with sixty bays at once.

    Exit code 0 when the figures are printed, whether bars are met or not; 3 when this machine cannot be measured.
    """
    if os.geteuid() != 0:
        click.echo("Cannot measure: loop devices need root.", err=True)
        sys.exit(3)
    figures: list[Figure] = []
    measures: tuple[Callable[[Path], list[Figure]], ...] = (
        lambda folder: idle(folder, 35.0 if quick else 120.0, 1 if quick else 5),
        lambda folder: bays(folder, count or (12 if quick else 60), mib),
    )
    try:
        for measure in measures:
            with tempfile.TemporaryDirectory(prefix="sanitrail-") as name:
                folder = Path(name)
                folder.chmod(0o711)  # the carrier is another user and passes through
                figures += measure(folder)
    except CannotMeasure as error:
        click.echo(f"Cannot measure: {error}.", err=True)
        sys.exit(3)
    click.echo(table(figures, ()).replace("Evidence", "An agent on its host", 1))
    if json_file is not None:
        json_file.write_text(json.dumps([{**asdict(one), "met": one.met} for one in figures], indent=1) + "\n")


if __name__ == "__main__":
    main()
