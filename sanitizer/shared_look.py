"""One look at the host for everybody who is waiting for one.

A look costs a walk through all of /sys/block and /proc. When a shelf of disks is started at once, every run wants
several, each as fresh as its own question; walked one by one in as many threads they take longer than many a pass.
A look that begins after the question was asked is fresh enough for all who asked before it began, and only such a one
is handed out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Facts = TypeVar("Facts")


class SharedLook(Generic[Facts]):
    """Makes a look one at a time; who asks during one waits for the next and shares that with all who wait."""

    def __init__(self, look: Callable[[], Facts]) -> None:
        self._look = look
        self._changed = threading.Condition()
        self._begun = 0
        self._looking = False
        self._newest: tuple[int, Facts] | None = None

    def __call__(self) -> Facts:
        """Facts of a look that began after this call did. What the look raises, it raises to the one who made it."""
        with self._changed:
            wanted = self._begun + 1
            while self._looking or (self._newest is not None and self._newest[0] >= wanted):
                if self._newest is not None and self._newest[0] >= wanted:
                    return self._newest[1]
                self._changed.wait()
            self._begun += 1
            number = self._begun
            self._looking = True
        try:
            facts = self._look()
        except BaseException:
            with self._changed:
                self._looking = False
                self._changed.notify_all()
            raise
        with self._changed:
            self._looking = False
            self._newest = (number, facts)
            self._changed.notify_all()
        return facts
