"""Looks at everything attached in a thread of its own: what waits for a disk that answers slowly is this look alone.

Heartbeats, leases, a halt and systemd's watchdog belong to the main loop. On a station with a failing disk in one of its bays
a look can take minutes.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Generic, NoReturn, TypeVar

Seen = TypeVar("Seen")


class Looking(Generic[Seen]):
    """At most one look at a time. `take` is the main loop's."""

    def __init__(self, look: Callable[[], Seen], over: Callable[[], None]) -> None:
        """Nothing is looked at yet.

        Args:
            look: Looks. Called in the look's own thread.
            over: Called from there when a look has ended, well or not.
        """
        self._look = look
        self._over = over
        self._lock = threading.Lock()
        self._under_way = False
        self._found: Callable[[], Seen] | None = None
        self._outdated = False

    @property
    def outdated(self) -> bool:
        """Whether a look was asked for while the last one was under way: what has changed since may not be in it."""
        with self._lock:
            return self._outdated

    def take(self) -> Seen | None:
        """What a look has found, once. Where there is nothing yet one is begun, or goes on, and `over` will tell.

        Raises what the look raised, once.
        """
        with self._lock:
            if (found := self._found) is not None:
                self._found = None
            elif self._under_way:
                self._outdated = True
            else:
                self._under_way, self._outdated = True, False
                # A daemon thread: it writes nothing, and a disk that never answers must not keep the process from ending.
                threading.Thread(target=self._work, name="look", daemon=True).start()
        return None if found is None else found()

    def _work(self) -> None:
        found: Callable[[], Seen]
        try:
            seen = self._look()
        except Exception as error:  # noqa: BLE001 - raised again to who takes it
            found = functools.partial(_raise, error)
        else:
            found = functools.partial(_same, seen)
        with self._lock:
            self._found, self._under_way = found, False
        self._over()


def _same(seen: Seen) -> Seen:
    return seen


def _raise(error: Exception) -> NoReturn:
    raise error
