"""A bar is met only by a measurement: a missing peer, group or result is never a success."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from benchmarks.fault_rules import BAD_SECTORS, LIES, FaultRow
from benchmarks.figures import GroupResult, Row
from benchmarks.goals import GOALS, Judged, judge
from tests.support.benchmark_samples import GIB, group, row, sample


def _judged(words: str, groups: Sequence[GroupResult] = (), faults: Sequence[FaultRow] = ()) -> Judged:
    return next(goal for goal in judge(groups, faults) if goal.goal.startswith(words))


def _fault(fault: str, **fields: object) -> FaultRow:
    values = {"exits": (1,), "sectors_left": 9, "failing_requests": 18, "said": "failed", "noticed": True, **fields}
    return FaultRow(fault=fault, key="sanitrail-zeros-verify", label="ours", **values)  # type: ignore[arg-type]  # any field


def test_nothing_measured_judges_nothing() -> None:
    goals = judge((), ())
    assert len(goals) == len(GOALS) >= 19
    assert all(goal.met is None and goal.measured.startswith("not judged: ") for goal in goals)


@pytest.mark.parametrize(("fio_span", "met"), [(0.89, False), (0.90, True), (1.5, True)])
def test_the_zero_pass_is_held_against_fio(fio_span: float, met: bool) -> None:
    zero = group("zero", row("sanitrail-zeros", [1.0], [1.0]), row("fio-zero", [fio_span], [1.0]))
    assert _judged("zero pass", [zero]).met is met


@pytest.mark.parametrize(
    ("words", "where", "key", "bar"),
    [
        ("random pass, times as fast as shred", "random", "shred-random", 6.0),
        ("random pass, times as fast as nwipe chacha20", "random", "nwipe-chacha20", 7.0),
        ("random pass, times as fast as nwipe splitmix64", "random", "nwipe-splitmix64", 1.5),
        ("random + full verification, times as fast as nwipe chacha20", "random-verify", "nwipe-chacha20", 6.0),
        ("random + full verification, times as fast as nwipe splitmix64", "random-verify", "nwipe-splitmix64", 1.4),
        ("zero + full verification, times as fast as nwipe", "zero-verify", "nwipe-zero", 1.3),
    ],
)
def test_each_peer_is_held_against_its_own_bar(words: str, where: str, key: str, bar: float) -> None:
    assert _judged(words, [group(where, row(key, [bar], [1.0]))]).met is True
    assert _judged(words, [group(where, row(key, [bar - 0.01], [1.0]))]).met is False


def test_an_old_nwipe_cannot_meet_the_bar_for_a_new_one() -> None:
    judged = _judged("zero + full verification", [group("zero-verify", row("nwipe-old-zero", [90.0], [1.0]))])
    assert judged.met is None
    assert "0.40 or newer" in judged.measured


def test_a_failed_peer_leaves_its_goal_unjudged_with_the_peers_own_words() -> None:
    broken = Row(key="fio-zero", label="fio", left_out="exit 1: libaio is not built in")
    judged = _judged("zero pass", [group("zero", row("sanitrail-zeros", [1.0], [1.0]), broken)])
    assert judged.met is None
    assert "libaio" in judged.measured


def _ours(key: str, cpu: float) -> Row:
    return Row(key=key, label=key, samples=(sample(report={"cpu": cpu}),), base=(sample(),), device_bytes=GIB)


def test_processor_time_of_verifying_is_what_it_adds_to_the_pass() -> None:
    groups = [
        group("zero", _ours("sanitrail-zeros", 0.03)),
        group("zero-verify", _ours("sanitrail-zeros-verify", 0.15)),
    ]
    assert _judged("processor time, zero pass", groups).met is True
    assert _judged("processor time, verifying zeros", groups).measured == "0.120 CPU-s/GiB"
    assert _judged("processor time, verifying zeros", groups).met is True
    assert _judged("processor time, verifying zeros", groups[1:]).met is None


def test_slow_devices_are_held_against_the_time_their_speed_allows() -> None:
    slow = group("slow", row("sanitrail-keyed-stream", [5.8], [5.8]), facts={"ideal_s": 5.0, "rate": 25e6})
    judged = _judged("32 slow devices at once, span", [slow])
    assert (judged.measured, judged.met) == ("1.160 x ideal", False)


def test_each_slow_device_is_held_against_its_own_speed() -> None:
    samples = (sample(slowest_rate=24e6), sample(slowest_rate=23.5e6))
    ours = Row(key="sanitrail-keyed-stream", label="ours", samples=samples, base=samples, device_bytes=GIB)
    words = "32 slow devices at once, the slowest"
    assert _judged(words, [group("slow", ours, facts={"ideal_s": 5.0, "rate": 25e6})]).met is True
    assert _judged(words, [group("slow", ours, facts={"ideal_s": 5.0, "rate": 50e6})]).met is False


def test_page_cache_growth_is_ours_alone_and_the_least_of_the_rounds() -> None:
    mib = 1 << 20
    noisy = (sample(cache_growth=90 * mib), sample(cache_growth=2 * mib))
    ours = Row(key="sanitrail-zeros", label="ours", samples=noisy, base=noisy, device_bytes=GIB)
    dd = Row(key="dd-buffered", label="dd", samples=(sample(cache_growth=GIB),), base=noisy[:1], device_bytes=GIB)
    assert _judged("page-cache growth", [group("zero", ours, dd)]).measured == "2 MiB"


def test_bad_sectors_left_must_be_exactly_the_unwritable_ones() -> None:
    words = "9 bad sectors: old sectors left"
    assert _judged(words, faults=[_fault(BAD_SECTORS.key)]).met is True
    assert _judged(words, faults=[_fault(BAD_SECTORS.key, sectors_left=256)]).met is False


def test_a_run_that_calls_bad_sectors_a_success_misses_the_goal() -> None:
    judged = _judged(
        "9 bad sectors: old sectors left", faults=[_fault(BAD_SECTORS.key, noticed=False, said="succeeded")]
    )
    assert judged.met is False


def test_an_engine_that_crashed_has_noticed_nothing() -> None:
    crashed = [_fault(fault.key, noticed=None, failing_requests=0) for fault in (BAD_SECTORS, *LIES)]
    for words in ("9 bad sectors: old", "9 bad sectors: failing", "dropped, aliased"):
        assert _judged(words, faults=crashed).met is None


def test_every_lie_must_be_noticed() -> None:
    noticed = [_fault(fault.key) for fault in LIES]
    assert _judged("dropped, aliased", faults=noticed).met is True
    missed = [*noticed[1:], _fault(LIES[0].key, noticed=False)]
    assert _judged("dropped, aliased", faults=missed).met is False
