"""Get Features and Set Features of an emulated NVMe controller (NVM Express Base 2.1, 5.2.26 and 5.1.12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .nvme_status import Refusal, Status

if TYPE_CHECKING:
    from .nvme_identify import NvmeNamespace
    from .nvme_subsystem import NvmeSubsystem

ARBITRATION, POWER, TEMPERATURE, RECOVERY, CACHE, QUEUES, COALESCING = 0x01, 0x02, 0x04, 0x05, 0x06, 0x07, 0x08
ATOMICITY, EVENTS, KEEP_ALIVE, SANITIZE_CONFIG, WRITE_PROTECTION = 0x0A, 0x0B, 0x0F, 0x17, 0x84
DEFAULTS = {
    ARBITRATION: 0,
    POWER: 0,
    TEMPERATURE: 343,
    RECOVERY: 0,
    CACHE: 1,
    QUEUES: 0x00030003,
    COALESCING: 0,
    ATOMICITY: 0,
    EVENTS: 0,
    KEEP_ALIVE: 0,
}
CURRENT, DEFAULT, SAVED, SUPPORTED = 0, 1, 2, 3
"""SEL, command dword 10 bits 10:8 of Get Features."""


class Features:
    """One controller's; what belongs to the subsystem is kept there."""

    def __init__(self, subsystem: NvmeSubsystem) -> None:
        self._subsystem = subsystem
        self._values = dict(DEFAULTS)

    def get(self, nsid: int, dwords: tuple[int, ...]) -> int:
        """The completion dword 0 of Get Features."""
        number, select = dwords[10] & 0xFF, dwords[10] >> 8 & 7
        if select == SUPPORTED:
            self._known(number)
            return 0x6 if number == WRITE_PROTECTION else 0x4  # changeable; bit 1: for each namespace
        if number == WRITE_PROTECTION:
            return int(self._namespace(nsid).write_protected) if select == CURRENT else 0
        if number == SANITIZE_CONFIG:
            return int(self._subsystem.sanitizer.warns) if select == CURRENT else 0
        self._known(number)
        return self._values[number] if select == CURRENT else DEFAULTS[number]

    def set(self, nsid: int, dwords: tuple[int, ...]) -> int:
        """The completion dword 0 of Set Features."""
        number, value = dwords[10] & 0xFF, dwords[11]
        if dwords[10] >> 31:
            raise Refusal(Status.FEATURE_NOT_SAVEABLE)
        if number == QUEUES:
            value = min(value & 0xFFFF, 3) | min(value >> 16, 3) << 16  # zero-based: at most four of each
        if number == WRITE_PROTECTION:
            if value & 7 > 1:
                raise Refusal(Status.INVALID_FIELD)  # until power cycle, and for good: NWPC has no bit for them
            self._namespace(nsid).write_protected = bool(value & 7)
            return 0
        if number == SANITIZE_CONFIG:
            self._subsystem.sanitizer.warns = bool(value & 1)
            return 0
        self._known(number)
        self._values[number] = value
        return value if number == QUEUES else 0

    def _known(self, number: int) -> None:
        optional = {WRITE_PROTECTION: self._subsystem.traits.write_protect, SANITIZE_CONFIG: True}
        if number not in DEFAULTS and not optional.get(number, False):
            raise Refusal(Status.INVALID_FIELD)

    def _namespace(self, nsid: int) -> NvmeNamespace:
        self._known(WRITE_PROTECTION)
        one = self._subsystem.allocated(nsid)
        if one is None:
            raise Refusal(Status.INVALID_NAMESPACE)
        return one
