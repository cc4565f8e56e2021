"""Rows of many numbers at once, by a statement that is the same however many there are."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.orm.util import identity_key

from inventory.models import Base

Number = TypeVar("Number", str, int)
Model = TypeVar("Model", bound=Base)


def among(
    session: Session, column: InstrumentedAttribute[Any], numbers: Collection[str | int]
) -> sa.ColumnElement[bool]:
    """Whether the column names one of these.

    With `IN` each page of a list is another statement, which is written out, read and planned anew; with an array it is one.
    """
    if session.get_bind().dialect.name != "postgresql":
        return column.in_(numbers)
    return column == sa.any_(sa.literal(list(numbers), postgresql.ARRAY(column.type)))


def of_numbers(session: Session, model: type[Model], numbers: Collection[Number]) -> dict[Number, Model]:
    """Rows of a model by their numbers, those that there are; what this transaction has read before is not read again."""
    found = {
        number: row for number in numbers if (row := session.identity_map.get(identity_key(model, number))) is not None
    }
    missing = [number for number in numbers if number not in found]
    if missing:
        column: InstrumentedAttribute[Number] = model.id  # type: ignore[attr-defined]  # of those that are numbered
        found |= {row.id: row for row in session.scalars(sa.select(model).where(column.in_(missing)))}  # type: ignore[attr-defined]
    return found
