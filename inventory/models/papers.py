"""Documents about lots, processors' statements and destructions; and what people signed for them with their own keys."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Digest


class Paper(Base):
    """A document: prepared, perhaps waiting for a person's signature, then issued. Its content is in its envelope."""

    __tablename__ = "paper"

    number: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(16), index=True)
    """lot, processor, destruction."""
    title: Mapped[str] = mapped_column(sa.String(200))
    """The lot's name, the controller, the device."""
    subject: Mapped[str] = mapped_column(sa.String(32), index=True)
    """Number of the destruction; empty for the others."""
    complete: Mapped[bool]
    facts: Mapped[bytes]
    """Canonical JSON of what is (or was) to be signed; empty where nobody but the service signs."""
    annex: Mapped[bytes]
    """Canonical JSON of the media's lines; empty where there are none."""
    prepared: Mapped[datetime]
    prepared_by: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"))
    responsible: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"))
    """Who signs, or answers for it."""
    issued: Mapped[datetime | None]
    sha256: Mapped[str | None] = mapped_column(sa.ForeignKey("envelope.sha256"), unique=True)
    log_index: Mapped[int | None]

    __table_args__ = (
        sa.CheckConstraint("kind IN ('lot', 'processor', 'destruction')", name="kind"),
        sa.CheckConstraint(
            "(issued IS NULL) = (sha256 IS NULL) AND (issued IS NULL) = (log_index IS NULL)", name="issued_is_logged"
        ),
    )


class PersonalSignature(Base):
    """Somebody's own signature under the facts of a destruction or a statement."""

    __tablename__ = "personal_signature"

    sha256: Mapped[str] = mapped_column(sa.ForeignKey("envelope.sha256"), primary_key=True)
    subject: Mapped[str] = mapped_column(sa.String(32))
    """Number of the destruction or document."""
    role: Mapped[str] = mapped_column(sa.String(16))
    """witness, countersigner, responsible."""
    facts_sha256: Mapped[str] = mapped_column(Digest)
    person: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"))
    key_id: Mapped[str] = mapped_column(Digest)
    time: Mapped[datetime]
    received: Mapped[datetime]

    __table_args__ = (
        sa.UniqueConstraint("subject", "role"),
        sa.UniqueConstraint("subject", "person"),
        sa.CheckConstraint("role IN ('witness', 'countersigner', 'responsible')", name="role"),
    )
