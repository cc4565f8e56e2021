"""The emulated NVMe controller against NVM Express Base: bytes and offsets written down here, not taken from the model."""

from __future__ import annotations

import struct

import pytest

from .faults import Faults, Gone, NoAnswer
from .nvme import NvmeController
from .nvme_asking import CODE, EVERYONE, SECRET, drive, identify, log, read, read_status, sqe, write_status
from .nvme_identify import NvmeNamespace, NvmeTraits
from .nvme_status import HELD

BLOCK = b"A" * 512


def shared_drive() -> NvmeController:
    """Two controllers, one namespace of both, one of the second, one of nobody, and 512 KiB in no namespace."""
    half = 512 << 10
    return drive(
        controllers=(1, 2),
        namespaces=[
            NvmeNamespace(nsid=1, start=0, size=half, attached={1, 2}, shared=True),
            NvmeNamespace(nsid=2, start=half, size=half, attached={2}),
            NvmeNamespace(nsid=5, start=2 * half, size=half, attached=set()),
        ],
    )


def test_the_controller_page_has_its_fields_where_the_standard_puts_them() -> None:
    page = identify(drive(), 1)
    assert page[4:24] == b"LABNVME00000001     "
    assert page[24:64].rstrip() == b"SANITRAIL LAB NVME"
    assert page[64:72] == b"LAB1    "
    assert struct.unpack_from("<H", page, 78) == (1,)
    assert struct.unpack_from("<I", page, 80) == (0x00010400,)
    assert struct.unpack_from("<H", page, 256) == (0x000B,)
    assert struct.unpack_from("<I", page, 328) == (0x40000007,)
    assert struct.unpack_from("<I", page, 516) == (16,)
    assert page[524:526] == bytes((4, 1))
    assert page[768:797] == b"nqn.2026-01.lab:LABNVME000000"


def test_several_controllers_show_in_cmic_and_in_the_capacity() -> None:
    page = identify(shared_drive(), 1)
    assert page[76] == 3
    assert int.from_bytes(page[280:296], "little") == 2 << 20
    assert int.from_bytes(page[296:312], "little") == 512 << 10


def test_the_namespace_page_has_its_fields_where_the_standard_puts_them() -> None:
    page = identify(drive(), 0, 1)
    assert struct.unpack_from("<QQQ", page) == (4096, 4096, 4096)
    assert page[25:27] == bytes((1, 0))
    assert page[33] & 7 == 1
    assert page[130] == 9
    assert page[134] == 12


def test_active_and_allocated_namespaces_are_two_lists() -> None:
    controller = shared_drive()
    assert struct.unpack_from("<3I", identify(controller, 0x02)) == (1, 0, 0)
    assert struct.unpack_from("<4I", identify(controller, 0x10)) == (1, 2, 5, 0)
    assert struct.unpack_from("<2I", identify(controller, 0x10, nsid=2)) == (5, 0)
    assert not any(identify(controller, 0x00, nsid=5))
    assert struct.unpack_from("<Q", identify(controller, 0x11, nsid=5)) == (1024,)
    assert not any(identify(controller, 0x11, nsid=3))


def test_controllers_are_listed_by_namespace_and_by_subsystem() -> None:
    controller = shared_drive()
    assert struct.unpack_from("<3H", identify(controller, 0x12, nsid=1)) == (2, 1, 2)
    assert struct.unpack_from("<2H", identify(controller, 0x12, nsid=2)) == (1, 2)
    assert struct.unpack_from("<1H", identify(controller, 0x12, nsid=5)) == (0,)
    assert struct.unpack_from("<2H", identify(controller, 0x13, first=2)) == (1, 2)
    assert identify(controller, 0x00, nsid=1)[30] == 1


def test_a_namespace_number_that_cannot_be_is_refused() -> None:
    controller = drive()
    assert controller.admin(sqe(0x06, 17, 0))[0] == 0x400B
    assert controller.admin(sqe(0x06, 0, 0))[0] == 0x400B
    assert controller.admin(sqe(0x06, 0xFFFFFFFF, 2))[0] == 0x400B
    assert controller.admin(sqe(0x06, 1, 0x77))[0] == 0x4002


def test_two_namespaces_do_not_share_blocks() -> None:
    controller = drive(
        namespaces=[
            NvmeNamespace(nsid=1, start=0, size=1 << 20),
            NvmeNamespace(nsid=2, start=1 << 20, size=1 << 20, shift=12),
        ]
    )
    assert write_status(controller, 0, b"B" * 4096, nsid=2) == 0
    assert read(controller, 0, nsid=2) == b"B" * 4096
    assert read(controller, 0).startswith(SECRET)
    assert read_status(controller, 256, nsid=2) == 0x080
    assert read_status(controller, nsid=3) == 0x00B


def test_what_is_not_flushed_is_lost_with_the_power() -> None:
    controller = drive()
    assert write_status(controller, 1, BLOCK) == 0
    assert controller.io(1, 0x00, 0, 0)[0] == 0
    assert write_status(controller, 2, BLOCK) == 0
    controller.power_cut()
    with pytest.raises(Gone):
        controller.io(1, 0x02, 0, 1)
    controller.power_on()
    assert read(controller, 1) == BLOCK
    assert read(controller, 2).startswith(SECRET)


def test_deallocated_blocks_read_zero_and_survive_where_no_host_looks() -> None:
    controller = drive()
    controller.subsystem.medium.spare.clear()
    ranges = struct.pack("<IIQ", 0, 4, 8)
    assert controller.io(1, 0x09, 0, 1, ranges)[0] == 0
    assert read(controller, 8, 4) == bytes(2048)
    assert controller.subsystem.medium.remains(SECRET)[1] == [0, 1, 2, 3]


def test_write_zeroes_writes_zeros() -> None:
    controller = drive()
    assert controller.io(1, 0x08, 3, 2)[0] == 0
    assert read(controller, 3, 2) == bytes(1024)


@pytest.mark.parametrize(
    ("faults", "read_code", "write_code"),
    [
        (Faults(bad_reads=((9, 1),)), 0x281, 0),
        (Faults(bad_writes=((9, 1),)), 0, 0x280),
    ],
    ids=["reads", "writes"],
)
def test_bad_blocks_answer_as_media_errors(faults: Faults, read_code: int, write_code: int) -> None:
    controller = drive(faults=faults)
    assert read_status(controller, 9) == read_code
    assert write_status(controller, 9, BLOCK) == write_code
    errors = log(controller, 0x01)
    assert struct.unpack_from("<H", errors, 12)[0] >> 1 & CODE == (read_code or write_code)
    assert struct.unpack_from("<Q", errors, 16) == (9,)


def test_a_write_protected_namespace_reads_and_does_not_write() -> None:
    controller = drive()
    assert controller.admin(sqe(0x09, 1, 0x84, 1))[0] == 0
    assert controller.admin(sqe(0x0A, 1, 0x84))[:2] == (0, 1)
    assert write_status(controller, 0, BLOCK) == 0x020
    assert read_status(controller) == 0
    assert identify(controller, 0, 1)[99] == 1


def test_features_are_known_or_invalid() -> None:
    controller = drive()
    assert controller.admin(sqe(0x09, 0, 0x07, 0x00100010))[:2] == (0, 0x00030003)
    assert controller.admin(sqe(0x0A, 0, 0x06))[:2] == (0, 1)
    assert controller.admin(sqe(0x09, 0, 0x7A))[0] == 0x4002
    assert controller.admin(sqe(0x09, 0, 0x80000006, 0))[0] == 0x410D


def test_unknown_commands_and_logs_are_refused_by_their_codes() -> None:
    controller = drive()
    assert controller.admin(sqe(0x7C))[0] == 0x4001
    assert controller.admin(sqe(0x02, EVERYONE, 0xC0))[0] == 0x4109
    assert log(controller, 0x03)[8:12] == b"LAB1"
    assert log(controller, 0x02)[3:5] == bytes([97, 10])
    effects = log(controller, 0x05, 4096)
    assert struct.unpack_from("<I", effects, 4 * 0x84)[0] & 3 == 3


def test_a_log_is_read_in_pieces() -> None:
    controller = drive()
    status, _, data = controller.admin(sqe(0x02, EVERYONE, 0x03, 0, 8))
    assert (status, data) == (0, b"LAB1")


def test_event_requests_are_held_up_to_the_limit() -> None:
    controller = drive()
    assert [controller.admin(sqe(0x0C))[0] for _ in range(5)] == [HELD, HELD, HELD, HELD, 0x4105]
    assert controller.take_event() is None
    controller.reset()
    assert controller.admin(sqe(0x0C))[0] == HELD


def test_a_deleted_namespace_leaves_its_data_in_unallocated_capacity() -> None:
    controller = shared_drive()
    detach = struct.pack("<HH", 1, 2).ljust(4096, b"\0")
    assert controller.admin(sqe(0x15, 2, 1), detach)[0] == 0
    assert controller.admin(sqe(0x0D, 2, 1))[0] == 0
    assert struct.unpack_from("<3I", identify(controller, 0x10)) == (1, 5, 0)
    assert int.from_bytes(identify(controller, 1)[296:312], "little") == 1 << 20
    assert controller.subsystem.medium.remains(SECRET)[0][-1] == 4095


def test_a_namespace_is_created_attached_and_written() -> None:
    controller = shared_drive()
    wanted = struct.pack("<QQ", 1024, 1024).ljust(4096, b"\0")
    status, nsid, _ = controller.admin(sqe(0x0D, 0, 0), wanted)
    assert (status, nsid) == (0, 3)
    assert read_status(controller, nsid=3) == 0x00B
    assert controller.admin(sqe(0x15, 3, 0), struct.pack("<HH", 1, 1).ljust(4096, b"\0"))[0] == 0
    assert read(controller, 0, nsid=3).startswith(SECRET)
    assert controller.admin(sqe(0x0D, 0, 0), wanted)[0] == 0x4115


def test_a_private_namespace_is_not_attached_twice() -> None:
    controller = shared_drive()
    assert controller.admin(sqe(0x15, 2, 0), struct.pack("<HH", 1, 1).ljust(4096, b"\0"))[0] == 0x4119


def test_a_silent_drive_answers_nothing_and_a_pulled_one_is_gone() -> None:
    with pytest.raises(NoAnswer):
        identify(drive(faults=Faults(silent=True)), 1)
    controller = drive(faults=Faults(vanish_after=1))
    identify(controller, 1)
    with pytest.raises(Gone):
        identify(controller, 1)


def test_a_drive_without_security_has_no_security_commands() -> None:
    assert drive(traits=NvmeTraits(oacs=0x2)).admin(sqe(0x82, 0, 0x01000100, 512))[0] == 0x4001
