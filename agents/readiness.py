"""Whether this host would take an order now, and if not, why: asked before leasing, told in every heartbeat, shown by `status`.

An order that is leased and cannot be begun costs people a new order and new approvals; so the host says beforehand that it
stands by.
"""

from __future__ import annotations

import os
from pathlib import Path

from .clock import ClockWatch
from .errors import AgentError, StateUnwritable
from .permission import Judge
from .refusals import NoRosterPinned, StateDiskFull
from .runs import RunStore

ROOM_NEEDED = 64 << 20
"""Bytes free beneath the state directory: journals of several runs and their records fit many times."""
FILES_NEEDED = 64
"""Names left there, where the file system counts them."""


def standing_by(judge: Judge, runs: RunStore, root: Path, watch: ClockWatch) -> tuple[str, ...]:
    """Every reason in a sentence; empty when orders are welcome."""
    reasons: list[str] = []
    if (clocks := watch.reading().problem) is not None:
        reasons.append(f"clock-untrusted: {clocks}")
    reasons.extend(f"log-in-alarm: {alarm}" for alarm in judge.pins.alarms())
    try:
        judge.permit_work()
        if judge.pins.require().roster is None:
            reasons.append(words(NoRosterPinned()))
        judge.permit_start(runs.starts_of_others())
    except AgentError as error:
        reasons.append(words(error))
    if (problem := storage_problem(root)) is not None:
        reasons.append(words(problem))
    return tuple(reason[:500] for reason in reasons[:16])


def storage_problem(root: Path) -> AgentError | None:
    """What keeps journals and records from being written beneath the state directory, as far as its file system says."""
    facts = os.statvfs(root)
    if facts.f_flag & os.ST_RDONLY:
        return StateUnwritable("Its file system is read-only.")
    free = facts.f_bavail * facts.f_frsize
    if free < ROOM_NEEDED:
        return StateDiskFull(f"{free >> 20} MiB are free, {ROOM_NEEDED >> 20} MiB are needed.")
    if facts.f_files and facts.f_favail < FILES_NEEDED:
        return StateDiskFull(f"{facts.f_favail} more files can be made there, {FILES_NEEDED} are needed.")
    return None


def words(error: AgentError) -> str:
    """As the service is told it."""
    return f"{error.code}: {error.summarize()}"
