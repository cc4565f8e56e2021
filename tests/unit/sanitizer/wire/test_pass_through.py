"""The three layouts, as libata and SAT write them; put together by hand."""

from __future__ import annotations

import pytest

from sanitizer.wire import (
    AtaRegisters,
    MalformedReply,
    RegisterLayout,
    SanitizeAbortReason,
    decode_pass_through_answer,
    decode_sanitize_status,
    decode_sense,
    registers_in,
)

from .hand_made import ata_return, descriptor_sense, fixed_sense


def in_descriptor(*, error: int = 0, status: int = 0x50, count: int = 0, lba: int = 0, extend: bool = True) -> bytes:
    body = ata_return(error=error, status=status, count=count, lba=lba, extend=extend)
    return descriptor_sense(1, 0x00, 0x1D, body)


def _flags(count: int, lba: int, *, extend: bool) -> int:
    return 0x80 * extend | (0x40 if count >> 8 else 0) | (0x20 if lba >> 24 else 0)


def in_fixed(*, error: int = 0, status: int = 0x50, count: int = 0, lba: int = 0, extend: bool = True) -> bytes:
    registers = bytes([error, status, 0x40, count & 0xFF])
    tail = bytes([_flags(count, lba, extend=extend)]) + (lba & 0xFFFFFF).to_bytes(3, "little")
    return fixed_sense(0xB, 0x00, 0x00, {0: b"\xf0", 3: registers, 8: tail}, length=96)


def in_old_linux(*, error: int = 0, status: int = 0x50, count: int = 0, lba: int = 0, extend: bool = True) -> bytes:
    registers = bytes([error, status, 0x40, count & 0xFF])
    tail = bytes([_flags(count, lba, extend=extend)]) + (lba & 0xFFFFFF).to_bytes(3, "little")
    return fixed_sense(0xB, 0x04, 0x00, {8: registers, 16: tail}, length=96)


FIXED = [(in_fixed, RegisterLayout.FIXED), (in_old_linux, RegisterLayout.FIXED_OLD_LINUX)]
ALL = [(in_descriptor, RegisterLayout.DESCRIPTOR), *FIXED]


@pytest.mark.parametrize(("made", "layout"), ALL)
@pytest.mark.parametrize("status", [0x50, 0x51, 0x41, 0x71, 0x20, 0x58])
def test_the_same_registers_come_out_of_every_layout(made: object, layout: RegisterLayout, status: int) -> None:
    assert callable(made)
    found = decode_pass_through_answer(made(error=0x04, status=status, count=0x0021, lba=0x00CCBBAA))
    assert found == AtaRegisters(
        layout=layout,
        extend=True,
        error=0x04,
        status=status,
        device=0x40,
        count_low=0x21,
        count_high=0,
        lba_low=0xCCBBAA,
        lba_high=0,
    )
    assert (found.count, found.lba) == (0x21, 0xCCBBAA)


def test_the_descriptor_keeps_every_bit_in_its_place() -> None:
    found = decode_pass_through_answer(in_descriptor(count=0x8421, lba=0x665544332211))
    assert (found.count, found.lba) == (0x8421, 0x665544332211)


@pytest.mark.parametrize(("made", "layout"), FIXED)
def test_upper_halves_that_fixed_format_drops_are_unknown(made: object, layout: RegisterLayout) -> None:
    assert callable(made)
    found = decode_pass_through_answer(made(count=0x8421, lba=0x665544332211))
    assert (found.layout, found.count_low, found.lba_low) == (layout, 0x21, 0x332211)
    assert (found.count_high, found.lba_high, found.count, found.lba) == (None, None, None, None)


@pytest.mark.parametrize(("made", "layout"), ALL)
def test_28_bit_commands_have_no_upper_halves(made: object, layout: RegisterLayout) -> None:
    assert callable(made)
    found = decode_pass_through_answer(made(count=1, lba=2, extend=False))
    assert (found.layout, found.extend, found.count_high, found.lba_high) == (layout, False, None, None)


def test_the_old_layout_is_read_beyond_the_additional_length() -> None:
    sense = in_old_linux(lba=0x332211)
    assert sense[7] == 10
    assert decode_pass_through_answer(sense).lba_low == 0x332211
    assert decode_pass_through_answer(sense[:18]).lba_low is None


def test_a_status_in_the_information_field_wins_over_bytes_that_look_old() -> None:
    """In SAT's layout byte 9 is LBA 7:0, which may look like a STATUS."""
    found = decode_pass_through_answer(in_fixed(lba=0x000050))
    assert (found.layout, found.lba) == (RegisterLayout.FIXED, 0x50)


def test_adapters_that_forget_the_valid_bit_are_read() -> None:
    sense = bytearray(in_fixed(count=5))
    sense[0] = 0x70
    assert decode_pass_through_answer(sense).count == 5


NO_REGISTERS = [
    fixed_sense(5, 0x20, 0x00),  # the command never reached the drive
    fixed_sense(5, 0x20, 0x00)[:8],
    descriptor_sense(5, 0x20, 0x00),
    descriptor_sense(1, 0x00, 0x1D, ata_return()[:10]),  # cut off
    in_descriptor(status=0x00),  # no drive ever answered
    in_descriptor(status=0xFF),
    in_descriptor(status=0x80),  # still busy
    in_fixed(status=0xFF),
    in_old_linux(status=0xFF),
    fixed_sense(3, 0x11, 0x00, {0: b"\xf0", 3: b"\x00\x00\x10\x00"}),  # a block address is no register set
]


@pytest.mark.parametrize("sense", NO_REGISTERS)
def test_what_holds_no_registers_is_malformed_and_never_guessed(sense: bytes) -> None:
    assert registers_in(decode_sense(sense)) is None
    with pytest.raises(MalformedReply):
        decode_pass_through_answer(sense)


@pytest.mark.parametrize(
    ("status", "error", "failed", "aborted"),
    [
        (0x50, 0x00, False, False),
        (0x51, 0x04, True, True),
        (0x51, 0x40, True, False),
        (0x70, 0x00, True, False),
        (0x50, 0x04, False, False),  # ERROR holds nothing while ERR is clear
        (0x58, 0x00, True, False),
    ],
)
def test_failure_is_read_from_the_status(status: int, error: int, failed: bool, aborted: bool) -> None:
    found = decode_pass_through_answer(in_descriptor(status=status, error=error))
    assert (found.failed, found.aborted) == (failed, aborted)


STATES = [
    # COUNT, then completed, in progress, frozen, antifreeze
    (0x0000, (False, False, False, False)),
    (0x8000, (True, False, False, False)),
    (0x4000, (False, True, False, False)),
    (0x2000, (False, False, True, False)),
    (0x1000, (False, False, False, True)),
    (0xA000, (True, False, True, False)),
]


@pytest.mark.parametrize(("count", "states"), STATES)
def test_sanitize_states_are_separate_bits_of_count(count: int, states: tuple[bool, ...]) -> None:
    found = decode_sanitize_status(decode_pass_through_answer(in_descriptor(count=count, lba=0xFFFF)))
    assert (found.completed_without_error, found.in_progress, found.frozen, found.antifreeze) == states


def test_progress_is_given_only_while_in_progress() -> None:
    running = decode_sanitize_status(decode_pass_through_answer(in_descriptor(count=0x4000, lba=0x12348000)))
    ended = decode_sanitize_status(decode_pass_through_answer(in_descriptor(count=0x8000, lba=0xFFFF)))
    assert (running.progress, ended.progress) == (0x8000, None)


@pytest.mark.parametrize(("made", "layout"), FIXED)
def test_sanitize_states_lost_in_fixed_format_are_unknown_not_no(made: object, layout: RegisterLayout) -> None:
    assert callable(made)
    lost = decode_sanitize_status(decode_pass_through_answer(made(count=0x4000, lba=0x8000)))
    assert {lost.completed_without_error, lost.in_progress, lost.frozen, lost.antifreeze, lost.progress} == {None}
    none_set = decode_sanitize_status(decode_pass_through_answer(made(count=0, lba=0)))
    assert none_set.registers.layout is layout
    assert (none_set.completed_without_error, none_set.in_progress) == (False, False)


def test_an_answer_without_48_bit_registers_says_nothing_of_sanitize() -> None:
    found = decode_sanitize_status(decode_pass_through_answer(in_descriptor(count=0x21, extend=False)))
    assert found.completed_without_error is None


@pytest.mark.parametrize("reason", list(SanitizeAbortReason))
def test_an_abort_gives_its_reason_and_no_states(reason: SanitizeAbortReason) -> None:
    answer = in_descriptor(status=0x51, error=0x04, count=0x8000, lba=reason)
    found = decode_sanitize_status(decode_pass_through_answer(answer))
    assert (found.aborted, found.reason) == (True, reason)
    assert {found.completed_without_error, found.in_progress, found.frozen} == {None}


def test_an_unlisted_reason_is_none_and_success_has_none() -> None:
    aborted = decode_pass_through_answer(in_descriptor(status=0x51, error=0x04, lba=0x77))
    assert decode_sanitize_status(aborted).reason is None
    assert decode_sanitize_status(decode_pass_through_answer(in_descriptor(lba=3))).reason is None
