"""Balances: draw one up, see what does not agree, close it."""

from __future__ import annotations

from inventory.api.dispatch import Call
from inventory.api.endpoint import READERS, Answer, File, Noun, people
from inventory.api.paging import Paging
from inventory.contract.v1.books import BalanceClosing, BalanceRequest
from inventory.contract.v1.endpoints import PREFIX
from inventory.contract.v1.vocabulary import Key
from inventory.domain.balance import Difference
from inventory.domain.roles import Permission
from inventory.errors import Conflict, Forbidden, Invalid, NotFound, SeparationOfDuty
from inventory.services import reconciliation
from inventory.services.queries import balances
from inventory.services.views import Page
from inventory.services.views.balances import BalanceView
from reports.canonical import sha256_hex

noun = Noun("balances", "Declared = observed = disposed + present, or each difference has a name and an owner.")

_CLOSE = people(Permission.BALANCE_CLOSE)


class BalanceQuery(Paging):
    """Which balances."""

    closed: bool | None = None


@noun.post("/balances", "Draw up a balance", _CLOSE, creates=True, raises=(Invalid, NotFound, Forbidden, Conflict))
def draw_up_balance(call: Call, body: BalanceRequest) -> Answer[BalanceView]:
    """Counts the scope from the books; differences become exceptions. An open balance of the same scope is counted again."""
    view = reconciliation.draw_up(call.context, call.actor, reconciliation.DrawUp(**body.model_dump()))
    return Answer(view, version=view.version, location=f"{PREFIX}/balances/{view.id}")


@noun.get("/balances", "Balances", READERS)
def list_balances(call: Call, query: BalanceQuery) -> Page[BalanceView]:
    """Newest first."""
    return balances.list_balances(call.context, call.actor, closed=query.closed, after=query.after, limit=query.limit)


@noun.get("/balances/{balance}", "One balance", READERS)
def get_balance(call: Call, balance: Key) -> BalanceView:
    """The sheet as it was last counted."""
    return balances.balance(call.context, call.actor, balance)


@noun.get("/balances/{balance}/differences", "What does not agree in a balance", READERS)
def list_balance_differences(call: Call, balance: Key, query: Paging) -> Page[Difference]:
    """Each with the exception that names it, its owner, and whether it was answered."""
    return balances.list_differences(call.context, call.actor, balance, after=query.after, limit=query.limit)


@noun.get(
    "/balances/{balance}/balance.json",
    "What a closed balance was counted from",
    people(Permission.READ_EVIDENCE),
    raises=(Conflict,),
)
def get_balance_file(call: Call, balance: Key) -> File:
    """`sanitrail-verify` counts it again, and finds the same numbers and differences or says no."""
    content = balances.sheet_file(call.context, call.actor, balance)
    return File(content, "application/json", f"{balance}.json", etag=sha256_hex(content))


@noun.post(
    "/balances/{balance}/closing",
    "Close a balance",
    _CLOSE,
    updates=True,
    raises=(Conflict, SeparationOfDuty, Invalid),
)
def close_balance(call: Call, balance: Key, body: BalanceClosing) -> Answer[BalanceView]:
    """Counts once more; signed and logged only where no difference is open."""
    command = reconciliation.CloseBalance(balance=balance, reason=body.reason, version=call.version)
    view = reconciliation.close(call.context, call.actor, command)
    return Answer(view, version=view.version)
