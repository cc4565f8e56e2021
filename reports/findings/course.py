"""Findings about the run: how it went by its own account, what was written, to which medium. Standard library only."""

from __future__ import annotations

from collections.abc import Iterator

from reports.record import SanitizationRecord

from .canaries import canaries, left_open
from .codes import PATTERN, Effect, Finding, content_of, in_words, pattern_set_name, total, well_formed
from .techniques import by_drive


def course(record: SanitizationRecord) -> Iterator[Finding]:
    """How the run went by its own account, and whether that account agrees with itself."""
    run = record.run
    because = f" ({run.error[:200]})" if run.error else ""
    if run.state == "refused":
        yield Finding(
            "run-refused",
            "refused",
            f"The run was refused before anything was written{because}.",
            ("run.state", "run.error"),
        )
        if run.touched != "no" or any(one.bytes_written for one in record.method.passes):
            text = "The record says that the run was refused, and also that the medium may have been changed."
            yield Finding("facts-contradict", "unknown", text, ("run.state", "run.touched", "method.passes"))
        return
    if run.state == "interrupted":
        yield Finding(
            "run-interrupted",
            "interrupted",
            f"The run was cut off before its end{because}.",
            ("run.state", "run.error"),
        )
    if run.state == "failed":
        effect: Effect = "partial" if _only_regions_missing(record) else "failed"
        yield Finding("run-failed", effect, f"The run did not succeed{because}.", ("run.state", "run.error"))
    if run.touched == "maybe" and run.state == "succeeded":
        text = "The record does not know whether the medium was changed."
        yield Finding("touched-unknown", "unknown", text, ("run.touched",))
    if run.touched == "no" and any(one.bytes_written for one in record.method.passes):
        text = "The record says that the medium was not changed, and that bytes were written."
        yield Finding("facts-contradict", "unknown", text, ("run.touched", "method.passes"))


def _only_regions_missing(record: SanitizationRecord) -> bool:
    """Every pass went over the whole medium and the read-back was finished; only named regions are not what they should be."""
    if by_drive(record.method.technique):
        return False
    capacity, passes = record.device.capacity_bytes, record.method.passes
    whole = bool(passes) and all(one.bytes_written + total(one.unwritten) == capacity and one.flushed for one in passes)
    check = record.verification
    named = any(one.unwritten for one in passes) or bool(check.unreadable)
    return whole and named and check.completed and check.direct_io and record.run.touched == "yes"


def passes(record: SanitizationRecord) -> Iterator[Finding]:
    """Each pass: its content, its extent, what could not be written."""
    capacity = record.device.capacity_bytes
    for number, one in enumerate(record.method.passes, 1):
        where = f"method.passes[{number - 1}]"
        if one.number != number:
            yield Finding(
                "facts-contradict",
                "unknown",
                "The passes of the record are not numbered 1, 2, 3.",
                (f"{where}.number",),
            )
        if (one.key_sha256 is None) == (one.pattern == "keyed-stream"):
            text = f"Pass {number} does not commit to the key of its stream (or commits to one it does not have)."
            yield Finding("pattern-uncommitted", "unknown", text, (f"{where}.key_sha256", f"{where}.pattern"))
        if not well_formed(one.unwritten, capacity) or one.bytes_written < 0 or one.failed_writes < 0:
            yield Finding(
                "facts-contradict", "unknown", f"The ranges or counts of pass {number} make no sense.", (where,)
            )
        elif one.bytes_written + total(one.unwritten) > capacity:
            yield Finding(
                "facts-contradict",
                "unknown",
                f"Pass {number} wrote more than the medium holds.",
                (f"{where}.bytes_written",),
            )
        elif (
            one.bytes_written + total(one.unwritten) < capacity
            and record.run.state != "interrupted"
            and not by_drive(record.method.technique)  # canaries stand where the read-back looks (`canaries`)
        ):
            text = f"Pass {number} covered {one.bytes_written} of {capacity} bytes."
            yield Finding("pass-incomplete", "failed", text, (f"{where}.bytes_written", "device.capacity_bytes"))
        if one.unwritten and by_drive(record.method.technique):
            text = (
                f"No canary could be written to {in_words(one.unwritten)}: whether the drive's command reached that place "
                "could not be tried."
            )
            yield Finding("canary-unwritten", "partial", text, (f"{where}.unwritten",))
        elif one.unwritten:
            text = f"Pass {number} could not write {in_words(one.unwritten)}: earlier data may remain there."
            yield Finding("unwritten", "partial", text, (f"{where}.unwritten",))
        elif one.failed_writes > 0 and record.run.state != "interrupted":
            text = (
                f"{one.failed_writes} writes of pass {number} failed at first and succeeded when repeated; "
                "the drive may have replaced sectors."
            )
            yield Finding("writes-retried", "caution", text, (f"{where}.failed_writes",))
        if not one.flushed and record.run.state == "succeeded":
            yield Finding(
                "pass-not-flushed", "unknown", f"Pass {number} was not flushed to the medium.", (f"{where}.flushed",)
            )


def success(record: SanitizationRecord) -> Iterator[Finding]:
    """A run that calls itself successful must be so in every fact."""
    run, device = record.run, record.device
    if run.error is not None or run.error_code is not None:
        yield Finding(
            "error-recorded",
            "unknown",
            "The record calls the run successful and states an error.",
            ("run.state", "run.error_code"),
        )
    if run.touched == "no":
        yield Finding(
            "facts-contradict",
            "unknown",
            "The record calls the run successful and the medium unchanged.",
            ("run.touched",),
        )
    if not record.method.passes:
        yield Finding("no-pass", "unknown", "The record names no pass: nothing was written.", ("method.passes",))
    endings = [segment.ended_by for segment in run.segments]
    if not endings or endings[-1] != "completed" or "completed" in endings[:-1] or "failed" in endings:
        text = "The stretches of the run do not end in completion, once, at the end."
        yield Finding("facts-contradict", "unknown", text, ("run.segments",))
    if len(endings) > 1:
        text = f"The run was interrupted and resumed: it took {len(endings)} stretches."
        yield Finding("run-resumed", "caution", text, ("run.segments",))
    after = run.identity_fingerprint_after
    if after is None:
        text = "The medium's identity could not be read again at the end: it may not be the same medium."
        yield Finding("identity-unread-after", "unknown", text, ("run.identity_fingerprint_after",))
    elif after != device.fingerprint:
        text = "At the end the host found another medium than the one the run began with."
        yield Finding("identity-changed", "failed", text, ("run.identity_fingerprint_after", "device.fingerprint"))
    yield from _medium(record)
    if by_drive(record.method.technique):
        yield from canaries(record)
        yield from left_open(record)
    else:
        yield from _host_writes(record)
        yield from _pattern_set(record)


def _medium(record: SanitizationRecord) -> Iterator[Finding]:
    device = record.device
    if device.hidden_capacity == "yes":
        text = "The medium hides areas from the host (HPA, DCO or the like), which were not reached."
        yield Finding("hidden-capacity", "partial", text, ("device.hidden_capacity",))
    if device.media == "virtual":
        text = "The medium is virtual: copies in the layers beneath it (snapshots, clones, replicas, caches) are not covered."
        yield Finding("virtual-medium", "caution", text, ("device.media",))
    if device.media == "unknown":
        text = "The kind of medium is not known; areas that the host cannot address are not covered."
        yield Finding("media-unknown", "caution", text, ("device.media",))


def _host_writes(record: SanitizationRecord) -> Iterator[Finding]:
    """What writing through the interface a user has leaves open."""
    device = record.device
    if device.hidden_capacity == "unknown":
        text = "It could not be ruled out that the medium hides areas from the host."
        yield Finding("hidden-capacity-unknown", "unknown", text, ("device.hidden_capacity",))
    if device.media == "flash":
        text = (
            "The medium is flash: writes by the host cannot be assumed to reach all previous data "
            "(SP 800-88 Rev. 2, 3.1.1), such as spare and replaced blocks."
        )
        yield Finding("flash-medium", "caution", text, ("device.media",))


def _pattern_set(record: SanitizationRecord) -> Iterator[Finding]:
    name = pattern_set_name(record.method.pattern_set)
    patterns = [one.pattern for one in record.method.passes]
    if PATTERN.fullmatch(name):
        if patterns and [content_of(pattern) for pattern in patterns] != [content_of(name)]:
            text = f"The record names the pattern {name} and lists passes of another."
            yield Finding("facts-contradict", "unknown", text, ("method.pattern_set", "method.passes"))
    elif patterns:
        count = "one pass" if len(patterns) == 1 else f"{len(patterns)} passes"
        text = f"The pattern set {name[:60]} ({count}) reaches Clear, as a single overwrite does; more passes reach no further."
        yield Finding("pattern-set-is-clear", "caution", text, ("method.pattern_set",))
