"""Format NVM of an emulated NVMe subsystem: which namespaces it takes, and what it leaves of them.

Rules are those of NVM Express Base 2.1 and the NVM Command Set, Format NVM command. It is answered when the work is over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .erasure import Phase
from .faults import BusReset, Gone, NoAnswer
from .medium import Medium
from .nvme_identify import (
    ERASE_ALL,
    EVERY_NAMESPACE,
    FORMAT_ALL,
    FORMAT_CRYPTO,
    NO_BROADCAST,
    SHIFTS,
    NvmeNamespace,
    NvmeTraits,
)
from .nvme_status import Refusal, Status
from .partial import RangeErasure

NOT_ERASED, USER_DATA, CRYPTOGRAPHIC = 0, 1, 2
"""SES, command dword 10 bits 11:9."""


class Formatter:
    """Format NVM for all controllers of a subsystem."""

    def __init__(self, medium: Medium, traits: NvmeTraits) -> None:
        self._medium = medium
        self._traits = traits
        self.erasure = RangeErasure(medium)
        self.under_way: list[NvmeNamespace] = []
        """What is being formatted now."""

    def check(self, dword10: int) -> None:
        """Refuse what no namespace could be formatted with."""
        secure, index = dword10 >> 9 & 7, dword10 & 0xF | dword10 >> 8 & 0x30
        if secure > CRYPTOGRAPHIC or (secure == CRYPTOGRAPHIC and not self._traits.fna & FORMAT_CRYPTO):
            raise Refusal(Status.INVALID_FIELD)
        if index >= len(SHIFTS):
            raise Refusal(Status.INVALID_FORMAT)
        if dword10 & 0xF0:  # metadata and protection information: no format has metadata
            raise Refusal(Status.INVALID_FORMAT)

    def scope(
        self, nsid: int, dword10: int, allocated: Sequence[NvmeNamespace], controller: int
    ) -> tuple[NvmeNamespace, ...]:
        """Which namespaces a command reaches.

        FNA bit 0 (no secure erase) and bit 1 (secure erase) make it all of the subsystem, attached or not; else it is the one
        named, or with the broadcast NSID those attached to the controller that was asked.
        """
        everything = self._traits.fna & (ERASE_ALL if dword10 >> 9 & 7 else FORMAT_ALL)
        if nsid == EVERY_NAMESPACE:
            if self._traits.fna & NO_BROADCAST:
                raise Refusal(Status.INVALID_FIELD)
            chosen = tuple(one for one in allocated if everything or controller in one.attached)
        else:
            named = tuple(one for one in allocated if one.nsid == nsid)
            if not named or controller not in named[0].attached:
                raise Refusal(Status.INVALID_NAMESPACE)
            chosen = tuple(allocated) if everything else named
        if any(one.write_protected for one in chosen):
            raise Refusal(Status.WRITE_PROTECTED)
        return chosen

    def run(self, chosen: Sequence[NvmeNamespace], dword10: int, forget: Callable[[int, int], None]) -> None:
        """Format them one after the other, and answer when it is done.

        Args:
            chosen: What `scope` said.
            dword10: As in the command.
            forget: Called with first block and count of what reads as deallocated from now on.

        Raises:
            Refusal: it failed half-way (Internal Error).
            NoAnswer: it stalls, or the power went.
            Gone: the drive vanished.
        """
        if "format" in self._medium.faults.refuses:
            raise Refusal(Status.INTERNAL_ERROR)
        reset = self._medium.spend_reset()
        if reset == "lost":
            raise BusReset
        if self._medium.faults.new_serial:
            self._traits.serial = self._medium.faults.new_serial
        self.under_way = list(chosen)
        try:
            for one in chosen:
                self._one(one, dword10, forget)
        finally:
            self.under_way = []
        if reset is not None:
            raise BusReset

    def _one(self, one: NvmeNamespace, dword10: int, forget: Callable[[int, int], None]) -> None:
        size = self._medium.block_bytes
        first, count = one.start // size, one.size // size
        if dword10 >> 9 & 7 == NOT_ERASED:
            forget(first, count)  # the mapping goes, the media keep what they hold
        else:
            self.erasure.first = first
            self.erasure.start("format", blocks=count, spare=count == self._medium.blocks, resumes=False)
            self._wait(one)
        one.shift = SHIFTS[dword10 & 0xF]

    def _wait(self, one: NvmeNamespace) -> None:
        one.format_percent_left = 100
        try:
            operation = self.erasure.wait()
        except (NoAnswer, Gone):
            one.format_percent_left = self._left()
            raise
        if operation.phase is Phase.FAILED:
            one.format_percent_left = self._left()
            raise Refusal(Status.INTERNAL_ERROR)
        one.format_percent_left = 0

    def _left(self) -> int:
        return min(100, max(1, round(100 - 100 * self.erasure.operation.fraction)))
