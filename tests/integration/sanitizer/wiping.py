"""The real engine on real loop devices, as an operator or an agent would drive it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sanitizer
from sanitizer import engine
from sanitizer.clearance import Clearance
from sanitizer.planning import PlanRequest
from sanitizer.run import RunResult
from sanitizer.settings import Settings
from sanitizer.stretch import Hooks
from sanitizer.system import HostSystem

ROOT = Path(__file__).resolve().parents[3]
SEED = "0123456789abcdef0123456789abcdef"


def cleared(path: str, request: PlanRequest | None = None) -> Clearance:
    """A clearance for the device at `path`. Raises what stands against it."""
    inspection = sanitizer.inspect(path)
    planned = sanitizer.plan(request or PlanRequest(pattern_set="zeros"), inspection)
    confirmation = sanitizer.Confirmation(
        fingerprint=inspection.fingerprint or "",
        acknowledged_signatures=planned.request.acknowledged_signatures,
    )
    return sanitizer.clear(inspection, planned, confirmation, datetime.now(UTC))


def wipe(path: str, journals: Path, request: PlanRequest | None = None, run_id: str = "run-1") -> RunResult:
    """A whole run by the public function."""
    return sanitizer.sanitize(cleared(path, request), run_id, journals, sample_seed=SEED)


def wipe_with(settings: Settings, path: str, journals: Path, request: PlanRequest | None = None) -> RunResult:
    """A whole run with other numbers than the measured ones."""
    return engine.sanitize(HostSystem(), settings, cleared(path, request), "run-1", journals, SEED, Hooks())


def go_on(path: str, journals: Path, run_id: str = "run-1") -> RunResult:
    """Resume the run on the device at `path`."""
    (pending,) = [each for each in sanitizer.pending_runs(journals) if each.run_id == run_id]
    assert pending.plan_request is not None
    return sanitizer.resume(pending, cleared(path, pending.plan_request))


def codes(path: str) -> list[str]:
    """The codes of all obstacles to a device."""
    return [obstacle.code for obstacle in sanitizer.inspect(path).obstacles]


def command(*arguments: str) -> list[str]:
    """The command line as a process of its own."""
    return [sys.executable, "-m", "sanitizer.cli", *arguments]


def environment(journals: Path) -> dict[str, str]:
    """Its surroundings."""
    return {**os.environ, "SANITIZER_JOURNAL_DIR": str(journals), "PYTHONPATH": str(ROOT)}


def run_command(journals: Path, *arguments: str) -> tuple[int, Any, str]:
    """Run it with `--json`; returns status, document and what it said on stderr."""
    done = subprocess.run(
        command(*arguments, "--json"), env=environment(journals), capture_output=True, text=True, check=False, cwd=ROOT
    )
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr
