from __future__ import annotations

import pytest

from sanitizer.wire import (
    MalformedReply,
    SanitizeOutcome,
    SanitizeState,
    decode_identify_controller,
    decode_identify_namespace,
    decode_sanitize_log,
)
from sanitizer.wire.nvme_sanitize import SanitizeAction

from .hand_made import controller, namespace, sanitize_log


def test_the_controller_is_read_at_its_offsets() -> None:
    found = decode_identify_controller(controller())
    assert (found.vendor_id, found.subsystem_vendor_id, found.ieee_oui) == (0x1234, 0x5678, "123456")
    assert (found.serial, found.model, found.firmware) == ("HANDMADE-NVME-01", "Hand Made NVMe", "1.0")
    assert (found.version_name, found.controller_id, found.namespaces) == ("1.4.0", 5, 2)
    assert (found.total_bytes, found.unallocated_bytes) == (10**12, 0)
    assert found.qualified_name == "nqn.2026-01.example:hand-made"
    assert found.volatile_write_cache


@pytest.mark.parametrize("decode", [decode_identify_controller, decode_identify_namespace])
@pytest.mark.parametrize("length", [0, 512, 4095, 4097])
def test_other_than_4096_bytes_are_refused(decode: object, length: int) -> None:
    assert callable(decode)
    with pytest.raises(MalformedReply, match="4096 bytes"):
        decode(bytes(length))


SANICAP = [
    (0x00000001, "crypto_erase"),
    (0x00000002, "block_erase"),
    (0x00000004, "overwrite"),
    (0x00000008, "verification"),
    (0x00000010, "namespace_verification"),
    (0x20000000, "no_deallocate_inhibited"),
]


@pytest.mark.parametrize(("raw", "field"), SANICAP)
def test_each_sanitize_capability_has_its_bit(raw: int, field: str) -> None:
    found = decode_identify_controller(controller({328: raw.to_bytes(4, "little")})).sanitize
    assert [name for _, name in SANICAP if getattr(found, name)] == [field]
    assert found.any is (raw < 8)


@pytest.mark.parametrize("value", range(4))
def test_what_happens_without_deallocation_is_two_bits(value: int) -> None:
    found = decode_identify_controller(controller({328: (value << 30).to_bytes(4, "little")})).sanitize
    assert (found.no_deallocate_modifies, found.any) == (value, False)


ADMIN = ["security", "format_nvm", "firmware", "namespace_management", "self_test", "directives", "nvme_mi"]
ADMIN += ["virtualization"]


@pytest.mark.parametrize(("bit", "field"), list(enumerate(ADMIN)))
def test_each_optional_admin_command_has_its_bit(bit: int, field: str) -> None:
    found = decode_identify_controller(controller({256: (1 << bit).to_bytes(2, "little")})).admin
    assert [name for name in ADMIN if getattr(found, name)] == [field]


FORMAT = ["format_all_namespaces", "erase_all_namespaces", "crypto_erase", "no_broadcast"]


@pytest.mark.parametrize(("bit", "field"), list(enumerate(FORMAT)))
def test_each_format_attribute_has_its_bit(bit: int, field: str) -> None:
    found = decode_identify_controller(controller({524: bytes([1 << bit])})).format
    assert [name for name in FORMAT if getattr(found, name)] == [field]


@pytest.mark.parametrize(("byte", "facts"), [(0, (False, False)), (1, (True, False)), (2, (False, True))])
def test_sharing_is_read_from_cmic(byte: int, facts: tuple[bool, bool]) -> None:
    found = decode_identify_controller(controller({76: bytes([byte])}))
    assert (found.multi_port, found.multi_controller) == facts


def test_unallocated_capacity_is_unknown_where_the_total_is_not_reported() -> None:
    found = decode_identify_controller(controller({280: bytes(16)}))
    assert (found.total_bytes, found.unallocated_bytes) == (None, None)


def test_capacities_are_128_bits_wide() -> None:
    found = decode_identify_controller(controller({280: b"\0" * 8 + b"\x01", 296: b"\0" * 15 + b"\x80"}))
    assert found.total_bytes == 2**64
    assert found.unallocated_bytes == 2**127


def test_a_controller_older_than_1_2_names_no_version() -> None:
    assert decode_identify_controller(controller({80: bytes(4)})).version_name is None


def test_zeros_are_no_identity() -> None:
    found = decode_identify_controller(bytes(4096))
    assert (found.serial, found.model, found.total_bytes, found.sanitize.any) == (None, None, None, False)


def test_the_namespace_is_read_at_its_offsets() -> None:
    found = decode_identify_namespace(namespace())
    assert (found.size_blocks, found.capacity_blocks, found.used_blocks) == (244190646, 244190646, 1000)
    assert found.block_format is not None
    assert (found.format_index, found.block_format.block_bytes, found.size_bytes) == (1, 4096, 244190646 * 4096)
    assert (found.nguid, found.eui64) == ("00112233445566778899aabbccddeeff", "0011223344556677")
    assert (found.shared, found.write_protected, found.deallocated_reads) == (False, False, 1)


FORMATS = [
    # NLBAF, FLBAS, index, block size
    (0x00, 0x00, 0, 512),
    (0x01, 0x01, 1, 4096),
    (0x01, 0x11, 1, 4096),  # bit 4 is where metadata goes
    (0x01, 0x61, 1, 4096),  # bits 6:5 count only with more than 16 formats
    (0x11, 0x20, 16, None),
    (0x3F, 0x6F, 63, None),
    (0x00, 0x05, 5, None),  # names a format that is not there
    (0xFF, 0x6F, 63, None),  # more formats than there can be
]


@pytest.mark.parametrize(("count", "flbas", "index", "size"), FORMATS)
def test_the_format_in_use_is_found_by_its_split_index(count: int, flbas: int, index: int, size: int | None) -> None:
    found = decode_identify_namespace(namespace({25: bytes([count]), 26: bytes([flbas])}))
    assert found.format_index == index
    assert (found.block_format.block_bytes if found.block_format else None) == size
    assert (found.size_bytes is None) is (size is None)


def test_a_namespace_that_is_not_there_is_answered_with_zeros() -> None:
    found = decode_identify_namespace(bytes(4096))
    assert (found.exists, found.size_blocks, found.nguid, found.eui64) == (False, 0, None, None)


@pytest.mark.parametrize(("byte", "left"), [(0x00, None), (0x64, None), (0x80, 0), (0xE4, 100)])
def test_format_progress_is_none_unless_reported(byte: int, left: int | None) -> None:
    assert decode_identify_namespace(namespace({32: bytes([byte])})).format_percent_left == left


@pytest.mark.parametrize(("offset", "field"), [(24, "thin"), (30, "shared"), (99, "write_protected")])
def test_single_bits_of_a_namespace(offset: int, field: str) -> None:
    names = ("thin", "shared", "write_protected")
    found = decode_identify_namespace(namespace({offset: b"\x01"}))
    assert [name for name in names if getattr(found, name)] == [field]


OUTCOMES = [
    (0x0000, SanitizeOutcome.NEVER, False, 0),
    (0x0100, SanitizeOutcome.NEVER, True, 0),
    (0x0101, SanitizeOutcome.SUCCESS, True, 0),
    (0x0001, SanitizeOutcome.SUCCESS, False, 0),
    (0x0002, SanitizeOutcome.IN_PROGRESS, False, 0),
    (0x0003, SanitizeOutcome.FAILED, False, 0),
    (0x0104, SanitizeOutcome.SUCCESS_DEALLOCATED, True, 0),
    (0x0119, SanitizeOutcome.SUCCESS, True, 3),
    (0x0005, None, False, 0),
    (0x00FF, None, False, 31),
]


@pytest.mark.parametrize(("status", "outcome", "erased", "passes"), OUTCOMES)
def test_the_sanitize_status_is_split_as_the_standard_has_it(
    status: int, outcome: SanitizeOutcome | None, erased: bool, passes: int
) -> None:
    log = decode_sanitize_log(sanitize_log(status))
    assert (log.outcome, log.global_data_erased, log.passes_completed) == (outcome, erased, passes)


def test_progress_is_given_only_while_in_progress() -> None:
    assert decode_sanitize_log(sanitize_log(2, progress=0x4000)).progress == 0x4000
    assert decode_sanitize_log(sanitize_log(1, progress=0x4000)).progress is None
    assert decode_sanitize_log(sanitize_log(5, progress=0x4000)).progress is None


COMMANDS = [
    # CDW10, action, AUSE, passes, OIPBP, NDAS, EMVS
    (0x001, SanitizeAction.EXIT_FAILURE_MODE, False, 16, False, False, False),
    (0x002, SanitizeAction.BLOCK_ERASE, False, 16, False, False, False),
    (0x00A, SanitizeAction.BLOCK_ERASE, True, 16, False, False, False),
    (0x013, SanitizeAction.OVERWRITE, False, 1, False, False, False),
    (0x1F3, SanitizeAction.OVERWRITE, False, 15, True, False, False),
    (0x204, SanitizeAction.CRYPTO_ERASE, False, 16, False, True, False),
    (0x405, SanitizeAction.EXIT_MEDIA_VERIFICATION, False, 16, False, False, True),
    (0x000, None, False, 16, False, False, False),
    (0x007, None, False, 16, False, False, False),
]


@pytest.mark.parametrize(("raw", "action", "ause", "passes", "invert", "ndas", "emvs"), COMMANDS)
def test_the_last_command_is_read_back(
    raw: int, action: SanitizeAction | None, ause: bool, passes: int, invert: bool, ndas: bool, emvs: bool
) -> None:
    found = decode_sanitize_log(sanitize_log(1, command=raw)).command
    assert (found.action, found.allow_unrestricted_exit, found.passes) == (action, ause, passes)
    assert (found.invert_between_passes, found.no_deallocate, found.enter_verification) == (invert, ndas, emvs)


def test_estimates_of_all_ones_are_not_reported() -> None:
    found = decode_sanitize_log(sanitize_log(0)).estimates
    assert (found.overwrite, found.block_erase, found.crypto_erase) == (3600, 60, 2)
    assert {found.overwrite_no_deallocate, found.block_erase_no_deallocate, found.crypto_erase_no_deallocate} == {None}


FAILURES = [
    # SSTAT, byte 36, is the drive in failure mode?
    (0x0003, 0x12, True),
    (0x0003, 0x34, True),
    (0x0003, 0x00, None),  # controllers without media verification always answer 0
    (0x0101, 0x00, False),
    (0x0002, 0x01, False),
    (0x0005, 0x00, None),
    (0x0101, 0x0F, None),
]


@pytest.mark.parametrize(("status", "state", "failed"), FAILURES)
def test_failure_mode_is_unknown_where_the_log_does_not_decide_it(status: int, state: int, failed: bool | None) -> None:
    assert decode_sanitize_log(sanitize_log(status, state=state)).in_failure_mode is failed


@pytest.mark.parametrize("value", range(16))
def test_reserved_states_are_none(value: int) -> None:
    log = decode_sanitize_log(sanitize_log(3, state=value | value << 4))
    expected = SanitizeState(value) if value <= 6 else None
    assert (log.state, log.failed_state) == (expected, expected)


@pytest.mark.parametrize("length", [0, 8, 511, 513])
def test_a_log_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(MalformedReply, match="512 bytes"):
        decode_sanitize_log(bytes(length))
