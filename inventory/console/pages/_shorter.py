"""Tables that are long where an organisation is large: searched by a part of what is seen, and cut into pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from flask import request

from inventory.console.views.lists import Pager, pager
from inventory.services.views import Page

T = TypeVar("T")

ROWS: Final = 50
"""Of one page."""
_TEXT_MOST: Final = 128


@dataclass(frozen=True)
class Shorter(Generic[T]):
    """The rows of one page, and what was looked for."""

    rows: tuple[T, ...]
    text: str
    searched: bool
    """Whether there is so much that it is worth a search."""
    pager: Pager


def shorter(everything: Sequence[T], words: Callable[[T], Sequence[str | None]], noun: str) -> Shorter[T]:
    """What this request asks of a table: `q` for a part of one of the words, `after` for where the page begins."""
    text = " ".join(request.args.get("q", "").split())[:_TEXT_MOST]
    wanted = text.casefold()
    found = (
        [one for one in everything if any(wanted in (word or "").casefold() for word in words(one))]
        if text
        else everything
    )
    after = request.args.get("after", "")
    begin = int(after) if after.isascii() and after.isdecimal() and len(after) < 7 else 0
    end = begin + ROWS
    here = Page(tuple(found[begin:end]), str(end) if end < len(found) else None)
    return Shorter(here.items, text, len(everything) > ROWS or bool(text), pager(here, noun))
