"""Whether this host would take an order now, and if not, why: asked before leasing, told in every heartbeat, shown by `status`.

An order that is leased and cannot be begun costs people a new order and new approvals; so the host says beforehand that it
stands by.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from .clock import ClockWatch
from .errors import AgentError
from .permission import Judge
from .refusals import NoRosterPinned, StateDiskFull
from .runs import RunStore

ROOM_NEEDED = 64 << 20
"""Bytes free beneath the state directory: journals of several runs and their records fit many times."""


def standing_by(judge: Judge, runs: RunStore, root: Path, watch: ClockWatch) -> tuple[str, ...]:
    """Every reason in a sentence; empty when orders are welcome."""
    reasons: list[str] = []
    if (clocks := watch.reading().problem) is not None:
        reasons.append(f"clock-untrusted: {clocks}")
    reasons.extend(f"log-in-alarm: {alarm}" for alarm in judge.pins.alarms())
    try:
        judge.permit_work()
        if judge.pins.require().roster is None:
            reasons.append(_words(NoRosterPinned()))
        judge.permit_start(runs.starts_of_others())
    except AgentError as error:
        reasons.append(_words(error))
    if (free := shutil.disk_usage(root).free) < ROOM_NEEDED:
        reasons.append(_words(StateDiskFull(f"{free >> 20} MiB are free, {ROOM_NEEDED >> 20} MiB are needed.")))
    return tuple(reason[:500] for reason in reasons[:16])


def _words(error: AgentError) -> str:
    return f"{error.code}: {error.summarize()}"
