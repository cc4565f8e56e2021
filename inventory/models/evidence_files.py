"""Photographs, films and papers that show what happened to a device. Written once, never changed."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Digest


class EvidenceFile(Base):
    """One file, byte for byte; statements name it by its digest."""

    __tablename__ = "evidence_file"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    device_id: Mapped[str] = mapped_column(sa.ForeignKey("device.id"), index=True)
    sha256: Mapped[str] = mapped_column(Digest, index=True)
    media_type: Mapped[str] = mapped_column(sa.String(32))
    note: Mapped[str] = mapped_column(sa.String(200))
    """What it shows, in words."""
    size: Mapped[int]
    content: Mapped[bytes] = mapped_column(sa.LargeBinary, deferred=True)
    kept: Mapped[datetime]
    kept_by: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"))

    __table_args__ = (sa.UniqueConstraint("device_id", "sha256"),)
