"""Hosts, their agents' keys, and enrolment tokens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from inventory.domain.vocabulary import HostState


@dataclass(frozen=True, kw_only=True)
class EnrolmentTokenView:
    """A one-time token for one new agent; the secret is shown once."""

    id: str
    secret: str
    note: str
    expires: datetime


@dataclass(frozen=True, kw_only=True)
class AgentKeyView:
    """What request authentication needs to know about a key."""

    key_id: str
    host: str
    public_key_der: bytes
    state: HostState


@dataclass(frozen=True, kw_only=True)
class HostRow:
    """A host in a list."""

    id: str
    name: str
    state: HostState
    key_id: str
    fingerprint: str
    """The agent key's fingerprint as both sides show it."""
    agent_version: str
    kernel: str
    last_contact: datetime | None
    silent: bool
    devices: int
    """Devices attached now."""
    outbox: int
    """Records the agent still has to hand over."""
    version: int
    site: str | None = None
    team: str | None = None


@dataclass(frozen=True, kw_only=True)
class HaltView:
    """A halt that stands."""

    number: int
    by: str
    reason: str
    time: datetime


@dataclass(frozen=True, kw_only=True)
class HostDetail(HostRow):
    """A host with what an administrator decides about."""

    enrolled: datetime
    confirmed: datetime | None
    confirmed_by: str | None
    revoked: datetime | None
    revoked_below: int | None
    """Records logged below this index stay valid; at or above it they do not."""
    machine_id_sha256: str
    boot_id: str | None
    running: tuple[str, ...]
    clock_offset_seconds: int | None
    """Agent's clock minus ours at the last heartbeat."""
    seen_log_size: int | None
    standing_by: tuple[str, ...] = ()
    """Why its agent takes no order now, in its own words, each with a code before it."""
    halt: HaltView | None = None


@dataclass(frozen=True, kw_only=True)
class StepView:
    """What lies on what, and how the agent knows."""

    above: str
    below: str
    how: str


@dataclass(frozen=True, kw_only=True)
class MediumView:
    """A medium beneath a place."""

    id: str
    label: str


@dataclass(frozen=True, kw_only=True)
class HostPlaceView:
    """A place on a host where data lies, declared or found."""

    kind: str
    """declared, postgresql, mariadb, sqlite, swap, core-dump."""
    title: str
    path: str
    process: str | None
    devices: tuple[MediumView, ...]
    """The media beneath that are known; those somebody may not see are left out."""
    unresolved: tuple[str, ...]
    steps: tuple[StepView, ...]
    first_seen: datetime
    last_seen: datetime
    gone: datetime | None
