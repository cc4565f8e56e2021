"""Sends what webhooks are owed. Called by upkeep, in any number of processes: a row's lease says who sends for a webhook now.

First the history is read on from where each webhook stands, and every event it takes becomes a message; then messages that are
due are sent, oldest first, outside any transaction. A message may be sent twice (a crash before the answer is written down), and
never not at all: it is delivered, waits, or is dead and says so to a person.
"""

from __future__ import annotations

import secrets
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory import outward_pinned
from inventory.domain.exceptions import ExceptionCode
from inventory.domain.webhooks import (
    Address,
    Algorithm,
    DeliveryState,
    Target,
    Verdict,
    WebhookState,
    takes,
    target_objection,
    target_of,
    verdict,
)
from inventory.errors import SetupError
from inventory.events import Tag
from inventory.models import Event, Webhook, WebhookCursor, WebhookDelivery
from inventory.outward import Unreached
from inventory.outward_pinned import Answer, Resolve

from ._webhook_messages import body_of, headers, keys_of, message_id, own_signer
from .context import SYSTEM, Context
from .kernel import note, raise_exception, settle_exception

Send = Callable[[Target, Sequence[Address], bytes, Mapping[str, str], ssl.SSLContext], Answer]

_EVENTS: Final = 2000
"""Looked at for each webhook in one round."""
_BATCH: Final = 50
_AT_ONCE: Final = 4
_ROUND_SECONDS: Final = 20.0
"""After this a webhook's turn is over; what is left is due again."""
LEASE: Final = timedelta(minutes=2)
KEPT: Final = timedelta(days=90)
"""Delivered messages are forgotten after this; dead ones stay until they are sent again or their webhook ends."""


@dataclass(frozen=True)
class _Task:
    """What one webhook is owed now, under one lease."""

    webhook: str
    url: str
    algorithm: Algorithm
    key_id: str
    keys: tuple[bytes, ...]
    token: int
    messages: tuple[tuple[int, int, int, bytes], ...]
    """Delivery, event, attempts so far, body."""


@dataclass(frozen=True)
class _Result:
    delivery: int
    attempts: int
    status: int | None
    problem: str
    verdict: Verdict


def send_due(context: Context, *, send: Send = outward_pinned.post, resolver: Resolve = outward_pinned.resolve) -> int:
    """Queue and send everything that is due. Returns how many messages were delivered."""
    with context.writing() as session:
        _queue(session, context)
        tasks = _lease(session, context)
    if not tasks:
        return 0
    settings = context.settings
    try:
        wrapping = outward_pinned.tls(settings.webhook_authorities)
    except (OSError, ssl.SSLError) as error:
        raise SetupError(f"The file of the setting webhook_authorities cannot be read: {error}") from error

    def work(task: _Task) -> int:
        return _work(context, task, send, resolver, wrapping)

    if len(tasks) == 1:
        return work(tasks[0])
    with ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="webhook") as pool:
        return sum(pool.map(work, tasks))


def _queue(session: Session, context: Context) -> None:
    """Every event a webhook takes becomes a message. One writer at a time: no event can appear behind the cursor."""
    now = context.now()
    rows = session.execute(
        sa.select(Webhook, WebhookCursor)
        .join(WebhookCursor, WebhookCursor.webhook_id == Webhook.id)
        .where(Webhook.state != WebhookState.ENDED)
    ).all()
    for webhook, cursor in rows:
        events = session.execute(
            sa.select(Event.id, Event.tag, Event.subject)
            .where(Event.id > cursor.event_id)
            .order_by(Event.id)
            .limit(_EVENTS)
        ).all()
        for number, tag, subject in events:
            wanted = subject == webhook.id if tag == Tag.WEBHOOK_TESTED else takes(webhook.tags, tag)
            if wanted:
                session.add(
                    WebhookDelivery(
                        webhook_id=webhook.id,
                        event_id=number,
                        state=DeliveryState.WAITING,
                        attempts=0,
                        due=now,
                        queued=now,
                        problem="",
                    )
                )
        if events:
            cursor.event_id = events[-1][0]
    session.execute(
        sa.delete(WebhookDelivery).where(
            WebhookDelivery.state == DeliveryState.DELIVERED, WebhookDelivery.delivered < now - KEPT
        )
    )
    session.flush()


def _lease(session: Session, context: Context) -> list[_Task]:
    now = context.now()
    waiting = sa.exists().where(
        WebhookDelivery.webhook_id == Webhook.id,
        WebhookDelivery.state == DeliveryState.WAITING,
        WebhookDelivery.due <= now,
    )
    rows = session.execute(
        sa.select(Webhook, WebhookCursor)
        .join(WebhookCursor, WebhookCursor.webhook_id == Webhook.id)
        .where(
            Webhook.state == WebhookState.ACTIVE,
            waiting,
            sa.or_(WebhookCursor.leased_until.is_(None), WebhookCursor.leased_until <= now),
        )
        .order_by(Webhook.id)
    ).all()
    tasks = []
    for webhook, cursor in rows:
        cursor.token += 1
        cursor.leased_until = now + LEASE
        tasks.append(_task(session, context, webhook, cursor.token))
    session.flush()
    return tasks


def _task(session: Session, context: Context, webhook: Webhook, token: int) -> _Task:
    rows = session.execute(
        sa.select(WebhookDelivery, Event)
        .join(Event, Event.id == WebhookDelivery.event_id)
        .where(
            WebhookDelivery.webhook_id == webhook.id,
            WebhookDelivery.state == DeliveryState.WAITING,
            WebhookDelivery.due <= context.now(),
        )
        .order_by(WebhookDelivery.id)
        .limit(_BATCH)
    )
    return _Task(
        webhook=webhook.id,
        url=webhook.url,
        algorithm=webhook.algorithm,
        key_id=webhook.key_id,
        keys=keys_of(session, context, webhook),
        token=token,
        messages=tuple((one.id, one.event_id, one.attempts, body_of(webhook, event)) for one, event in rows),
    )


def _work(context: Context, task: _Task, send: Send, resolver: Resolve, wrapping: ssl.SSLContext) -> int:
    """Send a webhook's messages one after the other; the first that fails ends its turn, so that the order is kept longest."""
    count, begun = 0, time.monotonic()
    for delivery, event, attempts, body in task.messages:
        result = _attempt(context, task, (delivery, event, attempts + 1, body), send, resolver, wrapping)
        if not _keep(context, task, result):
            return count
        if result.verdict.state is not DeliveryState.DELIVERED or time.monotonic() - begun > _ROUND_SECONDS:
            count += result.verdict.state is DeliveryState.DELIVERED
            break
        count += 1
    _give_back(context, task)
    return count


def _attempt(
    context: Context,
    task: _Task,
    message: tuple[int, int, int, bytes],
    send: Send,
    resolver: Resolve,
    wrapping: ssl.SSLContext,
) -> _Result:
    delivery, event, attempts, body = message
    status, problem, later = None, "", None
    try:
        target = _target(context, task.url)
        addresses = outward_pinned.checked(target, context.settings.webhook_private_networks, resolver)
        signer = own_signer(context) if task.algorithm is Algorithm.ED25519 else None
        beside = headers(
            task.algorithm, task.key_id, message_id(task.webhook, event), context.now(), body, task.keys, signer
        )
        answer = send(target, addresses, body, beside, wrapping)
        status, later = answer.status, answer.retry_after
        problem = "" if 200 <= status < 300 else f"The receiver answered {status}."
    except Unreached as error:
        problem = str(error)
    share = secrets.randbelow(1000) / 1000
    return _Result(delivery, attempts, status, problem[:300], verdict(attempts, status, retry_after=later, share=share))


def _target(context: Context, url: str) -> Target:
    """The settings are asked at each attempt: what they allowed once, they may not allow now."""
    target = target_of(url)
    if target is None:
        raise Unreached("The address is none a message can go to.")
    objection = target_objection(target, context.settings.webhook_targets)
    if objection is not None:
        raise Unreached(objection)
    return target


def _keep(context: Context, task: _Task, result: _Result) -> bool:
    """Write down what came of an attempt; nothing changes where the lease is another's by now."""
    now = context.now()
    with context.writing() as session:
        cursor = session.get_one(WebhookCursor, task.webhook)
        if cursor.token != task.token:
            return False
        cursor.leased_until = now + LEASE
        row = session.get_one(WebhookDelivery, result.delivery)
        row.state, row.attempts, row.tried = result.verdict.state, result.attempts, now
        row.status, row.problem = result.status, result.problem
        if result.verdict.pause is not None:
            row.due = now + result.verdict.pause
        if result.verdict.state is DeliveryState.DELIVERED:
            row.delivered = now
            _settle(session, context, task.webhook)
        if result.verdict.state is DeliveryState.DEAD:
            _give_up(session, context, task, result)
        return True


def _settle(session: Session, context: Context, webhook: str) -> None:
    session.flush()
    dead = sa.exists().where(WebhookDelivery.webhook_id == webhook, WebhookDelivery.state == DeliveryState.DEAD)
    if not session.scalar(sa.select(dead)):
        words = "Everything was delivered."
        settle_exception(session, context, ExceptionCode.WEBHOOK_UNDELIVERED, webhook, words)


def _give_up(session: Session, context: Context, task: _Task, result: _Result) -> None:
    row = session.get_one(Webhook, task.webhook)
    words = f"Webhook {row.id} ({row.name}): a message was given up after {result.attempts} attempts. {result.problem}"
    if result.verdict.gone and row.state is WebhookState.ACTIVE:
        row.state = WebhookState.PAUSED
        words = f"Webhook {row.id} ({row.name}) is paused: its receiver answers that it is gone (410)."
        note(
            session, context, SYSTEM, Tag.WEBHOOK_CHANGED, "webhook", row.id,
            reason="Its receiver answers that it is gone.", details={"state": str(row.state)},
        )  # fmt: skip
    raise_exception(session, context, ExceptionCode.WEBHOOK_UNDELIVERED, row.id, words)


def _give_back(context: Context, task: _Task) -> None:
    with context.writing() as session:
        freed = (
            sa.update(WebhookCursor)
            .where(WebhookCursor.webhook_id == task.webhook, WebhookCursor.token == task.token)
            .values(leased_until=None)
        )
        cast("sa.CursorResult[Any]", session.execute(freed))
