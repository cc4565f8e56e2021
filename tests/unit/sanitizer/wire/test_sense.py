from __future__ import annotations

import pytest

from sanitizer.wire import MalformedReply, SenseFormat, decode_sense

from .hand_made import ata_return, descriptor_sense, fixed_sense


def test_fixed_format_is_read_at_its_offsets() -> None:
    sense = decode_sense(fixed_sense(3, 0x11, 0x00, {0: b"\xf0", 3: b"\x01\x02\x03\x04", 8: b"abcd", 14: b"\x05"}))
    assert (sense.format, sense.code) == (SenseFormat.FIXED, (3, 0x11, 0x00))
    assert (sense.information_valid, sense.information) == (True, b"\x01\x02\x03\x04")
    assert (sense.command_specific, sense.field_replaceable_unit) == (b"abcd", 5)
    assert (sense.deferred, sense.truncated) == (False, False)


def test_descriptor_format_is_read_at_its_offsets() -> None:
    information = bytes([0x00, 0x0A, 0x80, 0]) + b"\x00\x00\x00\x01\x02\x03\x04\x05"
    command = bytes([0x01, 0x0A, 0, 0]) + b"commands"
    unit = bytes([0x03, 0x02, 0, 7])
    sense = decode_sense(descriptor_sense(3, 0x11, 0x00, information, command, unit))
    assert (sense.format, sense.code) == (SenseFormat.DESCRIPTOR, (3, 0x11, 0x00))
    assert (sense.information_valid, sense.information) == (True, b"\x00\x00\x00\x01\x02\x03\x04\x05")
    assert (sense.command_specific, sense.field_replaceable_unit) == (b"commands", 7)
    assert [each.kind for each in sense.descriptors] == [0, 1, 3]


@pytest.mark.parametrize("code", [0x71, 0xF1, 0x73])
def test_deferred_errors_are_told_from_current_ones(code: int) -> None:
    assert decode_sense(bytes([code]) + bytes(17)).deferred


@pytest.mark.parametrize("code", [0x00, 0x01, 0x6F, 0x74, 0x7E, 0x7F, 0xFF])
def test_other_response_codes_are_no_sense_data(code: int) -> None:
    with pytest.raises(MalformedReply, match="response code"):
        decode_sense(bytes([code]) + bytes(17))


@pytest.mark.parametrize("length", [0, 1025])
def test_an_empty_or_endless_buffer_is_refused(length: int) -> None:
    with pytest.raises(MalformedReply):
        decode_sense(b"\x70" * length)


@pytest.mark.parametrize("length", range(1, 18))
def test_a_cut_off_buffer_says_so_and_misses_fields_instead_of_inventing_them(length: int) -> None:
    sense = decode_sense(fixed_sense(2, 0x04, 0x1B, {15: b"\x80\x40\x00"})[:length])
    assert sense.truncated
    assert sense.key == (2 if length > 2 else None)
    assert sense.asc == (0x04 if length > 12 else None)
    assert sense.ascq == (0x1B if length > 13 else None)
    assert sense.progress is None
    assert sense.sanitize_in_progress is (length > 13)


def test_padding_beyond_the_additional_length_is_not_sense_data() -> None:
    padded = descriptor_sense(5, 0x24, 0x00) + b"\x09\x0c" + b"\xff" * 12
    assert decode_sense(padded).descriptors == ()


PROGRESS = [
    # key, key-specific bytes, what it means
    (0, b"\x80\x80\x00", 0x8000),
    (2, b"\x80\x40\x00", 0x4000),
    (2, b"\x80\x00\x00", 0),
    (2, b"\x00\x40\x00", None),  # SKSV clear
    (5, b"\xc0\x00\x02", None),  # a field pointer
    (3, b"\x80\x00\x02", None),  # a retry count
    (6, b"\x81\x00\x00", None),  # unit attention queue overflow
]


@pytest.mark.parametrize(("key", "specific", "progress"), PROGRESS)
def test_progress_is_read_only_where_the_key_gives_it_that_meaning(
    key: int, specific: bytes, progress: int | None
) -> None:
    assert decode_sense(fixed_sense(key, 0x04, 0x1B, {15: specific})).progress == progress
    in_descriptor = bytes([0x02, 0x06, 0, 0]) + specific + b"\0"
    assert decode_sense(descriptor_sense(key, 0x04, 0x1B, in_descriptor)).progress == progress


def test_no_progress_is_not_progress_zero() -> None:
    assert decode_sense(fixed_sense(2, 0x04, 0x1B)).progress is None


def test_another_progress_descriptor_carries_progress_under_any_key() -> None:
    another = bytes([0x0A, 0x06, 0x02, 0x04, 0x1B, 0, 0x12, 0x34])
    assert decode_sense(descriptor_sense(1, 0, 0, another)).progress == 0x1234


CONDITIONS = [
    ((2, 0x04, 0x1B), "sanitize_in_progress"),
    ((3, 0x31, 0x03), "sanitize_failed"),
    ((3, 0x11, 0x15), "write_required"),
    ((6, 0x29, 0x00), "host_reset"),
]


@pytest.mark.parametrize(("code", "condition"), CONDITIONS)
def test_conditions_are_known_by_all_of_their_code(code: tuple[int, int, int], condition: str) -> None:
    key, asc, ascq = code
    assert getattr(decode_sense(fixed_sense(key, asc, ascq)), condition)
    assert getattr(decode_sense(descriptor_sense(key, asc, ascq)), condition)
    assert not getattr(decode_sense(fixed_sense(key, asc ^ 1, ascq)), condition)
    others = [name for _, name in CONDITIONS if name != condition]
    assert not any(getattr(decode_sense(fixed_sense(key, asc, ascq)), name) for name in others)


def test_a_descriptor_that_runs_past_the_end_is_kept_as_cut_off() -> None:
    sense = decode_sense(bytes([0x72, 1, 0, 0x1D, 0, 0, 0, 14]) + ata_return()[:8])
    assert sense.truncated
    assert [(each.kind, each.whole) for each in sense.descriptors] == [(0x09, False)]


def test_a_descriptor_that_lies_about_its_length_is_not_read_as_one() -> None:
    short = bytes([0x00, 0x02, 0x80, 0x00])
    assert decode_sense(descriptor_sense(3, 0x11, 0, short)).information is None


def test_a_buffer_full_of_empty_descriptors_ends() -> None:
    sense = decode_sense(bytes([0x72, 0, 0, 0, 0, 0, 0, 255]) + b"\x80\x00" * 500)
    assert len(sense.descriptors) == 127
