"""The groups: which tools do which job on which devices, and how the time is shared out."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from . import faults, ours, peers
from .bed import MIB, Bed, Device
from .case import Case, Stages
from .errors import CannotMeasure
from .fault_rules import FaultRow
from .figures import GroupResult
from .goals import OUR_COMMAND
from .ours import RANDOM, ZERO, engine
from .roundrobin import Tell, Turns, run
from .throttle import inside, limited

START_SIZE = 64 * MIB
MANY, SLOW = 8, 32
SLOW_RATE = 25_000_000
"""Bytes a second of each slow device: 32 of them together stay far below what the machine can do."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a person chose."""

    size: int
    """Bytes of the large device, and of all devices of a group together."""
    quick: bool
    only: frozenset[str]
    """Groups to run; empty means all."""

    @property
    def small(self) -> int:
        """Bytes of the device that slow tools are measured on."""
        return max(64 * MIB, min(256 * MIB, self.size // 8 // (4 * MIB) * (4 * MIB)))

    @property
    def seconds(self) -> float:
        """For all groups together."""
        return 40.0 if self.quick else 300.0

    @property
    def rounds(self) -> int:
        """At most so many in a group."""
        return 1 if self.quick else 5

    @property
    def patience(self) -> float:
        """Seconds a turn waits for a quiet machine."""
        return 0.2 if self.quick else 1.0

    def wants(self, group: str) -> bool:
        """Whether this group is to be run."""
        return not self.only or group in self.only


@dataclass(frozen=True)
class Job:
    """One group on the single large device."""

    key: str
    title: str
    share: float
    cases: Callable[[Bed, peers.Peers], list[Case]]


# --- the tools of each job ---------------------------------------------------------------------------------------


def _zero(bed: Bed, found: peers.Peers) -> list[Case]:
    cases = [engine(bed.disk / "journals", ZERO)]
    if (tool := found.get("fio")) is not None:
        cases.append(peers.fio(tool, "zero"))
    if (tool := found.get("dd")) is not None:
        cases += [peers.dd(tool, "zero"), peers.dd_buffered(tool)]
    if (tool := found.get("shred")) is not None:
        cases.append(peers.shred(tool, random=False))
    return cases + [peers.nwipe(tool, "zero", verify=False) for tool in found.all("nwipe")]


def _random(bed: Bed, found: peers.Peers) -> list[Case]:
    cases = [engine(bed.disk / "journals", RANDOM), engine(bed.disk / "journals", ZERO)]
    if (tool := found.get("fio")) is not None:
        cases.append(peers.fio(tool, "random"))
    if (tool := found.get("shred")) is not None:
        cases.append(peers.shred(tool, random=True))
    if (tool := found.get("dd")) is not None:
        cases.append(peers.dd(tool, "urandom"))
    return cases + [case for tool in found.all("nwipe") for case in peers.nwipe_streams(tool, verify=False)]


def _zero_verify(bed: Bed, found: peers.Peers) -> list[Case]:
    cases = [engine(bed.disk / "journals", ZERO, verify=True)]
    if (tool := found.get("fio")) is not None:
        cases.append(peers.fio(tool, "zero-verify"))
    dd, cmp = found.get("dd"), found.get("cmp")
    if dd is not None and cmp is not None:
        cases.append(peers.dd_cmp(dd, cmp))
    return cases + [peers.nwipe(tool, "zero", verify=True) for tool in found.all("nwipe")]


def _random_verify(bed: Bed, found: peers.Peers) -> list[Case]:
    cases = [engine(bed.disk / "journals", RANDOM, verify=True)]
    if (tool := found.get("fio")) is not None:
        cases.append(peers.fio(tool, "random-verify"))
    return cases + [case for tool in found.all("nwipe") for case in peers.nwipe_streams(tool, verify=True)]


def _at_once(bed: Bed, found: peers.Peers) -> list[Case]:
    """Random data on several devices at once; a tool that does one device runs once for each."""
    cases = [engine(bed.disk / "journals", RANDOM)]
    if (tool := found.get("fio")) is not None:
        cases.append(peers.fio(tool, "random"))
    if (tool := found.get("shred")) is not None:
        cases.append(peers.shred(tool, random=True))
    newest = found.get("nwipe")
    streams = peers.nwipe_streams(newest, verify=False)[:1] if newest is not None else []
    return cases + streams


def _our_command(bed: Bed) -> Case:
    """The command line as an operator runs it."""

    def stages(devices: Sequence[Device]) -> Stages:
        return [ours.command_line(devices, bed.disk / "journals")]

    return Case(OUR_COMMAND, "sanitizer wipe (command line, with a sample read back)", stages)


def _start(bed: Bed, found: peers.Peers) -> list[Case]:
    cases = [engine(bed.disk / "journals", ZERO), _our_command(bed)]
    if (tool := found.get("dd")) is not None:
        cases.append(peers.dd(tool, "zero"))
    if (tool := found.get("shred")) is not None:
        cases.append(peers.shred(tool, random=False))
    return cases + [peers.nwipe(tool, "zero", verify=False) for tool in found.all("nwipe")]


JOBS = (
    Job("zero", "One pass of zeros", 0.16, _zero),
    Job("random", "One random pass", 0.22, _random),
    Job("zero-verify", "One pass of zeros, then reading all of it back", 0.15, _zero_verify),
    Job("random-verify", "One random pass, then reading all of it back", 0.16, _random_verify),
)

GROUPS = ("start", *(job.key for job in JOBS), "many", "slow", "faults")
"""Every group, in the order they run."""


@dataclass(frozen=True)
class Outcome:
    """What a benchmark found."""

    groups: tuple[GroupResult, ...]
    faults: tuple[FaultRow, ...]

    @property
    def failures(self) -> tuple[str, ...]:
        """Runs of our own engine that failed where nothing was wrong with the device: a defect, not a figure."""
        return tuple(
            f"{group.key}: {row.label}: {row.failure}"
            for group in self.groups
            for row in group.rows
            if row.key.startswith("sanitrail") and row.failure is not None
        )


def run_groups(bed: Bed, found: peers.Peers, settings: Settings, tell: Tell) -> Outcome:
    """Run every wanted group."""
    results: list[GroupResult] = []
    rows: tuple[FaultRow, ...] = ()
    if settings.wants("start"):
        results.append(_run_start(bed, found, settings, tell))
    jobs = [job for job in JOBS if settings.wants(job.key)]
    if jobs:
        results += _run_jobs(jobs, bed, found, settings, tell)
    if settings.wants("many"):
        results.append(_guarded("many", _MANY_TITLE, lambda: _run_many(bed, found, settings, tell)))
    if settings.wants("slow"):
        results.append(_guarded("slow", _SLOW_TITLE, lambda: _run_slow(bed, found, settings, tell)))
    if settings.wants("faults"):
        began = time.monotonic()
        reason = None
        try:
            rows = faults.measure_all(bed, found, tell, quick=settings.quick)
        except CannotMeasure as error:
            reason = str(error)
        took = time.monotonic() - began
        results.append(GroupResult(key="faults", title="Failing and lying devices", seconds=took, not_measured=reason))
    return Outcome(tuple(results), rows)


def _guarded(key: str, title: str, measure: Callable[[], GroupResult]) -> GroupResult:
    """A group this machine cannot have is named with the reason; the others go on."""
    try:
        return measure()
    except CannotMeasure as error:
        return GroupResult(key=key, title=title, not_measured=str(error))


def _run_start(bed: Bed, found: peers.Peers, settings: Settings, tell: Tell) -> GroupResult:
    tell("start: filling the device")
    with bed.devices(1, START_SIZE, name="start") as devices:
        turns = Turns(
            key="start",
            title=f"Start-up: from the command to the first write ({START_SIZE // MIB} MiB device)",
            cases=tuple(_start(bed, found)),
            large=devices,
            small=devices,
            seconds=settings.seconds * 0.06,
            most_rounds=settings.rounds,
            patience=settings.patience,
            slowest=math.inf,
        )
        return run(turns, bed, tell)


def _run_jobs(
    jobs: Sequence[Job], bed: Bed, found: peers.Peers, settings: Settings, tell: Tell
) -> Iterator[GroupResult]:
    tell(f"filling {(settings.size + settings.small) // MIB} MiB of devices with old data")
    with contextlib.ExitStack() as stack:
        large = stack.enter_context(bed.devices(1, settings.size, name="large"))
        small = stack.enter_context(bed.devices(1, settings.small, name="small"))
        for job in jobs:
            turns = Turns(
                key=job.key,
                title=f"{job.title} ({settings.size // MIB} MiB)",
                cases=tuple(job.cases(bed, found)),
                large=large,
                small=small,
                seconds=settings.seconds * job.share,
                most_rounds=settings.rounds,
                patience=settings.patience,
            )
            yield run(turns, bed, tell)


_MANY_TITLE = f"One random pass on {MANY} devices at once"
_SLOW_TITLE = f"One random pass on {SLOW} slow devices at once ({SLOW_RATE // 1_000_000} MB/s each)"


def _run_many(bed: Bed, found: peers.Peers, settings: Settings, tell: Tell) -> GroupResult:
    each = max(64 * MIB, settings.size // MANY)
    tell(f"many: filling {MANY} devices of {each // MIB} MiB")
    with contextlib.ExitStack() as stack:
        large = stack.enter_context(bed.devices(MANY, each, name="many"))
        small = stack.enter_context(bed.devices(1, START_SIZE, name="trial"))
        turns = Turns(
            key="many",
            title=f"{_MANY_TITLE} ({each // MIB} MiB each)",
            cases=tuple(_at_once(bed, found)),
            large=large,
            small=small,
            seconds=settings.seconds * 0.1,
            most_rounds=settings.rounds,
            patience=settings.patience,
            slow_on_small=False,
        )
        return run(turns, bed, tell)


def _run_slow(bed: Bed, found: peers.Peers, settings: Settings, tell: Tell) -> GroupResult:
    each = max(32 * MIB, settings.size // SLOW)
    tell(f"slow: filling {SLOW} devices of {each // MIB} MiB")
    ideal = each / SLOW_RATE
    with contextlib.ExitStack() as stack:
        large = stack.enter_context(bed.devices(SLOW, each, name="slow"))
        small = stack.enter_context(bed.devices(1, START_SIZE, name="trial"))
        entrance = stack.enter_context(limited(bed, large, SLOW_RATE))
        turns = Turns(
            key="slow",
            title=f"{_SLOW_TITLE}; {each // MIB} MiB each, ideal {ideal:.2f} s",
            cases=tuple(inside(case, entrance) for case in _at_once(bed, found)),
            large=large,
            small=small,
            seconds=settings.seconds * 0.1,
            most_rounds=min(2, settings.rounds),
            patience=settings.patience,
            slow_on_small=False,
            at_least=ideal,
            facts={"ideal_s": ideal, "rate": float(SLOW_RATE)},
        )
        return run(turns, bed, tell)
