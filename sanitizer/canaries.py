"""Canaries: a keyed stream on the medium before a drive sanitizes itself, and the proof afterwards that none is left.

A drive's word is not proof: of the drives that were ever examined, some reported success and had erased nothing, others
only their first blocks. What was written here can be known again at every address by whoever has the key, and was surely
not there before; a command that did its work leaves none of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from .content import SLICE, FixedSource, Source
from .crew import Crew
from .errors import ByteRange
from .medium import Medium
from .ranges import merged, total, without
from .readback import Reader, SourceReader, Verifier
from .sampling import Selection, full, representative
from .techniques.base import Aftermath
from .transport.memory import AlignedBuffer, equal

CANARY_PASS = 1
"""Number of the canaries' pass in the keyed stream and in the record."""


def where(verification: str, size_bytes: int, block_bytes: int, seed: str, *, whole: bool) -> Selection:
    """Where canaries are written and looked for.

    Args:
        verification: What the plan asks for. Less than a sample is never taken: nothing else tells a drive that lies.
        size_bytes: Addressable size.
        block_bytes: The logical block.
        seed: Of the choice of samples.
        whole: Whether the plan overwrites the medium first, so that the canaries are that pass.
    """
    if whole or verification == "full":
        return full(size_bytes)
    return representative(size_bytes, block_bytes, seed)


@dataclass(frozen=True)
class Standing:
    """What reading the canaries back gave, before the first command."""

    written: int
    """Blocks."""
    wrong: int
    """Blocks that were written and hold something else."""
    first_wrong: int | None
    """Offset of the first of them."""
    unreadable: int
    """Bytes that were written and cannot be read back: nobody knows whether a canary is there."""


def standing_of(found: Verifier, unwritten: tuple[ByteRange, ...], selection: Selection, block_bytes: int) -> Standing:
    """Findings of a read-back of canaries; what refused to be written is no canary, and is told by the pass."""
    wrong = [part for start, end in found.found.residual.result() for part in without(start, end, unwritten)]
    unread = [part for start, end in found.found.unreadable.result() for part in without(start, end, unwritten)]
    return Standing(
        written=total(merged(selection.regions)) // block_bytes,
        wrong=-(-total(wrong) // block_bytes),
        first_wrong=wrong[0][0] if wrong else None,
        unreadable=total(unread),
    )


class Absence:
    """What must be true of every block afterwards."""

    def __init__(self, canaries: Source, aftermath: Aftermath, pattern: bytes) -> None:
        """The rule.

        Args:
            canaries: What was written.
            aftermath: What the last technique leaves.
            pattern: For the aftermath `pattern`: four bytes.
        """
        self._canaries = canaries
        self._kind: Literal["", "zeros", "uniform", "pattern"] = "" if aftermath == "undefined" else aftermath
        self._unit = pattern if aftermath == "pattern" else b"\0"

    def look(self, medium: Medium, offset: int) -> None:
        """For one byte of the vendor's choice: learn from one block whether it is 00h or FFh; it must be one of them.

        The whole block must say FFh: one that was left behind may begin with that byte, and then all that was erased would be
        called residual instead of it.
        """
        if self._kind != "uniform":
            return
        size = medium.logical_bytes
        first = AlignedBuffer(size)
        if medium.read(first.view, offset, size) and bytes(first.view[:size]) == b"\xff" * size:
            self._unit = b"\xff"

    @property
    def label(self) -> str:
        """As the record names it: no-canary, and what else is looked for."""
        if not self._kind or self._kind == "zeros":
            return "no-canary" + ("+zeros" if self._kind else "")
        return f"no-canary+{self._kind}:{self._unit.hex()}"

    @property
    def source(self) -> Source:
        """For a defined content: that content, which holds no canary. Else the canaries themselves."""
        return FixedSource(self._unit) if self._kind else self._canaries

    def verifier(self, medium: Medium, selection: Selection, crew: Crew) -> Verifier:
        """A read-back under this rule; a block that breaks it is a residual one."""

        def reader() -> Reader:
            return SourceReader(medium, self.source) if self._kind else CanaryReader(medium, self._canaries)

        return Verifier(medium, self.source, selection, crew, reader)


class CanaryReader:
    """No block holds its canary; anything else may be there."""

    def __init__(self, medium: Medium, canaries: Source) -> None:
        self._medium = medium
        self._canaries = canaries
        self._given = AlignedBuffer(medium.block_bytes)
        self._canary = AlignedBuffer(SLICE)

    def read(self, offset: int, length: int) -> bool:
        """See `Reader`."""
        return self._medium.read(self._given.view, offset, length)

    def differing(self, offset: int, length: int) -> Iterator[ByteRange]:
        """Block ranges of the last read that still hold their canary."""
        block = self._medium.logical_bytes
        for at, count in self._canaries.pieces(self._canary.view, length, offset):
            # Blocks whose first byte is another one are no canaries: only every 256th of the others is compared in full.
            given, canary = bytes(self._given.view[at : at + count : block]), bytes(self._canary.view[:count:block])
            for number, (one, other) in enumerate(zip(given, canary, strict=True)):
                start = number * block
                size = min(block, count - start)
                if one == other and equal(self._given.address + at + start, self._canary.address + start, size):
                    yield offset + at + start, offset + at + start + size
