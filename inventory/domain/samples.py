"""Independent sampling: who may examine a drawn device, and what the findings amount to (governance, section 4)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import Final


class SampleState(StrEnum):
    """Where a sample stands."""

    OPEN = "open"
    PASSED = "passed"
    """Each drawn device was examined, and each record holds."""
    FAILED = "failed"
    """One of them does not: the lot is open again."""


class Finding(StrEnum):
    """What the examiner of one device found."""

    PASSED = "passed"
    FAILED = "failed"


def after(findings: Iterable[Finding | None]) -> SampleState:
    """What the findings amount to: one failure fails all; unknown passes nothing."""
    known = list(findings)
    if Finding.FAILED in known:
        return SampleState.FAILED
    return SampleState.PASSED if known and all(one is Finding.PASSED for one in known) else SampleState.OPEN


def examiner_objection(
    person: str, *, requester: str, approvers: Collection[str], validator: str | None, drawer: str
) -> str | None:
    """What the person did about the device's sanitization, or the draw, that forbids them to examine it; None: nothing."""
    if person == requester:
        return "requested the order"
    if person in approvers:
        return "approved the order"
    if person == validator:
        return "validated the record"
    return "drew the sample" if person == drawer else None


DUE_DAYS: Final = 14
"""By then a drawn device should have been examined; afterwards an exception says so."""
