"""An erase of a part of a medium, apart from the engine that erases all of it."""

from __future__ import annotations

from dataclasses import replace

from .erasure import Erasure, Operation
from .faults import Faults
from .medium import Medium


class RangeErasure(Erasure):
    """An erase of a part of the medium that does not begin at block 0; apart from the sanitize engine and its log."""

    def __init__(self, medium: Medium) -> None:
        super().__init__(medium)
        self.operation = Operation()
        self.first = 0
        """First block of the part."""

    def _advance(self, operation: Operation, faults: Faults) -> None:
        shifted = replace(faults, kept=tuple((start - self.first, count) for start, count in faults.kept))
        upto = int(operation.blocks * operation.fraction)
        for first, end in self._spans(operation, shifted, operation.reached, upto):
            self._wipe(self.first + first, end - first, operation.pattern)
        operation.reached = max(operation.reached, upto)

    def _wipe(self, first: int, count: int, pattern: bytes | None) -> None:
        self._medium.scrub(first, count, pattern)

    def power_on(self) -> None:
        """It never goes on by itself."""
