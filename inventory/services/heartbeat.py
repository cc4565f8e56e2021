"""An agent is alive, and what it should know."""

from __future__ import annotations

import base64

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.contract.v1.agents import DeclaredPath as Path
from inventory.contract.v1.agents import Heartbeat, HeartbeatReply
from inventory.contract.v1.common import LogPosition
from inventory.domain.exceptions import ExceptionCode
from inventory.domain.orders import LEASABLE
from inventory.domain.vocabulary import ExceptionState
from inventory.events import Tag
from inventory.ledger import encode
from inventory.models import DataSet, DeclaredPath, ExceptionItem, Host, HostContact, Lease, Order

from . import reading_results
from ._lamps import lamps_of
from ._quiet import quiet_beat
from .context import Actor, Context
from .halts import newest_signed
from .hosts import trusted_host
from .kernel import note, raise_exception, settle_exception
from .roster import published


def beat(context: Context, actor: Actor, message: Heartbeat) -> HeartbeatReply:
    """Note the contact; answer with interval, paths to resolve, whether work waits, and the newest checkpoint with its proof.

    A checkpoint of the agent that is not ours raises a critical exception: somebody shows different logs to different people.

    Raises:
        AgentNotTrusted.
    """
    reply = quiet_beat(context, actor, message)
    if reply is not None:
        return reply
    with context.writing(actor) as session:
        host = trusted_host(session, actor)
        _note_contact(session, context, host, message)
        _check_clock(session, context, host, message)
        checkpoint, signed, _ = context.ledger.checkpoint(session)
        proof: tuple[str, ...] = ()
        if message.checkpoint is not None:
            proof = compare_logs(session, context, host, message.checkpoint, checkpoint.size)
        roster = published(session)
        paths = session.execute(
            sa.select(DataSet.name, DeclaredPath.path)
            .join(DataSet, DataSet.id == DeclaredPath.data_set_id)
            .where(DeclaredPath.host_id == host.id, DeclaredPath.withdrawn.is_(None))
            .order_by(DeclaredPath.id)
        )
        return HeartbeatReply(
            interval_seconds=context.settings.heartbeat_seconds,
            time=context.now(),
            roster_version=0 if roster is None else roster.version,
            paths=tuple(Path(data_set=name, path=path) for name, path in paths),
            work_waiting=_work_waits(session, context, host) or reading_results.waiting(session, context, host),
            checkpoint=signed,
            consistency=proof,
            trust_root_sha256=context.ledger.keyring.require(session).trust.pin,
            lamps=lamps_of(session, host),
            halt=newest_signed(session, host.id),
        )


def contact_of(session: Session, context: Context, host: Host) -> HostContact:
    """The host's row of last contact, made where there is none."""
    contact = session.get(HostContact, host.id)
    if contact is None:
        contact = HostContact(host_id=host.id, last_contact=context.now(), running=[], standing_by=[], outbox=0)
        session.add(contact)
        session.flush()
    return contact


def _note_contact(session: Session, context: Context, host: Host, message: Heartbeat) -> None:
    contact = contact_of(session, context, host)
    contact.last_contact = context.now()
    contact.boot_id = message.boot_id
    contact.running = list(message.running)
    contact.standing_by = list(message.standing_by)
    contact.outbox = message.outbox
    contact.clock_offset_seconds = int((message.time - context.now()).total_seconds())
    if message.checkpoint is not None:
        contact.seen_log_size = message.checkpoint.size
    if host.agent_version != message.agent_version:
        details = {"before": host.agent_version, "after": message.agent_version}
        host.agent_version = message.agent_version
        note(session, context, Actor(host.id, "agent"), Tag.HOST_CHANGED, "host", host.id, details=details)
    if _is_open(session, ExceptionCode.HOST_SILENT, host.id):
        note(session, context, Actor(host.id, "agent"), Tag.HOST_SEEN_AGAIN, "host", host.id)
        settle_exception(session, context, ExceptionCode.HOST_SILENT, host.id, "The agent has been heard again.")


def _check_clock(session: Session, context: Context, host: Host, message: Heartbeat) -> None:
    off = int(abs(message.time - context.now()).total_seconds())
    if off > context.settings.clock_tolerance_seconds:
        words = f"The clock of {host.name} is {off} seconds off. Its records carry that time; the log bounds it from both sides."
        raise_exception(session, context, ExceptionCode.HOST_CLOCK_OFF, host.id, words, host=host.id)
    else:
        settle_exception(session, context, ExceptionCode.HOST_CLOCK_OFF, host.id, "The clock is right again.")


def compare_logs(session: Session, context: Context, host: Host, seen: LogPosition, size: int) -> tuple[str, ...]:
    """Consistency proof from what the agent has seen; a critical exception where that is not our history."""
    problem = None
    if seen.origin != context.ledger.origin:
        problem = f"another log, {seen.origin!r}"
    elif seen.size > size:
        problem = f"{seen.size} entries; there are only {size}"
    elif context.ledger.root(session, seen.size) != base64.b64decode(seen.root):
        problem = f"another history of {seen.size} entries"
    if problem is None:
        return encode(context.ledger.consistency(session, seen.size, size))
    words = (
        f"The agent of {host.name} has seen {problem}. Somebody rewrote the log or shows two of them; stop and compare."
    )
    if not _is_open(session, ExceptionCode.LOG_DISAGREEMENT, host.id):
        note(
            session, context, Actor(host.id, "agent"), Tag.LOG_DISAGREEMENT, "log", context.ledger.origin, reason=words
        )
    raise_exception(session, context, ExceptionCode.LOG_DISAGREEMENT, host.id, words, host=host.id)
    return ()


def _is_open(session: Session, code: ExceptionCode, subject: str) -> bool:
    return bool(
        session.scalar(
            sa.select(
                sa.exists().where(
                    ExceptionItem.code == str(code),
                    ExceptionItem.subject == subject,
                    ExceptionItem.state == ExceptionState.OPEN,
                )
            )
        )
    )


def _work_waits(session: Session, context: Context, host: Host) -> bool:
    ready = sa.select(Order.id).where(Order.agent_key == host.key_id, Order.state.in_(LEASABLE))
    live = sa.select(Lease.order_id).where(Lease.host_id == host.id, Lease.expires > context.now())
    return session.scalar(ready.where(Order.id.not_in(live)).limit(1)) is not None
