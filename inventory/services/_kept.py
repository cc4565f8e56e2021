"""Counts over a whole large inventory, kept for a moment: a number beside a heading need not be of this very second (ADR 0052).

Kept in the memory of one process, for each database, and apart for everybody who sees something else. Nobody waits for a count
that was made before: the one before is shown, with its moment, while one thread counts again. What is small is counted anew each
time; nothing that decides anything is ever taken from here.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Final, Generic, TypeVar
from weakref import WeakKeyDictionary

from inventory.db import Database

from ._scope import limited
from .context import Actor, Context

log = logging.getLogger("inventory.kept")

T = TypeVar("T")

SECONDS: Final = 20.0
"""So long a count is shown before somebody counts again."""
PATIENCE: Final = 50
"""A count that took long is shown for so many times as long: counting never takes more than a fiftieth of the time."""
LONGEST: Final = 300.0
"""However long it took, after this it is made again."""
OLDEST: Final = 600.0
"""What nobody asked for meanwhile is not shown any more when it is older than this: whoever asks waits."""
LARGE: Final = 20_000
"""Up to so many rows everything is counted anew."""
_MOST: Final = 500
_WAIT: Final = 60.0


@dataclass(frozen=True)
class Counted(Generic[T]):
    """What was counted, and when."""

    value: T
    at: datetime | None
    """None: just now, and not kept."""


@dataclass
class _Entry:
    counted: Counted[Any]
    made: float
    lasts: float


@dataclass
class _Shelf:
    lock: threading.Lock = field(default_factory=threading.Lock)
    entries: OrderedDict[Hashable, _Entry] = field(default_factory=OrderedDict)
    counting: dict[Hashable, threading.Event] = field(default_factory=dict)
    """Who counts now; set when they are done."""


_shelves: WeakKeyDictionary[Database, _Shelf] = WeakKeyDictionary()
_making = threading.Lock()


def kept(context: Context, actor: Actor, name: str, count: Callable[[], T], size: Callable[[T], int]) -> Counted[T]:
    """What was counted a moment ago, or what is counted now.

    Args:
        context: the open inventory.
        actor: for whom; whoever is limited has counts of their own.
        name: of what.
        count: counts, in a transaction of its own: it may run in another thread, after the page was sent.
        size: how many rows the count went through; a small one is not kept.
    """
    shelf = _shelf(context.database)
    # With how far they see: what was counted before somebody's sites were taken away is not shown to them afterwards.
    key = (name, (actor.ref, actor.scope) if limited(actor) else None)
    with shelf.lock:
        entry = shelf.entries.get(key)
        age = 0.0 if entry is None else time.monotonic() - entry.made
        old = entry is None or age > max(OLDEST, entry.lasts)
        busy = shelf.counting.get(key)
        mine = busy is None and (entry is None or age > entry.lasts)
        if mine:
            shelf.counting[key] = threading.Event()
    if entry is not None and not old:
        if mine:
            _beside(partial(_again, context, shelf, key, count, size))
        return entry.counted
    if busy is not None and busy.wait(_WAIT):
        with shelf.lock:
            made = shelf.entries.get(key)
        if made is not None and made is not entry:
            return made.counted
    return _count(context, shelf, key, count, size)


def _beside(act: Callable[[], None]) -> None:
    threading.Thread(target=act, name="counting", daemon=True).start()


def _again(
    context: Context, shelf: _Shelf, key: Hashable, count: Callable[[], Any], size: Callable[[Any], int]
) -> None:
    try:
        _count(context, shelf, key, count, size)
    except Exception:
        log.exception("counting again failed; the count before is shown until it is too old")


def _count(
    context: Context, shelf: _Shelf, key: Hashable, count: Callable[[], T], size: Callable[[T], int]
) -> Counted[T]:
    at, began = context.now(), time.monotonic()
    try:
        value = count()
        made, large = time.monotonic(), size(value) > LARGE
        found = Counted(value, at if large else None)
        with shelf.lock:
            shelf.entries.pop(key, None)
            if large:
                lasts = min(LONGEST, max(SECONDS, (made - began) * PATIENCE))
                shelf.entries[key] = _Entry(found, made, lasts)
                while len(shelf.entries) > _MOST:
                    shelf.entries.popitem(last=False)
    finally:
        with shelf.lock:
            waited = shelf.counting.pop(key, None)
        if waited is not None:
            waited.set()
    return found


def total_of(counts: dict[str, int]) -> int:
    """How many rows a count by something went through."""
    return sum(counts.values())


def _shelf(database: Database) -> _Shelf:
    with _making:
        if database not in _shelves:
            _shelves[database] = _Shelf()
        return _shelves[database]
