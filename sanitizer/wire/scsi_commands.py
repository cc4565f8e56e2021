"""SCSI commands as values: CDB, and what it moves (SPC-5, SBC-4). Building one sends nothing; big-endian throughout."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

SANITIZE, FORMAT_UNIT, SECURITY_PROTOCOL_IN, SECURITY_PROTOCOL_OUT = 0x48, 0x04, 0xA2, 0xB5
MAINTENANCE_IN, SERVICE_ACTION_IN_16 = 0xA3, 0x9E
LOG_SENSE, READ_DEFECT_DATA_12 = 0x4D, 0xB7
PHYSICAL_ELEMENT_STATUS, REMOVE_ELEMENT_AND_TRUNCATE = 0x17, 0x18
LONGEST_SENSE = 252


class SanitizeAction(IntEnum):
    """Service actions of SANITIZE (SBC-4, SANITIZE command)."""

    OVERWRITE = 0x01
    BLOCK_ERASE = 0x02
    CRYPTOGRAPHIC_ERASE = 0x03
    EXIT_FAILURE_MODE = 0x1F


_ACTION_NAMES = {
    SanitizeAction.OVERWRITE: "OVERWRITE",
    SanitizeAction.BLOCK_ERASE: "BLOCK ERASE",
    SanitizeAction.CRYPTOGRAPHIC_ERASE: "CRYPTOGRAPHIC ERASE",
    SanitizeAction.EXIT_FAILURE_MODE: "EXIT FAILURE MODE",
}


@dataclass(frozen=True, kw_only=True)
class ScsiCommand:
    """One SCSI command."""

    name: str
    """The standard's name, such as SANITIZE / BLOCK ERASE."""
    cdb: bytes
    read: int = 0
    """Bytes it may return at most."""
    data: bytes = field(default=b"", repr=False)
    """What it sends."""

    @property
    def opcode(self) -> int:
        """Operation code."""
        return self.cdb[0]


def test_unit_ready() -> ScsiCommand:
    """TEST UNIT READY (SPC-5)."""
    return ScsiCommand(name="TEST UNIT READY", cdb=bytes(6))


def request_sense(*, descriptor: bool = False) -> ScsiCommand:
    """REQUEST SENSE (SPC-5): the data is sense data, in descriptor format if DESC is set and the unit knows it."""
    cdb = bytes((0x03, int(descriptor), 0, 0, LONGEST_SENSE, 0))
    return ScsiCommand(name="REQUEST SENSE", cdb=cdb, read=LONGEST_SENSE)


def inquiry(length: int = 96) -> ScsiCommand:
    """Standard INQUIRY data (SPC-5)."""
    return ScsiCommand(name="INQUIRY", cdb=bytes((0x12, 0, 0)) + _be(length, 2) + b"\0", read=length)


def vital_product_data(page: int, length: int = 252) -> ScsiCommand:
    """INQUIRY with EVPD (SPC-5)."""
    cdb = bytes((0x12, 1, page)) + _be(length, 2) + b"\0"
    return ScsiCommand(name=f"INQUIRY / page {page:02x}h", cdb=cdb, read=length)


def read_capacity_16() -> ScsiCommand:
    """READ CAPACITY (16) (SBC-4)."""
    cdb = bytes((SERVICE_ACTION_IN_16, 0x10)) + bytes(8) + _be(32, 4) + bytes(2)
    return ScsiCommand(name="READ CAPACITY (16)", cdb=cdb, read=32)


def get_physical_element_status(length: int = 64) -> ScsiCommand:
    """GET PHYSICAL ELEMENT STATUS (SBC-4), FILTER 01b: only elements out of their specification, or taken out of use."""
    cdb = bytes((SERVICE_ACTION_IN_16, PHYSICAL_ELEMENT_STATUS)) + bytes(8) + _be(length, 4) + bytes((0x40, 0))
    return ScsiCommand(name="GET PHYSICAL ELEMENT STATUS", cdb=cdb, read=length)


def report_supported_operation(opcode: int, service_action: int | None = None) -> ScsiCommand:
    """REPORT SUPPORTED OPERATION CODES for one command (SPC-5): options 1 without, 2 with a service action; RCTD set."""
    options = 0x80 | (1 if service_action is None else 2)
    cdb = bytes((MAINTENANCE_IN, 0x0C, options, opcode)) + _be(service_action or 0, 2) + _be(64, 4) + bytes(2)
    return ScsiCommand(name=f"REPORT SUPPORTED OPERATION CODES / {opcode:02x}h", cdb=cdb, read=64)


def sanitize(action: SanitizeAction, *, unrestricted: bool = False, data: bytes = b"") -> ScsiCommand:
    """SANITIZE with IMMED (SBC-4). AUSE only if `unrestricted`: it lets a failed drive come back with its data.

    Raises:
        ValueError: a parameter list for another action than OVERWRITE, or none for it.
    """
    if bool(data) != (action is SanitizeAction.OVERWRITE):
        raise ValueError("OVERWRITE, and nothing else, has a parameter list")
    if action is SanitizeAction.EXIT_FAILURE_MODE and unrestricted:
        raise ValueError("AUSE is reserved for EXIT FAILURE MODE")
    first = 0x80 | 0x20 * unrestricted | action
    cdb = bytes((SANITIZE, first, 0, 0, 0, 0, 0)) + _be(len(data), 2) + b"\0"
    return ScsiCommand(name=f"SANITIZE / {_ACTION_NAMES[action]}", cdb=cdb, data=data)


def overwrite_parameters(pattern: bytes, *, passes: int = 1, invert: bool = False) -> bytes:
    """Parameter list of SANITIZE / OVERWRITE: TEST 0, 1 to 31 passes, the pattern repeated over each block."""
    if not 1 <= passes <= 31 or not 1 <= len(pattern) <= 0xFFFF:
        raise ValueError("1 to 31 passes of a pattern of 1 to 65,535 bytes")
    return bytes((0x80 * invert | passes, 0)) + _be(len(pattern), 2) + pattern


def format_unit(*, immediate: bool = True, protection: int = 0) -> ScsiCommand:
    """FORMAT UNIT with a short parameter list header (SBC-4): defaults of the device, FFMT 0 so that it is not fast.

    Args:
        immediate: Answer at once; progress is then asked with REQUEST SENSE.
        protection: FMTPINFO, 0 none to 3, so that a protected format stays one.
    """
    cdb = bytes((FORMAT_UNIT, (protection & 3) << 6 | 0x10, 0, 0, 0, 0))
    return ScsiCommand(name="FORMAT UNIT", cdb=cdb, data=bytes((0, 0x02 * immediate, 0, 0)))


def log_sense(page: int, length: int = 512) -> ScsiCommand:
    """LOG SENSE of cumulative values (SPC-5)."""
    cdb = bytes((LOG_SENSE, 0, 0x40 | page, 0, 0, 0, 0)) + _be(length, 2) + b"\0"
    return ScsiCommand(name=f"LOG SENSE / page {page:02x}h", cdb=cdb, read=length)


def read_grown_defects() -> ScsiCommand:
    """READ DEFECT DATA (12) of the grown list in bytes from index, header only: its length tells how many (SBC-4)."""
    cdb = bytes((READ_DEFECT_DATA_12, 0x0C)) + bytes(4) + _be(8, 4) + bytes(2)
    return ScsiCommand(name="READ DEFECT DATA (12)", cdb=cdb, read=8)


def mode_sense_10(page: int, *, descriptors: bool = True, length: int = 252, default: bool = False) -> ScsiCommand:
    """MODE SENSE (10) (SPC-5): with block descriptors in the long form if the device has it (LLBAA).

    Args:
        page: Mode page; 3Fh for all.
        descriptors: DBD clear.
        length: Allocation length in bytes.
        default: PC 10b: the values the device was made with, not the current ones.
    """
    first = 0x10 if descriptors else 0x08
    cdb = bytes((0x5A, first, 0x80 * default | page, 0, 0, 0, 0)) + _be(length, 2) + b"\0"
    return ScsiCommand(name=f"MODE SENSE (10) / page {page:02x}h", cdb=cdb, read=length)


def mode_select_10(parameters: bytes, *, save: bool) -> ScsiCommand:
    """MODE SELECT (10) with PF (SPC-5)."""
    cdb = bytes((0x55, 0x10 | int(save), 0, 0, 0, 0, 0)) + _be(len(parameters), 2) + b"\0"
    return ScsiCommand(name="MODE SELECT (10)", cdb=cdb, data=parameters)


def all_blocks_parameters(block_bytes: int) -> bytes:
    """Parameter list of MODE SELECT (10) that asks for every block the medium has (SBC-4, mode parameter block descriptor).

    NUMBER OF LOGICAL BLOCKS of all ones in the long descriptor sets the largest capacity.
    """
    header = bytes((0, 0, 0, 0, 1, 0)) + _be(16, 2)  # LONGLBA, one descriptor of sixteen bytes
    return header + b"\xff" * 8 + bytes(4) + _be(block_bytes, 4)


def security_protocol_in(protocol: int, specific: int, length: int = 512) -> ScsiCommand:
    """SECURITY PROTOCOL IN (SPC-5), length in bytes."""
    cdb = bytes((SECURITY_PROTOCOL_IN, protocol)) + _be(specific, 2) + bytes(2) + _be(length, 4) + bytes(2)
    return ScsiCommand(name=f"SECURITY PROTOCOL IN / {protocol:02x}h", cdb=cdb, read=length)


def security_protocol_out(protocol: int, specific: int, data: bytes) -> ScsiCommand:
    """SECURITY PROTOCOL OUT (SPC-5), length in bytes."""
    cdb = bytes((SECURITY_PROTOCOL_OUT, protocol)) + _be(specific, 2) + bytes(2) + _be(len(data), 4) + bytes(2)
    return ScsiCommand(name=f"SECURITY PROTOCOL OUT / {protocol:02x}h", cdb=cdb, data=data)


def synchronize_cache_10() -> ScsiCommand:
    """SYNCHRONIZE CACHE (10) of the whole medium (SBC-4)."""
    return ScsiCommand(name="SYNCHRONIZE CACHE (10)", cdb=bytes((0x35,)) + bytes(9))


def _be(value: int, size: int) -> bytes:
    return value.to_bytes(size, "big")
