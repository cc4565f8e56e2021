"""Running the real engine on a simulated drive."""

from __future__ import annotations

from pathlib import Path

from sanitizer import engine
from sanitizer.clearance import Clearance, Confirmation, clear
from sanitizer.hooks import Hooks
from sanitizer.planning import PlanRequest, plan
from sanitizer.run import RunResult
from sanitizer.settings import Settings
from tests.support.simulated_drive import SimulatedSystem

SETTINGS = Settings(
    small_block_bytes=4096,
    threads=1,
    checkpoint_bytes=16 << 10,
    markers=6,
    marker_unit_bytes=4096,
    resume_samples=4,
    tick_seconds=0.01,
    progress_seconds=0.0,
)
MARKERS = 15
"""Markers of a simulated drive of 64 KiB under these settings; writes before the first pass."""
RUN = "run-1"
SEED = "0123456789abcdef"


def cleared(system: SimulatedSystem, request: PlanRequest | None = None) -> Clearance:
    """A clearance for the simulated drive, as an operator would get it."""
    inspection = system.inspect()
    planned = plan(request or PlanRequest(), inspection)
    return clear(inspection, planned, Confirmation(fingerprint=inspection.fingerprint or ""), system.now())


def wipe(
    system: SimulatedSystem,
    journals: Path,
    request: PlanRequest | None = None,
    *,
    settings: Settings = SETTINGS,
    hooks: Hooks | None = None,
) -> RunResult:
    """A fresh run."""
    return engine.sanitize(system, settings, cleared(system, request), RUN, journals, SEED, hooks or Hooks())


def go_on(
    system: SimulatedSystem, journals: Path, request: PlanRequest | None = None, hooks: Hooks | None = None
) -> RunResult:
    """A resumed run."""
    return engine.resume(system, SETTINGS, cleared(system, request), RUN, journals, hooks or Hooks())
