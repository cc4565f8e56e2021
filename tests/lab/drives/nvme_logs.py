"""The log pages of an emulated NVMe controller, built field by field (NVM Express Base 2.1, Get Log Page)."""

from __future__ import annotations

import struct
from collections import deque
from dataclasses import dataclass, field

from .faults import Faults

ERRORS, SMART, FIRMWARE, CHANGED, EFFECTS, SANITIZE = 0x01, 0x02, 0x03, 0x04, 0x05, 0x81
NOT_REPORTED = 0xFFFFFFFF
IDLE = 0xFFFF
"""SPROG while nothing runs."""
ESTIMATES = (
    "overwrite",
    "block",
    "crypto",
    "overwrite-no-deallocate",
    "block-no-deallocate",
    "crypto-no-deallocate",
)
"""Estimates of the sanitize log in their order, from byte 8 on, four bytes each."""

_SUPPORTED, _CHANGES_DATA, _CHANGES_NAMESPACES, _CHANGES_INVENTORY, _ALONE = 0x1, 0x2, 0x4, 0x8, 0x20000
"""Command effects: CSUPP, LBCC, NCC, NIC, and CSE 010b (no other command at the same time)."""


@dataclass
class ErrorLog:
    """The most recent commands that failed, newest first."""

    entries: deque[bytes] = field(default_factory=lambda: deque(maxlen=16))
    count: int = 0

    def add(self, queue: int, command_id: int, status: int, nsid: int, lba: int) -> None:
        """Remember one; the status field keeps its place above the phase bit."""
        self.count += 1
        entry = struct.pack("<QHHHHQI", self.count, queue, command_id, status << 1 & 0xFFFF, 0xFFFF, lba, nsid)
        self.entries.appendleft(entry.ljust(64, b"\0"))

    def page(self) -> bytes:
        """Log page 01h."""
        return b"".join(self.entries).ljust(16 * 64, b"\0")


def smart(*, faults: Faults, media_errors: int, read_units: int, written_units: int) -> bytes:
    """Log page 02h: reliability as it predicts, temperature, 97 of spare left of which 10 is the least, 3 worn."""
    page = bytearray(512)
    struct.pack_into("<BHBBB", page, 0, 4 if faults.predicts else 0, faults.celsius + 273, 97, 10, 3)
    page[128:144] = (1234).to_bytes(16, "little")
    page[32:48] = read_units.to_bytes(16, "little")
    page[48:64] = written_units.to_bytes(16, "little")
    page[160:176] = media_errors.to_bytes(16, "little")
    return bytes(page)


def firmware_slots(revision: str, pending: bool) -> bytes:
    """Log page 03h: slot 1 is active; slot 2 takes over at the next reset where an activation is pending."""
    page = bytearray(512)
    page[0] = 0x21 if pending else 0x01
    page[8:16] = revision.encode("ascii")[:8].ljust(8)
    if pending:
        page[16:24] = b"LAB2".ljust(8)
    return bytes(page)


def changed_namespaces(numbers: list[int]) -> bytes:
    """Log page 04h."""
    return struct.pack(f"<{len(numbers)}I", *sorted(numbers)).ljust(4096, b"\0")


def effects(admin: dict[int, int], io: dict[int, int]) -> bytes:
    """Log page 05h: one dword for each opcode, admin commands first."""
    page = bytearray(4096)
    for base, table in ((0, admin), (1024, io)):
        for opcode, value in table.items():
            struct.pack_into("<I", page, base + 4 * opcode, value)
    return bytes(page)


ADMIN_EFFECTS = {
    0x02: _SUPPORTED,
    0x06: _SUPPORTED,
    0x09: _SUPPORTED,
    0x0A: _SUPPORTED,
    0x0C: _SUPPORTED,
    0x0D: _SUPPORTED | _CHANGES_INVENTORY,
    0x15: _SUPPORTED | _CHANGES_INVENTORY,
    0x18: _SUPPORTED,
    0x80: _SUPPORTED | _CHANGES_DATA | _CHANGES_NAMESPACES | _ALONE,
    0x81: _SUPPORTED,
    0x82: _SUPPORTED,
    0x84: _SUPPORTED | _CHANGES_DATA | _ALONE,
}
IO_EFFECTS = {
    0x00: _SUPPORTED,
    0x01: _SUPPORTED | _CHANGES_DATA,
    0x02: _SUPPORTED,
    0x08: _SUPPORTED | _CHANGES_DATA,
    0x09: _SUPPORTED | _CHANGES_DATA,
}


@dataclass(frozen=True, kw_only=True)
class SanitizeReport:
    """What the Sanitize Status log says."""

    progress: int
    """SPROG, in 65,536ths; FFFFh while nothing runs."""
    outcome: int
    """SSTAT 2:0: 0 never, 1 succeeded, 2 in progress, 3 failed, 4 succeeded and deallocated though asked not to."""
    passes: int
    """SSTAT 7:3."""
    globally_erased: bool
    """SSTAT 8."""
    command: int
    """SCDW10."""
    state: int
    """Byte 36 bits 3:0, 0 where media verification is not supported."""
    failed_in: int
    """Byte 36 bits 7:4."""


def sanitize_status(report: SanitizeReport, estimates: dict[str, int | None]) -> bytes:
    """Log page 81h."""
    page = bytearray(512)
    status = report.outcome | report.passes << 3 | int(report.globally_erased) << 8
    struct.pack_into("<HHI", page, 0, report.progress, status, report.command)
    for number, name in enumerate(ESTIMATES):
        seconds = estimates.get(name)
        struct.pack_into("<I", page, 8 + 4 * number, NOT_REPORTED if seconds is None else seconds)
    page[36] = report.state | report.failed_in << 4
    return bytes(page)
