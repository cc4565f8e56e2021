"""Devices and hosts by a part of what people read on them, however many there are (ADR 0052).

PostgreSQL keeps an index over all runs of three characters of a device's number, tag, serial numbers, makes and world wide
name, and of a host's name; SQLite, which is for smaller inventories, looks at each row. Both find the same. Of devices, fewer
than three characters, a fingerprint, and what is written like a device's number are found by how they begin.
"""

from __future__ import annotations

import re
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.functions import FunctionElement

from inventory.models import Device, Host

from ._among import among

LEAST: Final = 3
"""Characters that are looked for anywhere; fewer only at the beginning."""
FEW: Final = 1000
"""Devices that are known by their numbers, once they were found."""
MANY: Final = 10_000
"""Devices that are put in order in less than a tenth of a second."""
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
_BEGINNINGS: Final = (Device.asset_tag, Device.serial, Device.declared_serial, Device.wwn)
_NUMBER: Final = re.compile(r"[Dd]-[0-9]+")
"""The beginning of a device's number: the list is in their order, so that it is walked from there."""
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

    Where the index names few, these are meant. Where it names many, it is asked again with everything else; and where very many
    have the text, whoever walks the list meets them soon without it.
    """
    if _NUMBER.fullmatch(text):
        number = text.upper()
        return sa.and_(Device.id.between(number, number + "9" * 20), Device.id.like(f"{number}%"))
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
    if len(few) <= FEW:
        return among(session, Device.id, few)
    many = session.scalar(
        sa.select(sa.func.count()).select_from(sa.select(Device.id).where(known).limit(MANY + 1).subquery())
    )
    return known if (many or 0) <= MANY else sa.or_(found, *print_of)


def part_of_host(session: Session, text: str) -> sa.ColumnElement[bool]:
    """That a host's name has this text somewhere; case does not matter."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    found = Host.name.ilike(f"%{escaped}%", escape="\\")
    if len(text) < LEAST or session.get_bind().dialect.name != "postgresql":
        return found
    return sa.and_(_PartsHold(Host.name, text), found)


def _begins(field: InstrumentedAttribute[Any], escaped: str) -> sa.ColumnElement[bool]:
    spellings = dict.fromkeys((escaped, escaped.upper(), escaped.lower()))
    return sa.or_(*(field.like(f"{one}%", escape="\\") for one in spellings))
