from __future__ import annotations

import pytest

from sanitizer.wire import MalformedReply, decode_ext_csd

from .hand_made import ext_csd


def test_sizes_follow_their_units() -> None:
    device = decode_ext_csd(ext_csd())
    assert (device.version, device.user_bytes) == ("5.1", 15269888 * 512)
    assert (device.boot_bytes, device.rpmb_bytes) == (4 << 20, 4 << 20)
    assert (device.erase_group_bytes, device.write_protect_group_bytes) == (512 << 10, 8 << 20)


def test_general_purpose_areas_count_write_protect_groups() -> None:
    device = decode_ext_csd(ext_csd({143: b"\x02\x00\x00", 152: b"\x00\x01\x00"}))
    assert device.general_purpose_mult == (2, 0, 0, 256)
    assert device.general_purpose_bytes == (2 * (8 << 20), 0, 0, 256 * (8 << 20))


FEATURES = [(0x01, "secure_erase"), (0x04, "bad_blocks"), (0x10, "trim"), (0x40, "sanitize")]


@pytest.mark.parametrize(("byte", "field"), FEATURES)
def test_each_secure_feature_has_its_bit(byte: int, field: str) -> None:
    found = decode_ext_csd(ext_csd({231: bytes([byte])})).secure
    assert [name for _, name in FEATURES if getattr(found, name)] == [field]


@pytest.mark.parametrize(
    ("revision", "byte", "supported"),
    [(8, 0x40, True), (6, 0x40, True), (5, 0x40, None), (5, 0x15, False), (8, 0x00, False)],
)
def test_sanitize_needs_the_revision_that_has_it(revision: int, byte: int, supported: bool | None) -> None:
    assert decode_ext_csd(ext_csd({192: bytes([revision]), 231: bytes([byte])})).sanitize_supported is supported


@pytest.mark.parametrize(
    ("revision", "version"),
    [(0, "4.0"), (4, None), (5, "4.41"), (6, "4.5/4.51"), (7, "5.0/5.01"), (8, "5.1"), (9, None)],
)
def test_an_unlisted_revision_has_no_version(revision: int, version: str | None) -> None:
    assert decode_ext_csd(ext_csd({192: bytes([revision])})).version == version


def test_a_small_device_does_not_say_its_size_here() -> None:
    assert decode_ext_csd(ext_csd({212: bytes(4)})).user_bytes is None


@pytest.mark.parametrize("length", [0, 511, 513])
def test_other_than_512_bytes_are_refused(length: int) -> None:
    with pytest.raises(MalformedReply):
        decode_ext_csd(bytes(length))
