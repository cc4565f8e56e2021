"""Custody in views: what is kept for which drive, and whether it may still lock it."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.vocabulary import EscrowState, OrderState
from inventory.models.custody import Escrow
from inventory.models.orders import Order

from .views import EscrowView

UNDER_WAY: Final = frozenset({OrderState.LEASED, OrderState.EXECUTING, OrderState.SETTLING, OrderState.VERIFYING})
"""While its order is in one of these states the agent is at work and takes care of the password itself."""


def escrow_view(row: Escrow, order: OrderState) -> EscrowView:
    """A password in custody, without the password; the state of its order decides whether it locks the drive."""
    return EscrowView(
        id=row.id,
        device=row.device_id,
        order=row.order_id,
        host=row.host_id,
        run=row.run,
        kind=row.kind,
        state=row.state,
        locks=row.state is not EscrowState.RELEASED and order not in UNDER_WAY,
        sha256=row.sha256,
        recovery=row.recovery,
        deposited=row.deposited,
        released=row.released,
        release_reason=row.release_reason,
        revealed=row.revealed,
        revealed_to=row.revealed_to,
    )


def escrow_views(session: Session, device: str) -> tuple[EscrowView, ...]:
    """Everything in custody for a device, newest first."""
    statement = (
        sa.select(Escrow, Order.state)
        .join(Order, Order.id == Escrow.order_id)
        .where(Escrow.device_id == device)
        .order_by(Escrow.id.desc())
    )
    return tuple(escrow_view(row, state) for row, state in session.execute(statement))
