"""Balances that were drawn up, and the differences found. A closed balance is never changed again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from inventory.domain.balance import ScopeKind

from .base import Base, BigInt, Versioned, words


class Balance(Versioned, Base):
    """A balance sheet of one scope, now or over a period."""

    __tablename__ = "balance"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    scope: Mapped[ScopeKind] = mapped_column(words(ScopeKind, "scope"))
    reference: Mapped[str] = mapped_column(sa.String(64))
    words: Mapped[str] = mapped_column(sa.String(500))
    """The scope in words."""
    begin: Mapped[datetime | None]
    end: Mapped[datetime | None]
    """Not included; None: as it was when it was drawn up."""
    owner: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"))
    """Answers for differences that have no other owner."""
    drawn: Mapped[datetime]
    """Last counted."""
    drawn_by: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"))
    counting: Mapped[int] = mapped_column(sa.Integer)
    """How often it was counted; lines of the last one are its differences."""
    counts: Mapped[dict[str, Any]]
    states: Mapped[dict[str, Any]]
    differences: Mapped[int]
    open_differences: Mapped[int]
    closed: Mapped[datetime | None]
    closed_by: Mapped[str | None] = mapped_column(sa.ForeignKey("person.ref"))
    sha256: Mapped[str | None] = mapped_column(sa.ForeignKey("envelope.sha256"))
    """The signed statement of its closing."""
    log_index: Mapped[int | None]

    __table_args__ = (
        sa.CheckConstraint("(closed IS NULL) = (sha256 IS NULL)", name="closed_is_signed"),
        sa.CheckConstraint("closed IS NULL OR open_differences = 0", name="closed_without_difference"),
        sa.CheckConstraint('"begin" IS NULL OR "end" IS NOT NULL', name="period"),
    )


class BalanceSheet(Base):
    """What a balance was counted from when it was closed, one line a device; signed with the closing."""

    __tablename__ = "balance_sheet"

    balance_id: Mapped[str] = mapped_column(sa.ForeignKey("balance.id"), primary_key=True)
    size: Mapped[int]
    """Bytes before they were packed."""
    packed: Mapped[bytes] = mapped_column(sa.LargeBinary, deferred=True)
    """Canonical JSON lines (`reports.balance.SheetDevice`), deflated."""


class BalanceLine(Base):
    """One difference, as it stood at one counting; never changed."""

    __tablename__ = "balance_line"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    balance_id: Mapped[str] = mapped_column(sa.ForeignKey("balance.id"))
    counting: Mapped[int] = mapped_column(sa.Integer)
    device: Mapped[str] = mapped_column(sa.String(256))
    code: Mapped[str] = mapped_column(sa.String(64))
    sentence: Mapped[str] = mapped_column(sa.String(1000))
    exception_id: Mapped[str | None] = mapped_column(sa.ForeignKey("exception_item.id"))
    owner: Mapped[str | None] = mapped_column(sa.ForeignKey("person.ref"))
    answered: Mapped[bool]

    __table_args__ = (sa.Index(None, "balance_id", "counting", "id"),)
