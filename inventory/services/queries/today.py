"""What the home page adds to the dashboard: when cases are due, which hand-overs wait, and how much happened since yesterday."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.handovers import HandoverState
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import CaseState
from inventory.models.data import ErasureCase
from inventory.models.handovers import Handover
from inventory.models.history import Event
from inventory.services._scope import only
from inventory.services.context import Actor, Context, authorize
from inventory.services.views.today import DueView, TodayView

MOST: Final = 1000
"""Changes are counted to here: whoever sees a thousand opens the history."""
_WEEK: Final = timedelta(days=7)
_MONTH: Final = timedelta(days=30)


def today(context: Context, actor: Actor) -> TodayView:
    """When open cases are due, hand-overs without an answer, changes of the last day. Permission `inventory.read`."""
    authorize(actor, Permission.READ)
    now = context.now()
    with context.reading(actor) as session:
        late = sa.select(sa.func.count(Handover.id)).where(
            Handover.state == HandoverState.OFFERED, Handover.answer_by < now, *only(actor, Handover)
        )
        changed = None
        if actor.may(Permission.READ_EVENTS):
            recent = sa.select(Event.id).where(Event.at >= now - timedelta(days=1), *only(actor, Event)).limit(MOST)
            changed = session.scalar(sa.select(sa.func.count()).select_from(recent.subquery())) or 0
        return TodayView(due=_due(session, context, actor), handovers_late=session.scalar(late) or 0, changed=changed)


def _due(session: Session, context: Context, actor: Actor) -> DueView:
    now, due = context.now(), ErasureCase.due
    in_a_week, in_a_month = now + _WEEK, now + _MONTH

    def counted(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.coalesce(sa.func.sum(sa.case((condition, 1), else_=0)), 0)

    row = session.execute(
        sa.select(
            counted(due < now),
            counted(sa.and_(due >= now, due < in_a_week)),
            counted(sa.and_(due >= in_a_week, due < in_a_month)),
            counted(due >= in_a_month),
        ).where(ErasureCase.state != CaseState.CLOSED, *only(actor, ErasureCase))
    ).one()
    return DueView(overdue=row[0], week=row[1], month=row[2], later=row[3])
