"""Trouble that lasts is said when it begins, when it becomes another, and when it is over; not each time it is met."""

from __future__ import annotations

import logging
import re
import threading

_VARYING = re.compile(r"[0-9a-f]*[0-9][0-9a-f]*")
"""Times, counts and temporary names: the same trouble told again differs in nothing else."""


class Conditions:
    """Which troubles stand now, by what they are about. Thread-safe."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._standing: dict[str, tuple[str, int]] = {}
        self._lock = threading.Lock()

    def stands(self, about: str, level: int, words: str) -> None:
        """It is met; said where it is new."""
        kind = _VARYING.sub("", words)
        with self._lock:
            known, self._standing[about] = self._standing.get(about), (kind, level)
        if known is None or known[0] != kind:
            self._log.log(level, "%s", words)

    def over(self, about: str) -> None:
        """It is not met any more; said where it stood."""
        with self._lock:
            known = self._standing.pop(about, None)
        if known is not None:
            self._log.log(min(known[1], logging.WARNING), "%s: well again", about)
