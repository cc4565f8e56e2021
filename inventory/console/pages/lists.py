"""The lists: found, narrowed, kept as views, and taken away exactly as they are seen."""

from __future__ import annotations

from typing import Any, cast

from flask import redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from inventory.api.v1.exports import sent
from inventory.console.blueprint import Reply, act, page
from inventory.console.views.listing import ListView, build
from inventory.console.web import actor, go, here, may, names, one_view, perform, received, show
from inventory.domain.roles import Permission
from inventory.errors import InventoryError, NotFound
from inventory.services import data, lists, many, places, queries, saved_views, transparency
from inventory.services.exports import MEDIA_TYPES, Kind

_ENDPOINTS = {
    "devices": "console.devices",
    "hosts": "console.hosts",
    "orders": "console.orders",
    "cases": "console.cases",
    "exceptions": "console.exceptions",
    "lots": "console.lots",
    "certificates": "console.certificates",
    "events": "console.events",
}
ROWS = 40
"""Of one page."""


def asked_here(name: str) -> lists.Asked:
    """What the address asks of a list."""
    pairs = [pair for pair in request.args.items(multi=True) if pair[0] not in {"after", "said", "columns"}]
    columns = ",".join(request.args.getlist("columns"))
    return lists.asked_of(lists.listed(name), [*pairs, ("columns", columns)])


def _named(filter_name: str, value: str) -> str:
    """How a filter's value is called, where the reader may know it; else the value."""
    try:
        if filter_name == "host":
            return queries.host(here(), actor(), value).name
        if filter_name == "location":
            return next((place.name for place in places.list_locations(here(), actor()) if place.id == value), value)
        if filter_name == "data_set":
            return next((row.name for row in data.list_data_sets(here(), actor()) if row.id == value), value)
    except InventoryError:
        return value
    if filter_name in {"actor", "requested_by"}:
        return names()(value)
    return value


def list_view(name: str, asked: lists.Asked, *, rows: int = ROWS, primary: str = "state") -> tuple[ListView, Any]:
    """A list as this request asks for it: the view, and the rows' own views."""
    after = request.args.get("after")
    found, facets = lists.page_with_facets(here(), actor(), name, asked, after=after, limit=rows)
    mine = saved_views.list_views(here(), actor(), of=name)
    view = build(
        lists.listed(name),
        asked,
        found,
        facets,
        endpoint=_ENDPOINTS[name],
        after=after,
        views=mine,
        named=_named,
        primary=primary,
        may=may,
    )
    return view, found.rows


def selecting(name: str) -> dict[str, str] | None:
    """Where ticked rows of a list are acted on, and what their boxes are called; None: nothing this reader may do to many."""
    if name == "devices":
        able = may(Permission.DEVICE_MOVE) or may(Permission.ORDER_REQUEST)
        return {"url": url_for("console.selected_devices"), "field": "device"} if able else None
    if not many.acts_of(actor(), name):
        return None
    return {"url": url_for("console.selected", name=name), "field": "row"}


@one_view
def show_list(name: str, template: str, *, primary: str = "state", **more: Any) -> Reply:  # noqa: ANN401 - a template takes anything
    """A list's page."""
    asked = asked_here(name)
    view, _ = list_view(name, asked, primary=primary)
    none_at_all = not view.rows and lists.empty(here(), actor(), name)
    more.setdefault("selects", selecting(name))
    return show(template, list=view, none_at_all=none_at_all, **more)


@page("/devices")
def devices_page() -> Reply:
    """Every device."""
    return show_list("devices", "devices.html")


@page("/hosts")
def hosts_page() -> Reply:
    """Every host with the health of its agent."""
    return show_list("hosts", "hosts.html")


@page("/orders")
def orders_page() -> Reply:
    """Every order."""
    return show_list("orders", "orders.html", primary="show")


@page("/cases")
def cases_page() -> Reply:
    """Every erasure case."""
    return show_list("cases", "cases.html")


@page("/lots")
def lots_page() -> Reply:
    """Every lot."""
    return show_list("lots", "lots.html")


@page("/certificates", Permission.READ_EVIDENCE)
def certificates_page() -> Reply:
    """Every certificate."""
    return show_list("certificates", "certificates.html", pin=transparency.trust(here()).pin)


@page("/lists/<name>.<kind>")
def list_file(name: str, kind: str) -> Reply:
    """A list as a file: the columns and rows its page shows, all pages of it."""
    if kind not in MEDIA_TYPES:
        raise NotFound("kind of file", kind)
    return sent(lists.take(here(), actor(), name, asked_here(name), cast("Kind", kind)))


# -- saved views -------------------------------------------------------------------------------------------------------


@page("/views")
def views_page() -> Reply:
    """One's own saved views."""
    return show("views.html", views=saved_views.list_views(here(), actor()), lists=lists.LISTS)


@page("/views/<view>")
def open_view(view: str) -> Reply:
    """A saved view: its list, as it was asked."""
    found = saved_views.saved_view(here(), actor(), view)
    return redirect(f"{url_for(_ENDPOINTS[found.list])}?{found.filters}", 303)


@act("/lists/<name>/views", Permission.READ)
def save_view(name: str) -> Reply:
    """Keep what the list is asked now."""
    typed = received()
    lists.listed(name)
    called = typed.text("name", "Give the view a name.", limit=80)
    command = saved_views.SaveView(
        list=name, name=called, filters=typed.value("filters"), shared=typed.has("shared", "yes")
    )

    def deed() -> AnyResponse:
        saved = saved_views.save(here(), actor(), command)
        return redirect(url_for(_ENDPOINTS[name], said="view-saved") + f"&{saved.filters}", 303)

    done = perform(typed, deed)
    return done or show("views.html", 422, views=saved_views.list_views(here(), actor()), lists=lists.LISTS, form=typed)


@act("/views/<view>/share", Permission.READ)
def share_view(view: str) -> Reply:
    """Let others open it, or no more."""
    saved_views.share(here(), actor(), view, shared=request.form.get("shared") == "yes")
    return go("views", said="view-changed")


@act("/views/<view>/remove", Permission.READ)
def remove_view(view: str) -> Reply:
    """Throw it away."""
    saved_views.remove(here(), actor(), view)
    return go("views", said="view-removed")
