"""The in-process ports: what the kernel does between a drive and the product."""

from __future__ import annotations

import errno

import pytest

from sanitizer.errors import CommandTimeout, DeviceGone, HostReset
from sanitizer.transport.base import OpenDevice, RequestFailed
from sanitizer.transport.commands import ScsiPort

from .ata import AtaDrive
from .clock import ManualClock
from .faults import Faults
from .medium import Medium
from .ports import EmulatedDevice, ScsiBlocks, TargetPort
from .sat import SataDisk
from .scsi import ScsiDisk

BLOCKS = 4096
IDENTIFY = bytes.fromhex("85 08 0e 00 00 00 01 00 00 00 00 00 00 40 ec 00")
SANITIZE = bytes.fromhex("48 02 00 00 00 00 00 00 00 00")


def medium(faults: Faults | None = None) -> Medium:
    return Medium(BLOCKS, faults=faults, clock=ManualClock())


def sas(faults: Faults | None = None) -> ScsiDisk:
    return ScsiDisk(medium(faults))


def port(disk: ScsiDisk | SataDisk) -> TargetPort:
    disk.attention = None
    return TargetPort(disk, disk.medium.clock)


def devices() -> list[EmulatedDevice]:
    """One of each kind, of 2 MiB."""
    disk, sata, clock = sas(), SataDisk(AtaDrive(medium())), ManualClock()
    return [EmulatedDevice(ScsiBlocks(each, clock), clock) for each in (disk, sata)]


def test_they_are_what_the_product_asks_for() -> None:
    device = devices()[0]
    assert isinstance(device, OpenDevice)
    assert isinstance(device.ports().scsi, ScsiPort)


@pytest.mark.parametrize("number", range(2))
def test_blocks_go_out_and_come_back(number: int) -> None:
    device = devices()[number]
    assert device.geometry().size_bytes == BLOCKS * 512
    assert device.write([memoryview(b"A" * 512), memoryview(b"B" * 512)], 1024) == 1024
    device.flush()
    seen = bytearray(1536)
    assert device.read(memoryview(seen), 512) == 1536
    assert bytes(seen) == bytes(512) + b"A" * 512 + b"B" * 512


def test_requests_end_where_the_device_does() -> None:
    device = devices()[0]
    assert device.write([memoryview(b"A" * 1024)], (BLOCKS - 1) * 512) == 512
    assert device.read(memoryview(bytearray(1024)), (BLOCKS - 1) * 512) == 512
    assert device.read(memoryview(bytearray(512)), BLOCKS * 512) == 0
    with pytest.raises(RequestFailed) as failed:
        device.write([memoryview(b"A" * 512)], BLOCKS * 512)
    assert failed.value.errno == errno.ENOSPC


def test_a_request_that_is_no_whole_block_is_refused() -> None:
    with pytest.raises(RequestFailed) as failed:
        devices()[0].read(memoryview(bytearray(100)), 0)
    assert failed.value.errno == errno.EINVAL


def test_a_medium_error_is_a_failed_request() -> None:
    disk = sas(Faults(bad_reads=((0, 1),)))
    device = EmulatedDevice(ScsiBlocks(disk, disk.medium.clock), disk.medium.clock)
    with pytest.raises(RequestFailed) as failed:
        device.read(memoryview(bytearray(512)), 0)
    assert failed.value.errno == errno.ENODATA


def test_an_answer_is_a_value_and_a_no_as_well() -> None:
    sata = SataDisk(AtaDrive(medium()))
    answer = port(sata).scsi(IDENTIFY, timeout_ms=1000, read=512)
    assert (answer.status, len(answer.data)) == (0, 512)
    refused = port(sas()).scsi(IDENTIFY, timeout_ms=1000, read=512)
    assert (refused.status, refused.sense[2], refused.data) == (2, 5, b"")


def test_what_takes_longer_than_its_timeout_has_no_answer() -> None:
    disk = sas(Faults(seconds=100))
    with pytest.raises(CommandTimeout) as timeout:
        port(disk).scsi(SANITIZE, timeout_ms=20_000)
    assert timeout.value.sent
    assert disk.medium.erasure.begun == 1


def test_silence_costs_the_whole_timeout() -> None:
    disk = sas(Faults(silent=True))
    with pytest.raises(CommandTimeout):
        port(disk).scsi(SANITIZE, timeout_ms=20_000)
    assert disk.medium.clock.now() == 20


def test_a_drive_that_is_pulled_is_gone() -> None:
    disk = sas(Faults(vanish_after=0))
    with pytest.raises(DeviceGone):
        port(disk).scsi(SANITIZE, timeout_ms=1000)
    device = EmulatedDevice(ScsiBlocks(disk, disk.medium.clock), disk.medium.clock)
    with pytest.raises(DeviceGone):
        device.geometry()


def test_a_reset_is_told_as_one() -> None:
    with pytest.raises(HostReset):
        port(sas(Faults(reset="lost"))).scsi(SANITIZE, timeout_ms=1000)


def test_sense_data_end_where_they_say() -> None:
    sata = SataDisk(AtaDrive(medium()), layout="fixed-old")
    status = bytes.fromhex("85 07 20 00 00 00 00 00 00 00 00 00 00 40 b4 00")
    assert len(port(sata).scsi(status, timeout_ms=1000).sense) == 18


def test_a_closed_descriptor_gives_no_ports() -> None:
    device = devices()[0]
    device.close()
    with pytest.raises(AssertionError):
        device.ports()
