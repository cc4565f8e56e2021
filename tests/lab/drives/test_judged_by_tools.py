"""hdparm and sg3_utils read what the emulated drives say of themselves, as bytes on standard input: no kernel, no device."""

from __future__ import annotations

import re
import struct
import subprocess

import pytest

from tests.support.capabilities import requires_tool

from .ata import AtaDrive
from .ata_identify import AtaModel
from .ata_registers import Taskfile
from .faults import Faults
from .medium import Medium
from .sat import SataDisk, encode_16
from .scsi import ScsiDisk
from .scsi_pages import ScsiModel

BLOCKS = 131072


def judged(*words: str, given: str = "") -> str:
    done = subprocess.run(words, input=given, capture_output=True, text=True, check=True, timeout=60)
    return re.sub(r"[ \t]+", " ", done.stdout)


def hdparm(drive: AtaDrive) -> str:
    words = struct.unpack("<256H", drive.identify())
    return judged("hdparm", "--Istdin", given=" ".join(f"{word:04x}" for word in words))


def hexadecimal(raw: bytes) -> str:
    return " ".join(f"{byte:02x}" for byte in raw)


def page(disk: ScsiDisk, number: int) -> str:
    disk.attention = None
    _, _, raw = disk.command(bytes((0x12, 1, number, 0, 0xFF, 0)), b"")
    return judged("sg_vpd", "--inhex=-", f"--page={number:#x}", given=hexadecimal(raw))


@requires_tool("hdparm")
def test_hdparm_reads_a_good_drive() -> None:
    told = hdparm(AtaDrive(Medium(BLOCKS), serial="LAB4711"))
    for line in (
        "Serial Number: LAB4711",
        "LBA48 user addressable sectors: 131072",
        "Nominal Media Rotation Rate: Solid State Device",
        "* SANITIZE feature set",
        "* CRYPTO_SCRAMBLE_EXT command",
        "* OVERWRITE_EXT command",
        "* BLOCK_ERASE_EXT command",
        "* SANITIZE_ANTIFREEZE_LOCK_EXT command",
        "not frozen",
        "supported: enhanced erase",
        "2min for SECURITY ERASE UNIT. 2min for ENHANCED SECURITY ERASE UNIT.",
        "Checksum: correct",
    ):
        assert line in told


@requires_tool("hdparm")
def test_hdparm_reads_a_hard_disk_with_blocks_of_4096_bytes() -> None:
    told = hdparm(AtaDrive(Medium(BLOCKS // 8), model=AtaModel.magnetic(sector_bytes=4096, physical_exponent=0)))
    assert "Logical Sector size: 4096 bytes" in told
    assert "Nominal Media Rotation Rate: 7200" in told
    assert "BLOCK_ERASE_EXT" not in told


@requires_tool("hdparm")
@pytest.mark.parametrize("minutes", [30, 600])
def test_hdparm_reads_the_erase_times_in_both_forms(minutes: int) -> None:
    told = hdparm(AtaDrive(Medium(BLOCKS), model=AtaModel(erase_minutes=minutes)))
    assert f"{minutes}min for SECURITY ERASE UNIT" in told


@requires_tool("hdparm")
def test_hdparm_reads_the_states_of_security() -> None:
    drive = AtaDrive(Medium(BLOCKS, faults=Faults(frozen=True)))
    assert re.search(r"\n\s*frozen", hdparm(drive))
    drive.medium.faults.frozen = False
    drive.power_on()
    drive.security.execute(0xF1, b"\0\1" + b"password".ljust(510, b"\0"))
    drive.power_cut()
    drive.power_on()
    told = hdparm(drive)
    assert re.search(r"\n\s*enabled\n\s*locked\n", told)
    assert "Security level maximum" in told


@requires_tool("sg_vpd", "sg_inq")
def test_sg3_utils_read_the_pages() -> None:
    disk = ScsiDisk(Medium(BLOCKS), serial="LAB4711", model=ScsiModel(write_after_block_erase=3))
    assert "Unit serial number: LAB4711" in page(disk, 0x80)
    named = page(disk, 0x83)
    assert "vendor specific: SAS DISK LAB4711" in named
    assert f"0x{disk.wwn:x}" in named
    assert "Maximum unmap LBA count: 65536" in page(disk, 0xB0)
    traits = page(disk, 0xB1)
    assert "Nominal rotation rate: 10000 rpm" in traits
    assert "WABEREQ=3" in traits
    assert "WACEREQ=0" in traits
    assert "Unmap command supported (LBPU): 1" in page(disk, 0xB2)
    _, _, raw = disk.command(bytes((0x12, 0, 0, 0, 0xFF, 0)), b"")
    told = judged("sg_inq", "--inhex=-", given=hexadecimal(raw))
    assert "Vendor identification: LAB" in told
    assert "Peripheral device type: disk" in told


@requires_tool("sg_decode_sense")
def test_sg3_utils_read_the_sense_data() -> None:
    disk = ScsiDisk(Medium(BLOCKS, faults=Faults(seconds=4)))
    disk.attention = None
    disk.command(bytes((0x48, 0x82)) + bytes(8), b"")
    disk.medium.clock.sleep(1)
    for asks in (bytes((0x03, 0, 0, 0, 252, 0)), bytes((0x03, 1, 0, 0, 252, 0))):
        _, _, sense = disk.command(asks, b"")
        told = judged("sg_decode_sense", *hexadecimal(sense).split())
        assert "sanitize in progress" in told
        assert "25" in told  # per cent


@requires_tool("sg_decode_sense")
def test_sg3_utils_read_the_registers() -> None:
    disk = SataDisk(AtaDrive(Medium(BLOCKS, faults=Faults(seconds=4))))
    disk.attention = None
    erase = Taskfile(command=0xB4, feature=0x12, lba=0x426B4572, extend=True)
    _, sense, _ = disk.command(encode_16(erase, protocol=3, direction=0x20), b"")
    told = judged("sg_decode_sense", *hexadecimal(sense).split())
    assert "ATA pass through information available" in told
    assert "extend=1 error=0x0" in told
    assert "count=0x4000" in told
    assert "status=0x50" in told
