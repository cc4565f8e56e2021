"""What waits for a validator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .devices import ReasonView


@dataclass(frozen=True, kw_only=True)
class WaitingView:
    """One record or destruction that waits for a decision."""

    kind: str
    """record, destruction."""
    subject: str
    """Number of the order or destruction."""
    device: str
    device_label: str
    asset_tag: str | None
    since: datetime
    seconds: int
    """How long it has waited."""
    outcome: str
    """The record's verdict, or the way of destruction."""
    method: str
    coverage: str
    reasons: tuple[ReasonView, ...]
    """Why it cannot be approved; empty where it can."""
    waits_for: str
    """validator, witness."""
    people: tuple[str, ...]
    """Who may take the next step; nobody who had a part in it before."""
    mine: bool
    """Whether the reader is one of them."""
    bar: str
    """What the reader did about it that forbids them to decide; empty where nothing does."""
    record: str | None
    """Digest of the record that is decided about."""
    version: int
