"""ATA PASS-THROUGH of the emulated translation layer and bridges: three layouts of one answer, and what bridges do to it."""

from __future__ import annotations

import pytest

from .ata import AtaDrive
from .ata_registers import Taskfile
from .faults import Faults, NoAnswer
from .medium import Medium
from .sat import SataDisk, encode_16
from .scsi_base import Result
from .sense import Layout
from .usb_bridge import Habit, UsbBridge

IDENTIFY = encode_16(Taskfile(command=0xEC, count=1), protocol=4, direction=0x0E)
BLOCK_ERASE = encode_16(Taskfile(command=0xB4, feature=0x12, lba=0x426B4572, extend=True), protocol=3, direction=0x20)
STATUS = encode_16(Taskfile(command=0xB4, extend=True), protocol=3, direction=0x20)


def sata(layout: Layout = "descriptor", **faults: object) -> SataDisk:
    made = SataDisk(AtaDrive(Medium(4096, faults=Faults(**faults))), layout=layout)  # type: ignore[arg-type]  # field names
    made.attention = None
    return made


def running(layout: Layout) -> SataDisk:
    made = sata(layout, seconds=4)
    made.command(BLOCK_ERASE, b"")
    made.medium.clock.sleep(1)
    return made


def test_identify_comes_as_data_without_sense_unless_registers_are_asked_for() -> None:
    made = sata()
    assert made.command(IDENTIFY, b"") == (0, b"", made.ata.identify())
    asked = IDENTIFY[:2] + b"\x2e" + IDENTIFY[3:]
    status, sense, data = made.command(asked, b"")
    assert (status, sense[:4], data) == (2, b"\x72\x01\x00\x1d", made.ata.identify())


@pytest.mark.parametrize("layout", ["descriptor", "libata", "libata-old"])
def test_registers_in_descriptor_format(layout: Layout) -> None:
    status, sense, _ = running(layout).command(STATUS, b"")
    assert status == 2
    assert sense[:8] == b"\x72\x01\x00\x1d\0\0\0\x0e"
    assert sense[8:] == bytes((9, 12, 1, 0, 0x40, 0, 0, 0, 0, 0x40, 0, 0, 0x40, 0x50))


def test_registers_in_fixed_format_as_it_is_now() -> None:
    _, sense, _ = running("fixed").command(STATUS, b"")
    assert sense == bytes.fromhex("f0 00 01 00 50 40 00 0a c0 00 40 00 00 1d 00 00 00 00")


def test_registers_in_fixed_format_as_it_was() -> None:
    _, sense, _ = running("fixed-old").command(STATUS, b"")
    assert sense == bytes.fromhex("70 00 01 00 00 00 00 0a 00 50 40 00 00 1d 00 00 c0 00 40 00")


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        ("descriptor", "72 0b 00 00 00 00 00 0e 09 0c 01 04 00 00 00 03 00 00 00 00 40 51"),
        ("libata", "f0 00 0b 04 51 40 00 0a 80 03 00 00 00 00 00 00 00 00"),
        ("libata-old", "70 00 0b 00 00 00 00 0a 04 51 40 00 00 00 00 00 80 03 00 00"),
    ],
)
def test_an_aborted_command_gives_its_reason_in_every_layout(layout: Layout, expected: str) -> None:
    made = sata(layout, sanitize_frozen=True)
    status, sense, _ = made.command(BLOCK_ERASE, b"")
    assert (status, sense) == (2, bytes.fromhex(expected))


def test_ata_12_carries_28_bits() -> None:
    made = sata()
    made.medium.write(0x123, b"A" * 512)
    raw = bytes((0xA1, 0x0C, 0x0E, 0, 1, 0x23, 0x01, 0x00, 0x40, 0xC8, 0, 0))
    assert made.command(raw, b"") == (0, b"", b"A" * 512)


def test_a_protocol_nobody_knows_is_an_invalid_field() -> None:
    status, sense, _ = sata("fixed").command(bytes((0x85, 0x1E)) + bytes(14), b"")
    assert (status, sense[2], sense[12]) == (2, 5, 0x24)


def test_scsi_sanitize_is_no_command_of_a_translation_layer() -> None:
    made = sata("fixed")
    status, sense, _ = made.command(bytes((0x48, 0x82)) + bytes(8), b"")
    assert (status, sense[2], sense[12]) == (2, 5, 0x20)
    status, _, data = made.command(bytes((0xA3, 0x0C, 2, 0x48, 0, 2, 0, 0, 0, 64, 0, 0)), b"")
    assert (status, data[1]) == (0, 1)


def test_ata_information_holds_the_identify_data() -> None:
    made = sata()
    _, _, page = made.command(bytes((0x12, 1, 0x89, 2, 0x3C, 0)), b"")
    assert (len(page), page[56], page[60:]) == (572, 0xEC, made.ata.identify())


def test_a_locked_drive_gives_no_blocks() -> None:
    made = sata("fixed")
    made.ata.security.user = b"x" * 32
    made.power_cut()
    made.power_on()
    made.attention = None
    status, sense, _ = made.command(bytes((0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0)), b"")
    assert (status, sense[2]) == (2, 0xB)


# Bridges


def through(habit: Habit, raw: bytes) -> Result:
    return UsbBridge(sata(), habit).command(raw, b"")


def test_a_bridge_that_passes_everything_changes_only_the_serial() -> None:
    made = sata()
    bridge = UsbBridge(made, "passes")
    assert bridge.command(IDENTIFY, b"") == made.command(IDENTIFY, b"")
    assert bridge.command(bytes((0x12, 1, 0x80, 0, 64, 0)), b"")[2] == b"\0\x80\0\x08BRIDGE01"


def test_a_bridge_that_refuses_knows_no_such_command() -> None:
    status, sense, _ = through("refuses", IDENTIFY)
    assert (status, sense[2], sense[12]) == (2, 5, 0x20)


def test_a_bridge_that_swallows_leaves_the_host_waiting() -> None:
    with pytest.raises(NoAnswer):
        through("swallows", IDENTIFY)


def test_a_bridge_that_pretends_answers_good_and_does_nothing() -> None:
    made = sata()
    assert UsbBridge(made, "pretends").command(BLOCK_ERASE, b"") == (0, b"", b"")
    assert made.medium.erasure.begun == 0


def test_a_bridge_that_knows_only_the_short_command() -> None:
    assert through("only-12", IDENTIFY)[0] == 2
    assert len(through("only-12", bytes((0xA1, 0x08, 0x0E, 0, 1, 0, 0, 0, 0x40, 0xEC, 0, 0)))[2]) == 512


def test_a_bridge_that_truncates_sense_loses_the_status_register() -> None:
    status, sense, _ = through("truncates-sense", STATUS)
    assert (status, len(sense)) == (2, 18)
