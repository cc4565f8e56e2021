from __future__ import annotations

import pytest

from sanitizer.wire import (
    CommandTimeouts,
    MalformedReply,
    Support,
    decode_block_device_characteristics,
    decode_command_support,
    decode_device_identification,
    decode_inquiry,
    decode_logical_block_provisioning,
    decode_supported_commands,
    decode_supported_pages,
    decode_unit_serial_number,
    decode_vpd,
)

from .hand_made import designator, inquiry, vpd

TIMEOUTS = b"\x00\x0a\x00\x00" + (30).to_bytes(4, "big") + (7200).to_bytes(4, "big")


def test_inquiry_is_read_at_its_offsets() -> None:
    unit = decode_inquiry(inquiry())
    assert (unit.vendor, unit.product, unit.revision) == ("HANDMADE", "SAS DISK", "0001")
    assert (unit.version, unit.response_format, unit.additional_length) == (6, 2, 71)
    assert (unit.target_port_groups, unit.multiport, unit.command_queuing) == (1, True, True)
    assert (unit.protection, unit.enclosure_services, unit.removable) == (False, False, False)
    assert unit.is_disk


DISKS = [
    (0x00, True),
    (0x0E, True),
    (0x14, True),
    (0x01, False),
    (0x05, False),
    (0x07, False),
    (0x0D, False),
    (0x1F, False),
    (0x20, False),  # qualifier 1: not attached
    (0x60, False),
    (0x7F, False),
]


@pytest.mark.parametrize(("byte", "disk"), DISKS)
def test_only_attached_units_of_addressable_blocks_are_disks(byte: int, disk: bool) -> None:
    assert decode_inquiry(inquiry({0: bytes([byte])})).is_disk is disk


@pytest.mark.parametrize("length", range(5, 36))
def test_inquiry_cut_off_by_its_allocation_length_leaves_the_rest_unknown(length: int) -> None:
    unit = decode_inquiry(inquiry()[:length])
    assert unit.revision is None
    assert unit.product == ("SAS DISK" if length >= 32 else None)
    assert unit.vendor == ("HANDMADE" if length >= 16 else None)
    assert unit.command_queuing is (True if length >= 8 else None)


TYPES = [(0x00, "disk"), (0x05, "CD or DVD drive"), (0x14, "host-managed zoned disk"), (0x13, "type 13h")]


@pytest.mark.parametrize(("byte", "name"), TYPES)
def test_device_types_have_names(byte: int, name: str) -> None:
    assert decode_inquiry(inquiry({0: bytes([byte])})).device_type_name == name


def test_inquiry_shorter_than_its_own_header_is_refused() -> None:
    with pytest.raises(MalformedReply):
        decode_inquiry(bytes(4))


def test_supported_pages_are_listed_as_they_came() -> None:
    assert decode_supported_pages(vpd(0x00, b"\x00\x80\x83\xb1")).pages == (0x00, 0x80, 0x83, 0xB1)


def test_the_serial_number_loses_its_padding_only() -> None:
    page = decode_unit_serial_number(vpd(0x80, b"   HAND MADE 1\0\0"))
    assert (page.serial, page.serial_padded) == ("HAND MADE 1", "   HAND MADE 1\0\0")


def test_a_cut_off_serial_number_is_no_serial_number() -> None:
    page = decode_unit_serial_number(vpd(0x80, b"HANDMADE0001")[:-1])
    assert (page.serial, page.truncated) == (None, True)


def test_a_serial_number_of_spaces_is_none() -> None:
    assert decode_unit_serial_number(vpd(0x80, b"        ")).serial is None


NAMES = (
    designator(3, bytes.fromhex("5000c500a0b0c0d0"))
    + designator(3, bytes.fromhex("5000c500a0b0c0d1"), association=1, protocol=6)
    + designator(8, b"naa.5000C500A0B0C0D2\0\0\0\0", code_set=3, association=2)
    + designator(2, bytes.fromhex("0011223344556677"))
    + designator(1, b"HANDMADE disk", code_set=2)
)


def test_designators_keep_association_and_protocol_apart() -> None:
    page = decode_device_identification(vpd(0x83, NAMES))
    assert [(d.kind, d.association, d.protocol) for d in page.designators] == [
        (3, 0, None),
        (3, 1, 6),
        (8, 2, None),
        (2, 0, None),
        (1, 0, None),
    ]
    assert (page.unit_naa, page.unit_eui64) == (("5000c500a0b0c0d0",), ("0011223344556677",))
    assert [d.text for d in page.designators] == [None, None, "naa.5000C500A0B0C0D2", None, "HANDMADE disk"]


def test_the_port_s_name_is_never_the_unit_s() -> None:
    page = decode_device_identification(vpd(0x83, designator(3, bytes(8), association=1)))
    assert page.unit_naa == ()


def test_a_protocol_is_read_only_where_it_is_marked_valid_and_belongs() -> None:
    unmarked = designator(3, bytes(8), association=1)
    assert decode_device_identification(vpd(0x83, bytes([0x61]) + unmarked[1:])).designators[0].protocol is None
    of_unit = designator(3, bytes(8), protocol=6)
    assert decode_device_identification(vpd(0x83, of_unit)).designators[0].protocol is None


@pytest.mark.parametrize("length", [1, 4, 7, 9, 15, 17])
def test_a_name_of_impossible_length_names_nothing(length: int) -> None:
    assert decode_device_identification(vpd(0x83, designator(3, bytes(length)))).unit_naa == ()


def test_text_that_is_not_utf_8_or_not_printable_is_shown_escaped() -> None:
    page = decode_device_identification(
        vpd(0x83, designator(8, b"a\xff\x1b", code_set=3) + designator(8, "é\x1b\u202e".encode(), code_set=3))
    )
    assert [d.text for d in page.designators] == ["a\\xff\\x1b", "é\\x1b\\xe2\\x80\\xae"]


def test_a_designator_cut_off_is_left_out_and_the_page_says_so() -> None:
    whole = vpd(0x83, NAMES)
    page = decode_device_identification(whole[:-1])
    assert (len(page.designators), page.truncated) == (4, True)
    assert not decode_device_identification(whole).truncated


def test_a_designator_longer_than_its_page_is_left_out() -> None:
    assert decode_device_identification(vpd(0x83, b"\x01\x03\x00\x08\x50")).designators == ()


CHARACTERISTICS = [
    # bytes 4 and 5, byte 7, byte 8; rotation, WABEREQ, WACEREQ, form factor, zoned
    ("0001", 0x00, 0x00, (False, 0, 0, 0, 0)),
    ("1c20", 0x43, 0x10, (True, 1, 0, 3, 1)),
    ("0000", 0xF0, 0x20, (None, 3, 3, 0, 2)),
    ("0400", 0x80, 0x00, (None, 2, 0, 0, 0)),
    ("ffff", 0x12, 0x30, (None, 0, 1, 2, 3)),
]


@pytest.mark.parametrize(("speed", "byte_7", "byte_8", "facts"), CHARACTERISTICS)
def test_block_device_characteristics(speed: str, byte_7: int, byte_8: int, facts: tuple[object, ...]) -> None:
    page = decode_block_device_characteristics(vpd(0xB1, bytes.fromhex(speed) + bytes([0, byte_7, byte_8]) + bytes(55)))
    assert (
        page.rotational,
        page.read_after_block_erase,
        page.read_after_crypto_erase,
        page.form_factor,
        page.zoned,
    ) == facts


PROVISIONING = [
    (0x80, "unmap"),
    (0x40, "write_same_16"),
    (0x20, "write_same_10"),
    (0x02, "anchor"),
    (0x01, "descriptor_present"),
]


@pytest.mark.parametrize(("byte", "field"), PROVISIONING)
def test_provisioning_bits(byte: int, field: str) -> None:
    page = decode_logical_block_provisioning(vpd(0xB2, bytes([9, byte, 2, 0])))
    assert [name for _, name in PROVISIONING if getattr(page, name)] == [field]
    assert (page.threshold_exponent, page.provisioning_type, page.read_zeros) == (9, 2, 0)


def test_what_unmapped_blocks_read_as_is_three_bits() -> None:
    for value in range(8):
        page = decode_logical_block_provisioning(vpd(0xB2, bytes([0, value << 2, 0, 0])))
        assert page.read_zeros == value


def test_a_page_that_ends_early_leaves_the_rest_unknown() -> None:
    page = decode_block_device_characteristics(vpd(0xB1, b"\x00\x01"))
    assert (page.rotational, page.read_after_block_erase, page.zoned, page.truncated) == (False, None, None, False)


def test_bytes_beyond_the_page_are_not_of_the_page() -> None:
    page = decode_block_device_characteristics(vpd(0xB1, b"\x00\x01") + b"\xff" * 8)
    assert (page.read_after_block_erase, page.form_factor) == (None, None)


@pytest.mark.parametrize("page", [0x01, 0x81, 0x89, 0xB0, 0xFF])
def test_an_unknown_page_is_refused_by_its_code(page: int) -> None:
    with pytest.raises(MalformedReply, match=f"{page:02x}h"):
        decode_vpd(vpd(page, bytes(8)))


@pytest.mark.parametrize(("byte", "qualifier", "kind"), [(0x00, 0, 0), (0x14, 0, 0x14), (0x7F, 3, 0x1F), (0x25, 1, 5)])
def test_every_page_starts_with_what_the_unit_is(byte: int, qualifier: int, kind: int) -> None:
    page = decode_vpd(bytes([byte]) + vpd(0x80, b"X")[1:])
    assert (page.peripheral_qualifier, page.device_type, page.page, page.page_length) == (qualifier, kind, 0x80, 1)


def test_a_page_length_is_two_bytes() -> None:
    page = decode_supported_pages(vpd(0x00, bytes(0x0102)))
    assert (page.page_length, len(page.pages), page.truncated) == (0x0102, 0x0102, False)


def test_bytes_beyond_the_list_are_not_of_the_list() -> None:
    answer = decode_supported_commands(_listed(_entry(0x48, 2)) + _entry(0x48, 3))
    assert (len(answer.commands), answer.has(0x48, 3), answer.truncated) == (1, False, False)


def test_another_page_than_the_one_asked_for_is_refused() -> None:
    with pytest.raises(MalformedReply, match="page code 80h"):
        decode_unit_serial_number(vpd(0x83, NAMES))


SUPPORT = [
    (0, Support.UNKNOWN, None),
    (1, Support.NO, False),
    (2, Support.UNKNOWN, None),
    (3, Support.STANDARD, True),
    (4, Support.UNKNOWN, None),
    (5, Support.VENDOR, None),
    (6, Support.UNKNOWN, None),
    (7, Support.UNKNOWN, None),
]


@pytest.mark.parametrize(("value", "support", "supported"), SUPPORT)
def test_only_support_as_the_standard_has_it_is_a_yes(value: int, support: Support, supported: bool | None) -> None:
    answer = decode_command_support(bytes([0, value, 0, 2, 0x48, 0x1F]))
    assert (answer.support, answer.supported) == (support, supported)
    assert answer.usage == (b"\x48\x1f" if value in {3, 5} else None)


def test_timeouts_follow_the_command() -> None:
    answer = decode_command_support(bytes([0, 0x83, 0, 2, 0x48, 0x1F]) + TIMEOUTS)
    assert answer.timeouts == CommandTimeouts(nominal_seconds=30, recommended_seconds=7200)


def test_a_timeout_of_zero_is_none() -> None:
    answer = decode_command_support(bytes([0, 0x83, 0, 0]) + b"\x00\x0a" + bytes(10))
    assert answer.timeouts == CommandTimeouts(nominal_seconds=None, recommended_seconds=None)


@pytest.mark.parametrize("length", range(4, 18))
def test_a_cut_off_answer_keeps_support_and_loses_the_rest(length: int) -> None:
    answer = decode_command_support((bytes([0, 0x83, 0, 2, 0x48, 0x1F]) + TIMEOUTS)[:length])
    assert answer.supported is True
    assert answer.usage == (b"\x48\x1f" if length >= 6 else None)
    assert answer.timeouts is None


def _entry(opcode: int, action: int | None, *, timeouts: bytes = b"") -> bytes:
    flags = (1 if action is not None else 0) | (2 if timeouts else 0)
    return bytes([opcode, 0]) + (action or 0).to_bytes(2, "big") + bytes([0, flags]) + b"\x00\x0a" + timeouts


def _listed(*entries: bytes) -> bytes:
    body = b"".join(entries)
    return len(body).to_bytes(4, "big") + body


def test_the_list_tells_service_actions_apart() -> None:
    answer = decode_supported_commands(_listed(_entry(0x48, 2), _entry(0x48, 3, timeouts=TIMEOUTS), _entry(0x04, None)))
    assert [(c.operation_code, c.service_action, c.cdb_bytes) for c in answer.commands] == [
        (0x48, 2, 10),
        (0x48, 3, 10),
        (0x04, None, 10),
    ]
    assert answer.commands[1].timeouts == CommandTimeouts(nominal_seconds=30, recommended_seconds=7200)
    assert (answer.has(0x48, 2), answer.has(0x48, 1), answer.has(0x04), answer.has(0x48)) == (True, False, True, False)


def test_what_is_missing_from_a_cut_off_list_is_unknown() -> None:
    answer = decode_supported_commands(_listed(_entry(0x48, 2), _entry(0x48, 3))[:-1])
    assert (answer.has(0x48, 2), answer.has(0x48, 3), answer.truncated) == (True, None, True)


def test_timeouts_cut_off_mark_the_list_as_cut_off() -> None:
    answer = decode_supported_commands(_listed(_entry(0x48, 3, timeouts=TIMEOUTS[:-1])))
    assert (answer.commands[0].timeouts, answer.truncated) == (None, True)


def test_a_list_that_has_lost_its_rhythm_is_malformed() -> None:
    with pytest.raises(MalformedReply, match="000ah"):
        decode_supported_commands(_listed(_entry(0x48, 3, timeouts=b"\x00\x0b" + bytes(10))))
