"""What the agent does and why, for a person at the host: kept in memory, written down for `sanitrail-agent status`."""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import dataclass, field
from typing import Any

from .clock import Clock, rfc3339
from .conditions import Conditions
from .errors import AgentError, StateUnwritable
from .state import StateDirectory

FILE = "status.json"


@dataclass
class _Exchange:
    last_success: str | None = None
    failures: int = 0
    problem: str | None = None


@dataclass
class Board:
    """The agent's present state in words. Thread-safe."""

    clock: Clock
    _exchanges: dict[str, _Exchange] = field(default_factory=dict)
    _waiting: dict[str, str] = field(default_factory=dict)
    _facts: dict[str, Any] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def succeeded(self, exchange: str) -> None:
        """An exchange with the service went well."""
        with self._lock:
            self._exchanges[exchange] = _Exchange(last_success=rfc3339(self.clock.now()))

    def failed(self, exchange: str, error: AgentError) -> None:
        """An exchange failed."""
        with self._lock:
            known = self._exchanges.setdefault(exchange, _Exchange())
            known.failures += 1
            known.problem = f"{error.code}: {error.explain()}"

    def over(self, exchange: str) -> None:
        """Whatever had failed does not any more."""
        with self._lock:
            if (known := self._exchanges.get(exchange)) is not None and known.problem is not None:
                self._exchanges[exchange] = _Exchange(last_success=known.last_success)

    def waits(self, run_id: str, why: str | None) -> None:
        """A run waits, or (None) does not any more."""
        with self._lock:
            if why is None:
                self._waiting.pop(run_id, None)
            else:
                self._waiting[run_id] = why

    def note(self, **facts: Any) -> None:  # noqa: ANN401 - plain JSON values
        """Replace some facts."""
        with self._lock:
            self._facts.update(facts)

    def snapshot(self) -> dict[str, Any]:
        """Everything as plain JSON values."""
        with self._lock:
            exchanges = {name: vars(one).copy() for name, one in sorted(self._exchanges.items())}
            return {
                "written": rfc3339(self.clock.now()),
                "exchanges": exchanges,
                "waiting": dict(self._waiting),
                **self._facts,
            }


class Display:
    """Puts the board beside the state, and so finds out whether anything can be written there."""

    def __init__(self, state: StateDirectory, board: Board, conditions: Conditions) -> None:
        self._state = state
        self._board = board
        self._conditions = conditions
        self.problem: StateUnwritable | None = None
        """Why nothing can be written there."""

    def show(self) -> bool:
        """Write it down, whole or not at all, not durable. Returns whether that is possible again since it was not."""
        try:
            text = json.dumps(self._board.snapshot(), indent=1, sort_keys=True)
            self._state.disk.write_volatile(self._state.path(FILE), text.encode())
        except OSError as error:
            self.problem = StateUnwritable(f"{error.strerror}.")
            self._conditions.stands("state", logging.ERROR, f"state: {self.problem.explain()}")
            return False
        again = self.problem is not None
        self.problem = None
        self._conditions.over("state")
        return again


def read(state: StateDirectory) -> dict[str, Any] | None:
    """The last snapshot, None where there is none."""
    try:
        found = json.loads(state.path(FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
