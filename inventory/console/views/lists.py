"""Lists: segments to narrow them, pages to walk them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import request, url_for

from inventory.services.views import Page


@dataclass(frozen=True)
class Segment:
    """One way to narrow a list."""

    label: str
    url: str
    current: bool
    count: int | str | None = None
    """A number, or more than one."""


@dataclass(frozen=True)
class Pager:
    """Where the rest of the list is."""

    text: str
    previous: str | None
    next: str | None


def _address(values: Mapping[str, str | None]) -> str:
    endpoint = request.endpoint or "console.home"
    kept = {name: value for name, value in values.items() if value}
    return url_for(endpoint, **{**(request.view_args or {}), **kept})


def narrowed(name: str, choices: Iterable[tuple[str, str, int | None]]) -> tuple[Segment, ...]:
    """Segments for one filter: (value, label, count); the other filters of the address stay, the page does not."""
    now = request.args.get(name, "")
    others = {key: value for key, value in request.args.items() if key not in {name, "after", "said"}}
    return tuple(
        Segment(label, _address({**others, name: value}), value == now, count) for value, label, count in choices
    )


def pager(page: Page[Any], noun: str) -> Pager:
    """The way to the next page; the browser's back button leads to the one before."""
    others = {key: value for key, value in request.args.items() if key not in {"after", "said"}}
    first = _address(others) if request.args.get("after") else None
    return Pager(
        f"{len(page.items)} {noun} on this page", first, _address({**others, "after": page.next}) if page.next else None
    )
