"""The report names what is missing and says where a figure comes from."""

from __future__ import annotations

from benchmarks import table
from benchmarks.fault_rules import BAD_SECTORS, FaultRow
from benchmarks.figures import Row
from benchmarks.goals import Judged
from tests.support.benchmark_samples import GIB, group, row, sample


def test_a_tool_that_failed_is_named_with_its_reason() -> None:
    text = table.group_table(
        group("zero", row("ours", [1.0], [1.0]), Row(key="n", label="nwipe", left_out="exit 22: no"))
    )
    assert "nwipe: exit 22: no" in text


def test_a_group_that_could_not_be_measured_is_named_with_its_reason() -> None:
    assert "not measured: there is no /dev/fuse" in table.group_table(
        group("slow", not_measured="there is no /dev/fuse")
    )


def test_the_small_device_is_marked_and_explained() -> None:
    slow = row("nwipe", [3.0], [0.1], small=True, device_bytes=GIB // 4)
    text = table.group_table(group("zero", row("ours", [1.0], [1.0]), slow))
    assert "nwipe *" in text
    assert "measured on 256 MiB" in text
    assert " 30.00 " in text


def test_our_own_row_is_the_measure_of_the_others() -> None:
    lines = table.group_table(group("zero", row("ours", [2.0], [2.0]), row("dd", [3.0], [2.0]))).splitlines()
    assert lines[2].split()[:2] == ["ours", "1.00"]
    assert lines[3].split()[:2] == ["dd", "1.50"]


def test_without_our_own_figures_no_row_becomes_the_measure() -> None:
    broken = Row(key="ours", label="ours", left_out="exit 1: refused")
    failed = (sample(failure="exit 1: refused"),)
    theirs = Row(key="dd", label="dd", samples=(sample(3.0),), base=failed, device_bytes=GIB)
    lines = table.group_table(group("zero", broken, theirs)).splitlines()
    assert lines[2].split()[:2] == ["dd", "-"]


def test_a_busy_machine_is_told() -> None:
    assert table.disturbance([group("zero", turns=20, busy_turns=2)]) is None
    told = table.disturbance([group("zero", turns=20, busy_turns=2), group("random", turns=5, busy_turns=3)])
    assert told is not None
    assert "5 of 25 turns" in told


def test_faults_left_out_are_named() -> None:
    rows = [FaultRow(fault=BAD_SECTORS.key, key="nwipe", label="nwipe 1", left_out="left out by --quick")]
    assert "nwipe 1: left out by --quick" in table.faults_table(rows)


def test_goals_say_met_not_met_or_neither() -> None:
    goals = [Judged(goal=g, bar="b", measured="m", met=met) for g, met in (("a", True), ("b", False), ("c", None))]
    text = table.goals_table(goals)
    assert "1 met, 1 not met, 1 not judged." in text
    assert text.count("NOT MET") == 1
    assert "bars are for" not in text


def test_goals_on_a_smaller_device_come_with_a_warning() -> None:
    assert "The bars are for 4096 MiB: on 512 MiB" in table.goals_table([], 512 << 20)
