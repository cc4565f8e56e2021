"""Live regions: a run, the runs under way, the wall of a wipe room; as a stream for who asks for one, else once."""

from __future__ import annotations

import hashlib
from typing import Any

from flask import make_response, request

from inventory.console.blueprint import Reply, page
from inventory.console.streaming import Region, stream
from inventory.console.views.order import RUNNING
from inventory.console.views.running import columns, counts, tiles
from inventory.console.web import actor, fragment, here, show
from inventory.services import queries
from inventory.services.queries.bays import pulse as wall_pulse
from inventory.services.queries.orders import OrderFilter

from ._waiting import FEW

_EVENTS = "text/event-stream"


def _answer(region: Region) -> Reply:
    """The region told as it changes, or its picture alone; a picture that is known is not sent again."""
    if request.accept_mimetypes.best == _EVENTS:
        return stream(region)
    body = region.draw()
    response = make_response(body)
    response.set_etag(hashlib.sha256(body.encode()).hexdigest()[:32], weak=True)
    return response.make_conditional(request)


@page("/orders/<order>/live")
def order_live(order: str) -> Reply:
    """One run."""

    def draw() -> str:
        found = queries.order(here(), actor(), order)
        return fragment("order-live.html", order=found, running=found.state in RUNNING)

    return _answer(Region(pulse=lambda: queries.order_pulse(here(), actor(), order), draw=draw))


@page("/running")
def running() -> Reply:
    """The runs under way, newest first: as many as the page around them showed, or it would take them for other runs."""

    def draw() -> str:
        orders = queries.list_orders(here(), actor(), OrderFilter(states=RUNNING), limit=FEW)
        return fragment("running.html", running=orders)

    return _answer(Region(pulse=lambda: wall_pulse(here(), actor()), draw=draw))


def _host() -> str | None:
    return request.args.get("host", "").strip()[:128] or None


@page("/wall")
def wall() -> Reply:
    """The bays of a wipe room, to be read from afar."""
    host = _host()
    hosts = queries.list_hosts(here(), actor(), limit=50).items
    return show("wall.html", **_wall(host), hosts=hosts, host=host, theme="dark")


@page("/wall/bays")
def wall_bays() -> Reply:
    """The wall's bays alone."""
    host = _host()
    pulse = lambda: wall_pulse(here(), actor(), host)  # noqa: E731 - one line says it
    return _answer(Region(pulse=pulse, draw=lambda: fragment("wall-bays.html", **_wall(host), host=host)))


def _wall(host: str | None) -> dict[str, Any]:
    found = queries.wall(here(), actor(), host)
    return {
        "tiles": tiles(found, here().now()),
        "counts": counts(found),
        "columns": columns(len(found.bays)),
        "wall": found,
        "now": here().now(),
    }
