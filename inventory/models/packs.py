"""Audit packs that were asked for. A pack itself is made while it is sent and kept nowhere."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base


class AuditPack(Base):
    """What a pack is to be about, and against which state of the log; never changed. Who took it away is in the history."""

    __tablename__ = "audit_pack"

    number: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    scope: Mapped[str] = mapped_column(sa.String(16))
    reference: Mapped[str] = mapped_column(sa.String(64))
    words: Mapped[str] = mapped_column(sa.String(500))
    begin: Mapped[datetime | None]
    end: Mapped[datetime | None]
    names: Mapped[str] = mapped_column(sa.String(16))
    documents: Mapped[str] = mapped_column(sa.String(16))
    word: Mapped[str] = mapped_column(sa.String(100))
    """Mixed into the sample's seed."""
    sites: Mapped[list[str] | None] = mapped_column(sa.JSON(none_as_null=True))
    """As far as whoever asked saw then; None: any."""
    teams: Mapped[list[str] | None] = mapped_column(sa.JSON(none_as_null=True))
    size: Mapped[int]
    """Of the log, whose state the pack's proofs are against."""
    requested: Mapped[datetime]
    requested_by: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"))

    __table_args__ = (
        sa.CheckConstraint("scope IN ('lot', 'case', 'site', 'period')", name="scope"),
        sa.CheckConstraint("names IN ('full', 'pseudonyms')", name="names"),
        sa.CheckConstraint("documents IN ('all', 'bundles', 'none')", name="documents"),
        sa.CheckConstraint('(scope = \'period\') = ("begin" IS NOT NULL AND "end" IS NOT NULL)', name="period"),
    )
