"""Independent samples."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from inventory.domain.samples import Finding, SampleState
from inventory.domain.vocabulary import DeviceState


@dataclass(frozen=True, kw_only=True)
class SampleRow:
    """A sample in a list."""

    id: str
    lot: str
    lot_name: str
    closing: int
    state: SampleState
    percent: int
    population: int
    """How many devices could be drawn."""
    devices: int
    """How many were."""
    examined: int
    drawn: datetime
    drawn_by: str
    due: datetime
    log_index: int
    """Of the signed draw."""
    version: int


@dataclass(frozen=True, kw_only=True)
class SampleDeviceView:
    """A drawn device."""

    device: str
    asset_tag: str | None
    label: str
    state: DeviceState
    record: str
    assigned_to: str | None
    assigned: datetime | None
    able: tuple[str, ...]
    """Who could examine it: nobody who had a part in its sanitization or in the draw."""
    reading: str | None
    """The newest verify-only order for it."""
    finding: Finding | None
    tool: str
    note: str
    evidence: tuple[str, ...]
    found: datetime | None


@dataclass(frozen=True, kw_only=True)
class SampleDetail(SampleRow):
    """A sample with its devices."""

    closing_sha256: str
    closing_index: int
    seed: str
    """Base64 of the log's root at the closing; anybody can repeat the draw from it."""
    sha256: str
    """Envelope digest of the signed draw."""
    drawn_devices: tuple[SampleDeviceView, ...]
