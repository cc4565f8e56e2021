"""The emulated SCSI disk: sanitize and format, sense data, capacity, what it says of itself."""

from __future__ import annotations

import struct

import pytest

from .faults import BusReset, Faults, NoAnswer
from .medium import Medium
from .scsi import ScsiDisk
from .scsi_pages import ScsiModel

SECRET = b"SECRET-CRM-ROW42"
BLOCKS = 4096
IMMEDIATE = 0x80


def disk(model: ScsiModel | None = None, *, block_bytes: int = 512, **faults: object) -> ScsiDisk:
    medium = Medium(BLOCKS, block_bytes=block_bytes, faults=Faults(**faults))  # type: ignore[arg-type]  # field names
    medium.fill(SECRET)
    made = ScsiDisk(medium, model=model)
    made.attention = None
    return made


def cdb(opcode: int, length: int, **fields: int) -> bytes:
    raw = bytearray(length)
    raw[0] = opcode
    for name, value in fields.items():
        raw[int(name[1:])] = value
    return bytes(raw)


def sent(made: ScsiDisk, raw: bytes, data: bytes = b"") -> tuple[int, int, int]:
    """Key, code and qualifier of what came back; (0, 0, 0) is good."""
    _, sense, _ = made.command(raw, data)
    return (sense[2], sense[12], sense[13]) if sense else (0, 0, 0)


def got(made: ScsiDisk, raw: bytes, data: bytes = b"") -> bytes:
    status, sense, answer = made.command(raw, data)
    assert (status, sense) == (0, b"")
    return answer


def sanitize(made: ScsiDisk, action: int, *, flags: int = IMMEDIATE, data: bytes = b"") -> tuple[int, int, int]:
    return sent(made, cdb(0x48, 10, b1=flags | action, b7=len(data) >> 8, b8=len(data) & 0xFF), data)


def overwriting(pattern: bytes, passes: int = 1, *, inverts: bool = False) -> bytes:
    return struct.pack(">BBH", (0x80 if inverts else 0) | passes, 0, len(pattern)) + pattern


READY = cdb(0x00, 6)
REQUEST_SENSE = cdb(0x03, 6, b4=252)


def test_blocks_are_written_and_read_in_all_widths() -> None:
    made = disk()
    got(made, cdb(0x0A, 6, b3=5, b4=1), b"A" * 512)
    got(made, cdb(0x2A, 10, b5=6, b8=1), b"B" * 512)
    got(made, cdb(0x8A, 16, b9=7, b13=1), b"C" * 512)
    expected = b"A" * 512 + b"B" * 512 + b"C" * 512
    assert got(made, cdb(0x08, 6, b3=5, b4=3)) == expected
    assert got(made, cdb(0x28, 10, b5=5, b8=3)) == expected
    assert got(made, cdb(0x88, 16, b9=5, b13=3)) == expected


def test_blocks_beyond_the_end_are_out_of_range() -> None:
    assert sent(disk(), cdb(0x28, 10, b4=0x10, b8=1)) == (5, 0x21, 0)


def test_medium_errors_carry_the_block() -> None:
    made = disk(bad_reads=((7, 1),), bad_writes=((9, 1),))
    _, sense, _ = made.command(cdb(0x28, 10, b5=4, b8=8), b"")
    assert (sense[0], sense[2], sense[12], sense[3:7]) == (0xF0, 3, 0x11, b"\0\0\0\x07")
    assert sent(made, cdb(0x2A, 10, b5=9, b8=1), b"A" * 512) == (3, 0x0C, 2)


@pytest.mark.parametrize("block_bytes", [512, 520, 4096])
def test_capacity_is_the_last_block_and_its_size(block_bytes: int) -> None:
    made = disk(block_bytes=block_bytes)
    assert got(made, cdb(0x25, 10)) == struct.pack(">II", BLOCKS - 1, block_bytes)
    assert got(made, cdb(0x9E, 16, b1=0x10, b13=32))[:12] == struct.pack(">QI", BLOCKS - 1, block_bytes)
    assert len(got(made, cdb(0x28, 10, b8=2))) == 2 * block_bytes


def test_unknown_commands_and_unknown_service_actions_are_told_apart() -> None:
    made = disk(ScsiModel(sanitize=frozenset({"block"})))
    assert sent(made, cdb(0xC0, 10)) == (5, 0x20, 0)
    assert sanitize(made, 1, data=overwriting(b"A")) == (5, 0x24, 0)


# Sanitize


def test_an_immediate_sanitize_answers_at_once_and_tells_its_progress() -> None:
    made = disk(seconds=100)
    assert sanitize(made, 2) == (0, 0, 0)
    made.medium.clock.sleep(25)
    fixed = got(made, REQUEST_SENSE)
    assert (fixed[0], fixed[2], fixed[12], fixed[13], fixed[15:18]) == (0x70, 2, 4, 0x1B, b"\x80\x40\x00")
    described = got(made, cdb(0x03, 6, b1=1, b4=252))
    assert described[:4] == b"\x72\x02\x04\x1b"
    assert described[8:16] == b"\x02\x06\0\0\x80\x40\0\0"
    assert sent(made, READY) == (2, 4, 0x1B)
    assert sent(made, cdb(0x28, 10, b8=1)) == (2, 4, 0x1B)
    made.medium.clock.sleep(75)
    assert got(made, REQUEST_SENSE)[2] == 0
    assert sent(made, READY) == (0, 0, 0)
    assert made.medium.remains(SECRET) == ([], [])


def test_a_sanitize_that_is_not_immediate_answers_at_its_end() -> None:
    made = disk(seconds=7200)
    assert sanitize(made, 3, flags=0) == (0, 0, 0)
    assert made.medium.clock.now() == 7200
    assert made.medium.remains(SECRET) == ([], [])


def test_a_stalling_sanitize_that_is_not_immediate_never_answers() -> None:
    made = disk(seconds=10, stall_at=0.1)
    with pytest.raises(NoAnswer):
        sanitize(made, 2, flags=0)


@pytest.mark.parametrize(
    ("passes", "inverts", "last"), [(1, False, b"abc"), (2, True, b"\x9e\x9d\x9c"), (3, True, b"abc")]
)
def test_overwrite_ends_with_the_pattern_or_its_inverse(passes: int, inverts: bool, last: bytes) -> None:
    made = disk()
    assert sanitize(made, 1, data=overwriting(b"abc", passes, inverts=inverts)) == (0, 0, 0)
    assert sent(made, READY) == (0, 0, 0)
    assert made.medium.read(7, 1) == (last * 171)[:512]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", 0x24),
        (overwriting(b"abc", 0), 0x26),
        (overwriting(b"abc") + b"x", 0),
        (struct.pack(">BBH", 1, 0, 0) + b"x", 0x26),
        (struct.pack(">BBH", 1, 0, 513) + b"x" * 513, 0x26),
    ],
)
def test_the_overwrite_list_is_checked(data: bytes, code: int) -> None:
    made = disk()
    assert sanitize(made, 1, data=data)[1] == code
    assert made.medium.erasure.begun == (0 if code else 1)


def test_block_erase_with_a_parameter_list_is_refused() -> None:
    assert sanitize(disk(), 2, data=b"xxxx") == (5, 0x24, 0)


@pytest.mark.parametrize("action", [2, 3])
def test_a_failed_sanitize_says_so_to_everything_but_questions(action: int) -> None:
    made = disk(fail_at=0.5)
    sanitize(made, action)
    assert sent(made, READY) == (3, 0x31, 3)
    assert sent(made, cdb(0x28, 10, b8=1)) == (3, 0x31, 3)
    assert got(made, REQUEST_SENSE)[2] == 3
    assert got(made, cdb(0x12, 6, b4=96))


def test_a_failed_sanitize_that_is_not_immediate_answers_with_the_failure() -> None:
    assert sanitize(disk(fail_at=0.5), 2, flags=0) == (3, 0x31, 3)


def test_a_restricted_failure_is_left_by_a_restricted_sanitize_only() -> None:
    made = disk(fail_at=0.5)
    sanitize(made, 2)
    assert sanitize(made, 0x1F) == (5, 0x24, 0)
    assert sanitize(made, 2, flags=IMMEDIATE | 0x20) == (5, 0x24, 0)
    made.medium.faults.fail_at = None
    assert sanitize(made, 2) == (0, 0, 0)
    assert sent(made, READY) == (0, 0, 0)


def test_an_unrestricted_failure_is_exited_and_brings_the_data_back() -> None:
    made = disk(fail_at=0.5)
    sanitize(made, 2, flags=IMMEDIATE | 0x20)
    assert sanitize(made, 0x1F) == (0, 0, 0)
    assert got(made, cdb(0x28, 10, b4=0x0F, b8=1)).startswith(SECRET)


def test_sanitize_goes_on_after_a_power_cut() -> None:
    made = disk(seconds=100)
    sanitize(made, 2)
    made.medium.clock.sleep(50)
    made.power_cut()
    made.medium.clock.sleep(10_000)
    made.power_on()
    assert sent(made, READY) == (6, 0x29, 1)
    assert sent(made, READY) == (2, 4, 0x1B)
    made.medium.clock.sleep(51)
    assert sent(made, READY) == (0, 0, 0)


def test_reads_after_block_erase_fail_until_written_where_the_page_says_so() -> None:
    made = disk(ScsiModel(write_after_block_erase=3, write_after_crypto_erase=1))
    assert got(made, cdb(0x12, 6, b1=1, b2=0xB1, b4=64))[7] >> 4 == 0b1101
    sanitize(made, 2)
    assert sent(made, cdb(0x28, 10, b8=1)) == (3, 0x11, 0x15)
    got(made, cdb(0x2A, 10, b8=1), b"A" * 512)
    assert got(made, cdb(0x28, 10, b8=1)) == b"A" * 512
    sanitize(made, 3)
    assert sent(made, cdb(0x28, 10, b8=1)) == (0, 0, 0)


@pytest.mark.parametrize(("fate", "begun"), [("lost", 0), ("carried-on", 1)])
def test_a_bus_reset_in_the_middle_leaves_a_unit_attention(fate: str, begun: int) -> None:
    made = disk(reset=fate)
    with pytest.raises(BusReset):
        sanitize(made, 2)
    assert made.medium.erasure.begun == begun
    assert sent(made, READY) == (6, 0x29, 2)
    assert sanitize(made, 2) == (0, 0, 0)


@pytest.mark.parametrize(("during", "expected"), [("kept", BLOCKS - 1), ("zero", 0)])
def test_capacity_during_a_sanitize(during: str, expected: int) -> None:
    made = disk(seconds=10, capacity_during=during)
    sanitize(made, 2)
    assert struct.unpack(">I", got(made, cdb(0x25, 10))[:4]) == (expected,)


def test_capacity_can_be_refused_during_a_sanitize() -> None:
    made = disk(seconds=10, capacity_during="refused")
    sanitize(made, 2)
    assert sent(made, cdb(0x25, 10)) == (2, 4, 0x1B)


def test_a_write_protected_disk_takes_no_writes_and_no_sanitize() -> None:
    made = disk(write_protected=True)
    assert sent(made, cdb(0x2A, 10, b8=1), b"A" * 512) == (7, 0x27, 0)
    assert sanitize(made, 2) == (7, 0x27, 0)
    assert got(made, cdb(0x1A, 6, b2=0x3F, b4=255))[2] & 0x80


# Format


def formatted(made: ScsiDisk, *, immediate: bool = False, fast: int = 0) -> tuple[int, int, int]:
    return sent(made, cdb(0x04, 6, b1=0x10, b4=fast), bytes((0, 2 if immediate else 0, 0, 0)))


@pytest.mark.parametrize(
    ("kind", "fast", "blocks", "spare"),
    [("honest", 0, 0, False), ("honest", 1, 0, True), ("fast", 0, 0, True), ("nothing", 0, BLOCKS, False)],
)
def test_format_answers_good_and_leaves(kind: str, fast: int, blocks: int, spare: bool) -> None:
    made = disk(ScsiModel(format=kind))
    made.medium.spare.clear()
    assert formatted(made, fast=fast) == (0, 0, 0)
    left, stale = made.medium.remains(SECRET)
    assert (len(left), bool(stale)) == (blocks, spare)


def test_an_immediate_format_tells_its_progress_and_does_not_survive_a_power_cut() -> None:
    made = disk(seconds=100)
    assert formatted(made, immediate=True) == (0, 0, 0)
    made.medium.clock.sleep(50)
    assert sent(made, READY) == (2, 4, 4)
    made.power_cut()
    made.power_on()
    assert sent(made, READY) == (6, 0x29, 1)
    assert sent(made, READY) == (3, 0x31, 0)
    made.medium.faults.seconds = 0
    assert formatted(made) == (0, 0, 0)
    assert sent(made, READY) == (0, 0, 0)


def test_a_format_that_fails_says_so() -> None:
    assert formatted(disk(fail_at=0.5)) == (3, 0x31, 1)


def test_a_format_does_not_reach_beyond_the_block_descriptor() -> None:
    made = disk()
    made.hide(96)
    formatted(made)
    assert len(made.medium.remains(SECRET)[0]) == 96


# Capacity by block descriptor


def test_a_short_stroked_disk_gives_all_it_has_when_asked() -> None:
    made = disk()
    made.hide(1000)
    assert struct.unpack(">I", got(made, cdb(0x25, 10))[:4]) == (BLOCKS - 1001,)
    assert got(made, cdb(0x5A, 10, b2=0x0A, b8=255))[8:16] == struct.pack(">II", BLOCKS - 1000, 512)
    assert got(made, cdb(0x5A, 10, b2=0x8A, b8=255))[8:16] == struct.pack(">II", BLOCKS, 512)
    everything = struct.pack(">II", 0xFFFFFFFF, 512)
    got(made, cdb(0x55, 10, b1=0x10, b8=16), bytes(7) + b"\x08" + everything)
    assert struct.unpack(">I", got(made, cdb(0x25, 10))[:4]) == (BLOCKS - 1,)


def test_a_long_block_descriptor_does_the_same() -> None:
    made = disk()
    made.hide(1000)
    everything = b"\xff" * 8 + bytes(4) + struct.pack(">I", 512)
    got(made, cdb(0x55, 10, b8=24), bytes(4) + b"\x01\0\0\x10" + everything)
    assert made.blocks == BLOCKS
    assert got(made, cdb(0x5A, 10, b1=0x10, b2=0x0A, b8=255))[8:16] == struct.pack(">Q", BLOCKS)


@pytest.mark.parametrize("descriptor", [struct.pack(">II", BLOCKS + 1, 512), struct.pack(">II", 0, 4096)])
def test_a_block_descriptor_the_disk_cannot_do_is_refused(descriptor: bytes) -> None:
    made = disk()
    assert sent(made, cdb(0x55, 10, b8=16), bytes(7) + b"\x08" + descriptor) == (5, 0x26, 0)


def test_mode_select_changes_the_sense_format() -> None:
    made = disk()
    got(made, cdb(0x15, 6, b1=0x10, b4=16), bytes(4) + bytes((0x0A, 10, 4)) + bytes(9))
    _, sense, _ = made.command(cdb(0xC0, 10), b"")
    assert sense[:4] == b"\x72\x05\x20\0"


# What it says of itself


def test_the_supported_pages_are_all_there() -> None:
    made = disk()
    pages = got(made, cdb(0x12, 6, b1=1, b2=0, b4=255))[4:]
    assert pages == bytes((0x00, 0x80, 0x83, 0xB0, 0xB1, 0xB2))
    for number in pages:
        page = got(made, cdb(0x12, 6, b1=1, b2=number, b4=255))
        assert page[1] == number
        assert struct.unpack(">H", page[2:4]) == (len(page) - 4,)
    assert sent(made, cdb(0x12, 6, b1=1, b2=0xC0, b4=255)) == (5, 0x24, 0)


def report(made: ScsiDisk, option: int, opcode: int = 0, action: int = 0) -> bytes:
    return got(made, cdb(0xA3, 12, b1=0x0C, b2=option, b3=opcode, b5=action, b8=16))


def test_supported_commands_are_reported_with_and_without_timeouts() -> None:
    made = disk(ScsiModel(sanitize=frozenset({"block"})))
    assert report(made, 2, 0x48, 2)[:6] == b"\x00\x03\x00\x0a\x48\xe2"
    assert report(made, 2, 0x48, 3)[:4] == b"\x00\x01\x00\x00"
    timed = report(made, 0x82, 0x48, 2)
    assert timed[1] == 0x83
    assert timed[14:] == struct.pack(">HBBII", 10, 0, 0, 0, 14400)
    everything = report(made, 0)
    assert struct.unpack(">I", everything[:4]) == (len(everything) - 4,)
    assert bytes((0x48, 0, 0, 2, 0, 1, 0, 10)) in everything


def test_asking_without_the_service_action_that_exists_is_an_error() -> None:
    made = disk()
    assert sent(made, cdb(0xA3, 12, b1=0x0C, b2=1, b3=0x48, b9=64)) == (5, 0x24, 0)
    assert sent(made, cdb(0xA3, 12, b1=0x0C, b2=2, b3=0x28, b9=64)) == (5, 0x24, 0)


def test_a_disk_may_not_report_at_all() -> None:
    assert sent(disk(ScsiModel(opcodes=False)), cdb(0xA3, 12, b1=0x0C, b9=64)) == (5, 0x20, 0)


def test_unmap_and_write_same() -> None:
    made = disk()
    made.medium.spare.clear()
    got(made, cdb(0x42, 10, b8=24), struct.pack(">HHI", 22, 16, 0) + struct.pack(">QII", 10, 4, 0))
    assert made.medium.read(10, 4) == bytes(2048)
    assert len(made.medium.remains(SECRET)[1]) == 4
    got(made, cdb(0x93, 16, b9=20, b13=5), b"Z" * 512)
    assert made.medium.read(20, 5) == b"Z" * 2560
    got(made, cdb(0x41, 10), b"Y" * 512)
    assert made.medium.read(BLOCKS - 1, 1) == b"Y" * 512
