"""Bodies about lists."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from .common import Message

_Line = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]*$")]
_Filters = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00-\x1f\x7f]*$")]


class ViewSave(Message):
    """Keep what a list is asked."""

    list: _Line
    name: _Line
    filters: _Filters = ""
    """As the part of the list's address after the question mark."""
    shared: bool = False
    """Whether whoever has its address may open it."""
