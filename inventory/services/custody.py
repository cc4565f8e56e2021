"""Custody of drives' passwords: deposited by the agent before a drive is given one, revealed to people who must unlock it.

A released secret is kept as well: an agent may be wrong about its drive, and a way out is worth more than a clean table.
"""

from __future__ import annotations

import binascii
import hashlib
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.contract.v1.escrows import EscrowDeposit, EscrowHeld, EscrowRelease
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import EscrowState
from inventory.errors import Conflict, Invalid, NotFound
from inventory.events import Tag
from inventory.models import Device, Escrow, Host, Order
from reports.canonical import from_base64, to_base64
from reports.errors import MalformedDocument

from ._escrows import UNDER_WAY, escrow_view
from .context import Actor, Context, authorize
from .hosts import trusted_host
from .kernel import find, next_number, note, required
from .views import EscrowSecretView, EscrowView


@dataclass(frozen=True, kw_only=True)
class Reveal:
    """A person needs the secret."""

    escrow: str
    reason: str


def deposit(context: Context, actor: Actor, message: EscrowDeposit) -> EscrowHeld:
    """Take a secret into custody; the same one again is the same custody.

    Raises:
        AgentNotTrusted, Forbidden.
        NotFound: no such order of this agent.
        Conflict: the order is not under way, or is about another medium.
        Invalid: the secret is not what its digest says.
        SetupError: the custody key is missing.
    """
    secret = _secret(message)
    with context.writing(actor) as session:
        host = trusted_host(session, actor)
        order = _order(session, host, message)
        row = session.scalar(
            sa.select(Escrow).where(
                Escrow.order_id == order.id, Escrow.run == message.run, Escrow.sha256 == message.sha256
            )
        )
        new = row is None
        if row is None:
            row = _store(session, context, actor, order, message, secret)
        elif row.state is EscrowState.RELEASED:
            row.state = EscrowState.HELD
            _note(session, context, actor, Tag.ESCROW_DEPOSITED, row)
        session.flush()
        held = hashlib.sha256(_opened(context, row)).hexdigest()
        return EscrowHeld(id=row.id, sha256=held, state=row.state.value, new=new)


def release(context: Context, actor: Actor, escrow: str, message: EscrowRelease) -> EscrowHeld:
    """The agent says that the drive has no password any more; the secret stays, for it might be wrong.

    Raises:
        AgentNotTrusted, Forbidden.
        NotFound: no such custody of this agent's.
        Conflict: deposited by another run.
    """
    with context.writing(actor) as session:
        host = trusted_host(session, actor)
        row = find(session, Escrow, escrow, "escrow")
        if row.host_id != host.id:
            raise NotFound("escrow", escrow)
        if row.run != message.run:
            raise Conflict(f"Custody {row.id} was deposited by another run.")
        if row.state is not EscrowState.RELEASED:
            row.state, row.released = EscrowState.RELEASED, context.now()
            row.release_reason = required("reason", message.reason, least=3)
            _note(session, context, actor, Tag.ESCROW_RELEASED, row, row.release_reason)
            session.flush()
        return EscrowHeld(id=row.id, sha256=row.sha256, state=row.state.value, new=False)


def reveal(context: Context, actor: Actor, command: Reveal) -> EscrowSecretView:
    """Give a person the secret, so that a drive can be unlocked. Every time is an event. Permission `escrow.reveal`.

    Raises:
        NotFound, Invalid.
        SetupError: the custody key is missing, or another one than it was encrypted with.
    """
    authorize(actor, Permission.ESCROW_REVEAL)
    reason = required("reason", command.reason, least=3)
    with context.writing(actor) as session:
        row = find(session, Escrow, command.escrow, "escrow")
        secret = _opened(context, row)
        if row.state is EscrowState.HELD:
            row.state = EscrowState.REVEALED
        row.revealed, row.revealed_to = context.now(), actor.ref
        _note(session, context, actor, Tag.ESCROW_REVEALED, row, reason)
        session.flush()
        return EscrowSecretView(
            escrow=_view(session, row), secret_base64=to_base64(secret), secret_hex=secret.hex(), text=_text(secret)
        )


def escrow(context: Context, actor: Actor, escrow_id: str) -> EscrowView:
    """One custody, without its secret. Permission `inventory.read`. Raises `NotFound`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        return _view(session, find(session, Escrow, escrow_id, "escrow"))


def _secret(message: EscrowDeposit) -> bytes:
    try:
        secret = from_base64(message.secret, "secret")
    except (MalformedDocument, binascii.Error) as error:
        raise Invalid("secret", "The secret is not standard base64.") from error
    if hashlib.sha256(secret).hexdigest() != message.sha256:
        raise Invalid("sha256", "The digest is not that of the secret; nothing was taken into custody.")
    return secret


def _order(session: Session, host: Host, message: EscrowDeposit) -> Order:
    order = session.get(Order, message.order)
    if order is None or order.host_id != host.id or order.agent_key != host.key_id:
        raise NotFound("order", message.order)
    if order.fingerprint != message.device:
        raise Conflict(f"Order {order.id} is about another medium.")
    if order.state not in UNDER_WAY:
        raise Conflict(f"Order {order.id} is {order.state}; nothing is taken into custody for it.")
    return order


def _store(
    session: Session, context: Context, actor: Actor, order: Order, message: EscrowDeposit, secret: bytes
) -> Escrow:
    number = next_number(session, "escrow")
    first = session.scalar(sa.select(sa.func.count()).select_from(Escrow)) == 0
    row = Escrow(
        id=number,
        order_id=order.id,
        run=message.run,
        device_id=session.get_one(Device, order.device_id).id,
        host_id=order.host_id,
        kind=message.kind,
        sealed=context.secrets.custody(create=first).seal(secret, number),
        sha256=message.sha256,
        recovery=message.recovery,
        state=EscrowState.HELD,
        deposited=context.now(),
    )
    session.add(row)
    session.flush()
    _note(session, context, actor, Tag.ESCROW_DEPOSITED, row)
    return row


def _opened(context: Context, row: Escrow) -> bytes:
    return context.secrets.custody().open(row.sealed, row.id)


def _note(session: Session, context: Context, actor: Actor, tag: Tag, row: Escrow, reason: str = "") -> None:
    note(
        session, context, actor, tag, "escrow", row.id,
        device=row.device_id, host=row.host_id, order=row.order_id, reason=reason,
        details={"kind": row.kind, "sha256": row.sha256},
    )  # fmt: skip


def _view(session: Session, row: Escrow) -> EscrowView:
    return escrow_view(row, session.get_one(Order, row.order_id).state)


def _text(secret: bytes) -> str:
    """The secret as tools take it, where it is printable; padding of zero bytes left out."""
    try:
        text = secret.rstrip(b"\0").decode("ascii")
    except UnicodeDecodeError:
        return ""
    return text if text.isprintable() else ""
