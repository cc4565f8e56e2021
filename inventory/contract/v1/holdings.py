"""Data sets, where they lie, erasure cases and holds."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from .common import Category, Instant, Message, Ref, Sha256
from .vocabulary import EncryptionName, HoldingKindName, HoldKindName, Key, Line, OptionalLine, OptionalProse, Prose

AbsolutePath = Annotated[str, StringConstraints(pattern=r"^/[^\x00]*$", max_length=256)]
Retention = Annotated[int, Field(ge=0, le=36_600)]


class DataSetCreate(Message):
    """Data with one owner, category and retention."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._ -]{0,63}$")]
    category: Category
    owner: Line
    description: OptionalProse = ""
    retention_days: Retention | None = None
    encryption: EncryptionName = "unknown"
    key_holder: OptionalLine = ""
    """Who holds the keys it is encrypted with."""
    copies_of: Annotated[tuple[Key, ...], Field(max_length=50)] = ()
    """Data sets it is made from: whoever withdraws from one of them withdraws from this one."""


class DataSetChange(Message):
    """Everything but the name; a higher category applies to everything ever held."""

    category: Category
    owner: Line
    description: OptionalProse
    retention_days: Retention | None
    encryption: EncryptionName
    reason: Prose
    key_holder: OptionalLine | None = None
    """Null: as it is."""
    copies_of: Annotated[tuple[Key, ...], Field(max_length=50)] | None = None
    """Null: as it is."""


class PathDeclare(Message):
    """This host keeps this data set at this path; its agent follows it down to the physical devices."""

    host: Key
    data_set: Key
    path: AbsolutePath
    kind: HoldingKindName = "primary"
    since: Instant | None = None
    """Since when the data has lain there; null: not known, and media that had left by then become a question."""


class PathDate(Message):
    """Since when the data has lain at a path; it can only be moved further into the past."""

    since: Instant
    reason: Prose


class HoldingDeclare(Message):
    """A person knows that a device holds, or held, a data set."""

    device: Key
    data_set: Key
    kind: HoldingKindName
    since: Instant
    until: Instant | None = None
    """When it stopped being live; null: it is live."""
    reason: OptionalProse = ""


class CaseOpen(Message):
    """A customer's withdrawal, by an opaque reference: never a name, never an address."""

    reference: Ref
    data_sets: Annotated[tuple[Key, ...], Field(min_length=1, max_length=200)]
    withdrawn: Instant
    customer_since: Instant | None = None
    """Null: not known, so every holding before counts."""
    due: Instant | None = None
    """Null: 30 days after the withdrawal, or as the service is set."""


class CaseIntake(Message):
    """Withdrawals from a list. With one row refused none is taken in; what is there already stays as it is."""

    cases: Annotated[tuple[CaseOpen, ...], Field(min_length=1, max_length=5000)]
    dry_run: bool = True
    """Only say what would become of each."""


class CaseDue(Message):
    """Another due date; three times the ordinary term after the withdrawal at most."""

    due: Instant
    reason: Prose


class Attestation(Message):
    """A person states that rows were deleted, or that a backup expired; a medium can never be attested."""

    obligations: Annotated[tuple[Key, ...], Field(min_length=1, max_length=500)]
    statement: Prose
    evidence_sha256: Sha256 | None = None


class HoldPlace(Message):
    """Nothing on this device, nothing in this lot, or nothing that holds this data set, may be destroyed."""

    kind: HoldKindName
    reference: Line
    reason: Prose
    device: Key | None = None
    data_set: Key | None = None
    lot: Key | None = None
    """Exactly one of device, data set and lot is given."""
