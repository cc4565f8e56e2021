"""Devices and where they were attached. Declared and observed facts stand apart; a difference is an exception."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from inventory.domain.vocabulary import DeviceState

from .base import Base, BigInt, Digest, Ref, Versioned, begins, only_while, words


class Device(Versioned, Base):
    """One storage medium."""

    __tablename__ = "device"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    state: Mapped[DeviceState] = mapped_column(words(DeviceState, "state"), index=True)
    asset_tag: Mapped[str | None] = mapped_column(sa.String(64), unique=True)
    source: Mapped[str] = mapped_column(sa.String(200), default="")
    location_id: Mapped[str | None] = mapped_column(sa.ForeignKey("location.id"), index=True)
    party_id: Mapped[str | None] = mapped_column(sa.ForeignKey("party.id"))
    """Who has it, after a release."""
    destination: Mapped[str] = mapped_column(sa.String(500), default="")
    bound_to: Mapped[str | None] = mapped_column(sa.ForeignKey("device.id"))
    """A declaration that turned out to be about another row; it is not a device of its own any more."""
    ever_attached: Mapped[bool] = mapped_column(default=False)
    standing_record: Mapped[str | None] = mapped_column(Digest)
    """Newest validated record; proof lies in `validation`."""
    created: Mapped[datetime]
    site_id: Mapped[str | None] = mapped_column(sa.ForeignKey("site.id"))
    """The site that answers for it: the last one where it was put or seen (`answering`)."""
    team_id: Mapped[str | None] = mapped_column(sa.ForeignKey("team.id"))
    """The team whose host it is in, or was in last; its data sets may be of further teams."""

    declared_at: Mapped[datetime | None]
    declared_by: Mapped[str | None] = mapped_column(Ref)
    declared_vendor: Mapped[str | None] = mapped_column(sa.String(256))
    declared_model: Mapped[str | None] = mapped_column(sa.String(256))
    declared_serial: Mapped[str | None] = mapped_column(sa.String(256), index=True)
    declared_capacity: Mapped[int | None]
    declared_media: Mapped[str | None] = mapped_column(sa.String(16))

    fingerprint: Mapped[str | None] = mapped_column(Digest, unique=True)
    observed_at: Mapped[datetime | None]
    observed_by: Mapped[str | None] = mapped_column(sa.ForeignKey("host.id"))
    kind: Mapped[str | None] = mapped_column(sa.String(16))
    vendor: Mapped[str | None] = mapped_column(sa.String(256))
    model: Mapped[str | None] = mapped_column(sa.String(256))
    serial: Mapped[str | None] = mapped_column(sa.String(256), index=True)
    wwn: Mapped[str | None] = mapped_column(sa.String(256))
    eui64: Mapped[str | None] = mapped_column(sa.String(256))
    nguid: Mapped[str | None] = mapped_column(sa.String(256))
    firmware: Mapped[str | None] = mapped_column(sa.String(256))
    capacity_bytes: Mapped[int | None]
    logical_block_bytes: Mapped[int | None]
    media: Mapped[str | None] = mapped_column(sa.String(16))
    transport: Mapped[str | None] = mapped_column(sa.String(256))
    hidden_capacity: Mapped[str | None] = mapped_column(sa.String(16))
    removable: Mapped[bool | None]

    __table_args__ = (
        sa.Index("ix_device_bound_to", "bound_to", **only_while("bound_to IS NOT NULL")),
        sa.Index("ix_device_state_id", "state", "id", **only_while("bound_to IS NULL")),
        sa.Index(None, "site_id", "id"),
        sa.Index(None, "team_id", "id"),
        begins("device", "asset_tag"),
        begins("device", "serial"),
        begins("device", "declared_serial"),
        begins("device", "wwn"),
        begins("device", "fingerprint"),
        sa.Index("ix_device_capacity", sa.text("coalesce(capacity_bytes, declared_capacity)"), "id"),
    )


class Attachment(Base):
    """A device in a host, from when to when; so that a replaced RAID member stays known."""

    __tablename__ = "attachment"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    device_id: Mapped[str] = mapped_column(sa.ForeignKey("device.id"), index=True)
    host_id: Mapped[str] = mapped_column(sa.ForeignKey("host.id"), index=True)
    path: Mapped[str] = mapped_column(sa.String(256))
    slot: Mapped[str | None] = mapped_column(sa.String(256))
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    last_seen: Mapped[datetime]
    obstacles: Mapped[list[dict[str, Any]]]
    capabilities: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    """What the drive said, when it was last asked, that it can do; None: nobody asked."""

    __table_args__ = (
        sa.Index("uq_attachment_open", "device_id", unique=True, **only_while("until IS NULL")),
        sa.Index("ix_attachment_host_open", "host_id", **only_while("until IS NULL")),
    )


class Waiver(Base):
    """Leave to return a device unsanitized."""

    __tablename__ = "waiver"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    device_id: Mapped[str] = mapped_column(sa.ForeignKey("device.id"), index=True)
    destination: Mapped[str] = mapped_column(sa.String(500))
    reason: Mapped[str] = mapped_column(sa.String(500))
    opened: Mapped[datetime]
    opened_by: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"))
    opened_role: Mapped[str] = mapped_column(sa.String(32))
    countersigned: Mapped[datetime | None]
    countersigned_by: Mapped[str | None] = mapped_column(sa.ForeignKey("person.ref"))
    countersigned_role: Mapped[str | None] = mapped_column(sa.String(32))
    expires: Mapped[datetime]
    used: Mapped[datetime | None]

    __table_args__ = (
        sa.CheckConstraint("countersigned_by IS NULL OR countersigned_by <> opened_by", name="two_people"),
        sa.CheckConstraint("countersigned_role IS NULL OR countersigned_role <> opened_role", name="two_roles"),
    )


class Destruction(Base):
    """A physical destruction: recorded, witnessed, decided."""

    __tablename__ = "destruction"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    device_id: Mapped[str] = mapped_column(sa.ForeignKey("device.id"), index=True)
    method: Mapped[str] = mapped_column(sa.String(32))
    machine: Mapped[str] = mapped_column(sa.String(500))
    facility: Mapped[str] = mapped_column(sa.String(500))
    particle_size_mm: Mapped[int | None]
    note: Mapped[str] = mapped_column(sa.String(500))
    performed: Mapped[datetime]
    recorded: Mapped[datetime]
    operator: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"))
    evidence: Mapped[list[str]]
    witness: Mapped[str | None] = mapped_column(sa.ForeignKey("person.ref"))
    witnessed: Mapped[datetime | None]
    witness_statement: Mapped[str | None] = mapped_column(sa.String(500))
    validator: Mapped[str | None] = mapped_column(sa.ForeignKey("person.ref"))
    decision: Mapped[str | None] = mapped_column(sa.String(16))
    decided: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(sa.String(500), default="")
    statement_sha256: Mapped[str | None] = mapped_column(sa.ForeignKey("envelope.sha256"))
    log_index: Mapped[int | None]
    serial_read: Mapped[str | None] = mapped_column(sa.String(256))
    """As a person read it from the medium right before."""
    facts: Mapped[bytes | None]
    """Canonical JSON of what witness and second person sign; None: recorded before there were such signatures."""

    __table_args__ = (
        sa.CheckConstraint("witness IS NULL OR witness <> operator", name="witness_apart"),
        sa.CheckConstraint(
            "validator IS NULL OR (validator <> operator AND validator <> witness)", name="validator_apart"
        ),
        sa.Index("uq_destruction_undecided", "device_id", unique=True, **only_while("decision IS NULL")),
    )
