"""A USB bridge in front of a drive: what it does to the commands it passes, drops or mangles."""

from __future__ import annotations

from typing import Literal

from .faults import NoAnswer
from .sat import ATA_12, ATA_16
from .scsi_base import Result, ScsiTarget
from .sense import CHECK_CONDITION, GOOD, Layout, Sense

Habit = Literal["passes", "refuses", "swallows", "pretends", "only-12", "truncates-sense"]
"""passes: everything goes through. refuses: pass-through is an unknown command. swallows: pass-through is never answered.
pretends: pass-through answers GOOD and never reaches the drive. only-12: ATA PASS-THROUGH (16) is an unknown command.
truncates-sense: sense data end after 18 bytes, before the status register."""

_BEYOND_BLOCKS = {ATA_16, ATA_12, 0x48, 0x04, 0xA2, 0xB5, 0xA3}


class UsbBridge:
    """A target in front of a target, with a serial number of its own."""

    def __init__(self, target: ScsiTarget, habit: Habit, *, serial: str = "BRIDGE01") -> None:
        self.target = target
        self.habit = habit
        self.serial = serial

    def command(self, cdb: bytes, data_out: bytes) -> Result:
        """One CDB, passed on or not."""
        if cdb[0] == 0x12 and cdb[1] & 1:
            return self._vital(cdb)
        if cdb[0] in _BEYOND_BLOCKS and self.habit in {"refuses", "swallows", "pretends"}:
            return self._dropped(cdb)
        if cdb[0] == ATA_16 and self.habit == "only-12":
            return self._unknown()
        status, sense, data = self.target.command(cdb, data_out)
        return status, sense[:18] if self.habit == "truncates-sense" else sense, data

    def _vital(self, cdb: bytes) -> Result:
        """Its own serial number (page 80h) and nothing of the drive behind."""
        page = {0x00: bytes((0x00, 0x80)), 0x80: self.serial.encode("ascii")}.get(cdb[2])
        if page is None:
            return CHECK_CONDITION, Sense(key=5, code=0x24).raw(_LAYOUT), b""
        return GOOD, b"", (bytes((0, cdb[2], 0, len(page))) + page)[: cdb[3] << 8 | cdb[4]]

    def _dropped(self, cdb: bytes) -> Result:
        if self.habit == "swallows":
            raise NoAnswer
        if self.habit == "pretends" and cdb[0] != 0xA3:
            return GOOD, b"", b""
        return self._unknown()

    @staticmethod
    def _unknown() -> Result:
        return CHECK_CONDITION, Sense(key=5, code=0x20).raw(_LAYOUT), b""

    def power_cut(self) -> None:
        """See `ScsiTarget`."""
        self.target.power_cut()

    def power_on(self) -> None:
        """See `ScsiTarget`."""
        self.target.power_on()

    def reset(self) -> None:
        """See `ScsiTarget`."""
        self.target.reset()


_LAYOUT: Layout = "fixed"
