"""What an agent costs its host: `python -m benchmarks.footprint`, and a part of `make bench`.

The two halves as systemd starts them, with real loop devices, against a service in this process: memory and processor time while
nothing happens, seconds from the command to readiness, and sixty bays wiped at once: how much memory that takes, and whether
every disk gets its share. Needs root; writes only to loop devices over files that it makes itself.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import click

import sanitizer
from reports.envelope import unverified_body
from tests.support.fake_service import FakeService
from tests.support.loopdev import attach

from . import throttle
from .errors import CannotMeasure
from .evidence import Figure, table
from .halves import PATIENCE, Bench, Half, service, until

MEGABYTES_60 = 60e6 / (1 << 20)
"""The bar of an idle agent, in MiB."""
ALL_BEGUN = 30.0
"""Seconds within which a whole station is at work."""
_TRIES = 3


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
            until(lambda: len(fake.observations) > seen, "a look at every device")
            looked = helper.own_memory() + carrier.own_memory()
            share = _share((helper, carrier), fake, seconds)
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


def _share(halves: Sequence[Half], fake: FakeService, seconds: float) -> float:
    """Of one core, over a time in which no device of this host came, changed or went: what the agent then does is no idling.

    Raises `CannotMeasure` where there is no such time.
    """
    for _ in range(_TRIES):
        time.sleep(5)
        looks, before, since = len(fake.observations), sum(half.cpu() for half in halves), time.monotonic()
        time.sleep(seconds)
        used, took = sum(half.cpu() for half in halves) - before, time.monotonic() - since
        if len(fake.observations) == looks:
            return used / took
    raise CannotMeasure("devices of this host changed all the time, so the agent was never idle")


def _bare() -> float:
    line = [sys.executable, "-I", "-c", "print(open('/proc/self/status').read())"]
    text = subprocess.run(line, capture_output=True, text=True, check=True).stdout
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmRSS:")) / 1024


def bays(folder: Path, count: int, mib: int) -> list[Figure]:
    """So many disks at once, each a minute's work to write and a minute's to read: what it takes, and who waits for whom."""
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
            entrance.write_text(str(helper.process.pid))
            idle_memory = helper.memory()
            began = time.monotonic()
            spans = _spans(paths, mib)
            until(lambda: all(order.state == "recorded" for order in orders), f"{count} records")
            span, most, carried = time.monotonic() - began, helper.peak(), carrier.peak()
        runs = [unverified_body(order.records[0], "sanitization-record")["run"] for order in orders]
    if any(run["state"] != "succeeded" for run in runs):
        raise CannotMeasure("a run on a sound device did not end well")
    all_begun = max(first for first, _ in spans) - began
    passes = [last - first for first, last in spans]
    at_once = _overlapping([(run["started"], run["finished"]) for run in runs])
    return [
        Figure(f"{count} bays, most at once", at_once, "runs", count, True, "", 0.0),
        Figure(f"{count} bays, until the last one writes", all_begun, "s", ALL_BEGUN, False, "", 0.0),
        Figure(f"{count} bays, fastest pass against the slowest", min(passes) / max(passes), "x", 0.5, True, "", 0.0),
        Figure(f"{count} bays, memory of the half with devices", most, "MiB", 1024, False, "idle", idle_memory),
        Figure(f"{count} bays, memory of the half with network", carried, "MiB", 256, False, "", 0.0),
        Figure(f"{count} bays of {mib} MiB, all recorded", span, "s", PATIENCE, False, "", 0.0),
    ]


def _spans(nodes: Sequence[str], mib: int) -> list[tuple[float, float]]:
    """When each disk was first written to, and when as much was written as it holds."""
    before = {node: _written(node) for node in nodes}
    begun: dict[str, float] = {}
    ended: dict[str, float] = {}

    def look() -> bool:
        for node in nodes:
            written = _written(node) - before[node]
            if written > 0:
                begun.setdefault(node, time.monotonic())
            if written >= mib:
                ended.setdefault(node, time.monotonic())
        return len(ended) == len(nodes)

    until(look, "every disk is written")
    return [(begun[node], ended[node]) for node in nodes]


def _written(node: str) -> float:
    """MiB that the kernel was given to write on this node since it exists: its word, not the agent's.

    It counts on when another file is attached, so only a difference says anything.
    """
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
@click.option("--mib", type=click.IntRange(4, 4096), default=64, show_default=True, help="Size of each disk.")
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
