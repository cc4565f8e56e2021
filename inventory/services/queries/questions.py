"""Questions that changes of status raise, in lists and one by one."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.exceptions import ExceptionCode
from inventory.domain.questions import RULES, STEP_WORDS, ChangeKind, begins, may_withdraw, steps
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import ExceptionState
from inventory.models.devices import Device
from inventory.models.history import ExceptionItem
from inventory.models.hosts import Host
from inventory.models.places import Party
from inventory.models.questions import Question
from inventory.services._mapping import device_label
from inventory.services._questions import gate_of, is_overdue, subject_of, waits
from inventory.services._scope import only
from inventory.services.context import SYSTEM, Actor, Context, authorize
from inventory.services.kernel import find
from inventory.services.views import Page
from inventory.services.views.questions import QuestionView, StepView

from ._paging import bounded, cut


def list_questions(
    context: Context,
    actor: Actor,
    *,
    open_: bool | None = True,
    kind: ChangeKind | None = None,
    device: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[QuestionView]:
    """Newest first. Permission `inventory.read`. Raises `Invalid` (limit)."""
    authorize(actor, Permission.READ)
    statement = sa.select(Question).where(*only(actor, Question)).order_by(Question.id.desc()).limit(bounded(limit) + 1)
    if open_ is not None:
        statement = statement.where(Question.answered.is_(None) if open_ else Question.answered.is_not(None))
    if kind is not None:
        statement = statement.where(Question.kind == kind)
    if device is not None:
        statement = statement.where(Question.device_id == device)
    if after is not None:
        statement = statement.where(Question.id < after)
    with context.reading(actor) as session:
        found, following = cut(session.scalars(statement).all(), limit, lambda row: row.id)
        return Page(items=question_views(session, context, found), next=following)


def question(context: Context, actor: Actor, number: str) -> QuestionView:
    """One question. Permission `inventory.read`. Raises `NotFound`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        return question_views(session, context, [find(session, Question, number, "question")])[0]


def question_views(session: Session, context: Context, rows: Sequence[Question]) -> tuple[QuestionView, ...]:
    """Questions as people see them, in the order given."""
    devices = {
        row.id: row for row in session.scalars(sa.select(Device).where(Device.id.in_({r.device_id for r in rows})))
    }
    hosts = dict(session.execute(sa.select(Host.id, Host.name).where(Host.id.in_({r.host_id for r in rows}))).all())
    parties = dict(
        session.execute(sa.select(Party.id, Party.name).where(Party.id.in_({r.party_id for r in rows}))).all()
    )
    items = {
        item.subject: item
        for item in session.scalars(
            sa.select(ExceptionItem).where(
                ExceptionItem.code == str(ExceptionCode.STATUS_CHANGE),
                ExceptionItem.state == ExceptionState.OPEN,
                ExceptionItem.subject.in_([subject_of(row) for row in rows]),
            )
        )
    }
    return tuple(_view(session, context, row, devices[row.device_id], hosts, parties, items) for row in rows)


def _view(
    session: Session,
    context: Context,
    row: Question,
    device: Device,
    hosts: dict[str, str],
    parties: dict[str, str],
    items: dict[str, ExceptionItem],
) -> QuestionView:
    is_open = row.answered is None
    asked = is_open and not waits(row, context.now())
    reasons = gate_of(session, context, row, device).reasons if asked else ()
    todo = steps(row.kind, device.state, frozenset(reason.code for reason in reasons)) if asked else ()
    item = items.get(subject_of(row)) if is_open else None
    return QuestionView(
        id=row.id,
        kind=row.kind,
        device=device.id,
        device_label=device_label(device),
        asset_tag=device.asset_tag,
        host=row.host_id,
        host_name=hosts.get(row.host_id or ""),
        party=row.party_id,
        party_name=parties.get(row.party_id or ""),
        said=RULES[row.kind].said,
        asked=RULES[row.kind].asked,
        raised=row.raised,
        raised_by=row.raised_by,
        reason=row.reason,
        due=row.due,
        begins=begins(row.kind, row.raised, row.due),
        waits=is_open and not asked,
        overdue=is_overdue(row, context.now()),
        answered=row.answered,
        answer=row.answer,
        answered_by=row.answered_by,
        answer_words=row.answer_words,
        reasons=reasons,
        steps=tuple(StepView(step=step, words=STEP_WORDS[step]) for step in todo),
        exception=item.id if item else None,
        owner=item.owner if item else None,
        may_withdraw=is_open and row.raised_by != SYSTEM.ref and may_withdraw(row.kind),
        version=row.version,
    )
