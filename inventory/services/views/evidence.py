"""Records, validations, certificates and the log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from inventory.domain.vocabulary import RecordStanding, ValidationDecision

from .devices import ReasonView


@dataclass(frozen=True, kw_only=True)
class ValidationView:
    """A person's decision about a record."""

    decision: ValidationDecision
    validator: str
    reason: str
    time: datetime
    sha256: str
    log_index: int


@dataclass(frozen=True, kw_only=True)
class RecordView:
    """A stored record with the service's own findings beside it."""

    sha256: str
    """Digest of the record's envelope."""
    record_id: str
    order: str | None
    device: str | None
    host: str
    standing: RecordStanding
    outcome: str
    """The verdict of `reports.verdict.judge`: sanitized, partial, failed, refused, interrupted, unknown."""
    method: str
    """none, clear, purge."""
    coverage: str
    """full, representative, none."""
    reasons: tuple[str, ...]
    touched: str
    received: datetime
    checks: dict[str, bool]
    """What the acceptance says was checked."""
    failed_checks: tuple[ReasonView, ...]
    log_index: int
    acceptance_sha256: str
    body: dict[str, Any]
    """The record's payload."""
    validation: ValidationView | None
    satisfies_policy: bool
    """Whether the verdict reaches what the order's policy decision demanded."""


@dataclass(frozen=True, kw_only=True)
class CertificateView:
    """An issued certificate."""

    number: str
    order: str
    device: str
    record: str
    issued: datetime
    issued_by: str
    sha256: str
    """Digest of the certificate statement's envelope."""
    log_index: int
    sealed: bool
    """Whether bundle and PDF have been made."""
    bundle_sha256: str | None
    bundle_bytes: int | None
    pdf_sha256: str | None
    pdf_bytes: int | None


@dataclass(frozen=True, kw_only=True)
class CheckpointView:
    """The newest signed checkpoint."""

    origin: str
    size: int
    root: str
    """Base64."""
    note: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class LogEntryView:
    """One leaf."""

    index: int
    kind: str
    sha256: str
    at: datetime
    subject: str


@dataclass(frozen=True, kw_only=True)
class TrustView:
    """What a verifier pins."""

    pin: str
    """Envelope digest of the first version of the trust root: it never changes."""
    envelope: dict[str, Any]
    """The first version."""
    origin: str
    vkeys: tuple[str, ...]
    """Of the version in force."""
    version: int
    """The one in force."""
    pin_in_force: str
    """Its envelope digest, a pin as well: whoever begins now should take this one."""
    root_keys: int
    """How many it names."""
    threshold: int
    """How many of them must sign the next version."""
    versions: tuple[dict[str, Any], ...]
    """Every version, oldest first."""


@dataclass(frozen=True, kw_only=True)
class WitnessView:
    """Somebody who cosigns our checkpoints, and how we stand with them."""

    name: str
    url: str
    """Empty where the settings have no address for it."""
    trusted: bool
    """Whether the trust root in force names its keys."""
    size: int
    """What it cosigned last, in entries."""
    behind: int
    """Entries of the newest checkpoint it has not signed for."""
    cosigned: datetime | None
    """When it last did."""
    problem: str
    """Empty where everything is in order."""


@dataclass(frozen=True, kw_only=True)
class DocumentView:
    """What the log says of a document, to whoever knows its digest."""

    sha256: str
    """Digest of the document's signed statement."""
    kind: str
    log_index: int
    size: int
    """Entries of the log when this was answered."""
    standing: str
    """in force, superseded or void."""
    corrections: tuple[dict[str, Any], ...]
    """Each correction as signed (`envelope`) with its place in the log (`index`); prove it with `/log/inclusion`."""


@dataclass(frozen=True, kw_only=True)
class CorrectionView:
    """A document that was voided or superseded."""

    action: str
    """void or supersede."""
    document: str
    replacement: str | None
    reason: str
    by: str
    at: datetime
    sha256: str
    """Digest of the signed correction."""
    log_index: int
