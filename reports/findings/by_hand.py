"""Findings about leaves to write that were carried to a host: whether they are what they say. Standard library only.

An old answer is no finding: how old one may be, the organisation and the host decide. That it is old is said on the certificate.
"""

from __future__ import annotations

from collections.abc import Iterator

from reports.errors import MalformedDocument
from reports.language import said
from reports.record import SanitizationRecord
from reports.times import parse_instant

from .codes import SHA256, Finding


def by_hand(record: SanitizationRecord) -> Iterator[Finding]:
    """What speaks against the leaves that a record carries."""
    for number, permit in enumerate(record.order.by_hand):
        where = f"order.by_hand[{number}]"
        if not SHA256.fullmatch(permit.bundle):
            field = f"{where}.bundle"
            yield Finding("digest-malformed", "unknown", said("findings.digest-malformed", field=field), (field,))
        try:
            apart = parse_instant(permit.permitted) - parse_instant(permit.asked)
        except MalformedDocument:
            yield Finding("times-unusable", "unknown", said("findings.time-malformed"), (where,))
            continue
        if abs(max(0.0, apart.total_seconds()) - permit.age_seconds) > 1:
            yield Finding("times-unusable", "unknown", said("findings.time-malformed"), (f"{where}.age_seconds",))
