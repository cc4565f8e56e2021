"""A SAS disk: SANITIZE, FORMAT UNIT, capacity by block descriptor (SBC-4)."""

from __future__ import annotations

import struct

from .ata import Tper
from .erasure import Operation, Phase
from .medium import Medium
from .scsi_base import ScsiBase
from .scsi_pages import ScsiModel
from .sense import CheckCondition, Layout, Sense, invalid_field, invalid_parameter

SANITIZE, FORMAT_UNIT = 0x48, 0x04
OVERWRITE, BLOCK_ERASE, CRYPTOGRAPHIC_ERASE, EXIT_FAILURE_MODE = 0x01, 0x02, 0x03, 0x1F
_KINDS = {OVERWRITE: "overwrite", BLOCK_ERASE: "block", CRYPTOGRAPHIC_ERASE: "crypto"}
_IMMEDIATE, _UNRESTRICTED = 0x80, 0x20


class ScsiDisk(ScsiBase):
    """A disk; `medium.faults` is what is wrong with it."""

    always = ScsiBase.always | {SANITIZE}

    def __init__(
        self,
        medium: Medium,
        *,
        serial: str = "LAB0001",
        model: ScsiModel | None = None,
        layout: Layout = "fixed",
        tper: Tper | None = None,
    ) -> None:
        super().__init__(medium, serial=serial, model=model or ScsiModel(), layout=layout)
        self.tper = tper
        self.visible = medium.blocks
        self._power_lost_in_format = False
        self._offer(self._format, FORMAT_UNIT)
        for action, kind in _KINDS.items():
            if kind in self.model.sanitize:
                self._offer(self._sanitize, (SANITIZE, action))
        if self.model.sanitize:
            self._offer(self._exit_failure_mode, (SANITIZE, EXIT_FAILURE_MODE))
        if self.model.elements_removed is not None:
            self._offer(self._elements, (0x9E, 0x17))
            self._offer(self._remove_element, (0x9E, 0x18))
        if tper is not None:
            self._offer(self._security_in, 0xA2)
            self._offer(self._security_out, 0xB5)

    @property
    def blocks(self) -> int:
        """Less than there are on a short-stroked disk."""
        return self.visible

    @property
    def built(self) -> int:
        """All there are."""
        return self.medium.blocks

    @property
    def shrunk(self) -> bool:
        """Whether it says that it has no capacity (any more)."""
        erasure, faults = self.medium.erasure, self.medium.faults
        if erasure.operation.phase is Phase.RUNNING:
            return faults.capacity_during == "zero"
        return faults.capacity_after == "zero" and erasure.begun > 0

    def hide(self, blocks: int) -> None:
        """As somebody else left it: that many blocks beyond the block descriptor."""
        self.visible = self.medium.blocks - blocks

    def resize(self, blocks: int | None) -> None:
        """MODE SELECT: another number of blocks; outlives power cuts."""
        if "capacity" in self.medium.faults.refuses or (blocks or 0) > self.medium.blocks:
            raise invalid_parameter()
        self.visible = blocks or self.medium.blocks

    def erases(self, cdb: bytes) -> bool:
        """Whether a command begins an erase."""
        return cdb[0] == FORMAT_UNIT or (cdb[0] == SANITIZE and cdb[1] & 0x1F in _KINDS)

    def power_on(self) -> None:
        """Locks of the trusted peripheral close as well."""
        super().power_on()
        if self.tper is not None:
            self.tper.power_cycle()

    def power_cut(self) -> None:
        """A format does not go on (SBC-3, 5.3.1)."""
        running = self.medium.erasure.operation
        self._power_lost_in_format = running.kind == "format" and running.phase is Phase.RUNNING
        super().power_cut()

    def not_ready(self) -> Sense | None:
        """04h/04h or 04h/1Bh with progress while it runs, 31h when it failed."""
        operation = self.medium.erasure.poll()
        format_unit = operation.kind == "format"
        if operation.phase is Phase.RUNNING:
            progress = min(0xFFFF, int(operation.fraction * 0x10000))
            return Sense(key=2, code=0x04, qualifier=0x04 if format_unit else 0x1B, progress=progress)
        if operation.phase is Phase.FAILED:
            failed = 0x00 if self._power_lost_in_format else 0x01
            return Sense(key=3, code=0x31, qualifier=failed if format_unit else 0x03)
        return None

    def served_still(self, cdb: bytes) -> bool:
        """A failed format is left by another one."""
        operation = self.medium.erasure.operation
        failed_format = operation.phase is Phase.FAILED and operation.kind == "format"
        return (failed_format and cdb[0] == FORMAT_UNIT) or super().served_still(cdb)

    def readable(self) -> None:
        """Not while the trusted peripheral denies it."""
        if self.tper is not None and self.tper.view == "denied":
            raise CheckCondition(Sense(key=7, code=0x20, qualifier=0x02))

    def writable(self) -> None:
        """Not while write-protected or locked."""
        super().writable()
        if self.tper is not None and not self.tper.writable:
            raise CheckCondition(Sense(key=7, code=0x20, qualifier=0x02))

    def _read(self, cdb: bytes, data: bytes) -> bytes:
        answer = super()._read(cdb, data)
        return bytes(len(answer)) if self.tper is not None and self.tper.view == "zeros" else answer

    # SANITIZE (SBC-4, 5.30)

    def _sanitize(self, cdb: bytes, data: bytes) -> bytes:
        action, erasure = cdb[1] & 0x1F, self.medium.erasure
        now = erasure.poll()
        restricted = not cdb[1] & _UNRESTRICTED
        if now.phase is Phase.RUNNING or (now.phase is Phase.FAILED and now.kind == "format"):
            why = self.not_ready()
            if now.phase is Phase.RUNNING and why is not None:
                raise CheckCondition(why)
        if now.phase is Phase.FAILED and now.kind != "format" and now.restricted and not restricted:
            raise invalid_field()  # a restricted failure is left by a restricted sanitize only
        if "sanitize" in self.medium.faults.refuses:
            raise invalid_field()
        super().writable()
        pattern = self._leaves(action, cdb, data)
        needs = {
            BLOCK_ERASE: self.model.write_after_block_erase,
            CRYPTOGRAPHIC_ERASE: self.model.write_after_crypto_erase,
        }
        erasure.start(
            _KINDS[action],
            pattern=pattern,
            visible=self.visible,
            restricted=restricted,
            leaves_blank=needs.get(action, 0) >= 2,
        )
        self._answer_at(immediately=bool(cdb[1] & _IMMEDIATE))
        return b""

    def _leaves(self, action: int, cdb: bytes, data: bytes) -> bytes | None:
        """What the parameter list asks for; there is one for overwrite only."""
        length = cdb[7] << 8 | cdb[8]
        if action != OVERWRITE:
            if length:
                raise invalid_field()
            noise = action == CRYPTOGRAPHIC_ERASE and self.model.crypto_noise
            return None if noise else bytes([self.model.erased_byte if action == BLOCK_ERASE else 0]) * 4
        data = data[:length]
        if len(data) < 5:
            raise invalid_field()
        inverts, test, passes = data[0] & 0x80, data[0] & 0x60, data[0] & 0x1F
        (size,) = struct.unpack_from(">H", data, 2)
        if not passes or test or not 1 <= size <= self.medium.block_bytes or len(data) < 4 + size:
            raise invalid_parameter()
        pattern = data[4 : 4 + size]
        return bytes(byte ^ 0xFF for byte in pattern) if inverts and passes % 2 == 0 else pattern

    def _answer_at(self, *, immediately: bool) -> None:
        if immediately:
            return
        operation: Operation = self.medium.erasure.wait()
        if operation.phase is Phase.FAILED and (why := self.not_ready()) is not None:
            raise CheckCondition(why)

    def _exit_failure_mode(self, _cdb: bytes, _data: bytes) -> bytes:
        operation = self.medium.erasure.poll()
        if operation.phase is not Phase.FAILED or operation.kind == "format" or operation.restricted:
            raise invalid_field()
        self.medium.erasure.exit_failure()
        return b""

    # Storage elements (SBC-4, GET PHYSICAL ELEMENT STATUS, REMOVE ELEMENT AND TRUNCATE)

    def _elements(self, cdb: bytes, _data: bytes) -> bytes:
        """The filter asks for those out of use only; a sound disk has two."""
        removed, number = self.model.elements_removed or 0, 2
        listed = [(each, 0xFF if each <= removed else 0) for each in range(1, number + 1)]
        listed = [each for each in listed if each[1] or not cdb[14] >> 6]
        head = struct.pack(">II", len(listed), len(listed)).ljust(32, b"\0")
        rows = b"".join(struct.pack(">4xI6xBB", each, 1, health).ljust(32, b"\0") for each, health in listed)
        return (head + rows)[: int.from_bytes(cdb[10:14], "big")]

    def _remove_element(self, _cdb: bytes, _data: bytes) -> bytes:
        raise invalid_field()

    # FORMAT UNIT (SBC-3, 5.3)

    def _format(self, cdb: bytes, data: bytes) -> bytes:
        if "format" in self.medium.faults.refuses:
            raise invalid_field()
        self.writable()
        immediately = False
        if cdb[1] & 0x10:
            if len(data) < 4:
                raise invalid_parameter()
            immediately = bool(data[1] & 0x02)
        fast = cdb[4] & 0x03
        if self.model.format == "nothing":
            return b""
        if fast or self.model.format == "fast":
            self.medium.discard(0, self.visible)
            return b""
        self._power_lost_in_format = False
        self.medium.erasure.start("format", blocks=self.visible, visible=self.visible, spare=False, resumes=False)
        self._answer_at(immediately=immediately)
        return b""

    # SECURITY PROTOCOL IN and OUT (SPC-4, 6.40 and 6.41)

    def _security_in(self, cdb: bytes, _data: bytes) -> bytes:
        length = int.from_bytes(cdb[6:10], "big") * (512 if cdb[4] & 0x80 else 1)
        return self.tper.receive(cdb[1], cdb[2] << 8 | cdb[3], length) if self.tper else b""

    def _security_out(self, cdb: bytes, data: bytes) -> bytes:
        specific = cdb[2] << 8 | cdb[3]
        if self.tper is None or not self.tper.knows(cdb[1], specific):
            raise invalid_field()
        self.tper.send(cdb[1], specific, data)
        return b""
