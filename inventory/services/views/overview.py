"""Pages of lists, the dashboard, events, exceptions, places, parties and policies."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from inventory.domain.vocabulary import ExceptionState, PartyKind, Zone

Row = TypeVar("Row")


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One page of a list, in a stable order."""

    items: tuple[Row, ...]
    next: str | None
    """Key of the page after this one, to be given back as `after`; None on the last page."""


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """What a person should look at first. Counts of open things, never of history."""

    devices_by_state: dict[str, int]
    """Every device state, zero included."""
    orders_by_state: dict[str, int]
    """Every order state, zero included."""
    hosts_by_state: dict[str, int]
    hosts_silent: int
    exceptions_open: int
    exceptions_critical: int
    cases_open: int
    cases_overdue: int
    holds_active: int
    approvals_waiting: int
    """Orders that still lack an approval."""
    validations_waiting: int
    approver_keys_waiting: int
    hosts_waiting: int
    """Enrolled hosts whose fingerprint nobody has confirmed."""
    releasable: int
    """Sanitized devices."""
    residue_devices: int
    """Devices that still carry a live holding or residue."""
    log_size: int
    counted: datetime | None = None
    """When all this was counted; None: just now."""


@dataclass(frozen=True, kw_only=True)
class EventView:
    """One entry of the history."""

    id: int
    at: datetime
    tag: str
    """A value of `inventory.events.Tag`."""
    actor: str
    """Pseudonym, host number or `system`."""
    subject_kind: str
    subject: str
    device: str | None
    host: str | None
    order: str | None
    reason: str
    details: dict[str, Any] = field(default_factory=dict)
    evidence: tuple[str, ...] = ()
    """Digests of what it rests on."""


@dataclass(frozen=True, kw_only=True)
class ExceptionView:
    """Something unaccounted, with an owner and an end."""

    id: str
    code: str
    """A value of `inventory.domain.exceptions.ExceptionCode`."""
    title: str
    sentence: str
    severity: str
    """critical, warning."""
    state: ExceptionState
    device: str | None
    host: str | None
    subject: str
    owner: str | None
    raised: datetime
    resolved: datetime | None
    resolved_by: str | None
    resolution: str | None
    version: int


@dataclass(frozen=True, kw_only=True)
class LocationView:
    """A place and how secure it is."""

    id: str
    name: str
    zone: Zone
    party: str | None
    """Whose place it is; None for our own."""
    address: str
    devices: int
    version: int
    site: str | None = None
    """At which site; None: at none that is known."""
    counted: datetime | None = None
    """When the devices were counted; None: just now."""


@dataclass(frozen=True, kw_only=True)
class UndertakingView:
    """A party's signed commitment to equal restrictions."""

    id: str
    scope: str
    valid_from: datetime
    valid_until: datetime
    document_sha256: str
    filed_by: str


@dataclass(frozen=True, kw_only=True)
class PartyView:
    """Own team, subsidiary or downstream vendor."""

    id: str
    name: str
    kind: PartyKind
    contact: str
    undertakings: tuple[UndertakingView, ...]
    undertaking_valid: bool
    """Whether one is valid now; always true for our own."""


@dataclass(frozen=True, kw_only=True)
class PolicyView:
    """One version of the policy table."""

    id: str
    sha256: str
    version: int
    in_force: bool
    from_time: datetime
    until: datetime | None
    by: str
    reason: str
    document: dict[str, Any]
