"""Rows of many numbers at once, by a statement that is the same however many there are."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import InstrumentedAttribute, Session


def among(
    session: Session, column: InstrumentedAttribute[Any], numbers: Collection[str | int]
) -> sa.ColumnElement[bool]:
    """Whether the column names one of these.

    With `IN` each page of a list is another statement, which is written out, read and planned anew; with an array it is one.
    """
    if session.get_bind().dialect.name != "postgresql":
        return column.in_(numbers)
    return column == sa.any_(sa.literal(list(numbers), postgresql.ARRAY(column.type)))
