from __future__ import annotations

import dataclasses

import pytest

from sanitizer.wire import EraseTime, Integrity, MalformedReply, SecurityLevel, decode_identify_device
from sanitizer.wire.ata_words import erase_time

from .hand_made import identify


def test_strings_are_read_with_their_bytes_swapped_back() -> None:
    drive = decode_identify_device(identify())
    assert (drive.model, drive.serial, drive.firmware) == ("HAND MADE DRIVE", "HANDMADE0001", "HM01")
    assert drive.serial_padded == "HANDMADE0001        "
    assert len(drive.model_padded) == 40


def test_an_empty_serial_number_is_none() -> None:
    assert decode_identify_device(identify(serial="")).serial is None


def test_two_serial_numbers_that_differ_in_unprintable_bytes_stay_different() -> None:
    one = decode_identify_device(identify(serial="A\x1bB"))
    other = decode_identify_device(identify(serial="A\x07B"))
    assert (one.serial, other.serial) == ("A\\x1bB", "A\\x07B")


@pytest.mark.parametrize("length", [0, 1, 511, 513, 1024])
def test_other_than_512_bytes_are_refused(length: int) -> None:
    with pytest.raises(MalformedReply) as raised:
        decode_identify_device(bytes(length))
    assert raised.value.expected == "512 bytes"
    assert raised.value.got.startswith(str(length))


SECURITY_STATES = [
    # word 128, then supported, enabled, locked, frozen, attempts exhausted, enhanced
    (0x0000, (False, False, False, False, False, False)),
    (0x0001, (True, False, False, False, False, False)),
    (0x0003, (True, True, False, False, False, False)),
    (0x0007, (True, True, True, False, False, False)),
    (0x0009, (True, False, False, True, False, False)),
    (0x0017, (True, True, True, False, True, False)),
    (0x0021, (True, False, False, False, False, True)),
    (0x002B, (True, True, False, True, False, True)),
]


@pytest.mark.parametrize(("word", "states"), SECURITY_STATES)
def test_security_states_are_separate_facts(word: int, states: tuple[bool, ...]) -> None:
    copies = {82: 0x0402 if word & 1 else 0x0400, 85: 0x0402 if word & 2 else 0x0400}
    security = decode_identify_device(identify({128: word, **copies})).security
    assert (
        security.supported,
        security.enabled,
        security.locked,
        security.frozen,
        security.attempts_exhausted,
        security.enhanced_erase,
    ) == states


def test_security_that_two_words_state_differently_is_unknown() -> None:
    assert decode_identify_device(identify({128: 0x0001, 82: 0x0400})).security.supported is None
    assert decode_identify_device(identify({128: 0x0001, 85: 0x0402})).security.enabled is None
    assert decode_identify_device(identify({128: 0x0003, 85: 0x0400})).security.enabled is None


@pytest.mark.parametrize(("words", "fact"), [({82: 2}, True), ({82: 0xFFFD}, False), ({83: 0, 82: 2}, None)])
def test_word_82_says_on_its_own_whether_security_is_supported(words: dict[int, int], fact: bool | None) -> None:
    assert decode_identify_device(identify(words)).security.supported_word_82 is fact


def test_a_security_word_of_all_ones_is_unknown() -> None:
    security = decode_identify_device(identify({128: 0xFFFF})).security
    assert {security.supported, security.enabled, security.locked, security.frozen} == {None}
    assert security.level is None


@pytest.mark.parametrize(
    ("word", "level"), [(0x0001, None), (0x0003, SecurityLevel.HIGH), (0x0103, SecurityLevel.MAXIMUM)]
)
def test_the_security_level_holds_only_while_enabled(word: int, level: SecurityLevel | None) -> None:
    drive = decode_identify_device(identify({128: word, 85: 0x0402 if word & 2 else 0x0400}))
    assert drive.security.level is level


ERASE_TIMES = [
    (0x0000, None),
    (0x0001, EraseTime(minutes=2, at_least=False)),
    (0x00FE, EraseTime(minutes=508, at_least=False)),
    (0x00FF, EraseTime(minutes=508, at_least=True)),
    (0x01FF, EraseTime(minutes=508, at_least=True)),  # bits 14:8 are reserved in the short form
    (0x8000, None),
    (0x8001, EraseTime(minutes=2, at_least=False)),
    (0x80FF, EraseTime(minutes=510, at_least=False)),
    (0x8100, EraseTime(minutes=512, at_least=False)),
    (0xFFFE, EraseTime(minutes=65532, at_least=False)),
    (0xFFFF, EraseTime(minutes=65532, at_least=True)),
]


@pytest.mark.parametrize(("word", "time"), ERASE_TIMES)
def test_erase_times_are_read_in_the_form_bit_15_names(word: int, time: EraseTime | None) -> None:
    assert erase_time(word) == time


def test_normal_and_enhanced_times_are_not_exchanged() -> None:
    security = decode_identify_device(identify({89: 0x0003, 90: 0x8004})).security
    assert security.erase_time == EraseTime(minutes=6, at_least=False)
    assert security.enhanced_erase_time == EraseTime(minutes=8, at_least=False)


@pytest.mark.parametrize(("word", "identifier"), [(0x0000, None), (0xFFFF, None), (0xFFFE, 0xFFFE), (0x0007, 7)])
def test_the_master_password_identifier_is_none_where_it_is_not_supported(word: int, identifier: int | None) -> None:
    assert decode_identify_device(identify({92: word})).security.master_password_id == identifier


SANITIZE = [
    # word 59, then supported, crypto, overwrite, block, antifreeze, ACS-3 commands
    (0x0000, (False, False, False, False, False, False)),
    (0x0110, (False, False, False, False, False, False)),  # multiple sector setting: no sanitize bits
    (0x1000, (True, False, False, False, False, False)),
    (0x3000, (True, True, False, False, False, False)),
    (0x5000, (True, False, True, False, False, False)),
    (0x9000, (True, False, False, True, False, False)),
    (0xFC00, (True, True, True, True, True, True)),
    (0x1800, (True, False, False, False, False, True)),
    (0x1400, (True, False, False, False, True, False)),
    (0x8000, (None, False, False, True, False, False)),  # a way to sanitize without the feature set
    (0x4000, (None, False, True, False, False, False)),
    (0x2000, (None, True, False, False, False, False)),
    (0x0C01, (False, False, False, False, True, True)),
    (0xFFFF, (None, None, None, None, None, None)),
]


@pytest.mark.parametrize(("word", "features"), SANITIZE)
def test_each_way_to_sanitize_has_its_bit_in_word_59(word: int, features: tuple[bool | None, ...]) -> None:
    found = decode_identify_device(identify({59: word})).sanitize
    assert dataclasses.astuple(found) == features


CAPACITIES = [
    # words, then sectors and where they come from
    ({}, (0x3A386DB0, "words 100-103")),
    ({83: 0x4900, 60: 0x1000, 61: 0}, (0x1000, "words 60-61")),
    ({53: 2, 69: 8, 230: 5, 231: 1}, (0x10005, "words 230-233")),
    ({53: 0, 69: 8, 230: 5}, (0x3A386DB0, "words 100-103")),
    ({53: 2, 69: 0, 230: 5}, (0x3A386DB0, "words 100-103")),
    ({53: 2, 69: 8, 230: 0}, (0x3A386DB0, "words 100-103")),
    ({53: 2, 69: 0xFFFF, 230: 5}, (0x3A386DB0, "words 100-103")),
    ({100: 0, 101: 0}, (None, None)),  # 48-bit, but says nothing, and 28 bits are full
    ({100: 0, 101: 0, 60: 9, 61: 0}, (9, "words 60-61")),
    ({103: 0xFFFF}, (None, None)),  # more than 48 bits can be
    ({83: 0x0000}, (None, None)),  # nobody says which of the two holds
    ({83: 0xFFFF}, (None, None)),
    ({49: 0, 83: 0x4900}, (None, None)),  # cylinders only
    ({83: 0x4900}, (0x0FFFFFFF, "words 60-61")),  # no 48-bit addresses: full is full
]


@pytest.mark.parametrize(("words", "expected"), CAPACITIES)
def test_capacity_comes_from_the_first_words_that_hold(
    words: dict[int, int], expected: tuple[int | None, str | None]
) -> None:
    capacity = decode_identify_device(identify(words)).capacity
    assert (capacity.sectors, capacity.source) == expected
    assert capacity.bytes == (None if expected[0] is None else expected[0] * 512)


SECTOR_SIZES = [
    ({106: 0x0000}, (512, 512)),
    ({106: 0x4000}, (512, 512)),
    ({106: 0x6003}, (512, 4096)),
    ({106: 0x4003}, (512, 512)),  # the exponent counts only with bit 13
    ({106: 0x5000, 117: 2048}, (4096, 4096)),
    ({106: 0x7001, 117: 260}, (520, 1040)),
    ({106: 0x5000, 117: 0}, (None, None)),
    ({106: 0x5000, 117: 0xFFFF, 118: 0xFFFF}, (None, None)),
    ({106: 0xFFFF}, (512, 512)),  # not valid
]


@pytest.mark.parametrize(("words", "sizes"), SECTOR_SIZES)
def test_sector_sizes_follow_word_106(words: dict[int, int], sizes: tuple[int | None, int | None]) -> None:
    capacity = decode_identify_device(identify(words)).capacity
    assert (capacity.logical_sector_bytes, capacity.physical_sector_bytes) == sizes
    if sizes[0] is None:
        assert capacity.bytes is None


HIDDEN = [
    # words, field, what it is
    ({}, "hpa_supported", True),
    ({82: 0x0002}, "hpa_supported", False),
    ({83: 0x0000}, "hpa_supported", None),
    ({83: 0xFFFF}, "hpa_supported", None),
    ({}, "hpa_enabled", True),
    ({85: 0x0000}, "hpa_enabled", False),
    ({87: 0x0000}, "hpa_enabled", None),
    ({}, "dco_supported", True),
    ({83: 0x4500}, "dco_supported", False),
    ({83: 0x8D00}, "dco_supported", None),
    ({}, "dco_enabled", True),
    ({86: 0x8400}, "dco_enabled", False),
    ({87: 0xC100}, "dco_enabled", None),
    ({}, "set_max_security", True),
    ({83: 0x4C00}, "set_max_security", False),
    ({86: 0x8D00}, "set_max_security_enabled", True),
    ({}, "set_max_security_enabled", False),
    ({119: 0x4100}, "amax_supported", True),
    ({119: 0x4000}, "amax_supported", False),
    ({119: 0x0100}, "amax_supported", None),  # the word is not valid
    ({119: 0x4100, 86: 0x0C00}, "amax_supported", None),  # words 119 and 120 are not there
    ({119: 0, 80: 0x03F8}, "amax_supported", False),  # ACS-2: older than AMAX
    ({119: 0, 80: 0xFFFF}, "amax_supported", None),
    ({119: 0, 80: 0x0000}, "amax_supported", None),
]


@pytest.mark.parametrize(("words", "field", "fact"), HIDDEN)
def test_a_hidden_area_is_ruled_out_only_by_valid_words(words: dict[int, int], field: str, fact: bool | None) -> None:
    assert getattr(decode_identify_device(identify(words)).hidden, field) is fact


TRIM = [
    ({}, (True, True, True)),
    ({169: 0}, (False, True, True)),
    ({169: 0xFFFF}, (None, True, True)),
    ({69: 0x4000}, (True, True, False)),
    ({69: 0x0020}, (True, False, True)),
    ({69: 0xFFFF}, (True, None, None)),
]


@pytest.mark.parametrize(("words", "facts"), TRIM)
def test_trim_facts_are_read_bit_by_bit(words: dict[int, int], facts: tuple[bool | None, ...]) -> None:
    assert dataclasses.astuple(decode_identify_device(identify(words)).trim) == facts


ROTATIONS = [(0, None, None), (1, False, None), (2, None, None), (0x0400, None, None), (0x0401, True, 1025)]
ROTATIONS += [(7200, True, 7200), (0xFFFE, True, 65534), (0xFFFF, None, None)]


@pytest.mark.parametrize(("word", "rotational", "rpm"), ROTATIONS)
def test_rotation_is_unknown_for_unreported_and_reserved_values(
    word: int, rotational: bool | None, rpm: int | None
) -> None:
    drive = decode_identify_device(identify({217: word}))
    assert (drive.rotational, drive.rotation_rpm) == (rotational, rpm)


NAMES = [
    ({}, "5002538e40000001"),
    ({87: 0x4000}, None),
    ({87: 0x0000}, "5002538e40000001"),  # word 84 says it
    ({87: 0x0000, 84: 0x4000}, None),
    ({108: 0, 109: 0, 110: 0, 111: 0}, None),
    ({108: 0xFFFF, 109: 0xFFFF, 110: 0xFFFF, 111: 0xFFFF}, None),
]


@pytest.mark.parametrize(("words", "name"), NAMES)
def test_a_world_wide_name_is_taken_only_if_the_drive_says_it_has_one(words: dict[int, int], name: str | None) -> None:
    assert decode_identify_device(identify(words)).world_wide_name == name


def test_every_single_flipped_bit_breaks_the_checksum() -> None:
    good = identify()
    assert decode_identify_device(good).integrity is Integrity.VALID
    for at in range(510):
        broken = bytearray(good)
        broken[at] ^= 0x10
        assert decode_identify_device(broken).integrity is Integrity.WRONG


def test_a_reply_without_the_signature_claims_no_integrity() -> None:
    assert decode_identify_device(identify(checksum=False)).integrity is Integrity.ABSENT


KINDS = [
    (0x0040, True, False, False),
    (0x0080, True, True, False),
    (0x0044, True, False, True),
    (0x848A, True, True, False),  # CompactFlash
    (0x8580, False, True, False),  # a packet device
    (0xFFFF, False, None, True),
]


@pytest.mark.parametrize(("word", "is_ata", "removable", "incomplete"), KINDS)
def test_word_0_tells_the_kind_of_device(word: int, is_ata: bool, removable: bool | None, incomplete: bool) -> None:
    drive = decode_identify_device(identify({0: word}))
    assert (drive.is_ata, drive.removable, drive.incomplete) == (is_ata, removable, incomplete)


@pytest.mark.parametrize(("word", "incomplete"), [(0x37C8, True), (0x8C73, True), (0x738C, False), (0xC837, False)])
def test_word_2_tells_whether_the_reply_is_complete(word: int, incomplete: bool) -> None:
    assert decode_identify_device(identify({2: word})).incomplete is incomplete


def test_all_ones_claim_nothing() -> None:
    drive = decode_identify_device(b"\xff" * 512)
    facts = [
        *dataclasses.astuple(drive.sanitize),
        *dataclasses.astuple(drive.hidden),
        *dataclasses.astuple(drive.trim),
        drive.security.supported,
        drive.trusted_computing,
        drive.encrypts_all_user_data,
        drive.capacity.sectors,
        drive.world_wide_name,
    ]
    assert set(facts) == {None}


def test_all_zeros_claim_no_identity_and_no_capacity() -> None:
    drive = decode_identify_device(bytes(512))
    assert (drive.model, drive.serial, drive.world_wide_name, drive.capacity.sectors) == (None, None, None, None)
    assert drive.hidden.hpa_supported is None
    assert drive.integrity is Integrity.ABSENT


def test_a_word_outside_the_reply_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(IndexError):
        decode_identify_device(identify()).word(256)
