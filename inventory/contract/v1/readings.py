"""Verify-only orders: what the agent leases, says on the way, and hands over. The sealed order itself is `reports.reading`'s."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .common import Base64, Bytes, Envelope, Instant, Message, Ref, Sha256, Text

READING_ORDER_TYPE = "application/vnd.sanitrail.reading-order.v1+json"
READING_TYPE = "application/vnd.sanitrail.reading.v1+json"


class ReadingLease(Message):
    """Leave to carry out one verify-only order until a time, under a fencing token."""

    id: Ref
    """Number of the order."""
    token: Annotated[int, Field(ge=1)]
    """Grows with every lease of the order; what comes under an older token changes nothing."""
    expires: Instant
    order: Envelope
    path_hint: Text
    """Kernel node where the service last saw the device; the agent trusts only the fingerprint."""


class ReadingLeaseReply(Message):
    """A lease, or nothing to read."""

    lease: ReadingLease | None


class ReadingProgress(Message):
    """How far a reading is; prolongs its lease."""

    token: Annotated[int, Field(ge=1)]
    bytes_done: Bytes
    bytes_total: Bytes


class ReadingProgressReply(Message):
    """Whether the lease is still current, and whether somebody wants the reading to end."""

    current: bool
    stop_requested: bool


class ReadingSubmission(Message):
    """A signed reading, with the token it was made under."""

    token: Annotated[int, Field(ge=1)]
    reading: Envelope


class ReadingReceived(Message):
    """The service's signed word that it has the reading, and its place in the log."""

    reading_sha256: Sha256
    accepted: Envelope
    index: Bytes
    proof: tuple[Base64, ...]
    checkpoint: Annotated[str, Field(max_length=20_000)]
