"""Writing one pass over all addressable blocks (SP 800-88 Rev. 2, 3.1.1), or over some, whatever fails on the way.

A failed extent is noted and passed over; when the rest is written, it is divided until the blocks that refuse are
known one by one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .bisect import bad_parts
from .content import CHUNK, Source
from .crew import Crew
from .errors import ByteRange, ErrorBudgetSpent, SanitizerError
from .extents import ExtentQueue
from .medium import Medium
from .ranges import RangeSet, bounded, total
from .transport.memory import AlignedBuffer


@dataclass
class PassState:
    """Where a pass stands; what a checkpoint keeps."""

    number: int
    durable_bytes: int = 0
    """Below this, everything is on the medium or in `failed`."""
    failed: RangeSet = field(default_factory=RangeSet)
    """Extents that failed and were not divided yet."""
    failed_writes: int = 0
    unwritten: tuple[ByteRange, ...] = ()
    """Blocks that refused to the end."""
    flushed: bool = False
    finished: bool = False


class PassWriter:
    """One pass of one run."""

    def __init__(
        self,
        medium: Medium,
        source: Source,
        state: PassState,
        crew: Crew,
        checkpoint: Callable[[PassState], None],
        regions: Sequence[ByteRange] | None = None,
    ) -> None:
        """Over the whole medium, or over regions of it, ascending by start."""
        self._medium = medium
        self._source = source
        self.state = state
        self._crew = crew
        self._checkpoint = checkpoint
        self._regions = tuple(regions or ((0, medium.size_bytes),))
        at = state.durable_bytes
        self._queue = ExtentQueue(_beyond(self._regions, at) or [(at, at)], medium.block_bytes)
        self._written = [0] * crew.threads
        self._lock = threading.Lock()
        self._begun_at = total(_below(self._regions, state.durable_bytes))
        self._due_at = medium.clock() + medium.settings.checkpoint_seconds
        self._due_bytes = self._begun_at + medium.settings.checkpoint_bytes
        self._buffers = self._make_buffers()

    @property
    def done_bytes(self) -> int:
        """How far the pass is, for progress: plain counters, read without a lock."""
        return self._begun_at + sum(self._written)

    def _make_buffers(self) -> list[AlignedBuffer]:
        """One chunk for all threads where the content is constant, else a block for each."""
        if self._source.constant:
            shared = AlignedBuffer(CHUNK)
            self._source.fill(shared.view, CHUNK, 0)
            return [shared] * self._crew.threads
        return [AlignedBuffer(self._medium.block_bytes) for _ in range(self._crew.threads)]

    def _content(self, worker: int, offset: int, length: int) -> Sequence[memoryview]:
        view = self._buffers[worker].view
        if not self._source.constant:
            self._source.fill(view, length, offset)
            return (view[:length],)
        whole, rest = divmod(length, CHUNK)
        parts = [view[:CHUNK]] * whole
        if rest:
            parts.append(view[:rest])
        return parts

    def run(self) -> None:
        """Write, divide what failed, flush. Leaves everything in `state`, also when it is cut short.

        Returns early, with `state.finished` false, when a stop was asked for.

        Raises:
            SanitizerError: no use going on; the state says how far it came.
        """
        try:
            self._crew.run(self._write_extents)
            if self._crew.stopping:
                self._note_position()
                return
            # Everything is handed out and done: the failed extents are all that is left.
            self._note_position()
            self._crew.run(self._divide_failed, threads=1)
            if self._crew.stopping and self.state.failed:
                self._checkpoint(self.state)
                return
            self._medium.check()
            self._medium.flush()
            self.state.flushed = True
            self.state.finished = True
        except SanitizerError:
            self._give_up()
            raise

    def _write_extents(self, worker: int) -> None:
        crew, queue, medium = self._crew, self._queue, self._medium
        while crew.going:
            extent = queue.take(worker)
            if extent is None:
                return
            start, end = extent
            if not medium.write(self._content(worker, start, end - start), start, end - start):
                self._note_failure(start, end)
            self._written[worker] += end - start
            if worker == 0 and (medium.clock() >= self._due_at or self.done_bytes >= self._due_bytes):
                queue.done(worker)
                self._note_position()
        queue.done(worker)

    def _note_failure(self, start: int, end: int) -> None:
        self.state.failed.add(start, end)
        with self._lock:
            self.state.failed_writes += 1
        if self._medium.budget.spent:
            raise ErrorBudgetSpent(
                failed_requests=self._medium.budget.failed_requests, seconds=int(self._medium.budget.failing_seconds)
            )

    def _note_position(self) -> None:
        """Flush, then tell the journal how far everything is on the medium: in this order, or the journal would lie."""
        position = self._queue.settled_below()
        self._medium.flush()
        self.state.durable_bytes = position
        self._checkpoint(self.state)
        self._due_at = self._medium.clock() + self._medium.settings.checkpoint_seconds
        self._due_bytes = self.done_bytes + self._medium.settings.checkpoint_bytes

    def _divide_failed(self, worker: int) -> None:
        """Trace each failed extent to its blocks. The pass's budget goes on; when it is spent, the rest counts as unwritten."""
        medium, bad = self._medium, RangeSet()

        def attempt(offset: int, length: int) -> bool:
            if medium.write(self._content(worker, offset, length), offset, length):
                return True
            self.state.failed_writes += 1
            return False

        def spent() -> bool:
            return medium.budget.spent or not self._crew.going

        for extent in self.state.failed.result():
            for cut in _blocks(extent, medium.block_bytes):
                for start, end in bad_parts(cut, attempt, medium.floor_bytes, medium.settings.fan_out, spent):
                    bad.add(start, end)
        if self._crew.stopping and bad:
            return  # the extents stay failed, and a resumed run divides them again
        self.state.unwritten = bad.result()
        self.state.failed = RangeSet()

    def _give_up(self) -> None:
        """The pass ends here: what failed and was not divided, and what no flush confirmed, is not known to be overwritten."""
        rest = _beyond(self._regions, self.state.durable_bytes)
        self.state.unwritten = bounded([*self.state.unwritten, *self.state.failed.result(), *rest])


def _blocks(extent: ByteRange, block_bytes: int) -> list[ByteRange]:
    """Neighbouring failed extents were noted as one; they are divided one by one."""
    start, end = extent
    return [(at, min(at + block_bytes, end)) for at in range(start, end, block_bytes)]


def _below(regions: Sequence[ByteRange], position: int) -> list[ByteRange]:
    return [(start, min(end, position)) for start, end in regions if start < position]


def _beyond(regions: Sequence[ByteRange], position: int) -> list[ByteRange]:
    return [(max(start, position), end) for start, end in regions if end > position]


def written_bytes(state: PassState, regions: Sequence[ByteRange]) -> int:
    """Bytes of this pass that the device took, as far as the state is known."""
    if state.finished:
        return total(regions) - total(state.unwritten)
    failed = total(_below(state.failed.result(), state.durable_bytes))
    return max(0, total(_below(regions, state.durable_bytes)) - failed)
