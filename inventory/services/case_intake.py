"""Many withdrawals at once. Everything is asked first; then all of them are opened in one transaction, or none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.intake import MOST_ROWS, IntakeRow, Problem, UnreadableList, read_list
from inventory.domain.roles import Permission
from inventory.errors import Invalid, NotFound, Reason
from inventory.events import Tag
from inventory.models import CaseDataSet, ErasureCase

from ._opening import OpenCase, Prepared, open_prepared, prepare
from .context import Actor, Context, authorize
from .kernel import note
from .views.exposure import IntakeProblemView, IntakeRowView, IntakeView

Outcome = Literal["opens", "present", "refused"]
_REPORTED = 100
"""Problems a refusal lists; a dry run lists them all."""


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """A row after everything was asked."""

    row: IntakeRow
    outcome: Outcome
    case: str | None = None
    prepared: Prepared | None = None
    problems: tuple[Problem, ...] = ()


def rows_of(content: bytes) -> tuple[IntakeRow, ...]:
    """The rows of a CSV list. Raises `Invalid` where it cannot be read as a whole."""
    try:
        return read_list(content)
    except UnreadableList as error:
        raise Invalid("file", str(error)) from error


def take_in(context: Context, actor: Actor, rows: tuple[IntakeRow, ...], *, dry_run: bool) -> IntakeView:
    """Open a case for each row that is not there already. Permission `case.manage`.

    A reference whose case says the same is present: the same list may be sent as often as one likes. One whose case says
    something else is refused, and with any refused row nothing of the list is taken in.

    Raises:
        Invalid: a row is refused, and this is no dry run; the reasons name rows and fields. Nothing was opened.
    """
    authorize(actor, Permission.CASE_MANAGE)
    if not 0 < len(rows) <= MOST_ROWS:
        raise Invalid("cases", f"A list has 1 to {MOST_ROWS} withdrawals.")
    if dry_run:
        with context.reading(actor) as session:
            return _view(_ask(session, context, rows), dry_run=True)
    with context.writing(actor) as session:
        asked = _ask(session, context, rows)
        _refuse(asked)
        done = [_open(session, context, actor, one) for one in asked]
        opened = [one.case for one in done if one.outcome == "opens"]
        if opened:
            note(
                session, context, actor, Tag.CASE_INTAKE, "case", opened[0] or "",
                details={"rows": len(rows), "opened": len(opened)},
            )  # fmt: skip
        return _view(done, dry_run=False)


def _refuse(asked: Iterable[_Asked]) -> None:
    reasons = [
        Reason(f"row-{one.row.row}/{problem.field}", f"Row {one.row.row}: {problem.sentence}")
        for one in asked
        for problem in one.problems
    ]
    if reasons:
        raise Invalid(
            "cases",
            f"{len({reason.code.split('/')[0] for reason in reasons})} rows cannot be taken in, so none was.",
            reasons=reasons[:_REPORTED],
        )


def _open(session: Session, context: Context, actor: Actor, one: _Asked) -> _Asked:
    if one.prepared is None:
        return one
    case = open_prepared(session, context, actor, one.prepared)
    return _Asked(row=one.row, outcome="opens", case=case.id)


def _ask(session: Session, context: Context, rows: tuple[IntakeRow, ...]) -> list[_Asked]:
    twice = {reference for reference, count in Counter(row.reference for row in rows).items() if count > 1}
    known = _known(session, {row.reference for row in rows})
    return [_one(session, context, row, known, twice) for row in rows]


def _known(session: Session, references: set[str]) -> dict[str, tuple[str, datetime, frozenset[str]]]:
    """The newest case of each reference: number, withdrawal, data sets."""
    found: dict[str, tuple[str, datetime, frozenset[str]]] = {}
    wanted = sorted(references)
    for start in range(0, len(wanted), 500):
        part = wanted[start : start + 500]
        cases = session.scalars(
            sa.select(ErasureCase).where(ErasureCase.reference.in_(part)).order_by(ErasureCase.id)
        ).all()
        sets: dict[str, set[str]] = {}
        for case_id, data_set in session.execute(
            sa.select(CaseDataSet.case_id, CaseDataSet.data_set_id).where(
                CaseDataSet.case_id.in_([case.id for case in cases])
            )
        ):
            sets.setdefault(case_id, set()).add(data_set)
        for case in cases:
            found[case.reference] = (case.id, case.withdrawn, frozenset(sets.get(case.id, ())))
    return found


def _one(
    session: Session,
    context: Context,
    row: IntakeRow,
    known: dict[str, tuple[str, datetime, frozenset[str]]],
    twice: set[str],
) -> _Asked:
    problems = list(row.problems)
    if row.reference in twice and row.reference:
        problems.append(Problem("reference", "This reference stands in the list more than once."))
    if problems or row.withdrawn is None:
        return _Asked(row=row, outcome="refused", problems=tuple(problems))
    command = OpenCase(
        reference=row.reference,
        data_sets=row.data_sets,
        withdrawn=row.withdrawn,
        customer_since=row.customer_since,
        due=row.due,
    )
    try:
        prepared = prepare(session, context, command)
    except Invalid as error:
        return _Asked(row=row, outcome="refused", problems=(Problem(error.field, error.sentence),))
    except NotFound as error:
        return _Asked(row=row, outcome="refused", problems=(Problem("data_sets", error.sentence),))
    there = known.get(prepared.reference)
    if there is None:
        return _Asked(row=row, outcome="opens", prepared=prepared)
    number, withdrawn, sets = there
    if withdrawn == prepared.withdrawn and set(prepared.data_sets) <= sets:
        return _Asked(row=row, outcome="present", case=number)
    words = (
        f"Case {number} has this reference and says something else; a second withdrawal needs a reference of its own."
    )
    return _Asked(row=row, outcome="refused", case=number, problems=(Problem("reference", words),))


def _view(asked: list[_Asked], *, dry_run: bool) -> IntakeView:
    counts = Counter(one.outcome for one in asked)
    return IntakeView(
        dry_run=dry_run,
        opened=counts["opens"],
        present=counts["present"],
        refused=counts["refused"],
        rows=tuple(
            IntakeRowView(
                row=one.row.row,
                reference=one.row.reference[:128],
                outcome=one.outcome,
                case=one.case,
                problems=tuple(
                    IntakeProblemView(field=problem.field, sentence=problem.sentence) for problem in one.problems
                ),
            )
            for one in asked
        ),
    )
