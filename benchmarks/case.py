"""One thing to measure, and one measurement of it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .bed import Bed, Device
from .shell import environment
from .watch import Observed, Watch

Command = tuple[str, ...]
Stages = list[list[Command]]
"""Stages follow each other; the commands of one stage run at once."""


@dataclass(frozen=True)
class Case:
    """A tool doing one job on some devices."""

    key: str
    """Names it in goals and in JSON, such as `nwipe-chacha20`."""
    label: str
    """Names it in the table."""
    stages: Callable[[Sequence[Device]], Stages]
    writes: int = 1
    """How often every byte must be written for the job to count as done."""
    reads: int = 0
    """The same for reading back."""
    accepts: tuple[int, ...] = (0,)
    """Exit codes that mean: done."""
    note: str = ""
    """What a reader must know about this tool's way, shown under the table."""
    buffered: bool = False
    """Its first write reaches the device long after it began to write: its time is the whole wall time, not the span."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One measured run of a case; times in seconds, sizes in bytes."""

    wall: float
    cpu: float
    """User and system time of the processes, start-up included."""
    span: float
    """First write to last I/O of the devices; the wall time for a tool that writes into the page cache first."""
    to_first_write: float | None
    slowest_rate: float | None
    """Bytes a second, in the middle of its first pass, of the device that was slowest."""
    peak_rss: int
    """Sum over the processes of the largest stage."""
    cache_growth: int
    bytes_written: int
    bytes_read: int
    exits: tuple[int, ...]
    failure: str | None
    """Why this run does not count, in words."""
    report: dict[str, Any] | None
    """What our own engine's process said of itself."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**asdict(self), "exits": list(self.exits)}


def measure(case: Case, devices: Sequence[Device], bed: Bed, *, timeout: float) -> Sample:
    """Run a case once and watch it. A tool that fails, lies or takes too long gives a sample with a `failure`.

    Args:
        case: What to run.
        devices: Devices of the bed to run it on.
        bed: Told of every process, so that a killed benchmark leaves none behind.
        timeout: Seconds after which the processes are killed.
    """
    watch = Watch(devices)
    logs: list[Path] = []
    exits: list[int] = []
    stages = case.stages(devices)
    cpu, began, expired = 0.0, time.monotonic(), False
    peaks: list[int] = []
    with watch as seen:
        for stage in stages:
            codes, used, late = _run_stage(stage, bed, watch, logs, timeout - (time.monotonic() - began))
            exits += codes
            cpu += used
            expired = expired or late
            peaks.append(sum(seen.peak_rss.pop(pid, 0) for pid in list(watch.pids)))
            watch.pids.clear()
            if expired or any(code not in case.accepts for code in codes):
                break
    wall = time.monotonic() - began
    failure = f"stopped after {timeout:.0f} s" if expired else _failure(case, devices, seen, exits, logs)
    sample = Sample(
        wall=wall,
        cpu=cpu,
        span=seen.span if seen.span is not None and not case.buffered else wall,
        to_first_write=seen.write_seen - began if seen.write_seen is not None else None,
        slowest_rate=seen.slowest_rate,
        peak_rss=max(peaks, default=0),
        cache_growth=seen.cache_growth,
        bytes_written=seen.bytes_written,
        bytes_read=seen.bytes_read,
        exits=tuple(exits),
        failure=failure,
        report=_report(logs[-1]) if logs else None,
    )
    for log in logs:
        log.unlink()
    return sample


def _run_stage(
    stage: Sequence[Command], bed: Bed, watch: Watch, logs: list[Path], timeout: float
) -> tuple[list[int], float, bool]:
    """Run commands at once; (exit codes, CPU seconds, whether they were killed for taking too long)."""
    running: list[subprocess.Popen[bytes]] = []
    expired = threading.Event()

    def end() -> None:
        expired.set()
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                process.kill()

    timer = threading.Timer(max(0.1, timeout), end)
    codes, cpu = [], 0.0
    try:
        for command in stage:
            log = bed.disk / f"log-{len(logs)}"
            logs.append(log)
            with log.open("wb") as output:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd=bed.disk,
                    env=environment(),
                )
            running.append(process)
            watch.pids.append(process.pid)
            bed.tell("child", str(process.pid))
        timer.start()
        for process in running:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            codes.append(process.returncode)
            cpu += usage.ru_utime + usage.ru_stime
    finally:
        timer.cancel()
        for process in running:
            if process.returncode is None:
                process.kill()
                process.wait()
    return codes, cpu, expired.is_set()


def _failure(
    case: Case, devices: Sequence[Device], seen: Observed, exits: Sequence[int], logs: Sequence[Path]
) -> str | None:
    """Why a run does not count: a bad exit, or a device that did not see as much I/O as the job needs."""
    for code, log in zip(exits, logs, strict=True):
        if code not in case.accepts:
            return f"exit {code}: {_last_line(log)}"
    total = sum(device.size for device in devices)
    if seen.bytes_written < total * case.writes:
        return f"wrote {seen.bytes_written} of {total * case.writes} bytes"
    if seen.bytes_read < total * case.reads:
        return f"read {seen.bytes_read} of {total * case.reads} bytes back"
    return None


def _last_line(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1][:160] if lines else "(no output)"


def _report(log: Path) -> dict[str, Any] | None:
    """The JSON object in the last line, where our own process printed one."""
    try:
        value = json.loads(_last_whole_line(log))
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _last_whole_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""
