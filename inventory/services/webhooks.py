"""Webhooks: who is told of which events. Sending is `webhook_sending`'s."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.exceptions import ExceptionCode
from inventory.domain.roles import Permission
from inventory.domain.webhooks import (
    Algorithm,
    DeliveryState,
    WebhookState,
    patterns_objection,
    target_objection,
    target_of,
)
from inventory.errors import Conflict, Duplicate, Forbidden, Invalid
from inventory.events import Tag
from inventory.models import Event, Webhook, WebhookCursor, WebhookDelivery

from ._scope import limited
from ._webhook_messages import message_id, new_secret, own_signer, public_key, secret_id
from .context import Actor, Context, authorize
from .kernel import check_version, find, next_number, note, required, settle_exception
from .queries._paging import bounded, cut, number
from .views import Page
from .views.webhooks import DeliveryView, WebhookSecretView, WebhookView

_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._ -]{0,62}[A-Za-z0-9])?")
OVERLAP: Final = timedelta(hours=24)
"""How long a replaced secret signs beside the new one."""


@dataclass(frozen=True, kw_only=True)
class CreateWebhook:
    """Tell somebody of events."""

    name: str
    url: str
    tags: tuple[str, ...]
    algorithm: Algorithm = Algorithm.HMAC
    full: bool = False


def create(context: Context, actor: Actor, command: CreateWebhook) -> WebhookSecretView:
    """Add a webhook; it is told of what happens from now on. Permission `webhook.manage`. The secret is shown this once.

    Raises:
        Forbidden: who does not see every site and team does not send it anywhere.
        Invalid: events that do not exist, an address that is none or that the settings do not allow. Duplicate.
    """
    authorize(actor, Permission.WEBHOOK_MANAGE)
    if limited(actor):
        raise Forbidden("webhook.manage", "Webhooks tell of every site and team; you see some of them only.")
    if not _NAME.fullmatch(command.name):
        raise Invalid("name", "A name has 1 to 64 letters, digits, dots, hyphens, underscores and inner spaces.")
    tags = tuple(dict.fromkeys(command.tags))
    objection = patterns_objection(tags, [str(tag) for tag in Tag])
    if objection is not None:
        raise Invalid("tags", objection)
    _allowed(context, command.url)
    with context.writing(actor) as session:
        existing = session.scalar(sa.select(Webhook.id).where(Webhook.name == command.name))
        if existing is not None:
            raise Duplicate("webhook", "name", existing)
        row = Webhook(
            id=next_number(session, "webhook"),
            name=command.name,
            url=command.url,
            tags=list(tags),
            full=command.full,
            algorithm=Algorithm(command.algorithm),
            state=WebhookState.ACTIVE,
            key_id="",
            created=context.now(),
            created_by=actor.ref,
        )
        shown = _give_key(context, row)
        session.add(row)
        session.flush()
        newest = session.scalar(sa.select(sa.func.max(Event.id))) or 0
        session.add(WebhookCursor(webhook_id=row.id, event_id=newest, token=0))
        session.flush()
        note(
            session, context, actor, Tag.WEBHOOK_CREATED, "webhook", row.id,
            details={"name": row.name, "host": _host(row.url), "tags": " ".join(tags), "algorithm": str(row.algorithm)},
        )  # fmt: skip
        return WebhookSecretView(webhook=_views(session, context, [row])[0], secret=shown)


def _allowed(context: Context, url: str) -> None:
    target = target_of(url)
    if target is None:
        raise Invalid("url", "This is no address a message can go to: https://host/path, without a user or a fragment.")
    objection = target_objection(target, context.settings.webhook_targets)
    if objection is not None:
        raise Invalid("url", objection)


def _host(url: str) -> str:
    """Of the address only the host enters the history: a path may hold a secret of the receiver."""
    target = target_of(url)
    return "" if target is None else target.host


def _give_key(context: Context, row: Webhook) -> str | None:
    if row.algorithm is Algorithm.ED25519:
        row.key_id = own_signer(context).key_id
        return None
    shown, raw = new_secret()
    row.secret, row.key_id = context.secrets.webhooks.seal(raw, row.id), secret_id(raw)
    return shown


def change(context: Context, actor: Actor, webhook: str, verb: str, reason: str, version: int | None) -> WebhookView:
    """Pause, resume or end a webhook. Permission `webhook.manage`. Raises `Conflict`, `StaleVersion`, `NotFound`."""
    authorize(actor, Permission.WEBHOOK_MANAGE)
    after = {"pause": WebhookState.PAUSED, "resume": WebhookState.ACTIVE, "end": WebhookState.ENDED}.get(verb)
    if after is None:
        raise Invalid("verb", "A webhook can be paused, resumed or ended.")
    said = required("reason", reason, least=3)
    with context.writing(actor) as session:
        row = find(session, Webhook, webhook, "webhook")
        check_version(f"Webhook {row.id}", row.version, version)
        _not_ended(row)
        if row.state is after:
            raise Conflict(f"Webhook {row.id} is {row.state} already.")
        if after is WebhookState.ACTIVE:
            _allowed(context, row.url)
        row.state = after
        session.flush()
        note(
            session, context, actor, Tag.WEBHOOK_CHANGED, "webhook", row.id,
            reason=said, details={"state": str(after)},
        )  # fmt: skip
        if after is WebhookState.ENDED:
            words = "The webhook was ended."
            settle_exception(session, context, ExceptionCode.WEBHOOK_UNDELIVERED, row.id, words)
        return _views(session, context, [row])[0]


def _not_ended(row: Webhook) -> None:
    if row.state is WebhookState.ENDED:
        raise Conflict(f"Webhook {row.id} was ended; add a new one.")


def renew_secret(context: Context, actor: Actor, webhook: str, version: int | None = None) -> WebhookSecretView:
    """A new secret, shown this once; for a day messages carry the old one's signature, too. Permission `webhook.manage`.

    Raises:
        Conflict: ended, or signed by the service's own key. StaleVersion, NotFound.
    """
    authorize(actor, Permission.WEBHOOK_MANAGE)
    with context.writing(actor) as session:
        row = find(session, Webhook, webhook, "webhook")
        check_version(f"Webhook {row.id}", row.version, version)
        _not_ended(row)
        if row.secret is None:
            raise Conflict(f"Webhook {row.id} has no secret: the service signs its messages with its own key.")
        box = context.secrets.webhooks
        row.old_secret = box.seal(box.open(row.secret, row.id), f"{row.id} before")
        row.old_until = context.now() + OVERLAP
        shown = _give_key(context, row)
        session.flush()
        note(
            session, context, actor, Tag.WEBHOOK_CHANGED, "webhook", row.id,
            reason="It was given a new secret.", details={"key": row.key_id[:16]},
        )  # fmt: skip
        return WebhookSecretView(webhook=_views(session, context, [row])[0], secret=shown)


def test(context: Context, actor: Actor, webhook: str) -> WebhookView:
    """Have a message about this very event sent, whatever events it takes. Permission `webhook.manage`."""
    authorize(actor, Permission.WEBHOOK_MANAGE)
    with context.writing(actor) as session:
        row = find(session, Webhook, webhook, "webhook")
        _not_ended(row)
        note(session, context, actor, Tag.WEBHOOK_TESTED, "webhook", row.id)
        return _views(session, context, [row])[0]


def replay(context: Context, actor: Actor, webhook: str, deliveries: tuple[int, ...], *, dead: bool = False) -> int:
    """Send messages again, with the same ids: those named, and where asked all that are dead. Permission `webhook.manage`.

    Returns how many wait now. Raises `Conflict` (ended, or nothing to send), `NotFound`.
    """
    authorize(actor, Permission.WEBHOOK_MANAGE)
    with context.writing(actor) as session:
        row = find(session, Webhook, webhook, "webhook")
        _not_ended(row)
        which: sa.ColumnElement[bool] = WebhookDelivery.id.in_(deliveries)
        if dead:
            which = sa.or_(which, WebhookDelivery.state == DeliveryState.DEAD)
        found = session.scalars(
            sa.select(WebhookDelivery).where(
                WebhookDelivery.webhook_id == row.id, which, WebhookDelivery.state != DeliveryState.WAITING
            )
        ).all()
        if not found:
            raise Conflict("There is nothing to send again: what was named waits already, or is not this webhook's.")
        for one in found:
            one.state, one.attempts, one.due, one.delivered = DeliveryState.WAITING, 0, context.now(), None
        note(session, context, actor, Tag.WEBHOOK_REPLAYED, "webhook", row.id, details={"messages": len(found)})
        session.flush()
        return len(found)


def list_webhooks(context: Context, actor: Actor) -> tuple[WebhookView, ...]:
    """Every webhook, ended ones last; none for who does not see everything. Permission `events.read`."""
    authorize(actor, Permission.READ_EVENTS)
    if limited(actor):
        return ()
    with context.reading(actor) as session:
        rows = session.scalars(sa.select(Webhook).order_by(Webhook.state == WebhookState.ENDED, Webhook.id)).all()
        return _views(session, context, rows)


def webhook(context: Context, actor: Actor, webhook_id: str) -> WebhookView:
    """One webhook. Permission `events.read`. Raises `NotFound`."""
    authorize(actor, Permission.READ_EVENTS)
    with context.reading(actor) as session:
        return _views(session, context, [find(session, Webhook, webhook_id, "webhook")])[0]


def list_deliveries(
    context: Context,
    actor: Actor,
    webhook_id: str,
    *,
    state: DeliveryState | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[DeliveryView]:
    """Messages of a webhook, newest first. Permission `events.read`. Raises `NotFound`."""
    authorize(actor, Permission.READ_EVENTS)
    statement = (
        sa.select(WebhookDelivery, Event)
        .join(Event, Event.id == WebhookDelivery.event_id)
        .where(WebhookDelivery.webhook_id == webhook_id)
        .order_by(WebhookDelivery.id.desc())
        .limit(bounded(limit) + 1)
    )
    if state is not None:
        statement = statement.where(WebhookDelivery.state == state)
    before = number(after)
    if before is not None:
        statement = statement.where(WebhookDelivery.id < before)
    with context.reading(actor) as session:
        find(session, Webhook, webhook_id, "webhook")
        rows, following = cut(session.execute(statement).all(), limit, lambda row: str(row[0].id))
        return Page(tuple(_delivery(one, event) for one, event in rows), following)


def _delivery(row: WebhookDelivery, event: Event) -> DeliveryView:
    return DeliveryView(
        id=row.id,
        webhook=row.webhook_id,
        message=message_id(row.webhook_id, row.event_id),
        event=row.event_id,
        tag=event.tag,
        subject_kind=event.subject_kind,
        subject=event.subject,
        at=event.at,
        state=row.state,
        attempts=row.attempts,
        due=row.due,
        tried=row.tried,
        delivered=row.delivered,
        status=row.status,
        problem=row.problem,
    )


def _views(session: Session, context: Context, rows: Sequence[Webhook]) -> tuple[WebhookView, ...]:
    ids = [row.id for row in rows]
    counts: dict[tuple[str, DeliveryState], int] = {
        (owner, state): count
        for owner, state, count in session.execute(
            sa.select(WebhookDelivery.webhook_id, WebhookDelivery.state, sa.func.count())
            .where(WebhookDelivery.webhook_id.in_(ids))
            .group_by(WebhookDelivery.webhook_id, WebhookDelivery.state)
        )
    }
    newest = session.scalar(sa.select(sa.func.max(Event.id))) or 0
    read = dict(
        session.execute(
            sa.select(WebhookCursor.webhook_id, WebhookCursor.event_id).where(WebhookCursor.webhook_id.in_(ids))
        ).all()
    )
    own = public_key(own_signer(context)) if any(row.algorithm is Algorithm.ED25519 for row in rows) else None
    return tuple(
        WebhookView(
            id=row.id,
            name=row.name,
            url=row.url,
            tags=tuple(row.tags),
            full=row.full,
            algorithm=row.algorithm,
            state=row.state,
            key_id=row.key_id,
            public_key=own if row.algorithm is Algorithm.ED25519 else None,
            waiting=counts.get((row.id, DeliveryState.WAITING), 0),
            delivered=counts.get((row.id, DeliveryState.DELIVERED), 0),
            dead=counts.get((row.id, DeliveryState.DEAD), 0),
            behind=0 if row.state is WebhookState.ENDED else max(0, newest - read.get(row.id, newest)),
            created=row.created,
            created_by=row.created_by,
            version=row.version,
        )
        for row in rows
    )
