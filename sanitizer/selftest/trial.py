"""Runs the engine of this very build on every scratch device. No device of this host is touched."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import sanitizer
from sanitizer import engine
from sanitizer.clearance import Clearance, Confirmation, clear
from sanitizer.errors import ByteRange, SanitizerError
from sanitizer.hooks import Hooks, stamp
from sanitizer.patterns import Keyed, PatternSet
from sanitizer.planning import Plan, PlanRequest, plan
from sanitizer.ranges import RangeSet
from sanitizer.run import RunResult
from sanitizer.settings import Settings

from .cases import CASES, Case, SelfTest, SelfTestCase
from .scratch import COMMAND, ScratchDisk, ScratchSystem

SETTINGS = Settings(
    small_block_bytes=8 << 10,
    threads=2,
    checkpoint_bytes=32 << 10,
    markers=8,
    marker_unit_bytes=8 << 10,
    capacity_seconds=0.0,
    tick_seconds=0.01,
)
"""As on a real device, but for sizes: what is tested is the code, not its numbers."""
_SEED = "self-test"


def run_self_test(tool: str, cases: Sequence[Case] = CASES) -> SelfTest:
    """Try every fault on a scratch device of its own. Never raises for what the engine does: that is a missed fault.

    Args:
        tool: Name and version, as records state it.
        cases: What to try.
    """
    tried = tuple(_try(case) for case in cases)
    return SelfTest(taken=stamp(datetime.now(UTC)), build_sha256=build_digest(), tool=tool, cases=tried)


def _try(case: Case) -> SelfTestCase:
    try:
        outcome = _run(case)
    except SanitizerError as error:
        return SelfTestCase(fault=case.fault, planted=case.planted, state="", error_code=error.code, found=())
    except Exception as error:  # noqa: BLE001 - a defect of the engine is what a self-test is there to find
        return SelfTestCase(
            fault=case.fault, planted=case.planted, state="", error_code=f"defect:{type(error).__name__}", found=()
        )
    return SelfTestCase(
        fault=case.fault,
        planted=case.planted,
        state=str(outcome.state),
        error_code=outcome.error_code,
        found=_told(outcome) if case.planted or outcome.state == "succeeded" else (),
    )


def _run(case: Case) -> RunResult:
    system = ScratchSystem(ScratchDisk(case.device))
    clearance = _cleared(system, case.request)
    return engine.sanitize(system, SETTINGS, clearance, f"self-test-{case.fault}", Path(), _SEED, Hooks())


def _cleared(system: ScratchSystem, request: PlanRequest) -> Clearance:
    inspection = system.inspect()
    identity = system.identity
    if request.technique == COMMAND:
        patterns = PatternSet(name="canaries", passes=(Keyed(),))
        made = Plan(request=request, patterns=patterns, capacity_bytes=identity.capacity_bytes, steps=(COMMAND,))
    else:
        made = plan(request, inspection)
    return clear(inspection, made, Confirmation(fingerprint=identity.fingerprint), system.now())


def _told(outcome: RunResult) -> tuple[ByteRange, ...]:
    """Every range that the result names, whatever as."""
    check = outcome.verification
    written = [one for each in outcome.method.passes for one in each.unwritten]
    found = RangeSet()
    for start, end in (*written, *check.residual, *check.unreadable):
        found.add(start, end)
    return found.result()


@cache
def build_digest() -> str:
    """SHA-256 over the code of this package: one line `sha256  path` a file, in order of their paths.

    Taken once a process, at its first self-test: an upgrade that replaces the files later replaces no code that runs.

    Raises:
        OSError: the code cannot be read.
    """
    root = Path(sanitizer.__file__).parent
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(root).as_posix()}\n"
        for path in sorted(root.rglob("*.py"))
    ]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
