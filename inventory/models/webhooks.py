"""Webhooks and the messages they owe. Not evidence: what happened stands in the history, whether or not anybody was told."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from inventory.domain.webhooks import Algorithm, DeliveryState, WebhookState

from .base import Base, BigInt, Digest, Versioned, words


class Webhook(Versioned, Base):
    """Somebody who is told of events."""

    __tablename__ = "webhook"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(64), unique=True)
    url: Mapped[str] = mapped_column(sa.String(500))
    tags: Mapped[list[str]]
    """Patterns: `device.sanitized`, `device.*`, `*`."""
    full: Mapped[bool]
    """Whether messages carry reason and details, or only what happened to what."""
    algorithm: Mapped[Algorithm] = mapped_column(words(Algorithm, "algorithm"))
    state: Mapped[WebhookState] = mapped_column(words(WebhookState, "state"))
    key_id: Mapped[str] = mapped_column(Digest)
    secret: Mapped[bytes | None]
    """Encrypted, bound to this row's number; None: the service's own key signs."""
    old_secret: Mapped[bytes | None]
    old_until: Mapped[datetime | None]
    """Until then messages are signed with the secret before, too."""
    created: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"))

    __table_args__ = (sa.CheckConstraint("(algorithm = 'ed25519') = (secret IS NULL)", name="secret_where_shared"),)


class WebhookCursor(Base):
    """How far a webhook has read the history, and who is sending for it now."""

    __tablename__ = "webhook_cursor"

    webhook_id: Mapped[str] = mapped_column(sa.ForeignKey("webhook.id"), primary_key=True)
    event_id: Mapped[int]
    """Everything up to this event has been looked at."""
    token: Mapped[int]
    """Grows with each lease; an answer under an old one changes nothing."""
    leased_until: Mapped[datetime | None]


class WebhookDelivery(Base):
    """One message to one webhook about one event."""

    __tablename__ = "webhook_delivery"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    webhook_id: Mapped[str] = mapped_column(sa.ForeignKey("webhook.id"))
    event_id: Mapped[int] = mapped_column(sa.ForeignKey("event.id"))
    state: Mapped[DeliveryState] = mapped_column(words(DeliveryState, "state"))
    attempts: Mapped[int]
    """Since it was queued, or sent again by a person."""
    due: Mapped[datetime]
    queued: Mapped[datetime]
    tried: Mapped[datetime | None]
    delivered: Mapped[datetime | None]
    status: Mapped[int | None]
    """Of the newest answer; None: there was none."""
    problem: Mapped[str] = mapped_column(sa.String(300))

    __table_args__ = (
        sa.UniqueConstraint("webhook_id", "event_id"),
        sa.Index("ix_webhook_delivery_due", "webhook_id", "state", "due"),
    )
