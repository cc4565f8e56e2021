"""Counts over a whole large inventory, kept for a moment: a number beside a heading need not be of this very second.

Kept in the memory of one process, for each database, and apart for everybody who sees something else. What is small is counted
anew each time; nothing that decides anything is ever taken from here.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

from inventory.db import Database

from ._scope import limited
from .context import Actor

T = TypeVar("T")

SECONDS: Final = 20.0
"""So long a count is shown before somebody counts again; meanwhile the others are shown the one before."""
PATIENCE: Final = 50
"""A count that took long is shown for so many times as long: counting never takes more than a fiftieth of the time."""
LONGEST: Final = 300.0
"""However long it took, after this it is made again."""
LARGE: Final = 20_000
"""Up to so many rows everything is counted anew."""
_MOST: Final = 500


@dataclass
class _Shelf:
    lock: threading.Lock = field(default_factory=threading.Lock)
    values: OrderedDict[Hashable, tuple[float, float, Any]] = field(default_factory=OrderedDict)
    counting: set[Hashable] = field(default_factory=set)


_shelves: WeakKeyDictionary[Database, _Shelf] = WeakKeyDictionary()
_making = threading.Lock()


def kept(database: Database, actor: Actor, name: str, count: Callable[[], T], size: Callable[[T], int]) -> T:
    """What was counted a moment ago, or what is counted now.

    Args:
        database: of which.
        actor: for whom; whoever is limited has counts of their own.
        name: of what.
        count: counts.
        size: how many rows the count went through; a small one is not kept.
    """
    shelf = _shelf(database)
    key = (name, actor.ref if limited(actor) else "")
    if (found := _usable(shelf, key)) is not None:
        value: T = found[0]
        return value
    began = time.monotonic()
    try:
        value = count()
    finally:
        with shelf.lock:
            shelf.counting.discard(key)
    if size(value) > LARGE:
        now = time.monotonic()
        lasts = min(LONGEST, max(SECONDS, (now - began) * PATIENCE))
        with shelf.lock:
            shelf.values[key] = (now + lasts, lasts, value)
            shelf.values.move_to_end(key)
            while len(shelf.values) > _MOST:
                shelf.values.popitem(last=False)
    return value


def total_of(counts: dict[str, int]) -> int:
    """How many rows a count by something went through."""
    return sum(counts.values())


def _usable(shelf: _Shelf, key: Hashable) -> tuple[Any] | None:
    """A value that is fresh, or that somebody is counting anew just now; None: count yourself."""
    with shelf.lock:
        until, lasts, value = shelf.values.get(key, (0.0, 0.0, None))
        now = time.monotonic()
        if until > now or (key in shelf.counting and until > now - lasts):
            return (value,)
        shelf.counting.add(key)
        return None


def _shelf(database: Database) -> _Shelf:
    with _making:
        if database not in _shelves:
            _shelves[database] = _Shelf()
        return _shelves[database]
