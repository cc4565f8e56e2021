"""Data sets, the paths and devices where they lie, and holds."""

from __future__ import annotations

from inventory.api.dispatch import Call
from inventory.api.endpoint import READERS, Answer, Noun, people
from inventory.api.paging import Paging, Text
from inventory.contract.v1.common import Message
from inventory.contract.v1.endpoints import PREFIX
from inventory.contract.v1.holdings import (
    DataSetChange,
    DataSetCreate,
    HoldingDeclare,
    HoldPlace,
    PathDate,
    PathDeclare,
)
from inventory.contract.v1.people import Reason
from inventory.contract.v1.vocabulary import Key
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import Category, HoldingKind, HoldingState
from inventory.errors import Conflict, Duplicate, Invalid, NotFound
from inventory.services import data, holds, path_dates, queries
from inventory.services.views import DataSetView, DeclaredPathView, HoldingView, HoldView, Page

noun = Noun("data-sets", "Data with one owner, category and retention; and the paths where it lives.")
holdings = Noun("holdings", "Which device holds, or held, which data set. Deleting files never ends one.")
hold_noun = Noun("holds", "Legal and investigation holds: nothing they cover is destroyed.")

_MANAGE = people(Permission.DATA_SET_MANAGE)


class PathQuery(Message):
    """Which declared paths."""

    host: Text | None = None
    data_set: Text | None = None


class HoldingQuery(Paging):
    """Which holdings."""

    device: Text | None = None
    data_set: Text | None = None
    state: HoldingState | None = None


class HoldQuery(Message):
    """Which holds."""

    active: bool = True


@noun.get("/data-sets", "Data sets", READERS)
def list_data_sets(call: Call) -> tuple[DataSetView, ...]:
    """By name."""
    return data.list_data_sets(call.context, call.actor)


@noun.post("/data-sets", "Add a data set", _MANAGE, creates=True, raises=(Duplicate, Invalid))
def create_data_set(call: Call, body: DataSetCreate) -> Answer[DataSetView]:
    """Its category decides how its media must be sanitized."""
    fields = body.model_dump()
    fields["category"] = Category(body.category)
    view = data.create_data_set(call.context, call.actor, data.CreateDataSet(**fields))
    return Answer(view, version=view.version, location=f"{PREFIX}/data-sets/{view.id}")


@noun.get("/data-sets/{data_set}", "One data set", READERS)
def get_data_set(call: Call, data_set: Key) -> DataSetView:
    """By number or name."""
    return data.data_set(call.context, call.actor, data_set)


@noun.put("/data-sets/{data_set}", "Change a data set", _MANAGE, updates=True, raises=(Invalid,))
def change_data_set(call: Call, data_set: Key, body: DataSetChange) -> DataSetView:
    """A higher category applies to everything ever held."""
    fields = body.model_dump()
    fields["category"] = Category(body.category)
    command = data.ChangeDataSet(data_set=data_set, version=call.version, **fields)
    return data.change_data_set(call.context, call.actor, command)


@noun.get("/paths", "Declared paths", READERS)
def list_paths(call: Call, query: PathQuery) -> tuple[DeclaredPathView, ...]:
    """Live ones first, with the devices beneath them by the last report."""
    return data.list_paths(call.context, call.actor, host=query.host, data_set=query.data_set)


@noun.post("/paths", "Declare a path", _MANAGE, creates=True, raises=(Duplicate, Invalid, NotFound))
def declare_path(call: Call, body: PathDeclare) -> DeclaredPathView:
    """The host's agent follows it to the physical devices."""
    command = data.DeclarePath(host=body.host, data_set=body.data_set, path=body.path, kind=HoldingKind(body.kind))
    return data.declare_path(call.context, call.actor, command)


@noun.post("/paths/{path}/date", "Say since when a path holds data", _MANAGE, raises=(Conflict, Invalid))
def date_path(call: Call, path: Key, body: PathDate) -> DeclaredPathView:
    """Media that were in the host since then, and had left it before an agent looked, hold residue from now on."""
    return path_dates.date_path(call.context, call.actor, path_dates.DatePath(path=path, **body.model_dump()))


@noun.post("/paths/{path}/withdrawal", "Withdraw a path", _MANAGE, raises=(Conflict,))
def withdraw_path(call: Call, path: Key, body: Reason) -> DeclaredPathView:
    """The data no longer lives there: its holdings become residue."""
    return data.withdraw_path(call.context, call.actor, path, body.reason)


@holdings.get("/holdings", "Holdings", READERS)
def list_holdings(call: Call, query: HoldingQuery) -> Page[HoldingView]:
    """By number."""
    return queries.list_holdings(
        call.context,
        call.actor,
        device=query.device,
        data_set=query.data_set,
        state=query.state,
        after=query.after,
        limit=query.limit,
    )


@holdings.post("/holdings", "Declare a holding", _MANAGE, creates=True, raises=(Invalid, NotFound, Conflict))
def declare_holding(call: Call, body: HoldingDeclare) -> HoldingView:
    """A person knows that a device holds, or held, a data set. Open erasure cases gain obligations."""
    fields = body.model_dump()
    fields["kind"] = HoldingKind(body.kind)
    return data.declare_holding(call.context, call.actor, data.DeclareHolding(**fields))


@holdings.post("/holdings/{holding}/end", "End a holding", _MANAGE, raises=(Conflict,))
def end_holding(call: Call, holding: Key, body: Reason) -> HoldingView:
    """No longer live: residue now, never gone."""
    return data.end_holding(call.context, call.actor, holding, body.reason)


@hold_noun.get("/holds", "Holds", READERS)
def list_holds(call: Call, query: HoldQuery) -> tuple[HoldView, ...]:
    """Newest first."""
    return holds.list_holds(call.context, call.actor, active=query.active)


@hold_noun.post(
    "/holds", "Place a hold", people(Permission.HOLD_MANAGE), creates=True, raises=(Invalid, NotFound, Conflict)
)
def place_hold(call: Call, body: HoldPlace) -> HoldView:
    """Runs under way are asked to stop."""
    return holds.place_hold(call.context, call.actor, holds.PlaceHold(**body.model_dump()))


@hold_noun.post("/holds/{hold}/lifting", "Lift a hold", people(Permission.HOLD_MANAGE), raises=(Conflict,))
def lift_hold(call: Call, hold: Key, body: Reason) -> HoldView:
    """With the reason."""
    return holds.lift_hold(call.context, call.actor, hold, body.reason)
