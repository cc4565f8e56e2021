"""Disks that fail on purpose, through the real kernel: what is told must be what is stored, sector by sector."""

from __future__ import annotations

from pathlib import Path

import pytest

import sanitizer
from sanitizer.planning import PlanRequest
from sanitizer.settings import Settings
from tests.integration.sanitizer.wiping import SEED, wipe, wipe_with
from tests.support.capabilities import requires_fuse, requires_loop
from tests.support.fault_disk import fault_disk

pytestmark = [requires_loop, requires_fuse, pytest.mark.block_device, pytest.mark.fuse]

ZEROS = PlanRequest(pattern_set="zeros")
FOUR_MIB = Settings(small_block_bytes=4 << 20, markers=2)
"""The block size of large devices, and markers out of the way of the faults."""


def sectors(ranges: tuple[tuple[int, int], ...]) -> list[int]:
    return [at // 512 for start, end in ranges for at in range(start, end, 512)]


def test_nine_bad_sectors_are_all_that_is_left_and_all_are_named(tmp_path: Path) -> None:
    """The goal of the performance rules: exactly nine sectors left, at most twenty failing requests for finding them."""
    faults = (f"badw:{(5 << 20) + 12288}:4096", f"badw:{13 << 20}:512")
    with fault_disk(tmp_path, faults) as disk:
        outcome = wipe_with(FOUR_MIB, disk.path, tmp_path / "journals", ZEROS)
        assert (outcome.state, outcome.error_code, outcome.touched) == ("failed", "unwritable-region", "yes")
        (only,) = outcome.method.passes
        assert len(disk.old_sectors()) == 9
        assert sectors(only.unwritten) == disk.old_sectors()
        assert only.bytes_written == (16 << 20) - 9 * 512
        assert only.failed_writes <= 20
        # Bad for writing only: what could not be overwritten is read, and is not what it should be.
        assert sectors(outcome.verification.residual) == disk.old_sectors()
        assert outcome.verification.completed


def test_a_disk_that_can_neither_write_nor_read_a_block_names_it_twice(tmp_path: Path) -> None:
    with fault_disk(tmp_path, (f"bad:{6 << 20}:1024",)) as disk:
        outcome = wipe(disk.path, tmp_path / "journals", ZEROS)
        assert (outcome.state, outcome.error_code) == ("failed", "unwritable-region")
        assert outcome.method.passes[0].unwritten == ((6 << 20, (6 << 20) + 1024),)
        assert outcome.verification.unreadable == ((6 << 20, (6 << 20) + 1024),)
        assert outcome.verification.bytes_read == (16 << 20) - 1024


def test_a_block_that_cannot_be_read_back_is_never_a_success(tmp_path: Path) -> None:
    with fault_disk(tmp_path, (f"badr:{7 << 20}:512",)) as disk:
        outcome = wipe(disk.path, tmp_path / "journals", ZEROS)
        assert (outcome.state, outcome.error_code) == ("failed", "unreadable")
        assert outcome.verification.unreadable == ((7 << 20, (7 << 20) + 512),)
        assert disk.old_sectors() == []


@pytest.mark.parametrize("pattern_set", ["zeros", "keyed-stream", "fixed:924924"])
def test_a_dropped_write_is_found_to_the_sector(tmp_path: Path, pattern_set: str) -> None:
    with fault_disk(tmp_path, (f"drop:{(9 << 20) + 512}:65536",)) as disk:
        outcome = wipe(disk.path, tmp_path / "journals", PlanRequest(pattern_set=pattern_set))
        assert (outcome.state, outcome.error_code) in {("failed", "residual"), ("failed", "addressing-fault")}
        assert sectors(outcome.verification.residual) == disk.old_sectors()
        assert len(disk.old_sectors()) == 128


@pytest.mark.parametrize("pattern_set", ["zeros", "keyed-stream"])
def test_a_stick_with_a_false_capacity_is_found_out(tmp_path: Path, pattern_set: str) -> None:
    with fault_disk(tmp_path, ("alias:23",)) as disk:
        outcome = wipe(disk.path, tmp_path / "journals", PlanRequest(pattern_set=pattern_set))
        assert (outcome.state, outcome.error_code) == ("failed", "addressing-fault")
        if pattern_set == "keyed-stream":
            assert sum(end - start for start, end in outcome.verification.residual) == 8 << 20


def test_a_write_that_fails_once_is_made_good_and_stays_told(tmp_path: Path) -> None:
    with fault_disk(tmp_path, (f"once:{(3 << 20) + 4096}:512",)) as disk:
        outcome = wipe_with(FOUR_MIB, disk.path, tmp_path / "journals", ZEROS)
        assert outcome.state == "succeeded"
        (only,) = outcome.method.passes
        assert only.failed_writes == 1
        assert only.unwritten == ()
        assert not any(disk.contents())


def test_a_dying_disk_is_given_up_and_the_rest_is_not_called_written(tmp_path: Path) -> None:
    few = Settings(small_block_bytes=64 << 10, markers=2, failing_requests=10)
    with fault_disk(tmp_path, (f"badw:{4 << 20}:{12 << 20}",)) as disk:
        outcome = wipe_with(few, disk.path, tmp_path / "journals", ZEROS)
        assert (outcome.state, outcome.error_code) == ("failed", "error-budget-spent")
        named = {s for start, end in outcome.method.passes[0].unwritten for s in range(start // 512, end // 512)}
        assert set(disk.old_sectors()) <= named
        assert disk.failing_requests() <= 40


def test_bad_sectors_in_one_of_several_passes_fail_the_run(tmp_path: Path) -> None:
    with fault_disk(tmp_path, (f"badw:{2 << 20}:512",)) as disk:
        outcome = wipe(disk.path, tmp_path / "journals", PlanRequest(pattern_set="keyed-stream-then-zeros"))
        assert (outcome.state, outcome.error_code) == ("failed", "unwritable-region")
        assert [each.unwritten for each in outcome.method.passes] == [((2 << 20, (2 << 20) + 512),)] * 2


def test_verifying_by_hand_finds_what_is_wrong_and_writes_nothing(tmp_path: Path) -> None:
    with fault_disk(tmp_path, (f"badr:{1 << 20}:512",)) as disk:
        before = disk.contents()
        found = sanitizer.verify(sanitizer.inspect(disk.path), "zeros", "full", sample_seed=SEED)
        assert found.unreadable == ((1 << 20, (1 << 20) + 512),)
        assert sum(end - start for start, end in found.residual) == (16 << 20) - 512
        assert disk.contents() == before
