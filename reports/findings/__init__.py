"""What can be found against a record, field by field. `verdict.judge` alone turns findings into a conclusion."""

from __future__ import annotations

from collections.abc import Iterator

from reports.record import SanitizationRecord

from .by_hand import by_hand
from .canaries import content_expected
from .codes import FINDINGS, POLICY_ONLY, Effect, Finding, content_of, pattern_set_name
from .commands import carried_out, commands, deciding, level_reached
from .course import course, passes, success
from .health import health
from .keys import stated_elsewhere
from .readback import coverage, policy, verification
from .selftest import self_tests
from .shape import device, digests, identity_fingerprint, newer_fields, times, vocabulary

__all__ = [
    "FINDINGS",
    "POLICY_ONLY",
    "Effect",
    "Finding",
    "content_expected",
    "content_of",
    "deciding",
    "examine",
    "identity_fingerprint",
    "level_reached",
    "pattern_set_name",
]


def examine(record: SanitizationRecord) -> Iterator[Finding]:
    """Everything that speaks against the record or limits what it shows, in no particular order."""
    yield from vocabulary(record)
    yield from newer_fields(record, "record")
    yield from digests(record)
    yield from device(record)
    yield from times(record)
    yield from course(record)
    yield from commands(record)
    yield from stated_elsewhere(record)
    yield from self_tests(record)
    yield from by_hand(record)
    yield from health(record)
    if record.run.state in {"succeeded", "failed", "interrupted"}:
        yield from passes(record)
    if record.run.state in {"succeeded", "failed"}:
        yield from verification(record)
    if record.run.state == "succeeded":
        yield from success(record)
        yield from carried_out(record)
        yield from coverage(record)
        yield from policy(record)
