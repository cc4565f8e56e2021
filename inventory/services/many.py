"""The same act for many rows of a list: each by itself in its own transaction, rehearsed first for whoever wants to look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from inventory.domain.roles import Permission
from inventory.errors import Forbidden, Invalid, InventoryError, NotFound, NotSignedIn, SeparationOfDuty

from . import case_dates, exceptions, halts, lot_register, orders
from .context import Actor, Context, authorize
from .rehearsal import rehearse
from .views.acts import ActLineView, ActView

MOST: Final = 200
"""Rows at once."""
_STOPS: Final = (NotSignedIn, Forbidden)
"""Refusals of the person, not of a row."""


@dataclass(frozen=True, kw_only=True)
class ActOnMany:
    """One act, for the same reason, on each of these rows."""

    list: str
    act: str
    rows: tuple[str, ...]
    reason: str
    owner: str | None = None
    day: datetime | None = None
    dry_run: bool = False
    """Say what would happen, and change nothing."""


@dataclass(frozen=True, kw_only=True)
class _Act:
    title: str
    hint: str
    permission: Permission
    perform: Callable[[Context, Actor, str, ActOnMany], object]
    needs: tuple[str, ...] = ()


def _resolve(context: Context, actor: Actor, row: str, asked: ActOnMany) -> object:
    return exceptions.resolve(context, actor, exceptions.ResolveException(exception=row, resolution=asked.reason))


def _assign(context: Context, actor: Actor, row: str, asked: ActOnMany) -> object:
    return exceptions.assign(context, actor, row, asked.owner or "")


def _move_due(context: Context, actor: Actor, row: str, asked: ActOnMany) -> object:
    if asked.day is None:
        raise Invalid("day", "On which day is it due? Write YYYY-MM-DD.")
    return case_dates.move_due(context, actor, case_dates.MoveDue(case=row, due=asked.day, reason=asked.reason))


def _move(asked: ActOnMany, row: str) -> lot_register.MoveLot:
    return lot_register.MoveLot(lot=row, reason=asked.reason)


ACTS: Final[dict[str, dict[str, _Act]]] = {
    "hosts": {
        "halt": _Act(
            title="Halt them",
            hint="Nothing is begun on them, and what can be stopped stops, until the halt is lifted.",
            permission=Permission.ORDER_STOP,
            perform=lambda context, actor, row, asked: halts.halt(context, actor, row, asked.reason),
        ),
        "lift": _Act(
            title="Lift the halt",
            hint="Work may begin on them again.",
            permission=Permission.ORDER_STOP,
            perform=lambda context, actor, row, asked: halts.lift(context, actor, row, asked.reason),
        ),
    },
    "orders": {
        "cancel": _Act(
            title="Cancel them",
            hint="Before the first write. Whoever wants it after all orders anew, and approvers sign anew.",
            permission=Permission.ORDER_CANCEL,
            perform=lambda context, actor, row, asked: orders.cancel_order(context, actor, row, asked.reason),
        ),
        "stop": _Act(
            title="Ask the agents to stop",
            hint="A run under way ends; its record says interrupted, and its medium may be written to in part.",
            permission=Permission.ORDER_STOP,
            perform=lambda context, actor, row, asked: orders.request_stop(context, actor, row, asked.reason),
        ),
    },
    "lots": {
        "freeze": _Act(
            title="Freeze them to close",
            hint="Nothing goes in or out of them while they are reconciled. Each is closed on its own page.",
            permission=Permission.LOT_MANAGE,
            perform=lambda context, actor, row, asked: lot_register.begin_closing(context, actor, _move(asked, row)),
        ),
        "resume": _Act(
            title="Break the closing off",
            hint="To mend what does not add up; devices go in and out again.",
            permission=Permission.LOT_MANAGE,
            perform=lambda context, actor, row, asked: lot_register.resume(context, actor, _move(asked, row)),
        ),
        "reopen": _Act(
            title="Open them again",
            hint="Something in them turned out otherwise than their signed lists say; each becomes an exception.",
            permission=Permission.LOT_MANAGE,
            perform=lambda context, actor, row, asked: lot_register.reopen(context, actor, _move(asked, row)),
        ),
    },
    "cases": {
        "due": _Act(
            title="Move the due date",
            hint="Each customer has to be told of it, with the reason, within the ordinary term.",
            permission=Permission.CASE_MANAGE,
            perform=_move_due,
            needs=("day",),
        ),
    },
    "exceptions": {
        "assign": _Act(
            title="Give them an owner",
            hint="Who answers for them from now on.",
            permission=Permission.EXCEPTION_RESOLVE,
            perform=_assign,
            needs=("owner",),
        ),
        "resolve": _Act(
            title="Resolve them",
            hint="One sentence for all of them: how they ended. Each is raised again where its cause is seen again.",
            permission=Permission.EXCEPTION_RESOLVE,
            perform=_resolve,
        ),
    },
}
"""List -> act -> what it does. Acts that need a comparison, a signature or a choice of each row are not among them."""


def acts_of(actor: Actor, name: str) -> tuple[ActView, ...]:
    """What this person may do to many rows of a list."""
    return tuple(
        ActView(name=word, title=act.title, hint=act.hint, needs=act.needs)
        for word, act in ACTS.get(name, {}).items()
        if actor.may(act.permission)
    )


def act_on_many(context: Context, actor: Actor, command: ActOnMany) -> tuple[ActLineView, ...]:
    """Do it to each row, or, as a dry run, to none. The permission of the act.

    What one row refuses is said in its line; what was done to the others stays done.

    Raises:
        NotFound: no such act on this list.
        Forbidden, ConfirmationNeeded: the person may not, or must show again who they are.
        Invalid: no row, too many, or one named twice.
    """
    act = ACTS.get(command.list, {}).get(command.act)
    if act is None:
        raise NotFound("act", f"{command.list}/{command.act}"[:64])
    authorize(actor, act.permission)
    if not 1 <= len(command.rows) <= MOST:
        raise Invalid("rows", f"Name 1 to {MOST} rows.")
    if len(set(command.rows)) != len(command.rows):
        raise Invalid("rows", "A row is named twice.")
    return tuple(_one(context, actor, act, row, command) for row in command.rows)


def _one(context: Context, actor: Actor, act: _Act, row: str, command: ActOnMany) -> ActLineView:
    def deed(inside: Context) -> object:
        return act.perform(inside, actor, row, command)

    try:
        if command.dry_run:
            rehearse(context, deed)
        else:
            deed(context)
    except InventoryError as refused:
        if isinstance(refused, _STOPS) and not isinstance(refused, SeparationOfDuty):
            raise
        reasons = tuple(reason.sentence for reason in refused.reasons)
        return ActLineView(number=row, done=False, code=refused.code, sentence=refused.sentence, reasons=reasons)
    return ActLineView(number=row, done=not command.dry_run, code=None, sentence="", reasons=())
