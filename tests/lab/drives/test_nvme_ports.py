"""The emulated drives behind the product's interfaces answer as Linux would."""

from __future__ import annotations

import errno
from collections.abc import Callable

import pytest

from sanitizer.errors import CommandTimeout, DeviceGone, HostRejected
from sanitizer.transport.commands import MmcCommand, MmcPort, NvmeCommand, NvmePort, OpalPort

from .emmc import EmmcDevice, EmmcModel
from .faults import Faults
from .medium import Medium
from .nvme_asking import SECRET, drive
from .nvme_ports import EmulatedMmcPort, EmulatedNvmePort, EmulatedOpalPort, MmcBlocks, NvmeBlocks
from .opal import PSID

IDENTIFY = NvmeCommand(opcode=0x06, cdw10=1)
BLOCK_ERASE = NvmeCommand(opcode=0x84, cdw10=2)
FORMAT = NvmeCommand(opcode=0x80, nsid=1, cdw10=1 << 9)


def card(model: EmmcModel | None = None, **faults: object) -> EmmcDevice:
    made = EmmcDevice(Medium(4096, faults=Faults(**faults)), model or EmmcModel())  # type: ignore[arg-type]
    made.fill(SECRET)
    return made


def switch(index: int) -> tuple[MmcCommand, ...]:
    return (MmcCommand(opcode=6, argument=3 << 24 | index << 16 | 1 << 8 | 1, flags=0x49D, write=True),)


def test_they_are_the_interfaces_they_stand_for() -> None:
    controller = drive()
    assert isinstance(EmulatedNvmePort(controller), NvmePort)
    assert isinstance(EmulatedOpalPort(controller.subsystem.opal), OpalPort)
    assert isinstance(EmulatedMmcPort(card()), MmcPort)


def test_admin_commands_carry_every_field() -> None:
    port = EmulatedNvmePort(drive())
    assert port.admin(IDENTIFY, timeout_ms=1000, read=4096).data[4:11] == b"LABNVME"
    log = NvmeCommand(opcode=0x02, nsid=0xFFFFFFFF, cdw10=0x03 | 1 << 16, cdw12=8)
    assert port.admin(log, timeout_ms=1000, read=8).data[:4] == b"LAB1"
    overwrite = NvmeCommand(opcode=0x84, cdw10=3 | 1 << 4 | 0x200, cdw11=0x44332211)
    assert port.admin(overwrite, timeout_ms=1000).status == 0
    assert NvmeBlocks(port.controller).read(0, 1)[:4].hex() == "11223344"
    assert port.admin(NvmeCommand(opcode=0x7C), timeout_ms=1000).status == 0x4001


@pytest.mark.parametrize("faults", [Faults(silent=True), Faults(reset="lost"), Faults(seconds=60, stall_at=0.5)])
def test_silence_and_resets_are_cancelled_commands(faults: Faults) -> None:
    controller = drive()
    controller.subsystem.medium.faults = faults
    with pytest.raises(CommandTimeout):
        EmulatedNvmePort(controller).admin(FORMAT, timeout_ms=1000)


def test_a_silent_drive_costs_the_whole_time() -> None:
    controller = drive(faults=Faults(silent=True))
    with pytest.raises(CommandTimeout):
        EmulatedNvmePort(controller).admin(IDENTIFY, timeout_ms=30_000, read=4096)
    assert controller.subsystem.medium.clock.now() == 30


def test_a_command_that_takes_longer_than_it_may_is_cancelled() -> None:
    with pytest.raises(CommandTimeout):
        EmulatedNvmePort(drive(faults=Faults(seconds=60))).admin(FORMAT, timeout_ms=59_000)
    assert EmulatedNvmePort(drive(faults=Faults(seconds=60))).admin(FORMAT, timeout_ms=61_000).status == 0


def test_a_pulled_drive_is_gone() -> None:
    controller = drive(faults=Faults(vanish_after=0))
    with pytest.raises(DeviceGone):
        EmulatedNvmePort(controller).admin(IDENTIFY, timeout_ms=1000, read=4096)


def test_blocks_are_read_and_written_and_errors_are_those_of_the_kernel() -> None:
    controller = drive(faults=Faults(bad_reads=((9, 1),), bad_writes=((8, 1),)))
    blocks = NvmeBlocks(controller)
    assert blocks.capacity() == (4096, 512, False)
    blocks.write(0, b"A" * 1024)
    blocks.flush()
    assert blocks.read(1, 1) == b"A" * 512
    for number, ask in (
        (errno.ENODATA, lambda: blocks.read(9, 1)),
        (errno.ENODATA, lambda: blocks.write(8, bytes(512))),
        (errno.EREMOTEIO, lambda: blocks.read(4096, 1)),
    ):
        assert refused_with(ask) == number
    controller.subsystem.medium.faults.seconds = 60
    blocks.port.admin(BLOCK_ERASE, timeout_ms=1000)
    assert refused_with(lambda: blocks.read(0, 1)) == errno.EIO


def refused_with(ask: Callable[[], object]) -> int | None:
    with pytest.raises(OSError) as caught:  # noqa: PT011 - the number is looked at
        ask()
    return caught.value.errno


def test_capacity_is_what_the_drive_says_now() -> None:
    controller = drive(faults=Faults(seconds=60, capacity_during="zero"))
    blocks = NvmeBlocks(controller)
    blocks.port.admin(BLOCK_ERASE, timeout_ms=1000)
    assert blocks.capacity()[0] == 0
    controller.subsystem.medium.faults.capacity_during = "refused"
    assert blocks.capacity()[0] == 0
    controller.subsystem.medium.clock.sleep(60)
    assert blocks.capacity()[0] == 4096


def test_a_psid_reverts_and_a_wrong_one_is_not_authorised() -> None:
    controller = drive()
    opal = controller.subsystem.opal
    assert opal is not None
    opal.lock()
    port = EmulatedOpalPort(opal)
    assert port.opal_psid_revert(b"X" * 32, timeout_ms=1000) == 1
    assert opal.locked
    assert port.opal_psid_revert(PSID, timeout_ms=1000) == 0
    assert controller.subsystem.medium.remains(SECRET) == ([], [])
    with pytest.raises(HostRejected):
        EmulatedOpalPort(None).opal_psid_revert(PSID, timeout_ms=1000)


def test_mmc_sequences_and_the_sanitize_the_kernel_sends_itself() -> None:
    device = card()
    port = EmulatedMmcPort(device)
    erase = (
        MmcCommand(opcode=35, argument=0, flags=0x95),
        MmcCommand(opcode=36, argument=4095 * 512, flags=0x95),
        MmcCommand(opcode=38, argument=0, flags=0x49D),
    )
    assert [one.response[0] for one in port.mmc(erase, timeout_ms=1000)] == [0x900] * 3
    assert port.mmc(switch(165), timeout_ms=1000)[0].response == (0, 0, 0, 0)
    assert "user" not in device.remains(SECRET)
    blocks = MmcBlocks(device)
    blocks.write(1, b"B" * 512)
    blocks.flush()
    assert (blocks.capacity(), blocks.read(1, 1)) == ((4096, 512, False), b"B" * 512)
    ranges = blocks.ports.ranges
    assert ranges is not None
    assert ranges.discard(512, 512, secure=False)
    assert blocks.read(1, 1) == bytes(512)
    assert not ranges.discard(512, 512, secure=True)


@pytest.mark.parametrize(
    ("device", "number"),
    [(card(EmmcModel(sanitize=False)), errno.EOPNOTSUPP), (card(refuses=frozenset({"sanitize"})), errno.EBADMSG)],
    ids=["unsupported", "refused"],
)
def test_a_sanitize_that_is_refused_is_an_errno(device: EmmcDevice, number: int) -> None:
    with pytest.raises(HostRejected) as caught:
        EmulatedMmcPort(device).mmc(switch(165), timeout_ms=1000)
    assert caught.value.errno == number
