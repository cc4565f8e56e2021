"""Hosts, their agents' keys, enrolment tokens, spent nonces."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from inventory.domain.vocabulary import HostState

from .base import Base, Digest, Versioned, words


class Host(Versioned, Base):
    """A machine on which an agent runs. One key at a time; a re-installed agent is a new host."""

    __tablename__ = "host"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(256))
    state: Mapped[HostState] = mapped_column(words(HostState, "state"))
    key_id: Mapped[str] = mapped_column(Digest, unique=True)
    spki: Mapped[bytes]
    machine_id_sha256: Mapped[str] = mapped_column(Digest)
    agent_version: Mapped[str] = mapped_column(sa.String(256))
    kernel: Mapped[str] = mapped_column(sa.String(256))
    enrolled: Mapped[datetime]
    confirmed: Mapped[datetime | None]
    confirmed_by: Mapped[str | None] = mapped_column(sa.ForeignKey("person.ref"))
    revoked: Mapped[datetime | None]
    revoked_below: Mapped[int | None]
    enrolled_index: Mapped[int | None]
    revoked_index: Mapped[int | None]
    until_index: Mapped[int | None]
    """Log index from which on the key has ended; None: no end was set."""
    site_id: Mapped[str | None] = mapped_column(sa.ForeignKey("site.id"), index=True)
    team_id: Mapped[str | None] = mapped_column(sa.ForeignKey("team.id"), index=True)


class HostContact(Base):
    """What the last heartbeat said; apart from the host, whose version must not change with every beat."""

    __tablename__ = "host_contact"

    host_id: Mapped[str] = mapped_column(sa.ForeignKey("host.id"), primary_key=True)
    last_contact: Mapped[datetime]
    boot_id: Mapped[str | None] = mapped_column(sa.String(256))
    running: Mapped[list[str]]
    standing_by: Mapped[list[str]]
    outbox: Mapped[int]
    clock_offset_seconds: Mapped[int | None]
    seen_log_size: Mapped[int | None]
    observed: Mapped[datetime | None]
    last_sequence: Mapped[int | None]
    """Highest sequence number among its records."""


class EnrolmentToken(Base):
    """Lets one new agent introduce itself; stored as a digest only."""

    __tablename__ = "enrolment_token"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    secret_sha256: Mapped[str] = mapped_column(Digest, unique=True)
    note: Mapped[str] = mapped_column(sa.String(200))
    created: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"))
    expires: Mapped[datetime]
    used: Mapped[datetime | None]
    used_by: Mapped[str | None] = mapped_column(sa.ForeignKey("host.id"))


class Nonce(Base):
    """A spent request nonce."""

    __tablename__ = "nonce"

    key_id: Mapped[str] = mapped_column(Digest, primary_key=True)
    nonce: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    expires: Mapped[datetime] = mapped_column(index=True)


class IdempotencyKey(Base):
    """A claimed idempotency key, and the answer once there is one."""

    __tablename__ = "idempotency_key"

    actor: Mapped[str] = mapped_column(sa.String(128), primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(128), primary_key=True)
    request_sha256: Mapped[str] = mapped_column(Digest)
    claimed: Mapped[datetime] = mapped_column(index=True)
    status: Mapped[int | None]
    body: Mapped[bytes | None]
    content_type: Mapped[str | None] = mapped_column(sa.String(128))
