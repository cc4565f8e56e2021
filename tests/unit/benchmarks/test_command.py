"""The command: options, exit codes, and what it says where it cannot measure."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import throttle
from benchmarks.__main__ import EXIT_CANNOT, main
from benchmarks.bed import MIB, Bed
from benchmarks.case import Sample
from benchmarks.errors import CannotMeasure
from benchmarks.figures import Row
from benchmarks.groups import GROUPS, Outcome, Settings
from tests.support.benchmark_samples import case, group, sample
from tests.support.capabilities import requires_block_limits, requires_loop


def test_help_names_every_option_and_group() -> None:
    shown = CliRunner().invoke(main, ["--help"], terminal_width=100).output
    for word in ("--quick", "--size", "--only", "--json", "--nwipe", *GROUPS):
        assert word in shown


def test_an_unknown_group_is_a_wrong_option() -> None:
    assert CliRunner().invoke(main, ["--only", "nonsense"]).exit_code == 2


def test_without_root_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    result = CliRunner().invoke(main, [])
    assert result.exit_code == EXIT_CANNOT
    assert "sudo" in result.output


def test_all_groups_run_unless_some_are_chosen() -> None:
    settings = Settings(size=MIB, quick=False, only=frozenset())
    assert all(settings.wants(name) for name in GROUPS)
    assert [name for name in GROUPS if replace(settings, only=frozenset({"zero"})).wants(name)] == ["zero"]


def _outcome(broken: str, failure: Sample) -> Outcome:
    return Outcome((group("zero", Row(key=broken, label=broken, samples=(failure,), base=(failure,))),), ())


def test_only_our_own_failure_on_a_sound_device_is_a_defect() -> None:
    failed = sample(failure="exit 4: failed")
    assert _outcome("sanitrail-zeros", failed).failures == ("zero: sanitrail-zeros: exit 4: failed",)
    assert _outcome("nwipe-zero", failed).failures == ()


def test_a_tool_enters_the_control_group_before_it_becomes_itself(tmp_path: Path) -> None:
    (command,) = throttle.inside(case("c"), tmp_path / "cgroup.procs").stages(())[0]
    assert command[:2] == ("sh", "-c")
    assert command[-1] == "true"
    assert command[3] == str(tmp_path / "cgroup.procs")


@pytest.mark.block_device
@requires_loop
@requires_block_limits
def test_devices_are_slowed_down_one_by_one_and_the_group_is_removed(tmp_path: Path) -> None:
    with Bed(tmp_path, tmp_path) as bed, bed.devices(2, MIB, name="d") as devices:
        with throttle.limited(bed, devices, 1_000_000) as entrance:
            files = [*entrance.parent.glob("*throttle.write_bps_device"), *entrance.parent.glob("io.max")]
            limits = "".join(file.read_text() for file in files)
            for device in devices:
                number = Path(device.node).stat().st_rdev
                assert f"{os.major(number)}:{os.minor(number)} " in limits
        assert not entrance.parent.exists()


def test_a_kernel_that_limits_no_devices_is_told_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "_V1", tmp_path / "v1")
    monkeypatch.setattr(throttle, "_V2", tmp_path / "v2")
    with pytest.raises(CannotMeasure, match="cannot be slowed down"):
        throttle._root()
