"""Ratios are taken round by round, and only from rounds in which both tools did the job."""

from __future__ import annotations

import pytest

from benchmarks.figures import Row
from tests.support.benchmark_samples import GIB, row, sample


def test_a_ratio_is_the_median_of_the_rounds_not_the_ratio_of_medians() -> None:
    measured = row("dd", [10.0, 2.0, 3.0], [10.0, 1.0, 1.0])
    assert measured.ratios(lambda s: s.span) == [1.0, 2.0, 3.0]
    assert measured.ratio() == 2.0


def test_a_round_in_which_the_tool_failed_counts_for_nothing() -> None:
    samples = (sample(5.0), sample(0.1, failure="exit 1: no"))
    measured = Row(key="dd", label="dd", samples=samples, base=(sample(1.0), sample(1.0)), device_bytes=GIB)
    assert measured.ratio() == 5.0
    assert measured.median(lambda s: s.span) == 5.0


def test_a_round_in_which_our_engine_failed_counts_for_nothing() -> None:
    base = (sample(1.0), sample(0.001, failure="exit 1: refused"))
    measured = Row(key="dd", label="dd", samples=(sample(2.0), sample(2.0)), base=base, device_bytes=GIB)
    assert measured.ratio() == 2.0


def test_a_row_of_failures_says_why_and_has_no_figures() -> None:
    measured = Row(
        key="dd", label="dd", samples=(sample(failure="exit 1: no space"),), base=(sample(),), device_bytes=GIB
    )
    assert measured.failure == "exit 1: no space"
    assert measured.ratio() is None
    assert measured.gigabytes_per_second() is None


def test_speed_and_processor_time_are_per_device_size() -> None:
    measured = Row(
        key="sanitrail-zeros",
        label="ours",
        samples=(sample(2.0, cpu=0.8, report={"cpu": 0.4}),),
        base=(sample(2.0),),
        device_bytes=4 * GIB,
    )
    assert measured.gigabytes_per_second() == pytest.approx(2 * 1.073741824)
    assert measured.cpu_per_gib() == pytest.approx(0.2)
    assert measured.engine_cpu_per_gib() == pytest.approx(0.1)


def test_json_holds_every_sample_and_the_figures_from_them() -> None:
    told = row("dd", [2.0, 4.0], [1.0, 2.0]).to_dict()
    assert told["span_ratio"] == 2.0
    assert [each["span"] for each in told["samples"]] == [2.0, 4.0]
