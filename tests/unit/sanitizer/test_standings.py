"""One reading of the drive's own sanitize status: every state told apart, doubt never turned into an end."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanitizer.capability import SanitizePhase
from sanitizer.errors import CommandTimeout
from sanitizer.standings import ata_standing, ata_standing_in, nvme_standing, nvme_standing_in, scsi_standing
from sanitizer.transport.commands import NvmeAnswer, NvmeCommand, Ports, ScsiAnswer

from .wire import hand_made as made

ENDS = {SanitizePhase.SUCCEEDED, SanitizePhase.NEVER, SanitizePhase.IDLE}


def answered(*, status: int = 0, sense: bytes = b"", data: bytes = b"") -> ScsiAnswer:
    return ScsiAnswer(status=status, host_status=0, driver_status=0, sense=sense, data=data, duration_ms=0)


class Scripted:
    """Answers one after the other, the last for ever."""

    def __init__(self, *answers: ScsiAnswer | Exception) -> None:
        self.answers = list(answers)
        self.asked = 0

    def scsi(self, cdb: bytes, *, timeout_ms: int, read: int = 0, write: bytes = b"") -> ScsiAnswer:  # noqa: ARG002 - a port
        self.asked += 1
        answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


ATTENTION = answered(status=2, sense=made.fixed_sense(6, 0x29, 0x00))


# --- ATA ----------------------------------------------------------------------------------------------------------


def registers(*, error: int = 0, status: int = 0x50, count: int = 0, lba: int = 0) -> ScsiAnswer:
    key = 0xB if error else 1
    left = made.ata_return(error=error, status=status, count=count, lba=lba)
    sense = made.descriptor_sense(key, 0x00, 0x00 if key == 0xB else 0x1D, left)
    return answered(status=2, sense=sense)


@pytest.mark.parametrize(
    ("answer", "phase", "progress"),
    [
        (registers(count=0x0000), SanitizePhase.IDLE, None),
        (registers(count=0x8000), SanitizePhase.SUCCEEDED, None),
        (registers(count=0x4000, lba=0x8000), SanitizePhase.IN_PROGRESS, 0x8000),
        (registers(count=0xC000, lba=1), SanitizePhase.IN_PROGRESS, 1),
        (registers(count=0x2000), SanitizePhase.FROZEN, None),
        (registers(count=0xA000), SanitizePhase.FROZEN, None),
        (registers(error=4, status=0x51, lba=0), SanitizePhase.FAILED, None),
        (registers(error=4, status=0x51, lba=1), SanitizePhase.FAILED, None),
        (registers(error=4, status=0x51, lba=2), SanitizePhase.UNKNOWN, None),
        (registers(error=4, status=0x51, lba=3), SanitizePhase.FROZEN, None),
        (registers(error=4, status=0x51, lba=4), SanitizePhase.UNKNOWN, None),
        (registers(error=4, status=0x51, lba=9), SanitizePhase.UNKNOWN, None),
        (answered(), SanitizePhase.UNKNOWN, None),
        (answered(status=2, sense=made.fixed_sense(5, 0x20, 0x00)), SanitizePhase.UNKNOWN, None),
    ],
)
def test_each_state_of_an_ata_drive(answer: ScsiAnswer, phase: SanitizePhase, progress: int | None) -> None:
    standing = ata_standing(Ports(scsi=Scripted(answer)))
    assert (standing.phase, standing.progress, standing.raw) == (phase, progress, answer.sense)


def test_physical_sectors_that_were_left_are_told() -> None:
    assert ata_standing_in(registers(error=4, status=0x51, lba=1)).unsanitized_remainder
    assert not ata_standing_in(registers(error=4, status=0x51, lba=0)).unsanitized_remainder


def test_registers_whose_upper_half_is_lost_leave_the_state_unknown() -> None:
    flagged = made.fixed_sense(1, 0x00, 0x1D, {3: bytes((0x00, 0x50, 0x40, 0x00)), 8: b"\xc0"})  # COUNT 15:8 not zero
    assert ata_standing_in(answered(status=2, sense=flagged)).phase is SanitizePhase.UNKNOWN


def test_a_unit_attention_is_asked_past_and_not_for_ever() -> None:
    port = Scripted(ATTENTION, ATTENTION, registers(count=0x8000))
    assert ata_standing(Ports(scsi=port)).phase is SanitizePhase.SUCCEEDED
    endless = Scripted(ATTENTION)
    assert ata_standing(Ports(scsi=endless)).phase is SanitizePhase.UNKNOWN
    assert endless.asked < 10


def test_silence_is_raised_so_that_it_can_be_counted() -> None:
    silent = Scripted(CommandTimeout(operation="x", sent=True, timeout_ms=1))
    for ask in (ata_standing, scsi_standing):
        with pytest.raises(CommandTimeout):
            ask(Ports(scsi=silent))


def test_a_device_without_the_interface_is_unknown() -> None:
    for ask in (ata_standing, scsi_standing, nvme_standing):
        assert ask(Ports()).phase is SanitizePhase.UNKNOWN


# --- SCSI ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sense", "phase", "progress"),
    [
        (made.fixed_sense(0, 0x00, 0x00), SanitizePhase.IDLE, None),
        (made.fixed_sense(0, 0x5E, 0x01), SanitizePhase.IDLE, None),
        (made.fixed_sense(2, 0x04, 0x1B, {15: b"\x80\x40\x00"}), SanitizePhase.IN_PROGRESS, 0x4000),
        (made.fixed_sense(2, 0x04, 0x1B), SanitizePhase.IN_PROGRESS, None),
        (made.fixed_sense(0, 0x04, 0x1B, {15: b"\x80\x00\x01"}), SanitizePhase.IN_PROGRESS, 1),
        (made.fixed_sense(2, 0x04, 0x04, {15: b"\x80\x10\x00"}), SanitizePhase.IN_PROGRESS, 0x1000),
        (made.fixed_sense(3, 0x31, 0x03), SanitizePhase.FAILED, None),
        (made.fixed_sense(3, 0x31, 0x01), SanitizePhase.FAILED, None),
        (made.descriptor_sense(2, 0x04, 0x1B), SanitizePhase.IN_PROGRESS, None),
        (made.descriptor_sense(3, 0x31, 0x03), SanitizePhase.FAILED, None),
        (made.fixed_sense(2, 0x04, 0x01), SanitizePhase.UNKNOWN, None),
        (made.fixed_sense(2, 0x3A, 0x00), SanitizePhase.UNKNOWN, None),
        (made.fixed_sense(5, 0x20, 0x00), SanitizePhase.UNKNOWN, None),
        (b"", SanitizePhase.UNKNOWN, None),
        (b"\x00" * 18, SanitizePhase.UNKNOWN, None),
        (b"\x70\x00\x00", SanitizePhase.UNKNOWN, None),
    ],
)
def test_each_state_of_a_scsi_disk(sense: bytes, phase: SanitizePhase, progress: int | None) -> None:
    standing = scsi_standing(Ports(scsi=Scripted(answered(data=sense))))
    assert (standing.phase, standing.progress, standing.raw) == (phase, progress, sense)


def test_a_request_for_sense_that_is_refused_is_no_idle_disk() -> None:
    refused = answered(status=2, sense=made.fixed_sense(0, 0x00, 0x00))
    assert scsi_standing(Ports(scsi=Scripted(refused))).phase is SanitizePhase.UNKNOWN
    working = answered(status=2, sense=made.fixed_sense(2, 0x04, 0x1B))
    assert scsi_standing(Ports(scsi=Scripted(working))).phase is SanitizePhase.IN_PROGRESS


def test_a_pending_attention_is_taken_away_before_the_state_is_read() -> None:
    attention = answered(data=made.fixed_sense(6, 0x29, 0x00))
    port = Scripted(attention, answered(data=made.fixed_sense(3, 0x31, 0x03)))
    assert scsi_standing(Ports(scsi=port)).phase is SanitizePhase.FAILED


# --- NVMe ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("log", "phase"),
    [
        (made.sanitize_log(0x0000), SanitizePhase.NEVER),
        (made.sanitize_log(0x0101), SanitizePhase.SUCCEEDED),
        (made.sanitize_log(0x0104), SanitizePhase.SUCCEEDED),
        (made.sanitize_log(0x0002, progress=655), SanitizePhase.IN_PROGRESS),
        (made.sanitize_log(0x0003), SanitizePhase.FAILED),
        (made.sanitize_log(0x0003, state=2), SanitizePhase.FAILED_RESTRICTED),
        (made.sanitize_log(0x0003, state=4), SanitizePhase.FAILED_UNRESTRICTED),
        (made.sanitize_log(0x0101, state=1), SanitizePhase.IN_PROGRESS),
        (made.sanitize_log(0x0101, state=5), SanitizePhase.IN_PROGRESS),
        (made.sanitize_log(0x0101, state=2), SanitizePhase.FAILED_RESTRICTED),
        (made.sanitize_log(0x0101, state=9), SanitizePhase.UNKNOWN),
        (made.sanitize_log(0x0006), SanitizePhase.UNKNOWN),
        (made.sanitize_log(0x0101)[:511], SanitizePhase.UNKNOWN),
    ],
)
def test_each_state_of_an_nvme_subsystem(log: bytes, phase: SanitizePhase) -> None:
    standing = nvme_standing_in(log)
    assert (standing.phase, standing.raw) == (phase, log)


def test_the_log_tells_whose_operation_it_speaks_of() -> None:
    standing = nvme_standing_in(made.sanitize_log(0x0002, progress=655, command=4))
    assert (standing.command, standing.progress) == (4, 655)


def test_a_log_that_is_refused_is_unknown() -> None:
    class Port:
        namespace_id = 1

        def admin(self, command: NvmeCommand, *, timeout_ms: int, read: int = 0, write: bytes = b"") -> NvmeAnswer:  # noqa: ARG002 - a port
            return NvmeAnswer(status=0x4109, result=0, data=b"")

    assert nvme_standing(Ports(nvme=Port())).phase is SanitizePhase.UNKNOWN


@settings(max_examples=150, deadline=None)
@given(raw=st.binary(max_size=40), status=st.sampled_from([0, 2, 8, 0x18, 0x40]))
def test_no_sense_data_makes_the_reading_fall(raw: bytes, status: int) -> None:
    port = Scripted(answered(status=status, sense=raw, data=raw))
    assert ata_standing(Ports(scsi=port)).phase in SanitizePhase
    assert scsi_standing(Ports(scsi=port)).phase in SanitizePhase
    assert nvme_standing_in(raw).phase is SanitizePhase.UNKNOWN
