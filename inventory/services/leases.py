"""Leases: leave to execute one order until a time, under a fencing token. Compare-and-swap, so that one of two claimers wins."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.contract.v1.common import Envelope
from inventory.contract.v1.orders import HoldAnswer, HoldQuestion, LeaseReply, Progress, ProgressReply
from inventory.contract.v1.orders import Lease as LeaseMessage
from inventory.domain.lifecycle import DeviceEvent
from inventory.domain.lifecycle import next_state as next_device_state
from inventory.domain.orders import OPEN, OrderEvent, next_state
from inventory.domain.vocabulary import OrderState
from inventory.errors import NotFound
from inventory.events import Tag
from inventory.models import Attachment, Device, Host, Lease, Order, RunProgress
from reports.agent_words import SignedHoldAnswer
from reports.envelope import sign

from ._halted import halt_of
from ._holds import holds_on
from ._moved_runs import other_host_of
from ._quiet import EVENTS, REPORTED, quiet_progress
from ._transitions import move_device, move_order
from .approvals import approvals_of, enough_approvals
from .context import Actor, Context
from .hosts import trusted_host
from .kernel import load_envelope, next_number, note, stamp

_UNFINISHED: Final = (OrderState.LEASED, OrderState.EXECUTING, OrderState.SETTLING, OrderState.VERIFYING)


def acquire(context: Context, actor: Actor) -> LeaseReply:
    """Lease the oldest executable order of this agent, or the run it left unfinished; an empty reply when there is none.

    Approvals are checked again against the published roster, holds and expiry are asked, the device must be attached here.

    Raises:
        AgentNotTrusted.
    """
    with context.writing(actor) as session:
        host = trusted_host(session, actor)
        if halt_of(session, host.id) is not None:
            return LeaseReply(lease=None)
        order = _unfinished(session, context, host) or _executable(session, context, host)
        if order is None:
            return LeaseReply(lease=None)
        event = OrderEvent.LEASE if order.state is OrderState.APPROVED else OrderEvent.LEASE_AGAIN
        order.token += 1
        lease = Lease(
            id=next_number(session, "lease"),
            order_id=order.id,
            host_id=host.id,
            token=order.token,
            acquired=context.now(),
            expires=context.now() + timedelta(seconds=context.settings.lease_seconds),
        )
        session.add(lease)
        move_order(session, context, actor, order, event, details={"lease": lease.id, "token": lease.token})
        session.flush()
        return LeaseReply(lease=message_of(session, order, lease))


def _unfinished(session: Session, context: Context, host: Host) -> Order | None:
    """A run of this very agent whose lease ran out: it goes on under a new token. Its record is awaited, whatever else."""
    newest = sa.select(sa.func.max(Lease.expires)).where(Lease.order_id == Order.id).scalar_subquery()
    statement = (
        sa.select(Order)
        .where(
            Order.host_id == host.id,
            Order.agent_key == host.key_id,
            Order.state.in_(_UNFINISHED),
            newest <= context.now(),
        )
        .order_by(Order.id)
    )
    for order in session.scalars(statement):
        started = order.started is not None
        if started or (order.expires > context.now() and not _held(session, order)):
            return order
    return None


def _executable(session: Session, context: Context, host: Host) -> Order | None:
    statement = sa.select(Order).where(
        Order.host_id == host.id,
        Order.agent_key == host.key_id,
        Order.state == OrderState.APPROVED,
        Order.expires > context.now(),
    )
    for order in session.scalars(statement.order_by(Order.id)):
        if attached(session, order, host) and not _held(session, order) and enough_approvals(session, context, order):
            return order
    return None


def attached(session: Session, order: Order, host: Host) -> bool:
    """Whether the order's device is seen in this host."""
    return bool(
        session.scalar(
            sa.select(
                sa.exists().where(
                    Attachment.device_id == order.device_id,
                    Attachment.host_id == host.id,
                    Attachment.until.is_(None),
                )
            )
        )
    )


def _held(session: Session, order: Order) -> bool:
    return bool(holds_on(session, [order.device_id]).get(order.device_id))


def message_of(session: Session, order: Order, lease: Lease) -> LeaseMessage:
    """The lease as its agent is given it."""
    path = session.scalar(
        sa.select(Attachment.path).where(Attachment.device_id == order.device_id, Attachment.until.is_(None))
    )
    return LeaseMessage(
        id=lease.id,
        token=lease.token,
        expires=lease.expires,
        order=Envelope.model_validate(load_envelope(session, order.envelope_sha256)),
        approvals=tuple(
            Envelope.model_validate(load_envelope(session, one.sha256)) for one in approvals_of(session, order)
        ),
        path_hint=path or "",
    )


def answer_hold(context: Context, actor: Actor, lease: str, question: HoldQuestion) -> HoldAnswer:
    """Asked right before the first write (and before going on after a restart). `clear` commits order and device as under way.

    Raises:
        NotFound: not this agent's lease.
    """
    with context.writing(actor) as session:
        host = trusted_host(session, actor)
        row, order = _own(session, host, lease)
        device = session.get_one(Device, order.device_id)
        reasons = _objections(session, context, row, order, device, question)
        if reasons:
            note(
                session, context, actor, Tag.ORDER_START_REFUSED, "order", order.id,
                device=device.id, host=host.id, reason=" ".join(reasons)[:1000],
            )  # fmt: skip
            return _answer(context, row, order, question, tuple(reasons))
        if order.started is None:
            order.started = context.now()
            move_device(session, context, actor, device, DeviceEvent.START_RUN, order=order.id)
        move_order(session, context, actor, order, OrderEvent.START, details={"token": row.token})
        row.expires = context.now() + timedelta(seconds=context.settings.lease_seconds)
        session.flush()
        return _answer(context, row, order, question, ())


def _answer(
    context: Context, lease: Lease, order: Order, question: HoldQuestion, reasons: tuple[str, ...]
) -> HoldAnswer:
    """Signed, because the host that obeys it believes keys, not connections."""
    body = SignedHoldAnswer(
        order_sha256=order.payload_sha256,
        lease=lease.id,
        token=question.token,
        nonce=question.nonce,
        clear=not reasons,
        reasons=reasons,
        time=stamp(context.now()),
    )
    statement = sign("hold-answer", body.to_dict(), context.secrets.signer("acceptance"))
    return HoldAnswer(
        nonce=question.nonce, clear=not reasons, reasons=reasons, statement=Envelope.model_validate(statement)
    )


def _objections(
    session: Session, context: Context, lease: Lease, order: Order, device: Device, question: HoldQuestion
) -> list[str]:
    reasons = []
    if question.token != lease.token or lease.token != order.token:
        reasons.append("The lease was lost: a newer one exists.")
    if lease.expires <= context.now():
        reasons.append("The lease has run out; acquire it again.")
    if next_state(order.state, OrderEvent.START) is None:
        reasons.append(f"The order is {order.state.replace('_', ' ')}.")
    if order.stop_requested:
        reasons.append("A stop was requested.")
    if (halt := halt_of(session, lease.host_id)) is not None:
        reasons.append(f"The host is halted by {halt.by}: {halt.reason}")
    if (other := other_host_of(session, device.id, lease.host_id)) is not None:
        reasons.append(f"{device.id} was last seen in {other.name}.")
    if order.started is None:
        if order.expires <= context.now():
            reasons.append("The order has expired.")
        if next_device_state(device.state, DeviceEvent.START_RUN) is None:
            reasons.append(f"The device is {device.state.replace('_', ' ')}; a run cannot begin from there.")
        if not enough_approvals(session, context, order):
            reasons.append("The approvals do not suffice any more.")
    reasons += [f"Hold {hold.reference}: {hold.reason}" for hold in holds_on(session, [device.id]).get(device.id, [])]
    return [reason[:500] for reason in reasons]


def report_progress(context: Context, actor: Actor, lease: str, progress: Progress) -> ProgressReply:
    """Take in progress and prolong the lease; an old token is told that it is not current, and changes nothing.

    `refused` before the first write ends the order with the agent's reason. Other end states wait for the record.

    Raises:
        NotFound: not this agent's lease.
    """
    reply = quiet_progress(context, actor, lease, progress)
    if reply is not None:
        return reply
    with context.writing(actor) as session:
        host = trusted_host(session, actor)
        row, order = _own(session, host, lease)
        if progress.token != order.token or row.token != order.token or order.state not in OPEN:
            return ProgressReply(current=False, stop_requested=order.stop_requested)
        row.expires = max(row.expires, context.now() + timedelta(seconds=context.settings.lease_seconds))
        _keep(session, context, order, progress)
        if progress.state == "refused" and order.started is None:
            order.outcome_reason = progress.reason or progress.reason_code or "The agent refused."
            move_order(
                session, context, actor, order, OrderEvent.AGENT_REFUSED,
                reason=order.outcome_reason, details={"code": progress.reason_code},
            )  # fmt: skip
        event = EVENTS.get(progress.state)
        if event is not None and next_state(order.state, event) not in {None, order.state}:
            move_order(session, context, actor, order, event)
        session.flush()
        return ProgressReply(
            current=True, stop_requested=order.stop_requested, halted=halt_of(session, host.id) is not None
        )


def _keep(session: Session, context: Context, order: Order, progress: Progress) -> None:
    row = session.get(RunProgress, order.id)
    if row is None:
        row = RunProgress(order_id=order.id)
        session.add(row)
    for field in REPORTED:
        setattr(row, field, getattr(progress, field))
    row.reported = context.now()
    session.flush()


def _own(session: Session, host: Host, lease: str) -> tuple[Lease, Order]:
    """This agent's lease and its order; to anybody else it does not exist."""
    row = session.get(Lease, lease)
    if row is None or row.host_id != host.id:
        raise NotFound("lease", lease)
    return row, session.get_one(Order, row.order_id)
