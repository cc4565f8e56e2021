"""Counts a scope as the books have it, and finds for each difference the exception that names it. Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.balance import Difference, Named, ScopeKind, Tally, answers, belongs, differences_of
from inventory.domain.exceptions import ExceptionCode
from inventory.domain.vocabulary import ExceptionState
from inventory.models import ExceptionItem, Host

from . import _books
from ._books import Entry, Scope
from ._sheets import SheetWriter

ORDER_OPEN: Final = "order-open"
"""Keeps a lot open; no exception, since it ends by itself."""
RAISED: Final = frozenset(
    {
        ExceptionCode.UNDECLARED_DEVICE,
        ExceptionCode.NOT_OBSERVED,
        ExceptionCode.NOWHERE,
        ExceptionCode.DEVICE_MISSING,
        ExceptionCode.DISPOSED_DEVICE_SEEN,
        ExceptionCode.DISPOSED_WITHOUT_PROOF,
    }
)
"""Differences a balance names by itself; what else is open about a device keeps its own name."""
_OWN: Final = (ExceptionCode.NOT_OBSERVED, ExceptionCode.NOWHERE, ExceptionCode.DISPOSED_WITHOUT_PROOF)
"""Raised by balances alone, and settled by them."""


@dataclass
class Sheet:
    """A counting: the sums, and everything that does not agree."""

    tally: Tally = field(default_factory=Tally)
    differences: list[Difference] = field(default_factory=list)
    settled: list[tuple[str, str]] = field(default_factory=list)
    """Code and subject of exceptions of ours whose cause has gone."""

    @property
    def open(self) -> tuple[Difference, ...]:
        """What nobody has answered."""
        return tuple(one for one in self.differences if not one.answered)


def count(session: Session, scope: Scope, keep: SheetWriter | None = None) -> Sheet:
    """Count a scope as the books have it. Changes nothing; `keep` is given each line of the sheet."""
    sheet = Sheet()
    pending: list[Entry] = []
    for entry in _books.entries(session, scope):
        if belongs(entry.item):
            sheet.tally.add(entry.item)
            if keep is not None:
                keep.add(entry.item)
            pending.append(entry)
        if len(pending) >= _books.BATCH:
            _name(session, scope, pending, sheet)
            pending = []
    _name(session, scope, pending, sheet)
    sheet.differences += _nameless(session, scope)
    return sheet


def _name(session: Session, scope: Scope, entries: Sequence[Entry], sheet: Sheet) -> None:
    """Find for each difference its exception, if it was raised and whatever became of it."""
    ids = [entry.item.device for entry in entries]
    items: dict[tuple[str, str], ExceptionItem] = {}
    others: dict[str, list[ExceptionItem]] = {}
    for row in session.scalars(
        sa.select(ExceptionItem).where(ExceptionItem.device_id.in_(ids)).order_by(ExceptionItem.id)
    ):
        key = (row.code, str(row.device_id))
        if row.code in RAISED:
            known = items.get(key)
            if known is None or known.state is not ExceptionState.OPEN:
                items[key] = row
        elif row.state is ExceptionState.OPEN and (scope.end is None or row.raised < scope.end):
            others.setdefault(str(row.device_id), []).append(row)
    for entry in entries:
        found = differences_of(entry.item)
        named = {str(one.code) for one in found}
        for one in found:
            sheet.differences.append(_answered(one, items.get((str(one.code), one.device)), entry.moved, scope.begin))
        if scope.kind is ScopeKind.LOT and entry.item.running is not None:
            words = f"Device {entry.item.device}: order {entry.item.running} is under way."
            sheet.differences.append(Difference(device=entry.item.device, code=ORDER_OPEN, sentence=words))
        sheet.differences += [_kept(row, entry.item.device) for row in others.get(entry.item.device, [])]
        for code in _OWN:
            known = items.get((str(code), entry.item.device))
            if known is not None and known.state is ExceptionState.OPEN and str(code) not in named:
                sheet.settled.append((str(code), entry.item.device))


def _answered(one: Named, row: ExceptionItem | None, moved: datetime | None, begin: datetime | None) -> Difference:
    open_now = row is not None and row.state is ExceptionState.OPEN
    answered = row is not None and not open_now and answers(row.resolved, moved, begin)
    named = row if open_now or answered else None
    return Difference(
        device=one.device,
        code=str(one.code),
        sentence=one.sentence,
        exception=None if named is None else named.id,
        owner=None if named is None else named.owner,
        answered=answered,
    )


def _kept(row: ExceptionItem, subject: str) -> Difference:
    return Difference(device=subject, code=row.code, sentence=row.sentence, exception=row.id, owner=row.owner)


def _nameless(session: Session, scope: Scope) -> list[Difference]:
    """What hosts of the scope see and nobody can tell which device it is."""
    statement = sa.select(ExceptionItem).where(
        ExceptionItem.state == ExceptionState.OPEN,
        ExceptionItem.device_id.is_(None),
        ExceptionItem.code.in_([str(ExceptionCode.UNIDENTIFIED_DEVICE), str(ExceptionCode.AMBIGUOUS_DEVICE)]),
    )
    if scope.kind is ScopeKind.HOST:
        statement = statement.where(ExceptionItem.host_id == scope.reference)
    elif scope.kind is ScopeKind.SITE:
        statement = statement.where(
            sa.exists().where(Host.id == ExceptionItem.host_id, Host.site_id == scope.reference)
        )
    elif scope.kind is not ScopeKind.EVERYTHING:
        return []
    if scope.end is not None:
        statement = statement.where(ExceptionItem.raised < scope.end)
    return [_kept(row, str(row.host_id)) for row in session.scalars(statement.order_by(ExceptionItem.id))]


def differences(session: Session, lot: str) -> tuple[Difference, ...]:
    """What keeps a lot from being closed: every difference nobody has answered. Empty: it may be closed."""
    return count(session, Scope(kind=ScopeKind.LOT, reference=lot)).open
