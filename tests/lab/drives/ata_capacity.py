"""How much of itself an ATA drive shows: host protected area, device configuration overlay, accessible maximum address.

Three limits, one under the other: what is built in, what DCO leaves of it (the native maximum), what HPA or AMAX leaves of that.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from .ata_identify import sealed
from .ata_registers import IDNF, SECTOR, Abort, Registers, Taskfile

if TYPE_CHECKING:
    from .ata_identify import AtaModel
    from .medium import Medium

READ_NATIVE_MAX, READ_NATIVE_MAX_EXT, SET_MAX, SET_MAX_EXT = 0xF8, 0x27, 0xF9, 0x37
DCO, AMAX = 0xB1, 0x78

_MAX_28 = 0x0FFFFFFF


class Capacity:
    """Limits outlive power cuts, but for a volatile HPA; each may be changed once per power cycle."""

    def __init__(self, medium: Medium, model: AtaModel) -> None:
        self._medium = medium
        self._model = model
        self.built = medium.blocks
        self.native = medium.blocks
        """After DCO."""
        self.kept = medium.blocks
        """After HPA or AMAX, non-volatile."""
        self._volatile: int | None = None
        self._changed = False
        self._amax_frozen = False
        self._dco_frozen = False
        self._read_native: int | None = None

    def power_on(self) -> None:
        """A volatile limit and the freezes are gone; changes are allowed again."""
        self._volatile = None
        self._changed = False
        self._amax_frozen = False
        self._dco_frozen = False
        self._read_native = None

    @property
    def sectors(self) -> int:
        """What a host can address now."""
        return min(self._volatile or self.kept, self.native)

    def hide(self, *, hpa: int = 0, dco: int = 0, amax: int = 0) -> None:
        """As somebody else left it: that many sectors hidden by each."""
        self.native = self.built - dco
        self.kept = self.native - hpa - amax

    def before(self, command: int) -> None:
        """SET MAX must come immediately after the READ NATIVE MAX of its own width."""
        if command not in {SET_MAX, SET_MAX_EXT}:
            self._read_native = None

    def execute(self, taskfile: Taskfile, data: bytes) -> tuple[Registers, bytes]:
        """One command of the three feature sets. Raises `Abort`."""
        command = taskfile.command
        name = "dco" if command == DCO else "amax" if command == AMAX else "hpa"
        has = {"dco": self._model.dco, "amax": self._model.amax, "hpa": self._model.hpa}[name]
        if not has or name in self._medium.faults.refuses:
            raise Abort
        if command == DCO:
            return Registers(), self._overlay(taskfile, data)
        if command == AMAX:
            return self._accessible(taskfile), b""
        return self._protected(taskfile), b""

    # Host protected area (ATA8-ACS, 4.11)

    def _protected(self, taskfile: Taskfile) -> Registers:
        wide = taskfile.command in {READ_NATIVE_MAX_EXT, SET_MAX_EXT}
        if wide and not (self._model.lba48 and taskfile.extend):
            raise Abort
        if taskfile.command in {READ_NATIVE_MAX, READ_NATIVE_MAX_EXT}:
            self._read_native = taskfile.command
            highest = self.native - 1
            return Registers(lba=highest if wide else min(highest, _MAX_28), extend=wide)
        before, self._read_native = self._read_native, None
        if before != (READ_NATIVE_MAX_EXT if wide else READ_NATIVE_MAX) or taskfile.feature:
            raise Abort
        if taskfile.lba >= self.native:
            raise Abort(IDNF)
        if not taskfile.count & 1:
            self._volatile = taskfile.lba + 1
        else:
            self._change_once()
            self.kept, self._volatile = taskfile.lba + 1, None
        return Registers(lba=taskfile.lba, extend=wide)

    def _change_once(self) -> None:
        if self._changed:
            raise Abort(IDNF)  # a second non-volatile change in one power cycle (ATA8-ACS, 7.49.2.4)
        self._changed = True

    # Device configuration overlay (ATA8-ACS, 7.10)

    def _overlay(self, taskfile: Taskfile, data: bytes) -> bytes:
        feature = taskfile.feature
        if feature == 0xC1:
            self._dco_frozen = True
            return b""
        if self._dco_frozen or feature not in {0xC0, 0xC2, 0xC3}:
            raise Abort
        if feature == 0xC2:
            return self._overlay_page()
        if self.kept < self.native or self._volatile is not None:
            raise Abort  # not while an HPA is set
        self.native = self.built if feature == 0xC0 else min(self.built, struct.unpack_from("<Q", data, 6)[0] + 1)
        self.kept = self.native
        return b""

    def _overlay_page(self) -> bytes:
        """What could be: revision, modes, and the highest address that can be had."""
        page = bytearray(SECTOR)
        struct.pack_into("<HHHQ", page, 0, 2, 7, 0x7F, self.built - 1)
        supported = (0x0008 if self._model.security else 0) | (0x0080 if self._model.hpa else 0)
        struct.pack_into("<H", page, 14, 0x0001 | supported | (0x0100 if self._model.lba48 else 0))
        return sealed(page)

    # Accessible maximum address (ACS-3, 4.5)

    def _accessible(self, taskfile: Taskfile) -> Registers:
        if not taskfile.extend:
            raise Abort
        if taskfile.feature == 0:
            return Registers(lba=self.native - 1, extend=True)
        if taskfile.feature == 2:
            self._amax_frozen = True
            return Registers(extend=True)
        if taskfile.feature != 1 or self._amax_frozen or taskfile.lba >= self.native or self._changed:
            raise Abort
        self._changed = True
        self.kept = taskfile.lba + 1
        return Registers(lba=taskfile.lba, extend=True)
