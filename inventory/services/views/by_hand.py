"""Bundles that are carried to and from hosts without a network."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class LeftOutView:
    """An order that could not go along."""

    order: str
    reason: str


@dataclass(frozen=True)
class JobBundleView:
    """Work made to be carried to one agent."""

    host: str
    host_name: str
    number: int
    made: datetime
    made_by: str
    courier: str
    until: datetime
    orders: tuple[str, ...]
    open_orders: tuple[str, ...]
    """Those of them whose record is still awaited."""
    left_out: tuple[LeftOutView, ...]
    newest: bool
    """Whether it is the host's newest: only that one counts there."""
    sha256: str


@dataclass(frozen=True)
class MergedPartView:
    """What became of one part of a return bundle."""

    what: str
    """record, refusal, observation."""
    subject: str
    outcome: str
    """taken-in, known, evidence-only, refused, older."""
    said: str


@dataclass(frozen=True)
class ReturnBundleView:
    """What an agent had carried back."""

    sha256: str
    host: str
    host_name: str
    number: int
    made: datetime
    job_bundle: int
    received: datetime
    received_by: str
    courier: str
    parts: tuple[MergedPartView, ...]
    new: bool
    """False: it had been handed in before, and changed nothing now."""
