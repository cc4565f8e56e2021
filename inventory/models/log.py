"""The log's tables: leaves, hash tiles, head, checkpoints, what witnesses said of them, corrections."""

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
    subject: Mapped[str] = mapped_column(sa.String(128), index=True)
    """For people; no part of the leaf."""
    entry: Mapped[bytes]
    leaf: Mapped[bytes]
    at: Mapped[datetime]

    __table_args__ = (
        sa.Index(
            "ix_log_entry_trust_root",
            "idx",
            sqlite_where=sa.text("kind = 'trust-root'"),
            postgresql_where=sa.text("kind = 'trust-root'"),
        ),
    )


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
    trust: Mapped[str | None] = mapped_column(Digest)
    """Digest of the version of the trust root in force; None before the first entry."""

    __table_args__ = (sa.CheckConstraint("id = 1", name="one_row"),)


class LogCheckpoint(Base):
    """Every checkpoint ever signed."""

    __tablename__ = "log_checkpoint"

    size: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    root: Mapped[bytes]
    note: Mapped[str] = mapped_column(sa.Text)
    at: Mapped[datetime]


class LogCosignature(Base):
    """A witness's line under a checkpoint; checked before it is stored."""

    __tablename__ = "log_cosignature"

    size: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("log_checkpoint.size"), primary_key=True, autoincrement=False
    )
    witness: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    """The key's name."""
    key_hash: Mapped[str] = mapped_column(sa.String(8), primary_key=True)
    """Hexadecimal, as in the signature line."""
    line: Mapped[str] = mapped_column(sa.Text)
    """The signature line with its newline."""
    at: Mapped[datetime]
    """The time the witness states."""
    received: Mapped[datetime]


class LogWitness(Base):
    """How we stand with a witness; nothing of it is evidence."""

    __tablename__ = "log_witness"

    name: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    size: Mapped[int]
    """What it cosigned last, as far as it told us; 0 before the first time."""
    asked: Mapped[datetime | None]
    answered: Mapped[datetime | None]
    """When it last cosigned."""
    failures: Mapped[int]
    """In a row."""
    problem: Mapped[str] = mapped_column(sa.String(500))
    due: Mapped[datetime]
    """Not asked again before."""


class Correction(Base):
    """A document that was voided or superseded."""

    __tablename__ = "correction"

    sha256: Mapped[str] = mapped_column(sa.ForeignKey("envelope.sha256"), primary_key=True)
    action: Mapped[str] = mapped_column(sa.String(16))
    document: Mapped[str] = mapped_column(sa.String(32), index=True)
    document_sha256: Mapped[str] = mapped_column(Digest)
    replacement: Mapped[str | None] = mapped_column(sa.String(32))
    reason: Mapped[str] = mapped_column(sa.String(500))
    by: Mapped[str] = mapped_column(sa.String(128))
    """Pseudonym; no reference, for a correction may be brought back from the log before its person is."""
    at: Mapped[datetime]
    log_index: Mapped[int]

    __table_args__ = (
        sa.UniqueConstraint("document_sha256", "action"),
        sa.CheckConstraint("action IN ('void', 'supersede')", name="action"),
    )
