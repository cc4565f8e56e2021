"""Webhooks."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from .common import Message
from .vocabulary import Prose

TagPattern = Annotated[str, StringConstraints(pattern=r"^(\*|[a-z][a-z-]*\.([a-z][a-z-]*|\*))$", max_length=64)]
"""`device.sanitized`, `device.*` or `*`."""


class WebhookCreate(Message):
    """Tell somebody of events, from now on."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._ -]{0,63}$")]
    url: Annotated[str, StringConstraints(pattern=r"^https?://[!-~]+$", max_length=500)]
    tags: Annotated[tuple[TagPattern, ...], Field(min_length=1, max_length=100)]
    algorithm: Literal["hmac-sha256", "ed25519"] = "hmac-sha256"
    full: bool = False
    """Whether messages carry reason and details, or only what happened to what."""


class WebhookChange(Message):
    """Pause, resume or end a webhook."""

    verb: Literal["pause", "resume", "end"]
    reason: Prose


class WebhookReplay(Message):
    """Which messages are sent again."""

    deliveries: Annotated[tuple[Annotated[int, Field(ge=1, lt=2**53)], ...], Field(max_length=200)] = ()
    dead: bool = False
    """All that were given up, too."""


class Replayed(Message):
    """How many messages wait now."""

    waiting: int
