"""What a journal says of a run. Pure: entries in, values out.

Entries of one run, in order: `begun` once; `segment` at the start of every stretch; `first-write`; `marked`; per pass
`pass`, `checkpoint` several times, `pass-done`; `settled`; `verifying`; `segment-end` when the stretch ended in an
orderly way; `ended` with the whole result. Where there is a drive to ask, `health` before the first write and after the last
read. A run that destroys keys has `surveyed` before `first-write` and `stored` after its
first pass. A run with the drive's own commands has further ones (`command_log.py`).
Each carries `t` (RFC 3339 UTC), `m` (milliseconds of the monotonic clock of that boot) and `state`.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass
from typing import Any

from .command_log import commands_of, outstanding_password, own_work, password_id
from .errors import ByteRange, Touched
from .overwrite import PassState
from .planning import HOST, KEYS, PlanRequest
from .ranges import RangeSet, total
from .run import DeviceFacts, HealthReading, KeyErasure, PassFacts, RunResult, RunState, Segment

Entry = dict[str, Any]

_CLOCK_STEP = 60.0
"""Seconds: less is what a time service corrects, or an entry that waited for its disk."""


@dataclass(frozen=True, kw_only=True)
class Recovered:
    """A run as its journal tells it."""

    run_id: str
    path: str
    device: DeviceFacts | None
    request: PlanRequest
    steps: tuple[str, ...]
    """Techniques in order; overwrite alone where the run sends no commands of the drive's own."""
    commands: tuple[dict[str, Any], ...]
    """Device commands so far, as a record keeps them."""
    own_work: bool
    """Whether a command of this run may be under way in the drive, or may have left it out of service."""
    password_id: str | None
    """Which password the drive may still have from this run; None where it has none."""
    unreadable_canaries: int
    """Bytes of canaries that could not be read back."""
    key_erasure: KeyErasure | None
    """What a run that destroys keys found before it wrote, and how much of the key area was seen to store; None of others."""
    sample_seed: str
    key_sha256: str | None
    started: str
    clock_synchronized: bool | None
    state: RunState
    """The end state of an ended run; interrupted for every other."""
    touched: Touched
    marked: tuple[int, int, int | None] | None
    """Markers written, found wrong, offset of the first wrong one; None when marking did not come to its end."""
    passes: tuple[PassFacts, ...]
    """Passes done."""
    current: PassState | None
    """The pass that was under way."""
    current_label: str | None
    """What that pass writes."""
    settled: bool
    """Whether everything was written, or done by the drive, and only reading back is left."""
    segments: tuple[Segment, ...]
    result: RunResult | None
    """Of an ended run."""
    health_before: tuple[HealthReading, ...] = ()
    """How the drive was before the first write; what was read after a stretch is read again after the next."""

    @property
    def by_drive(self) -> bool:
        """Whether the run sends commands of the drive's own."""
        return any(step not in {HOST, KEYS} for step in self.steps)


def _ranges(value: list[list[int]]) -> tuple[ByteRange, ...]:
    return tuple((start, end) for start, end in value)


def segments_of(entries: list[Entry]) -> tuple[Segment, ...]:
    """The stretches of a run; one without an end of its own was cut off at its last entry.

    A stretch that came to its end, but died before the run's `ended` was durable, is followed by another stretch: it did not end
    the run, so it was cut off as well.
    """
    segments: list[Segment] = []
    first: Entry | None = None
    last: Entry | None = None
    for entry in entries:
        if entry["kind"] == "segment":
            if first is not None and last is not None:
                segments.append(_segment(first, last, "crashed"))
            segments = cut_off(segments)
            first = last = entry
        elif entry["kind"] == "segment-end" and first is not None:
            segments.append(_segment(first, entry, entry["ended_by"]))
            first = last = None
        elif first is not None:
            last = entry
    if first is not None and last is not None:
        segments.append(_segment(first, last, "crashed"))
    return tuple(segments)


def clock_kept(entries: list[Entry]) -> bool:
    """Whether the wall clock went as the monotonic one did within each stretch, and never back from one to the next."""
    before: Entry | None = None
    for entry in entries:
        if before is not None:
            passed = (_instant(entry) - _instant(before)).total_seconds()
            counted = passed if entry["kind"] == "segment" else (entry["m"] - before["m"]) / 1000
            if passed < -_CLOCK_STEP or abs(passed - counted) > _CLOCK_STEP:
                return False
        before = entry
    return True


def _instant(entry: Entry) -> dt.datetime:
    return dt.datetime.fromisoformat(entry["t"])


def cut_off(segments: list[Segment]) -> list[Segment]:
    """The same stretches when nothing was concluded after the last of them."""
    if not segments or segments[-1].ended_by in {"stopped", "crashed"}:
        return segments
    return [*segments[:-1], dataclasses.replace(segments[-1], ended_by="crashed")]


def _segment(first: Entry, last: Entry, ended_by: str) -> Segment:
    return Segment(
        started=first["t"],
        finished=last["t"],
        boot_id=first["boot_id"],
        monotonic_ms=max(0, last["m"] - first["m"]),
        ended_by=ended_by,
    )


def _current(entries: list[Entry]) -> PassState | None:
    """The pass last begun, at its newest checkpoint; `failed` stands only in checkpoints where it had changed."""
    current: PassState | None = None
    for entry in entries:
        if entry["kind"] == "pass":
            current = PassState(number=entry["number"])
        elif entry["kind"] == "checkpoint" and current is not None:
            current.durable_bytes = entry["durable_bytes"]
            current.failed_writes = entry["failed_writes"]
            if "failed" in entry:
                current.failed = RangeSet(_ranges(entry["failed"]))
        elif entry["kind"] == "pass-done":
            current = None
    return current


def _accepted(entries: list[Entry]) -> bool:
    return any(entry["kind"] == "command-answered" and entry["accepted"] == "yes" for entry in entries)


def _key_erasure(entries: list[Entry]) -> KeyErasure | None:
    surveyed = next((e for e in reversed(entries) if e["kind"] == "surveyed"), None)
    stored = next((e for e in reversed(entries) if e["kind"] == "stored"), None)
    if surveyed is None:
        return None
    found = KeyErasure.from_dict(surveyed["keys"])
    if stored is None:
        return found
    return dataclasses.replace(found, area_stored_bytes=found.area[1] - total(_ranges(stored["wrong"])))


def _health_before(entries: list[Entry]) -> tuple[HealthReading, ...]:
    found = next((e for e in entries if e["kind"] == "health" and e["reading"]["moment"] == "before"), None)
    return () if found is None else (HealthReading.from_dict(found["reading"]),)


def recover(entries: list[Entry]) -> Recovered | None:
    """The run these entries tell of; None when not even its beginning is there, so that nothing was written."""
    begun = next((e for e in entries if e["kind"] == "begun"), None)
    ended = next((e for e in entries if e["kind"] == "ended"), None)
    if begun is None:
        return None
    kinds = {entry["kind"] for entry in entries}
    result = RunResult.from_dict(ended["result"]) if ended else None
    marked = next((e for e in reversed(entries) if e["kind"] == "marked"), None)
    done = {entry["facts"]["number"]: entry["facts"] for entry in entries if entry["kind"] == "pass-done"}
    touched: Touched = "no"
    if "first-write" in kinds:
        touched = "yes" if kinds & {"marked", "checkpoint", "pass-done"} or _accepted(entries) else "maybe"
    return Recovered(
        run_id=begun["run_id"],
        path=begun["path"],
        device=DeviceFacts(**begun["device"]) if begun["device"] is not None else None,
        request=PlanRequest.from_dict(begun["plan"]),
        steps=tuple(begun.get("steps", (HOST,))),
        commands=commands_of(entries),
        own_work=own_work(entries),
        password_id=password_id(entries) if outstanding_password(entries) is not None else None,
        unreadable_canaries=marked.get("unreadable", 0) if marked else 0,
        key_erasure=_key_erasure(entries),
        sample_seed=begun["sample_seed"],
        key_sha256=begun["key_sha256"],
        started=begun["t"],
        clock_synchronized=begun["clock_synchronized"] and clock_kept(entries),
        state=RunState(result.state) if result else RunState.INTERRUPTED,
        touched=touched,
        marked=(marked["written"], marked["wrong"], marked["first_wrong"]) if marked else None,
        passes=tuple(PassFacts(**{**facts, "unwritten": _ranges(facts["unwritten"])}) for facts in done.values()),
        current=_current(entries),
        current_label=next((e["label"] for e in reversed(entries) if e["kind"] == "pass"), None),
        settled="settled" in kinds,
        segments=segments_of(entries) if ended else tuple(cut_off(list(segments_of(entries)))),
        result=result,
        health_before=_health_before(entries),
    )
