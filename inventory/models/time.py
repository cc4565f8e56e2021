"""Time-stamps on checkpoints, and how we stand with the authorities that make them."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Digest


class TimeStamp(Base):
    """A stamp (RFC 3161) on a checkpoint as the log signed it. Written once, never changed (`guards`)."""

    __tablename__ = "time_stamp"

    sha256: Mapped[str] = mapped_column(Digest, primary_key=True)
    """Of the token: what its log entry holds."""
    size: Mapped[int] = mapped_column(sa.BigInteger, sa.ForeignKey("log_checkpoint.size"))
    authority: Mapped[str] = mapped_column(sa.String(100))
    """Its name in the trust root."""
    token: Mapped[bytes]
    """DER, in its one form."""
    stamped: Mapped[datetime]
    """By the authority's clock."""
    taken: Mapped[datetime]
    """By ours."""
    log_index: Mapped[int] = mapped_column(sa.BigInteger, unique=True)
    """Of the entry of kind `time-stamp`: whatever comes later in the log is younger than the stamp."""

    __table_args__ = (sa.Index("ix_time_stamp_authority_size", "authority", "size"),)


class TimeAuthorityState(Base):
    """How we stand with an authority; nothing of it is evidence."""

    __tablename__ = "time_authority"

    name: Mapped[str] = mapped_column(sa.String(100), primary_key=True)
    failures: Mapped[int]
    """In a row."""
    since: Mapped[datetime | None]
    """Since when it fails."""
    problem: Mapped[str] = mapped_column(sa.String(500))
    due: Mapped[datetime]
    """Not asked again before."""
