"""The log's tables: leaves, hash tiles, head, checkpoints."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Digest


class LogEntry(Base):
    """One leaf."""

    __tablename__ = "log_entry"

    idx: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(sa.String(32))
    sha256: Mapped[str] = mapped_column(Digest, unique=True)
    """Digest of the envelope; each envelope is logged once."""
    subject: Mapped[str] = mapped_column(sa.String(128))
    """For people; no part of the leaf."""
    entry: Mapped[bytes]
    leaf: Mapped[bytes]
    at: Mapped[datetime]


class LogTile(Base):
    """Up to 256 hashes of one level; grows, never changes."""

    __tablename__ = "log_tile"

    level: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    data: Mapped[bytes]


class LogHead(Base):
    """One row: size, frontier, newest checkpoint, and which guard file belongs to this log."""

    __tablename__ = "log_head"

    id: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    origin: Mapped[str] = mapped_column(sa.String(200))
    guard_id: Mapped[str] = mapped_column(sa.String(64))
    size: Mapped[int]
    peaks: Mapped[bytes]
    checkpoint: Mapped[str] = mapped_column(sa.Text)

    __table_args__ = (sa.CheckConstraint("id = 1", name="one_row"),)


class LogCheckpoint(Base):
    """Every checkpoint ever signed."""

    __tablename__ = "log_checkpoint"

    size: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    root: Mapped[bytes]
    note: Mapped[str] = mapped_column(sa.Text)
    at: Mapped[datetime]
