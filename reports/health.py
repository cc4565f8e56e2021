"""What a record keeps of a drive's own account of its health. Facts; `findings.health` judges them."""

from __future__ import annotations

from dataclasses import dataclass

from .parts import Part


@dataclass(frozen=True, kw_only=True)
class HealthAnswer(Part):
    """One question about a drive's health, and the bytes that came back."""

    question: str
    """smart-data, smart-status, health-log, log-page-0d, grown-defects, ..."""
    answer: str
    """Hexadecimal; a long one is cut short."""


@dataclass(frozen=True, kw_only=True)
class HealthReading(Part):
    """How a drive was by its own account, at one moment; `sanitizer.run` has the same fields. `None`: it does not say."""

    moment: str
    """before: the first write; after: the last read."""
    taken: str
    """When, by the host's clock."""
    source: str
    """ata-smart, scsi-logs, nvme-log, mmc-ext-csd."""
    prediction: str
    """passed, failing, unknown: whether the drive predicts its own failure."""
    temperature: int | None
    """Degrees Celsius."""
    power_on_hours: int | None
    reallocated: int | None
    """Blocks the drive has put others in the place of; grown defects of a SCSI disk."""
    pending: int | None
    """Blocks it could not read, and has not replaced yet."""
    uncorrectable: int | None
    """Blocks, or errors, beyond its own correction."""
    used_percent: int | None
    """Of the wear it was made for; may exceed 100."""
    spare_percent: int | None
    """Of spare blocks left."""
    problem: str | None
    """Why nothing, or not all, is known."""
    answers: tuple[HealthAnswer, ...]
