"""What waits for an approver, a privacy officer, a custodian: what it is, since when, until when, and why not for this reader.

The queue of validators has a service of its own (`waiting`), because several records are decided there at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.exceptions import TITLES, ExceptionCode
from inventory.domain.handovers import HandoverState
from inventory.domain.lots import LotState
from inventory.domain.orders import duty_objection
from inventory.domain.questions import RULES
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import CaseState, DeviceState, ExceptionState, OrderState
from inventory.errors import NotFound
from inventory.models import (
    Approval,
    Base,
    Destruction,
    Device,
    ErasureCase,
    ExceptionItem,
    Handover,
    Lot,
    Obligation,
    Order,
    Question,
    Waiver,
)

from ._mapping import device_label
from ._scope import only
from .context import Actor, Context, authorize

MOST: Final = 50
"""Of one part; the rest stands in its list."""
SOON: Final = timedelta(days=14)
_DUTIES: Final = (
    ExceptionCode.DEVICE_MISSING,
    ExceptionCode.CASE_ESCALATED,
    ExceptionCode.UNDERTAKING_DUE,
    ExceptionCode.UNDERTAKING_LAPSED,
)
"""What only a privacy officer can end, or must know at once."""


@dataclass(frozen=True, kw_only=True)
class QueuedView:
    """One thing that waits."""

    kind: str
    """order, case, exception, waiver, question, device, handover, destruction, lot."""
    number: str
    title: str
    about: str
    device: str | None
    since: datetime
    due: datetime | None
    overdue: bool
    bar: str
    """What this reader did about it that keeps them from it; empty: nothing."""


@dataclass(frozen=True, kw_only=True)
class QueuePartView:
    """What waits of one sort."""

    name: str
    title: str
    todo: str
    """What is to be done about each."""
    waiting: tuple[QueuedView, ...]
    more: bool


@dataclass(frozen=True, kw_only=True)
class _Asking:
    session: Session
    actor: Actor
    now: datetime

    def first(self, model: type[Base], *where: sa.ColumnElement[bool], by: Sequence[Any]) -> list[Any]:
        """The first of what the actor sees, one more than is shown."""
        statement = sa.select(model).where(*where, *only(self.actor, model)).order_by(*by).limit(MOST + 1)
        return list(self.session.scalars(statement))

    def labels(self, numbers: Sequence[str]) -> dict[str, str]:
        """Devices by what stands on them."""
        rows = self.session.scalars(sa.select(Device).where(Device.id.in_(set(numbers))))
        return {row.id: ", ".join(word for word in (row.asset_tag, device_label(row)) if word) for row in rows}


def queue(context: Context, actor: Actor, name: str) -> tuple[QueuePartView, ...]:
    """A queue with its parts, the empty ones included. The permission of who works it off. Raises `NotFound`."""
    if name not in QUEUES:
        raise NotFound("queue", name[:64])
    permission, parts = QUEUES[name]
    authorize(actor, permission, reading=True)
    with context.reading(actor) as session:
        asking = _Asking(session=session, actor=actor, now=context.now())
        return tuple(make(asking) for make in parts)


def _part(name: str, title: str, todo: str, found: Sequence[QueuedView]) -> QueuePartView:
    return QueuePartView(name=name, title=title, todo=todo, waiting=tuple(found[:MOST]), more=len(found) > MOST)


def _queued(  # noqa: PLR0913 - what waits has this many sides, the last three named
    kind: str,
    number: str,
    title: str,
    about: str,
    since: datetime,
    now: datetime,
    *,
    device: str | None = None,
    due: datetime | None = None,
    bar: str = "",
) -> QueuedView:
    return QueuedView(
        kind=kind, number=number, title=title, about=about, device=device, since=since, due=due,
        overdue=due is not None and due < now, bar=bar,
    )  # fmt: skip


def _to_approve(asking: _Asking) -> QueuePartView:
    rows = asking.first(Order, Order.state == OrderState.REQUESTED, by=(Order.expires, Order.id))
    labels = asking.labels([row.device_id for row in rows])
    given: dict[str, set[str]] = {}
    approvals = sa.select(Approval.order_id, Approval.approver).where(Approval.order_id.in_([row.id for row in rows]))
    for order, person in asking.session.execute(approvals):
        given.setdefault(order, set()).add(person)
    found = []
    for row in rows:
        signed = given.get(row.id, set())
        bar = duty_objection("approve", asking.actor.ref, requester=row.requested_by, approvers=signed) or ""
        if not bar and asking.actor.ref in signed:
            bar = "approved the order"
        about = f"{labels[row.device_id]}: {len(signed)} of {row.approvals_required} signatures"
        found.append(
            _queued(
                "order", row.id, row.id, about, row.created, asking.now, device=row.device_id, due=row.expires, bar=bar
            )
        )
    return _part("orders", "Orders to approve", "Read what would be done, and sign it with your own key.", found)


def _cases(asking: _Asking) -> QueuePartView:
    due = sa.and_(ErasureCase.state == CaseState.OPEN, ErasureCase.due < asking.now + SOON)
    rows = asking.first(ErasureCase, due, by=(ErasureCase.due, ErasureCase.id))
    left = dict(
        asking.session.execute(
            sa.select(Obligation.case_id, sa.func.count())
            .where(Obligation.case_id.in_([row.id for row in rows]), Obligation.closed.is_(None))
            .group_by(Obligation.case_id)
        ).all()
    )
    found = [
        _queued(
            "case",
            row.id,
            row.reference,
            f"{left.get(row.id, 0)} obligations open",
            row.opened,
            asking.now,
            due=row.due,
        )
        for row in rows
    ]
    return _part(
        "cases-due", "Cases due within two weeks, or late", "See what keeps each open, and who can end it.", found
    )


def _fulfilled(asking: _Asking) -> QueuePartView:
    rows = asking.first(ErasureCase, ErasureCase.state == CaseState.FULFILLED, by=(ErasureCase.due, ErasureCase.id))
    about = "Every obligation is closed by evidence"
    found = [_queued("case", row.id, row.reference, about, row.opened, asking.now, due=row.due) for row in rows]
    return _part("cases-fulfilled", "Cases to close", "Issue the customer's statement, and close the case.", found)


def _duties(asking: _Asking) -> QueuePartView:
    rows = asking.first(
        ExceptionItem,
        ExceptionItem.state == ExceptionState.OPEN,
        ExceptionItem.code.in_([str(code) for code in _DUTIES]),
        by=(ExceptionItem.raised, ExceptionItem.id),
    )
    return _part(
        "incidents",
        "Missing media, lapsed undertakings",
        "Decide who must be told, and answer each.",
        _items(asking, rows),
    )


def _own(asking: _Asking) -> QueuePartView:
    rows = asking.first(
        ExceptionItem,
        ExceptionItem.state == ExceptionState.OPEN,
        ExceptionItem.owner == asking.actor.ref,
        by=(ExceptionItem.raised, ExceptionItem.id),
    )
    return _part("exceptions", "Exceptions that are yours", "Find out, and say how each ended.", _items(asking, rows))


def _items(asking: _Asking, rows: Sequence[Any]) -> list[QueuedView]:
    titles = {str(code): title for code, title in TITLES.items()}
    return [
        _queued("exception", row.id, titles[row.code], row.sentence, row.raised, asking.now, device=row.device_id)
        for row in rows
    ]


def _waivers(asking: _Asking) -> QueuePartView:
    open_ = sa.and_(Waiver.countersigned.is_(None), Waiver.used.is_(None), Waiver.expires > asking.now)
    rows = asking.first(Waiver, open_, by=(Waiver.expires, Waiver.id))
    found = [
        _queued(
            "waiver", row.id, row.id, f"{row.destination}: {row.reason}", row.opened, asking.now, device=row.device_id,
            due=row.expires, bar="opened the waiver" if row.opened_by == asking.actor.ref else "",
        )
        for row in rows
    ]  # fmt: skip
    return _part(
        "waivers", "Waivers to countersign", "A second person, in another role, signs or lets it lapse.", found
    )


def _questions(asking: _Asking) -> QueuePartView:
    rows = asking.first(Question, Question.answered.is_(None), by=(Question.due, Question.id))
    labels = asking.labels([row.device_id for row in rows])
    found = [
        _queued(
            "question", row.id, RULES[row.kind].asked, labels[row.device_id], row.raised, asking.now,
            device=row.device_id, due=row.due,
        )
        for row in rows
    ]  # fmt: skip
    return _part("questions", "Questions", "Facts answer them: order, destroy, or find out where it is.", found)


def _devices(count: int) -> str:
    return "1 device" if count == 1 else f"{count} devices"


def _handovers(asking: _Asking) -> QueuePartView:
    rows = asking.first(Handover, Handover.state == HandoverState.OFFERED, by=(Handover.answer_by, Handover.id))
    found = [
        _queued(
            "handover", row.id, row.id, _devices(row.count), row.offered, asking.now, due=row.answer_by,
            bar="offered it" if row.offered_by == asking.actor.ref else "",
        )
        for row in rows
    ]  # fmt: skip
    return _part("handovers", "Hand-overs to count", "Count for yourself; nothing has changed hands before.", found)


def _in_state(name: str, state: DeviceState, title: str, todo: str) -> Callable[[_Asking], QueuePartView]:
    def make(asking: _Asking) -> QueuePartView:
        rows = asking.first(Device, Device.state == state, Device.bound_to.is_(None), by=(Device.id,))
        found = [
            _queued(
                "device", row.id, row.asset_tag or row.id, device_label(row), row.observed_at or row.created, asking.now,
                device=row.id,
            )
            for row in rows
        ]  # fmt: skip
        return _part(name, title, todo, found)

    return make


def _as_said(word: str) -> str:
    return word.replace("_", " ").replace("-", " ").capitalize()


def _witness(asking: _Asking) -> QueuePartView:
    open_ = sa.and_(Destruction.decision.is_(None), Destruction.witness.is_(None))
    rows = asking.first(Destruction, open_, by=(Destruction.recorded, Destruction.id))
    found = [
        _queued(
            "destruction", row.id, row.id, _as_said(row.method), row.recorded, asking.now, device=row.device_id,
            bar="performed the destruction" if row.operator == asking.actor.ref else "",
        )
        for row in rows
    ]  # fmt: skip
    return _part("destructions", "Destructions to witness", "Who saw it says so; never who performed it.", found)


def _lots(asking: _Asking) -> QueuePartView:
    rows = asking.first(Lot, Lot.state.in_([LotState.CLOSING, LotState.REOPENED]), by=(Lot.opened, Lot.id))
    found = [_queued("lot", row.id, row.name, str(row.state).replace("_", " "), row.opened, asking.now) for row in rows]
    return _part("lots", "Lots under way", "Account for each device, then close the lot.", found)


QUEUES: Final[dict[str, tuple[Permission, tuple[Callable[[_Asking], QueuePartView], ...]]]] = {
    "approve": (Permission.ORDER_APPROVE, (_to_approve,)),
    "privacy": (Permission.CASE_MANAGE, (_cases, _fulfilled, _duties, _waivers, _own)),
    "custody": (
        Permission.DEVICE_RELEASE,
        (
            _questions,
            _handovers,
            _in_state(
                "sanitized",
                DeviceState.SANITIZED,
                "Sanitized, still here",
                "Release them through the gate, or use them again.",
            ),
            _in_state(
                "failed", DeviceState.FAILED, "Failed", "Have them sanitized again, or destroyed; they do not leave."
            ),
            _witness,
            _lots,
            _waivers,
            _own,
        ),
    ),
}
"""Queue -> who works it off, and its parts in the order of their urgency."""
