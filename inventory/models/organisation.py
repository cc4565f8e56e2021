"""Sites and teams: where things stand, and whose they are."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Versioned


class Site(Versioned, Base):
    """A place of work with its locations and hosts; people are put in it."""

    __tablename__ = "site"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(200), unique=True)
    address: Mapped[str] = mapped_column(sa.String(500))
    created: Mapped[datetime]


class Team(Versioned, Base):
    """People who answer for some hosts and data sets."""

    __tablename__ = "team"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(200), unique=True)
    purpose: Mapped[str] = mapped_column(sa.String(500))
    created: Mapped[datetime]
