"""Locations, parties, undertakings."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from inventory.domain.vocabulary import PartyKind, Zone

from .base import Base, Digest, Versioned, words


class Party(Base):
    """Own team, subsidiary or downstream vendor."""

    __tablename__ = "party"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(200), unique=True)
    kind: Mapped[PartyKind] = mapped_column(words(PartyKind, "kind"))
    contact: Mapped[str] = mapped_column(sa.String(500))


class Undertaking(Base):
    """A party's signed commitment to equal restrictions."""

    __tablename__ = "undertaking"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    party_id: Mapped[str] = mapped_column(sa.ForeignKey("party.id"), index=True)
    scope: Mapped[str] = mapped_column(sa.String(500))
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime]
    document_sha256: Mapped[str] = mapped_column(Digest)
    filed: Mapped[datetime]
    filed_by: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"))


class Location(Versioned, Base):
    """A place with a security zone."""

    __tablename__ = "location"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(200), unique=True)
    zone: Mapped[Zone] = mapped_column(words(Zone, "zone"))
    address: Mapped[str] = mapped_column(sa.String(500))
    party_id: Mapped[str | None] = mapped_column(sa.ForeignKey("party.id"))
    site_id: Mapped[str | None] = mapped_column(sa.ForeignKey("site.id"), index=True)
