"""The threads that work on runs: several media at once, each run by one thread at a time, every failure scheduled again.

A worker never ends a run because of trouble on this host: whatever is raised leaves the run where its file says it stands.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from .backoff import Backoff
from .conditions import Conditions
from .errors import AgentError, StateUnwritable
from .reporter import Control
from .runner import NotYet, Runner
from .runs import Run, State
from .status import Board

log = logging.getLogger("agents.workers")

_WRITING = frozenset({State.LEASED, State.STARTED})
"""States in which a worker may be writing to a medium; only these count against the limit of parallel runs."""


@dataclass
class _Slot:
    """What is known of one run between its stretches."""

    control: Control = field(default_factory=Control)
    backoff: Backoff = field(default_factory=lambda: Backoff(1.0, 60.0))
    thread: threading.Thread | None = None
    writing: bool = False
    due: float = 0.0
    """Monotonic time of the next attempt."""


class Workers:
    """Starts and stops the threads. `dispatch` and `stop` are for the main loop; the rest is thread-safe."""

    def __init__(
        self, runner: Runner, limit: int, board: Board, monotonic: Callable[[], float], nudge: Callable[[str], None]
    ) -> None:
        """Nothing runs yet.

        Args:
            runner: Does the work.
            limit: Media worked on at once.
            board: Told why a run waits.
            monotonic: Clock.
            nudge: Called with `outbox` when a record may be waiting and `runs` when a thread has ended.
        """
        self._runner = runner
        self._limit = limit
        self._board = board
        self._monotonic = monotonic
        self._nudge = nudge
        self._slots: dict[str, _Slot] = {}
        self._conditions = Conditions(log)
        self._lock = threading.Lock()
        self._stopping = False
        self._halted = False

    def halt(self) -> None:
        """End what is being written at the next block, and begin nothing, until `go_on`. Records go on being made and sent."""
        with self._lock:
            self._halted = True
            for slot in self._slots.values():
                if slot.thread is not None and slot.writing:
                    slot.control.stop.set()

    def go_on(self) -> None:
        """The halt is lifted."""
        with self._lock:
            self._halted = False
        self.hasten()

    def hasten(self) -> None:
        """Whatever runs waited for may be right by now: try each at once."""
        with self._lock:
            for slot in self._slots.values():
                slot.due = 0.0
        self._nudge("runs")

    def dispatch(self, runs: list[Run]) -> float:
        """Start a thread for every run that is due. Returns seconds until the next one is."""
        now = self._monotonic()
        with self._lock:
            for gone in self._slots.keys() - {run.order_sha256 for run in runs}:
                if self._slots[gone].thread is None:
                    del self._slots[gone]
            if self._stopping:
                return 60.0
            soonest = 60.0
            for run in sorted(runs, key=lambda one: one.state is State.LEASED):  # what was begun goes first
                slot = self._slots.setdefault(run.order_sha256, _Slot())
                if slot.thread is not None:
                    continue
                if slot.due > now:
                    soonest = min(soonest, slot.due - now)
                elif run.state not in _WRITING or (self._writing() < self._limit and not self._halted):
                    self._start(run, slot)
            return soonest

    @property
    def free(self) -> int:
        """Media that could be begun now."""
        with self._lock:
            return max(0, self._limit - self._writing())

    @property
    def waiting(self) -> bool:
        """Whether a run stands still until something changes: a new lease may be what it needs."""
        with self._lock:
            return any(slot.thread is None and slot.backoff.failures for slot in self._slots.values())

    def retry_now(self, order_sha256: str) -> None:
        """Something changed for this run (a new lease): do not wait any longer."""
        with self._lock:
            if order_sha256 in self._slots:
                self._slots[order_sha256].due = 0.0

    def stop(self, timeout: float) -> bool:
        """End every stretch cleanly and wait. Returns whether all ended in time; runs stay where they stand."""
        with self._lock:
            self._stopping = True
            threads = [slot.thread for slot in self._slots.values() if slot.thread is not None]
            for slot in self._slots.values():
                slot.control.stop.set()
        deadline = self._monotonic() + timeout
        for thread in threads:
            thread.join(max(0.0, deadline - self._monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def _writing(self) -> int:
        return sum(slot.thread is not None and slot.writing for slot in self._slots.values())

    def _start(self, run: Run, slot: _Slot) -> None:
        slot.writing = run.state in _WRITING
        if slot.control.stop.is_set() and not slot.control.cancelled:  # it was halted, and goes on
            slot.control = Control()
        slot.control.at_work = lambda: self._goes_on(run)
        # Not a daemon thread: the interpreter must not end under a write.
        slot.thread = threading.Thread(target=self._work, args=(run, slot), name=f"run-{run.run_id[:8]}")
        slot.thread.start()

    def _work(self, run: Run, slot: _Slot) -> None:
        pause: float | None = None
        try:
            pause = self._stretch(run, slot)
        finally:
            with self._lock:
                slot.thread = None
                slot.due = self._monotonic() + (0.0 if pause is None else pause)
            self._nudge("outbox")
            self._nudge("runs")

    def _stretch(self, run: Run, slot: _Slot) -> float | None:
        """Work once. Returns seconds until the next attempt, None when the run is gone."""
        try:
            self._runner.work(run, slot.control)
        except NotYet as error:
            return 0.0 if self._stopping else self._waits(run, slot, error)
        except OSError as error:
            return self._waits(run, slot, NotYet(StateUnwritable.code, f"{StateUnwritable.sentence} {error}"))
        except AgentError as error:
            self._conditions.stands(
                f"run {run.run_id}", logging.CRITICAL, f"run {run.run_id} needs a person: {error.explain()}"
            )
            self._board.waits(run.run_id, f"{error.code}: {error.explain()}")
            return slot.backoff.failed()
        except Exception:
            log.exception("run %s: a defect of the agent; the run stays where it stands", run.run_id)
            self._board.waits(run.run_id, "agent-defect: see the agent's log")
            return slot.backoff.failed()
        slot.backoff.succeeded()
        self._goes_on(run)
        return None

    def _waits(self, run: Run, slot: _Slot, why: NotYet) -> float:
        """Said once; the service is told each time, since its people may end the run there. Returns seconds to wait."""
        text = f"run {run.run_id} waits: {why.reason_code}: {why.detail}"
        self._conditions.stands(f"run {run.run_id}", logging.WARNING, text)
        self._board.waits(run.run_id, f"{why.reason_code}: {why.detail}")
        current = self._runner.runs.get(run.order_sha256)
        if current is not None and current.state is State.STARTED:
            self._runner.tell_waiting(current, why, slot.control)
        return slot.backoff.failed(why.after)

    def _goes_on(self, run: Run) -> None:
        self._board.waits(run.run_id, None)
        self._conditions.over(f"run {run.run_id}")
