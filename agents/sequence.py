"""Numbers every record of this agent, without a gap that is not a missing record.

A number is given to a record id once, durably, before the record is signed; a crash before the record is safe finds
the same number again for the same id. Counter and open assignments are one file, so that no crash can advance one
without the other.
"""

from __future__ import annotations

import threading

from .errors import StateDamaged
from .state import StateDirectory

FILE = "sequence.json"
SCHEMA = "sanitrail-agent/sequence/1"


class Sequence:
    """The counter on disk. Thread-safe; one process at a time (the state directory's lock)."""

    def __init__(self, state: StateDirectory) -> None:
        self._state = state
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Enrolment: the counter stands at 0, unless this host counted before (a re-enrolment goes on counting)."""
        with self._lock:
            if self._state.read(FILE, SCHEMA) is None:
                self._write(0, {})

    def assign(self, record_id: str) -> int:
        """The record's number, 1 for the first; the same one each time it is asked for until it is released.

        Raises:
            OSError: The disk does not take it; no number was given.
            StateDamaged: The counter cannot be read back. Guessing would hide a withheld record, so nothing is guessed.
        """
        with self._lock:
            last, open_ = self._read()
            if record_id in open_:
                return open_[record_id]
            open_[record_id] = last + 1
            self._write(last + 1, open_)
            return last + 1

    def release(self, record_id: str) -> None:
        """The record is safe: its number is history."""
        with self._lock:
            last, open_ = self._read()
            if open_.pop(record_id, None) is not None:
                self._write(last, open_)

    @property
    def last(self) -> int:
        """The newest number given, 0 before the first."""
        with self._lock:
            return self._read()[0]

    def _read(self) -> tuple[int, dict[str, int]]:
        document = self._state.read(FILE, SCHEMA)
        if document is None:
            raise StateDamaged(str(self._state.path(FILE)), "the counter is missing")
        last, open_ = document.get("last"), document.get("open")
        if type(last) is not int or not isinstance(open_, dict) or any(type(n) is not int for n in open_.values()):
            raise StateDamaged(str(self._state.path(FILE)), "not a counter")
        return last, dict(open_)

    def _write(self, last: int, open_: dict[str, int]) -> None:
        self._state.write(FILE, SCHEMA, {"last": last, "open": open_})
