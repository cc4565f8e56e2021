"""Events, exceptions, policy versions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from inventory.domain.vocabulary import ExceptionState

from .base import Base, BigInt, Digest, Versioned, only_while, words


class Event(Base):
    """One entry of the history: appended, never changed. Tags are `inventory.events.Tag`."""

    __tablename__ = "event"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    tag: Mapped[str] = mapped_column(sa.String(64))
    actor: Mapped[str] = mapped_column(sa.String(128))
    actor_kind: Mapped[str] = mapped_column(sa.String(16))
    subject_kind: Mapped[str] = mapped_column(sa.String(32))
    subject: Mapped[str] = mapped_column(sa.String(128))
    device_id: Mapped[str | None] = mapped_column(sa.String(32))
    host_id: Mapped[str | None] = mapped_column(sa.String(32))
    order_id: Mapped[str | None] = mapped_column(sa.String(32))
    reason: Mapped[str] = mapped_column(sa.String(1000))
    details: Mapped[dict[str, Any]]
    evidence: Mapped[list[str]]

    # Newest first of one kind, subject or device: each index holds the order of the list as well.
    __table_args__ = tuple(
        sa.Index(f"ix_event_{column}_id", column, "id")
        for column in ("tag", "actor", "subject", "device_id", "host_id", "order_id")
    )


class ExceptionItem(Versioned, Base):
    """Something unaccounted, with an owner and an end."""

    __tablename__ = "exception_item"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    code: Mapped[str] = mapped_column(sa.String(64))
    subject: Mapped[str] = mapped_column(sa.String(256))
    """What it is about; one open exception for each code and subject."""
    sentence: Mapped[str] = mapped_column(sa.String(1000))
    severity: Mapped[str] = mapped_column(sa.String(16))
    state: Mapped[ExceptionState] = mapped_column(words(ExceptionState, "state"), index=True)
    device_id: Mapped[str | None] = mapped_column(sa.String(32), index=True)
    host_id: Mapped[str | None] = mapped_column(sa.String(32), index=True)
    owner: Mapped[str | None] = mapped_column(sa.ForeignKey("person.ref"))
    raised: Mapped[datetime]
    resolved: Mapped[datetime | None]
    resolved_by: Mapped[str | None] = mapped_column(sa.String(128))
    resolution: Mapped[str | None] = mapped_column(sa.String(500))

    __table_args__ = (
        sa.Index("uq_exception_item_open", "code", "subject", unique=True, **only_while("state = 'open'")),
        sa.Index(None, "raised", "id"),
    )


class PolicyVersion(Base):
    """A version of the policy table; superseded, never edited."""

    __tablename__ = "policy_version"

    sha256: Mapped[str] = mapped_column(Digest, primary_key=True)
    id: Mapped[str] = mapped_column(sa.String(80), unique=True)
    document: Mapped[dict[str, Any]]
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    in_force: Mapped[bool]
    by: Mapped[str] = mapped_column(sa.String(128))
    reason: Mapped[str] = mapped_column(sa.String(500))

    __table_args__ = (sa.Index("uq_policy_version_in_force", "in_force", unique=True, **only_while("in_force")),)
