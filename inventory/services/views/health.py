"""How a drive was by its own account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class HealthView:
    """One look at a drive, as a record keeps it; None: the drive does not say."""

    record: str
    """Envelope digest of the record it stands in."""
    moment: Literal["before", "after"]
    """The first write of the run, its last read."""
    taken: datetime | None
    """By the host's clock; None where the record's time is none."""
    source: str
    """ata-smart, scsi-logs, nvme-log, mmc-ext-csd."""
    prediction: Literal["passed", "failing", "unknown"]
    """Whether the drive predicts its own failure."""
    temperature: int | None
    """Degrees Celsius."""
    power_on_hours: int | None
    reallocated: int | None
    """Blocks the drive has put others in the place of."""
    pending: int | None
    """Blocks it could not read, and has not replaced yet."""
    uncorrectable: int | None
    used_percent: int | None
    spare_percent: int | None
    problem: str | None
    """Why nothing, or not all, is known."""
