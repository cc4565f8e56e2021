"""Bodies about lists."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from .common import Instant, Message
from .vocabulary import Key, OptionalProse

_Line = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]*$")]
_Filters = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00-\x1f\x7f]*$")]


class ActOnRows(Message):
    """The same act, for the same reason, on many rows of a list; each by itself."""

    act: Annotated[str, StringConstraints(min_length=1, max_length=32, pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*$")]
    """Of those `GET /api/v1/lists/{name}/acts` names."""
    rows: Annotated[tuple[Key, ...], Field(min_length=1, max_length=200)]
    """Numbers of the rows."""
    reason: OptionalProse = ""
    owner: Key | None = None
    """Who answers for them, where the act gives them an owner."""
    day: Instant | None = None
    """Until when, where the act moves a date."""
    dry_run: bool = False
    """Say what would happen, and change nothing."""


class ViewSave(Message):
    """Keep what a list is asked."""

    list: _Line
    name: _Line
    filters: _Filters = ""
    """As the part of the list's address after the question mark."""
    shared: bool = False
    """Whether whoever has its address may open it."""
