"""The big red stop: halting one host or all, and lifting it again. Signed for the agents, and in the history for good.

A halt takes effect in three places, whichever comes first: the service leases nothing and clears no write; the next word about a
run's progress is answered with it; the agent takes it in with its next heartbeat, keeps it, and begins nothing any more. What a
drive carries out by itself nobody can halt; the agent says so.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.contract.v1.common import Envelope
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import HostState
from inventory.errors import Conflict
from inventory.events import Tag
from inventory.models import Host, HostHalt
from reports.agent_words import Halt, HaltAction
from reports.envelope import sign

from ._halted import halt_of, newest
from ._scope import only
from .context import Actor, Context, authorize
from .kernel import find, load_envelope, note, required, stamp, store_envelope
from .queries.hosts import host_detail
from .views import HostDetail


def halt(context: Context, actor: Actor, host: str, reason: str) -> HostDetail:
    """Halt one host. Permission `order.stop`. Raises `NotFound`, `Conflict` (halted already, or its key does not count)."""
    return _say(context, actor, host, "halt", reason)


def lift(context: Context, actor: Actor, host: str, reason: str) -> HostDetail:
    """Lift a host's halt. Permission `order.stop`. Raises `NotFound`, `Conflict` (it is not halted)."""
    return _say(context, actor, host, "lift", reason)


def halt_all(context: Context, actor: Actor, reason: str) -> tuple[str, ...]:
    """Halt every host the actor sees that is not halted yet; their numbers. Permission `order.stop`."""
    authorize(actor, Permission.ORDER_STOP)
    why = required("reason", reason)
    with context.writing(actor) as session:
        statement = sa.select(Host).where(Host.state == HostState.CONFIRMED, *only(actor, Host)).order_by(Host.id)
        halted = [row for row in session.scalars(statement) if halt_of(session, row.id) is None]
        for row in halted:
            _append(session, context, actor, row, "halt", why)
        return tuple(row.id for row in halted)


def newest_signed(session: Session, host: str) -> Envelope | None:
    """What the agent is told with its heartbeat; None where its host was never halted."""
    row = newest(session, host)
    return None if row is None else Envelope.model_validate(load_envelope(session, row.envelope_sha256))


def _say(context: Context, actor: Actor, host: str, action: HaltAction, reason: str) -> HostDetail:
    authorize(actor, Permission.ORDER_STOP)
    why = required("reason", reason)
    with context.writing(actor) as session:
        row = find(session, Host, host, "host")
        session.refresh(row, with_for_update=True)  # two people at once get two numbers
        if row.state is not HostState.CONFIRMED:
            raise Conflict(f"The key of {row.id} is {row.state}: it works on nothing.")
        stands = halt_of(session, row.id) is not None
        if stands == (action == "halt"):
            raise Conflict(f"{row.id} is {'halted already' if stands else 'not halted'}.")
        _append(session, context, actor, row, action, why)
        return host_detail(session, row, context.now(), context.settings.silent_after_seconds)


def _append(session: Session, context: Context, actor: Actor, host: Host, action: HaltAction, reason: str) -> None:
    before = newest(session, host.id)
    number = 1 if before is None else before.number + 1
    now = context.now()
    body = Halt(
        host=host.id,
        agent_key=host.key_id,
        number=number,
        action=action,
        by=actor.ref,
        reason=reason[:500],
        time=stamp(now),
    )
    digest = store_envelope(
        session, context, "halt", sign("halt", body.to_dict(), context.secrets.signer("acceptance"))
    )
    session.add(
        HostHalt(
            host_id=host.id,
            number=number,
            action=action,
            by=actor.ref,
            reason=reason[:500],
            time=now,
            envelope_sha256=digest,
        )
    )
    tag = Tag.HOST_HALTED if action == "halt" else Tag.HOST_HALT_LIFTED
    note(session, context, actor, tag, "host", host.id, host=host.id, reason=reason[:500], evidence=[digest])
    session.flush()
