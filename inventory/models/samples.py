"""Independent samples: drawn from the log at a lot's closing, examined by somebody else."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from inventory.domain.samples import Finding, SampleState

from .base import Base, Versioned, words


class Sample(Versioned, Base):
    """One draw; what was drawn stands in its envelope and follows from the closing."""

    __tablename__ = "sample"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    lot_id: Mapped[str] = mapped_column(sa.ForeignKey("lot.id"), index=True)
    closing: Mapped[int] = mapped_column(sa.Integer)
    closing_sha256: Mapped[str] = mapped_column(sa.ForeignKey("envelope.sha256"), unique=True)
    """One closing, one draw."""
    closing_index: Mapped[int]
    percent: Mapped[int] = mapped_column(sa.Integer)
    population: Mapped[int] = mapped_column(sa.Integer)
    state: Mapped[SampleState] = mapped_column(words(SampleState, "state"), index=True)
    drawn: Mapped[datetime]
    drawn_by: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"))
    due: Mapped[datetime]
    statement_sha256: Mapped[str] = mapped_column(sa.ForeignKey("envelope.sha256"), unique=True)
    log_index: Mapped[int]
    ended: Mapped[datetime | None]


class SampleDevice(Versioned, Base):
    """A drawn device: who examines it, and what they found."""

    __tablename__ = "sample_device"

    sample_id: Mapped[str] = mapped_column(sa.ForeignKey("sample.id"), primary_key=True)
    device_id: Mapped[str] = mapped_column(sa.ForeignKey("device.id"), primary_key=True)
    record_sha256: Mapped[str] = mapped_column(sa.ForeignKey("record.sha256"))
    """The record it was drawn with."""
    assigned_to: Mapped[str | None] = mapped_column(sa.ForeignKey("person.ref"), index=True)
    assigned_by: Mapped[str | None] = mapped_column(sa.ForeignKey("person.ref"))
    assigned: Mapped[datetime | None]
    reading_id: Mapped[str | None] = mapped_column(sa.ForeignKey("reading.id"), index=True)
    """The newest verify-only order for it."""
    finding: Mapped[Finding | None] = mapped_column(words(Finding, "finding"))
    tool: Mapped[str] = mapped_column(sa.String(500), default="")
    """What it was examined with, where that was not one of our agents."""
    note: Mapped[str] = mapped_column(sa.String(500), default="")
    evidence: Mapped[list[str]]
    """SHA-256 of what the examiner kept: protocols, photographs."""
    found: Mapped[datetime | None]

    __table_args__ = (
        sa.CheckConstraint("(assigned_to IS NULL) = (assigned IS NULL)", name="assigned"),
        sa.CheckConstraint("(finding IS NULL) = (found IS NULL)", name="found"),
    )
