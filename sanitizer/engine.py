"""Begins, resumes and gives up runs; every one of them ends in a `RunResult`."""

from __future__ import annotations

import dataclasses
import threading
from pathlib import Path

from .canaries import where
from .clearance import Clearance
from .errors import (
    ByteRange,
    IdentityMismatch,
    Interrupted,
    JournalDamaged,
    LockedByUs,
    PlanMismatch,
    Refused,
    SanitizerError,
)
from .firmware import CommandStretch
from .hooks import Hooks, stamp
from .journal import Journal, checked_run_id
from .key_erasing import LABEL, KeyStretch
from .overwrite import written_bytes
from .overwriting import OverwriteStretch
from .planning import HOST, KEYS
from .recovery import Recovered, recover
from .results import Course, Work, not_verified, result
from .run import PassFacts, RunResult, RunState
from .settings import Settings
from .stretch import Stretch
from .system import System

_active: set[int] = set()
_active_lock = threading.Lock()


def _carried_out(
    system: System,
    settings: Settings,
    clearance: Clearance,
    journal: Journal,
    sample_seed: str,
    hooks: Hooks,
    before: Recovered | None,
) -> RunResult:
    """One stretch; how many devices this process works on at its beginning decides its threads."""
    with _active_lock:
        _active.add(id(journal))
        threads = settings.threads or (2 if len(_active) * 2 <= settings.most_threads else 1)
    try:
        kind: type[Stretch] = CommandStretch if clearance.plan.by_drive else OverwriteStretch
        if clearance.plan.by_keys:
            kind = KeyStretch
        return kind(system, settings, clearance, journal, sample_seed, hooks, threads, before).go()
    finally:
        with _active_lock:
            _active.discard(id(journal))


def sanitize(
    system: System,
    settings: Settings,
    clearance: Clearance,
    run_id: str,
    journal_dir: Path,
    sample_seed: str,
    hooks: Hooks,
) -> RunResult:
    """Carry out a clearance's plan. See `sanitizer.sanitize`."""
    checked_run_id(run_id)
    if not sample_seed:
        raise ValueError("sample_seed must not be empty")
    try:
        clearance.consume(system.now())
        journal = system.create_journal(journal_dir, run_id)
    except Refused as refused:
        return _refused_before_journal(system, clearance, run_id, refused)
    try:
        return _carried_out(system, settings, clearance, journal, sample_seed, hooks, None)
    finally:
        journal.close()


def _refused_before_journal(system: System, clearance: Clearance, run_id: str, refused: Refused) -> RunResult:
    now = stamp(system.now())
    course = Course(
        run_id=run_id,
        path=clearance.path,
        device=clearance.inspection.device_facts(),
        started=now,
        finished=now,
        segments=(),
        clock_synchronized=system.clock_synchronized(),
        identity_after=None,
        touched="no",
    )
    request = clearance.plan.request
    plan = clearance.plan
    work = Work(steps=plan.steps, pattern_set=plan.patterns.label)
    expected = _expected(request.pattern_set, plan.steps)
    return result(course, request, work, (), not_verified(expected), RunState.REFUSED, refused)


def _expected(pattern_set: str, steps: tuple[str, ...]) -> str:
    """What would have been looked for, of a run that was not read back."""
    if steps == (KEYS,):
        return LABEL
    return pattern_set if steps == (HOST,) else "no-canary"


def resume(
    system: System, settings: Settings, clearance: Clearance, run_id: str, journal_dir: Path, hooks: Hooks
) -> RunResult:
    """Go on with an interrupted run. See `sanitizer.resume`.

    Raises:
        Refused: the run is locked or unknown.
        JournalDamaged: its journal cannot be read.
    """
    journal = system.reopen_journal(journal_dir, run_id)
    try:
        before = recover(journal.entries)
        if before is None:
            raise JournalDamaged(
                run_id=run_id, line=0, touched="no", reason="it has no beginning: the run never started"
            )
        if before.result is not None:
            return before.result
        refused = _unfit(clearance, before, system)
        if refused is not None:
            return interrupted_result(system, before, refused)
        return _carried_out(system, settings, clearance, journal, before.sample_seed, hooks, before)
    finally:
        journal.close()


def _unfit(clearance: Clearance, before: Recovered, system: System) -> Refused | None:
    """Why this clearance is not for this run; consumes it."""
    try:
        clearance.consume(system.now())
    except Refused as refused:
        return refused
    expected = before.device.fingerprint if before.device else "unknown"
    if clearance.identity.fingerprint != expected:
        return IdentityMismatch(expected=expected, found=clearance.identity.fingerprint)
    if clearance.plan.digest != before.request.digest:
        return PlanMismatch(expected=before.request.digest, found=clearance.plan.digest)
    if clearance.plan.steps != before.steps:
        return PlanMismatch(expected="+".join(before.steps), found=clearance.plan.technique)
    return None


def interrupted_result(system: System, before: Recovered, error: SanitizerError) -> RunResult:
    """The result of a run that could not go on now, or will not go on at all."""
    segments = before.segments
    course = Course(
        run_id=before.run_id,
        path=before.path,
        device=before.device,
        started=before.started,
        finished=segments[-1].finished if segments else stamp(system.now()),
        segments=segments,
        clock_synchronized=before.clock_synchronized,
        identity_after=None,
        touched=before.touched,
    )
    verification = not_verified(_expected(before.request.pattern_set, before.steps))
    work = Work(steps=before.steps, commands=before.commands, key_erasure=before.key_erasure)
    ended = result(course, before.request, work, _passes_of(before), verification, RunState.INTERRUPTED, error)
    return dataclasses.replace(ended, health=before.health_before)


def _passes_of(before: Recovered) -> tuple[PassFacts, ...]:
    """Passes done, and how far the one under way is known to be on the medium."""
    current = before.current
    if current is None:
        return before.passes
    keyed = before.current_label == "keyed-stream"
    partly = PassFacts(
        number=current.number,
        pattern=before.current_label or "unknown",
        key_sha256=before.key_sha256 if keyed else None,
        bytes_written=written_bytes(current, _regions_of(before)),
        unwritten=(),
        failed_writes=current.failed_writes,
        flushed=False,
    )
    return (*before.passes, partly)


def _regions_of(before: Recovered) -> tuple[ByteRange, ...]:
    """What the passes of the run go over."""
    device = before.device
    if device is None:
        return ()
    if before.key_erasure is not None:
        return (before.key_erasure.area,)
    if not before.by_drive:
        return ((0, device.capacity_bytes),)
    whole = before.steps[0] == HOST
    block = device.logical_block_bytes
    return where(before.request.verification, device.capacity_bytes, block, before.sample_seed, whole=whole).regions


def abandon(system: System, run_id: str, journal_dir: Path, reason: str) -> RunResult:
    """End an interrupted run for good. See `sanitizer.abandon`."""
    journal = system.reopen_journal(journal_dir, run_id)
    try:
        before = recover(journal.entries)
        if before is None:
            raise JournalDamaged(
                run_id=run_id, line=0, touched="no", reason="it has no beginning: the run never started"
            )
        if before.result is not None:
            return before.result
        current = before.current
        error: SanitizerError = Interrupted(
            pass_number=current.number if current else len(before.passes),
            durable_bytes=current.durable_bytes if current else 0,
            touched=before.touched,
        )
        if before.password_id is not None:
            error = LockedByUs(password_id=before.password_id, touched=before.touched)
        given_up = interrupted_result(system, before, error)
        run = dataclasses.replace(given_up.run, error=f"{error.summarize()}; given up: {reason}")
        outcome = dataclasses.replace(given_up, run=run, resumable=False)
        moment = {"t": stamp(system.now()), "m": int(system.monotonic() * 1000), "state": RunState.INTERRUPTED.value}
        journal.append("ended", {**moment, "event": "abandon", "result": outcome.to_dict()})
        return outcome
    finally:
        journal.close()
