"""Halts of hosts and their liftings: the big red stop, as asked for by people."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base


class HostHalt(Base):
    """One halt or one lifting, signed for the host's agent. Appended; the highest number of a host is what stands."""

    __tablename__ = "host_halt"

    host_id: Mapped[str] = mapped_column(sa.ForeignKey("host.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    action: Mapped[str] = mapped_column(sa.String(8))
    """halt or lift."""
    by: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"))
    reason: Mapped[str] = mapped_column(sa.String(500))
    time: Mapped[datetime]
    envelope_sha256: Mapped[str] = mapped_column(sa.ForeignKey("envelope.sha256"))
