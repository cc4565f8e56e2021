"""People by pseudonym; the directory apart; sessions, tokens, links, sign-in attempts."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, BigInt, Digest, Ref, Versioned


class Person(Versioned, Base):
    """A person as evidence names them: by a random pseudonym."""

    __tablename__ = "person"

    ref: Mapped[str] = mapped_column(Ref, primary_key=True)
    login: Mapped[str] = mapped_column(sa.String(64), unique=True)
    roles: Mapped[list[str]]
    enabled: Mapped[bool] = mapped_column(default=True)
    password_hash: Mapped[str | None] = mapped_column(sa.String(256))
    """argon2id, with its parameters in it."""
    created: Mapped[datetime]
    everywhere: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    """Sees everything, because an administrator said so by name."""
    sites: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    teams: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    language: Mapped[str | None] = mapped_column(sa.String(8))
    """The language of the console they chose; None: their browser's."""


class DirectoryRow(Base):
    """Name, title and contact: can be erased without breaking one proof."""

    __tablename__ = "directory"

    ref: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    title: Mapped[str] = mapped_column(sa.String(200))
    contact: Mapped[str] = mapped_column(sa.String(200))


class WebSession(Base):
    """A signed-in browser; its secret is stored as a digest only."""

    __tablename__ = "web_session"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    secret_sha256: Mapped[str] = mapped_column(Digest, unique=True)
    person: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"), index=True)
    label: Mapped[str] = mapped_column(sa.String(200))
    created: Mapped[datetime]
    last_seen: Mapped[datetime]
    expires: Mapped[datetime]
    ended: Mapped[datetime | None]
    way: Mapped[str] = mapped_column(sa.String(20), server_default="password")
    """How it was opened (`domain.signin.Way`)."""
    confirmed: Mapped[datetime] = mapped_column(server_default=sa.text("'1970-01-01 00:00:00.000000'"))
    """When the person last showed who they are."""


class ApiToken(Base):
    """A token for scripts; its secret is stored as a digest only."""

    __tablename__ = "api_token"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    secret_sha256: Mapped[str] = mapped_column(Digest, unique=True)
    person: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"), index=True)
    name: Mapped[str] = mapped_column(sa.String(100))
    roles: Mapped[list[str]]
    created: Mapped[datetime]
    expires: Mapped[datetime]
    last_used: Mapped[datetime | None]
    revoked: Mapped[datetime | None]
    sites: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    """Narrows the person's own scope to these; empty: no further than the person."""
    teams: Mapped[list[str]] = mapped_column(default=list, server_default="[]")


class OneTimeLink(Base):
    """Lets a person set a password, once."""

    __tablename__ = "one_time_link"

    secret_sha256: Mapped[str] = mapped_column(Digest, primary_key=True)
    person: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"), index=True)
    created: Mapped[datetime]
    expires: Mapped[datetime]
    used: Mapped[datetime | None]


class SignInAttempt(Base):
    """Failed sign-ins by login name and by address, for the limit; digests only, forgotten after a while."""

    __tablename__ = "sign_in_attempt"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    key_sha256: Mapped[str] = mapped_column(Digest)
    at: Mapped[datetime]

    __table_args__ = (sa.Index(None, "key_sha256", "at"),)
