"""Format NVM of the emulated NVMe subsystem against NVM Express: scope by FNA, secure erase settings, refusals, failures."""

from __future__ import annotations

import struct

import pytest

from .clock import ManualClock
from .faults import BusReset, Faults, NoAnswer
from .nvme import NvmeController
from .nvme_asking import EVERYONE, SECRET, drive, form, identify, log, read, read_status, write_status
from .nvme_identify import NvmeNamespace, NvmeTraits

QUARTER = 512 << 10
BLOCKS = QUARTER // 512


def two(fna: int = 4, **faults: object) -> NvmeController:
    """One namespace of ours, one attached to nobody, the rest unallocated."""
    return drive(
        traits=NvmeTraits(fna=fna),
        faults=Faults(**faults),  # type: ignore[arg-type]  # field names, by test
        namespaces=[
            NvmeNamespace(nsid=1, start=0, size=QUARTER),
            NvmeNamespace(nsid=2, start=QUARTER, size=QUARTER, attached=set()),
        ],
    )


def left(controller: NvmeController) -> list[int]:
    """Quarters of the medium that still hold something old."""
    return sorted({block // BLOCKS for block in controller.subsystem.medium.remains(SECRET)[0]})


@pytest.mark.parametrize("secure", [1, 2])
def test_it_erases_the_namespace_it_names_and_no_other(secure: int) -> None:
    controller = two()
    assert form(controller, 1, secure) == 0
    assert left(controller) == [1, 2, 3]
    assert read(controller, 0, 8) == bytes(4096)


def test_no_secure_erase_changes_what_is_read_and_not_what_is_there() -> None:
    controller = two()
    assert form(controller, 1, 0) == 0
    assert read(controller, 0, 8) == bytes(4096)
    assert left(controller) == [0, 1, 2, 3]
    assert write_status(controller, 3, b"A" * 512) == 0
    assert read(controller, 2, 3) == bytes(512) + b"A" * 512 + bytes(512)


def test_the_broadcast_number_reaches_what_is_attached_to_this_controller() -> None:
    controller = two()
    assert form(controller, EVERYONE, 1) == 0
    assert left(controller) == [1, 2, 3]


@pytest.mark.parametrize("nsid", [1, EVERYONE])
def test_a_secure_erase_reaches_every_namespace_where_fna_says_so(nsid: int) -> None:
    controller = two(fna=0x6)
    assert form(controller, nsid, 1) == 0
    assert left(controller) == [2, 3]


def test_a_format_without_erase_does_not_where_only_secure_erase_is_for_all() -> None:
    controller = two(fna=0x6)
    assert form(controller, 1, 0, 1) == 0
    assert [one.shift for one in controller.subsystem.namespaces] == [12, 9]
    controller = two(fna=0x1)
    assert form(controller, 1, 0, 1) == 0
    assert [one.shift for one in controller.subsystem.namespaces] == [12, 12]


def test_the_block_size_follows_the_format() -> None:
    controller = drive()
    assert form(controller, 1, 1, 1) == 0
    page = identify(controller, 0, 1)
    assert struct.unpack_from("<Q", page) == (512,)
    assert page[26] == 1
    assert len(read(controller, 511)) == 4096


@pytest.mark.parametrize(
    ("nsid", "secure", "index", "fna", "status"),
    [
        (1, 3, 0, 4, 0x002),
        (1, 2, 0, 0, 0x002),
        (1, 1, 2, 4, 0x10A),
        (3, 1, 0, 4, 0x00B),
        (2, 1, 0, 4, 0x00B),
        (0, 1, 0, 4, 0x00B),
        (EVERYONE, 1, 0, 0xC, 0x002),
    ],
    ids=["reserved-ses", "no-crypto", "no-format", "no-namespace", "unattached", "zero", "no-broadcast"],
)
def test_what_may_not_be_formatted_is_refused(nsid: int, secure: int, index: int, fna: int, status: int) -> None:
    controller = two(fna=fna)
    assert form(controller, nsid, secure, index) == status
    assert left(controller) == [0, 1, 2, 3]


def test_a_write_protected_or_locked_namespace_is_not_formatted() -> None:
    controller = two(write_protected=True)
    assert form(controller, 1, 1) == 0x020
    controller = two()
    assert controller.subsystem.opal is not None
    controller.subsystem.opal.lock()
    assert form(controller, 1, 1) == 0x286
    assert left(controller) == [0, 1, 2, 3]


def test_one_that_fails_half_way_says_how_much_is_left() -> None:
    controller = two(fail_at=0.5, seconds=10)
    assert form(controller, 1, 1) == 0x006
    assert identify(controller, 0, 1)[32] == 0x80 | 50
    assert read(controller, BLOCKS - 1).startswith(SECRET)
    assert read(controller, 0) == bytes(512)


def test_one_that_stalls_never_answers_and_a_power_cut_does_not_complete_it() -> None:
    controller = two(stall_at=0.25, seconds=10)
    with pytest.raises(NoAnswer):
        form(controller, 1, 1)
    controller.power_cut()
    controller.power_on()
    assert read_status(controller) == 0
    assert read(controller, BLOCKS // 4).startswith(SECRET)
    assert identify(controller, 0, 1)[32] == 0x80


def test_a_drive_may_remember_how_much_of_it_was_left() -> None:
    controller = two(stall_at=0.25, seconds=10)
    controller.subsystem.traits.keeps_format_progress = True
    with pytest.raises(NoAnswer):
        form(controller, 1, 1)
    controller.power_cut()
    controller.power_on()
    assert identify(controller, 0, 1)[32] == 0x80 | 75


def test_it_takes_its_time_by_the_clock_of_the_drive() -> None:
    controller = two(seconds=600)
    assert form(controller, 1, 1) == 0
    clock = controller.subsystem.medium.clock
    assert isinstance(clock, ManualClock)
    assert clock.seconds == 600


def test_the_sanitize_log_knows_nothing_of_it() -> None:
    controller = drive()
    assert form(controller, 1, 1) == 0
    assert struct.unpack_from("<HHI", log(controller, 0x81)) == (0xFFFF, 0, 0)


@pytest.mark.parametrize("erases", ["nothing", "first-megabyte", "all-but-one-block"])
def test_lies_leave_data_and_answer_success(erases: str) -> None:
    controller = drive(faults=Faults(erases=erases))  # type: ignore[arg-type]  # one of the names, by parameter
    assert form(controller, 1, 1) == 0
    assert len(controller.subsystem.medium.remains(SECRET)[0]) == {"nothing": 4096, "first-megabyte": 2048}.get(
        erases, 1
    )


def test_a_reset_in_the_middle_loses_it_or_not() -> None:
    for kind, blocks in (("lost", 4096), ("carried-on", 0)):
        controller = drive(faults=Faults(reset=kind))  # type: ignore[arg-type]  # one of the names, by parameter
        with pytest.raises(BusReset):
            form(controller, 1, 1)
        assert len(controller.subsystem.medium.remains(SECRET)[0]) == blocks


def test_a_drive_that_refuses_has_an_internal_error() -> None:
    assert form(two(refuses=frozenset({"format"})), 1, 1) == 0x006
