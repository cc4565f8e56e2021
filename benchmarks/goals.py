"""The bars this project holds its engine to, each a ratio or a count, judged from the results. Pure.

They come from the study of peers on one device kind (docs/performance.md). A bar that cannot be judged, because a peer
or a group is missing, is shown as such: never as met.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .fault_rules import BAD_SECTORS, FaultRow
from .figures import GroupResult, Row, rows_by_key
from .ours import RANDOM, ZERO

MIB = 1 << 20
OURS_ZERO, OURS_RANDOM = f"sanitrail-{ZERO}", f"sanitrail-{RANDOM}"
OURS_ZERO_VERIFY, OURS_RANDOM_VERIFY = f"{OURS_ZERO}-verify", f"{OURS_RANDOM}-verify"
OUR_COMMAND = "sanitrail-command"


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One goal after the measurement."""

    goal: str
    bar: str
    measured: str
    met: bool | None
    """None when it could not be judged; `measured` then says why."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Results:
    """Everything measured."""

    groups: tuple[GroupResult, ...]
    faults: tuple[FaultRow, ...] = ()

    def row(self, group: str, key: str) -> Row | str:
        """A row that holds figures, or why there is none."""
        found = next((g for g in self.groups if g.key == group), None)
        if found is None:
            return f"group {group} was not run"
        if found.not_measured is not None:
            return found.not_measured
        row = rows_by_key(self.groups, group).get(key)
        if row is None:
            return _ABSENT.get(key.partition("-")[0], "this tool is not here")
        return row if row.failure is None else row.failure


_ABSENT = {
    "nwipe": "no nwipe with O_DIRECT (0.40 or newer) was found",
    "fio": "fio is missing",
    "shred": "shred is missing",
}


@dataclass(frozen=True)
class Goal:
    """One bar and how to judge it: a figure and its wording, or why there is none."""

    goal: str
    bar: str
    figure: Callable[[Results], tuple[float, str] | str]
    holds: Callable[[float], bool]

    def judge(self, results: Results) -> Judged:
        """Hold the bar against the results."""
        figure = self.figure(results)
        if isinstance(figure, str):
            return Judged(goal=self.goal, bar=self.bar, measured=f"not judged: {figure}", met=None)
        value, words = figure
        return Judged(goal=self.goal, bar=self.bar, measured=words, met=self.holds(value))


# --- figures -----------------------------------------------------------------------------------------------------


def _times_as_fast(group: str, key: str) -> Callable[[Results], tuple[float, str] | str]:
    """The other tool's span over ours."""

    def figure(results: Results) -> tuple[float, str] | str:
        row = results.row(group, key)
        if isinstance(row, str):
            return row
        ratio = row.ratio()
        return (ratio, f"{ratio:.2f} x") if ratio is not None else "our own run failed"

    return figure


def _cpu(group: str, key: str, less: tuple[str, str] | None = None) -> Callable[[Results], tuple[float, str] | str]:
    """CPU seconds per GiB of our runs; with `less`, what verification adds to the pass alone."""

    def figure(results: Results) -> tuple[float, str] | str:
        value = 0.0
        for sign, place in ((1, (group, key)), (-1, less)):
            if place is None:
                continue
            row = results.row(*place)
            if isinstance(row, str):
                return row
            cpu = row.engine_cpu_per_gib()
            if cpu is None:
                return "our process told no CPU time"
            value += sign * cpu
        return value, f"{value:.3f} CPU-s/GiB"

    return figure


def _slow_devices(results: Results) -> tuple[float, str] | str:
    row = results.row("slow", OURS_RANDOM)
    if isinstance(row, str):
        return row
    ideal = next(g for g in results.groups if g.key == "slow").facts["ideal_s"]
    span = row.median(lambda sample: sample.span)
    return (span / ideal, f"{span / ideal:.3f} x ideal") if span else "our own run failed"


def _slow_pass(results: Results) -> tuple[float, str] | str:
    row = results.row("slow", OURS_RANDOM)
    if isinstance(row, str):
        return row
    limit = next(g for g in results.groups if g.key == "slow").facts["rate"]
    rate = row.median(lambda sample: sample.slowest_rate)
    return (rate / limit, f"{rate / limit:.3f} x its speed") if rate else "too short to tell"


def _memory(results: Results) -> tuple[float, str] | str:
    row = results.row("slow", OURS_RANDOM)
    if isinstance(row, str):
        return row
    peak = row.median(lambda sample: sample.peak_rss)
    return (peak, f"{peak / MIB:.0f} MiB") if peak else "no memory figure"


def _start(results: Results) -> tuple[float, str] | str:
    row = results.row("start", OUR_COMMAND)
    if isinstance(row, str):
        return row
    first = row.median(lambda sample: sample.to_first_write)
    return (first, f"{first:.2f} s") if first is not None else "no write was seen"


def _page_cache(results: Results) -> tuple[float, str] | str:
    ours = [
        row
        for group in results.groups
        if group.key != "start"
        for row in group.rows
        if row.key.startswith("sanitrail") and row.failure is None
    ]
    # The least of the rounds: other work on the machine can only add to it.
    growth = [min(sample.cache_growth for sample in row.good) for row in ours]
    return (max(growth), f"{max(growth) / MIB:.0f} MiB") if growth else "nothing of ours was measured"


def _bad_sectors(results: Results) -> tuple[float, str] | str:
    row = _fault_row(results)
    if isinstance(row, str):
        return row
    if not row.noticed or row.sectors_left is None:
        return math.inf, f"called {row.said}"
    return row.sectors_left, f"{row.sectors_left} left, {row.said}"


def _failing_requests(results: Results) -> tuple[float, str] | str:
    row = _fault_row(results)
    if isinstance(row, str):
        return row
    return float(row.failing_requests or 0), f"{row.failing_requests} requests"


def _fault_row(results: Results) -> FaultRow | str:
    for row in results.faults:
        if row.fault == BAD_SECTORS.key and row.key.startswith("sanitrail"):
            return row if row.noticed is not None else f"our own process ended without a result: {row.said}"
    return next((g.not_measured for g in results.groups if g.key == "faults" and g.not_measured), "not run")


def _lies(results: Results) -> tuple[float, str] | str:
    ours = [r for r in results.faults if r.fault != BAD_SECTORS.key and r.key.startswith("sanitrail")]
    if not ours:
        reason = _fault_row(results)
        return reason if isinstance(reason, str) else "not run"
    if any(row.noticed is None for row in ours):
        return "our own process ended without a result"
    noticed = sum(bool(row.noticed) for row in ours)
    return len(ours) - noticed, f"{noticed} of {len(ours)} found"


def _at_least(bar: float) -> Callable[[float], bool]:
    return lambda value: value >= bar


def _at_most(bar: float) -> Callable[[float], bool]:
    return lambda value: value <= bar


GOALS: tuple[Goal, ...] = (
    Goal("zero pass, speed against fio's best", ">= 0.90 x", _times_as_fast("zero", "fio-zero"), _at_least(0.90)),
    Goal("random pass, speed against our own zero pass", ">= 0.90 x", _times_as_fast("random", OURS_ZERO), _at_least(0.90)),
    Goal("random pass, times as fast as shred -n1", ">= 6 x", _times_as_fast("random", "shred-random"), _at_least(6)),
    Goal("random pass, times as fast as nwipe chacha20", ">= 7 x", _times_as_fast("random", "nwipe-chacha20"), _at_least(7)),
    Goal(
        "random pass, times as fast as nwipe splitmix64", ">= 1.5 x",
        _times_as_fast("random", "nwipe-splitmix64"), _at_least(1.5),
    ),
    Goal(
        "random + full verification, times as fast as nwipe chacha20", ">= 6 x",
        _times_as_fast("random-verify", "nwipe-chacha20"), _at_least(6),
    ),
    Goal(
        "random + full verification, times as fast as nwipe splitmix64", ">= 1.4 x",
        _times_as_fast("random-verify", "nwipe-splitmix64"), _at_least(1.4),
    ),
    Goal(
        "zero + full verification, times as fast as nwipe", ">= 1.3 x",
        _times_as_fast("zero-verify", "nwipe-zero"), _at_least(1.3),
    ),
    Goal("processor time, zero pass", "<= 0.04 CPU-s/GiB", _cpu("zero", OURS_ZERO), _at_most(0.04)),
    Goal("processor time, random pass", "<= 0.18 CPU-s/GiB", _cpu("random", OURS_RANDOM), _at_most(0.18)),
    Goal(
        "processor time, verifying zeros", "<= 0.13 CPU-s/GiB",
        _cpu("zero-verify", OURS_ZERO_VERIFY, ("zero", OURS_ZERO)), _at_most(0.13),
    ),
    Goal(
        "processor time, verifying random", "<= 0.27 CPU-s/GiB",
        _cpu("random-verify", OURS_RANDOM_VERIFY, ("random", OURS_RANDOM)), _at_most(0.27),
    ),
    Goal("32 slow devices at once, span against the ideal", "<= 1.08 x", _slow_devices, _at_most(1.08)),
    Goal("32 slow devices at once, the slowest one's pass", ">= 0.93 x", _slow_pass, _at_least(0.93)),
    Goal("32 devices at once, random, peak memory", "<= 250 MiB", _memory, _at_most(250 * MIB)),
    Goal("command line, start to first write", "<= 0.5 s", _start, _at_most(0.5)),
    Goal("page-cache growth of our runs", "<= 16 MiB", _page_cache, _at_most(16 * MIB)),
    Goal("9 bad sectors: old sectors left, run not a success", "exactly 9", _bad_sectors, lambda left: left == 9),
    Goal("9 bad sectors: failing requests to find them", "<= 20", _failing_requests, _at_most(20)),
    Goal("dropped, aliased and short writes noticed", "all", _lies, lambda missed: missed == 0),
)  # fmt: skip


def judge(groups: Sequence[GroupResult], faults: Sequence[FaultRow]) -> tuple[Judged, ...]:
    """Every goal, in order."""
    results = Results(tuple(groups), tuple(faults))
    return tuple(goal.judge(results) for goal in GOALS)
