"""Verify-only orders, and the readings that answered them."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from inventory.domain.readings import ReadingState

from .base import Base, Digest, Versioned, only_while, words

OPEN_READINGS = "state IN ('waiting', 'leased')"


class Reading(Versioned, Base):
    """One medium to be read again by one agent. What was sealed stands in its envelope; the columns are searched."""

    __tablename__ = "reading"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    state: Mapped[ReadingState] = mapped_column(words(ReadingState, "state"), index=True)
    device_id: Mapped[str] = mapped_column(sa.ForeignKey("device.id"), index=True)
    host_id: Mapped[str] = mapped_column(sa.ForeignKey("host.id"), index=True)
    agent_key: Mapped[str] = mapped_column(Digest)
    record_sha256: Mapped[str] = mapped_column(sa.ForeignKey("record.sha256"), index=True)
    """Whose claim is held against the medium."""
    expected: Mapped[str] = mapped_column(sa.String(140))
    verification: Mapped[str] = mapped_column(sa.String(16))
    envelope_sha256: Mapped[str] = mapped_column(sa.ForeignKey("envelope.sha256"), unique=True)
    payload_sha256: Mapped[str] = mapped_column(Digest, unique=True)
    requested_by: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"))
    reason: Mapped[str] = mapped_column(sa.String(500))
    created: Mapped[datetime]
    expires: Mapped[datetime]
    token: Mapped[int] = mapped_column(default=0)
    """Fencing token of the newest lease."""
    lease_until: Mapped[datetime | None]
    bytes_done: Mapped[int] = mapped_column(default=0)
    bytes_total: Mapped[int] = mapped_column(default=0)
    reported: Mapped[datetime | None]
    result_sha256: Mapped[str | None] = mapped_column(sa.ForeignKey("envelope.sha256"))
    """The agent's signed reading."""
    accepted_sha256: Mapped[str | None] = mapped_column(sa.ForeignKey("envelope.sha256"))
    log_index: Mapped[int | None]
    ended: Mapped[datetime | None]
    reasons: Mapped[list[str]]
    """Why it ended as it did."""

    __table_args__ = (sa.Index("uq_reading_open_device", "device_id", unique=True, **only_while(OPEN_READINGS)),)
