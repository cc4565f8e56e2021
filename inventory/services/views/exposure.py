"""Withdrawals taken in, what is still exposed, and what a missing medium means."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from inventory.domain.exposure import Readable, Why
from inventory.domain.vocabulary import Category, DeviceState, HoldingKind, HoldingState

from .data import CaseRow


@dataclass(frozen=True, kw_only=True)
class IntakeProblemView:
    """What is wrong with one field of a row."""

    field: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class IntakeRowView:
    """One withdrawal of a list."""

    row: int
    reference: str
    outcome: str
    """opens, present (a case says the same already), refused."""
    case: str | None
    problems: tuple[IntakeProblemView, ...]


@dataclass(frozen=True, kw_only=True)
class IntakeView:
    """What became of a list, or would become of it."""

    dry_run: bool
    opened: int
    """Cases opened; in a dry run, that would be opened."""
    present: int
    refused: int
    rows: tuple[IntakeRowView, ...]


@dataclass(frozen=True, kw_only=True)
class WhyCount:
    """How many media are exposed for one reason."""

    why: Why
    words: str
    media: int


@dataclass(frozen=True, kw_only=True)
class ExposureRow:
    """A data set, case or place with media that still hold data of customers who withdrew."""

    key: str | None
    """Number of the data set, case or place; null: no place is known."""
    label: str
    media: int
    cases: int
    obligations: int
    """Media a case still demands to be sanitized: one for each case and holding."""
    since: datetime
    """The oldest withdrawal among them."""
    due: datetime
    """The earliest due date among them."""
    overdue: bool
    why: tuple[WhyCount, ...]
    """Gravest first."""


@dataclass(frozen=True, kw_only=True)
class ExposureBoard:
    """What is still exposed, since when, why."""

    media: int
    cases: int
    obligations: int
    since: datetime | None
    rows_open: int
    """Deletions of rows nobody has attested yet."""
    backups_open: int
    """Backups that have neither expired nor been destroyed."""
    why: tuple[WhyCount, ...]
    rows: tuple[ExposureRow, ...]
    """Oldest first, two hundred at most."""
    more: bool
    """Whether there are more."""
    counted: datetime | None = None
    """When all this was counted; None: just now."""


@dataclass(frozen=True, kw_only=True)
class ExposureView:
    """One medium that one case still demands to be sanitized."""

    obligation: str
    case: str
    reference: str
    device: str
    device_label: str
    device_state: DeviceState
    data_set: str
    data_set_name: str
    place: str | None
    place_name: str
    since: datetime
    """When the customer withdrew."""
    due: datetime
    overdue: bool
    why: Why
    sentence: str


@dataclass(frozen=True, kw_only=True)
class IncidentDataSetView:
    """A data set on a missing medium that nothing covers."""

    data_set: str
    name: str
    category: Category
    kind: HoldingKind
    state: HoldingState
    since: datetime
    until: datetime | None
    encryption: str
    key_holder: str | None


@dataclass(frozen=True, kw_only=True)
class IncidentEscrowView:
    """A password of the drive that is in our custody; who has seen it."""

    id: str
    state: str
    deposited: datetime
    revealed_to: str | None


@dataclass(frozen=True, kw_only=True)
class IncidentView:
    """What a missing or stolen medium means: what it held, whose data, and who could read it."""

    device: str
    label: str
    asset_tag: str | None
    state: DeviceState
    reported: datetime
    reported_by: str
    reason: str
    found: datetime | None
    """When it was found again."""
    last_host: str | None
    last_host_name: str | None
    last_path: str | None
    last_seen: datetime | None
    """When an agent saw it last."""
    place: str | None
    place_name: str
    authority_by: datetime
    """72 hours after the report (GDPR, Article 33), where people's data is at risk."""
    data_sets: tuple[IncidentDataSetView, ...]
    cases: tuple[CaseRow, ...]
    """Erasure cases with an open obligation about this medium."""
    locks: tuple[str, ...]
    """What the drive said locks it, when an agent asked last."""
    escrows: tuple[IncidentEscrowView, ...]
    readable: Readable
    sentence: str


__all__ = [
    "ExposureBoard",
    "ExposureRow",
    "ExposureView",
    "IncidentDataSetView",
    "IncidentEscrowView",
    "IncidentView",
    "IntakeProblemView",
    "IntakeRowView",
    "IntakeView",
    "WhyCount",
]
