"""Findings about the verification, and about what the policy of the day required. Standard library only."""

from __future__ import annotations

from collections.abc import Iterator

from reports.record import SanitizationRecord

from .canaries import aftermath
from .codes import COVERAGES, REPRESENTATIVE_REGIONS, REPRESENTATIVE_SHARE, Finding, content_of, in_words, well_formed
from .commands import level_reached
from .techniques import by_drive

_RANK = {"none": 0, "clear": 1, "purge": 2, "destroy": 3}
_NOTHING = 0
"""A word that is not known is found elsewhere (`shape.vocabulary`)."""


def verification(record: SanitizationRecord) -> Iterator[Finding]:
    """What was found when reading back."""
    check, capacity = record.verification, record.device.capacity_bytes
    if not well_formed(check.residual, capacity) or not well_formed(check.unreadable, capacity):
        yield Finding("facts-contradict", "unknown", "The ranges of the verification make no sense.", ("verification",))
        return
    if check.residual:
        yield _residual(record)
    if check.unreadable:
        text = f"{in_words(check.unreadable).capitalize()} could not be read back: what is there is not known."
        yield Finding("unreadable", "partial", text, ("verification.unreadable",))


def _residual(record: SanitizationRecord) -> Finding:
    check = record.verification
    if by_drive(record.method.technique):
        text = (
            f"Reading back found canaries, or something else than the drive's command leaves, in {in_words(check.residual)}: "
            "the command did not do there what the drive reports."
        )
        return Finding("residual", "failed", text, ("verification.residual",))
    last = record.method.passes[-1].unwritten if record.method.passes else ()
    expected_there = all(any(a <= start and end <= b for a, b in last) for start, end in check.residual)
    text = f"Reading back found other content than was written in {in_words(check.residual)}."
    return Finding("residual", "partial" if expected_there else "failed", text, ("verification.residual",))


def coverage(record: SanitizationRecord) -> Iterator[Finding]:
    """Whether the read-back of a successful run is one, and how much it covered."""
    check, capacity = record.verification, record.device.capacity_bytes
    if check.kind == "none":
        text = "Nothing was read back: whether the medium is clean is not known."
        yield Finding("not-verified", "unknown", text, ("verification.kind",))
        return
    if not check.direct_io:
        text = "The read-back did not bypass the host's cache: it may have seen memory instead of the medium."
        yield Finding("verification-cached", "unknown", text, ("verification.direct_io",))
    if by_drive(record.method.technique):
        yield from aftermath(record)
    elif record.method.passes and content_of(check.expected) != content_of(record.method.passes[-1].pattern):
        text = "The read-back compared the medium with something else than the last pass wrote."
        yield Finding("expected-content-differs", "unknown", text, ("verification.expected", "method.passes"))
    if not check.completed or check.regions < 1 or not 0 < check.bytes_read <= capacity:
        text = "The read-back was not completed."
        yield Finding(
            "verification-incomplete",
            "unknown",
            text,
            ("verification.completed", "verification.regions", "verification.bytes_read"),
        )
    elif check.kind == "full" and check.bytes_read != capacity:
        text = f"The read-back calls itself full and covered {check.bytes_read} of {capacity} bytes."
        yield Finding("verification-incomplete", "unknown", text, ("verification.bytes_read",))
    elif check.kind == "representative":
        yield from _sample(record)


def _sample(record: SanitizationRecord) -> Iterator[Finding]:
    """Representative sampling by Rev. 1, 4.7.3."""
    check, capacity = record.verification, record.device.capacity_bytes
    if check.regions < REPRESENTATIVE_REGIONS or check.bytes_read * REPRESENTATIVE_SHARE < capacity:
        text = (
            f"{check.regions} samples with {check.bytes_read} bytes are fewer than a representative sample needs "
            "(SP 800-88 Rev. 1, 4.7.3)."
        )
        yield Finding("sample-too-small", "unknown", text, ("verification.regions", "verification.bytes_read"))
    if check.regions_sha256 is None:
        text = "The record does not commit to the list of samples: the choice cannot be repeated."
        yield Finding("sample-not-committed", "unknown", text, ("verification.regions_sha256",))
    if check.seed != record.order.nonce:
        text = "The samples were not drawn from the order's nonce: the host could have chosen them."
        yield Finding("seed-not-from-order", "unknown", text, ("verification.seed", "order.nonce"))
    percent = check.bytes_read * 100 // capacity if capacity > 0 else 0
    text = f"Verified by representative samples: {percent} % of the medium was read back, the rest was not."
    yield Finding("representative-only", "caution", text, ("verification.kind", "verification.bytes_read"))


def policy(record: SanitizationRecord) -> Iterator[Finding]:
    """What the policy of the day required beyond what was done."""
    check, policy = record.verification.kind, record.policy
    if (
        check in COVERAGES
        and policy.required_verification in COVERAGES
        and (COVERAGES.index(check) < COVERAGES.index(policy.required_verification))
    ):
        text = f"The policy requires {policy.required_verification} verification; this was {check}."
        yield Finding(
            "verification-below-policy", "partial", text, ("verification.kind", "policy.required_verification")
        )
    level = level_reached(record)
    reached = (
        f"{record.method.technique} reaches {level} on this medium"
        if by_drive(record.method.technique)
        else "overwriting reaches Clear at most (SP 800-88 Rev. 2, 3.1.1)"
    )
    if _RANK[level] < _RANK.get(record.method.requested, _NOTHING):
        text = f"{record.method.requested.capitalize()} was requested; {reached}."
        yield Finding("method-below-request", "partial", text, ("method.requested", "method.technique"))
    if _RANK[level] < _RANK.get(policy.required_method, _NOTHING):
        text = f"The policy requires {policy.required_method}; {reached}."
        yield Finding("method-below-policy", "partial", text, ("policy.required_method", "method.technique"))
