"""Idempotency keys: a create that is sent twice happens once.

Claim the key first, act, then store the answer. A crash between act and answer leaves the claim: the retry is told that the outcome
is unknown instead of acting twice.
"""

from __future__ import annotations

from dataclasses import dataclass

from .context import Actor, Context


@dataclass(frozen=True)
class StoredReply:
    """The answer to the first request with this key."""

    status: int
    body: bytes
    content_type: str


def claim(context: Context, actor: Actor, key: str, request_sha256: str) -> StoredReply | None:
    """Claim a key for one request; the stored answer when it was claimed and completed before.

    Raises:
        IdempotencyKeyReused: claimed for another request.
        IdempotencyInFlight: claimed and not completed.
    """
    raise NotImplementedError


def complete(context: Context, actor: Actor, key: str, reply: StoredReply) -> None:
    """Keep the answer for 24 hours."""
    raise NotImplementedError


def abandon(context: Context, actor: Actor, key: str) -> None:
    """Give the key back: the request was refused, so nothing happened."""
    raise NotImplementedError
