"""The search, the lists with their facets, saved views, and what waits for somebody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from flask import Response
from pydantic import StringConstraints

from inventory.api.dispatch import Call
from inventory.api.endpoint import READERS, Answer, Noun, people
from inventory.api.paging import Paging, Text
from inventory.contract.v1.common import Message
from inventory.contract.v1.endpoints import PREFIX
from inventory.contract.v1.finding import ActOnRows, ViewSave
from inventory.contract.v1.vocabulary import Key
from inventory.domain.roles import Permission
from inventory.errors import Conflict, Duplicate, Forbidden, Invalid, NotFound
from inventory.services import finding, lists, many, queues, saved_views
from inventory.services.context import authorize
from inventory.services.exports import MEDIA_TYPES, Kind
from inventory.services.finding import Hit
from inventory.services.queues import QueuePartView
from inventory.services.saved_views import SavedViewView
from inventory.services.views.acts import ActLineView, ActView

from .exports import sent

noun = Noun("finding", "The search; lists with facets, columns and saved views; queues.")

_RAISES = (NotFound, Forbidden, Invalid)
_CSV, _LINES, _XLSX = (MEDIA_TYPES[kind].partition(";")[0] for kind in ("csv", "jsonl", "xlsx"))
Filters = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00-\x1f\x7f]*$")]


class FoundQuery(Message):
    """What to look for."""

    text: Text = ""
    """A number, asset tag, serial number, world wide name, reference, name or digest."""


class ListQuery(Paging):
    """Which rows and columns, in which order."""

    after: Annotated[str, StringConstraints(max_length=4000, pattern=r"^[^\x00-\x1f\x7f]*$")] | None = None
    """`next` of the page before. In the order of a column it holds that column's value, so it can be long."""

    filters: Filters = ""
    """As the part of the list's address on the console after the question mark: `state=retired&data=yes&columns=serial`.
    `sort=device` puts the list in the order of a column, `sort=-device` the other way round."""


class WholeListQuery(Message):
    """Which rows and columns; every page."""

    filters: Filters = ""


class ViewQuery(Message):
    """Which views."""

    list: Text | None = None


@dataclass(frozen=True, kw_only=True)
class ListRows:
    """One page of a list."""

    items: tuple[dict[str, str | int | bool | datetime | None], ...]
    """Each row by the names of its columns."""
    next: str | None
    """Key of the page after this one."""


@dataclass(frozen=True, kw_only=True)
class ListKind:
    """A list: what it tells, and by what it narrows."""

    name: str
    title: str
    columns: dict[str, str]
    """Name -> title."""
    facets: dict[str, tuple[str, ...]]
    """Name -> its values."""
    filters: tuple[str, ...]
    """Filters for one typed value."""
    sorts: tuple[str, ...]
    """Columns the list can be put in order by; `-` before one turns it round."""
    searched: bool
    """Whether `q` finds by text."""
    dated: bool
    """Whether `since` and `until` narrow."""


@dataclass(frozen=True, kw_only=True)
class FacetCounts:
    """A facet with how many rows each of its values has."""

    name: str
    title: str
    counts: dict[str, int | None]
    """Value -> rows; 1001 stands for more than a thousand, null for more than can be counted while somebody waits."""


@noun.get("/search", "Search everything", READERS)
def search_everything(call: Call, query: FoundQuery) -> tuple[Hit, ...]:
    """Exact hits first; a few of each kind."""
    return finding.find(call.context, call.actor, query.text)


@noun.get("/lists", "What lists there are", READERS)
def list_lists(call: Call) -> tuple[ListKind, ...]:
    """Those the reader may see, with their columns and facets."""
    return tuple(
        ListKind(
            name=one.name,
            title=one.title,
            columns={column.name: column.title for column in one.columns},
            facets={facet.name: tuple(choice.value for choice in facet.choices) for facet in one.facets},
            filters=tuple(exact.name for exact in one.exacts),
            sorts=tuple(column.name for column in one.columns if column.sort is not None),
            searched=one.text is not None,
            dated=one.time is not None,
        )
        for one in lists.LISTS.values()
        if call.actor.may(one.permission)
    )


@noun.get("/lists/{name}", "A page of a list", READERS, raises=_RAISES)
def get_list(call: Call, name: Key, query: ListQuery) -> ListRows:
    """In the list's own order, with the columns asked for or the usual ones."""
    one = lists.listed(name)
    asked = lists.asked_in(one, query.filters)
    found = lists.page(call.context, call.actor, name, asked, after=query.after, limit=query.limit)
    items = tuple({column.name: _plain(column.value(row)) for column in asked.shown(one)} for row in found.rows)
    return ListRows(items=items, next=found.next)


def _plain(value: str | int | bool | datetime | None) -> str | int | bool | datetime | None:
    return str(value) if isinstance(value, StrEnum) else value


@noun.get("/lists/{name}/facets", "The facets of a list", READERS, raises=_RAISES)
def get_facets(call: Call, name: Key, query: WholeListQuery) -> tuple[FacetCounts, ...]:
    """How many rows each value has, beside everything else that is asked."""
    asked = lists.asked_in(lists.listed(name), query.filters)
    return tuple(
        FacetCounts(name=facet.name, title=facet.title, counts={choice.value: choice.count for choice in facet.choices})
        for facet in lists.facets(call.context, call.actor, name, asked)
    )


@noun.get("/lists/{name}.csv", "A list as CSV", READERS, media_type=_CSV, raises=_RAISES)
def take_list_csv(call: Call, name: Key, query: WholeListQuery) -> Response:
    """Exactly what the list shows, every page of it."""
    return _taken(call, name, "csv", query)


@noun.get("/lists/{name}.jsonl", "A list as JSON Lines", READERS, media_type=_LINES, raises=_RAISES)
def take_list_jsonl(call: Call, name: Key, query: WholeListQuery) -> Response:
    """Exactly what the list shows, every page of it."""
    return _taken(call, name, "jsonl", query)


@noun.get("/lists/{name}.xlsx", "A list as XLSX", READERS, media_type=_XLSX, raises=_RAISES)
def take_list_xlsx(call: Call, name: Key, query: WholeListQuery) -> Response:
    """Exactly what the list shows, every page of it."""
    return _taken(call, name, "xlsx", query)


def _taken(call: Call, name: str, kind: Kind, query: WholeListQuery) -> Response:
    asked = lists.asked_in(lists.listed(name), query.filters)
    return sent(lists.take(call.context, call.actor, name, asked, kind))


@noun.get("/lists/{name}/acts", "What can be done to many rows", READERS, raises=_RAISES)
def list_acts(call: Call, name: Key) -> tuple[ActView, ...]:
    """Those the reader may do. Devices have their own: `POST /api/v1/device-events`."""
    authorize(call.actor, lists.listed(name).permission)
    return many.acts_of(call.actor, name)


@noun.post("/lists/{name}/acts", "Do the same to many rows", READERS, creates=True, status=200, raises=_RAISES)
def act_on_rows(call: Call, name: Key, body: ActOnRows) -> tuple[ActLineView, ...]:
    """Each by itself: one that is refused changes nothing, says why, and stops none of the others. A dry run does it in vain."""
    command = many.ActOnMany(
        list=name,
        act=body.act,
        rows=body.rows,
        reason=body.reason,
        owner=body.owner,
        day=body.day,
        dry_run=body.dry_run,
    )
    return many.act_on_many(call.context, call.actor, command)


@noun.get("/views", "One's own saved views", READERS)
def list_saved_views(call: Call, query: ViewQuery) -> tuple[SavedViewView, ...]:
    """By name."""
    return saved_views.list_views(call.context, call.actor, of=query.list)


@noun.post("/views", "Save a view", READERS, creates=True, raises=(Duplicate, Conflict, *_RAISES))
def save_view(call: Call, body: ViewSave) -> Answer[SavedViewView]:
    """Filters and columns of a list under a name. A shared view opens for whoever has its address."""
    command = saved_views.SaveView(list=body.list, name=body.name, filters=body.filters, shared=body.shared)
    view = saved_views.save(call.context, call.actor, command)
    return Answer(view, location=f"{PREFIX}/views/{view.id}")


@noun.get("/views/{view}", "A saved view", READERS, raises=(NotFound,))
def get_saved_view(call: Call, view: Key) -> SavedViewView:
    """One's own, or one that somebody shares."""
    return saved_views.saved_view(call.context, call.actor, view)


@noun.delete("/views/{view}", "Remove a saved view", READERS, raises=(NotFound,))
def remove_saved_view(call: Call, view: Key) -> None:
    """Of one's own."""
    saved_views.remove(call.context, call.actor, view)


@noun.get("/queues/approve", "What waits for approvers", people(Permission.ORDER_APPROVE))
def get_approval_queue(call: Call) -> tuple[QueuePartView, ...]:
    """Orders that lack signatures, the one that lapses first on top."""
    return queues.queue(call.context, call.actor, "approve")


@noun.get("/queues/privacy", "What waits for the privacy officer", people(Permission.CASE_MANAGE))
def get_privacy_queue(call: Call) -> tuple[QueuePartView, ...]:
    """In parts, the most urgent first."""
    return queues.queue(call.context, call.actor, "privacy")


@noun.get("/queues/custody", "What waits for the custodian", people(Permission.DEVICE_RELEASE))
def get_custody_queue(call: Call) -> tuple[QueuePartView, ...]:
    """In parts, the most urgent first."""
    return queues.queue(call.context, call.actor, "custody")
