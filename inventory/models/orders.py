"""Orders, approvals, leases, progress."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from inventory.domain.vocabulary import OrderState

from .base import Base, Digest, Versioned, only_while, words

OPEN_STATES = "state IN ('requested', 'approved', 'leased', 'executing', 'settling', 'verifying', 'recorded')"


class Order(Versioned, Base):
    """One device, one agent, sealed. What was sealed stands in its envelope; the columns repeat what is searched for."""

    __tablename__ = "sanitization_order"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    state: Mapped[OrderState] = mapped_column(words(OrderState, "state"), index=True)
    device_id: Mapped[str] = mapped_column(sa.ForeignKey("device.id"), index=True)
    host_id: Mapped[str] = mapped_column(sa.ForeignKey("host.id"), index=True)
    agent_key: Mapped[str] = mapped_column(Digest)
    fingerprint: Mapped[str] = mapped_column(Digest)
    envelope_sha256: Mapped[str] = mapped_column(sa.ForeignKey("envelope.sha256"), unique=True)
    payload_sha256: Mapped[str] = mapped_column(Digest, unique=True)
    nonce: Mapped[str] = mapped_column(sa.String(32), unique=True)
    plan: Mapped[dict[str, Any]]
    purpose: Mapped[dict[str, Any]]
    decision: Mapped[dict[str, Any]]
    requested_by: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"))
    reason: Mapped[str] = mapped_column(sa.String(500))
    created: Mapped[datetime]
    expires: Mapped[datetime]
    approvals_required: Mapped[int]
    token: Mapped[int] = mapped_column(default=0)
    """Fencing token of the newest lease."""
    started: Mapped[datetime | None]
    """When the agent was first told that it may write, by our clock."""
    stop_requested: Mapped[bool] = mapped_column(default=False)
    record_sha256: Mapped[str | None] = mapped_column(Digest)
    outcome_reason: Mapped[str | None] = mapped_column(sa.String(1000))

    __table_args__ = (
        sa.Index("uq_order_open_device", "device_id", unique=True, **only_while(OPEN_STATES)),
        sa.Index(None, "created", "id"),
        sa.Index(None, "expires", "id"),
    )


class Approval(Base):
    """One approver's envelope; never changed."""

    __tablename__ = "approval"

    sha256: Mapped[str] = mapped_column(sa.ForeignKey("envelope.sha256"), primary_key=True)
    order_id: Mapped[str] = mapped_column(sa.ForeignKey("sanitization_order.id"))
    approver: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"))
    key_id: Mapped[str] = mapped_column(sa.ForeignKey("approver_key.key_id"))
    shown: Mapped[str] = mapped_column(sa.String(500))
    time: Mapped[datetime]
    received: Mapped[datetime]

    __table_args__ = (sa.UniqueConstraint("order_id", "approver"), sa.UniqueConstraint("order_id", "key_id"))


class Lease(Base):
    """Leave to execute an order until a time; the order's newest token is the one that counts."""

    __tablename__ = "lease"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    order_id: Mapped[str] = mapped_column(sa.ForeignKey("sanitization_order.id"))
    host_id: Mapped[str] = mapped_column(sa.ForeignKey("host.id"))
    token: Mapped[int]
    acquired: Mapped[datetime]
    expires: Mapped[datetime]

    __table_args__ = (sa.UniqueConstraint("order_id", "token"),)


class RunProgress(Base):
    """The agent's last report about an order."""

    __tablename__ = "run_progress"

    order_id: Mapped[str] = mapped_column(sa.ForeignKey("sanitization_order.id"), primary_key=True)
    token: Mapped[int]
    state: Mapped[str] = mapped_column(sa.String(16))
    pass_number: Mapped[int]
    passes: Mapped[int]
    bytes_done: Mapped[int]
    bytes_total: Mapped[int]
    bytes_per_second: Mapped[int]
    seconds_left: Mapped[int | None]
    errors: Mapped[int]
    temperature: Mapped[int | None] = mapped_column(sa.Integer)
    """Degrees Celsius by the drive's own sensor; None: it has none, or nobody asked."""
    reason_code: Mapped[str | None] = mapped_column(sa.String(64))
    reason: Mapped[str | None] = mapped_column(sa.String(500))
    reported: Mapped[datetime]
