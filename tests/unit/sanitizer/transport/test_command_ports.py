"""The command ports against a kernel made of one function: what is handed over, and what each answer of the kernel means."""

from __future__ import annotations

import ctypes
import errno
from collections.abc import Callable
from typing import Any

import pytest

from sanitizer.errors import CommandTimeout, DeviceGone, HostRejected, HostReset, SanitizerError
from sanitizer.transport import block_ranges, mmc_ioctl, nvme_ioctl, opal_ioctl, ports, sg_io
from sanitizer.transport.commands import MmcCommand, MmcPort, NvmeCommand, NvmePort, OpalPort, RangePort, ScsiPort

Kernel = Callable[[int, Any], int]
TURS = bytes(6)


def no_descriptor() -> int:
    raise AssertionError("the kernel is replaced, so nobody asks for the descriptor")


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Callable[[Kernel], None]:
    """Puts a function in the place of ioctl(2)."""

    def put(behaviour: Kernel) -> None:
        for room in (sg_io, nvme_ioctl, mmc_ioctl, opal_ioctl, block_ranges):
            monkeypatch.setattr(room, "call", lambda _descriptor, request, argument: behaviour(request, argument))

    return put


def fails(number: int) -> Kernel:
    def behaviour(_request: int, _argument: object) -> int:
        raise OSError(number, "as the kernel has it")

    return behaviour


def test_the_structures_have_the_kernels_sizes() -> None:
    assert ctypes.sizeof(sg_io.SgIoHeader) == 88
    assert (ctypes.sizeof(nvme_ioctl.Passthru), ctypes.sizeof(nvme_ioctl.Passthru64)) == (72, 80)
    assert (nvme_ioctl.Passthru.result.offset, nvme_ioctl.Passthru64.result.offset) == (68, 72)
    assert ctypes.sizeof(mmc_ioctl.IocCommand) == 72
    assert opal_ioctl.OPAL_KEY_BYTES == 264


# --- SG_IO --------------------------------------------------------------------------------------------------------


def test_a_read_hands_over_its_buffer_and_brings_what_the_device_left_in_it(
    kernel: Callable[[Kernel], None],
) -> None:
    seen: dict[str, int] = {}

    def behaviour(request: int, header: sg_io.SgIoHeader) -> int:
        assert request == sg_io.SG_IO
        assert ctypes.string_at(header.cmdp, header.cmd_len) == b"\x12" + bytes(5)
        seen.update(direction=header.dxfer_direction, timeout=header.timeout, flags=header.flags)
        ctypes.memmove(header.dxferp, b"ABCDEFGH", 8)
        header.resid, header.duration = 3, 17
        return 0

    kernel(behaviour)
    answer = sg_io.SgIo(no_descriptor).scsi(b"\x12" + bytes(5), timeout_ms=1234, read=8)
    assert (answer.data, answer.duration_ms, answer.status) == (b"ABCDE", 17, 0)
    assert seen == {"direction": -3, "timeout": 1234, "flags": 0}


def test_a_write_hands_over_its_bytes_and_leaves_none_behind(
    kernel: Callable[[Kernel], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[tuple[str, bytes]] = []

    def behaviour(_request: int, header: sg_io.SgIoHeader) -> int:
        assert header.dxfer_direction == -2
        steps.append(("sent", ctypes.string_at(header.dxferp, header.dxfer_len)))
        return 0

    kernel(behaviour)
    monkeypatch.setattr(ctypes, "memset", lambda _place, value, length: steps.append(("set", bytes([value]) * length)))
    sg_io.SgIo(no_descriptor).scsi(bytes(6), timeout_ms=1, write=b"secret")
    assert steps == [("sent", b"secret"), ("set", bytes(6))]


def test_sense_data_is_an_answer(kernel: Callable[[Kernel], None]) -> None:
    def behaviour(_request: int, header: sg_io.SgIoHeader) -> int:
        ctypes.memmove(header.sbp, b"\x70\x00\x05", 3)
        header.status, header.sb_len_wr, header.driver_status = 2, 3, 8
        return 0

    kernel(behaviour)
    answer = sg_io.SgIo(no_descriptor).scsi(TURS, timeout_ms=1)
    assert (answer.status, answer.sense, answer.data) == (2, b"\x70\x00\x05", b"")


@pytest.mark.parametrize(
    ("host", "driver", "kind"),
    [
        (0x01, 0, DeviceGone),
        (0x03, 0, CommandTimeout),
        (0x00, 6, CommandTimeout),
        (0x04, 0, DeviceGone),
        (0x05, 0, HostRejected),
        (0x07, 0, HostRejected),
        (0x08, 0, HostReset),
        (0x0E, 0, HostRejected),
        (0x00, 4, HostRejected),
    ],
)
def test_what_did_not_reach_the_device_is_never_an_answer(
    kernel: Callable[[Kernel], None], host: int, driver: int, kind: type[SanitizerError]
) -> None:
    def behaviour(_request: int, header: sg_io.SgIoHeader) -> int:
        header.host_status, header.driver_status = host, driver
        return 0

    kernel(behaviour)
    with pytest.raises(kind) as raised:
        sg_io.SgIo(no_descriptor).scsi(TURS, timeout_ms=5)
    assert type(raised.value) is kind
    assert raised.value.touched == "maybe"


@pytest.mark.parametrize("host", [0x10, 0x11, 0x13])
def test_a_verdict_of_the_kernel_on_what_the_device_said_leaves_it_an_answer(
    kernel: Callable[[Kernel], None], host: int
) -> None:
    def behaviour(_request: int, header: sg_io.SgIoHeader) -> int:
        header.host_status, header.status = host, 0x18
        return 0

    kernel(behaviour)
    assert sg_io.SgIo(no_descriptor).scsi(TURS, timeout_ms=5).status == 0x18


@pytest.mark.parametrize(
    ("number", "kind", "touched"),
    [
        (errno.EPERM, HostRejected, "no"),
        (errno.EINVAL, HostRejected, "no"),
        (errno.ENODEV, DeviceGone, "maybe"),
        (errno.ENXIO, DeviceGone, "maybe"),
        (errno.EIO, HostRejected, "maybe"),
        (errno.ETIMEDOUT, CommandTimeout, "maybe"),
    ],
)
def test_an_errno_says_whether_anything_can_have_happened(
    kernel: Callable[[Kernel], None], number: int, kind: type[SanitizerError], touched: str
) -> None:
    kernel(fails(number))
    with pytest.raises(kind) as raised:
        sg_io.SgIo(no_descriptor).scsi(TURS, timeout_ms=5)
    assert raised.value.touched == touched


def test_more_left_over_than_was_asked_for_is_nothing_read(kernel: Callable[[Kernel], None]) -> None:
    def behaviour(_request: int, header: sg_io.SgIoHeader) -> int:
        header.resid = 99
        return 0

    kernel(behaviour)
    assert sg_io.SgIo(no_descriptor).scsi(TURS, timeout_ms=5, read=8).data == b""


@pytest.mark.parametrize("timeout", [0, -1, 1 << 32])
def test_no_command_goes_out_without_a_timeout_of_its_own(timeout: int) -> None:
    with pytest.raises(ValueError, match="timeout"):
        sg_io.SgIo(no_descriptor).scsi(TURS, timeout_ms=timeout)
    with pytest.raises(ValueError, match="timeout"):
        opal_ioctl.OpalIoctl(no_descriptor).opal_psid_revert(b"x", timeout_ms=timeout)


def test_a_command_moves_data_one_way() -> None:
    with pytest.raises(ValueError, match="one way"):
        sg_io.SgIo(no_descriptor).scsi(TURS, timeout_ms=5, read=1, write=b"x")


# --- NVMe ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def admin(monkeypatch: pytest.MonkeyPatch) -> nvme_ioctl.NvmeAdmin:
    monkeypatch.setattr("fcntl.ioctl", lambda *_: 3)
    return nvme_ioctl.NvmeAdmin(lambda: 7)


def test_the_namespace_is_the_kernels_word(admin: nvme_ioctl.NvmeAdmin) -> None:
    assert admin.namespace_id == 3


def test_a_positive_result_is_the_controllers_status(
    admin: nvme_ioctl.NvmeAdmin, kernel: Callable[[Kernel], None]
) -> None:
    kernel(lambda _request, _passed: 0x4001)
    answer = admin.admin(NvmeCommand(opcode=0x84), timeout_ms=5, read=16)
    assert (answer.status, answer.code, answer.code_type, answer.data) == (0x4001, 1, 0, b"")


def test_an_old_kernel_gets_the_old_request(admin: nvme_ioctl.NvmeAdmin, kernel: Callable[[Kernel], None]) -> None:
    asked: list[int] = []

    def behaviour(request: int, passed: Any) -> int:  # noqa: ANN401 - either structure
        asked.append(request)
        if request == nvme_ioctl.NVME_IOCTL_ADMIN64_CMD:
            raise OSError(errno.ENOTTY, "unknown")
        assert (passed.opcode, passed.nsid, passed.cdw10, passed.timeout_ms) == (6, 0, 1, 9)
        ctypes.memmove(passed.addr, b"abcd", 4)
        passed.result = 5
        return 0

    kernel(behaviour)
    answer = admin.admin(NvmeCommand(opcode=6, cdw10=1), timeout_ms=9, read=4)
    assert asked == [nvme_ioctl.NVME_IOCTL_ADMIN64_CMD, nvme_ioctl.NVME_IOCTL_ADMIN_CMD]
    assert (answer.data, answer.result) == (b"abcd", 5)


@pytest.mark.parametrize("behaviour", [fails(errno.EINTR), lambda *_: 0x371, lambda *_: 0x4371])
def test_what_the_host_cancelled_may_have_been_carried_out(
    admin: nvme_ioctl.NvmeAdmin, kernel: Callable[[Kernel], None], behaviour: Kernel
) -> None:
    kernel(behaviour)
    with pytest.raises(CommandTimeout) as raised:
        admin.admin(NvmeCommand(opcode=0x80), timeout_ms=5)
    assert raised.value.sent
    assert raised.value.touched == "maybe"


def test_a_failed_path_is_no_answer_of_the_controller(
    admin: nvme_ioctl.NvmeAdmin, kernel: Callable[[Kernel], None]
) -> None:
    kernel(lambda *_: 0x370)
    with pytest.raises(HostRejected):
        admin.admin(NvmeCommand(opcode=0x80), timeout_ms=5)


# --- eMMC, Opal, ranges -------------------------------------------------------------------------------------------


def test_a_sequence_of_card_commands_goes_out_as_one(kernel: Callable[[Kernel], None]) -> None:
    def behaviour(request: int, passed: Any) -> int:  # noqa: ANN401 - a structure made for the length
        assert (request, passed.count) == (mmc_ioctl.MMC_IOC_MULTI_CMD, 2)
        first, second = passed.commands
        assert (first.opcode, first.arg, first.write_flag, first.cmd_timeout_ms) == (6, 0x03A50101, 1, 8)
        ctypes.memmove(second.data_ptr, b"x" * 512, 512)
        passed.commands[1].response[0] = 0x900
        return 0

    kernel(behaviour)
    commands = (
        MmcCommand(opcode=6, argument=0x03A50101, flags=0x49D, write=True),
        MmcCommand(opcode=8, argument=0, flags=0xB5, block_bytes=512, blocks=1),
    )
    switched, read = mmc_ioctl.MmcIoctl(no_descriptor).mmc(commands, timeout_ms=8)
    assert (switched.data, read.data, read.response[0]) == (b"", b"x" * 512, 0x900)


def test_the_status_of_a_revert_is_never_lost(kernel: Callable[[Kernel], None]) -> None:
    handed: list[bytearray] = []

    def behaviour(request: int, key: bytearray) -> int:
        assert request == 0x410870E8
        assert (key[1], bytes(key[8:12]), len(key)) == (4, b"PSID", 264)
        handed.append(key)
        return 1

    kernel(behaviour)
    assert opal_ioctl.OpalIoctl(no_descriptor).opal_psid_revert(b"PSID", timeout_ms=1) == 1
    assert not any(handed[0])


def test_a_device_that_does_not_discard_says_so(kernel: Callable[[Kernel], None]) -> None:
    asked: list[tuple[int, bytes]] = []
    kernel(lambda request, argument: asked.append((request, bytes(argument))) or 0)  # type: ignore[func-returns-value]
    assert block_ranges.BlockRanges(no_descriptor).discard(512, 1024, secure=True)
    assert asked == [(0x127D, (512).to_bytes(8, "little") + (1024).to_bytes(8, "little"))]
    kernel(fails(errno.EOPNOTSUPP))
    assert not block_ranges.BlockRanges(no_descriptor).discard(0, 512, secure=False)
    kernel(fails(errno.EIO))
    with pytest.raises(HostRejected):
        block_ranges.BlockRanges(no_descriptor).discard(0, 512, secure=False)


# --- which device has which ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("sda", {"scsi", "opal", "ranges"}),
        ("sdaa", {"scsi", "opal", "ranges"}),
        ("nvme0n1", {"nvme", "opal", "ranges"}),
        ("mmcblk0", {"mmc", "ranges"}),
        ("loop0", {"ranges"}),
        ("vda", {"ranges"}),
        ("sda1", {"ranges"}),
        ("nvme0n1p1", {"ranges"}),
        ("mmcblk0boot0", {"ranges"}),
        ("mmcblk0p1", {"ranges"}),
        ("md127", {"ranges"}),
        ("", {"ranges"}),
    ],
)
def test_interfaces_are_those_of_whole_devices_by_the_kernels_name(
    monkeypatch: pytest.MonkeyPatch, name: str, found: set[str]
) -> None:
    monkeypatch.setattr("fcntl.ioctl", lambda *_: 1)
    has = ports.ports_of(name, lambda: 7)
    assert {word for word in ("scsi", "nvme", "mmc", "opal", "ranges") if getattr(has, word) is not None} == found
    kinds = ((has.scsi, ScsiPort), (has.nvme, NvmePort), (has.mmc, MmcPort), (has.opal, OpalPort))
    assert all(port is None or isinstance(port, kind) for port, kind in kinds)
    assert isinstance(has.ranges, RangePort)


def test_a_closed_device_sends_nothing_to_the_file_that_got_its_number() -> None:
    with pytest.raises(HostRejected) as raised:
        sg_io.SgIo(lambda: -1).scsi(TURS, timeout_ms=5)
    assert raised.value.touched == "no"
