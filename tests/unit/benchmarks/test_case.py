"""A run counts only when the device saw the whole job; everything else is a failure with a reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.bed import MIB, Bed, Device
from benchmarks.case import Case, Sample, Stages, measure
from tests.support.capabilities import requires_loop

pytestmark = [pytest.mark.block_device, requires_loop]


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[Bed]:
    with Bed(tmp_path, tmp_path) as made:
        yield made


@pytest.fixture
def device(bed: Bed) -> Iterator[Device]:
    with bed.devices(1, 8 * MIB, name="d") as (made,):
        yield made


def _run(bed: Bed, device: Device, stages: Stages, timeout: float = 60, reads: int = 0) -> Sample:
    return measure(Case("c", "c", lambda _: stages, reads=reads), (device,), bed, timeout=timeout)


def _dd(device: Device, blocks: int = 8) -> tuple[str, ...]:
    return ("dd", "if=/dev/zero", f"of={device.node}", "bs=1M", f"count={blocks}", "oflag=direct")


def test_a_whole_pass_counts(bed: Bed, device: Device) -> None:
    sample = _run(bed, device, [[_dd(device)]])
    assert sample.failure is None
    assert sample.bytes_written == 8 * MIB
    assert sample.to_first_write is not None
    assert 0 < sample.span <= sample.wall
    assert sample.cpu > 0


def test_the_rate_is_taken_from_the_middle_of_the_pass(bed: Bed, device: Device) -> None:
    start = ("sh", "-c", f"{' '.join(_dd(device, 1))} 2>/dev/null")
    assert _run(bed, device, [[start]]).slowest_rate is None
    script = "for n in 0 1 2 3 4 5 6 7; do dd if=/dev/zero of=$0 bs=1M count=1 seek=$n oflag=direct 2>/dev/null; sleep 0.02; done"
    rate = _run(bed, device, [[("sh", "-c", script, device.node)]]).slowest_rate
    assert rate is not None
    assert rate > 0


def test_a_tool_that_does_nothing_and_says_success_does_not_count(bed: Bed, device: Device) -> None:
    assert _run(bed, device, [[("true",)]]).failure == f"wrote 0 of {8 * MIB} bytes"


def test_a_tool_that_stops_half_way_and_says_success_does_not_count(bed: Bed, device: Device) -> None:
    assert _run(bed, device, [[_dd(device, 4)]]).failure == f"wrote {4 * MIB} of {8 * MIB} bytes"


def test_a_tool_that_skips_its_verification_does_not_count(bed: Bed, device: Device) -> None:
    failure = _run(bed, device, [[_dd(device)]], reads=1).failure
    assert failure is not None
    assert failure.startswith("read ")


def test_a_failing_tool_is_quoted(bed: Bed, device: Device) -> None:
    sample = _run(bed, device, [[("sh", "-c", "echo first; echo no such luck >&2; exit 7")]])
    assert sample.failure == "exit 7: no such luck"
    assert sample.exits == (7,)


def test_later_stages_do_not_run_after_a_failure(bed: Bed, device: Device) -> None:
    sample = _run(bed, device, [[("false",)], [_dd(device)]])
    assert sample.exits == (1,)
    assert sample.bytes_written == 0


def test_a_tool_that_takes_too_long_is_ended(bed: Bed, device: Device) -> None:
    sample = _run(bed, device, [[("sleep", "600")]], timeout=0.2)
    assert sample.failure is not None
    assert sample.failure.startswith("stopped after")


def test_what_our_own_process_says_of_itself_is_kept(bed: Bed, device: Device) -> None:
    say = ("sh", "-c", f"{' '.join(_dd(device))} 2>/dev/null; echo '{{\"cpu\": 1.5}}'")
    assert _run(bed, device, [[say]]).report == {"cpu": 1.5}


def test_no_log_stays_behind(bed: Bed, device: Device) -> None:
    _run(bed, device, [[_dd(device)], [("true",)]])
    assert list(bed.disk.glob("log-*")) == []
