"""What drives keep of their health, read out of bytes built here field by field, as the standards lay them out."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanitizer.wire import ata_commands, health, nvme_commands, scsi_commands
from sanitizer.wire.errors import MalformedReply
from sanitizer.wire.pass_through import AtaRegisters, RegisterLayout


def smart(*entries: tuple[int, int]) -> bytes:
    page = bytearray(512)
    for place, (number, raw) in enumerate(entries):
        struct.pack_into("<BHBB6s", page, 2 + 12 * place, number, 0x33, 90, 80, raw.to_bytes(6, "little"))
    page[511] = -sum(page) & 0xFF
    return bytes(page)


def registers(lba_low: int | None) -> AtaRegisters:
    return AtaRegisters(
        layout=RegisterLayout.DESCRIPTOR, extend=False, error=0, status=0x50, device=0, count_low=0, count_high=0,
        lba_low=lba_low, lba_high=0,
    )  # fmt: skip


def test_smart_numbers_are_read_in_the_width_all_makers_keep() -> None:
    # A temperature with its minimum and maximum above it; hours with minutes above them; sectors with a second count.
    data = smart((5, 7 | 9 << 16), (9, 12345 | 30 << 24), (194, 31 | 20 << 16 | 45 << 32), (197, 2), (198, 3))
    found = health.decode_smart_data(data)
    assert (found.reallocated, found.power_on_hours, found.temperature) == (7, 12345, 31)
    assert (found.pending, found.uncorrectable) == (2, 3)


def test_airflow_stands_in_for_a_temperature_that_is_missing() -> None:
    assert health.decode_smart_data(smart((190, 29))).temperature == 29


def test_smart_data_with_a_wrong_sum_are_none() -> None:
    broken = bytearray(smart((5, 7)))
    broken[20] ^= 1
    with pytest.raises(MalformedReply):
        health.decode_smart_data(broken)


@pytest.mark.parametrize(
    ("lba", "word"), [(0xC24F00, "passed"), (0x2CF400, "failing"), (0x000000, "unknown"), (None, "unknown")]
)
def test_the_registers_tell_what_smart_predicts(lba: int | None, word: str) -> None:
    assert health.smart_prediction(registers(lba)) == word


def statistics(number: int, at: int = 8, value: bytes = b"") -> bytes:
    page = bytearray(512)
    struct.pack_into("<HB", page, 0, 1, number)
    page[at : at + len(value)] = value
    return bytes(page)


def test_wear_of_a_sata_drive_counts_only_where_it_is_supported_and_valid() -> None:
    read = [health.ata_used_percent(statistics(7, 8, bytes((80, *bytes(6), flags)))) for flags in (0xC0, 0x80, 0x40, 0)]
    assert read == [80, None, None, None]
    with pytest.raises(MalformedReply):
        health.ata_used_percent(statistics(1, 8, bytes((80, *bytes(6), 0xC0))))


def test_logs_and_their_pages_are_found_by_their_directories() -> None:
    directory = struct.pack("<HHHHH", 1, 0, 0, 0, 8).ljust(512, b"\0")
    assert [health.pages_of_log(directory, log) for log in (4, 5)] == [8, 0]
    assert health.statistics_pages(statistics(0, 8, bytes((3, 0, 1, 7)))) == (0, 1, 7)


@pytest.mark.parametrize(
    ("warning", "word"), [(0, "passed"), (2, "passed"), (1, "failing"), (4, "failing"), (8, "failing")]
)
def test_a_hot_nvme_drive_is_hot_and_not_failing(warning: int, word: str) -> None:
    page = bytearray(512)
    struct.pack_into("<BHBBB", page, 0, warning, 273 + 55, 100, 10, 250)
    page[160:176] = (6).to_bytes(16, "little")
    found = health.decode_nvme_health(page)
    assert (found.prediction, found.temperature, found.used_percent, found.media_errors) == (word, 55, 250, 6)


def test_an_nvme_drive_that_reports_no_temperature_has_none() -> None:
    assert health.decode_nvme_health(bytes(512)).temperature is None


def page(number: int, *parameters: tuple[int, bytes]) -> health.LogPage:
    body = b"".join(struct.pack(">HBB", code, 3, len(value)) + value for code, value in parameters)
    return health.decode_log_page(struct.pack(">BBH", number, 0, len(body)) + body, number)


def test_scsi_log_pages_are_read_by_their_parameters() -> None:
    assert health.log_temperature(page(0x0D, (0, bytes((0, 38))))) == 38
    assert health.log_temperature(page(0x0D, (0, bytes((0, 0xFF))))) is None
    assert health.log_prediction(page(0x2F, (0, bytes((0x5D, 0x10, 38))))) == "failing"
    assert health.log_prediction(page(0x2F, (0, bytes((0, 0, 38))))) == "passed"
    assert health.log_prediction(page(0x2F)) == "unknown"
    assert health.log_used_percent(page(0x11, (1, bytes((0, 0, 0, 7))))) == 7
    assert health.log_power_on_hours(page(0x15, (0, (601).to_bytes(4, "big")))) == 10
    counters = (page(0x03, (6, (2).to_bytes(8, "big"))), page(0x05, (1, b"\1"), (6, b"\3")))
    assert health.log_uncorrected(counters) == 5
    assert health.log_uncorrected((page(0x02),)) is None


def test_a_parameter_cut_off_by_the_room_for_it_is_not_half_read() -> None:
    body = struct.pack(">HBB", 6, 3, 8) + b"\0\0\1"
    assert health.decode_log_page(struct.pack(">BBH", 3, 0, 12) + body, 3).parameters == ()


def test_grown_defects_are_counted_by_the_length_of_their_list() -> None:
    assert health.decode_grown_defects(bytes((0, 0x0C, 0, 0)) + (24).to_bytes(4, "big")) == 3
    assert health.decode_grown_defects(bytes((0, 0x08, 0, 0)) + (24).to_bytes(4, "big")) == 6
    with pytest.raises(MalformedReply):  # the list of the factory, or both
        health.decode_grown_defects(bytes((0, 0x1C, 0, 0)) + (24).to_bytes(4, "big"))


def test_an_emmc_tells_the_worse_of_its_two_wears() -> None:
    raw = bytearray(512)
    raw[267:270] = bytes((3, 2, 5))
    found = health.decode_mmc_health(raw)
    assert (found.prediction, found.used_percent) == ("failing", 50)
    assert health.decode_mmc_health(bytes(512)) == health.MmcHealth(prediction="unknown", used_percent=None)


def test_the_questions_are_what_the_standards_say() -> None:
    assert ata_commands.smart_read_data().cdb12.hex() == "a1080ed001004fc200b00000"
    assert ata_commands.smart_return_status().cdb12.hex() == "a10620da00004fc200b00000"
    assert ata_commands.read_log_ext(4, 7).cdb.hex() == "85090e00000001000400070000402f00"
    assert scsi_commands.log_sense(0x0D).cdb.hex() == "4d004d00000000020000"
    assert scsi_commands.read_grown_defects().cdb.hex() == "b70c00000000000000080000"
    assert nvme_commands.health().command.cdw10 == 127 << 16 | 0x02


@given(st.binary(max_size=600))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    readers = (
        health.decode_smart_data, health.decode_nvme_health, health.decode_log_pages, health.decode_grown_defects,
        health.decode_mmc_health, lambda raw: health.decode_log_page(raw, 0x0D), health.ata_used_percent,
        health.statistics_pages, lambda raw: health.pages_of_log(raw, 0xFF),
    )  # fmt: skip
    for read in readers:
        try:
            read(data)
        except MalformedReply:
            continue
