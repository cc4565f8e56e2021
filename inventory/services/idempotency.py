"""Idempotency keys: a create that is sent twice happens once.

Claim the key first, act, then store the answer. A crash between act and answer leaves the claim: the retry is told that the
outcome is unknown instead of acting twice.
"""

from __future__ import annotations

from dataclasses import dataclass

from inventory.errors import IdempotencyInFlight, IdempotencyKeyReused
from inventory.models import IdempotencyKey

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
    with context.writing(actor) as session:
        row = session.get(IdempotencyKey, (actor.ref, key))
        if row is None:
            session.add(IdempotencyKey(actor=actor.ref, key=key, request_sha256=request_sha256, claimed=context.now()))
            return None
        if row.request_sha256 != request_sha256:
            raise IdempotencyKeyReused
        if row.status is None or row.body is None:
            raise IdempotencyInFlight
        return StoredReply(row.status, row.body, row.content_type or "application/json")


def complete(context: Context, actor: Actor, key: str, reply: StoredReply) -> None:
    """Keep the answer for 24 hours."""
    with context.writing(actor) as session:
        row = session.get(IdempotencyKey, (actor.ref, key))
        if row is not None:
            row.status, row.body, row.content_type = reply.status, reply.body, reply.content_type


def abandon(context: Context, actor: Actor, key: str) -> None:
    """Give the key back: the request was refused, so nothing happened."""
    with context.writing(actor) as session:
        row = session.get(IdempotencyKey, (actor.ref, key))
        if row is not None and row.status is None:
            session.delete(row)
