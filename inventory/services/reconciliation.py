"""Balances: counted from the books, each difference raised as an exception with an owner, closed when every one is answered.

Counting never changes a device. A difference that went away settles its exception; one that is still there and was answered
stays answered until the device moves again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.balance import Difference, ScopeKind
from inventory.domain.exceptions import ExceptionCode
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import ExceptionState
from inventory.errors import Conflict, Forbidden, Invalid, Reason, SeparationOfDuty
from inventory.events import Tag
from inventory.models import Balance, BalanceLine, BalanceSheet, ExceptionItem, Host, Location, Lot, Person, Site
from reports.balance import BalanceCount, CountedBalance, digest_of_lines
from reports.balance import BalanceLine as SignedLine
from reports.times import for_people

from ._books import Scope
from ._counting import ORDER_OPEN, Sheet, count, differences
from ._scope import limited
from ._sealing import organization
from ._sheets import SheetWriter
from .context import Actor, Context, authorize
from .kernel import (
    check_version,
    find,
    next_number,
    note,
    raise_exception,
    required,
    settle_exception,
    sign_and_log,
    stamp,
)
from .queries.balances import balance_view
from .views.balances import BalanceView


@dataclass(frozen=True, kw_only=True)
class DrawUp:
    """What shall be counted, and who answers for what has no owner yet."""

    scope: ScopeKind
    reference: str = ""
    """Number of the host, lot, location or site; empty for everything."""
    begin: datetime | None = None
    end: datetime | None = None
    """Not included. Both, one (as it was then), or neither (now)."""
    owner: str = ""
    """Pseudonym; empty: whoever draws it up."""


@dataclass(frozen=True, kw_only=True)
class CloseBalance:
    """Close it: everything is counted once more first."""

    balance: str
    reason: str
    version: int | None = None


def draw_up(context: Context, actor: Actor, command: DrawUp) -> BalanceView:
    """Count a scope; differences become exceptions with an owner. An open balance of the same scope is counted again.

    Permission `balance.close`.

    Raises:
        NotFound: the scope does not exist, or not for this person.
        Invalid: a period that does not begin before it ends, or is not over yet.
    """
    authorize(actor, Permission.BALANCE_CLOSE)
    with context.reading(actor) as session:
        scope, words = _scope_of(session, context, actor, command)
        sheet = count(session, scope)
    # Counted without keeping everybody else from writing: what happened meanwhile is in the next counting.
    with context.writing(actor) as session:
        owner = find(session, Person, command.owner, "person") if command.owner else session.get_one(Person, actor.ref)
        if not owner.enabled:
            raise Invalid("owner", "This person is disabled and cannot own anything.")
        row = session.scalar(
            sa.select(Balance).where(
                Balance.scope == scope.kind,
                Balance.reference == scope.reference,
                Balance.begin.is_(None) if scope.begin is None else Balance.begin == scope.begin,
                Balance.end.is_(None) if scope.end is None else Balance.end == scope.end,
                Balance.closed.is_(None),
            )
        )
        if row is None:
            _not_closed_yet(session, scope)
            row = Balance(
                id=next_number(session, "balance"), scope=scope.kind, reference=scope.reference, words=words,
                begin=scope.begin, end=scope.end, counting=0, owner=owner.ref,
            )  # fmt: skip
        row.owner = owner.ref
        _keep(session, context, actor, row, sheet)
        return balance_view(row)


def _scope_of(session: Session, context: Context, actor: Actor, command: DrawUp) -> tuple[Scope, str]:
    begin, end, now = command.begin, command.end, context.now()
    if any(one is not None and one.tzinfo is None for one in (begin, end)):
        raise Invalid("begin", "Both times need an offset from UTC.")
    if begin is not None and (end is None or begin >= end):
        raise Invalid("begin", "A period has a beginning and a later end.")
    if end is not None and end > now:
        raise Invalid("end", "The period is not over yet.")
    kind, reference = ScopeKind(command.scope), command.reference.strip()
    if kind is ScopeKind.EVERYTHING:
        if reference:
            raise Invalid("reference", "Everything has no number.")
        if limited(actor):
            raise Forbidden(
                str(Permission.BALANCE_CLOSE), "You see a part of the inventory only; name a site of yours."
            )
        words = "Everything"
    elif kind is ScopeKind.HOST:
        host = find(session, Host, reference, "host")
        words = f"Host {host.name} ({host.id})"
    elif kind is ScopeKind.LOT:
        lot = find(session, Lot, reference, "lot")
        words = f"Lot {lot.name} ({lot.id})"
    elif kind is ScopeKind.PLACE:
        place = find(session, Location, reference, "location")
        words = f"Place {place.name} ({place.id})"
    else:
        site = find(session, Site, reference, "site")
        words = f"Site {site.name} ({site.id})"
    if begin is not None and end is not None:
        words += f", from {for_people(stamp(begin))} to before {for_people(stamp(end))}"
    elif end is not None:
        words += f", as of {for_people(stamp(end))}"
    return Scope(kind=kind, reference=reference, begin=begin, end=end), words[:500]


def _not_closed_yet(session: Session, scope: Scope) -> None:
    """A period is closed once; another balance may not cut across one that was closed."""
    if scope.begin is None or scope.end is None:
        return
    found = session.scalar(
        sa.select(Balance.id).where(
            Balance.scope == scope.kind,
            Balance.reference == scope.reference,
            Balance.closed.is_not(None),
            Balance.begin < scope.end,
            Balance.end > scope.begin,
        )
    )
    if found is not None:
        raise Conflict(f"Balance {found} of the same scope is closed and covers a part of this period.")


def _keep(session: Session, context: Context, actor: Actor, row: Balance, sheet: Sheet) -> None:
    """Keep a counting; what has no name yet is raised and given an owner."""
    broken = _continues(session, row, sheet)
    for code, subject in sheet.settled:
        settle_exception(session, context, ExceptionCode(code), subject, "A balance found that it agrees again.")
    lines = [_raised(session, context, actor, row, one) for one in sheet.differences]
    if broken is not None:
        sheet.differences.append(broken)
        lines.append(_raised(session, context, actor, row, broken))
    left = [one for one in lines if not one.answered]
    row.drawn, row.drawn_by = context.now(), actor.ref
    row.counting += 1
    row.counts, row.states = sheet.tally.counts(), dict(sheet.tally.states)
    row.differences, row.open_differences = len(lines), len(left)
    session.add(row)
    session.flush()
    session.add_all(
        BalanceLine(
            balance_id=row.id, counting=row.counting, device=one.device[:256], code=one.code,
            sentence=one.sentence[:1000], exception_id=one.exception, owner=one.owner, answered=one.answered,
        )
        for one in lines
    )  # fmt: skip
    session.flush()
    note(
        session, context, actor, Tag.BALANCE_DRAWN, "balance", row.id,
        reason=row.words, details={"counting": row.counting, "differences": len(lines), "open": len(left), **row.counts},
    )  # fmt: skip
    sheet.differences = lines


def _continues(session: Session, row: Balance, sheet: Sheet) -> Difference | None:
    """A period begins with what the closed one before it ended with."""
    if row.begin is None:
        return None
    before = session.scalar(
        sa.select(Balance)
        .where(
            Balance.scope == row.scope,
            Balance.reference == row.reference,
            Balance.closed.is_not(None),
            Balance.end == row.begin,
        )
        .order_by(Balance.id)
        .limit(1)
    )
    opening = sheet.tally.counts()["before"]
    if before is None or before.counts["closing"] == opening:
        return None
    words = f"{before.id} ended with {before.counts['closing']} devices, and this one begins with {opening}."
    subject = f"{row.id} after {before.id}"
    item = session.scalar(
        sa.select(ExceptionItem)
        .where(ExceptionItem.code == str(ExceptionCode.BALANCE_BROKEN), ExceptionItem.subject == subject)
        .order_by(ExceptionItem.id.desc())
        .limit(1)
    )
    answered = item is not None and item.state is ExceptionState.RESOLVED
    return Difference(
        device=subject, code=str(ExceptionCode.BALANCE_BROKEN), sentence=words,
        exception=None if item is None else item.id, owner=None if item is None else item.owner, answered=answered,
    )  # fmt: skip


def _raised(session: Session, context: Context, actor: Actor, row: Balance, one: Difference) -> Difference:
    """The difference with its exception and its owner."""
    if one.answered or one.code == ORDER_OPEN:
        return one
    item = session.get(ExceptionItem, one.exception) if one.exception is not None else None
    if item is None:
        code = ExceptionCode(one.code)
        known = None if code is ExceptionCode.BALANCE_BROKEN else one.device
        raise_exception(session, context, code, one.device, one.sentence, device=known)
        item = session.scalars(
            sa.select(ExceptionItem).where(
                ExceptionItem.code == one.code,
                ExceptionItem.subject == one.device[:256],
                ExceptionItem.state == ExceptionState.OPEN,
            )
        ).one()
    if item.owner is None:
        item.owner = row.owner
        session.flush()
        note(
            session, context, actor, Tag.EXCEPTION_ASSIGNED, "exception", item.id,
            device=item.device_id, host=item.host_id, details={"owner": row.owner, "balance": row.words},
        )  # fmt: skip
    return Difference(
        device=one.device, code=one.code, sentence=one.sentence, exception=item.id, owner=item.owner, answered=False
    )


def close(context: Context, actor: Actor, command: CloseBalance) -> BalanceView:
    """Close a balance: counted once more, signed and logged. Permission `balance.close`.

    Raises:
        Conflict: something is open, with each difference as a reason; or it is closed already.
        SeparationOfDuty: the actor answered one of its differences.
        StaleVersion, NotFound.
    """
    authorize(actor, Permission.BALANCE_CLOSE)
    reason = required("reason", command.reason, least=3)
    with context.writing(actor) as session:
        row = find(session, Balance, command.balance, "balance")
        check_version(f"Balance {row.id}", row.version, command.version)
        if row.closed is not None:
            raise Conflict(f"Balance {row.id} is closed already.")
        scope = Scope(kind=row.scope, reference=row.reference, begin=row.begin, end=row.end)
        kept = SheetWriter()
        sheet = count(session, scope, kept)
        _keep(session, context, actor, row, sheet)
        left = [Reason(one.code, one.sentence) for one in sheet.open]
        if not left:
            _by_another(session, actor, sheet.differences)
            _sign(session, context, actor, row, sheet, kept, reason)
            return balance_view(row)
    # Raised only now: what was found has its exceptions, and they must not be rolled back with the refusal.
    shown = left[:50] + ([Reason("more", f"And {len(left) - 50} more.")] if len(left) > 50 else [])
    raise Conflict(f"Balance {row.id} cannot be closed: {len(left)} differences have no answer.", reasons=shown)


def _by_another(session: Session, actor: Actor, found: Iterable[Difference]) -> None:
    """Whoever explained a difference does not close the balance it stands in."""
    answered = [one.exception for one in found if one.exception is not None]
    for start in range(0, len(answered), 500):
        mine = sa.select(ExceptionItem.id).where(
            ExceptionItem.id.in_(answered[start : start + 500]), ExceptionItem.resolved_by == actor.ref
        )
        if session.scalar(mine.limit(1)) is not None:
            raise SeparationOfDuty("close", "answered one of its differences")


def _sign(
    session: Session, context: Context, actor: Actor, row: Balance, sheet: Sheet, kept: SheetWriter, reason: str
) -> None:
    lines = [SignedLine(device=one.device, code=one.code, exception=one.exception or "") for one in sheet.differences]
    now = context.now()
    statement = CountedBalance(
        number=row.id,
        organization=organization(context),
        scope=str(row.scope),
        reference=row.reference,
        words=row.words,
        begin="" if row.begin is None else stamp(row.begin),
        end=stamp(row.end or now),
        counts=tuple(BalanceCount(name=name, devices=devices) for name, devices in sorted(row.counts.items())),
        differences=len(lines),
        differences_sha256=digest_of_lines(lines),
        devices_sha256=kept.hexdigest(),
        closed_by=actor.ref,
        reason=reason,
        time=stamp(now),
    )
    row.sha256, row.log_index = sign_and_log(session, context, "statement", statement.to_dict(), "acceptance", row.id)
    row.closed, row.closed_by = now, actor.ref
    session.add(BalanceSheet(balance_id=row.id, size=kept.size, packed=kept.packed()))
    session.flush()
    note(
        session, context, actor, Tag.BALANCE_CLOSED, "balance", row.id,
        reason=reason, details={"words": row.words, "differences": len(lines)}, evidence=[row.sha256],
    )  # fmt: skip


__all__ = ["CloseBalance", "DrawUp", "close", "differences", "draw_up"]
