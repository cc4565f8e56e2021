"""Samples and rows for tests, with every field that does not matter filled in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.bed import Device
from benchmarks.case import Case, Sample
from benchmarks.figures import GroupResult, Row
from benchmarks.undo import Backing

GIB = 1 << 30


def sample(span: float = 1.0, **fields: Any) -> Sample:  # noqa: ANN401 - any field of Sample
    values: dict[str, Any] = {
        "wall": span + 0.1,
        "cpu": 0.5,
        "span": span,
        "to_first_write": 0.1,
        "slowest_rate": None,
        "peak_rss": 50 << 20,
        "cache_growth": 0,
        "bytes_written": GIB,
        "bytes_read": 0,
        "exits": (0,),
        "failure": None,
        "report": None,
    }
    return Sample(**{**values, **fields})


def row(key: str, spans: list[float], ours: list[float], **fields: Any) -> Row:  # noqa: ANN401 - any field of Row
    values: dict[str, Any] = {
        "key": key,
        "label": key,
        "samples": tuple(sample(span) for span in spans),
        "base": tuple(sample(span) for span in ours),
        "device_bytes": GIB,
    }
    return Row(**{**values, **fields})


def group(key: str, *rows: Row, **fields: Any) -> GroupResult:  # noqa: ANN401 - any field of GroupResult
    return GroupResult(key=key, title=f"title of {key}", rows=rows, **fields)


def case(key: str) -> Case:
    return Case(key, key, lambda devices: [[("true", *(device.node for device in devices))]])


def device(number: int = 0, size: int = 64 << 20, name: str = "b") -> Device:
    """A device that is only talked about."""
    return Device(f"/dev/loop{90 + number}", Path(f"/{name}"), size, Backing("0:0", number))
