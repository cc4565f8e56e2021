"""Small notes of many requests, written together: one transaction and one wait for the disk for all that came meanwhile.

Ten thousand agents say each half minute that they are alive. Each note alone would wait for its turn and for the disk; so
whoever comes first leads: takes the notes of all who wait, writes them at once, and hands the lead to the next who came. Where
many come, the leader lets some gather first, for a transaction costs much the same for one note as for ten; who comes alone
waits for nobody. Nobody is answered before their note is committed. Only for notes that stand by themselves: a condition in the
statement itself says whether each still holds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy.orm import Session

from inventory.db import Database
from inventory.errors import StorageFailed

T = TypeVar("T")
R = TypeVar("R")

_MOST: Final = 200
"""Notes of one transaction."""
_PAUSE: Final = 0.05
"""Seconds between two transactions while many come: what a note may wait for others."""


@dataclass(eq=False)
class _Note(Generic[T, R]):
    item: T
    done: bool = False
    answer: R | None = None
    error: Exception | None = None
    called: threading.Event = field(default_factory=threading.Event)
    """It is answered, or its thread shall lead."""


class _Queue:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.enough = threading.Condition(self.lock)
        self.waiting: list[_Note[Any, Any]] = []
        self.led = False
        """Somebody leads; where nobody does, nobody waits."""
        self.many = False
        """The last transaction was not for one alone."""
        self.began = 0.0


class Together(Generic[T, R]):
    """One kind of note. Thread-safe."""

    def __init__(self, write: Callable[[Session, Sequence[T]], Sequence[R]]) -> None:
        """Make it known.

        Args:
            write: writes notes and answers each, in order. It may be asked again for each alone where all together failed.
        """
        self._write = write
        self._queues: WeakKeyDictionary[Database, _Queue] = WeakKeyDictionary()
        self._making = threading.Lock()

    def add(self, database: Database, item: T, *, enough: int = 1) -> R:
        """Write one note, with those of others who wait.

        Args:
            database: where.
            item: the note.
            enough: while many come, let so many gather, for a moment at most; 1: whoever is there.

        Raises:
            StorageFailed: the database did not commit.
            Exception: what `write` raises for this one.
        """
        queue, note = self._queue(database), _Note[T, R](item)
        with queue.lock:
            queue.waiting.append(note)
            leads, queue.led = not queue.led, True
            if len(queue.waiting) >= enough:
                queue.enough.notify()
        if not leads:
            note.called.wait()
        if not note.done:
            self._lead(database, queue, enough)
        if note.error is not None:
            raise note.error
        return note.answer  # type: ignore[return-value]  # set where there is no error

    def _lead(self, database: Database, queue: _Queue, enough: int) -> None:
        """Write the leader's note, the first of those that wait, with the others; then call them, and the next leader."""
        with queue.lock:
            if queue.many:
                left = queue.began + _PAUSE - time.monotonic()
                queue.enough.wait_for(lambda: len(queue.waiting) >= enough, timeout=max(0.0, left))
            batch, queue.waiting = queue.waiting[:_MOST], queue.waiting[_MOST:]
        queue.began = time.monotonic()
        try:
            self._perform(database, batch)
        finally:  # whatever happens to this thread, the others are told and somebody leads
            with queue.lock:
                queue.many = len(batch) > 1 or bool(queue.waiting)
                queue.led = bool(queue.waiting)
                following = queue.waiting[:1]
            for note in batch:
                if not note.done:
                    note.done, note.error = True, StorageFailed("interrupted")
                note.called.set()
            for note in following:
                note.called.set()

    def _perform(self, database: Database, batch: list[_Note[T, R]]) -> None:
        try:
            with database.beside() as session:
                answers = self._write(session, [note.item for note in batch])
            for note, answer in zip(batch, answers, strict=True):
                note.answer = answer
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told to whom it concerns
            if len(batch) == 1:
                batch[0].error = error
            else:  # one of them may be at fault; the others must not pay for it
                for note in batch:
                    self._perform(database, [note])
        for note in batch:
            note.done = True

    def _queue(self, database: Database) -> _Queue:
        with self._making:
            if database not in self._queues:
                self._queues[database] = _Queue()
            return self._queues[database]
