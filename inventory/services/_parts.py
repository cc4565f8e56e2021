"""Devices by a part of what people read on them, however many there are (ADR 0052).

PostgreSQL keeps an index over all runs of three characters of a device's number, tag, serial numbers, makes and world wide name;
SQLite, which is for smaller inventories, looks at each row. Both find the same. Fewer than three characters, and a fingerprint,
are found by how they begin.
"""

from __future__ import annotations

import re
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.functions import FunctionElement

from inventory.models import Device

LEAST: Final = 3
"""Characters that are looked for anywhere; fewer only at the beginning."""
FEW: Final = 1000
"""Devices that are known by their numbers, once they were found."""
FIELDS: Final = (
    Device.id,
    Device.asset_tag,
    Device.serial,
    Device.declared_serial,
    Device.model,
    Device.declared_model,
    Device.vendor,
    Device.declared_vendor,
    Device.wwn,
)
"""As the index of the migration names them, in its order: another order would not be found by it."""
_BEGINNINGS: Final = (Device.id, Device.asset_tag, Device.serial, Device.declared_serial, Device.wwn)
_FINGERPRINT: Final = re.compile(r"[0-9a-fA-F]{8,64}")


class _PartsHold(FunctionElement[bool]):
    """That the index of PostgreSQL may know a row with this text; the rows it names are looked at all the same."""

    type = sa.Boolean()
    inherit_cache = True


@compiles(_PartsHold, "postgresql")
def _by_index(element: _PartsHold, compiler: Any, **options: Any) -> str:  # noqa: ANN401 - SQLAlchemy's own signature
    *fields, text = (compiler.process(clause, **options) for clause in element.clauses)
    return f"device_parts({', '.join(fields)}) @> device_parts({text})"


def devices_with(session: Session, text: str) -> sa.ColumnElement[bool]:
    """That a device has this text somewhere; case does not matter.

    Where the index names few, these are meant; where many have it, whoever walks the list meets them soon without it.
    """
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    if len(text) < LEAST:
        return sa.or_(*(_begins(field, escaped) for field in _BEGINNINGS))
    found = sa.or_(*(field.ilike(f"%{escaped}%", escape="\\") for field in FIELDS))
    print_of = [Device.fingerprint.like(f"{text.lower()}%")] if _FINGERPRINT.fullmatch(text) else []
    if session.get_bind().dialect.name != "postgresql":
        return sa.or_(found, *print_of)
    # The way there is chosen for this text, not for texts as they come on average.
    session.execute(sa.text("SET LOCAL plan_cache_mode = force_custom_plan"))
    known = sa.or_(sa.and_(_PartsHold(*FIELDS, text), found), *print_of)
    few = session.scalars(sa.select(Device.id).where(known).limit(FEW + 1)).all()
    return Device.id.in_(few) if len(few) <= FEW else sa.or_(found, *print_of)


def _begins(field: InstrumentedAttribute[Any], escaped: str) -> sa.ColumnElement[bool]:
    spellings = dict.fromkeys((escaped, escaped.upper(), escaped.lower()))
    return sa.or_(*(field.like(f"{one}%", escape="\\") for one in spellings))
