"""Each field lies where a second table says: written from the standards' figures anew, not from the decoders.

The bytes are noise, so that a field that is read one byte off, or in the wrong order, gives another number.
"""

from __future__ import annotations

import operator
import random

import pytest

from sanitizer.wire import (
    decode_block_device_characteristics,
    decode_ext_csd,
    decode_identify_controller,
    decode_identify_device,
    decode_identify_namespace,
    decode_inquiry,
    decode_logical_block_provisioning,
    decode_sanitize_log,
    decode_sense,
)
from sanitizer.wire import sense as sense_module
from sanitizer.wire.explain.sense import KEY_NAMES

SEEDS = range(8)


def noise(length: int, seed: int) -> bytes:
    return random.Random(seed).randbytes(length)  # noqa: S311 - noise for a test, no secret


def little(data: bytes | bytearray, first: int, last: int) -> int:
    """Bytes `first` to `last`, both included, as the figures write them."""
    return sum(data[at] << 8 * (at - first) for at in range(first, last + 1))


EXT_CSD = [
    ("secure_removal_type", 16, 16),
    ("data_sector_size", 61, 61),
    ("enhanced_size_mult", 140, 142),
    ("partition_setting_completed", 155, 155),
    ("partitions_attribute", 156, 156),
    ("partitioning_support", 160, 160),
    ("rpmb_size_mult", 168, 168),
    ("user_write_protect", 171, 171),
    ("boot_write_protect", 173, 173),
    ("boot_write_protect_status", 174, 174),
    ("erase_group_def", 175, 175),
    ("partition_config", 179, 179),
    ("erased_content", 181, 181),
    ("revision", 192, 192),
    ("device_type", 196, 196),
    ("sectors", 212, 215),
    ("write_protect_mult", 221, 221),
    ("erase_timeout_mult", 223, 223),
    ("erase_group_mult", 224, 224),
    ("boot_size_mult", 226, 226),
    ("secure_trim_mult", 229, 229),
    ("secure_erase_mult", 230, 230),
    ("secure.raw", 231, 231),
    ("trim_mult", 232, 232),
    ("cache_kibit", 249, 252),
    ("pre_end_of_life", 267, 267),
    ("life_time_a", 268, 268),
    ("life_time_b", 269, 269),
    ("command_queue", 308, 308),
    ("background_operations", 502, 502),
    ("high_priority_interrupt", 503, 503),
]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("field", "first", "last"), EXT_CSD)
def test_ext_csd(field: str, first: int, last: int, seed: int) -> None:
    data = noise(512, seed)
    assert operator.attrgetter(field)(decode_ext_csd(data)) == little(data, first, last)


@pytest.mark.parametrize("seed", SEEDS)
def test_ext_csd_fields_of_several_parts(seed: int) -> None:
    data = noise(512, seed)
    device = decode_ext_csd(data)
    assert device.firmware == bytes(data[at] for at in range(254, 262))
    assert device.general_purpose_mult == tuple(little(data, at, at + 2) for at in (143, 146, 149, 152))


CONTROLLER = [
    ("vendor_id", 0, 1),
    ("subsystem_vendor_id", 2, 3),
    ("controller_id", 78, 79),
    ("version", 80, 83),
    ("admin.raw", 256, 257),
    ("log_page_attributes", 261, 261),
    ("host_memory_preferred", 272, 275),
    ("total_bytes", 280, 295),
    ("unallocated_raw", 296, 311),
    ("unallocated_bytes", 296, 311),
    ("sanitize.raw", 328, 331),
    ("namespaces", 516, 519),
    ("optional_nvm", 520, 521),
    ("format.raw", 524, 524),
]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("field", "first", "last"), CONTROLLER)
def test_identify_controller(field: str, first: int, last: int, seed: int) -> None:
    data = noise(4096, seed)
    assert operator.attrgetter(field)(decode_identify_controller(data)) == little(data, first, last)


@pytest.mark.parametrize("seed", SEEDS)
def test_identify_controller_bits_and_names(seed: int) -> None:
    data = noise(4096, seed)
    controller = decode_identify_controller(data)
    assert controller.rpmb_units == data[312] % 8
    assert controller.volatile_write_cache is (data[525] % 2 == 1)
    assert controller.multi_port is (data[76] % 2 == 1)
    assert controller.multi_controller is (data[76] // 2 % 2 == 1)
    assert controller.ieee_oui == f"{data[75]:02x}{data[74]:02x}{data[73]:02x}"
    assert controller.serial_padded.encode("latin-1") == data[4:24]


TEXTS = [("serial", 4, 23), ("model", 24, 63), ("firmware", 64, 71), ("qualified_name", 768, 1023)]


@pytest.mark.parametrize(("field", "first", "last"), TEXTS)
def test_identify_controller_texts_end_where_the_next_field_begins(field: str, first: int, last: int) -> None:
    data = bytearray(b"#" * 4096)
    data[first : last + 1] = b"T" * (last - first + 1)
    assert getattr(decode_identify_controller(data), field) == "T" * (last - first + 1)


NAMESPACE = [("size_blocks", 0, 7), ("capacity_blocks", 8, 15), ("used_blocks", 16, 23), ("capacity_bytes", 48, 63)]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("field", "first", "last"), NAMESPACE)
def test_identify_namespace(field: str, first: int, last: int, seed: int) -> None:
    data = noise(4096, seed)
    assert getattr(decode_identify_namespace(data), field) == little(data, first, last)


@pytest.mark.parametrize("seed", SEEDS)
def test_identify_namespace_names_and_formats(seed: int) -> None:
    data = bytearray(noise(4096, seed))
    data[25] = 63
    namespace = decode_identify_namespace(data)
    assert (namespace.nguid, namespace.eui64) == (data[104:120].hex(), data[120:128].hex())
    assert namespace.deallocated_reads == data[33] % 8
    assert len(namespace.formats) == 64
    for at, each in enumerate(namespace.formats):
        first = 128 + 4 * at
        assert (each.index, each.metadata_bytes) == (at, little(data, first, first + 1))
        assert each.block_bytes == (2 ** data[first + 2] if 9 <= data[first + 2] < 32 else None)
        assert each.relative_performance == data[first + 3] % 4


@pytest.mark.parametrize(("field", "first", "last"), [("nguid", 104, 119), ("eui64", 120, 127)])
def test_a_name_of_zeros_is_none_whatever_surrounds_it(field: str, first: int, last: int) -> None:
    data = bytearray(b"\x01" * 4096)
    data[first : last + 1] = bytes(last - first + 1)
    assert getattr(decode_identify_namespace(data), field) is None
    for at in range(first, last + 1):
        data[first : last + 1] = bytes(last - first + 1)
        data[at] = 1
        assert getattr(decode_identify_namespace(data), field) is not None


SANITIZE_LOG = [
    ("progress_raw", 0, 1),
    ("status_raw", 2, 3),
    ("command.raw", 4, 7),
    ("estimates.overwrite", 8, 11),
    ("estimates.block_erase", 12, 15),
    ("estimates.crypto_erase", 16, 19),
    ("estimates.overwrite_no_deallocate", 20, 23),
    ("estimates.block_erase_no_deallocate", 24, 27),
    ("estimates.crypto_erase_no_deallocate", 28, 31),
    ("estimates.post_verification_deallocation", 32, 35),
]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("field", "first", "last"), SANITIZE_LOG)
def test_sanitize_log(field: str, first: int, last: int, seed: int) -> None:
    data = noise(512, seed)
    assert operator.attrgetter(field)(decode_sanitize_log(data)) == little(data, first, last)


@pytest.mark.parametrize("seed", SEEDS)
def test_sanitize_log_bits(seed: int) -> None:
    data = noise(512, seed)
    log = decode_sanitize_log(data)
    status = little(data, 2, 3)
    assert log.passes_completed == status // 8 % 32
    flags = (log.global_data_erased, log.verification_cancelled, log.namespace_data_erased)
    assert flags == tuple(status // 2**at % 2 == 1 for at in (8, 9, 10))
    assert log.state == (data[36] % 16 if data[36] % 16 <= 6 else None)
    assert log.failed_state == (data[36] // 16 if data[36] // 16 <= 6 else None)


@pytest.mark.parametrize("seed", SEEDS)
def test_identify_device(seed: int) -> None:
    data = bytearray(noise(512, seed))
    for word, value in ((49, 0x0200), (53, 0x0002), (69, 0x0008), (83, 0x4400), (87, 0x4100), (106, 0x7003), (118, 0)):
        data[2 * word : 2 * word + 2] = value.to_bytes(2, "little")
    data[234:236] = b"\x04\x01"  # word 117
    data[206:208] = b"\x00\x00"  # word 103
    drive = decode_identify_device(data)
    assert drive.capacity.lba28_sectors == little(data, 120, 123)
    assert drive.capacity.lba48_sectors == little(data, 200, 207)
    assert drive.capacity.extended_sectors == little(data, 460, 467)
    assert (drive.capacity.logical_sector_bytes, drive.capacity.physical_sector_bytes) == (520, 520 * 8)
    assert (drive.general_configuration, drive.rotation) == (little(data, 0, 1), little(data, 434, 435))
    assert (drive.major_versions, drive.sata_capabilities) == (little(data, 160, 161), little(data, 152, 153))
    assert drive.world_wide_name == bytes(data[at ^ 1] for at in range(216, 224)).hex()
    assert drive.world_wide_name == drive.world_wide_name_words
    assert [drive.word(at) for at in range(256)] == [little(data, 2 * at, 2 * at + 1) for at in range(256)]


STRINGS = [("serial", 20, 39), ("firmware", 46, 53), ("model", 54, 93)]


@pytest.mark.parametrize(("field", "first", "last"), STRINGS)
def test_identify_device_strings_end_where_the_next_field_begins(field: str, first: int, last: int) -> None:
    data = bytearray(b"#" * 512)
    data[first : last + 1] = b"T" * (last - first + 1)
    assert getattr(decode_identify_device(data), field) == "T" * (last - first + 1)


INQUIRY = [
    ("peripheral_qualifier", 0, 5, 3),
    ("device_type", 0, 0, 5),
    ("removable", 1, 7, 1),
    ("version", 2, 0, 8),
    ("response_format", 3, 0, 4),
    ("additional_length", 4, 0, 8),
    ("protection", 5, 0, 1),
    ("target_port_groups", 5, 4, 2),
    ("enclosure_services", 6, 6, 1),
    ("multiport", 6, 4, 1),
    ("command_queuing", 7, 1, 1),
]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("field", "byte", "bit", "width"), INQUIRY)
def test_inquiry(field: str, byte: int, bit: int, width: int, seed: int) -> None:
    data = noise(96, seed)
    assert getattr(decode_inquiry(data), field) == data[byte] // 2**bit % 2**width


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("code", [0x70, 0x71, 0xF0, 0xF1])
def test_fixed_sense_data(code: int, seed: int) -> None:
    data = bytes([code]) + noise(6, seed) + bytes([200 + seed]) + noise(300, seed + 100)
    sense = decode_sense(data)
    assert (sense.response_code, sense.information_valid) == (code % 128, code >= 128)
    assert (sense.key, sense.additional_length) == (data[2] % 16, data[7])
    assert (sense.information, sense.command_specific) == (data[3:7], data[8:12])
    assert (sense.asc, sense.ascq, sense.field_replaceable_unit) == (data[12], data[13], data[14])
    assert sense.key_specific == (data[15:18] if data[15] >= 128 else None)


@pytest.mark.parametrize("seed", SEEDS)
def test_descriptor_sense_data(seed: int) -> None:
    data = b"\x72" + noise(6, seed) + bytes([200 + seed]) + noise(300, seed + 100)
    sense = decode_sense(data)
    assert (sense.key, sense.asc, sense.ascq) == (data[1] % 16, data[2], data[3])
    assert sense.additional_length == data[7]
    assert b"".join(bytes([d.kind, d.length]) + d.body for d in sense.descriptors) in data[8 : 8 + data[7]]


@pytest.mark.parametrize("seed", SEEDS)
def test_descriptors_that_are_longer_than_today_are_read_at_the_same_places(seed: int) -> None:
    data = noise(64, seed)
    body = bytes([0x00, 20]) + data[:20] + bytes([0x01, 20]) + data[20:40] + bytes([0x02, 9]) + data[40:49]
    body += bytes([0x03, 5]) + data[49:54]
    sense = decode_sense(bytes([0x72, 3, 0, 0, 0, 0, 0, len(body)]) + body)
    assert (sense.information, sense.information_valid) == (data[2:10], data[0] >= 128)
    assert (sense.command_specific, sense.field_replaceable_unit) == (data[22:30], data[50])
    assert sense.key_specific == (data[42:45] if data[42] >= 128 else None)


@pytest.mark.parametrize("seed", SEEDS)
def test_vpd_pages_of_bits(seed: int) -> None:
    data = b"\x00\xb1\x00\x3c" + noise(60, seed)
    block = decode_block_device_characteristics(data)
    assert block.rotation == data[4] * 256 + data[5]
    assert (block.read_after_block_erase, block.read_after_crypto_erase) == (data[7] // 64, data[7] // 16 % 4)
    assert (block.form_factor, block.zoned) == (data[7] % 16, data[8] // 16 % 4)
    data = b"\x00\xb2\x00\x04" + noise(4, seed)
    provisioning = decode_logical_block_provisioning(data)
    assert (provisioning.threshold_exponent, provisioning.provisioning_type) == (data[4], data[6] % 8)
    flags = (provisioning.unmap, provisioning.write_same_16, provisioning.write_same_10)
    assert flags == tuple(data[5] // 2**at % 2 == 1 for at in (7, 6, 5))
    assert (provisioning.read_zeros, provisioning.anchor) == (data[5] // 4 % 8, data[5] // 2 % 2 == 1)
    assert provisioning.descriptor_present is (data[5] % 2 == 1)


@pytest.mark.parametrize(("field", "first", "last"), [("vendor", 8, 15), ("product", 16, 31), ("revision", 32, 35)])
def test_inquiry_texts_end_where_the_next_field_begins(field: str, first: int, last: int) -> None:
    data = bytearray(b"#" * 96)
    data[first : last + 1] = b"T" * (last - first + 1)
    assert getattr(decode_inquiry(data), field) == "T" * (last - first + 1)
    assert getattr(decode_inquiry(data[: last + 1]), field) == "T" * (last - first + 1)


def test_sense_keys_have_their_numbers() -> None:
    names = ("NO_SENSE", "RECOVERED_ERROR", "NOT_READY", "MEDIUM_ERROR", "ILLEGAL_REQUEST", "UNIT_ATTENTION")
    for name in (*names, "ABORTED_COMMAND"):
        assert KEY_NAMES[getattr(sense_module, name)] == name.replace("_", " ")
    assert len(KEY_NAMES) == 16
