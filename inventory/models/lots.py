"""Lots and containers, with what was put in and taken out. Rows are never deleted."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from inventory.domain.lots import ContainerKind, LotPurpose, LotState

from .base import Base, BigInt, Versioned, only_while, words


class Lot(Versioned, Base):
    """Devices that travel together, closed by reconciliation."""

    __tablename__ = "lot"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    purpose: Mapped[LotPurpose] = mapped_column(words(LotPurpose, "purpose"))
    destination: Mapped[str] = mapped_column(sa.String(500))
    """In words."""
    party_id: Mapped[str | None] = mapped_column(sa.ForeignKey("party.id"), index=True)
    """Who shall receive it; None: nobody outside is named."""
    site_id: Mapped[str | None] = mapped_column(sa.String(32), index=True)
    """The site it is gathered at."""
    state: Mapped[LotState] = mapped_column(words(LotState, "state"), index=True)
    opened: Mapped[datetime]
    opened_by: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"))
    closed: Mapped[datetime | None]
    """When it was last closed."""
    closed_by: Mapped[str | None] = mapped_column(sa.ForeignKey("person.ref"))
    closings: Mapped[int] = mapped_column(sa.Integer, default=0)
    """How often it was closed."""
    closed_sha256: Mapped[str | None] = mapped_column(sa.ForeignKey("envelope.sha256"))
    """The signed statement of the last closing (`reports.custody.LotClosing`)."""
    closed_index: Mapped[int | None]
    """Its place in the log: the first checkpoint beyond it is the seed of what is drawn from the lot."""
    note: Mapped[str] = mapped_column(sa.String(500), default="")

    __table_args__ = (
        sa.CheckConstraint("(closed_sha256 IS NULL) = (closed_index IS NULL)", name="closing_is_logged"),
        sa.CheckConstraint("state <> 'closed' OR closed_sha256 IS NOT NULL", name="closed_is_signed"),
    )


class LotDevice(Base):
    """A device in a lot, from when to when."""

    __tablename__ = "lot_device"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    lot_id: Mapped[str] = mapped_column(sa.ForeignKey("lot.id"), index=True)
    device_id: Mapped[str] = mapped_column(sa.ForeignKey("device.id"), index=True)
    added: Mapped[datetime]
    added_by: Mapped[str] = mapped_column(sa.String(128))
    removed: Mapped[datetime | None]
    removed_by: Mapped[str | None] = mapped_column(sa.String(128))
    remove_reason: Mapped[str] = mapped_column(sa.String(500), default="")

    __table_args__ = (
        sa.Index("uq_lot_device_in", "lot_id", "device_id", unique=True, **only_while("removed IS NULL")),
    )


class Container(Versioned, Base):
    """A bag, box, case, pallet or cabinet with its seals."""

    __tablename__ = "container"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    kind: Mapped[ContainerKind] = mapped_column(words(ContainerKind, "kind"))
    seals: Mapped[list[str]]
    """Numbers of the seals on it now; none: it is not sealed."""
    lot_id: Mapped[str | None] = mapped_column(sa.ForeignKey("lot.id"), index=True)
    location_id: Mapped[str | None] = mapped_column(sa.ForeignKey("location.id"), index=True)
    party_id: Mapped[str | None] = mapped_column(sa.ForeignKey("party.id"))
    """Who has it; None: we have."""
    created: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"))
    ended: Mapped[datetime | None]
    """No longer in use."""


class ContainerDevice(Base):
    """A device in a container, from when to when; in one at a time."""

    __tablename__ = "container_device"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    container_id: Mapped[str] = mapped_column(sa.ForeignKey("container.id"), index=True)
    device_id: Mapped[str] = mapped_column(sa.ForeignKey("device.id"), index=True)
    added: Mapped[datetime]
    added_by: Mapped[str] = mapped_column(sa.String(128))
    removed: Mapped[datetime | None]
    removed_by: Mapped[str | None] = mapped_column(sa.String(128))

    __table_args__ = (sa.Index("uq_container_device_in", "device_id", unique=True, **only_while("removed IS NULL")),)
