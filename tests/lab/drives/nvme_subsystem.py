"""An NVM subsystem: one medium cut into namespaces, the controllers that show it, and the commands that concern all of it."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .erasure import Phase
from .medium import Medium
from .nvme_format import Formatter
from .nvme_identify import EVERY_NAMESPACE, SECURITY, SHIFTS, NvmeNamespace, NvmeTraits
from .nvme_sanitize import Sanitizer
from .nvme_status import Refusal, Status
from .opal import Opal

if TYPE_CHECKING:
    from .nvme import NvmeController


class NvmeSubsystem:
    """What is behind all controllers of one drive.

    The namespaces lie in the medium one after the other, in units of its blocks of 512 bytes; what belongs to none is
    unallocated capacity, which may hold what deleted namespaces held.
    """

    def __init__(
        self,
        medium: Medium,
        *,
        traits: NvmeTraits | None = None,
        namespaces: Sequence[NvmeNamespace] | None = None,
        controllers: Sequence[int] = (1,),
        opal: bool = True,
    ) -> None:
        self.medium = medium
        self.traits = traits or NvmeTraits()
        whole = NvmeNamespace(nsid=1, start=0, size=medium.blocks * medium.block_bytes)
        self.namespaces = list(namespaces) if namespaces is not None else [whole]
        self.controllers = tuple(controllers)
        self.sanitizer = Sanitizer(medium, self.traits)
        self.formatter = Formatter(medium, self.traits)
        self.opal = Opal(self._eradicate, now=lambda: self.medium.clock.now()) if opal else None  # noqa: PLW0108 - the clock may be changed
        if not opal:
            self.traits.oacs &= ~SECURITY  # there is nobody to talk to
        self.powered = True
        self.present: list[NvmeController] = []
        """The controllers that were built on it."""
        if medium.faults.write_protected:
            for one in self.namespaces:
                one.write_protected = True

    @property
    def total(self) -> int:
        """Bytes of the subsystem."""
        return self.medium.blocks * self.medium.block_bytes

    @property
    def unallocated(self) -> int:
        """Bytes in no namespace."""
        return self.total - sum(one.size for one in self.namespaces)

    @property
    def visible(self) -> int:
        """Blocks of the medium up to the end of the last namespace that is attached to somebody."""
        ends = [one.start + one.size for one in self.namespaces if one.attached]
        return max(ends, default=0) // self.medium.block_bytes

    @property
    def protected(self) -> bool:
        """Whether any namespace is write-protected, which forbids a sanitize."""
        return any(one.write_protected for one in self.namespaces)

    def allocated(self, nsid: int) -> NvmeNamespace | None:
        """The namespace of this number, attached or not."""
        return next((one for one in self.namespaces if one.nsid == nsid), None)

    def _eradicate(self) -> None:
        """A revert changes the media key: every block decrypts to noise, also what no host addresses."""
        medium = self.medium
        if medium.faults.erases == "nothing":
            return
        medium.flush()
        medium.new_key()
        medium.scrub(0, medium.blocks, None)
        medium.spare.clear()

    def power_cut(self) -> None:
        """What was only cached is gone; an erase stops where it is."""
        self.powered = False
        self.medium.power_cut()
        self.formatter.erasure.power_cut()

    def power_on(self) -> None:
        """A sanitize goes on by itself; firmware that waited for a reset is active; Opal relocks."""
        self.powered = True
        self.medium.power_on()
        self.sanitizer.activation_pending = None
        if self.opal is not None:
            self.opal.power_cycle()
        if not self.traits.keeps_format_progress:
            for one in self.namespaces:
                one.format_percent_left = 0

    def sanitize_ended(self) -> None:
        """Let the controller that was asked for it tell of it."""
        for controller in self.present:
            controller.sanitize_ended()

    def with_capacity_fault(self, page: bytes) -> bytes:
        """Identify Namespace as this drive answers it while an erase runs and after it: some forget their capacity."""
        faults, phase = self.medium.faults, self.medium.erasure.operation.phase
        during = faults.capacity_during if phase is Phase.RUNNING else "kept"
        if during == "refused":
            raise Refusal(Status.INTERNAL_ERROR)
        begun = self.medium.erasure.begun + self.formatter.erasure.begun
        ended = begun > 0 and phase is not Phase.RUNNING
        if during == "zero" or (ended and faults.capacity_after == "zero"):
            return bytes(24) + page[24:]  # NSZE, NCAP, NUSE
        return page

    # Blocks of a namespace

    def _extent(self, one: NvmeNamespace, lba: int, blocks: int) -> tuple[int, int]:
        """First block and count in the medium."""
        size = self.medium.block_bytes
        return (one.start + (lba << one.shift)) // size, (blocks << one.shift) // size

    def read(self, one: NvmeNamespace, lba: int, blocks: int) -> bytes:
        """As the host sees them: deallocated blocks by the mapping, locked ones not at all."""
        view = self.opal.view if self.opal is not None else "medium"
        if view == "denied":
            raise Refusal(Status.ACCESS_DENIED)
        if view == "zeros":
            return bytes(blocks << one.shift)
        first, count = self._extent(one, lba, blocks)
        data = self.medium.read(first, count)
        if not self.sanitizer.unmapped:
            return data
        size, empty = self.medium.block_bytes, (b"\xff" if self.traits.deallocated_reads == 2 else b"\0")
        return b"".join(
            empty * size if first + at in self.sanitizer.unmapped else data[at * size : (at + 1) * size]
            for at in range(count)
        )

    def write(self, one: NvmeNamespace, lba: int, data: bytes) -> None:
        """Into the cache."""
        self._check_writable(one)
        first, count = self._extent(one, lba, len(data) >> one.shift)
        self.sanitizer.unmapped.difference_update(range(first, first + count))
        self.medium.write(first, data)
        if not self.traits.volatile_cache:
            self.medium.flush()

    def deallocate(self, one: NvmeNamespace, lba: int, blocks: int) -> None:
        """Dataset Management: a hint, which this drive follows."""
        self._check_writable(one)
        self.medium.discard(*self._extent(one, lba, blocks))

    def forget(self, first: int, count: int) -> None:
        """The mapping of these blocks of the medium goes, not what they hold."""
        self.medium.flush()
        self.sanitizer.unmapped.update(range(first, first + count))

    def _check_writable(self, one: NvmeNamespace) -> None:
        if one.write_protected:
            raise Refusal(Status.WRITE_PROTECTED)
        if self.opal is not None and not self.opal.writable:
            raise Refusal(Status.ACCESS_DENIED)

    # Namespace Management and Attachment (Base 5.2.21, 5.2.20)

    def manage(self, nsid: int, dword10: int, data: bytes) -> int:
        """Create a namespace in unallocated capacity (its number is the result), or delete one: its data stay where they are."""
        if dword10 & 0xF == 1:
            return self._delete(nsid)
        if dword10 & 0xF != 0 or nsid != 0 or len(data) < 32:
            raise Refusal(Status.INVALID_FIELD)
        (blocks,) = struct.unpack_from("<Q", data, 0)
        index = data[26] & 0xF
        if index >= len(SHIFTS):
            raise Refusal(Status.INVALID_FORMAT)
        size = blocks << SHIFTS[index]
        start = self._room(size)
        free = [number for number in range(1, self.traits.most_namespaces + 1) if self.allocated(number) is None]
        if not free:
            raise Refusal(Status.IDENTIFIER_UNAVAILABLE)
        made = NvmeNamespace(
            nsid=free[0], start=start, size=size, shift=SHIFTS[index], attached=set(), shared=bool(data[30] & 1)
        )
        self.namespaces.append(made)
        return made.nsid

    def _room(self, size: int) -> int:
        """Where so many bytes are free in one piece."""
        at = 0
        for one in sorted(self.namespaces, key=lambda each: each.start):
            if one.start - at >= size > 0:
                return at
            at = one.start + one.size
        if self.total - at >= size > 0:
            return at
        raise Refusal(Status.INSUFFICIENT_CAPACITY)

    def _delete(self, nsid: int) -> int:
        chosen = self.namespaces if nsid == EVERY_NAMESPACE else [one for one in self.namespaces if one.nsid == nsid]
        if not chosen:
            raise Refusal(Status.INVALID_NAMESPACE)
        if any(one.write_protected for one in chosen):
            raise Refusal(Status.WRITE_PROTECTED)
        self.namespaces = [one for one in self.namespaces if one not in chosen]
        return 0

    def attach(self, nsid: int, dword10: int, data: bytes) -> None:
        """Attach to, or (SEL 1) detach from, the controllers of the list in the data."""
        one = self.allocated(nsid)
        if one is None:
            raise Refusal(Status.INVALID_NAMESPACE)
        count = int.from_bytes(data[:2], "little")
        numbers = struct.unpack_from(f"<{count}H", data, 2) if len(data) >= 2 + 2 * count else ()
        if not numbers or any(number not in self.controllers for number in numbers):
            raise Refusal(Status.INVALID_CONTROLLER_LIST)
        if dword10 & 0xF == 1:
            if not one.attached.issuperset(numbers):
                raise Refusal(Status.NOT_ATTACHED)
            one.attached.difference_update(numbers)
        elif dword10 & 0xF == 0:
            if one.attached.intersection(numbers):
                raise Refusal(Status.ALREADY_ATTACHED)
            if not one.shared and len(one.attached) + len(numbers) > 1:
                raise Refusal(Status.NAMESPACE_IS_PRIVATE)
            one.attached.update(numbers)
        else:
            raise Refusal(Status.INVALID_FIELD)
