"""Documents about lots, processors' statements and destructions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class PaperView:
    """A document, prepared or issued."""

    number: str
    kind: str
    """lot, processor, destruction."""
    title: str
    """The lot's name, the controller, or the device."""
    subject: str
    """Number of the destruction; empty for the others."""
    complete: bool
    """Whether it is a certificate or complete statement, not a report or interim one."""
    prepared: datetime
    prepared_by: str
    responsible: str
    waiting: bool
    """Whether it waits for the responsible person's signature."""
    issued: datetime | None
    sha256: str | None
    """Digest of the signed statement's envelope."""
    log_index: int | None
    facts: dict[str, Any]
    """What it says."""
    media: int
    """How many lines its annex has."""
    bundle_sha256: str | None
    bundle_bytes: int | None
    pdf_sha256: str | None
    pdf_bytes: int | None


@dataclass(frozen=True, kw_only=True)
class FactsToSign:
    """What a person must see and sign with their own key."""

    subject: str
    role: str
    """witness, countersigner, responsible."""
    sha256: str
    """Digest of `payload`, which the signature names."""
    payload: str
    """Base64 of the canonical facts."""
    shown: str
    signer: str
    key_ids: tuple[str, ...]
    """The person's keys that count."""
    body: dict[str, Any]
    """What is signed, but for `time`: kind `personal-signature`."""


@dataclass(frozen=True, kw_only=True)
class DestructionStanding:
    """What a certificate of destruction has, and what it lacks."""

    destruction: str
    facts: dict[str, Any]
    """As the operator stated them; empty where it was recorded before people signed."""
    signed: dict[str, str]
    """Role -> pseudonym of who signed in it."""
    missing: tuple[str, ...]
    documents: tuple[PaperView, ...]
    """Issued about it, newest first."""
