"""Reminders before a vendor's undertaking lapses, and a question where it has lapsed while the vendor has something of ours."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.exceptions import ExceptionCode
from inventory.domain.undertakings import bound_until
from inventory.domain.vocabulary import PartyKind
from inventory.models import Device, Party, Undertaking

from .context import Context
from .kernel import raise_exception, settle_exception

REMIND: Final = timedelta(days=30)
"""Time enough to have a new one signed."""


def remind(session: Session, context: Context, now: datetime) -> int:
    """Look at every vendor that has ever undertaken anything. Returns how many end soon or have ended."""
    filed: dict[str, list[tuple[datetime, datetime]]] = {}
    rows = session.execute(sa.select(Undertaking.party_id, Undertaking.valid_from, Undertaking.valid_until))
    for party, begins, ends in rows:
        filed.setdefault(party, []).append((begins, ends))
    count = 0
    vendors = sa.select(Party).where(Party.id.in_(list(filed)), Party.kind != PartyKind.OWN).order_by(Party.id)
    for vendor in session.scalars(vendors).all():
        count += _look_at(session, context, vendor, filed[vendor.id], now)
    return count


def _look_at(
    session: Session, context: Context, vendor: Party, filed: list[tuple[datetime, datetime]], now: datetime
) -> bool:
    due, lapsed = ExceptionCode.UNDERTAKING_DUE, ExceptionCode.UNDERTAKING_LAPSED
    end = bound_until(filed, now)
    if end is not None and end > now + REMIND:
        words = f"It is bound until {end:%Y-%m-%d}."
        settle_exception(session, context, due, vendor.id, words)
        settle_exception(session, context, lapsed, vendor.id, words)
        return False
    held = session.scalar(sa.select(sa.func.count(Device.id)).where(Device.party_id == vendor.id)) or 0
    has = f"devices it has from us: {held}" if held else "it has none of our devices"
    if end is not None:
        settle_exception(session, context, lapsed, vendor.id, f"It is bound until {end:%Y-%m-%d}.")
        sentence = (
            f"The undertaking of {vendor.name} ends {end:%Y-%m-%d}; {has}. Without a new one, nothing may pass to it"
            " from then on."
        )
        raise_exception(session, context, due, vendor.id, sentence)
        return True
    if all(begins > now for begins, _ in filed):
        return False  # nothing has ended: its first one has not begun yet
    last = max(until for begins, until in filed if begins <= now)
    settle_exception(session, context, due, vendor.id, "It has ended.")
    sentence = f"The undertaking of {vendor.name} ended {last:%Y-%m-%d}; {has}. Nothing may pass to it before it signs a new one."
    raise_exception(session, context, lapsed, vendor.id, sentence)
    return True
