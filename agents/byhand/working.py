"""Carries the orders of the newest job bundle out, several media at once, and says what became of each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from agents.assembly import Agent
from agents.errors import AgentError
from agents.reporter import Control
from agents.runner import NotYet
from agents.runs import Run, State
from reports.verdict import judge

from .service import HandService


@dataclass(frozen=True)
class Outcome:
    """What became of one order on this host."""

    order: str
    medium: str
    end: Literal["recorded", "refused", "waits", "lapsed"]
    said: str


class Shift:
    """One stretch of work; `stop` may be called from anywhere, signal handlers included."""

    def __init__(self, agent: Agent, service: HandService) -> None:
        self._agent = agent
        self._service = service
        self._controls: list[Control] = []
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End every run at its next block; they can go on later."""
        self._stopping.set()
        for control in list(self._controls):
            control.stop.set()

    def work(self, told: Callable[[Outcome], None] = lambda _outcome: None) -> Sequence[Outcome]:
        """Every run as far as it goes now. What was begun goes first.

        Raises:
            OSError, StateDamaged, OutboxDamaged: This host's own disk; the runs stand where they stood.
        """
        runs = sorted(self._agent.runs.all(), key=lambda one: one.state is State.LEASED)
        with ThreadPoolExecutor(max_workers=self._agent.settings.parallel, thread_name_prefix="run") as threads:
            return list(threads.map(lambda run: self._one(run, told), runs))

    def _one(self, run: Run, told: Callable[[Outcome], None]) -> Outcome:
        control = Control()
        self._controls.append(control)
        if self._stopping.is_set():
            return self._ended(run, "waits", "It was not begun: this host was told to stop.", told)
        try:
            self._agent.runner.work(run, control)
        except NotYet as error:
            return self._ended(run, "waits", f"{error.reason_code}: {error.detail}", told)
        return self._ended(run, *self._what_became(run), told)

    def _what_became(self, run: Run) -> tuple[Literal["recorded", "refused", "lapsed"], str]:
        try:
            item = self._agent.outbox.read(run.run_id)
        except FileNotFoundError:
            said = [one.said for one in self._service.store.told() if one.lease == run.lease.id]
            if not said:
                return "lapsed", "Its leave to begin has ended; nothing was begun. Take in a newer job bundle."
            return "refused", f"{said[0].reason_code}: {said[0].reason}"
        verdict = judge(item.record)
        reasons = " ".join(reason.text for reason in verdict.blocking)
        return "recorded", f"{verdict.outcome}, medium touched: {item.record.run.touched}. {reasons}".strip()

    def _ended(
        self,
        run: Run,
        end: Literal["recorded", "refused", "waits", "lapsed"],
        said: str,
        told: Callable[[Outcome], None],
    ) -> Outcome:
        order, label = _named(run)
        outcome = Outcome(order, label, end, said)
        told(outcome)
        return outcome


def _named(run: Run) -> tuple[str, str]:
    """The order's number and the medium in words, also where the run never came so far as to read them."""
    from agents import orders  # noqa: PLC0415 - read only for a screen

    try:
        order = orders.reread(run.lease.order.model_dump(), [one.model_dump() for one in run.lease.approvals]).order
    except AgentError:
        return run.order_id, run.label
    return order.id, order.device_label
