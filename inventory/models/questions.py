"""Questions that changes of status raise. Rows are never deleted."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from inventory.domain.questions import ChangeKind, Settled

from .base import Base, Versioned, only_while, words

OPEN = "answered IS NULL"


class Question(Versioned, Base):
    """A medium becomes less secure, or is about to: may it, as it is?"""

    __tablename__ = "question"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    kind: Mapped[ChangeKind] = mapped_column(words(ChangeKind, "kind"))
    device_id: Mapped[str] = mapped_column(sa.ForeignKey("device.id"), index=True)
    host_id: Mapped[str | None] = mapped_column(sa.ForeignKey("host.id"), index=True)
    """Where it was attached when the question was raised."""
    party_id: Mapped[str | None] = mapped_column(sa.ForeignKey("party.id"))
    """Who receives it, as announced."""
    raised: Mapped[datetime]
    raised_by: Mapped[str] = mapped_column(sa.String(128))
    reason: Mapped[str] = mapped_column(sa.String(500))
    due: Mapped[datetime]
    looked: Mapped[datetime]
    """When it was last compared with the facts."""
    answered: Mapped[datetime | None]
    answer: Mapped[Settled | None] = mapped_column(words(Settled, "answer"))
    answered_by: Mapped[str | None] = mapped_column(sa.String(128))
    answer_words: Mapped[str] = mapped_column(sa.String(500), default="")

    __table_args__ = (
        sa.CheckConstraint("(answered IS NULL) = (answer IS NULL)", name="answer_and_time"),
        sa.Index("uq_question_open", "device_id", "kind", unique=True, **only_while(OPEN)),
        sa.Index("ix_question_looked", "looked", **only_while(OPEN)),
    )
