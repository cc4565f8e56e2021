"""An answer is carried out, refused, or nobody knows; which of the three decides what a run may believe."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanitizer.transport.commands import ScsiAnswer
from sanitizer.wire.scsi_answers import ata_outcome, code_words, scsi_outcome, sense_of

from . import hand_made as made


def answer(sense: bytes = b"", *, status: int | None = None, data: bytes = b"") -> ScsiAnswer:
    return ScsiAnswer(
        status=(0x02 if sense else 0x00) if status is None else status,
        host_status=0,
        driver_status=0x08 if sense else 0,
        sense=sense,
        data=data,
        duration_ms=1,
    )


SUCCESS = made.descriptor_sense(1, 0x00, 0x1D, made.ata_return(count=0x8000))
ABORTED = made.descriptor_sense(0xB, 0x00, 0x00, made.ata_return(error=4, status=0x51))
MODERN_FIXED = made.fixed_sense(1, 0x00, 0x1D, {3: bytes((0x00, 0x50, 0x40, 0x00)), 8: b"\x80"})
OLD_FIXED_ABORT = made.fixed_sense(0xB, 0x00, 0x00, {8: bytes((0x04, 0x51, 0x40, 0x00))})


@pytest.mark.parametrize("sense", [SUCCESS, MODERN_FIXED], ids=["descriptor", "fixed"])
def test_a_check_condition_that_brings_registers_without_error_is_success(sense: bytes) -> None:
    assert ata_outcome(answer(sense), registers_wanted=True).accepted is True


@pytest.mark.parametrize("sense", [ABORTED, OLD_FIXED_ABORT], ids=["descriptor", "old-fixed"])
def test_an_error_in_the_registers_is_a_no(sense: bytes) -> None:
    assert ata_outcome(answer(sense), registers_wanted=True).accepted is False


def test_an_error_in_the_registers_is_a_no_although_the_status_is_announced_as_information() -> None:
    lying = made.descriptor_sense(1, 0x00, 0x1D, made.ata_return(error=4, status=0x51))
    assert ata_outcome(answer(lying), registers_wanted=True).accepted is False


def test_good_without_the_registers_that_were_asked_for_proves_nothing() -> None:
    assert ata_outcome(answer(), registers_wanted=True).accepted is None
    assert ata_outcome(answer(), registers_wanted=False).accepted is True


def test_registers_that_are_announced_and_missing_prove_nothing() -> None:
    assert ata_outcome(answer(made.fixed_sense(1, 0x00, 0x1D)), registers_wanted=True).accepted is None


def test_a_reset_leaves_open_what_became_of_the_command() -> None:
    reset = answer(made.fixed_sense(6, 0x29, 0x00))
    for found in (ata_outcome(reset, registers_wanted=True), scsi_outcome(reset)):
        assert found.accepted is None
        assert found.host_reset


def test_sense_data_of_an_earlier_command_says_nothing_of_this_one() -> None:
    deferred = bytes([0x71]) + made.fixed_sense(5, 0x20, 0x00)[1:]
    assert scsi_outcome(answer(deferred)).accepted is None
    assert ata_outcome(answer(deferred), registers_wanted=True).accepted is None


@pytest.mark.parametrize(
    ("sense", "accepted"),
    [
        (made.fixed_sense(5, 0x20, 0x00), False),
        (made.fixed_sense(2, 0x04, 0x1B), False),
        (made.fixed_sense(3, 0x31, 0x03), False),
        (made.fixed_sense(7, 0x27, 0x00), False),
        (made.fixed_sense(1, 0x17, 0x00), True),
        (made.fixed_sense(0xA, 0x00, 0x00), None),
        (b"\x7f\x00", None),
    ],
)
def test_the_sense_key_says_whether_a_scsi_command_was_refused(sense: bytes, accepted: bool | None) -> None:
    assert scsi_outcome(answer(sense)).accepted is accepted


@pytest.mark.parametrize(
    ("status", "accepted"), [(0x08, False), (0x18, False), (0x28, False), (0x40, None), (0x30, None)]
)
def test_a_status_without_sense_is_a_no_only_where_nothing_was_begun(status: int, accepted: bool | None) -> None:
    assert scsi_outcome(answer(status=status)).accepted is accepted
    assert ata_outcome(answer(status=status), registers_wanted=True).accepted is accepted


def test_an_unknown_command_is_told_from_one_that_failed() -> None:
    assert scsi_outcome(answer(made.fixed_sense(5, 0x20, 0x00))).unsupported
    assert not scsi_outcome(answer(made.fixed_sense(3, 0x11, 0x00))).unsupported


def test_codes_are_written_as_people_write_them() -> None:
    assert code_words(sense_of(answer(made.fixed_sense(5, 0x20, 0x00)))) == "5/20/00 (illegal request)"
    assert code_words(None) == "no sense data"


@settings(max_examples=200, deadline=None)
@given(sense=st.binary(max_size=64), status=st.integers(0, 255), wanted=st.booleans())
def test_no_answer_makes_the_judges_fall(sense: bytes, status: int, wanted: bool) -> None:
    found = ata_outcome(answer(sense, status=status), registers_wanted=wanted)
    assert found.accepted in {True, False, None}
    assert scsi_outcome(answer(sense, status=status)).accepted in {True, False, None}
    if found.accepted and wanted:
        assert found.registers is not None
        assert not found.registers.failed
