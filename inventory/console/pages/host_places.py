"""Where data lies on a host: what was declared, what was found, and the way down to the disks."""

from __future__ import annotations

from flask import request

from inventory.console.blueprint import Reply, page
from inventory.console.views.host_places import tree_of
from inventory.console.web import actor, called, here, show
from inventory.services import queries


@page("/hosts/<host>/places")
def host_places(host: str) -> Reply:
    """Every place on a host where data lies."""
    found = queries.host(here(), actor(), host)
    gone = request.args.get("gone") == "yes"
    places = queries.host_places(here(), actor(), found.id, gone=gone)
    tags = called(device.id for place in places for device in place.devices)
    return show("host-places.html", host=found, trees=[tree_of(place) for place in places], tags=tags, gone=gone)
