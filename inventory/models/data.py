"""Data sets, declared paths, holdings, erasure cases and what they demand, holds."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from inventory.domain.vocabulary import CaseState, Category, HoldingKind, HoldingSource, ObligationKind

from .base import Base, Digest, Versioned, begins, only_while, words


class DataSet(Versioned, Base):
    """Data with one owner, category and retention."""

    __tablename__ = "data_set"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(64), unique=True)
    category: Mapped[Category] = mapped_column(words(Category, "category"))
    owner: Mapped[str] = mapped_column(sa.String(200))
    description: Mapped[str] = mapped_column(sa.String(500))
    retention_days: Mapped[int | None]
    encryption: Mapped[str] = mapped_column(sa.String(32))
    team_id: Mapped[str | None] = mapped_column(sa.ForeignKey("team.id"), index=True)
    key_holder: Mapped[str | None] = mapped_column(sa.String(200))
    """Who holds the keys it is encrypted with; None: nobody said."""


class DataSetCopy(Base):
    """A data set made from another one: a backup, an export, a replica. Whoever withdraws from one withdraws from both."""

    __tablename__ = "data_set_copy"

    data_set_id: Mapped[str] = mapped_column(sa.ForeignKey("data_set.id"), primary_key=True)
    source_id: Mapped[str] = mapped_column(sa.ForeignKey("data_set.id"), primary_key=True, index=True)

    __table_args__ = (sa.CheckConstraint("data_set_id <> source_id", name="of_another"),)


class DeclaredPath(Base):
    """A path on a host that holds a data set."""

    __tablename__ = "declared_path"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    host_id: Mapped[str] = mapped_column(sa.ForeignKey("host.id"), index=True)
    data_set_id: Mapped[str] = mapped_column(sa.ForeignKey("data_set.id"), index=True)
    path: Mapped[str] = mapped_column(sa.String(256))
    kind: Mapped[HoldingKind] = mapped_column(words(HoldingKind, "kind"))
    declared: Mapped[datetime]
    declared_by: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"))
    lived_since: Mapped[datetime | None]
    """Since when the data has lain there, by a person's word; None: not known."""
    withdrawn: Mapped[datetime | None]
    reported: Mapped[datetime | None]
    """When an agent last spoke of it."""
    resolved: Mapped[datetime | None]
    """When an agent last followed it to the end."""
    devices: Mapped[list[str]]
    unresolved: Mapped[list[str]]

    __table_args__ = (
        sa.Index(
            "uq_declared_path_live", "host_id", "data_set_id", "path", unique=True, **only_while("withdrawn IS NULL")
        ),
    )


class Holding(Base):
    """A data set on a device. Never deleted: live, then residue, then covered by a validated record."""

    __tablename__ = "holding"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    device_id: Mapped[str] = mapped_column(sa.ForeignKey("device.id"), index=True)
    data_set_id: Mapped[str] = mapped_column(sa.ForeignKey("data_set.id"), index=True)
    kind: Mapped[HoldingKind] = mapped_column(words(HoldingKind, "kind"))
    source: Mapped[HoldingSource] = mapped_column(words(HoldingSource, "source"))
    path_id: Mapped[str | None] = mapped_column(sa.ForeignKey("declared_path.id"), index=True)
    host_id: Mapped[str | None] = mapped_column(sa.ForeignKey("host.id"))
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    last_seen: Mapped[datetime]
    covered_at: Mapped[datetime | None]
    covered_by: Mapped[str | None] = mapped_column(sa.ForeignKey("envelope.sha256"))
    """The validated record, or the statement of a validated destruction."""

    __table_args__ = (
        sa.CheckConstraint("(covered_at IS NULL) = (covered_by IS NULL)", name="covered_by_evidence"),
        sa.CheckConstraint("covered_at IS NULL OR until IS NOT NULL", name="covered_has_ended"),
        sa.Index(
            "uq_holding_live_path",
            "device_id",
            "path_id",
            unique=True,
            **only_while("until IS NULL AND path_id IS NOT NULL"),
        ),
    )


class ErasureCase(Versioned, Base):
    """One customer's withdrawal, by an opaque reference."""

    __tablename__ = "erasure_case"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    reference: Mapped[str] = mapped_column(sa.String(128))
    state: Mapped[CaseState] = mapped_column(words(CaseState, "state"), index=True)
    customer_since: Mapped[datetime | None]
    withdrawn: Mapped[datetime]
    due: Mapped[datetime]
    opened: Mapped[datetime]
    opened_by: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"))
    deleted: Mapped[datetime | None]
    """When logical deletion had been attested everywhere; copies made before count."""
    closed: Mapped[datetime | None]
    closed_by: Mapped[str | None] = mapped_column(sa.ForeignKey("person.ref"))

    __table_args__ = (
        sa.Index("uq_erasure_case_open_reference", "reference", unique=True, **only_while("closed IS NULL")),
        begins("erasure_case", "reference"),
        sa.Index(None, "due", "id"),
    )


class CaseDataSet(Base):
    """Which data sets a case concerns."""

    __tablename__ = "case_data_set"

    case_id: Mapped[str] = mapped_column(sa.ForeignKey("erasure_case.id"), primary_key=True)
    data_set_id: Mapped[str] = mapped_column(sa.ForeignKey("data_set.id"), primary_key=True)


class Obligation(Base):
    """What a case demands of one holding."""

    __tablename__ = "obligation"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    case_id: Mapped[str] = mapped_column(sa.ForeignKey("erasure_case.id"), index=True)
    holding_id: Mapped[str] = mapped_column(sa.ForeignKey("holding.id"), index=True)
    kind: Mapped[ObligationKind] = mapped_column(words(ObligationKind, "kind"))
    added: Mapped[datetime]
    closed: Mapped[datetime | None]
    closed_by: Mapped[str | None] = mapped_column(sa.String(128))
    evidence_kind: Mapped[str | None] = mapped_column(sa.String(32))
    evidence: Mapped[str | None] = mapped_column(Digest)
    attested: Mapped[str | None] = mapped_column(sa.String(500))

    __table_args__ = (
        sa.UniqueConstraint("case_id", "holding_id", "kind"),
        sa.CheckConstraint("(closed IS NULL) = (evidence IS NULL)", name="closed_by_evidence"),
        sa.CheckConstraint(
            "kind <> 'medium_sanitized' OR evidence_kind IS NULL OR evidence_kind = 'validated_record'",
            name="media_by_record",
        ),
    )


class Statement(Base):
    """A statement issued to a customer; its content is in its envelope."""

    __tablename__ = "statement"

    number: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    case_id: Mapped[str] = mapped_column(sa.ForeignKey("erasure_case.id"), index=True)
    issued: Mapped[datetime]
    issued_by: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"))
    complete: Mapped[bool]
    sha256: Mapped[str] = mapped_column(sa.ForeignKey("envelope.sha256"), unique=True)
    log_index: Mapped[int]


class Hold(Base):
    """A legal or investigation hold on a device, a data set or a lot."""

    __tablename__ = "hold"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(16))
    device_id: Mapped[str | None] = mapped_column(sa.ForeignKey("device.id"), index=True)
    data_set_id: Mapped[str | None] = mapped_column(sa.ForeignKey("data_set.id"), index=True)
    lot_id: Mapped[str | None] = mapped_column(sa.ForeignKey("lot.id"), index=True)
    reference: Mapped[str] = mapped_column(sa.String(128))
    reason: Mapped[str] = mapped_column(sa.String(500))
    placed: Mapped[datetime]
    placed_by: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"))
    lifted: Mapped[datetime | None]
    lifted_by: Mapped[str | None] = mapped_column(sa.ForeignKey("person.ref"))
    lift_reason: Mapped[str | None] = mapped_column(sa.String(500))

    __table_args__ = (
        sa.CheckConstraint("kind IN ('legal', 'investigation')", name="kind"),
        sa.CheckConstraint(
            "CASE WHEN device_id IS NULL THEN 0 ELSE 1 END + CASE WHEN data_set_id IS NULL THEN 0 ELSE 1 END"
            " + CASE WHEN lot_id IS NULL THEN 0 ELSE 1 END = 1",
            name="one_subject",
        ),
    )
