"""Evidence from before a holding became known: a run or destruction later than the data reached it all the same."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.policy import PolicyInput, decide, verdict_objections
from inventory.domain.vocabulary import Category, OrderState
from inventory.errors import Conflict
from inventory.models import DataSet, Destruction, Device, Holding, Lease, Order, Record

from ._gate import policy_in_force
from ._obligations import cover_past
from ._revocation import refuse_disowned
from .context import Context


def cover_if_proven(session: Session, context: Context, device: Device, data_set: DataSet, holding: Holding) -> None:
    """A holding that had ended before it became known: let what happened to its medium since then count."""
    if holding.until is None:
        return
    evidence = proof_after(session, device, data_set.category, holding.until)
    if evidence is not None:
        cover_past(session, context, holding, data_set, evidence=evidence)


def proof_after(session: Session, device: Device, category: Category, ended: datetime) -> str | None:
    """Digest of the oldest evidence that everything on a medium at that time is gone, by a method that suffices for the category.

    A run counts where it was leased after the data had ended, its record is validated and counts still, and its verdict satisfies
    what the policy demands of such data today; a destruction where it was performed afterwards. Else None: nothing is covered.
    """
    for order, record in _runs(session, device, ended):
        if _suffices(session, device, category, order, record):
            return record.sha256
    return session.scalar(
        sa.select(Destruction.statement_sha256)
        .where(Destruction.device_id == device.id, Destruction.decision == "approve", Destruction.performed >= ended)
        .order_by(Destruction.performed)
        .limit(1)
    )


def _runs(session: Session, device: Device, ended: datetime) -> list[tuple[Order, Record]]:
    leased = sa.select(sa.func.min(Lease.acquired)).where(Lease.order_id == Order.id).correlate(Order).scalar_subquery()
    rows = session.execute(
        sa.select(Order, Record)
        .join(Record, Record.sha256 == Order.record_sha256)
        .where(Order.device_id == device.id, Order.state == OrderState.VALIDATED, leased >= ended)
        .order_by(Order.created)
    )
    return [(order, record) for order, record in rows]


def _suffices(session: Session, device: Device, category: Category, order: Order, record: Record) -> bool:
    try:
        refuse_disowned(session, record)
    except Conflict:
        return False
    decision = decide(
        policy_in_force(session),
        PolicyInput(
            category=category,
            reuse=bool(order.purpose["reuse"]),
            leaves_control=bool(order.purpose["leaves_control"]),
            media=device.media or device.declared_media,
        ),
    )
    return not verdict_objections(
        decision.method, decision.verification, record.outcome, record.method, record.coverage
    )
