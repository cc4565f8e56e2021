"""Findings about a drive's health: that it predicts its end, that it got worse in the run. Standard library only.

They take nothing away from what was done. A record without readings says nothing about it, and none of its conclusions changes.
"""

from __future__ import annotations

from collections.abc import Iterator

from reports.errors import MalformedDocument
from reports.health import HealthReading
from reports.language import said
from reports.record import SanitizationRecord
from reports.times import parse_instant

from .codes import Finding

MOMENTS = frozenset({"before", "after"})
SOURCES = frozenset({"ata-smart", "scsi-logs", "nvme-log", "mmc-ext-csd"})
PREDICTIONS = frozenset({"passed", "failing", "unknown"})
WORSENING = ("reallocated", "pending", "uncorrectable")
"""Counters of which more is worse."""
_COUNTERS = (*WORSENING, "power_on_hours", "used_percent", "spare_percent")


def health(record: SanitizationRecord) -> Iterator[Finding]:
    """What a reader must know of the drive, and what is no reading."""
    for number, reading in enumerate(record.health):
        yield from _shape(f"health[{number}]", reading)
    last = len(record.health) - 1
    if last >= 0 and record.health[last].prediction == "failing":
        yield Finding("health-failing", "caution", said("findings.health-failing"), (f"health[{last}].prediction",))
    for counter, count in worsened(record).items():
        text = said(f"findings.health-worsened-{counter}", count=count)
        yield Finding("health-worsened", "caution", text, (f"health[0].{counter}", f"health[{last}].{counter}"))


def worsened(record: SanitizationRecord) -> dict[str, int]:
    """By how much each counter grew from before the run until after it; what was not read at both ends did not grow."""
    before = next((one for one in record.health if one.moment == "before"), None)
    after = next((one for one in reversed(record.health) if one.moment == "after"), None)
    if before is None or after is None or before.source != after.source:
        return {}
    grown = {}
    for counter in WORSENING:
        first, last = getattr(before, counter), getattr(after, counter)
        if first is not None and last is not None and last > first:
            grown[counter] = last - first
    return grown


def _shape(where: str, reading: HealthReading) -> Iterator[Finding]:
    words = (("moment", MOMENTS), ("source", SOURCES), ("prediction", PREDICTIONS))
    for name, known in words:
        word = getattr(reading, name)
        if word not in known:
            text = said("findings.unknown-word", word=word[:60], field=f"{where}.{name}")
            yield Finding("unknown-word", "unknown", text, (f"{where}.{name}",))
    try:
        parse_instant(reading.taken)
    except MalformedDocument:
        yield Finding("times-unusable", "unknown", said("findings.time-malformed"), (f"{where}.taken",))
    negative = [name for name in _COUNTERS if (getattr(reading, name) or 0) < 0]
    if negative:
        fields = tuple(f"{where}.{name}" for name in negative)
        yield Finding("facts-contradict", "unknown", said("findings.counter-negative"), fields)
