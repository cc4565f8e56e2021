"""Keys and rosters: whose statements count."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from inventory.domain.vocabulary import KeyState

from .base import Base, Digest, only_while, words


class ApproverKey(Base):
    """An approver's public key."""

    __tablename__ = "approver_key"

    key_id: Mapped[str] = mapped_column(Digest, primary_key=True)
    person: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"), index=True)
    spki: Mapped[bytes]
    state: Mapped[KeyState] = mapped_column(words(KeyState, "state"))
    registered: Mapped[datetime]
    confirmed: Mapped[datetime | None]
    confirmed_by: Mapped[str | None] = mapped_column(sa.ForeignKey("person.ref"))
    revoked: Mapped[datetime | None]
    enrolled_index: Mapped[int | None]
    revoked_index: Mapped[int | None]
    revoked_below: Mapped[int | None]
    """Approvals of records that were accepted below this log index still count."""
    until_index: Mapped[int | None]
    """Log index from which on the key has ended; None: no end was set."""
    credential: Mapped[bytes | None]
    """Of a passkey: the credential's id, by which a browser finds it."""


class Roster(Base):
    """A roster, from proposal to publication."""

    __tablename__ = "roster"

    sha256: Mapped[str] = mapped_column(Digest, primary_key=True)
    """Digest of the payload."""
    version: Mapped[int]
    state: Mapped[str] = mapped_column(sa.String(16))
    """proposed, published, superseded, withdrawn."""
    payload: Mapped[bytes]
    signatures: Mapped[list[dict[str, Any]]]
    """DSSE signatures collected, each verified."""
    proposed: Mapped[datetime]
    proposed_by: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"))
    published: Mapped[datetime | None]
    envelope_sha256: Mapped[str | None] = mapped_column(sa.ForeignKey("envelope.sha256"))
    log_index: Mapped[int | None]

    __table_args__ = (
        sa.CheckConstraint("state IN ('proposed', 'published', 'superseded', 'withdrawn')", name="state"),
        sa.Index(
            "uq_roster_proposed",
            "state",
            unique=True,
            **only_while("state = 'proposed'"),
        ),
        sa.Index(
            "uq_roster_published",
            "state",
            unique=True,
            **only_while("state = 'published'"),
        ),
        sa.Index(
            "uq_roster_version",
            "version",
            unique=True,
            **only_while("log_index IS NOT NULL"),
        ),
    )
