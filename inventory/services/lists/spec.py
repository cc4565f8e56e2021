"""What a list is: columns to choose from, facets that narrow it, and the key by which its pages follow each other.

One description serves the page, the interface and the file that is taken away, so that the three cannot differ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from inventory.domain.roles import Permission
from inventory.models import Base
from inventory.services.context import Actor, Context

Condition = sa.ColumnElement[bool]
Value = str | int | bool | datetime | None
Kind = Literal[
    "text", "mono", "number", "size", "time", "person", "state", "severity", "words", "technique", "yes", "progress"
]
"""How a value looks on a page: `state` and `severity` as a chip, `words` in sentence case, `technique` by what it is called,
`yes` as a mark, `progress` as a bar of a hundred."""

CAP: Final = 1000
"""A count goes no further than this; what is beyond it reads as more than a thousand."""
MOST_VALUES: Final = 50
"""Of one filter."""


@dataclass(frozen=True)
class Sort:
    """By what a list can be put in order, so that each page goes on after the last row of the one before."""

    by: sa.ColumnElement[Any] | InstrumentedAttribute[Any]
    """Texts, whole numbers or moments of the model; where the table is long, an index holds them together with the key."""
    gaps: bool = False
    """Whether rows may have no value; those come last, whichever way round."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One thing told of each row."""

    name: str
    title: str
    value: Callable[[Any], Value]
    """Of a row's view."""
    kind: Kind = "text"
    opens: str = ""
    """What kind of thing a click leads to; empty: nothing."""
    number: Callable[[Any], str | None] | None = None
    """Its number, where that is not the value."""
    below: str = ""
    """The column this one stands beneath, small, on a page; by itself in a file."""
    usual: bool = True
    """Shown where nobody chose columns."""
    sort: Sort | None = None
    """How the list is put in order by it; None: it is not."""


@dataclass(frozen=True)
class Choice:
    """One value of a facet."""

    value: str
    label: str


@dataclass(frozen=True, kw_only=True)
class Asking:
    """What a condition may need beside the value: the time, who asks, and what is set up here."""

    context: Context
    actor: Actor
    now: datetime


@dataclass(frozen=True, kw_only=True)
class Facet:
    """Values a list can be narrowed to; several of one facet mean any of them."""

    name: str
    title: str
    choices: tuple[Choice, ...]
    condition: Callable[[Sequence[str], Asking], Condition]
    """For values that are all among the choices."""
    column: sa.ColumnElement[Any] | InstrumentedAttribute[Any] | None = None
    """Where each row has exactly one of the values: how they are counted in one go."""
    indexed: bool = False
    """Whether an index finds the rows of a value, so that counting to the cap is cheap however long the table is."""
    presumed: tuple[str, ...] = ()
    """Chosen where the address says nothing of this facet; the word `any` lifts it."""
    single: bool = False
    """One value at a time."""


@dataclass(frozen=True, kw_only=True)
class Exact:
    """A filter for one typed value: a host, a place, a person."""

    name: str
    title: str
    condition: Callable[[str], Condition]


@dataclass(frozen=True, kw_only=True)
class Walk:
    """The order of a list, by a key that no two rows share."""

    by: tuple[sa.ColumnElement[Any] | InstrumentedAttribute[Any], ...]
    beyond: Callable[[str], Condition]
    """The rows after the one with this key. Raises `Invalid` where it is no key."""
    key: Callable[[Any], str]
    """Of a row of the model."""


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One kind of list."""

    name: str
    title: str
    noun: str
    """Of one row, in the singular."""
    permission: Permission
    model: type[Base]
    key: InstrumentedAttribute[Any]
    """What names a row."""
    walk: Walk
    base: tuple[Condition, ...] = ()
    columns: tuple[Column, ...]
    facets: tuple[Facet, ...]
    exacts: tuple[Exact, ...] = ()
    text: Callable[[Session, str], Condition] | None = None
    """Finds by what people type; None: this list is not searched by text."""
    text_hint: str = ""
    time: InstrumentedAttribute[Any] | None = None
    """By which `since` and `until` narrow."""
    rows: Callable[[Session, Asking, Sequence[Any]], tuple[Any, ...]]
    """From rows of the model to views, in the order given, at a fixed number of statements."""

    def facet(self, name: str) -> Facet | None:
        """The facet of this name."""
        return next((one for one in self.facets if one.name == name), None)

    def column(self, name: str) -> Column | None:
        """The column of this name."""
        return next((one for one in self.columns if one.name == name), None)


def words(kind: Any) -> tuple[Choice, ...]:  # noqa: ANN401 - any enumeration of words
    """The members of an enumeration as choices."""
    return tuple(Choice(str(word), _sentence(str(word))) for word in kind)


def _sentence(word: str) -> str:
    text = word.replace("_", " ").replace("-", " ")
    return text[:1].upper() + text[1:]


YES: Final = (Choice("yes", "Yes"), Choice("no", "No"))


def one_of(column: InstrumentedAttribute[Any]) -> Callable[[Sequence[str], Asking], Condition]:
    """That a column has one of the values."""
    return lambda values, _: column.in_(list(values))


def either(yes: Callable[[Asking], Condition]) -> Callable[[Sequence[str], Asking], Condition]:
    """A question that rows answer with yes or no."""

    def condition(values: Sequence[str], asking: Asking) -> Condition:
        wanted = set(values)
        if wanted >= {"yes", "no"}:
            return sa.true()
        return yes(asking) if "yes" in wanted else ~yes(asking)

    return condition


def part_of(text: str, *columns: InstrumentedAttribute[Any]) -> Condition:
    """That one of the columns holds the text somewhere; case does not matter."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return sa.or_(*(column.ilike(f"%{escaped}%", escape="\\") for column in columns))
