"""The validation queue: what waits, since when, for whom; and one decision about several records, each of which was shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.orders import duty_objection
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import OrderState, ValidationDecision
from inventory.errors import Invalid, StaleVersion
from inventory.models import Approval, Destruction, Device, Order, Record

from ._mapping import device_label
from ._policy import record_objections
from ._scope import able_for, only
from .context import Actor, Context, authorize
from .kernel import find
from .queries.orders import order_rows
from .validation import Validate, decide
from .views import OrderRow, ReasonView
from .views.waiting import WaitingView

MOST: Final = 50
"""Records of one decision: more than this nobody reads at once."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A record that was shown to whoever decides."""

    order: str
    record: str
    """Digest of the record that was shown."""
    version: int


@dataclass(frozen=True, kw_only=True)
class DecideTogether:
    """The same decision, for the same reason, about several records."""

    shown: tuple[Shown, ...]
    decision: ValidationDecision
    reason: str


def list_waiting(context: Context, actor: Actor, *, mine: bool = False) -> tuple[WaitingView, ...]:
    """Everything that waits for a validator or a witness, longest first; with `mine`, only what the reader may take on.

    Permission `inventory.read`.
    """
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        found = [*_records(session, context, actor), *_destructions(session, context, actor)]
    return tuple(sorted((one for one in found if one.mine or not mine), key=lambda one: (one.since, one.subject)))


def decide_together(context: Context, actor: Actor, command: DecideTogether) -> tuple[OrderRow, ...]:
    """All of them or none. Permission `record.validate`.

    Raises:
        StaleVersion: one of them is not what was shown.
        SeparationOfDuty, Conflict, IllegalTransition, NotFound, Invalid: as for one (`validation.validate`); the detail names it.
    """
    authorize(actor, Permission.RECORD_VALIDATE)
    numbers = [one.order for one in command.shown]
    if not 1 <= len(numbers) <= MOST or len(set(numbers)) != len(numbers):
        raise Invalid("shown", f"A decision is about 1 to {MOST} records, each once.")
    with context.writing(actor) as session:
        decided = []
        for one in command.shown:
            order = find(session, Order, one.order, "order")
            if order.record_sha256 != one.record:
                raise StaleVersion(f"Order {order.id}", one.version)
            asked = Validate(order=order.id, decision=command.decision, reason=command.reason, version=one.version)
            decided.append(decide(session, context, actor, asked))
        return order_rows(session, decided)


def _records(session: Session, context: Context, actor: Actor) -> list[WaitingView]:
    rows = session.execute(
        sa.select(Order, Record, Device)
        .join(Record, Record.sha256 == Order.record_sha256)
        .join(Device, Device.id == Order.device_id)
        .where(Order.state == OrderState.RECORDED, *only(actor, Order))
    ).all()
    approvers = _approvers(session, [order.id for order, _, _ in rows])
    able = able_for(session, Permission.RECORD_VALIDATE, [device.id for _, _, device in rows])
    now = context.now()
    found = []
    for order, record, device in rows:
        barred = {
            person: did
            for person in {*able[device.id], actor.ref}
            if (did := duty_objection("validate", person, requester=order.requested_by, approvers=approvers[order.id]))
        }
        people = tuple(person for person in able[device.id] if person not in barred)
        found.append(
            WaitingView(
                kind="record",
                subject=order.id,
                device=device.id,
                device_label=device_label(device),
                asset_tag=device.asset_tag,
                since=record.received,
                seconds=int((now - record.received).total_seconds()),
                outcome=record.outcome,
                method=record.method,
                coverage=record.coverage,
                reasons=tuple(
                    ReasonView(code=one.code, sentence=one.sentence)
                    for one in record_objections(session, order.decision, record)
                ),
                waits_for="validator",
                people=people,
                mine=actor.ref in people,
                bar=barred.get(actor.ref, ""),
                record=record.sha256,
                version=order.version,
            )
        )
    return found


def _destructions(session: Session, context: Context, actor: Actor) -> list[WaitingView]:
    rows = session.execute(
        sa.select(Destruction, Device)
        .join(Device, Device.id == Destruction.device_id)
        .where(Destruction.decision.is_(None), *only(actor, Destruction))
    ).all()
    unseen = [device.id for row, device in rows if row.witness is None]
    witnessed = [device.id for row, device in rows if row.witness is not None]
    able = {
        "validator": able_for(session, Permission.RECORD_VALIDATE, witnessed),
        "witness": able_for(session, Permission.DESTRUCTION_WITNESS, unseen),
    }
    now = context.now()
    found = []
    for row, device in rows:
        waits_for = "witness" if row.witness is None else "validator"
        did = {row.operator: "performed the destruction"}
        if row.witness is not None:
            did[row.witness] = "witnessed the destruction"
        people = tuple(person for person in able[waits_for][device.id] if person not in did)
        since = row.witnessed or row.recorded
        found.append(
            WaitingView(
                kind="destruction",
                subject=row.id,
                device=device.id,
                device_label=device_label(device),
                asset_tag=device.asset_tag,
                since=since,
                seconds=int((now - since).total_seconds()),
                outcome=row.method,
                method="destroy",
                coverage="none",
                reasons=(),
                waits_for=waits_for,
                people=people,
                mine=actor.ref in people,
                bar=did.get(actor.ref, ""),
                record=None,
                version=0,
            )
        )
    return found


def _approvers(session: Session, orders: Sequence[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for order, person in session.execute(
        sa.select(Approval.order_id, Approval.approver).where(Approval.order_id.in_(orders))
    ):
        found[order].add(person)
    return found
