"""What numbers are called: the history keeps numbers, and people know a host, a place or a device by its name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from inventory import models as m
from inventory.domain.roles import Permission
from inventory.models import Base
from inventory.services._scope import only
from inventory.services.context import Actor, Context, authorize

_CALLED: Final[Mapping[str, tuple[type[Base], InstrumentedAttribute[Any]]]] = {
    "D": (m.Device, m.Device.asset_tag),
    "DS": (m.DataSet, m.DataSet.name),
    "EC": (m.ErasureCase, m.ErasureCase.reference),
    "H": (m.Host, m.Host.name),
    "L": (m.Location, m.Location.name),
    "LT": (m.Lot, m.Lot.name),
    "PA": (m.Party, m.Party.name),
    "SI": (m.Site, m.Site.name),
    "TM": (m.Team, m.Team.name),
}
"""How a number begins -> what it numbers, and what people call that."""


def called(context: Context, actor: Actor, numbers: Collection[str]) -> dict[str, str]:
    """Number -> name, of what the actor sees and has one; whatever else is given is left out. Permission `inventory.read`."""
    authorize(actor, Permission.READ)
    asked: dict[str, list[str]] = {}
    for number in numbers:
        asked.setdefault(number.partition("-")[0], []).append(number)
    parts = [
        sa.select(model.__table__.c.id, name).where(model.__table__.c.id.in_(asked[start]), *only(actor, model))
        for start, (model, name) in _CALLED.items()
        if start in asked
    ]
    if not parts:
        return {}
    with context.reading(actor) as session:
        return {number: name for number, name in session.execute(sa.union_all(*parts)) if name}
