"""Blocks, cache, spare area and erase engine of the emulated drives."""

from __future__ import annotations

from pathlib import Path

import pytest

from .clock import ManualClock
from .erasure import Phase
from .faults import BadBlock, Faults, Gone, NoAnswer
from .medium import Medium

SECRET = b"SECRET-CRM-ROW42"
BLOCKS = 4096


def medium(**faults: object) -> Medium:
    made = Medium(BLOCKS, faults=Faults(**faults))  # type: ignore[arg-type]  # field names, by test
    made.fill(SECRET)
    return made


def at(made: Medium, seconds: float) -> Phase:
    assert isinstance(made.clock, ManualClock)
    made.clock.seconds = seconds
    return made.erasure.poll().phase


def test_a_write_is_read_back_before_and_after_a_flush() -> None:
    made = medium()
    made.write(5, b"A" * 512 + b"B" * 512)
    assert made.read(4, 4)[512:1536] == b"A" * 512 + b"B" * 512
    made.flush()
    assert made.read(5, 2) == b"A" * 512 + b"B" * 512


def test_what_was_not_flushed_is_gone_after_a_power_cut() -> None:
    made = medium()
    made.write(5, b"A" * 512)
    made.flush()
    made.write(6, b"B" * 512)
    made.power_cut()
    made.power_on()
    assert made.read(5, 1) == b"A" * 512
    assert made.read(6, 1).startswith(SECRET)


def test_a_cache_that_is_full_goes_to_the_blocks() -> None:
    made = Medium(BLOCKS, cache_blocks=4)
    made.write(0, b"A" * 512 * 5)
    made.power_cut()
    assert made.durable(0, 5) == b"A" * 512 * 5


def test_rewriting_a_block_keeps_its_old_content_in_a_spare_one() -> None:
    made = Medium(BLOCKS, spare_blocks=1)
    made.write(7, b"A" * 512)
    made.flush()
    made.write(7, b"B" * 512)
    made.flush()
    made.write(7, b"C" * 512)
    made.flush()
    assert made.spare == [(7, b"A" * 512)]


def test_deallocated_blocks_read_zero_and_stay_in_spare_ones() -> None:
    made = Medium(BLOCKS, spare_blocks=8)
    made.write(0, SECRET * 32)
    made.discard(0, 8)
    assert made.remains(SECRET) == ([], [0])


def test_a_retired_sector_keeps_its_content() -> None:
    made = Medium(BLOCKS)
    made.write(3, SECRET * 32)
    made.retire(3)
    assert made.remains(SECRET) == ([3], [0])


def test_a_bad_block_names_itself_and_what_was_tried() -> None:
    made = medium(bad_reads=((10, 2),), bad_writes=((20, 1),))
    with pytest.raises(BadBlock) as read:
        made.read(8, 8)
    assert (read.value.lba, read.value.operation) == (10, "read")
    with pytest.raises(BadBlock) as written:
        made.write(18, b"A" * 512 * 4)
    assert (written.value.lba, written.value.operation) == (20, "write")
    assert made.read(18, 3) == b"A" * 1024 + (SECRET * 32)
    assert made.read(20, 1)
    made.write(10, b"A" * 512)


def test_an_erase_goes_on_with_the_clock_and_ends() -> None:
    made = medium(seconds=100)
    made.erasure.start("block")
    assert at(made, 50) is Phase.RUNNING
    assert made.erasure.operation.fraction == 0.5
    assert made.remains(SECRET)[0][0] == BLOCKS // 2
    assert at(made, 100) is Phase.SUCCEEDED
    assert made.remains(SECRET) == ([], [])


def test_an_erase_forgets_what_was_cached() -> None:
    made = medium()
    made.write(9, SECRET * 32)
    made.erasure.start("block")
    made.erasure.poll()
    assert made.read(9, 1) == bytes(512)


def test_a_pattern_begins_anew_in_every_block() -> None:
    made = Medium(10, block_bytes=520)
    made.erasure.start("overwrite", pattern=b"abc")
    made.erasure.poll()
    assert made.read(7, 1) == (b"abc" * 174)[:520]


def test_two_crypto_erases_leave_two_noises() -> None:
    made = medium()
    seen = [made.read(0, 1)]
    for _ in range(2):
        made.erasure.start("crypto", pattern=None)
        made.erasure.poll()
        seen.append(made.read(0, 1))
    assert len(set(seen)) == 3
    assert made.remains(SECRET) == ([], [])


def test_a_failing_erase_leaves_the_rest_and_the_way_out_brings_it_back() -> None:
    made = medium(seconds=10, fail_at=0.5)
    made.erasure.start("block")
    assert at(made, 9) is Phase.FAILED
    assert made.remains(SECRET)[0][0] == BLOCKS // 2
    made.erasure.exit_failure()
    assert made.erasure.poll().phase is Phase.NEVER


def test_a_stalling_erase_never_ends() -> None:
    made = medium(seconds=10, stall_at=0.25)
    made.erasure.start("block")
    assert at(made, 10**9) is Phase.RUNNING
    assert made.erasure.operation.fraction == 0.25
    with pytest.raises(NoAnswer):
        made.erasure.wait()


def test_a_vanishing_drive_answers_nothing_any_more() -> None:
    made = medium(seconds=10, vanish_at=0.5)
    made.erasure.start("block")
    made.tick()
    with pytest.raises(Gone):
        at(made, 6)
    made.power_cut()
    made.power_on()
    with pytest.raises(Gone):
        made.tick()


@pytest.mark.parametrize(
    ("erases", "blocks", "spare"),
    [
        ("everything", [], False),
        ("nothing", list(range(BLOCKS)), True),
        ("first-megabyte", list(range(2048, BLOCKS)), True),
        ("all-but-one-block", [1500], False),
        ("not-hidden", list(range(3000, BLOCKS)), False),
        ("not-spare", [], True),
    ],
)
def test_a_lying_erase_reports_success_and_leaves(erases: str, blocks: list[int], spare: bool) -> None:
    made = medium(erases=erases)
    made.erasure.start("block", visible=3000)
    assert made.erasure.poll().phase is Phase.SUCCEEDED
    left, stale = made.remains(SECRET)
    assert (left, bool(stale)) == (blocks, spare)


def test_blocks_that_are_kept_survive_whatever_the_pace() -> None:
    made = medium(seconds=10, kept=((5, 2), (2047, 3)))
    made.erasure.start("block")
    for second in range(1, 11):
        at(made, second)
    assert made.remains(SECRET)[0] == [5, 6, 2047, 2048, 2049]


def test_an_erase_goes_on_after_a_power_cut_from_where_it_was() -> None:
    made = medium(seconds=10)
    made.erasure.start("block")
    at(made, 4)
    made.power_cut()
    assert isinstance(made.clock, ManualClock)
    made.clock.seconds = 1000
    made.power_on()
    assert made.erasure.poll().fraction == pytest.approx(0.4)
    assert at(made, 1007) is Phase.SUCCEEDED


def test_an_erase_that_does_not_survive_a_power_cut_has_failed() -> None:
    made = medium(seconds=10)
    made.erasure.start("format", resumes=False)
    at(made, 4)
    made.power_cut()
    made.power_on()
    assert made.erasure.poll().phase is Phase.FAILED


def test_waiting_takes_as_long_as_the_erase() -> None:
    made = medium(seconds=3600)
    made.erasure.start("security")
    assert made.erasure.wait().phase is Phase.SUCCEEDED
    assert made.clock.now() == 3600


def test_blocks_left_blank_are_not_read_until_they_are_written() -> None:
    made = medium()
    made.erasure.start("block", leaves_blank=True)
    made.erasure.poll()
    with pytest.raises(BadBlock) as found:
        made.read(100, 1)
    assert found.value.operation == "blank"
    made.write(100, b"A" * 512)
    assert made.read(100, 1) == b"A" * 512


@pytest.mark.parametrize(("fault", "phase"), [("failed_before", Phase.FAILED), ("succeeded_before", Phase.SUCCEEDED)])
def test_an_earlier_life_leaves_its_end_behind(fault: str, phase: Phase) -> None:
    assert medium(**{fault: True}).erasure.poll().phase is phase


def test_a_file_shows_the_medium_to_everybody(tmp_path: Path) -> None:
    made = Medium(16, path=tmp_path / "drive")
    made.write(3, SECRET * 32)
    assert SECRET not in (tmp_path / "drive").read_bytes()
    made.flush()
    assert (tmp_path / "drive").read_bytes()[1536:2048] == SECRET * 32
