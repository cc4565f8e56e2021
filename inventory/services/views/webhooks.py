"""Webhooks and their messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from inventory.domain.webhooks import Algorithm, DeliveryState, WebhookState


@dataclass(frozen=True, kw_only=True)
class WebhookView:
    """Somebody who is told of events."""

    id: str
    name: str
    url: str
    tags: tuple[str, ...]
    full: bool
    """Whether messages carry reason and details, or only what happened to what."""
    algorithm: Algorithm
    state: WebhookState
    key_id: str
    """Stands in every message, so that a receiver knows which secret or key to check with."""
    public_key: str | None
    """Base64 of the 32 bytes of the service's public key, where it signs with its own."""
    waiting: int
    delivered: int
    dead: int
    behind: int
    """Events of the history it has not looked at yet."""
    created: datetime
    created_by: str
    version: int


@dataclass(frozen=True, kw_only=True)
class WebhookSecretView:
    """A webhook with the secret that is shown once."""

    webhook: WebhookView
    secret: str | None
    """`whsec_` and base64; null where the service's own key signs."""


@dataclass(frozen=True, kw_only=True)
class DeliveryView:
    """One message to one webhook."""

    id: int
    webhook: str
    message: str
    """Its `webhook-id`: the same at every attempt, so that a receiver can tell a repetition."""
    event: int
    tag: str
    subject_kind: str
    subject: str
    at: datetime
    """When it happened."""
    state: DeliveryState
    attempts: int
    due: datetime
    tried: datetime | None
    delivered: datetime | None
    status: int | None
    problem: str
