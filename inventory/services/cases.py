"""Erasure cases: one customer's withdrawal, followed to every medium that held their data until each is proven clean."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .context import Actor, Context
from .views import CaseDetail, StatementView


@dataclass(frozen=True, kw_only=True)
class OpenCase:
    """A withdrawal. The reference is opaque: never a name, never an address."""

    reference: str
    data_sets: tuple[str, ...]
    withdrawn: datetime
    customer_since: datetime | None = None
    """None: not known, so every holding before counts."""
    due: datetime | None = None
    """None: 30 days after the withdrawal."""


@dataclass(frozen=True, kw_only=True)
class Attest:
    """A person states that rows were deleted, or that a backup expired."""

    case: str
    obligations: tuple[str, ...]
    """Which ones; only logical deletion and backups can be attested, a medium never."""
    statement: str
    """What was done and how it was checked."""
    evidence_sha256: str | None = None
    """Digest of a protocol, where there is one."""


def open_case(context: Context, actor: Actor, command: OpenCase) -> CaseDetail:
    """Open a case and derive one obligation for each thing each holding demands. Permission `case.manage`.

    Raises:
        Invalid: the reference looks like a name or address, no data set, or dates that cannot be.
        Duplicate: an open case has this reference.
        NotFound.
    """
    raise NotImplementedError


def attest(context: Context, actor: Actor, command: Attest) -> CaseDetail:
    """Close obligations by a named person's attestation, kept as evidence. Permission `case.manage`.

    Raises:
        Conflict: an obligation that only a validated record can close, or closed already.
        NotFound, Invalid.
    """
    raise NotImplementedError


def close_case(context: Context, actor: Actor, case: str, reason: str) -> CaseDetail:
    """Close a case whose every obligation is closed by evidence. Permission `case.manage`. Raises `Conflict` naming what is open."""
    raise NotImplementedError


def issue_statement(context: Context, actor: Actor, case: str) -> StatementView:
    """Issue the customer's statement as things stand: each medium and its proof, or what is open and why. Signed, logged, printed.

    Permission `case.manage`. A complete statement needs every obligation closed; an interim one says so in its title.
    """
    raise NotImplementedError


def statement_pdf(context: Context, actor: Actor, number: str) -> bytes:
    """The statement as PDF. Permission `evidence.read`. Raises `NotFound`."""
    raise NotImplementedError


def statement(context: Context, actor: Actor, number: str) -> StatementView:
    """One statement. Permission `evidence.read`. Raises `NotFound`."""
    raise NotImplementedError
