"""Whether the build that runs here finds the faults it claims to find (`sanitizer.selftest`): asked before anything is begun.

A test counts for the process that made it and for `VALID` seconds; media begun within that time share it, and are a batch. One
that missed anything lets nothing begin, and is tried again at the next question. What it found stands in every record of a run
it let begin or go on, and in `self-test.json` for `doctor` and `metrics`; that file grants nothing.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from typing import Any

from reports.errors import MalformedDocument
from reports.times import parse_instant
from sanitizer.selftest import SelfTest, run_self_test

from . import host
from .clock import Monotonic
from .refusals import SelfTestMissed
from .state import StateDirectory

log = logging.getLogger("agents.self_tests")

FILE = "self-test.json"
VALID = 3600.0
"""Seconds that a test counts for."""


def this_build() -> SelfTest:
    """Try every fault now."""
    return run_self_test(host.tool())


class SelfTests:
    """The self-tests of this process. Thread-safe."""

    def __init__(
        self,
        state: StateDirectory,
        monotonic: Monotonic,
        test: Callable[[], SelfTest] = this_build,
        *,
        show: bool = True,
    ) -> None:
        """Nothing is tested yet.

        Args:
            state: Where the newest result is shown.
            monotonic: Clock, so that setting the other one makes no test older or newer.
            test: Makes a test.
            show: Whether to leave the result where `doctor` and `metrics` look; only the agent itself does.
        """
        self._shows = show
        self._state = state
        self._monotonic = monotonic
        self._test = test
        self._newest: SelfTest | None = None
        self._until = 0.0
        self._lock = threading.Lock()

    def require(self) -> SelfTest:
        """A test that this process has passed, lately; made now where there is none.

        Raises:
            SelfTestMissed: This build does not find what it must find, or cannot be tested.
        """
        with self._lock:
            if self._newest is None or self._monotonic() >= self._until:
                self._newest = None
                self._newest = self._passed()
                self._until = self._monotonic() + VALID
            return self._newest

    def _passed(self) -> SelfTest:
        try:
            found = self._test()
        except Exception as error:  # whatever it is, nothing is known of this build
            log.exception("the self-test could not be made")
            raise SelfTestMissed(f"It could not be made: {type(error).__name__}: {error}") from error
        if self._shows:
            self._show(found)
        if not found.passed:
            log.critical("the self-test missed: %s", ", ".join(found.missed))
            raise SelfTestMissed(f"Not found: {', '.join(found.missed)}.")
        log.info("the self-test found all planted faults; build %s", found.build_sha256)
        return found

    def _show(self, found: SelfTest) -> None:
        document = {**found.to_dict(), "missed": list(found.missed)}
        try:
            self._state.disk.write_volatile(self._state.path(FILE), json.dumps(document, sort_keys=True).encode())
        except OSError as error:  # a full disk costs only the display
            log.warning("the self-test cannot be shown: %s", error)


def shown(state: StateDirectory) -> SelfTest | None:
    """What the agent's newest self-test found, for the eye; None where there is none that can be read."""
    try:
        document: Any = json.loads(state.path(FILE).read_text("utf-8"))
        found = SelfTest.from_dict(document)
        parse_instant(found.taken)
    except (OSError, ValueError, KeyError, TypeError, MalformedDocument):
        return None
    return found
