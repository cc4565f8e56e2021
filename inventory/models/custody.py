"""Secrets of drives in custody: rows change their state and are never deleted."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from inventory.domain.vocabulary import EscrowState

from .base import Base, Digest, Versioned, words


class Escrow(Versioned, Base):
    """One secret a drive was to be given; encrypted with the service's custody key, which is not in the database."""

    __tablename__ = "escrow"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    order_id: Mapped[str] = mapped_column(sa.ForeignKey("sanitization_order.id"))
    run: Mapped[str] = mapped_column(sa.String(128))
    device_id: Mapped[str] = mapped_column(sa.ForeignKey("device.id"), index=True)
    host_id: Mapped[str] = mapped_column(sa.ForeignKey("host.id"))
    kind: Mapped[str] = mapped_column(sa.String(32))
    sealed: Mapped[bytes]
    """Nonce and AES-256-GCM ciphertext; bound to this row's number."""
    sha256: Mapped[str] = mapped_column(Digest)
    """Of the secret."""
    recovery: Mapped[str] = mapped_column(sa.String(2000))
    state: Mapped[EscrowState] = mapped_column(words(EscrowState, "state"))
    deposited: Mapped[datetime]
    released: Mapped[datetime | None]
    release_reason: Mapped[str] = mapped_column(sa.String(500), default="")
    revealed: Mapped[datetime | None]
    revealed_to: Mapped[str | None] = mapped_column(sa.ForeignKey("person.ref"))

    __table_args__ = (sa.UniqueConstraint("order_id", "run", "sha256"),)
