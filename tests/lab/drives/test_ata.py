"""The emulated ATA drive: what it says of itself, its blocks, its sanitize states."""

from __future__ import annotations

import struct

import pytest

from .ata import AtaDrive
from .ata_asking import (
    ANTIFREEZE,
    BLOCK_ERASE,
    BLOCKS,
    CRYPTO,
    FREEZE,
    SECRET,
    STATUS,
    drive,
    pass_time,
    power_cycle,
    said,
    secret,
    secured,
    word,
)
from .ata_identify import AtaModel
from .ata_registers import ABRT, IDNF, UNC, Taskfile
from .medium import Medium


def test_the_bytes_of_identify_sum_to_zero() -> None:
    page = drive().identify()
    assert page[510] == 0xA5
    assert sum(page) & 0xFF == 0


def test_identify_gives_the_serial_with_swapped_bytes() -> None:
    page = AtaDrive(Medium(BLOCKS), serial="AB12").identify()
    assert page[20:26] == b"BA21  "


def test_identify_gives_the_size_in_both_widths() -> None:
    ata = drive()
    assert word(ata, 60) | word(ata, 61) << 16 == BLOCKS
    assert [word(ata, number) for number in range(100, 104)] == [BLOCKS, 0, 0, 0]


@pytest.mark.parametrize(
    ("kinds", "bits"), [({"crypto"}, 0x3C00), ({"overwrite"}, 0x5C00), ({"block"}, 0x9C00), (set(), 0)]
)
def test_identify_names_the_sanitize_commands(kinds: set[str], bits: int) -> None:
    assert word(drive(AtaModel(sanitize=frozenset(kinds))), 59) == bits


@pytest.mark.parametrize(("minutes", "value"), [(2, 1), (3, 2), (508, 254), (600, 0x8000 | 300)])
def test_erase_times_are_in_steps_of_two_minutes(minutes: int, value: int) -> None:
    assert word(drive(AtaModel(erase_minutes=minutes)), 89) == value


def test_a_drive_without_48_bit_addresses_aborts_extended_commands() -> None:
    ata = drive(AtaModel(lba48=False))
    assert ata.execute(Taskfile(command=0x25, count=1, extend=True))[0].error == ABRT
    assert ata.execute(Taskfile(command=0xC8, count=1))[0].error == 0


def test_the_log_directory_names_the_identify_log_and_its_pages_agree() -> None:
    ata = drive(AtaModel(encrypts=True, restricted_overrides_security=True))
    _, directory = ata.execute(Taskfile(command=0x2F, count=1, extend=True))
    assert struct.unpack_from("<H", directory, 0x60) == (7,)
    _, copy = ata.execute(Taskfile(command=0x2F, lba=0x0130, count=1, extend=True))
    assert copy == ata.identify()
    _, page = ata.execute(Taskfile(command=0x2F, lba=0x0630, count=1, extend=True))
    assert struct.unpack_from("<Q", page, 0) == (1 << 63 | 6 << 16 | 1,)
    assert struct.unpack_from("<Q", page, 48) == (1 << 63 | 0xFF,)


def test_another_serial_answers_once_an_erase_has_begun() -> None:
    ata = drive(new_serial="OTHER")
    assert ata.serial == "LAB0001"
    ata.execute(CRYPTO)
    assert ata.serial == "OTHER"


# Blocks


def test_blocks_are_written_and_read_in_both_widths() -> None:
    ata = drive()
    assert ata.execute(Taskfile(command=0x35, lba=9, count=2, extend=True), b"A" * 1024)[0].status == 0x50
    assert ata.execute(Taskfile(command=0xC8, lba=9, count=2))[1] == b"A" * 1024


def test_addresses_beyond_the_end_are_not_found() -> None:
    assert said(drive(), 0xC8, lba=BLOCKS, count=1).error == IDNF


def test_an_unreadable_block_names_itself() -> None:
    answer = said(drive(bad_reads=((7, 1),)), 0xC8, lba=4, count=8)
    assert (answer.error, answer.lba) == (UNC, 7)


def test_trim_zeroes_blocks_and_keeps_them_in_spare_ones() -> None:
    ata = drive()
    ata.medium.spare.clear()
    data = struct.pack("<Q", 8 << 48 | 100).ljust(512, b"\0")
    assert ata.execute(Taskfile(command=0x06, feature=1, count=1, extend=True), data)[0].error == 0
    assert ata.medium.read(100, 8) == bytes(8 * 512)
    assert len(ata.medium.remains(SECRET)[1]) == 8


def test_without_write_cache_every_write_is_durable() -> None:
    ata = drive()
    said(ata, 0xEF, feature=0x82)
    ata.execute(Taskfile(command=0xCA, lba=3, count=1), b"A" * 512)
    power_cycle(ata)
    assert ata.medium.read(3, 1) == b"A" * 512


# Sanitize


def test_sanitize_answers_at_once_and_tells_its_progress() -> None:
    ata = drive(seconds=100)
    assert ata.execute(BLOCK_ERASE)[0].status == 0x50
    pass_time(ata, 25)
    answer, _ = ata.execute(STATUS)
    assert (answer.count, answer.lba) == (0x4000, 0x4000)
    pass_time(ata, 75)
    answer, _ = ata.execute(STATUS)
    assert (answer.count, answer.lba) == (0x8000, 0xFFFF)
    assert ata.medium.remains(SECRET) == ([], [])


def test_while_a_sanitize_runs_everything_else_is_aborted() -> None:
    ata = drive(seconds=100)
    ata.execute(BLOCK_ERASE)
    assert said(ata, 0xC8, count=1).error == ABRT
    assert ata.execute(BLOCK_ERASE)[0].error == ABRT
    assert said(ata, 0xEC).error == 0


@pytest.mark.parametrize(
    "wrong",
    [
        Taskfile(command=0xB4, feature=0x11, lba=0x43727971, extend=True),
        Taskfile(command=0xB4, feature=0x12, lba=0x43727970, extend=True),
        Taskfile(command=0xB4, feature=0x14, lba=0x4F58 << 32, extend=True),
        Taskfile(command=0xB4, feature=0x11, lba=0x03727970),
    ],
)
def test_a_wrong_signature_is_aborted_and_begins_nothing(wrong: Taskfile) -> None:
    ata = drive()
    assert ata.execute(wrong)[0].error == ABRT
    assert ata.medium.erasure.begun == 0


@pytest.mark.parametrize(
    ("count", "last"), [(1, 0x11223344), (0x82, 0xEEDDCCBB), (0xC2, 0x11223344), (0x83, 0x11223344), (0x80, 0xEEDDCCBB)]
)
def test_overwrite_ends_with_the_pattern_or_its_inverse(count: int, last: int) -> None:
    ata = drive()
    ata.execute(Taskfile(command=0xB4, feature=0x14, lba=0x4F57_1122_3344, count=count, extend=True))
    ata.execute(STATUS)
    assert ata.medium.read(0, 1) == struct.pack("<I", last) * 128


def test_an_unsupported_sanitize_is_aborted_with_reason_2() -> None:
    ata = drive(AtaModel.magnetic())
    assert (ata.execute(CRYPTO)[0].error, ata.execute(CRYPTO)[0].lba) == (ABRT, 2)


@pytest.mark.parametrize(("remainder", "reason"), [(False, 0), (True, 1)])
def test_a_failed_sanitize_aborts_its_status_with_a_reason(remainder: bool, reason: int) -> None:
    ata = drive(fail_at=0.5, remainder=remainder)
    ata.execute(BLOCK_ERASE)
    answer, _ = ata.execute(STATUS)
    assert (answer.error, answer.lba) == (ABRT, reason)
    assert said(ata, 0xC8, count=1).error == ABRT


def test_a_restricted_failure_is_left_by_a_sanitize_only() -> None:
    ata = drive(fail_at=0.5)
    ata.execute(BLOCK_ERASE)
    clear = Taskfile(command=0xB4, count=1, extend=True)
    assert ata.execute(clear)[0].error == ABRT
    ata.medium.faults.fail_at = None
    ata.execute(BLOCK_ERASE)
    assert ata.execute(STATUS)[0].count == 0x8000


def test_an_unrestricted_failure_is_cleared_and_brings_the_data_back() -> None:
    ata = drive(fail_at=0.5)
    ata.execute(Taskfile(command=0xB4, feature=0x12, lba=0x426B4572, count=0x10, extend=True))
    assert ata.execute(Taskfile(command=0xB4, count=1, extend=True))[0].error == 0
    assert ata.execute(Taskfile(command=0xC8, lba=BLOCKS - 1, count=1))[1].startswith(SECRET)


def test_frozen_until_the_power_is_cut() -> None:
    ata = drive()
    assert ata.execute(FREEZE)[0].count == 0x2000
    assert ata.execute(BLOCK_ERASE)[0].lba == 3
    power_cycle(ata)
    assert ata.execute(BLOCK_ERASE)[0].error == 0


def test_antifreeze_keeps_the_freeze_away() -> None:
    ata = drive()
    assert ata.execute(ANTIFREEZE)[0].count == 0x1000
    assert ata.execute(FREEZE)[0].lba == 4
    assert ata.execute(BLOCK_ERASE)[0].error == 0


def test_firmware_that_freezes_does_so_at_every_power_on() -> None:
    ata = drive(sanitize_frozen=True)
    power_cycle(ata)
    assert ata.execute(STATUS)[0].count == 0x2000
    assert ata.execute(BLOCK_ERASE)[0].lba == 3


def test_sanitize_goes_on_after_a_power_cut() -> None:
    ata = drive(seconds=100)
    ata.execute(BLOCK_ERASE)
    pass_time(ata, 60)
    ata.power_cut()
    pass_time(ata, 10_000)
    ata.power_on()
    assert ata.execute(STATUS)[0].count == 0x4000
    pass_time(ata, 41)
    assert ata.execute(STATUS)[0].count == 0x8000


def test_sanitize_reaches_what_is_hidden_unless_it_lies() -> None:
    for erases, left in (("everything", 0), ("not-hidden", 1096)):
        ata = drive(erases=erases)
        ata.capacity.hide(hpa=1000, dco=96)
        ata.execute(BLOCK_ERASE)
        ata.execute(STATUS)
        assert len(ata.medium.remains(SECRET)[0]) == left


def test_a_locked_drive_is_sanitized_only_where_it_says_so() -> None:
    for overrides, error in ((False, ABRT), (True, 0)):
        ata = drive(AtaModel(restricted_overrides_security=overrides))
        secured(ata, 0xF1, secret())
        power_cycle(ata)
        assert ata.execute(BLOCK_ERASE)[0].error == error
