"""The security feature set of an ATA drive: two passwords, a lock, and the erase that needs them (ACS-3, 4.20)."""

from __future__ import annotations

import struct
from hmac import compare_digest
from typing import TYPE_CHECKING

from .ata_registers import Abort
from .erasure import Erasure, Phase

if TYPE_CHECKING:
    from .ata_capacity import Capacity
    from .ata_identify import AtaModel
    from .medium import Medium

SET_PASSWORD, UNLOCK, ERASE_PREPARE, ERASE_UNIT, FREEZE_LOCK, DISABLE_PASSWORD = 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6

_ATTEMPTS = 5
_FACTORY_IDENTIFIER = 0xFFFE


class Security:
    """Passwords outlive power cuts; lock, freeze and the counter of attempts are made anew at power-on."""

    def __init__(self, medium: Medium, model: AtaModel, capacity: Capacity) -> None:
        self._medium = medium
        self._model = model
        self._capacity = capacity
        self.erasure = Erasure(medium, history=False)
        self.user: bytes | None = None
        self.master = bytes(32)
        self.master_identifier = _FACTORY_IDENTIFIER
        self.maximum = False
        self.locked = False
        self.frozen = False
        self.attempts = _ATTEMPTS
        self._prepared = False
        self.power_on()

    def power_on(self) -> None:
        """A drive with a user password comes up locked."""
        self.locked = self.user is not None
        self.frozen = self._medium.faults.frozen
        self.attempts = _ATTEMPTS
        self._prepared = False
        self.erasure.power_on()

    def power_cut(self) -> None:
        """An erase does not go on; the password stays."""
        self.erasure.power_cut()

    def reset(self) -> None:
        """A hardware reset locks nothing that was unlocked, but gives new attempts."""
        self.attempts = _ATTEMPTS

    @property
    def status(self) -> int:
        """Word 128 without what is the model's: enabled, locked, frozen, attempts used up, level."""
        return (
            (2 if self.user is not None else 0)
            | (4 if self.locked else 0)
            | (8 if self.frozen else 0)
            | (0x10 if self.attempts <= 0 else 0)
            | (0x100 if self.maximum else 0)
        )

    def before(self, command: int) -> None:
        """Any command but ERASE UNIT undoes ERASE PREPARE, which must come immediately before it."""
        if command not in {ERASE_PREPARE, ERASE_UNIT}:
            self._prepared = False

    def execute(self, command: int, data: bytes) -> None:
        """One of the six. Raises `Abort`."""
        if not self._model.security or "security" in self._medium.faults.refuses:
            raise Abort
        if self.frozen and command != FREEZE_LOCK:
            raise Abort
        if self.locked and command in {SET_PASSWORD, FREEZE_LOCK, DISABLE_PASSWORD}:
            raise Abort
        if command == SET_PASSWORD:
            self._set(data)
        elif command == UNLOCK:
            self._unlock(data)
        elif command == ERASE_PREPARE:
            self._prepared = True
        elif command == ERASE_UNIT:
            self._erase(data)
        elif command == FREEZE_LOCK:
            self.frozen = True
        else:
            self._disable(data)

    def _set(self, data: bytes) -> None:
        if data[0] & 1:
            self.master = data[2:34]
            (identifier,) = struct.unpack_from("<H", data, 34)
            if identifier not in {0, 0xFFFF}:
                self.master_identifier = identifier
            return
        self.user = data[2:34]
        self.maximum = bool(data[1] & 1)

    def _matches(self, data: bytes) -> bool:
        """Whether the password is the one it claims to be."""
        kept = self.master if data[0] & 1 else self.user
        return kept is not None and compare_digest(kept, data[2:34])

    def _unlock(self, data: bytes) -> None:
        if not self.locked:
            return
        if self.attempts <= 0:
            raise Abort
        if data[0] & 1 and self.maximum:
            raise Abort  # at level Maximum the master password erases, it opens nothing
        if not self._matches(data):
            self.attempts -= 1
            raise Abort
        self.locked = False

    def _disable(self, data: bytes) -> None:
        if self.user is None or (data[0] & 1 and self.maximum) or not self._matches(data):
            raise Abort
        self.user, self.maximum = None, False

    def _erase(self, data: bytes) -> None:
        prepared, self._prepared = self._prepared, False
        enhanced = bool(data[0] & 2)
        if not prepared or self.attempts <= 0 or self.user is None or not self._matches(data):
            raise Abort
        if (enhanced and not self._model.enhanced) or "erase-unit" in self._medium.faults.refuses:
            raise Abort
        # Normal: binary zeros over all user data areas up to the native maximum. Enhanced: the vendor's pattern,
        # and sectors that are no longer in use because of reallocation as well (ACS-3, 7.45).
        self.erasure.start(
            "enhanced" if enhanced else "normal",
            pattern=bytes([self._model.erased_byte]) * 4 if enhanced else bytes(4),
            blocks=self._capacity.native,
            visible=self._capacity.sectors,
            spare=enhanced,
            resumes=False,
        )
        if self.erasure.wait().phase is not Phase.SUCCEEDED:
            raise Abort
        self.user, self.maximum, self.locked = None, False, False
