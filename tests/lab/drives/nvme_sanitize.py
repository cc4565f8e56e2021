"""The Sanitize command of an emulated NVMe subsystem: what it accepts in which state, and what its log says afterwards.

Rules and numbers are those of NVM Express Base 2.1, Sanitize command and Sanitize Operations. Media verification (SANICAP bit 3)
is not supported, so EMVS and SANACT 5 are reserved here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from .erasure import Operation, Phase
from .faults import BusReset
from .medium import Medium
from .nvme_identify import BLOCK, CRYPTO, INHIBITED, OVERWRITE, NvmeTraits
from .nvme_logs import IDLE, SanitizeReport
from .nvme_status import Refusal, Status

EXIT_FAILURE, BLOCK_ERASE, OVERWRITING, CRYPTO_ERASE = 1, 2, 3, 4
"""SANACT."""
UNRESTRICTED, INVERT, NO_DEALLOCATE, VERIFY = 0x8, 0x100, 0x200, 0x400
"""AUSE, OIPBP, NDAS and EMVS in command dword 10."""
NEEDS = {BLOCK_ERASE: BLOCK, OVERWRITING: OVERWRITE, CRYPTO_ERASE: CRYPTO}
"""The SANICAP bit of each action."""
KINDS = {BLOCK_ERASE: "block", OVERWRITING: "overwrite", CRYPTO_ERASE: "crypto"}


class Mode(StrEnum):
    """What a subsystem accepts."""

    IDLE = "idle"
    PROCESSING = "processing"
    RESTRICTED_FAILURE = "restricted-failure"
    UNRESTRICTED_FAILURE = "unrestricted-failure"


@dataclass
class Sanitizer:
    """The one sanitize engine of a subsystem."""

    medium: Medium
    traits: NvmeTraits
    activation_pending: Status | None = None
    """A new firmware waits for a reset: the status that says which."""
    warns: bool = False
    """NODRM of feature 17h: a request not to deallocate that is inhibited is carried out with a warning, not refused."""
    unmapped: set[int] = field(default_factory=set)
    """Blocks of the medium that read as deallocated, whatever the cells hold: after a format without erase, or a lie."""
    exited: Operation | None = None
    """The failed operation that Exit Failure Mode left behind; the log still tells of it."""
    deallocated: bool = False
    """The last one deallocated although it was asked not to."""
    _settled: bool = True

    @property
    def mode(self) -> Mode:
        """What is accepted now."""
        operation = self.medium.erasure.operation
        if operation.phase is Phase.RUNNING:
            return Mode.PROCESSING
        if operation.phase is Phase.FAILED:
            return Mode.RESTRICTED_FAILURE if operation.restricted else Mode.UNRESTRICTED_FAILURE
        return Mode.IDLE

    def command(self, dword10: int, dword11: int, visible: int) -> None:
        """Carry out a Sanitize command that may be: the caller has looked at write protection and locks.

        Args:
            dword10: Action, AUSE, OWPASS, OIPBP, NDAS, EMVS.
            dword11: The overwrite pattern.
            visible: Blocks of the medium that hosts can address, from block 0 on.
        """
        action, mode = dword10 & 7, self.mode
        if mode is Mode.PROCESSING:
            raise Refusal(Status.SANITIZE_IN_PROGRESS)
        supported = action == EXIT_FAILURE or (action in NEEDS and self.traits.sanicap & NEEDS[action])
        if not supported or dword10 & VERIFY:
            raise Refusal(Status.INVALID_FIELD)
        if mode is Mode.RESTRICTED_FAILURE and (action == EXIT_FAILURE or dword10 & UNRESTRICTED):
            raise Refusal(Status.SANITIZE_FAILED)
        if action == EXIT_FAILURE:
            self._exit(mode)
            return
        if self.activation_pending is not None:
            raise Refusal(self.activation_pending)
        inhibited = bool(dword10 & NO_DEALLOCATE and self.traits.sanicap & INHIBITED)
        if inhibited and not self.warns:
            raise Refusal(Status.INVALID_FIELD)
        if "sanitize" in self.medium.faults.refuses:
            raise Refusal(Status.INTERNAL_ERROR)
        reset = self.medium.spend_reset()
        if reset == "lost":
            raise BusReset
        self._start(action, dword10, dword11, visible, inhibited=inhibited)
        if reset is not None:
            raise BusReset

    def _exit(self, mode: Mode) -> None:
        if mode is Mode.UNRESTRICTED_FAILURE:
            self.exited = self.medium.erasure.operation
            self.medium.erasure.exit_failure()

    def _start(self, action: int, dword10: int, dword11: int, visible: int, *, inhibited: bool) -> None:
        self.exited, self.deallocated, self._settled = None, inhibited, False
        keeps = bool(dword10 & NO_DEALLOCATE) and not inhibited
        self.medium.erasure.start(
            KINDS[action],
            pattern=self._content(action, dword11, keeps=keeps),
            visible=visible,
            restricted=not dword10 & UNRESTRICTED,
            detail=dword10,
        )
        if self.medium.faults.new_serial:
            self.traits.serial = self.medium.faults.new_serial

    def _content(self, action: int, dword11: int, *, keeps: bool) -> bytes | None:
        """What a block reads as afterwards: what deallocated ones do (DLFEAT), else what the action left on the media.

        Between the passes of an overwrite the pattern may be inverted, so that the last pass writes it as it was given
        (OIPBP: an even number of passes begins with the inverse).
        """
        if not keeps and self.traits.deallocated_reads:
            return bytes(4) if self.traits.deallocated_reads == 1 else b"\xff" * 4
        return {BLOCK_ERASE: b"\xff" * 4, OVERWRITING: dword11.to_bytes(4, "little")}.get(action)

    def settle(self) -> bool:
        """Catch up with the clock; True when an operation has come to its end since the last time."""
        operation = self.medium.erasure.poll()
        if self._settled or operation.phase is Phase.RUNNING:
            return False
        self._settled = True
        if operation.phase is Phase.SUCCEEDED:
            deallocates = self.deallocated or not operation.detail & NO_DEALLOCATE
            self.unmapped = set(range(self.medium.blocks)) if self.traits.hides and deallocates else set()
        return True

    def report(self) -> SanitizeReport:
        """What the log says. It outlives power cycles, and an exit from failure mode does not turn it into a success."""
        operation = self.exited or self.medium.erasure.operation
        running = operation.phase is Phase.RUNNING
        outcome = {Phase.NEVER: 0, Phase.SUCCEEDED: 4 if self.deallocated else 1, Phase.RUNNING: 2, Phase.FAILED: 3}
        wanted = (operation.detail >> 4 & 0xF or 16) if operation.kind == "overwrite" else 0
        return SanitizeReport(
            progress=min(0xFFFE, int(operation.fraction * 65536)) if running else IDLE,
            outcome=outcome[operation.phase],
            passes=int(wanted * operation.fraction),
            globally_erased=self.medium.erasure.globally_erased,
            command=self._scdw10(operation),
            state=0,
            failed_in=0,
        )

    @staticmethod
    def _scdw10(operation: Operation) -> int:
        """Command dword 10 of the last one; one of an earlier life was a block erase."""
        if operation.phase is Phase.NEVER:
            return 0
        return operation.detail or BLOCK_ERASE | (0 if operation.restricted else UNRESTRICTED)
