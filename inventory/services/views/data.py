"""Data sets, where they lie, erasure cases, obligations, holds and statements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from inventory.domain.vocabulary import (
    CaseState,
    Category,
    HoldingKind,
    HoldingSource,
    HoldingState,
    ObligationKind,
)


@dataclass(frozen=True, kw_only=True)
class DeclaredPathView:
    """A path on a host that holds a data set."""

    id: str
    host: str
    host_name: str
    data_set: str
    data_set_name: str
    path: str
    kind: HoldingKind
    declared: datetime
    lived_since: datetime | None
    """Since when the data has lain there, by a person's word."""
    withdrawn: datetime | None
    resolved: datetime | None
    """When an agent last followed it to the end; None: never."""
    devices: tuple[str, ...]
    """Devices beneath it by the last report."""
    unresolved: tuple[str, ...]
    """Edges the agent could not follow."""


@dataclass(frozen=True, kw_only=True)
class DataSetView:
    """Data with one owner, category and retention."""

    id: str
    name: str
    category: Category
    owner: str
    description: str
    retention_days: int | None
    encryption: str
    """What is known of encryption at rest: none, software, self-encrypting, unknown."""
    key_holder: str | None
    """Who holds the keys; None: nobody has said."""
    copies_of: tuple[str, ...]
    """Numbers of the data sets it is made from."""
    devices_holding: int
    """Devices with a live or residue holding of it."""
    version: int
    team: str | None = None
    counted: datetime | None = None
    """When the devices were counted; None: just now."""


@dataclass(frozen=True, kw_only=True)
class HoldingView:
    """A data set on a device, from when to when."""

    id: str
    device: str
    device_label: str
    data_set: str
    data_set_name: str
    category: Category
    kind: HoldingKind
    source: HoldingSource
    state: HoldingState
    since: datetime
    until: datetime | None
    """When it stopped being live."""
    last_seen: datetime
    host: str | None
    path: str | None
    covered_by: str | None
    """Digest of the validated record that covers it."""
    covered: datetime | None


@dataclass(frozen=True, kw_only=True)
class HoldView:
    """A legal or investigation hold."""

    id: str
    kind: str
    """legal, investigation."""
    device: str | None
    data_set: str | None
    lot: str | None
    reference: str
    reason: str
    placed_by: str
    placed: datetime
    lifted_by: str | None
    lifted: datetime | None
    lift_reason: str | None


@dataclass(frozen=True, kw_only=True)
class ObligationView:
    """What a case demands of one holding."""

    id: str
    case: str
    kind: ObligationKind
    holding: str
    device: str
    device_label: str
    data_set: str
    data_set_name: str
    path: str | None
    open: bool
    closed: datetime | None
    closed_by: str | None
    evidence: str | None
    """Digest of the validated record, or of the attestation."""
    certificate: str | None
    why_open: str | None
    """In words, while it is open."""


@dataclass(frozen=True, kw_only=True)
class CaseRow:
    """An erasure case in a list."""

    id: str
    reference: str
    """The customer's opaque reference."""
    state: CaseState
    opened: datetime
    due: datetime
    overdue: bool
    obligations_open: int
    obligations_total: int
    version: int


@dataclass(frozen=True, kw_only=True)
class CaseDetail(CaseRow):
    """An erasure case with its obligations."""

    customer_since: datetime | None
    withdrawn: datetime
    data_sets: tuple[str, ...]
    obligations: tuple[ObligationView, ...]
    opened_by: str
    closed: datetime | None
    closed_by: str | None
    statements: tuple[str, ...]
    """Numbers of the statements issued."""


@dataclass(frozen=True, kw_only=True)
class StatementView:
    """What the customer receives."""

    number: str
    case: str
    issued: datetime
    complete: bool
    """Whether nothing was open when it was issued."""
    sha256: str
    """Digest of its envelope."""
    log_index: int
    content: dict[str, Any]
    pdf_sha256: str | None
    pdf_bytes: int | None
