"""Where disks are now and where data lies: the bays of hosts, and the maps from customers to disks."""

from __future__ import annotations

from inventory.api.dispatch import Call
from inventory.api.endpoint import READERS, Noun
from inventory.api.paging import Text
from inventory.contract.v1.common import Message
from inventory.contract.v1.vocabulary import Key
from inventory.services import queries
from inventory.services.views.bays import WallView
from inventory.services.views.maps import MapView

noun = Noun("following", "Bays of hosts with what goes on in them; the way from a customer's case to the disks.")


class BayQuery(Message):
    """Which bays."""

    host: Text | None = None
    """Every bay of this host; without it the bays of all hosts whose medium has an open order."""


@noun.get("/bays", "Bays", READERS)
def list_bays(call: Call, query: BayQuery) -> WallView:
    """What goes on in each; `pull` is said of a medium that is sanitized, validated, and under no order or hold."""
    return queries.wall(call.context, call.actor, query.host)


@noun.get("/cases/{case}/map", "Where a case's data lies", READERS)
def get_case_map(call: Call, case: Key) -> MapView:
    """From the customer's case over data sets, paths and volumes to the disks."""
    return queries.case_map(call.context, call.actor, case)


@noun.get("/data-sets/{data_set}/map", "Where a data set lies", READERS)
def get_data_set_map(call: Call, data_set: Key) -> MapView:
    """With the open cases that concern it."""
    return queries.data_set_map(call.context, call.actor, data_set)


@noun.get("/devices/{device}/map", "What a device holds, and for whom", READERS)
def get_device_map(call: Call, device: Key) -> MapView:
    """From the open cases that its data concerns down to it."""
    return queries.device_map(call.context, call.actor, device)
