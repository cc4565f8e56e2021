"""Whether a host is halted, for everything that leases, clears or shows."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.models import HostHalt


def newest(session: Session, host: str) -> HostHalt | None:
    """The host's newest halt or lifting."""
    statement = sa.select(HostHalt).where(HostHalt.host_id == host).order_by(HostHalt.number.desc()).limit(1)
    return session.scalar(statement)


def halt_of(session: Session, host: str) -> HostHalt | None:
    """The halt that stands; None where there is none."""
    row = newest(session, host)
    return row if row is not None and row.action == "halt" else None
