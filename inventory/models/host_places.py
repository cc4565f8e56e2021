"""Where data lies on a host, declared or not, and the way down from there as the agent told it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base


class HostPlace(Base):
    """A declared path, a running database's folder, a swap area, a folder of memory dumps. A row stays when the place is gone."""

    __tablename__ = "host_place"

    id: Mapped[int] = mapped_column(sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True)
    host_id: Mapped[str] = mapped_column(sa.ForeignKey("host.id"))
    kind: Mapped[str] = mapped_column(sa.String(16))
    """declared, postgresql, mariadb, sqlite, swap, core-dump."""
    path: Mapped[str] = mapped_column(sa.String(256))
    process: Mapped[str | None] = mapped_column(sa.String(256))
    devices: Mapped[list[str]]
    """Fingerprints of the media beneath."""
    unresolved: Mapped[list[str]]
    steps: Mapped[list[dict[str, Any]]]
    """What lies on what, and how that is known."""
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]
    gone: Mapped[datetime | None]

    __table_args__ = (sa.UniqueConstraint("host_id", "kind", "path", name="uq_host_place_host_id"),)
