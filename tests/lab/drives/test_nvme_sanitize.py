"""Sanitize of the emulated NVMe subsystem against NVM Express Base, Sanitize Operations."""

from __future__ import annotations

import struct

import pytest

from .clock import ManualClock
from .faults import BusReset, Faults, Gone
from .nvme import NvmeController
from .nvme_asking import CODE, EVERYONE, SECRET, drive, identify, log, read, read_status, sanitize, sqe, write_status
from .nvme_identify import NvmeNamespace, NvmeTraits
from .nvme_status import HELD, Status

BLOCK, OVERWRITE, CRYPTO, EXIT = 2, 3, 4, 1
AUSE, NDAS = 0x8, 0x200


def head(controller: NvmeController) -> tuple[int, int, int]:
    """SPROG, SSTAT, SCDW10."""
    found = struct.unpack_from("<HHI", log(controller, 0x81))
    return found[0], found[1], found[2]


def wait(controller: NvmeController, seconds: float) -> None:
    clock = controller.subsystem.medium.clock
    assert isinstance(clock, ManualClock)
    clock.sleep(seconds)


def left(controller: NvmeController) -> tuple[list[int], list[int]]:
    return controller.subsystem.medium.remains(SECRET)


def test_a_new_drive_was_never_sanitized() -> None:
    controller = drive()
    assert head(controller) == (0xFFFF, 0x0000, 0)


@pytest.mark.parametrize("action", [BLOCK, OVERWRITE | 1 << 4, CRYPTO])
def test_every_action_erases_all_blocks_and_the_spare_ones(action: int) -> None:
    controller = drive()
    assert sanitize(controller, action) == 0
    progress, status, command = head(controller)
    assert (progress, status & 7, status >> 8 & 1, command) == (0xFFFF, 1, 1, action)
    assert left(controller) == ([], [])
    assert read(controller, 0, 8) == bytes(4096)


def test_progress_moves_and_ends() -> None:
    controller = drive(faults=Faults(seconds=100))
    assert sanitize(controller, BLOCK) == 0
    assert head(controller) == (0, 2, BLOCK)
    wait(controller, 25)
    assert head(controller) == (16384, 2, BLOCK)
    wait(controller, 74.9999)
    assert head(controller)[0] == 65535 - 1
    wait(controller, 1)
    assert head(controller) == (0xFFFF, 0x101, BLOCK)


def test_a_660p_stands_still_for_ever() -> None:
    controller = drive(faults=Faults(seconds=100, stall_at=0.01))
    assert sanitize(controller, BLOCK) == 0
    wait(controller, 7 * 86400)
    assert head(controller) == (655, 2, BLOCK)
    assert struct.unpack_from("<6I", log(controller, 0x81), 8) == (0xFFFFFFFF,) * 6


def test_estimates_are_where_the_standard_puts_them() -> None:
    controller = drive(traits=NvmeTraits(seconds={"overwrite": 1, "block": 2, "crypto": 3, "block-no-deallocate": 5}))
    assert struct.unpack_from("<6I", log(controller, 0x81), 8) == (1, 2, 3, 0xFFFFFFFF, 5, 0xFFFFFFFF)


def test_while_it_runs_only_what_the_standard_lists_is_processed() -> None:
    controller = drive(faults=Faults(seconds=100))
    sanitize(controller, BLOCK)
    assert read_status(controller) == 0x01D
    assert write_status(controller, 0, bytes(512)) == 0x01D
    assert controller.io(1, 0x00, 0, 0)[0] == 0
    for entry in (sqe(0x80, 1, 0x200), sqe(0x82, 0, 0x01000100, 512), sqe(0x02, EVERYONE, 0x05), sqe(0x0D, 1, 1)):
        assert controller.admin(entry)[0] & CODE == 0x01D
    assert sanitize(controller, CRYPTO) == 0x01D
    assert sanitize(controller, EXIT) == 0x01D
    for entry in (sqe(0x06, 0, 1), sqe(0x02, EVERYONE, 0x02), sqe(0x0A, 0, 6), sqe(0x18)):
        assert controller.admin(entry)[0] == 0


def test_a_namespace_number_is_refused_by_a_strict_drive_and_ignored_by_another() -> None:
    assert sanitize(drive(), BLOCK, nsid=1) == 0x002
    assert sanitize(drive(), BLOCK, nsid=EVERYONE) == 0x002
    assert sanitize(drive(traits=NvmeTraits(strict_nsid=False)), BLOCK, nsid=1) == 0


@pytest.mark.parametrize("dword10", [0, 5, 6, 7, BLOCK | 0x400])
def test_reserved_actions_are_invalid_fields(dword10: int) -> None:
    controller = drive()
    assert sanitize(controller, dword10) == 0x002
    assert head(controller)[1] == 0


def test_an_action_that_is_not_supported_is_an_invalid_field_and_none_at_all_an_invalid_opcode() -> None:
    assert sanitize(drive(traits=NvmeTraits(sanicap=0x2)), CRYPTO) == 0x002
    bare = drive(traits=NvmeTraits(sanicap=0))
    assert sanitize(bare, BLOCK) == 0x001
    assert bare.admin(sqe(0x02, EVERYONE, 0x81 | 127 << 16))[0] & CODE == 0x109


def test_a_restricted_failure_accepts_only_a_restricted_sanitize() -> None:
    controller = drive(faults=Faults(seconds=10, fail_at=0.5))
    sanitize(controller, BLOCK)
    wait(controller, 10)
    assert head(controller) == (0xFFFF, 3, BLOCK)
    assert read_status(controller) == 0x01C
    assert controller.io(1, 0x00, 0, 0)[0] & CODE == 0x01C
    assert controller.admin(sqe(0x80, 1, 0x200))[0] & CODE == 0x01C
    assert sanitize(controller, EXIT) == 0x01C
    assert sanitize(controller, BLOCK | AUSE) == 0x01C
    assert left(controller)[0] == list(range(2048, 4096))
    controller.subsystem.medium.faults.fail_at = None
    assert sanitize(controller, BLOCK) == 0
    wait(controller, 10)
    assert head(controller) == (0xFFFF, 0x101, BLOCK)


def test_an_unrestricted_failure_is_left_by_exit_failure_mode_and_the_data_are_back() -> None:
    controller = drive(faults=Faults(seconds=10, fail_at=0.5))
    sanitize(controller, BLOCK | AUSE)
    wait(controller, 10)
    assert head(controller) == (0xFFFF, 3, BLOCK | AUSE)
    assert read_status(controller) == 0x01C
    assert sanitize(controller, EXIT) == 0
    assert read(controller, 4095).startswith(SECRET)
    assert head(controller)[1] & 7 == 3


def test_exit_failure_mode_without_a_failure_changes_nothing() -> None:
    controller = drive()
    assert sanitize(controller, EXIT) == 0
    assert head(controller) == (0xFFFF, 0, 0)
    assert read(controller, 0).startswith(SECRET)


def test_a_drive_that_failed_before_we_came_says_so() -> None:
    controller = drive(faults=Faults(failed_before=True))
    assert head(controller) == (0xFFFF, 3, BLOCK)
    assert read_status(controller) == 0x01C


def test_a_success_of_long_ago_says_nothing_of_data_written_since() -> None:
    controller = drive(faults=Faults(succeeded_before=True))
    assert head(controller) == (0xFFFF, 0x001, BLOCK)
    assert read(controller, 0).startswith(SECRET)


def test_the_first_write_clears_global_data_erased() -> None:
    controller = drive()
    sanitize(controller, BLOCK)
    assert head(controller)[1] == 0x101
    write_status(controller, 0, bytes(512))
    assert head(controller)[1] == 0x001


def test_without_deallocation_the_media_show_what_the_action_left() -> None:
    controller = drive()
    sanitize(controller, BLOCK | NDAS)
    assert read(controller, 5) == b"\xff" * 512
    sanitize(controller, OVERWRITE | 2 << 4 | NDAS, pattern=0x44332211)
    assert read(controller, 5) == bytes.fromhex("11223344") * 128
    sanitize(controller, CRYPTO | NDAS)
    noise = read(controller, 5)
    assert len(set(noise)) > 100
    assert noise != read(controller, 6)


def test_passes_are_counted_and_none_given_means_sixteen() -> None:
    controller = drive(faults=Faults(seconds=16))
    sanitize(controller, OVERWRITE)
    wait(controller, 5.5)
    assert head(controller)[1] == 2 | 5 << 3
    wait(controller, 11)
    assert head(controller)[1] == 0x101 | 16 << 3


def test_inhibited_no_deallocate_is_refused_or_done_with_a_warning() -> None:
    controller = drive(traits=NvmeTraits(sanicap=0x20000007))
    assert sanitize(controller, BLOCK | NDAS) == 0x002
    assert controller.admin(sqe(0x09, 0, 0x17, 1))[0] == 0
    assert sanitize(controller, BLOCK | NDAS) == 0
    assert head(controller)[1] == 0x104
    assert read(controller, 5) == bytes(512)


def test_it_reaches_every_namespace_attached_or_not_and_unallocated_capacity() -> None:
    controller = drive(
        namespaces=[
            NvmeNamespace(nsid=1, start=0, size=512 << 10),
            NvmeNamespace(nsid=2, start=512 << 10, size=512 << 10, attached=set()),
        ]
    )
    sanitize(controller, BLOCK)
    head(controller)
    assert left(controller) == ([], [])


def test_a_write_protected_namespace_anywhere_forbids_it() -> None:
    controller = drive(
        namespaces=[
            NvmeNamespace(nsid=1, start=0, size=512 << 10),
            NvmeNamespace(nsid=2, start=512 << 10, size=512 << 10, attached=set(), write_protected=True),
        ]
    )
    assert sanitize(controller, BLOCK) == 0x020
    assert len(left(controller)[0]) == 4096


@pytest.mark.parametrize("status", [0x10B, 0x110, 0x111])
def test_firmware_that_waits_for_a_reset_forbids_it_until_then(status: int) -> None:
    controller = drive()
    controller.subsystem.sanitizer.activation_pending = Status(status)
    assert sanitize(controller, BLOCK) == status
    controller.reset()
    assert sanitize(controller, BLOCK) == 0


def test_a_locked_drive_is_denied() -> None:
    controller = drive()
    opal = controller.subsystem.opal
    assert opal is not None
    opal.lock()
    assert sanitize(controller, BLOCK) == 0x286
    assert read_status(controller) == 0x286
    assert write_status(controller, 0, bytes(512)) == 0x286
    opal.shadow()
    assert read(controller, 0) == bytes(512)
    assert write_status(controller, 0, bytes(512)) == 0x286
    assert len(left(controller)[0]) == 4096


def test_it_goes_on_after_a_power_cut_and_a_reset_does_not_stop_it() -> None:
    controller = drive(faults=Faults(seconds=100))
    sanitize(controller, BLOCK)
    wait(controller, 50)
    controller.power_cut()
    wait(controller, 1000)
    controller.power_on()
    assert head(controller) == (32768, 2, BLOCK)
    controller.reset()
    wait(controller, 50)
    assert head(controller) == (0xFFFF, 0x101, BLOCK)
    controller.power_cut()
    controller.power_on()
    assert head(controller) == (0xFFFF, 0x101, BLOCK)


def test_only_the_controller_that_was_asked_tells_of_the_end() -> None:
    first = drive(controllers=(1, 2), faults=Faults(seconds=10))
    second = NvmeController(first.subsystem, 2)
    assert (first.admin(sqe(0x0C))[0], second.admin(sqe(0x0C))[0]) == (HELD, HELD)
    sanitize(first, BLOCK)
    wait(first, 10)
    head(second)
    assert first.take_event() == 0x810106
    assert second.take_event() is None


def test_whoever_left_failure_mode_is_not_told_of_the_next_sanitize_of_another() -> None:
    first = drive(controllers=(1, 2))
    second = NvmeController(first.subsystem, 2)
    assert (first.admin(sqe(0x0C))[0], second.admin(sqe(0x0C))[0]) == (HELD, HELD)
    assert sanitize(first, EXIT) == 0
    assert sanitize(second, BLOCK) == 0
    head(first)
    assert (first.take_event(), second.take_event()) == (None, 0x810106)


@pytest.mark.parametrize(
    ("erases", "blocks"),
    [("nothing", 4096), ("first-megabyte", 2048), ("all-but-one-block", 1), ("not-hidden", 2048)],
)
def test_lies_report_success_and_leave_data(erases: str, blocks: int) -> None:
    controller = drive(
        faults=Faults(erases=erases),  # type: ignore[arg-type]  # one of the names, by parameter
        namespaces=[NvmeNamespace(nsid=1, start=0, size=1 << 20)],
    )
    sanitize(controller, BLOCK)
    assert head(controller)[1] == 0x101
    assert len(left(controller)[0]) == blocks


def test_a_drive_that_only_unmaps_is_caught_only_where_it_was_asked_not_to_deallocate() -> None:
    controller = drive(faults=Faults(erases="nothing"), traits=NvmeTraits(hides=True))
    sanitize(controller, BLOCK)
    assert head(controller)[1] == 0x101
    assert read(controller, 0, 8) == bytes(4096)
    assert len(left(controller)[0]) == 4096
    sanitize(controller, BLOCK | NDAS)
    assert head(controller)[1] == 0x101
    assert read(controller, 0).startswith(SECRET)


def test_a_drive_may_change_its_name_or_vanish_or_forget_its_capacity() -> None:
    controller = drive(faults=Faults(seconds=10, new_serial="OTHER", capacity_during="zero"))
    sanitize(controller, BLOCK)
    assert identify(controller, 1)[4:9] == b"OTHER"
    assert struct.unpack_from("<Q", identify(controller, 0, 1)) == (0,)
    wait(controller, 10)
    assert struct.unpack_from("<Q", identify(controller, 0, 1)) == (4096,)
    gone = drive(faults=Faults(seconds=10, vanish_at=0.5))
    sanitize(gone, BLOCK)
    wait(gone, 6)
    with pytest.raises(Gone):
        head(gone)


@pytest.mark.parametrize(("kind", "status"), [("lost", 0), ("carried-on", 0x101)])
def test_a_reset_in_the_middle_leaves_the_question_open_and_the_log_answers_it(kind: str, status: int) -> None:
    controller = drive(faults=Faults(reset=kind))  # type: ignore[arg-type]  # one of the names, by parameter
    with pytest.raises(BusReset):
        sanitize(controller, BLOCK)
    assert head(controller)[1] == status


def test_a_drive_that_refuses_has_an_internal_error() -> None:
    controller = drive(faults=Faults(refuses=frozenset({"sanitize"})))
    assert sanitize(controller, BLOCK) == 0x006
    assert len(left(controller)[0]) == 4096
