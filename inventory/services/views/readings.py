"""Verify-only orders and what was read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from inventory.domain.readings import ReadingState


@dataclass(frozen=True, kw_only=True)
class ReadingRow:
    """A verify-only order in a list."""

    id: str
    state: ReadingState
    device: str
    device_label: str
    asset_tag: str | None
    host: str
    host_name: str
    record: str
    """Digest of the record whose claim is held against the medium."""
    order: str | None
    """The order that record belongs to."""
    expected: str
    """What the record claims for every block."""
    verification: str
    """full, representative."""
    requested_by: str
    reason: str
    created: datetime
    expires: datetime
    percent: int
    ended: datetime | None
    reasons: tuple[str, ...]
    """Why it ended as it did."""
    version: int


@dataclass(frozen=True, kw_only=True)
class ReadingDetail(ReadingRow):
    """A verify-only order with what was sealed and what was read."""

    agent_key: str
    sealed: dict[str, Any]
    envelope: dict[str, Any]
    sha256: str
    """SHA-256 of the sealed order's payload bytes."""
    reading: dict[str, Any] | None
    """What the agent signed; None while there is nothing."""
    reading_envelope: dict[str, Any] | None
    reading_sha256: str | None
    log_index: int | None
    """Of the service's statement that it has the reading."""
