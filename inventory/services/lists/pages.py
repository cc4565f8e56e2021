"""A page of a list, how many each facet has, and the whole of it as a file: the same rows by the same conditions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from inventory.errors import Invalid, NotFound
from inventory.events import Tag
from inventory.services._among import among
from inventory.services._scope import only
from inventory.services.context import Actor, Context, authorize
from inventory.services.exports import Kind, Taken, as_file
from inventory.services.kernel import note
from inventory.services.packs.listing import moment
from inventory.services.packs.tables import Cell, Rows, Table
from inventory.services.queries._paging import bounded, cut

from .asked import Asked
from .data import CASES, EVENTS, LOTS
from .devices import DEVICES
from .hosts import HOSTS
from .spec import CAP, Asking, Column, Condition, Facet, Listed
from .walking import walk
from .work import CERTIFICATES, EXCEPTIONS, ORDERS

LISTS: Final[dict[str, Listed]] = {
    one.name: one for one in (DEVICES, HOSTS, ORDERS, CASES, EXCEPTIONS, LOTS, CERTIFICATES, EVENTS)
}
"""Every list there is."""

FILE_ROWS: Final = 1_000_000
"""Of one file."""
_FEW_CHOICES: Final = 8
_AT_ONCE: Final = 500
AT_ONCE_CHOSEN: Final = 200
"""Rows that one act may be about."""


@dataclass(frozen=True, kw_only=True)
class ListPage:
    """Rows as a list shows them."""

    rows: tuple[Any, ...]
    keys: tuple[str, ...]
    """What names each row."""
    next: str | None


@dataclass(frozen=True, kw_only=True)
class ChoiceCount:
    """A value of a facet, and how many rows have it."""

    value: str
    label: str
    chosen: bool
    count: int | None
    """None: too many to count while somebody waits. One more than the cap: more than that."""


@dataclass(frozen=True, kw_only=True)
class FacetView:
    """A facet with what is chosen of it."""

    name: str
    title: str
    choices: tuple[ChoiceCount, ...]
    chosen: bool


def listed(name: str) -> Listed:
    """The list of this name. Raises `NotFound`."""
    if name not in LISTS:
        raise NotFound("list", name[:64])
    return LISTS[name]


def page(
    context: Context, actor: Actor, name: str, asked: Asked, *, after: str | None = None, limit: int = 50
) -> ListPage:
    """One page. The list's own permission. Raises `NotFound` (list), `Invalid` (key)."""
    one = listed(name)
    authorize(actor, one.permission)
    asking = Asking(context=context, actor=actor, now=context.now())
    with context.reading(actor) as session:
        return _page(session, one, asked, asking, _typed(session, one, asked, asking), after=after, limit=limit)


def facets(context: Context, actor: Actor, name: str, asked: Asked) -> tuple[FacetView, ...]:
    """What the list can be narrowed to, each with its count as far as it is cheap. The list's own permission."""
    one = listed(name)
    authorize(actor, one.permission)
    asking = Asking(context=context, actor=actor, now=context.now())
    with context.reading(actor) as session:
        return _facets(session, one, asked, asking, _typed(session, one, asked, asking))


def page_with_facets(
    context: Context, actor: Actor, name: str, asked: Asked, *, after: str | None = None, limit: int = 50
) -> tuple[ListPage, tuple[FacetView, ...]]:
    """`page` and `facets` of one state, what was typed looked for once. The list's own permission; raises as `page`."""
    one = listed(name)
    authorize(actor, one.permission)
    asking = Asking(context=context, actor=actor, now=context.now())
    with context.reading(actor) as session:
        typed = _typed(session, one, asked, asking)
        return (
            _page(session, one, asked, asking, typed, after=after, limit=limit),
            _facets(session, one, asked, asking, typed),
        )


def _page(
    session: Session,
    one: Listed,
    asked: Asked,
    asking: Asking,
    typed: list[Condition],
    *,
    after: str | None,
    limit: int,
) -> ListPage:
    conditions = [*typed, *_faceted(one, asked, asking)]
    steps = walk(session, one, asked, conditions, after=after, count=bounded(limit) + 1)
    here, following = cut(steps, limit, lambda step: step.key)
    found = [step.row for step in here]
    keys = tuple(str(getattr(row, one.key.key)) for row in found)
    return ListPage(rows=one.rows(session, asking, found), keys=keys, next=following)


def _facets(
    session: Session, one: Listed, asked: Asked, asking: Asking, typed: list[Condition]
) -> tuple[FacetView, ...]:
    counts: dict[str, dict[str, int]] = {}
    if asked.text or asked.exact or asked.since or asked.until:
        # The rows that were typed for are looked for once and then known by their keys; too many are not counted.
        keys = session.scalars(sa.select(one.key).where(*typed).limit(CAP + 1)).all()
        if not keys:
            counts = {
                facet.name: {choice.value: 0 for choice in facet.choices} for facet in one.facets if _counted(facet)
            }
        elif len(keys) <= CAP:
            counts = _counts(session, one, asked, asking, [among(session, one.key, keys)])
    else:
        counts = _counts(session, one, asked, asking, typed)
    return tuple(_facet(one, asked, facet, counts.get(facet.name, {})) for facet in one.facets)


def _counted(facet: Facet) -> bool:
    """Whether a facet's rows are counted where they are few."""
    return facet.column is not None or len(facet.choices) <= _FEW_CHOICES


def chosen(context: Context, actor: Actor, name: str, asked: Asked) -> tuple[tuple[str, ...], bool]:
    """What names the rows, as many as one act may be about; and whether there are more. The list's own permission."""
    one = listed(name)
    authorize(actor, one.permission)
    asking = Asking(context=context, actor=actor, now=context.now())
    with context.reading(actor) as session:
        conditions = _conditions(session, one, asked, asking)
        steps = walk(session, one, asked, conditions, after=None, count=AT_ONCE_CHOSEN + 1)
        found = [str(getattr(step.row, one.key.key)) for step in steps]
    return tuple(found[:AT_ONCE_CHOSEN]), len(found) > AT_ONCE_CHOSEN


def take(context: Context, actor: Actor, name: str, asked: Asked, kind: Kind) -> Taken:
    """Exactly what the list shows, all pages of it, as a file; who took it stands in the history.

    Raises:
        NotFound: there is no such list.
        Invalid: no such kind of file, or more rows than a file holds.
    """
    one = listed(name)
    authorize(actor, one.permission)
    columns = asked.shown(one)
    rows = Rows(Table(one.name, one.title, tuple(column.title for column in columns)))
    try:
        asking = Asking(context=context, actor=actor, now=context.now())
        with context.reading(actor) as session:
            for view in _all(session, one, asked, asking):
                _require_room(rows)
                rows.add(*(_cell(column.value(view)) for column in columns))
        with context.writing(actor) as session:
            note(
                session, context, actor, Tag.EXPORT_TAKEN, "table", one.name,
                details={"file": f"{one.name}.{kind}", "rows": rows.count, "filters": asked.query()},
            )  # fmt: skip
        return as_file(f"{one.name}.{kind}", kind, rows)
    except BaseException:
        rows.close()
        raise


def _require_room(rows: Rows) -> None:
    if rows.count >= FILE_ROWS:
        raise Invalid("filters", f"A file holds {FILE_ROWS} rows: narrow the list.")


def empty(context: Context, actor: Actor, name: str) -> bool:
    """Whether the reader sees nothing at all of this kind."""
    one = listed(name)
    authorize(actor, one.permission)
    with context.reading(actor) as session:
        first = sa.select(one.key).where(*one.base, *only(actor, one.model)).limit(1)
        return session.scalar(first) is None


# -- conditions --------------------------------------------------------------------------------------------------------


def _conditions(session: Session, one: Listed, asked: Asked, asking: Asking) -> list[Condition]:
    """Everything asked, with the scope of who asks."""
    return [*_typed(session, one, asked, asking), *_faceted(one, asked, asking)]


def _faceted(one: Listed, asked: Asked, asking: Asking) -> list[Condition]:
    """What facets narrow to."""
    named = [(facet, asked.values(one, facet.name)) for facet in one.facets]
    return [_narrowing(facet, values, asking) for facet, values in named if values]


def _typed(session: Session, one: Listed, asked: Asked, asking: Asking) -> list[Condition]:
    """What was typed, with the scope of who asks."""
    found: list[Condition] = [*one.base, *only(asking.actor, one.model)]
    if asked.text and one.text is not None:
        found.append(one.text(session, asked.text))
    found += [exact.condition(asked.exact[exact.name]) for exact in one.exacts if exact.name in asked.exact]
    since, until = asked.moments()
    if one.time is not None and since is not None:
        found.append(one.time >= since)
    if one.time is not None and until is not None:
        found.append(one.time < until)
    return found


def _narrowing(facet: Facet, values: Sequence[str], asking: Asking) -> Condition:
    """What is no value of the facet finds nothing: it never widens what somebody is about to act on."""
    known = {choice.value for choice in facet.choices}
    meant = [value for value in values if value in known]
    return facet.condition(meant, asking) if meant else sa.false()


def _all(session: Session, one: Listed, asked: Asked, asking: Asking) -> Iterator[Any]:
    """Every row, page by page by its key: nothing is held open, and no row is skipped or told twice."""
    after: str | None = None
    conditions = _conditions(session, one, asked, asking)
    while True:
        steps = walk(session, one, asked, conditions, after=after, count=_AT_ONCE)
        yield from one.rows(session, asking, [step.row for step in steps])
        if len(steps) < _AT_ONCE:
            return
        after = steps[-1].key
        session.expunge_all()


def _cell(value: object) -> Cell:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return moment(value)
    if value is None or isinstance(value, int):
        return value
    return str(value)


# -- counts ------------------------------------------------------------------------------------------------------------


def _facet(one: Listed, asked: Asked, facet: Facet, counts: dict[str, int]) -> FacetView:
    now = asked.values(one, facet.name)
    return FacetView(
        name=facet.name,
        title=facet.title,
        chosen=bool(now),
        choices=tuple(
            ChoiceCount(
                value=choice.value, label=choice.label, chosen=choice.value in now, count=counts.get(choice.value)
            )
            for choice in facet.choices
        ),
    )


def _counts(
    session: Session, one: Listed, asked: Asked, asking: Asking, base: list[Condition]
) -> dict[str, dict[str, int]]:
    """Of each facet: exact where few rows are left without it; else to the cap, where an index finds a value's rows.

    A count never makes somebody wait: where other facets narrow a long list, an index alone does not answer. What can be asked
    together is asked together.
    """
    asks = {
        facet.name: tuple(other.name for other in one.facets if other is not facet and asked.values(one, other.name))
        for facet in one.facets
    }
    left = {
        names: [
            *base,
            *(_narrowing(other, asked.values(one, other.name), asking) for other in one.facets if other.name in names),
        ]
        for names in asks.values()
    }
    few = dict(zip(left, _together(session, [_capped(one, conditions) for conditions in left.values()]), strict=True))
    found: dict[str, dict[str, int]] = {}
    capped: list[tuple[str, str, sa.Select[Any]]] = []
    for facet in one.facets:
        others = left[asks[facet.name]]
        if few[asks[facet.name]] <= CAP:
            if facet.column is not None:
                found[facet.name] = _grouped(session, one, facet, facet.column, others)
            elif _counted(facet):
                capped += [
                    (facet.name, choice.value, _whole(one, [*others, facet.condition([choice.value], asking)]))
                    for choice in facet.choices
                ]
        elif facet.indexed and facet.column is not None and not asks[facet.name]:
            capped += [
                (facet.name, choice.value, _capped(one, [*others, facet.condition([choice.value], asking)]))
                for choice in facet.choices
            ]
    numbers = _together(session, [statement for _, _, statement in capped])
    for (name, value, _), number in zip(capped, numbers, strict=True):
        found.setdefault(name, {})[value] = number
    return found


def _together(session: Session, statements: Sequence[sa.Select[Any]]) -> list[int]:
    """Several counts by one statement."""
    if not statements:
        return []
    row = session.execute(sa.select(*(one.scalar_subquery() for one in statements))).one()
    return [number or 0 for number in row]


def _capped(one: Listed, conditions: Sequence[Condition]) -> sa.Select[Any]:
    few = sa.select(one.key).where(*conditions).limit(CAP + 1).subquery()
    return sa.select(sa.func.count()).select_from(few)


def _whole(one: Listed, conditions: Sequence[Condition]) -> sa.Select[Any]:
    return sa.select(sa.func.count()).select_from(one.model).where(*conditions)


def _grouped(
    session: Session,
    one: Listed,
    facet: Facet,
    column: sa.ColumnElement[Any] | InstrumentedAttribute[Any],
    others: Sequence[Condition],
) -> dict[str, int]:
    one_each = sa.select(column.label("value")).select_from(one.model).where(*others).subquery()
    found = session.execute(sa.select(one_each.c.value, sa.func.count()).group_by(one_each.c.value))
    counts = {str(value): count for value, count in found}
    return {choice.value: counts.get(choice.value, 0) for choice in facet.choices}


def columns_of(one: Listed, asked: Asked) -> tuple[tuple[Column, tuple[Column, ...]], ...]:
    """The columns to show, each with those that stand small beneath it; one whose upper column is hidden stands alone."""
    shown = asked.shown(one)
    names = {column.name for column in shown}
    upper = [column for column in shown if not (column.below and column.below in names)]
    return tuple((column, tuple(one for one in shown if one.below == column.name)) for column in upper)
