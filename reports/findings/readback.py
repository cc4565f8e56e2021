"""Findings about the verification, and about what the policy of the day required. Standard library only."""

from __future__ import annotations

from collections.abc import Iterator

from reports.language import said
from reports.record import SanitizationRecord

from .canaries import aftermath
from .codes import COVERAGES, REPRESENTATIVE_REGIONS, REPRESENTATIVE_SHARE, Finding, content_of, in_words, well_formed
from .commands import level_reached
from .keys import compared, residual
from .techniques import by_drive, by_keys

_RANK = {"none": 0, "clear": 1, "purge": 2, "destroy": 3}
_NOTHING = 0
"""A word that is not known is found elsewhere (`shape.vocabulary`)."""


def verification(record: SanitizationRecord) -> Iterator[Finding]:
    """What was found when reading back."""
    check, capacity = record.verification, record.device.capacity_bytes
    if not well_formed(check.residual, capacity) or not well_formed(check.unreadable, capacity):
        yield Finding("facts-contradict", "unknown", said("findings.verification-senseless"), ("verification",))
        return
    if check.residual:
        yield _residual(record)
    if check.unreadable:
        text = said("findings.unreadable", ranges=in_words(check.unreadable))
        yield Finding("unreadable", "partial", text, ("verification.unreadable",))


def _residual(record: SanitizationRecord) -> Finding:
    check = record.verification
    if by_drive(record.method.technique):
        text = said("findings.residual-canaries", ranges=in_words(check.residual))
        return Finding("residual", "failed", text, ("verification.residual",))
    if by_keys(record.method.technique):
        return residual(record)
    last = record.method.passes[-1].unwritten if record.method.passes else ()
    expected_there = all(any(a <= start and end <= b for a, b in last) for start, end in check.residual)
    text = said("findings.residual", ranges=in_words(check.residual))
    return Finding("residual", "partial" if expected_there else "failed", text, ("verification.residual",))


def coverage(record: SanitizationRecord) -> Iterator[Finding]:
    """Whether the read-back of a successful run is one, and how much it covered."""
    check, capacity = record.verification, record.device.capacity_bytes
    if check.kind == "none":
        text = said("findings.not-verified")
        yield Finding("not-verified", "unknown", text, ("verification.kind",))
        return
    if not check.direct_io:
        text = said("findings.verification-cached")
        yield Finding("verification-cached", "unknown", text, ("verification.direct_io",))
    if by_drive(record.method.technique):
        yield from aftermath(record)
    elif by_keys(record.method.technique):
        yield from compared(record)
    elif record.method.passes and content_of(check.expected) != content_of(record.method.passes[-1].pattern):
        text = said("findings.compared-with-another")
        yield Finding("expected-content-differs", "unknown", text, ("verification.expected", "method.passes"))
    if not check.completed or check.regions < 1 or not 0 < check.bytes_read <= capacity:
        text = said("findings.verification-incomplete")
        yield Finding(
            "verification-incomplete",
            "unknown",
            text,
            ("verification.completed", "verification.regions", "verification.bytes_read"),
        )
    elif check.kind == "full" and check.bytes_read != capacity:
        text = said("findings.verification-not-full", read=check.bytes_read, capacity=capacity)
        yield Finding("verification-incomplete", "unknown", text, ("verification.bytes_read",))
    elif check.kind == "representative":
        yield from _sample(record)


def _sample(record: SanitizationRecord) -> Iterator[Finding]:
    """Representative sampling by Rev. 1, 4.7.3."""
    check, capacity = record.verification, record.device.capacity_bytes
    if check.regions < REPRESENTATIVE_REGIONS or check.bytes_read * REPRESENTATIVE_SHARE < capacity:
        text = said("findings.sample-too-small", samples=check.regions, read=check.bytes_read)
        yield Finding("sample-too-small", "unknown", text, ("verification.regions", "verification.bytes_read"))
    if check.regions_sha256 is None:
        text = said("findings.sample-not-committed")
        yield Finding("sample-not-committed", "unknown", text, ("verification.regions_sha256",))
    if check.seed != record.order.nonce:
        text = said("findings.seed-not-from-order")
        yield Finding("seed-not-from-order", "unknown", text, ("verification.seed", "order.nonce"))
    percent = check.bytes_read * 100 // capacity if capacity > 0 else 0
    text = said("findings.representative-only", percent=percent)
    yield Finding("representative-only", "caution", text, ("verification.kind", "verification.bytes_read"))


def policy(record: SanitizationRecord) -> Iterator[Finding]:
    """What the policy of the day required beyond what was done."""
    check, policy = record.verification.kind, record.policy
    if (
        check in COVERAGES
        and policy.required_verification in COVERAGES
        and (COVERAGES.index(check) < COVERAGES.index(policy.required_verification))
    ):
        required, done = (said(f"words.extent-{word}") for word in (policy.required_verification, check))
        text = said("findings.verification-below-policy", required=required, done=done)
        yield Finding(
            "verification-below-policy", "partial", text, ("verification.kind", "policy.required_verification")
        )
    level = level_reached(record)
    reached = (
        said("findings.reached-by-drive", technique=record.method.technique, level=said(f"words.level-{level}"))
        if by_drive(record.method.technique) or by_keys(record.method.technique)
        else said("findings.reached-by-host")
    )
    if _RANK[level] < _RANK.get(record.method.requested, _NOTHING):
        asked = said(f"words.method-{record.method.requested}")
        text = said("findings.method-below-request", asked=asked, reached=reached)
        yield Finding("method-below-request", "partial", text, ("method.requested", "method.technique"))
    if _RANK[level] < _RANK.get(policy.required_method, _NOTHING):
        required = said(f"words.level-{policy.required_method}")
        text = said("findings.method-below-policy", required=required, reached=reached)
        yield Finding("method-below-policy", "partial", text, ("policy.required_method", "method.technique"))
