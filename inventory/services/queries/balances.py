"""Balances in lists, one balance, and what does not agree in it."""

from __future__ import annotations

import sqlalchemy as sa

from inventory.domain.balance import Difference
from inventory.domain.roles import Permission
from inventory.models import Balance, BalanceLine
from inventory.services._scope import only
from inventory.services._sheets import balance_file
from inventory.services.context import Actor, Context, authorize
from inventory.services.kernel import find
from inventory.services.views import Page
from inventory.services.views.balances import BalanceView

from ._paging import bounded, cut, number


def balance(context: Context, actor: Actor, reference: str) -> BalanceView:
    """One balance. Permission `inventory.read`. Raises `NotFound`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        return balance_view(find(session, Balance, reference, "balance"))


def list_balances(
    context: Context, actor: Actor, *, closed: bool | None = None, after: str | None = None, limit: int = 50
) -> Page[BalanceView]:
    """Balances, newest first. Permission `inventory.read`. Raises `Invalid`."""
    authorize(actor, Permission.READ)
    statement = sa.select(Balance).where(*only(actor, Balance)).order_by(Balance.id.desc()).limit(bounded(limit) + 1)
    if closed is not None:
        statement = statement.where(Balance.closed.is_not(None) if closed else Balance.closed.is_(None))
    if after is not None:
        statement = statement.where(Balance.id < after)
    with context.reading(actor) as session:
        rows, following = cut(session.scalars(statement).all(), limit, lambda row: row.id)
        return Page(tuple(balance_view(row) for row in rows), following)


def sheet_file(context: Context, actor: Actor, reference: str) -> bytes:
    """What `sanitrail-verify` counts a closed balance again from. Permission `evidence.read`. Raises `NotFound`, `Conflict`."""
    authorize(actor, Permission.READ_EVIDENCE)
    with context.reading(actor) as session:
        return balance_file(session, context, find(session, Balance, reference, "balance")).to_bytes()


def list_differences(
    context: Context, actor: Actor, reference: str, *, after: str | None = None, limit: int = 50
) -> Page[Difference]:
    """What the last counting of a balance found. Permission `inventory.read`. Raises `NotFound`, `Invalid`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        row = find(session, Balance, reference, "balance")
        statement = (
            sa.select(BalanceLine)
            .where(BalanceLine.balance_id == row.id, BalanceLine.counting == row.counting)
            .order_by(BalanceLine.id)
            .limit(bounded(limit) + 1)
        )
        last = number(after)
        if last is not None:
            statement = statement.where(BalanceLine.id > last)
        lines, following = cut(session.scalars(statement).all(), limit, lambda line: str(line.id))
        return Page(tuple(differencebalance_view(line) for line in lines), following)


def differencebalance_view(line: BalanceLine) -> Difference:
    """One line as it was found."""
    return Difference(
        device=line.device, code=line.code, sentence=line.sentence,
        exception=line.exception_id, owner=line.owner, answered=line.answered,
    )  # fmt: skip


def balance_view(row: Balance) -> BalanceView:
    """A balance."""
    return BalanceView(
        id=row.id,
        scope=row.scope,
        reference=row.reference,
        words=row.words,
        begin=row.begin,
        end=row.end,
        owner=row.owner,
        drawn=row.drawn,
        drawn_by=row.drawn_by,
        counting=row.counting,
        counts=row.counts,
        states=row.states,
        differences=row.differences,
        open_differences=row.open_differences,
        closed=row.closed,
        closed_by=row.closed_by,
        sha256=row.sha256,
        log_index=row.log_index,
        version=row.version,
    )
