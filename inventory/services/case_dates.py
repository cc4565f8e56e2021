"""Due dates of erasure cases: put off with a reason, reminded of, overdue, escalated."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.deadlines import Urgency, latest_due, urgency
from inventory.domain.exceptions import ExceptionCode
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import CaseState, ExceptionState
from inventory.errors import Conflict, Invalid
from inventory.events import Tag
from inventory.models import ErasureCase, ExceptionItem

from .context import SYSTEM, Actor, Context, authorize
from .kernel import check_version, find, moment, note, raise_exception, required, settle_exception, stamp
from .queries.data import case_detail
from .views import CaseDetail

_RAISED: Final = {
    Urgency.CALM: frozenset[ExceptionCode](),
    Urgency.SOON: frozenset({ExceptionCode.CASE_DUE}),
    Urgency.OVERDUE: frozenset({ExceptionCode.CASE_OVERDUE}),
    Urgency.ESCALATED: frozenset({ExceptionCode.CASE_OVERDUE, ExceptionCode.CASE_ESCALATED}),
}
_TAGS: Final = {
    ExceptionCode.CASE_DUE: Tag.CASE_REMINDED,
    ExceptionCode.CASE_OVERDUE: Tag.CASE_OVERDUE,
    ExceptionCode.CASE_ESCALATED: Tag.CASE_ESCALATED,
}


@dataclass(frozen=True, kw_only=True)
class MoveDue:
    """Put a case off, or bring it forward."""

    case: str
    due: datetime
    reason: str
    """At least ten characters: the customer has to be told it, too."""
    version: int | None = None


def move_due(context: Context, actor: Actor, command: MoveDue) -> CaseDetail:
    """Move the due date, to three times the ordinary term at most. Permission `case.manage`.

    Raises:
        Conflict: the case is closed. StaleVersion, Invalid, NotFound.
    """
    authorize(actor, Permission.CASE_MANAGE)
    due = moment("due", command.due)
    said = required("reason", command.reason, least=10)
    with context.writing(actor) as session:
        case = find(session, ErasureCase, command.case, "erasure case")
        check_version(f"Case {case.id}", case.version, command.version)
        if case.state is CaseState.CLOSED:
            raise Conflict(f"Case {case.id} is closed; nothing is due any more.")
        last = latest_due(case.withdrawn, timedelta(days=context.settings.erasure_days))
        if not case.withdrawn <= due <= last:
            raise Invalid(
                "due", f"A case is due between its withdrawal and {last:%Y-%m-%d}, three times the ordinary term."
            )
        before, case.due = case.due, due
        session.flush()
        note(
            session, context, actor, Tag.CASE_DUE_MOVED, "case", case.id,
            reason=said, details={"due_before": stamp(before), "due": stamp(due)},
        )  # fmt: skip
        _bring_up_to_date(session, context, case, _open_items(session, [case.id]), context.now())
        session.flush()
        return case_detail(session, case, context.now())


def remind(session: Session, context: Context, now: datetime) -> int:
    """Raise and settle what the calendar says of every case; how many are overdue. Part of upkeep."""
    first = now + timedelta(days=context.settings.erasure_remind_days)
    urgent = session.scalars(
        sa.select(ErasureCase)
        .where(ErasureCase.due <= first, ErasureCase.state != CaseState.CLOSED)
        .order_by(ErasureCase.id)
    ).all()
    items = _open_items(session)
    for case in urgent:
        _bring_up_to_date(session, context, case, items, now)
    calm = {subject for subject, _ in items} - {case.id for case in urgent}
    for subject, code in items:
        if subject in calm:
            settle_exception(session, context, code, subject, "The case was closed, or is due later.")
    return sum(case.due < now for case in urgent)


def _open_items(session: Session, cases: list[str] | None = None) -> set[tuple[str, ExceptionCode]]:
    statement = sa.select(ExceptionItem.subject, ExceptionItem.code).where(
        ExceptionItem.code.in_([str(code) for code in _TAGS]), ExceptionItem.state == ExceptionState.OPEN
    )
    if cases is not None:
        statement = statement.where(ExceptionItem.subject.in_(cases))
    return {(subject, ExceptionCode(code)) for subject, code in session.execute(statement)}


def _bring_up_to_date(
    session: Session, context: Context, case: ErasureCase, items: set[tuple[str, ExceptionCode]], now: datetime
) -> None:
    settings = context.settings
    how = urgency(
        case.state,
        case.due,
        now,
        remind=timedelta(days=settings.erasure_remind_days),
        escalate=timedelta(days=settings.erasure_escalate_days),
    )
    wanted = _RAISED[how]
    for code, tag in _TAGS.items():
        there = (case.id, code) in items
        if code in wanted and not there:
            note(session, context, SYSTEM, tag, "case", case.id, details={"due": stamp(case.due)})
            raise_exception(session, context, code, case.id, _sentence(case, code))
        elif there and code not in wanted:
            settle_exception(session, context, code, case.id, "The case is due at another time, or was closed.")


def _sentence(case: ErasureCase, code: ExceptionCode) -> str:
    if code is ExceptionCode.CASE_DUE:
        return f"Erasure case {case.id} ({case.reference}) is due on {case.due:%Y-%m-%d} and is {case.state}."
    if code is ExceptionCode.CASE_OVERDUE:
        return f"Erasure case {case.id} ({case.reference}) was due {case.due:%Y-%m-%d} and is {case.state}."
    return (
        f"Erasure case {case.id} ({case.reference}) was due {case.due:%Y-%m-%d} and is {case.state} still. Somebody who can"
        " decide must take it up: what holds it back, and what the customer is told."
    )
