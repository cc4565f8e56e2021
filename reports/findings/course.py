"""Findings about the run: how it went by its own account, what was written, to which medium. Standard library only."""

from __future__ import annotations

from collections.abc import Iterator

from reports.language import said
from reports.record import SanitizationRecord

from .canaries import canaries, left_open
from .codes import PATTERN, Effect, Finding, content_of, in_words, pattern_set_name, total, well_formed
from .keys import erasure
from .techniques import by_drive, by_keys


def course(record: SanitizationRecord) -> Iterator[Finding]:
    """How the run went by its own account, and whether that account agrees with itself."""
    run = record.run
    because = f" ({run.error[:200]})" if run.error else ""
    if run.state == "refused":
        yield Finding(
            "run-refused",
            "refused",
            said("findings.run-refused", because=because),
            ("run.state", "run.error"),
        )
        if run.touched != "no" or any(one.bytes_written for one in record.method.passes):
            text = said("findings.refused-and-touched")
            yield Finding("facts-contradict", "unknown", text, ("run.state", "run.touched", "method.passes"))
        return
    if run.state == "interrupted":
        yield Finding(
            "run-interrupted",
            "interrupted",
            said("findings.run-interrupted", because=because),
            ("run.state", "run.error"),
        )
    if run.state == "failed":
        effect: Effect = "partial" if _only_regions_missing(record) else "failed"
        yield Finding("run-failed", effect, said("findings.run-failed", because=because), ("run.state", "run.error"))
    if run.touched == "maybe" and run.state == "succeeded":
        text = said("findings.touched-unknown")
        yield Finding("touched-unknown", "unknown", text, ("run.touched",))
    if run.touched == "no" and any(one.bytes_written for one in record.method.passes):
        text = said("findings.written-and-untouched")
        yield Finding("facts-contradict", "unknown", text, ("run.touched", "method.passes"))


def _only_regions_missing(record: SanitizationRecord) -> bool:
    """Every pass went over the whole medium and the read-back was finished; only named regions are not what they should be."""
    if by_drive(record.method.technique) or by_keys(record.method.technique):
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
                said("findings.passes-unnumbered"),
                (f"{where}.number",),
            )
        if (one.key_sha256 is None) == (one.pattern == "keyed-stream"):
            text = said("findings.pattern-uncommitted", number=number)
            yield Finding("pattern-uncommitted", "unknown", text, (f"{where}.key_sha256", f"{where}.pattern"))
        if not well_formed(one.unwritten, capacity) or one.bytes_written < 0 or one.failed_writes < 0:
            yield Finding("facts-contradict", "unknown", said("findings.pass-senseless", number=number), (where,))
        elif one.bytes_written + total(one.unwritten) > capacity:
            yield Finding(
                "facts-contradict",
                "unknown",
                said("findings.pass-too-long", number=number),
                (f"{where}.bytes_written",),
            )
        elif (
            one.bytes_written + total(one.unwritten) < capacity
            and record.run.state != "interrupted"
            and not by_drive(record.method.technique)  # canaries stand where the read-back looks (`canaries`)
            and not by_keys(record.method.technique)  # only the area of the keys is written (`keys`)
        ):
            text = said("findings.pass-incomplete", number=number, written=one.bytes_written, capacity=capacity)
            yield Finding("pass-incomplete", "failed", text, (f"{where}.bytes_written", "device.capacity_bytes"))
        if one.unwritten and by_drive(record.method.technique):
            text = said("findings.canary-unwritten", ranges=in_words(one.unwritten))
            yield Finding("canary-unwritten", "partial", text, (f"{where}.unwritten",))
        elif one.unwritten:
            text = said("findings.unwritten", number=number, ranges=in_words(one.unwritten))
            yield Finding("unwritten", "partial", text, (f"{where}.unwritten",))
        elif one.failed_writes > 0 and record.run.state != "interrupted":
            text = said("findings.writes-retried", count=one.failed_writes, number=number)
            yield Finding("writes-retried", "caution", text, (f"{where}.failed_writes",))
        if not one.flushed and record.run.state == "succeeded":
            yield Finding(
                "pass-not-flushed", "unknown", said("findings.pass-not-flushed", number=number), (f"{where}.flushed",)
            )


def success(record: SanitizationRecord) -> Iterator[Finding]:
    """A run that calls itself successful must be so in every fact."""
    run, device = record.run, record.device
    if run.error is not None or run.error_code is not None:
        yield Finding(
            "error-recorded",
            "unknown",
            said("findings.error-recorded"),
            ("run.state", "run.error_code"),
        )
    if run.touched == "no":
        yield Finding(
            "facts-contradict",
            "unknown",
            said("findings.success-untouched"),
            ("run.touched",),
        )
    if not record.method.passes:
        yield Finding("no-pass", "unknown", said("findings.no-pass"), ("method.passes",))
    endings = [segment.ended_by for segment in run.segments]
    if not endings or endings[-1] != "completed" or "completed" in endings[:-1] or "failed" in endings:
        text = said("findings.stretches-senseless")
        yield Finding("facts-contradict", "unknown", text, ("run.segments",))
    if len(endings) > 1:
        text = said("findings.run-resumed", count=len(endings))
        yield Finding("run-resumed", "caution", text, ("run.segments",))
    after = run.identity_fingerprint_after
    if after is None:
        text = said("findings.identity-unread-after")
        yield Finding("identity-unread-after", "unknown", text, ("run.identity_fingerprint_after",))
    elif after != device.fingerprint:
        text = said("findings.identity-changed")
        yield Finding("identity-changed", "failed", text, ("run.identity_fingerprint_after", "device.fingerprint"))
    yield from _medium(record)
    if by_drive(record.method.technique):
        yield from canaries(record)
        yield from left_open(record)
    elif by_keys(record.method.technique):
        yield from erasure(record)
    else:
        yield from _host_writes(record)
        yield from _pattern_set(record)


def _medium(record: SanitizationRecord) -> Iterator[Finding]:
    device = record.device
    if device.hidden_capacity == "yes":
        text = said("findings.hidden-capacity")
        yield Finding("hidden-capacity", "partial", text, ("device.hidden_capacity",))
    if device.media == "virtual":
        text = said("findings.virtual-medium")
        yield Finding("virtual-medium", "caution", text, ("device.media",))
    if device.media == "unknown":
        text = said("findings.media-unknown")
        yield Finding("media-unknown", "caution", text, ("device.media",))


def _host_writes(record: SanitizationRecord) -> Iterator[Finding]:
    """What writing through the interface a user has leaves open."""
    device = record.device
    if device.hidden_capacity == "unknown":
        text = said("findings.hidden-capacity-unknown")
        yield Finding("hidden-capacity-unknown", "unknown", text, ("device.hidden_capacity",))
    if device.media == "flash":
        text = said("findings.flash-overwritten")
        yield Finding("flash-medium", "caution", text, ("device.media",))


def _pattern_set(record: SanitizationRecord) -> Iterator[Finding]:
    name = pattern_set_name(record.method.pattern_set)
    patterns = [one.pattern for one in record.method.passes]
    if PATTERN.fullmatch(name):
        if patterns and [content_of(pattern) for pattern in patterns] != [content_of(name)]:
            text = said("findings.pattern-of-another", name=name)
            yield Finding("facts-contradict", "unknown", text, ("method.pattern_set", "method.passes"))
    elif patterns:
        key = "findings.pattern-set-one" if len(patterns) == 1 else "findings.pattern-set-many"
        text = said(key, name=name[:60], count=len(patterns))
        yield Finding("pattern-set-is-clear", "caution", text, ("method.pattern_set",))
