"""Keyset pages: the key of the last row of a page asks for the next one; rows that come in between move nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from inventory.errors import Invalid

Row = TypeVar("Row")

MOST = 200


def bounded(limit: int) -> int:
    """The limit, if it is one. Raises `Invalid`."""
    if not 1 <= limit <= MOST:
        raise Invalid("limit", f"A page has 1 to {MOST} rows.")
    return limit


def cut(rows: Sequence[Row], limit: int, key: Callable[[Row], str]) -> tuple[Sequence[Row], str | None]:
    """The page out of `limit + 1` rows that were asked for, and the key of the next one."""
    page = rows[:limit]
    return page, key(page[-1]) if len(rows) > limit else None


def number(after: str | None, field: str = "after") -> int | None:
    """A numeric key. Raises `Invalid`."""
    if after is None:
        return None
    if not after.isascii() or not after.isdigit() or len(after) > 18:
        raise Invalid(field, "This is no key of a page.")
    return int(after)
