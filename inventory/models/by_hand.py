"""Bundles that are carried to and from hosts without a network."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base


class JobBundle(Base):
    """Work made to be carried to one agent. Appended; the highest number of a host is the one that counts."""

    __tablename__ = "job_bundle"

    host_id: Mapped[str] = mapped_column(sa.ForeignKey("host.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    made: Mapped[datetime] = mapped_column(index=True)
    made_by: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"))
    courier: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"))
    until: Mapped[datetime]
    log_size: Mapped[int]
    """Of the checkpoint in it: the agent may have seen the log that far."""
    left_out: Mapped[list[dict[str, Any]]]
    """Orders that could not go along, each with the reason why."""
    envelope_sha256: Mapped[str] = mapped_column(sa.ForeignKey("envelope.sha256"))


class JobBundleOrder(Base):
    """One order in a job bundle, with the lease it went out under."""

    __tablename__ = "job_bundle_order"

    host_id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    order_id: Mapped[str] = mapped_column(sa.ForeignKey("sanitization_order.id"), primary_key=True)
    lease_id: Mapped[str] = mapped_column(sa.ForeignKey("lease.id"), index=True)

    __table_args__ = (sa.ForeignKeyConstraint(["host_id", "number"], ["job_bundle.host_id", "job_bundle.number"]),)


class ReturnBundle(Base):
    """What an agent had carried back, and what became of each part of it."""

    __tablename__ = "return_bundle"

    sha256: Mapped[str] = mapped_column(sa.ForeignKey("envelope.sha256"), primary_key=True)
    host_id: Mapped[str] = mapped_column(sa.ForeignKey("host.id"), index=True)
    number: Mapped[int]
    made: Mapped[datetime]
    """By the host's clock."""
    observed: Mapped[datetime | None]
    """When the picture in it was taken, by the host's clock."""
    job_bundle: Mapped[int]
    received: Mapped[datetime] = mapped_column(index=True)
    received_by: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"))
    courier: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"))
    parts: Mapped[list[dict[str, Any]]]
