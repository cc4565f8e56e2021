"""Waiting for a drive that works by itself: asks it where it stands until it has an end to tell, or none can be hoped for.

What the drive says is only put down here. Whether it is believed is decided by the canaries (`canaries.py`): a status of
success may be years old, and drives lie.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .capability import SanitizePhase, SanitizeStanding
from .errors import (
    DeviceGone,
    SanitizerError,
    TechniqueStalled,
    TransportError,
    UnansweredDestructiveCommand,
)
from .settings import Settings

WHOLE = 65536
"""Progress is told in parts of this (ACS, SBC and NVMe Base alike)."""

FAILED = frozenset({SanitizePhase.FAILED, SanitizePhase.FAILED_RESTRICTED, SanitizePhase.FAILED_UNRESTRICTED})
"""The drive itself says that its last operation failed."""


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How the waiting ended."""

    standing: SanitizeStanding
    """The last answer of the drive."""
    seen_working: bool
    """Whether the drive said in between that it was at work: then the end it tells is that of this operation."""


class Settling:
    """One wait for one operation. Sleeps through the function it is handed and reads no clock of its own."""

    def __init__(
        self,
        technique: str,
        standing: Callable[[], SanitizeStanding],
        *,
        estimate_seconds: int | None,
        settings: Settings,
        clock: Callable[[], float],
        pause: Callable[[float], bool],
    ) -> None:
        """Nothing is asked yet.

        Args:
            technique: Its name, for errors.
            standing: Asks the drive.
            estimate_seconds: The drive's own, None where it makes none.
            settings: Intervals and limits.
            clock: Seconds, monotonic.
            pause: Waits this many seconds; False when the run is to stop.
        """
        self._technique = technique
        self._standing = standing
        self._estimate = estimate_seconds
        self._settings = settings
        self._clock = clock
        self._pause = pause
        self._begun = clock()
        self._changed_at = self._begun
        self._first: tuple[float, int] | None = None
        self._silent_since: float | None = None
        self.progress: int | None = None
        """The drive's newest, in parts of 65,536."""
        self.seen_working = False

    def run(self) -> Ending | None:
        """Ask until the drive tells an end; None when the run is to stop (the drive goes on by itself).

        Raises:
            TechniqueStalled: it makes no progress, or takes longer than anything can.
            UnansweredDestructiveCommand: it says nothing that can be understood, for too long.
            DeviceGone: it left.
        """
        interval = self._settings.poll_seconds
        while True:
            standing = self._ask()
            if standing is not None and standing.phase is SanitizePhase.IN_PROGRESS:
                self.seen_working = True
                self._observe(standing.progress)
            elif standing is not None and standing.phase is not SanitizePhase.UNKNOWN:
                return Ending(standing=standing, seen_working=self.seen_working)
            self._give_up_when_late()
            if not self._pause(interval):
                return None
            interval = min(self._settings.most_poll_seconds, interval * 1.5)

    @property
    def seconds_left(self) -> int | None:
        """By the progress seen so far, else by the drive's estimate; None while neither says anything."""
        now = self._clock()
        if self._first is not None and self.progress is not None:
            begun, before = self._first
            if self.progress > before:
                left = (WHOLE - self.progress) * (self._changed_at - begun) / (self.progress - before)
                return max(0, round(left - (now - self._changed_at)))
        if self._estimate is None:
            return None
        return max(0, round(self._estimate - (now - self._begun)))

    def _ask(self) -> SanitizeStanding | None:
        """One question; an answer that does not come, or makes no sense, is put up with for a while (a bus reset)."""
        try:
            standing = self._standing()
        except DeviceGone:
            raise
        except TransportError as error:
            self._unanswered(error)
            return None
        if standing.phase is SanitizePhase.UNKNOWN:
            self._unanswered(None)
            return standing
        self._silent_since = None
        return standing

    def _unanswered(self, error: SanitizerError | None) -> None:
        now = self._clock()
        if self._silent_since is None:
            self._silent_since = now
        elif now - self._silent_since >= self._settings.silent_seconds:
            said = error.summarize() if error else "its status says nothing that is understood"
            raise UnansweredDestructiveCommand(command=self._technique, reason=said)

    def _observe(self, progress: int | None) -> None:
        if progress is None or progress == self.progress:
            return
        self.progress = progress
        self._changed_at = self._clock()
        if self._first is None:
            self._first = (self._changed_at, progress)

    def _give_up_when_late(self) -> None:
        now = self._clock()
        still = now - self._changed_at
        if still >= max(self._settings.stall_seconds, 3 * (self._estimate or 0)):
            raise TechniqueStalled(technique=self._technique, seconds=int(still), progress=self.progress)
        if now - self._begun >= self._settings.most_settling_seconds:
            raise TechniqueStalled(technique=self._technique, seconds=int(now - self._begun), progress=self.progress)
