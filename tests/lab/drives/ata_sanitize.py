"""SANITIZE DEVICE of an ATA drive: its states, its signatures and its reasons (ACS-3, 4.17 and 7.36)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from .ata_registers import Abort, Registers, Taskfile
from .erasure import Phase

if TYPE_CHECKING:
    from .ata_capacity import Capacity
    from .ata_identify import AtaModel
    from .medium import Medium
    from .security import Security

STATUS, CRYPTO_SCRAMBLE, BLOCK_ERASE, OVERWRITE, FREEZE_LOCK, ANTIFREEZE_LOCK = 0x00, 0x11, 0x12, 0x14, 0x20, 0x40
STARTS = frozenset({CRYPTO_SCRAMBLE, BLOCK_ERASE, OVERWRITE})

_KINDS = {CRYPTO_SCRAMBLE: "crypto", BLOCK_ERASE: "block", OVERWRITE: "overwrite"}
_SIGNATURES = {
    CRYPTO_SCRAMBLE: 0x43727970,
    BLOCK_ERASE: 0x426B4572,
    FREEZE_LOCK: 0x46724C6B,
    ANTIFREEZE_LOCK: 0x416E7469,
}
_OVERWRITE_SIGNATURE = 0x4F57

REASON_UNSUCCESSFUL, REASON_REMAINDER, REASON_UNSUPPORTED, REASON_FROZEN, REASON_ANTIFREEZE = 0, 1, 2, 3, 4

ALLOWED_MEANWHILE = frozenset({0xB4, 0xEC, 0x2F, 0x47, 0xE5, 0xE1, 0xB0, 0x0B})
"""What is served while a sanitize runs or has failed: its status, IDENTIFY, logs, power mode, SMART, sense."""


class Sanitize:
    """What ran outlives power cuts and goes on; both locks end with the power."""

    def __init__(self, medium: Medium, model: AtaModel, capacity: Capacity, security: Security) -> None:
        self._medium = medium
        self._model = model
        self._capacity = capacity
        self._security = security
        self.frozen = False
        self.antifreeze = False
        self.power_on()

    def power_on(self) -> None:
        """Locks go; some firmware sets its own."""
        self.frozen = self._medium.faults.sanitize_frozen
        self.antifreeze = False

    @property
    def busy_or_failed(self) -> bool:
        """Whether other commands are refused."""
        return self._medium.erasure.poll().phase in {Phase.RUNNING, Phase.FAILED}

    def execute(self, taskfile: Taskfile) -> Registers:
        """One subcommand. Raises `Abort` with the reason in LBA 7:0."""
        if not self._model.sanitize or not taskfile.extend:
            raise Abort
        feature = taskfile.feature
        if feature in STARTS:
            self._start(taskfile)
        elif feature == FREEZE_LOCK:
            self._freeze(taskfile)
        elif feature == ANTIFREEZE_LOCK:
            self._antifreeze(taskfile)
        elif feature == STATUS:
            self._status(taskfile)
        else:
            raise Abort(lba=REASON_UNSUPPORTED)
        return self._outputs()

    def _outputs(self) -> Registers:
        operation = self._medium.erasure.operation
        running = operation.phase is Phase.RUNNING
        count = (
            (0x8000 if operation.phase is Phase.SUCCEEDED else 0)
            | (0x4000 if running else 0)
            | (0x2000 if self.frozen else 0)
            | (0x1000 if self.antifreeze else 0)
        )
        progress = min(0xFFFE, int(operation.fraction * 0x10000)) if running else 0xFFFF
        return Registers(count=count, lba=progress, extend=True)

    def _status(self, taskfile: Taskfile) -> None:
        erasure = self._medium.erasure
        if erasure.operation.phase is not Phase.FAILED:
            return
        if taskfile.count & 1 and not erasure.operation.restricted:
            erasure.exit_failure()
            return
        raise Abort(lba=REASON_REMAINDER if self._medium.faults.remainder else REASON_UNSUCCESSFUL)

    def _start(self, taskfile: Taskfile) -> None:
        feature, erasure = taskfile.feature, self._medium.erasure
        kind = _KINDS[feature]
        if kind not in self._model.sanitize:
            raise Abort(lba=REASON_UNSUPPORTED)
        if self.frozen:
            raise Abort(lba=REASON_FROZEN)
        restricted = not taskfile.count & 0x10
        if self._security.locked and not (restricted and self._model.restricted_overrides_security):
            raise Abort
        if erasure.operation.phase is Phase.RUNNING or "sanitize" in self._medium.faults.refuses:
            raise Abort
        if feature == OVERWRITE:
            if taskfile.lba >> 32 != _OVERWRITE_SIGNATURE:
                raise Abort
        elif taskfile.lba != _SIGNATURES[feature]:
            raise Abort
        # All user data areas, whatever the maximum address, and sectors that became inaccessible (ACS-3, 4.17.1).
        erasure.start(kind, pattern=self._leaves(taskfile), visible=self._capacity.sectors, restricted=restricted)

    def _leaves(self, taskfile: Taskfile) -> bytes | None:
        if taskfile.feature == CRYPTO_SCRAMBLE:
            return None if self._model.crypto_noise else bytes(4)
        if taskfile.feature == BLOCK_ERASE:
            return bytes([self._model.erased_byte]) * 4
        pattern = taskfile.lba & 0xFFFFFFFF
        passes = taskfile.count & 0x0F or 16
        inverts, definitive = taskfile.count & 0x80, taskfile.count & 0x40
        if inverts and not definitive and passes % 2 == 0:
            pattern ^= 0xFFFFFFFF
        return struct.pack("<I", pattern)

    def _freeze(self, taskfile: Taskfile) -> None:
        if taskfile.lba != _SIGNATURES[FREEZE_LOCK] or self.busy_or_failed:
            raise Abort
        if self.antifreeze:
            raise Abort(lba=REASON_ANTIFREEZE)
        self.frozen = True

    def _antifreeze(self, taskfile: Taskfile) -> None:
        if not self._model.antifreeze:
            raise Abort(lba=REASON_UNSUPPORTED)
        if taskfile.lba != _SIGNATURES[ANTIFREEZE_LOCK]:
            raise Abort
        if self.frozen:
            raise Abort(lba=REASON_FROZEN)
        self.antifreeze = True
