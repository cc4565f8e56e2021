"""A list as its page shows it: segments, facets, what narrows it, columns, rows, ways to keep it and to take it away."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, Final
from urllib.parse import urlencode

from flask import request, url_for

from inventory.console.language.speaking import day_of
from inventory.console.language.speaking import words as spoken
from inventory.domain.lots import LotState
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import CaseState, DeviceState, ExceptionState, HostState, OrderState
from inventory.services.exports import MEDIA_TYPES
from inventory.services.lists import CAP, Asked, ChoiceCount, Column, FacetView, Listed, ListPage, columns_of
from inventory.services.lists.spec import Value
from inventory.services.saved_views import SavedViewView

from .chips import state_chip
from .lists import Pager, Segment

_PLAIN: Final = re.compile(r"[A-Za-z0-9._-]+")
_MARK: Final = "~~~~"
"""Stands for a number in an address, and is in none."""
_AS_IT_IS: Final = "!$'()*,/:;?@"
"""What a query of ours holds without a code for it."""
_PAGES: Final = {
    "device": ("console.device", "device"),
    "host": ("console.host", "host"),
    "order": ("console.order", "order"),
    "case": ("console.case", "case"),
    "lot": ("console.lot", "lot"),
    "certificate": ("console.certificate", "certificate"),
    "log_entry": ("console.log_entry", "index"),
}
_STATES: Final[Mapping[tuple[str, str], type[StrEnum]]] = {
    ("devices", "state"): DeviceState,
    ("hosts", "state"): HostState,
    ("orders", "state"): OrderState,
    ("cases", "state"): CaseState,
    ("exceptions", "state"): ExceptionState,
    ("lots", "state"): LotState,
}
"""Facets whose values have a chip, and so a word of their own."""
_MOST_CHOICES: Final = 30
"""Of one menu: beyond that nobody reads it."""


@dataclass(frozen=True)
class Shown:
    """One value as a cell shows it."""

    name: str
    title: str
    kind: str
    value: Any
    url: str | None


@dataclass(frozen=True)
class Cell:
    """One cell: a value, and what stands small beneath it."""

    main: Shown
    below: tuple[Shown, ...]


@dataclass(frozen=True)
class RowLink:
    """The next thing to do with a row."""

    label: str
    icon: str
    url: str


@dataclass(frozen=True)
class Row:
    """One row, by what names it."""

    key: str
    cells: tuple[Cell, ...]
    links: tuple[RowLink, ...] = ()


@dataclass(frozen=True)
class Menu:
    """A facet as a menu of links."""

    title: str
    chosen: int
    choices: tuple[Segment, ...]


@dataclass(frozen=True)
class Link:
    """Something that narrows, and the address without it; or a view, and its address."""

    label: str
    url: str
    current: bool = False
    number: str = ""
    shared: bool = False


@dataclass(frozen=True)
class Order:
    """A column to put the list in order by, both ways round."""

    title: str
    up: Link
    down: Link

    @property
    def now(self) -> str:
        """As `aria-sort` says it; empty where the list is in another order."""
        return "ascending" if self.up.current else "descending" if self.down.current else ""

    @property
    def turned(self) -> str:
        """The address a click on the column's head leads to."""
        return self.down.url if self.up.current else self.up.url


_WAYS: Final = {
    "time": ("Oldest first", "Newest first"),
    "size": ("Smallest first", "Largest first"),
    "number": ("Smallest first", "Largest first"),
}


@dataclass(frozen=True, kw_only=True)
class ListView:
    """Everything a list's page shows around and in its table."""

    name: str
    endpoint: str
    head: tuple[tuple[Column, tuple[Column, ...]], ...]
    rows: tuple[Row, ...]
    links: bool
    """Whether any row has a next thing to do."""
    segments_title: str
    segments: tuple[Segment, ...]
    menus: tuple[Menu, ...]
    narrowed: tuple[Link, ...]
    everything: str
    """The address without any filter."""
    text: str
    text_hint: str
    kept: tuple[tuple[str, str], ...]
    """What a search must carry along."""
    columns: tuple[tuple[str, str, bool], ...]
    """Name, title, shown."""
    beside_columns: tuple[tuple[str, str], ...]
    """What a choice of columns must carry along."""
    since: str
    until: str
    dated: bool
    exports: tuple[Link, ...]
    views: tuple[Link, ...]
    orders: dict[str, Order]
    """By column."""
    usual_order: Link
    query: str
    address: str
    pager: Pager
    total: int
    """Rows on this page."""


def _count(choice_count: int | None) -> str | None:
    if choice_count is None:
        return None
    return f"{CAP}+" if choice_count > CAP else str(choice_count)


def _label(one: Listed, facet: str, value: str, label: str) -> str:
    kind = _STATES.get((one.name, facet))
    return label if kind is None else state_chip(kind(value)).label


def _worth_showing(facet: FacetView) -> list[ChoiceCount]:
    return [choice for choice in facet.choices if choice.count != 0 or choice.chosen]


class _Builder:
    """Addresses of one list, as it is asked now."""

    def __init__(self, one: Listed, asked: Asked, endpoint: str) -> None:
        self.one, self.asked = one, asked
        self._bare = url_for(endpoint)

    def address(self, asked: Asked, **more: str | None) -> str:
        values: dict[str, list[str]] = {}
        for name, value in asked.pairs():
            values.setdefault(name, []).append(value)
        values.update({name: [value] for name, value in more.items() if value})
        # As `url_for` writes it; a page has two hundred of these, which differ by their query alone.
        query = urlencode([(name, value) for name, several in values.items() for value in several], safe=_AS_IT_IS)
        return f"{self._bare}?{query}" if query else self._bare

    def segments(self, facet: FacetView) -> tuple[Segment, ...]:
        now = self.asked.values(self.one, facet.name)
        found = [Segment("All", self.address(self.asked.with_values(self.one, facet.name, ())), not now)]
        for choice in facet.choices:
            if choice.count == 0 and not choice.chosen:
                continue
            to = () if now == (choice.value,) else (choice.value,)
            label = _label(self.one, facet.name, choice.value, choice.label)
            url = self.address(self.asked.with_values(self.one, facet.name, to))
            found.append(Segment(label, url, choice.chosen, _count(choice.count)))
        return tuple(found)

    def menu(self, facet: FacetView) -> Menu:
        choices = tuple(
            Segment(
                _label(self.one, facet.name, choice.value, choice.label),
                self.address(self.asked.toggled(self.one, facet.name, choice.value)),
                choice.chosen,
                _count(choice.count),
            )
            for choice in _worth_showing(facet)
        )
        return Menu(facet.title, sum(choice.chosen for choice in facet.choices), choices)

    def orders(self) -> dict[str, Order]:
        return {column.name: self._order(column) for column in self.one.columns if column.sort is not None}

    def _order(self, column: Column) -> Order:
        ways = _WAYS.get(column.kind, ("A to Z", "Z to A"))
        links = [
            Link(words, self.address(replace(self.asked, sort=sort)), self.asked.sort == sort)
            for words, sort in zip(ways, (column.name, f"-{column.name}"), strict=True)
        ]
        return Order(column.title, *links)

    def narrowed(self, facets: Sequence[FacetView], named: Callable[[str, str], str]) -> tuple[Link, ...]:
        found = []
        if self.asked.text:
            found.append(Link(f"“{self.asked.text}”", self.address(self.asked.without("q"))))
        for exact in self.one.exacts:
            if exact.name in self.asked.exact:
                words = named(exact.name, self.asked.exact[exact.name])
                found.append(Link(f"{spoken(exact.title)}: {words}", self.address(self.asked.without(exact.name))))
        for name, said, day in (("since", "Since {day}", self.asked.since), ("until", "Until {day}", self.asked.until)):
            if day is not None:
                found.append(Link(spoken(said, day=day_of(day)), self.address(self.asked.without(name))))
        for facet in facets:
            words_of = {
                choice.value: _label(self.one, facet.name, choice.value, choice.label) for choice in facet.choices
            }
            for value in self.asked.values(self.one, facet.name):
                words = words_of.get(value, f"{value} (unknown)")
                url = self.address(self.asked.toggled(self.one, facet.name, value))
                found.append(Link(f"{spoken(facet.title)}: {spoken(words)}", url))
        return tuple(found)


def build(  # noqa: PLR0913 - a page has this many sides, all named
    one: Listed,
    asked: Asked,
    found: ListPage,
    facets: Sequence[FacetView],
    *,
    endpoint: str,
    after: str | None,
    views: Sequence[SavedViewView] = (),
    named: Callable[[str, str], str] = lambda _, value: value,
    primary: str = "state",
    may: Callable[[Permission], bool] = lambda _: False,
) -> ListView:
    """The view of a list.

    Args:
        one: the list.
        asked: what is asked of it.
        found: the page.
        facets: the facets with their counts.
        endpoint: of its page.
        after: key of the page before, if this is not the first.
        views: the reader's saved views of it.
        named: how a filter's value is called, by filter and value.
        primary: the facet that is shown as segments.
        may: what the reader may do: nothing is offered that would be refused.
    """
    make = _Builder(one, asked, endpoint)
    head = columns_of(one, asked)
    first = next((facet for facet in facets if facet.name == primary), None)
    shown = {column.name for column in asked.shown(one)}
    bare = replace(asked, columns=())
    rows = _rows(one, found, head, may)
    count = f"{len(found.rows)} {one.noun}{'' if len(found.rows) == 1 else 's'} on this page"
    query = asked.query()
    return ListView(
        name=one.name,
        endpoint=endpoint,
        head=head,
        rows=rows,
        links=any(row.links for row in rows),
        segments_title=first.title if first else "",
        segments=make.segments(first) if first else (),
        menus=tuple(
            make.menu(facet) for facet in facets if facet is not first and len(_worth_showing(facet)) <= _MOST_CHOICES
        ),
        narrowed=make.narrowed(facets, named) if asked.narrows else (),
        everything=make.address(Asked(columns=asked.columns, sort=asked.sort)),
        text=asked.text,
        text_hint=one.text_hint,
        kept=tuple(pair for pair in asked.pairs() if pair[0] not in {"q", "since", "until"}),
        columns=tuple((column.name, column.title, column.name in shown) for column in one.columns),
        beside_columns=tuple(bare.pairs()),
        since=asked.since.isoformat() if asked.since else "",
        until=asked.until.isoformat() if asked.until else "",
        dated=one.time is not None,
        exports=_exports(one, query),
        views=_views(views, endpoint, query),
        orders=make.orders(),
        usual_order=Link("Usual order", make.address(replace(asked, sort="")), not asked.sort),
        query=query,
        address=make.address(asked),
        pager=Pager(
            count, make.address(asked) if after else None, make.address(asked, after=found.next) if found.next else None
        ),
        total=len(found.rows),
    )


def _rows(
    one: Listed,
    found: ListPage,
    head: tuple[tuple[Column, tuple[Column, ...]], ...],
    may: Callable[[Permission], bool],
) -> tuple[Row, ...]:
    next_of = _NEXT.get(one.name, _of_nothing)
    return tuple(
        Row(
            key,
            tuple(Cell(_shown(column, row), tuple(_shown(each, row) for each in below)) for column, below in head),
            next_of(row, may),
        )
        for key, row in zip(found.keys, found.rows, strict=True)
    )


def _of_nothing(_row: object, _may: Callable[[Permission], bool]) -> tuple[RowLink, ...]:
    return ()


def _of_certificate(row: Any, _: Callable[[Permission], bool]) -> tuple[RowLink, ...]:  # noqa: ANN401 - a row of the list
    if not row[0].sealed:
        return ()
    return (RowLink("PDF", "download", url_for("console.certificate_pdf", certificate=row[0].number)),)


def _of_host(row: Any, may: Callable[[Permission], bool]) -> tuple[RowLink, ...]:  # noqa: ANN401 - a row of the list
    if row.state is not HostState.PENDING or not may(Permission.HOST_MANAGE):
        return ()
    return (RowLink("Compare fingerprints", "fingerprint", url_for("console.confirm_host", host=row.id)),)


_NEXT: Final[Mapping[str, Callable[[Any, Callable[[Permission], bool]], tuple[RowLink, ...]]]] = {
    "certificates": _of_certificate,
    "hosts": _of_host,
}


def _exports(one: Listed, query: str) -> tuple[Link, ...]:
    return tuple(
        Link(kind.upper(), url_for("console.list_file", name=one.name, kind=kind) + (f"?{query}" if query else ""))
        for kind in MEDIA_TYPES
    )


def _views(views: Sequence[SavedViewView], endpoint: str, query: str) -> tuple[Link, ...]:
    return tuple(
        Link(view.name, url_for(endpoint) + f"?{view.filters}", view.filters == query, view.id, view.shared)
        for view in views
    )


def _address(endpoint: str, part: str, number: Value) -> str:
    """The page of one thing: a list has hundreds of these, which differ by a plain number alone."""
    if isinstance(number, str) and _PLAIN.fullmatch(number):
        return _pattern(request.script_root, endpoint, part).replace(_MARK, number)
    where: dict[str, Any] = {part: number}
    return url_for(endpoint, **where)


@cache
def _pattern(_root: str, endpoint: str, part: str) -> str:
    where: dict[str, Any] = {part: _MARK}
    return url_for(endpoint, **where)


def _shown(column: Column, row: object) -> Shown:
    value = column.value(row)
    url = None
    if column.opens and value is not None:
        endpoint, part = _PAGES[column.opens]
        number = column.number(row) if column.number else value
        url = None if number is None else _address(endpoint, part, number)
    if isinstance(value, datetime):
        return Shown(column.name, column.title, "time", value, url)
    return Shown(column.name, column.title, column.kind, value, url)
