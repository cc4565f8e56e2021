"""Envelopes, records, validations, certificates and their sealed files. Written once, never changed (`guards`)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from inventory.domain.vocabulary import RecordStanding, ValidationDecision

from .base import Base, Digest, only_while, words


class StoredEnvelope(Base):
    """Every signed statement, as canonical bytes, by digest."""

    __tablename__ = "envelope"

    sha256: Mapped[str] = mapped_column(Digest, primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(32), index=True)
    content: Mapped[bytes]
    stored: Mapped[datetime]


class Record(Base):
    """An accepted record with the service's findings."""

    __tablename__ = "record"

    sha256: Mapped[str] = mapped_column(sa.ForeignKey("envelope.sha256"), primary_key=True)
    record_id: Mapped[str] = mapped_column(sa.String(128), unique=True)
    order_id: Mapped[str | None] = mapped_column(sa.ForeignKey("sanitization_order.id"), index=True)
    device_id: Mapped[str | None] = mapped_column(sa.ForeignKey("device.id"), index=True)
    host_id: Mapped[str] = mapped_column(sa.ForeignKey("host.id"))
    lease_id: Mapped[str] = mapped_column(sa.String(128))
    token: Mapped[int]
    sequence: Mapped[int]
    standing: Mapped[RecordStanding] = mapped_column(words(RecordStanding, "standing"))
    outcome: Mapped[str] = mapped_column(sa.String(16))
    method: Mapped[str] = mapped_column(sa.String(16))
    coverage: Mapped[str] = mapped_column(sa.String(16))
    reasons: Mapped[list[str]]
    touched: Mapped[str] = mapped_column(sa.String(16))
    checks: Mapped[dict[str, Any]]
    received: Mapped[datetime]
    acceptance_sha256: Mapped[str] = mapped_column(sa.ForeignKey("envelope.sha256"), unique=True)
    log_index: Mapped[int]

    __table_args__ = (sa.Index("uq_record_current", "order_id", unique=True, **only_while("standing = 'current'")),)


class Validation(Base):
    """A person's decision about a record."""

    __tablename__ = "validation"

    sha256: Mapped[str] = mapped_column(sa.ForeignKey("envelope.sha256"), primary_key=True)
    record_sha256: Mapped[str] = mapped_column(sa.ForeignKey("record.sha256"), unique=True)
    decision: Mapped[ValidationDecision] = mapped_column(words(ValidationDecision, "decision"))
    validator: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"))
    reason: Mapped[str] = mapped_column(sa.String(500))
    at: Mapped[datetime]
    log_index: Mapped[int]


class Certificate(Base):
    """An issued certificate, or the report of an unsuccessful run."""

    __tablename__ = "certificate"

    number: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(16))
    """certificate, failure."""
    order_id: Mapped[str] = mapped_column(sa.ForeignKey("sanitization_order.id"), unique=True)
    device_id: Mapped[str] = mapped_column(sa.ForeignKey("device.id"), index=True)
    record_sha256: Mapped[str] = mapped_column(sa.ForeignKey("record.sha256"))
    sha256: Mapped[str] = mapped_column(sa.ForeignKey("envelope.sha256"), unique=True)
    log_index: Mapped[int]
    issued: Mapped[datetime]
    issued_by: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"))

    __table_args__ = (
        sa.CheckConstraint("kind IN ('certificate', 'failure')", name="kind"),
        sa.Index(None, "issued", "number"),
    )


class Seal(Base):
    """The files made of a document: bundle, and sealed PDF in the language that was the main one then."""

    __tablename__ = "seal"

    number: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    bundle: Mapped[bytes]
    bundle_sha256: Mapped[str] = mapped_column(Digest, index=True)
    pdf: Mapped[bytes]
    pdf_sha256: Mapped[str] = mapped_column(Digest, index=True)
    language: Mapped[str] = mapped_column(sa.String(8), server_default="en")
    at: Mapped[datetime]


class SealedTranslation(Base):
    """The same bundle, printed and sealed in a further language."""

    __tablename__ = "sealed_translation"

    number: Mapped[str] = mapped_column(sa.ForeignKey("seal.number"), primary_key=True)
    language: Mapped[str] = mapped_column(sa.String(8), primary_key=True)
    pdf: Mapped[bytes]
    pdf_sha256: Mapped[str] = mapped_column(Digest)
    at: Mapped[datetime]
