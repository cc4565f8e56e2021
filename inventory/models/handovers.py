"""Hand-overs with their devices, and the links by which a receiver without an account answers. Rows are never deleted."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from inventory.domain.handovers import HandoverState

from .base import Base, BigInt, Digest, Versioned, only_while, words


class Handover(Versioned, Base):
    """Devices offered by one side and counted by the other."""

    __tablename__ = "handover"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    state: Mapped[HandoverState] = mapped_column(words(HandoverState, "state"), index=True)
    lot_id: Mapped[str | None] = mapped_column(sa.ForeignKey("lot.id"), index=True)
    from_party: Mapped[str | None] = mapped_column(sa.ForeignKey("party.id"))
    """Who has the devices; None: we."""
    from_location: Mapped[str] = mapped_column(sa.ForeignKey("location.id"), index=True)
    to_party: Mapped[str | None] = mapped_column(sa.ForeignKey("party.id"), index=True)
    to_location: Mapped[str | None] = mapped_column(sa.ForeignKey("location.id"), index=True)
    outward: Mapped[bool]
    """It leaves our control: acceptance releases the devices."""
    reuse: Mapped[bool]
    destination: Mapped[str] = mapped_column(sa.String(500))
    """In words; printed on certificates."""
    note: Mapped[str] = mapped_column(sa.String(500))
    containers: Mapped[list[str]]
    seals: Mapped[list[str]]
    count: Mapped[int] = mapped_column(sa.Integer)
    offered: Mapped[datetime]
    offered_by: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"))
    answer_by: Mapped[datetime]
    answered: Mapped[datetime | None]
    answered_by: Mapped[str | None] = mapped_column(sa.String(128))
    """A person's pseudonym, or the number of the link."""
    counted: Mapped[int | None] = mapped_column(sa.Integer)
    counted_seals: Mapped[list[str] | None] = mapped_column(sa.JSON(none_as_null=True))
    differences: Mapped[list[dict[str, Any]]]
    withdraw_reason: Mapped[str] = mapped_column(sa.String(500), default="")
    sha256: Mapped[str | None] = mapped_column(sa.ForeignKey("envelope.sha256"))
    """The signed statement of the answer (`reports.custody.HandOver`)."""
    log_index: Mapped[int | None]

    __table_args__ = (
        sa.CheckConstraint(
            "(state IN ('accepted', 'disputed')) = (answered IS NOT NULL AND sha256 IS NOT NULL AND log_index IS NOT NULL)",
            name="answer_is_logged",
        ),
        sa.CheckConstraint("answered_by IS NULL OR answered_by <> offered_by", name="two_sides"),
    )


class HandoverDevice(Base):
    """A device that is handed over; in one open hand-over at a time."""

    __tablename__ = "handover_device"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    handover_id: Mapped[str] = mapped_column(sa.ForeignKey("handover.id"), index=True)
    device_id: Mapped[str] = mapped_column(sa.ForeignKey("device.id"), index=True)
    container_id: Mapped[str | None] = mapped_column(sa.ForeignKey("container.id"))
    open: Mapped[bool]
    """While the hand-over waits for its answer."""

    __table_args__ = (
        sa.UniqueConstraint("handover_id", "device_id"),
        sa.Index("uq_handover_device_open", "device_id", unique=True, **only_while("open")),
    )


class HandoverLink(Base):
    """Lets somebody without an account answer one hand-over, once; its secret is stored as a digest only."""

    __tablename__ = "handover_link"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    secret_sha256: Mapped[str] = mapped_column(Digest, unique=True)
    handover_id: Mapped[str] = mapped_column(sa.ForeignKey("handover.id"), index=True)
    created: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"))
    expires: Mapped[datetime]
    revoked: Mapped[datetime | None]
    used: Mapped[datetime | None]
    receiver: Mapped[str] = mapped_column(sa.String(200), default="")
    """As whoever answered wrote their name; not part of any signed statement, so that it can be erased."""
