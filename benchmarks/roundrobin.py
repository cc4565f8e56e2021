"""Taking turns: A B C, A B C, ..., so that whatever else the machine does falls on all alike.

Before the rounds every case runs once on a small device. That warms it up, and tells which tools would take so long on
the large one that they are measured on the small one instead, against our engine on that same small one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .bed import Bed, Device
from .case import Case, Sample, measure
from .figures import GroupResult, Row


@dataclass(frozen=True, kw_only=True)
class Turns:
    """How one group is measured."""

    key: str
    title: str
    cases: tuple[Case, ...]
    """Our engine's case first: every ratio is to it."""
    large: tuple[Device, ...]
    small: tuple[Device, ...]
    """Where cases are tried first."""
    seconds: float
    """What the group may take; it is kept to by choosing the number of rounds."""
    most_rounds: int
    patience: float = 1.0
    """Seconds a turn waits for the machine to become quiet."""
    slow_on_small: bool = True
    """Measure a slow tool on the small device; otherwise it is left out, by name."""
    at_least: float = 0
    """Seconds no tool can go below on the large devices, for devices that are slowed down on purpose."""
    slowest: float | None = None
    """Seconds above which a tool counts as slow; None takes a quarter of the group's."""
    facts: dict[str, float] = field(default_factory=dict)


Tell = Callable[[str], None]


def run(turns: Turns, bed: Bed, tell: Tell) -> GroupResult:
    """Measure one group."""
    began = time.monotonic()
    ours, *others = turns.cases
    slowest = turns.slowest if turns.slowest is not None else max(6.0, turns.seconds / 4)
    expected: dict[str, float] = {}
    tried: dict[str, Sample] = {}
    samples = _Samples()
    failed: list[Row] = []
    for case in turns.cases:
        tell(f"{turns.key}: trying {case.label}")
        samples.begin(turns.patience)
        sample = tried[case.key] = measure(case, turns.small, bed, timeout=max(30.0, turns.seconds))
        if sample.failure is not None and case is not ours:
            failed.append(Row(key=case.key, label=case.label, left_out=sample.failure, note=case.note))
            continue
        growth = _bytes(turns.large) / _bytes(turns.small)
        expected[case.key] = sample.wall - sample.span + max(sample.span * growth, turns.at_least)
    quick = [case for case in others if case.key in expected and expected[case.key] <= slowest]
    slow = [case for case in others if case.key in expected and expected[case.key] > slowest]
    if not turns.slow_on_small:
        failed += [_too_slow(case, expected[case.key], turns.large) for case in slow]
        slow = []
    left = began + turns.seconds - time.monotonic()
    if slow and (turns.most_rounds == 1 or left < sum(expected[case.key] for case in (ours, *quick))):
        # One round only, or hardly time for one: for a slow tool the trial was that round, and costs no second one.
        samples.small = {case.key: [tried[case.key]] for case in (ours, *slow)}
    again = [ours, *slow] if slow and not samples.small else []
    _rounds(turns, samples, [ours, *quick], again, expected, began, bed, tell)
    rows = [_row(case, samples.large, ours, turns.large, small=False) for case in [ours, *quick]]
    rows += [_row(case, samples.small, ours, turns.small, small=True) for case in slow]
    return GroupResult(
        key=turns.key,
        title=turns.title,
        rows=(*rows, *failed),
        rounds=samples.rounds,
        seconds=time.monotonic() - began,
        turns=samples.turns,
        busy_turns=samples.busy,
        facts=dict(turns.facts),
    )


@dataclass
class _Samples:
    large: dict[str, list[Sample]] = field(default_factory=dict)
    small: dict[str, list[Sample]] = field(default_factory=dict)
    rounds: int = 0
    turns: int = 0
    busy: int = 0
    """Turns that began while others used the machine."""

    def begin(self, patience: float) -> None:
        """Wait for a quiet machine before a turn, and count the turn."""
        self.turns += 1
        self.busy += not wait_for_quiet(patience)


def _rounds(
    turns: Turns,
    samples: _Samples,
    large: Sequence[Case],
    small: Sequence[Case],
    expected: dict[str, float],
    began: float,
    bed: Bed,
    tell: Tell,
) -> None:
    """Measure round by round until the group's time is used; the first round is always made."""
    ends, longest = began + turns.seconds, 0.0
    while samples.rounds < turns.most_rounds and (not samples.rounds or time.monotonic() + longest < ends):
        at = time.monotonic()
        for cases, devices, into in ((large, turns.large, samples.large), (small, turns.small, samples.small)):
            for case in cases:
                tell(f"{turns.key}: round {samples.rounds + 1}, {case.label}")
                limit = max(60.0, 4 * expected.get(case.key, 0))
                samples.begin(turns.patience)
                into.setdefault(case.key, []).append(measure(case, devices, bed, timeout=limit))
        samples.rounds += 1
        longest = max(longest, time.monotonic() - at)


def _row(case: Case, samples: dict[str, list[Sample]], ours: Case, devices: Sequence[Device], *, small: bool) -> Row:
    return Row(
        key=case.key,
        label=case.label,
        samples=tuple(samples[case.key]),
        base=tuple(samples[ours.key]),
        device_bytes=_bytes(devices),
        small=small,
        note=case.note,
    )


def _too_slow(case: Case, seconds: float, devices: Sequence[Device]) -> Row:
    reason = f"left out: {len(devices)} devices would take it about {seconds:.0f} s"
    return Row(key=case.key, label=case.label, left_out=reason, note=case.note)


def _bytes(devices: Sequence[Device]) -> int:
    return sum(device.size for device in devices)


def wait_for_quiet(patience: float, idle: float = 0.8) -> bool:
    """Wait, up to `patience` seconds, until the share `idle` of the machine's time is idle; whether it became so."""
    deadline = time.monotonic() + patience
    busy, total = _ticks()
    while time.monotonic() < deadline:
        time.sleep(0.1)
        now_busy, now_total = _ticks()
        if now_busy - busy <= (1 - idle) * (now_total - total):
            return True
        busy, total = now_busy, now_total
    return False


def _ticks() -> tuple[int, int]:
    """(busy, all) clock ticks of all processors since boot: user nice system idle iowait irq softirq steal."""
    values = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return sum(values) - values[3] - values[4], sum(values)
