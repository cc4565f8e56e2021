"""Tools take turns; a slow one is measured on the small device and a failing one is named."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks import roundrobin
from benchmarks.bed import Bed, Device
from benchmarks.case import Case, Sample
from benchmarks.roundrobin import Turns
from tests.support.benchmark_samples import case, device, sample

LARGE = (device(0, 1 << 30, "large"),)
SMALL = (device(1, 1 << 26, "small"),)


class Bench:
    """Stands in for measuring: notes the turns and answers with prepared speeds (seconds for the small device)."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, seconds: dict[str, float], failing: frozenset[str] = frozenset()
    ) -> None:
        self.turns: list[tuple[str, str]] = []
        self.seconds = seconds
        self.failing = failing
        monkeypatch.setattr(roundrobin, "measure", self.measure)
        self.quiet = True
        monkeypatch.setattr(roundrobin, "wait_for_quiet", lambda _: self.quiet)

    def measure(self, what: Case, devices: Sequence[Device], _: Bed, *, timeout: float) -> Sample:
        assert timeout > 0
        self.turns.append((what.key, devices[0].backing.name))
        span = self.seconds[what.key] * sum(device.size for device in devices) / SMALL[0].size
        return sample(span, failure="exit 1: no" if what.key in self.failing else None)


def _turns(*keys: str, **fields: Any) -> Turns:  # noqa: ANN401 - any field of Turns
    values: dict[str, Any] = {"seconds": 1e6, "most_rounds": 2, "slowest": 100.0, **fields}
    return Turns(key="g", title="t", cases=tuple(case(key) for key in keys), large=LARGE, small=SMALL, **values)


def _quietly(words: str) -> None:
    assert words


def _bed() -> Bed:
    return Bed(Path("/nowhere"), Path("/nowhere"))


def test_tools_take_turns_on_the_same_device_after_one_trial_each(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch, {"ours": 1.0, "dd": 2.0})
    result = roundrobin.run(_turns("ours", "dd"), _bed(), _quietly)
    trial, rounds = bench.turns[:2], bench.turns[2:]
    assert trial == [("ours", "small"), ("dd", "small")]
    assert rounds == [("ours", "large"), ("dd", "large")] * 2
    assert [row.ratio() for row in result.rows] == [1.0, 2.0]


def test_a_slow_tool_is_measured_on_the_small_device_against_us_on_that_device(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch, {"ours": 1.0, "nwipe": 50.0})
    result = roundrobin.run(_turns("ours", "nwipe"), _bed(), _quietly)
    assert ("nwipe", "large") not in bench.turns
    row = result.row("nwipe")
    assert row is not None
    assert row.small
    assert row.device_bytes == SMALL[0].size
    assert [base.span for base in row.base] == [1.0, 1.0]
    assert row.ratio() == 50.0


def test_with_one_round_a_slow_tool_s_trial_is_its_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch, {"ours": 1.0, "nwipe": 50.0})
    result = roundrobin.run(_turns("ours", "nwipe", most_rounds=1), _bed(), _quietly)
    assert bench.turns.count(("nwipe", "small")) == 1
    row = result.row("nwipe")
    assert row is not None
    assert row.ratio() == 50.0


def test_without_time_for_a_round_more_a_slow_tool_s_trial_is_its_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch, {"ours": 1.0, "nwipe": 50.0})
    roundrobin.run(_turns("ours", "nwipe", seconds=0.0), _bed(), _quietly)
    assert bench.turns.count(("nwipe", "small")) == 1
    assert bench.turns.count(("ours", "large")) == 1


def test_turns_on_a_busy_machine_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch, {"ours": 1.0, "dd": 2.0})
    assert roundrobin.run(_turns("ours", "dd"), _bed(), _quietly).busy_turns == 0
    bench.quiet = False
    result = roundrobin.run(_turns("ours", "dd"), _bed(), _quietly)
    assert (result.busy_turns, result.turns) == (6, 6)


def test_a_tool_too_slow_for_many_devices_is_left_out_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    Bench(monkeypatch, {"ours": 1.0, "nwipe": 50.0})
    result = roundrobin.run(_turns("ours", "nwipe", slow_on_small=False), _bed(), _quietly)
    row = result.row("nwipe")
    assert row is not None
    assert row.failure is not None
    assert "about 800 s" in row.failure


def test_a_peer_that_fails_its_trial_is_named_and_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch, {"ours": 1.0, "bad": 1.0, "dd": 2.0}, frozenset({"bad"}))
    result = roundrobin.run(_turns("ours", "bad", "dd"), _bed(), _quietly)
    row = result.row("bad")
    assert row is not None
    assert row.failure == "exit 1: no"
    assert bench.turns.count(("bad", "large")) == 0
    assert bench.turns.count(("dd", "large")) == 2


def test_our_own_failure_is_shown_and_leaves_the_peers_without_a_ratio(monkeypatch: pytest.MonkeyPatch) -> None:
    Bench(monkeypatch, {"ours": 1.0, "dd": 2.0}, frozenset({"ours"}))
    ours, dd = roundrobin.run(_turns("ours", "dd"), _bed(), _quietly).rows
    assert ours.failure == "exit 1: no"
    assert dd.ratio() is None
    assert dd.gigabytes_per_second() is not None


def test_the_first_round_is_made_even_without_time_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    Bench(monkeypatch, {"ours": 1.0, "dd": 2.0})
    assert roundrobin.run(_turns("ours", "dd", seconds=0.0, slowest=math.inf), _bed(), _quietly).rounds == 1
