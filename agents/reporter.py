"""Tells the service how far a run is, without ever holding the run up.

The sanitizer's callback only puts the newest figures down; a thread of its own sends them. A slow or absent service
costs figures, nothing else.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Literal, Self, cast, get_args

import sanitizer
from inventory.contract.v1.orders import Lease, Progress

from .backoff import Backoff
from .client import Service
from .conditions import Conditions
from .errors import Rejected, Retry

log = logging.getLogger("agents.reporter")

RunState = Literal["cleared", "executing", "settling", "verifying", "succeeded", "failed", "refused", "interrupted"]
Look = Callable[[sanitizer.Progress], tuple[int | None, str | None]]
"""From the newest figures: degrees Celsius where known, and why the medium is hopeless where it is."""
_AT_WORK = frozenset({"executing", "settling", "verifying"})
STATES: tuple[RunState, ...] = get_args(RunState)


class Control:
    """How a run under way is told to end. Thread-safe."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        """Set: end cleanly at the next block."""
        self._cancelled = threading.Event()
        self.why = "The service asked to end the run."
        """Why it is ended for good, in words for the record."""
        self.at_work: Callable[[], None] = lambda: None
        """Called while the medium is worked on: whatever the run waited for, it does not any more."""

    def cancel(self) -> None:
        """Somebody wants the run ended for good, not only paused."""
        self._cancelled.set()
        self.stop.set()

    def give_up(self, why: str) -> None:
        """The medium is hopeless: end the run for good, and say why."""
        if not self.cancelled:
            self.why = why
        self.cancel()

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._cancelled.is_set()


class Reporter:
    """A context manager around one stretch of a run; its `tell` is the sanitizer's progress callback."""

    def __init__(
        self,
        service: Service,
        lease: Callable[[], Lease],
        control: Control,
        interval: float,
        retry_ceiling: float = 60.0,
        look: Look | None = None,
    ) -> None:
        """Prepare; nothing is sent before the first `tell`.

        Args:
            service: Whom to tell.
            lease: Gives the newest lease of the run.
            control: Cancelled when the service asks for a stop.
            interval: Seconds between messages.
            retry_ceiling: Longest pause after failures, seconds.
            look: Says how hot the medium is, and whether it is hopeless.
        """
        self._service = service
        self._lease = lease
        self._control = control
        self._interval = interval
        self._backoff = Backoff(interval, retry_ceiling)
        self._condition = threading.Condition()
        self._look = look
        self._degrees: int | None = None
        self._latest: sanitizer.Progress | None = None
        self._ended = False
        self._conditions = Conditions(log)
        self._thread = threading.Thread(target=self._loop, name="progress-reporter", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop telling. A message under way is not waited for: the record says the rest."""
        with self._condition:
            self._ended = True
            self._condition.notify()

    def tell(self, progress: sanitizer.Progress) -> None:
        """Put the newest figures down."""
        if self._look is not None:
            self._degrees, hopeless = self._look(progress)
            if hopeless is not None:
                self._control.give_up(hopeless)
        if progress.state in _AT_WORK:
            self._control.at_work()
        with self._condition:
            self._latest = progress
            self._condition.notify()

    @property
    def latest(self) -> sanitizer.Progress | None:
        """The newest figures."""
        with self._condition:
            return self._latest

    def _loop(self) -> None:
        told: sanitizer.Progress | None = None
        while (told := self._next_after(told)) is not None:
            pause = self._send(told)
            with self._condition:
                self._condition.wait_for(lambda: self._ended, timeout=pause)

    def _next_after(self, told: sanitizer.Progress | None) -> sanitizer.Progress | None:
        """Wait for figures that were not told yet; None once the run has ended."""
        with self._condition:
            self._condition.wait_for(lambda: self._ended or self._latest is not told)
            return None if self._ended else self._latest

    def _send(self, progress: sanitizer.Progress) -> float:
        """Send once. Returns seconds to wait before the next."""
        lease = self._lease()
        try:
            reply = self._service.progress(lease.id, message(lease, progress, self._degrees))
        except Retry as error:
            return self._backoff.failed(error.after)
        except Rejected as error:
            self._conditions.stands("progress", logging.WARNING, f"progress not accepted: {error.summarize()}")
            return self._backoff.failed()
        self._backoff.succeeded()
        self._conditions.over("progress")
        if reply.stop_requested:
            self._control.cancel()
        elif reply.halted:
            self._control.stop.set()  # to be resumed: the halt itself comes signed, with the next heartbeat
        return self._interval


def message(lease: Lease, progress: sanitizer.Progress, degrees: int | None = None) -> Progress:
    """The sanitizer's figures in the contract's words: the same words, and the lease's token."""
    return Progress(
        token=lease.token,
        state=cast("RunState", progress.state),  # a contract test keeps the words equal; pydantic checks it here
        pass_number=progress.pass_number,
        passes=progress.passes,
        bytes_done=progress.bytes_done,
        bytes_total=progress.bytes_total,
        bytes_per_second=progress.bytes_per_second,
        seconds_left=progress.seconds_left,
        errors=progress.errors,
        temperature=degrees,
    )


def message_without_figures(
    lease: Lease, state: Literal["refused", "interrupted"], reason_code: str, reason: str
) -> Progress:
    """Nothing runs, and why."""
    return Progress(
        token=lease.token,
        state=state,
        pass_number=0,
        passes=0,
        bytes_done=0,
        bytes_total=0,
        bytes_per_second=0,
        seconds_left=None,
        errors=0,
        reason_code=reason_code[:64],
        reason=reason[:500],
    )
