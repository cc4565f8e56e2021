"""Small notes of many requests, written together: one transaction and one wait for the disk for all that came meanwhile.

Ten thousand agents say each half minute that they are alive. Each note alone would wait for its turn and for the disk; so
whoever finds the way free takes the notes of all who wait, and writes them at once. Nobody is answered before their note is
committed. Only for notes that stand by themselves: a condition in the statement itself says whether each still holds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy.orm import Session

from inventory.db import Database

T = TypeVar("T")
R = TypeVar("R")

_MOST: Final = 200
"""Notes of one transaction."""


@dataclass
class _Note(Generic[T, R]):
    item: T
    done: bool = False
    answer: R | None = None
    error: Exception | None = None


@dataclass
class _Queue:
    turn: threading.Lock = field(default_factory=threading.Lock)
    lock: threading.Lock = field(default_factory=threading.Lock)
    waiting: list[Any] = field(default_factory=list)


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

    def add(self, database: Database, item: T) -> R:
        """Write one note, with those of others who wait. Raises `StorageFailed`, and what `write` raises for this one."""
        queue, note = self._queue(database), _Note[T, R](item)
        with queue.lock:
            queue.waiting.append(note)
        while not note.done:
            with queue.turn:
                if note.done:
                    break
                with queue.lock:
                    batch, queue.waiting = queue.waiting[:_MOST], queue.waiting[_MOST:]
                self._perform(database, batch)
        if note.error is not None:
            raise note.error
        return note.answer  # type: ignore[return-value]  # set where there is no error

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
