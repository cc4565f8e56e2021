"""What goes into an ATA drive and what comes out: the fields of a command and of its answer (ACS-3, 6 and 7)."""

from __future__ import annotations

from dataclasses import dataclass

ABRT = 0x04
IDNF = 0x10
UNC = 0x40

STATUS_READY = 0x50
"""DRDY, and the bit that was seek complete once."""
STATUS_ERROR = 0x51

SECTOR = 512
"""A page of data that is not user data."""


@dataclass(frozen=True, kw_only=True)
class Taskfile:
    """A command; with `extend` 16 bit features and counts and 48 bit addresses, without 8, 8 and 28."""

    command: int
    feature: int = 0
    count: int = 0
    lba: int = 0
    device: int = 0x40
    extend: bool = False


@dataclass(kw_only=True)
class Registers:
    """An answer."""

    status: int = STATUS_READY
    error: int = 0
    count: int = 0
    lba: int = 0
    device: int = 0x40
    extend: bool = False


class Abort(Exception):
    """The command ends with an error; some commands say why in the LBA field."""

    def __init__(self, error: int = ABRT, *, lba: int = 0) -> None:
        super().__init__(f"error {error:02x}h, lba {lba:x}h")
        self.error = error
        self.lba = lba
