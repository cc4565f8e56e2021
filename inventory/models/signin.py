"""Ways in beside the password: passkeys, authenticator apps, recovery codes, identities at a single sign-on provider."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Digest, only_while


class Passkey(Base):
    """A passkey a person signs in with; public data only. One that was removed stays, so that the history can name it."""

    __tablename__ = "passkey"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    person: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"), index=True)
    credential_sha256: Mapped[str] = mapped_column(Digest, unique=True)
    """Digest of the credential's id, which may be 1023 bytes long."""
    credential: Mapped[bytes]
    """Attested credential data: model of the authenticator, id, public key (WebAuthn, 6.5.2)."""
    label: Mapped[str] = mapped_column(sa.String(100))
    sign_count: Mapped[int]
    """As the authenticator last said; 0 where it keeps none."""
    synced: Mapped[bool]
    """Whether it may be copied to other devices of its owner (backup eligible)."""
    created: Mapped[datetime]
    last_used: Mapped[datetime | None]
    removed: Mapped[datetime | None]


class Authenticator(Base):
    """A person's authenticator app: the secret it shares with us, encrypted."""

    __tablename__ = "authenticator"

    person: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"), primary_key=True)
    secret: Mapped[bytes]
    """Closed with `authenticators.key`, bound to the person."""
    created: Mapped[datetime]
    confirmed: Mapped[datetime | None]
    """When its first code fitted; before that it counts for nothing."""
    last_step: Mapped[int | None]
    """Step of the code used last: none is good twice."""


class RecoveryCode(Base):
    """A code for the day the telephone is lost; its digest only."""

    __tablename__ = "recovery_code"

    code_sha256: Mapped[str] = mapped_column(Digest, primary_key=True)
    person: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"), index=True)
    created: Mapped[datetime]
    used: Mapped[datetime | None]


class Identity(Base):
    """Somebody at the single sign-on provider who is one of our people."""

    __tablename__ = "identity"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    person: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"), index=True)
    issuer: Mapped[str] = mapped_column(sa.String(300))
    subject: Mapped[str] = mapped_column(sa.String(255))
    created: Mapped[datetime]
    last_used: Mapped[datetime | None]
    removed: Mapped[datetime | None]

    __table_args__ = (
        sa.Index("uq_identity_present", "issuer", "subject", unique=True, **only_while("removed IS NULL")),
    )
