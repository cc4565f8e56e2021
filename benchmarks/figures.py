"""From samples to figures: medians, and ratios taken round by round. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .case import Sample

GIB = 1 << 30


@dataclass(frozen=True, kw_only=True)
class Row:
    """Everything measured of one case in one group."""

    key: str
    label: str
    samples: tuple[Sample, ...] = ()
    base: tuple[Sample, ...] = ()
    """Our engine's run of the same round on the same devices, one for each sample."""
    device_bytes: int = 0
    """Size of all devices of one run together."""
    small: bool = False
    """Measured on the small device, because this tool would take too long on the large one."""
    left_out: str | None = None
    """Why there is nothing to show."""
    note: str = ""

    @property
    def good(self) -> tuple[Sample, ...]:
        """The samples that count."""
        return tuple(sample for sample in self.samples if sample.failure is None)

    @property
    def failure(self) -> str | None:
        """Why nothing counts; None when something does."""
        if self.left_out is not None:
            return self.left_out
        if self.good:
            return None
        return next((s.failure for s in self.samples if s.failure), "not measured")

    def median(self, what: Callable[[Sample], float | None]) -> float | None:
        """Median over the samples that count."""
        values = [value for sample in self.good if (value := what(sample)) is not None]
        return statistics.median(values) if values else None

    def ratios(self, what: Callable[[Sample], float | None]) -> list[float]:
        """This tool's figure over our engine's, round by round; rounds in which either failed are left out."""
        found = []
        for sample, base in zip(self.samples, self.base, strict=True):
            mine, theirs = what(base), what(sample)
            if sample.failure is None and base.failure is None and mine and theirs is not None:
                found.append(theirs / mine)
        return found

    def ratio(self, what: Callable[[Sample], float | None] = lambda sample: sample.span) -> float | None:
        """Median of `ratios`: 2.0 means that our engine needs half of it."""
        found = self.ratios(what)
        return statistics.median(found) if found else None

    def gigabytes_per_second(self) -> float | None:
        """Bytes of the devices over the span, in 10^9 bytes a second; writing and reading back count once."""
        span = self.median(lambda sample: sample.span)
        return self.device_bytes / span / 1e9 if span else None

    def cpu_per_gib(self) -> float | None:
        """CPU seconds of the processes per GiB of device, start-up included."""
        cpu = self.median(lambda sample: sample.cpu)
        return cpu / (self.device_bytes / GIB) if cpu is not None and self.device_bytes else None

    def engine_cpu_per_gib(self) -> float | None:
        """CPU seconds of our runs per GiB of device, without the interpreter's start; None for other tools."""
        cpu = self.median(lambda sample: (sample.report or {}).get("cpu"))
        return cpu / (self.device_bytes / GIB) if cpu is not None and self.device_bytes else None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values: the figures and all samples they come from."""
        return {
            "key": self.key,
            "label": self.label,
            "device_bytes": self.device_bytes,
            "small_device": self.small,
            "failure": self.failure,
            "note": self.note,
            "wall_s": self.median(lambda s: s.wall),
            "span_s": self.median(lambda s: s.span),
            "to_first_write_s": self.median(lambda s: s.to_first_write),
            "span_ratio": self.ratio(),
            "wall_ratio": self.ratio(lambda s: s.wall),
            "cpu_s_per_gib": self.cpu_per_gib(),
            "engine_cpu_s_per_gib": self.engine_cpu_per_gib(),
            "peak_rss_bytes": self.median(lambda s: s.peak_rss),
            "cache_growth_bytes": self.median(lambda s: s.cache_growth),
            "samples": [sample.to_dict() for sample in self.samples],
        }


@dataclass(frozen=True, kw_only=True)
class GroupResult:
    """The rows of one group, our engine first."""

    key: str
    title: str
    rows: tuple[Row, ...] = ()
    rounds: int = 0
    seconds: float = 0
    turns: int = 0
    busy_turns: int = 0
    """Turns that began while others used more than a fifth of the machine."""
    not_measured: str | None = None
    """Why the whole group is missing."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What goals need besides the rows, such as `ideal_s`."""

    def row(self, key: str) -> Row | None:
        """The row of a case."""
        return next((row for row in self.rows if row.key == key), None)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "key": self.key,
            "title": self.title,
            "rounds": self.rounds,
            "seconds": round(self.seconds, 1),
            "turns": self.turns,
            "busy_turns": self.busy_turns,
            "not_measured": self.not_measured,
            "facts": self.facts,
            "rows": [row.to_dict() for row in self.rows],
        }


def rows_by_key(groups: Sequence[GroupResult], group: str) -> dict[str, Row]:
    """The rows of one group by case; empty when it was not measured."""
    return {row.key: row for found in groups if found.key == group for row in found.rows}
