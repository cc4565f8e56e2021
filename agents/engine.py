"""What the agent asks of the sanitizer. The package `sanitizer` itself implements it; tests wrap it to fail at chosen steps."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

import sanitizer
from sanitizer import (
    Clearance,
    Confirmation,
    Escrow,
    Inspection,
    MemoryArea,
    PathResolution,
    PendingRun,
    Plan,
    PlanRequest,
    Progress,
    RunResult,
    VerificationFacts,
)


class Engine(Protocol):
    """The functions of `sanitizer` by the same names; see there."""

    def list_devices(self) -> Sequence[Inspection]:
        """Every whole block device."""

    def find_devices(self, fingerprint: str, place: str = "") -> Sequence[Inspection]:
        """Those that show a fingerprint; where there is none, what is at a place."""

    def resolve_path(self, path: str | Path) -> PathResolution:
        """The physical devices beneath a path."""

    def resolve_path_of(self, pid: int, path: str) -> PathResolution:
        """The physical devices beneath a path of a running process."""

    def memory_areas(self) -> Sequence[MemoryArea]:
        """The physical devices beneath swap areas and dumps of memory."""

    def plan(self, request: PlanRequest, inspection: Inspection) -> Plan:
        """A plan for one device."""

    def clear(self, inspection: Inspection, plan: Plan, confirmation: Confirmation, now: datetime) -> Clearance:
        """Leave to carry it out once."""

    def clear_again(
        self, pending: PendingRun, inspection: Inspection, confirmation: Confirmation, now: datetime
    ) -> Clearance:
        """Leave to go on with a run, under the plan it was begun with."""

    def sanitize(
        self,
        clearance: Clearance,
        run_id: str,
        journal_dir: Path,
        *,
        sample_seed: str,
        progress: Callable[[Progress], None] | None = None,
        stop: threading.Event | None = None,
        before_first_write: Callable[[], None] | None = None,
        escrow: Callable[[Escrow], None] | None = None,
    ) -> RunResult:
        """Carry it out."""

    def verify(
        self,
        inspection: Inspection,
        pattern: str,
        verification: str,
        *,
        sample_seed: str,
        progress: Callable[[Progress], None] | None = None,
        stop: threading.Event | None = None,
    ) -> VerificationFacts:
        """Read a device back without writing."""

    def pending_runs(self, journal_dir: Path) -> Sequence[PendingRun]:
        """What the journals know."""

    def resume(
        self,
        pending: PendingRun,
        clearance: Clearance,
        *,
        progress: Callable[[Progress], None] | None = None,
        stop: threading.Event | None = None,
        before_first_write: Callable[[], None] | None = None,
        escrow: Callable[[Escrow], None] | None = None,
    ) -> RunResult:
        """Go on."""

    def abandon(self, pending: PendingRun, reason: str) -> RunResult:
        """End an interrupted run for good."""

    def discard_journal(self, journal_dir: Path, run_id: str) -> None:
        """Forget an ended run."""


HERE: Engine = sanitizer
"""This host's real devices."""
