"""What happens by itself as time passes. Safe to call at any time, by any number of processes, as often as one likes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.exceptions import ExceptionCode
from inventory.domain.orders import OPEN, OrderEvent, next_state
from inventory.domain.vocabulary import ExceptionState, HostState, OrderState
from inventory.errors import EvidencePending, InventoryError
from inventory.events import Tag
from inventory.models import (
    ExceptionItem,
    Host,
    HostContact,
    IdempotencyKey,
    Lease,
    Nonce,
    OneTimeLink,
    Order,
    SignInAttempt,
    WebSession,
)
from reports.errors import ReportError

from . import (
    _by_hand,
    _statements,
    case_dates,
    certificates,
    handovers,
    papers,
    questions,
    readings,
    samples,
    seal_renewal,
    time_stamps,
    translations,
    undertakings,
    webhook_sending,
    witnesses,
)
from ._mapping import silent_since
from .context import SYSTEM, Context
from .imports import register as imports
from .kernel import note, raise_exception, settle_exception

log = logging.getLogger("inventory.upkeep")

_A_TURN: Final = 50
_TURNS: Final = 10
"""Where thousands of hosts fall silent or are heard again at once, so many are told of before somebody else may change something,
and so often in one round."""
_FORGET: Final = timedelta(days=1)
"""How long answers to idempotency keys and dead sessions are kept."""


@dataclass(frozen=True)
class UpkeepReport:
    """What was done."""

    orders_expired: int
    hosts_silent: int
    cases_overdue: int
    certificates_sealed: int
    leases_lapsed: int
    cosignatures: int
    """Witnesses that signed the newest checkpoint."""
    stamps: int
    """Time-stamps taken."""
    messages_delivered: int
    """To webhooks."""
    rows_removed: int
    """Spent nonces, finished idempotency keys, dead sessions and links: never evidence."""


def run(context: Context) -> UpkeepReport:
    """Expire orders, notice what is late or silent, ask witnesses and time authorities, finish seals, forget spent nonces."""
    with context.writing() as session:
        now = context.now()
        expired = _expire_orders(session, context, now) + readings.expire_readings(session, context, now)
        overdue = case_dates.remind(session, context, now)
        handovers.remind(session, context, now)
        undertakings.remind(session, context, now)
        samples.remind(session, context, now)
        _by_hand.remind(session, context, now)
        removed = _forget(session, now)
    silent = _tell_of_silence(context)
    cosigned = witnesses.ask_all(context)
    stamped = sum(one.stamped is not None for one in time_stamps.take(context))
    time_stamps.remind(context)
    imports.go_on(context)
    seal_renewal.renew_if_due(context)
    questions.attend(context)
    with context.reading() as session:
        lapsed = _lapsed_leases(session, context.now())
        unfinished = [(number, certificates.seal) for number in certificates.unsealed(session)]
        unfinished += [(number, _statements.seal) for number in _statements.unsealed(session)]
        unfinished += [(number, papers.seal) for number in papers.unsealed(session)]
    sealed = sum(_sealed(context, number, seal) for number, seal in unfinished)
    with context.reading() as session:
        lacking = translations.unmade(session, context)
    for number, language in lacking:
        _sealed(context, number, partial(translations.pdf_in, language=language))
    told = webhook_sending.send_due(context)
    return UpkeepReport(expired, silent, overdue, sealed, lapsed, cosigned, stamped, told, removed)


def _expire_orders(session: Session, context: Context, now: datetime) -> int:
    """Orders nobody started in time. A run that may have written does not expire: its record is awaited."""
    count = 0
    for order in session.scalars(
        sa.select(Order).where(Order.expires <= now, Order.state.in_(OPEN)).order_by(Order.id)
    ):
        after = next_state(order.state, OrderEvent.EXPIRE)
        if after is None or order.started is not None:
            continue
        order.state = after
        order.outcome_reason = "It was not started before it expired."
        note(session, context, SYSTEM, Tag.ORDER_EXPIRED, "order", order.id, device=order.device_id)
        count += 1
    return count


def _tell_of_silence(context: Context) -> int:
    """A silent agent raises the question where its disks are. Returns how many are silent."""
    for _ in range(_TURNS):
        with context.writing() as session:
            if _tell_of_some(session, context, context.now()) < _A_TURN:
                break
    with context.reading() as session:
        confirmed, silent = _confirmed(session, context, context.now())
        still = confirmed.where(silent).with_only_columns(Host.id).subquery()
        return session.scalar(sa.select(sa.func.count()).select_from(still)) or 0


def _confirmed(
    session: Session, context: Context, now: datetime
) -> tuple[sa.Select[Host, HostContact], sa.ColumnElement[bool]]:
    """Hosts whose agent should be heard, and the condition under which it is silent."""
    expected_silent = _by_hand.on_the_way(session, now)
    confirmed = (
        sa.select(Host, HostContact)
        .outerjoin(HostContact, HostContact.host_id == Host.id)
        .where(Host.state == HostState.CONFIRMED, Host.id.not_in(expected_silent))
    )
    return confirmed, silent_since(now, context.settings.silent_after_seconds)


def _tell_of_some(session: Session, context: Context, now: datetime) -> int:
    confirmed, silent = _confirmed(session, context, now)
    asked = sa.exists().where(
        ExceptionItem.code == str(ExceptionCode.HOST_SILENT),
        ExceptionItem.subject == Host.id,
        ExceptionItem.state == ExceptionState.OPEN,
    )
    again = session.execute(confirmed.where(~silent, asked).order_by(Host.id).limit(_A_TURN)).all()
    for host, _ in again:
        note(session, context, SYSTEM, Tag.HOST_SEEN_AGAIN, "host", host.id)
        settle_exception(session, context, ExceptionCode.HOST_SILENT, host.id, "Its agent was heard again.")
    fresh = session.execute(confirmed.where(silent, ~asked).order_by(Host.id).limit(_A_TURN - len(again))).all()
    for host, contact in fresh:
        last = contact.last_contact if contact else host.enrolled
        note(session, context, SYSTEM, Tag.HOST_SILENT, "host", host.id)
        sentence = f"The agent on {host.name} has not been heard since {last:%Y-%m-%d %H:%M} UTC. Where are its disks?"
        raise_exception(session, context, ExceptionCode.HOST_SILENT, host.id, sentence, host=host.id)
    return len(again) + len(fresh)


def _lapsed_leases(session: Session, now: datetime) -> int:
    """Orders whose newest lease ran out: the same agent may take them up again, nobody else."""
    newest = sa.select(sa.func.max(Lease.expires)).where(Lease.order_id == Order.id).scalar_subquery()
    running = (OrderState.LEASED, OrderState.EXECUTING, OrderState.SETTLING, OrderState.VERIFYING)
    return session.scalar(sa.select(sa.func.count(Order.id)).where(Order.state.in_(running), newest < now)) or 0


def _forget(session: Session, now: datetime) -> int:
    """Rows without a use and without evidence."""
    old = now - _FORGET
    statements = (
        sa.delete(Nonce).where(Nonce.expires < now),
        sa.delete(IdempotencyKey).where(IdempotencyKey.claimed < old),
        sa.delete(WebSession).where(WebSession.expires < old),
        sa.delete(OneTimeLink).where(OneTimeLink.expires < old),
        sa.delete(SignInAttempt).where(SignInAttempt.at < old),
    )
    return sum(cast("sa.CursorResult[Any]", session.execute(statement)).rowcount for statement in statements)


def _sealed(context: Context, number: str, seal: Callable[[Context, str], object]) -> bool:
    """Make one document's files; one that cannot be made must not keep the others waiting."""
    try:
        seal(context, number)
    except EvidencePending:
        return False
    except (InventoryError, ReportError):
        log.exception("document %s could not be sealed", number)
        return False
    return True
