"""Telling progress to whoever asked for it, about once a second, and never at the run's expense."""

from __future__ import annotations

import logging
from collections.abc import Callable

from .meter import Meter
from .run import Progress, RunState

_log = logging.getLogger(__name__)
_SHOWN = {RunState.PLANNED: "cleared", RunState.MARKING: "executing"}
"""Two states are too short or too technical to be told apart from outside."""


class Teller:
    """Hands `Progress` to a callback; the callback's own failure silences it and is logged, and the run goes on."""

    def __init__(
        self, run_id: str, tell: Callable[[Progress], None] | None, clock: Callable[[], float], every_seconds: float
    ) -> None:
        self._run_id = run_id
        self._tell = tell
        self._clock = clock
        self._every = every_seconds
        self._next = 0.0
        self.meter = Meter(pass_bytes=0, passes=0, verify_bytes=0)
        self.passes = 0
        self.pass_number = 0
        self.state = RunState.PLANNED
        self.done: Callable[[], int] = lambda: 0
        """Bytes of the present stage."""
        self.errors: Callable[[], int] = lambda: 0
        self.left: Callable[[int | None], int | None] = lambda seconds: seconds
        """Corrects the meter's estimate where not all of the work is bytes."""

    def tick(self) -> None:
        """Tell when it is time."""
        now = self._clock()
        if now < self._next:
            return
        self._next = now + self._every
        self.now()

    def now(self) -> None:
        """Tell at once, with the newest count."""
        self.meter.observe(self._clock(), self.done())
        if self._tell is None:
            return
        told = Progress(
            run_id=self._run_id,
            state=_SHOWN.get(self.state, self.state.value),
            pass_number=self.pass_number,
            passes=self.passes,
            bytes_done=self.meter.done,
            bytes_total=self.meter.total,
            bytes_per_second=self.meter.rate,
            seconds_left=self.left(self.meter.seconds_left),
            errors=self.errors(),
        )
        try:
            self._tell(told)
        except Exception:  # noqa: BLE001 - whatever the listener does wrong, the run is worth more
            _log.exception("progress of run %s is no longer told: its listener failed", self._run_id)
            self._tell = None
