"""Walking a list in the order that is asked: each page begins after the last row of the one before, and nothing is passed over.

The key of a page holds the value and the name of a row, so that rows that come or go in between move no other. Rows without a
value come last, whichever way round, in a second part: so an index answers each part by itself.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.errors import Invalid
from inventory.models import UtcTime

from .asked import Asked
from .spec import Condition, Listed, Sort

_KEY_MOST: Final = 4000
_LARGEST: Final = 2**63
"""Beyond what a database counts to."""


@dataclass(frozen=True)
class Step:
    """A row on the way, with the key by which the next page goes on after it."""

    row: Any
    key: str


@dataclass(frozen=True)
class _Place:
    """Where a page goes on: after this value and this name; without a value, within the rows that have none."""

    value: str | int | datetime | None
    name: str


def walk(
    session: Session, one: Listed, asked: Asked, conditions: Sequence[Condition], *, after: str | None, count: int
) -> list[Step]:
    """At most so many rows, from the beginning or from after a key. Raises `Invalid`: this is no key of a page."""
    if after is not None and not after.isprintable():
        raise _no_key()
    by = asked.sorted_by(one)
    if by is not None:
        return _sorted(session, one, conditions, *by, after=after, count=count)
    statement = sa.select(one.model).where(*conditions).order_by(*one.walk.by).limit(count)
    if after is not None:
        statement = statement.where(one.walk.beyond(after))
    return [Step(row, one.walk.key(row)) for row in session.scalars(statement)]


def _sorted(
    session: Session,
    one: Listed,
    conditions: Sequence[Condition],
    sort: Sort,
    down: bool,
    *,
    after: str | None,
    count: int,
) -> list[Step]:
    place = None if after is None else _place(sort, after)
    found: list[Step] = []
    if place is None or place.value is not None:
        beyond = None if place is None else _beyond(sa.tuple_(sort.by, one.key), _pair(sort, one, place), down=down)
        found = _part(session, one, sort, [*conditions, *_with_value(sort, beyond)], down=down, count=count)
    if len(found) < count and sort.gaps:
        within = place.name if place is not None and place.value is None else None
        last = [] if within is None else [one.key < within if down else one.key > within]
        rest = [*conditions, sort.by.is_(None), *last]
        found += _part(session, one, sort, rest, down=down, count=count - len(found))
    return found


def _with_value(sort: Sort, beyond: Condition | None) -> list[Condition]:
    return [*([sort.by.is_not(None)] if sort.gaps else []), *([beyond] if beyond is not None else [])]


def _pair(sort: Sort, one: Listed, place: _Place) -> sa.Tuple:
    return sa.tuple_(sa.literal(place.value, sort.by.type), sa.literal(place.name, one.key.type))


def _beyond(here: sa.Tuple, last: sa.Tuple, *, down: bool) -> Condition:
    return here < last if down else here > last


def _part(
    session: Session, one: Listed, sort: Sort, conditions: Sequence[Condition], *, down: bool, count: int
) -> list[Step]:
    order = (sort.by.desc(), one.key.desc()) if down else (sort.by.asc(), one.key.asc())
    statement = sa.select(one.model, sort.by).where(*conditions).order_by(*order).limit(count)
    name = one.key.key
    return [Step(row, _key(value, str(getattr(row, name)))) for row, value in session.execute(statement)]


# -- keys --------------------------------------------------------------------------------------------------------------


def _key(value: str | int | datetime | None, name: str) -> str:
    told = value.isoformat() if isinstance(value, datetime) else value
    return json.dumps([told, name], separators=(",", ":"))


def _place(sort: Sort, key: str) -> _Place:
    """What a key says, if it is one of this order."""
    if len(key) > _KEY_MOST:
        raise _no_key()
    try:
        value, name = json.loads(key)
    except (ValueError, TypeError, RecursionError) as error:
        raise _no_key() from error
    if not isinstance(name, str) or not _clean(name):
        raise _no_key()
    if value is None and sort.gaps:
        return _Place(None, name)
    if isinstance(sort.by.type, sa.Integer):
        return _Place(_whole(value), name)
    if not isinstance(value, str) or not _clean(value):
        raise _no_key()
    return _Place(_moment(value) if isinstance(sort.by.type, UtcTime) else value, name)


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= _LARGEST:
        raise _no_key()
    return value


def _moment(value: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise _no_key() from error
    if moment.tzinfo is None:
        raise _no_key()
    return moment


def _clean(text: str) -> bool:
    """Whether a database takes the text: no zero in it, and nothing that is no character."""
    return "\x00" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


def _no_key() -> Invalid:
    return Invalid("after", "This is no key of a page.")
