"""Saved views: filters and columns of a list under a name, each its owner's; a shared one opens for whoever has its address.

A view is words of an address and never rows: whoever opens one finds in it what they see anyway.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from inventory.domain.roles import Permission
from inventory.errors import Conflict, Duplicate, NotFound
from inventory.models import SavedView

from .context import Actor, Context, authorize
from .kernel import required
from .lists import asked_in, listed

MOST: Final = 50
"""Of one person."""
_NUMBER: Final = re.compile(r"V-[0-9a-f]{16}")


@dataclass(frozen=True, kw_only=True)
class SavedViewView:
    """A saved view."""

    id: str
    list: str
    name: str
    filters: str
    """As the part of the list's address after the question mark."""
    shared: bool
    mine: bool
    owner: str
    created: datetime


@dataclass(frozen=True, kw_only=True)
class SaveView:
    """Keep what a list is asked now."""

    list: str
    name: str
    filters: str
    shared: bool = False


def save(context: Context, actor: Actor, command: SaveView) -> SavedViewView:
    """Keep a view of one's own. Permission `inventory.read`.

    Raises:
        NotFound: there is no such list.
        Invalid: no filters of that list, or no name.
        Duplicate: one has a view of this name there already.
        Conflict: one has as many views as there may be.
    """
    authorize(actor, Permission.READ)
    one = listed(command.list)
    authorize(actor, one.permission)
    name = required("name", command.name, most=80)
    query = asked_in(one, command.filters).query()
    with context.writing(actor) as session:
        mine = session.scalars(sa.select(SavedView).where(SavedView.person == actor.ref)).all()
        same = next((row.id for row in mine if (row.list_name, row.name) == (one.name, name)), None)
        if same is not None:
            raise Duplicate("view", "name", same)
        if len(mine) >= MOST:
            raise Conflict(f"You have {MOST} saved views; remove one first.")
        row = SavedView(
            id=f"V-{secrets.token_hex(8)}",
            person=actor.ref,
            list_name=one.name,
            name=name,
            query=query,
            shared=command.shared,
            created=context.now(),
        )
        session.add(row)
        session.flush()
        return _view(row, actor)


def list_views(context: Context, actor: Actor, *, of: str | None = None) -> tuple[SavedViewView, ...]:
    """One's own views, by name; of one list, or of all. Permission `inventory.read`."""
    authorize(actor, Permission.READ)
    statement = sa.select(SavedView).where(SavedView.person == actor.ref).order_by(SavedView.name, SavedView.id)
    if of is not None:
        statement = statement.where(SavedView.list_name == of)
    with context.reading(actor) as session:
        return tuple(_view(row, actor) for row in session.scalars(statement))


def saved_view(context: Context, actor: Actor, number: str) -> SavedViewView:
    """One's own view, or one that somebody shares. Permission `inventory.read`. Raises `NotFound`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        row = session.get(SavedView, number) if _NUMBER.fullmatch(number) else None
        if row is None or not (row.shared or row.person == actor.ref):
            raise NotFound("view", number)
        return _view(row, actor)


def share(context: Context, actor: Actor, number: str, *, shared: bool) -> SavedViewView:
    """Let others open it, or no more. Permission `inventory.read`. Raises `NotFound` for a view that is not one's own."""
    authorize(actor, Permission.READ)
    with context.writing(actor) as session:
        row = session.get(SavedView, number)
        if row is None or row.person != actor.ref:
            raise NotFound("view", number)
        row.shared = shared
        session.flush()
        return _view(row, actor)


def remove(context: Context, actor: Actor, number: str) -> None:
    """Throw a view of one's own away. Permission `inventory.read`. Raises `NotFound`."""
    authorize(actor, Permission.READ)
    with context.writing(actor) as session:
        row = session.get(SavedView, number)
        if row is None or row.person != actor.ref:
            raise NotFound("view", number)
        session.delete(row)


def _view(row: SavedView, actor: Actor) -> SavedViewView:
    return SavedViewView(
        id=row.id,
        list=row.list_name,
        name=row.name,
        filters=row.query,
        shared=row.shared,
        mine=row.person == actor.ref,
        owner=row.person,
        created=row.created,
    )
