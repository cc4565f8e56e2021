"""The erase engine of a drive: what runs, how far it is, what it reaches, and how it ends.

Nothing happens by itself: `poll` catches up with the clock, and a drive polls before every command. The engine erases as it goes,
block by block from the first one, the spare blocks last; a fault decides what it misses, where it stops and where it stalls.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from .faults import Faults, Gone, NoAnswer

if TYPE_CHECKING:
    from .medium import Medium

_MEGABYTE = 1 << 20


class Phase(StrEnum):
    """Where the most recent erase stands."""

    NEVER = "never"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(kw_only=True)
class Operation:
    """The most recent erase; it outlives power cuts."""

    kind: str = ""
    """crypto, block, overwrite, format, security, ...: the drive's own word."""
    phase: Phase = Phase.NEVER
    pattern: bytes | None = b"\0\0\0\0"
    """None: what decrypts to noise."""
    fraction: float = 0.0
    restricted: bool = True
    """After a failure only another erase is accepted, no way out."""
    resumes: bool = True
    """Goes on by itself after a power cut; else it has failed."""
    blocks: int = 0
    """How many from block 0 on it covers."""
    visible: int = 0
    """How many of them the host could address when it began."""
    spare: bool = True
    """Whether it reaches what no host addresses."""
    leaves_blank: bool = False
    """Reads fail afterwards until a block is written."""
    detail: int = 0
    """For the interface: NVMe keeps command dword 10 here."""
    started: float = 0.0
    reached: int = 0
    """Blocks gone through."""


class Erasure:
    """Runs one erase at a time over a medium."""

    def __init__(self, medium: Medium, *, history: bool = True) -> None:
        """`history`: whether `failed_before` and `succeeded_before` are about this one (a drive may have a second engine)."""
        self._medium = medium
        self._history = history
        self._cuts = 0
        self.completed = 0
        """Erases that ended well since manufacture."""
        self.begun = 0
        self.globally_erased = True
        """Nothing was written since manufacture or the last successful erase (NVMe: Global Data Erased)."""
        self.operation = Operation()
        self._earlier_life()

    def _earlier_life(self) -> None:
        faults = self._medium.faults
        if self._history and self.operation.phase is Phase.NEVER and (faults.failed_before or faults.succeeded_before):
            self.operation = Operation(
                kind="block",
                phase=Phase.FAILED if faults.failed_before else Phase.SUCCEEDED,
                fraction=0.5 if faults.failed_before else 1.0,
                blocks=self._medium.blocks,
                visible=self._medium.blocks,
            )

    @property
    def running(self) -> bool:
        """Whether an erase is under way, by the clock."""
        return self.poll().phase is Phase.RUNNING

    def start(
        self,
        kind: str,
        *,
        pattern: bytes | None = b"\0\0\0\0",
        blocks: int | None = None,
        visible: int | None = None,
        spare: bool = True,
        restricted: bool = True,
        resumes: bool = True,
        leaves_blank: bool = False,
        detail: int = 0,
    ) -> Operation:
        """Begin; returns at once. A drive checks before whether it may."""
        medium = self._medium
        medium.flush()
        if pattern is None:
            medium.new_key()
        whole = medium.blocks if blocks is None else blocks
        self.operation = Operation(
            kind=kind,
            phase=Phase.RUNNING,
            pattern=pattern,
            restricted=restricted,
            resumes=resumes,
            blocks=whole,
            visible=whole if visible is None else visible,
            spare=spare,
            leaves_blank=leaves_blank,
            detail=detail,
            started=medium.clock.now(),
        )
        self.begun += 1
        return self.operation

    def poll(self) -> Operation:
        """Catch up with the clock. Raises `Gone` when the drive vanishes on the way."""
        operation, faults = self.operation, self._medium.faults
        if self._medium.gone:
            raise Gone
        if operation.phase is not Phase.RUNNING:
            return operation
        seconds = faults.seconds
        spent = self._medium.clock.now() - operation.started
        fraction = 1.0 if seconds <= 0 else min(1.0, spent / seconds)
        stops = [at for at in (faults.fail_at, faults.stall_at, faults.vanish_at) if at is not None and at <= fraction]
        operation.fraction = max(operation.fraction, min([fraction, *stops]))
        self._advance(operation, faults)
        if stops:
            self._stopped(operation, faults, min(stops))
        elif operation.fraction >= 1.0:
            self._completed(operation, faults)
        return operation

    def _stopped(self, operation: Operation, faults: Faults, at: float) -> None:
        if at == faults.vanish_at:
            self._medium.gone = True
            raise Gone
        if at == faults.fail_at:
            operation.phase = Phase.FAILED

    def _advance(self, operation: Operation, faults: Faults) -> None:
        upto = int(operation.blocks * operation.fraction)
        for first, end in self._spans(operation, faults, operation.reached, upto):
            self._medium.scrub(first, end - first, operation.pattern)
            if operation.leaves_blank:
                self._medium.blank.update(range(first, end))
        operation.reached = max(operation.reached, upto)

    def _spans(self, operation: Operation, faults: Faults, first: int, end: int) -> Iterator[tuple[int, int]]:
        """What is really erased between two blocks."""
        limit, missed = operation.blocks, list(faults.kept)
        if faults.erases == "nothing":
            return
        if faults.erases == "first-megabyte":
            limit = max(1, _MEGABYTE // self._medium.block_bytes)
        elif faults.erases == "not-hidden":
            limit = operation.visible
        elif faults.erases == "all-but-one-block":
            missed.append((operation.visible // 2, 1))
        end = min(end, limit)
        for start, count in sorted(missed):
            if first < start < end:
                yield first, start
            if start < end:
                first = max(first, start + count)
        if first < end:
            yield first, end

    def _completed(self, operation: Operation, faults: Faults) -> None:
        if operation.spare and faults.erases in {"everything", "not-hidden", "all-but-one-block"}:
            self._medium.spare.clear()
        operation.phase = Phase.SUCCEEDED
        self.completed += 1
        self.globally_erased = True

    def wait(self) -> Operation:
        """Hold the drive until the erase has ended, as a command does that answers only then.

        Raises:
            NoAnswer: it stalls, or the power went meanwhile; the host never hears of this command again.
            Gone: the drive vanished.
        """
        medium, cuts = self._medium, self._cuts
        while self.poll().phase is Phase.RUNNING:
            if self._cuts != cuts or self.operation.fraction == medium.faults.stall_at:
                raise NoAnswer
            left = self.operation.started + medium.faults.seconds - medium.clock.now()
            medium.clock.sleep(min(max(left, 0.0), medium.clock.step))
        if self._cuts != cuts:
            raise NoAnswer
        return self.operation

    def exit_failure(self) -> None:
        """Back into service without having erased; the interface checks whether it is allowed."""
        if self.operation.phase is Phase.FAILED:
            self.operation = Operation()

    def abort(self) -> None:
        """A reset ended an erase that does not survive one."""
        if self.operation.phase is Phase.RUNNING:
            self.operation.phase = Phase.FAILED

    def power_cut(self) -> None:
        """Stay where the clock has brought it; `power_on` goes on from there."""
        self._cuts += 1
        if not self._medium.gone and self.operation.phase is Phase.RUNNING:
            try:
                self.poll()
            except Gone:
                return
            if self.operation.phase is Phase.RUNNING and not self.operation.resumes:
                self.operation.phase = Phase.FAILED

    def power_on(self) -> None:
        """Go on from where the power was lost."""
        self._earlier_life()
        if self.operation.phase is Phase.RUNNING:
            done = self.operation.fraction * self._medium.faults.seconds
            self.operation.started = self._medium.clock.now() - done
