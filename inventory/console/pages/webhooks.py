"""Webhooks: the list, one with its messages, adding one, and sending again what was given up."""

from __future__ import annotations

from typing import Final

from flask import request, url_for
from werkzeug.wrappers import Response as AnyResponse

from inventory.console.blueprint import Reply, act, form, page
from inventory.console.forms import Form, Option
from inventory.console.language.speaking import words
from inventory.console.sheets import Field, Sheet, reason
from inventory.console.views.lists import narrowed, pager
from inventory.console.web import actor, form_status, go, here, perform, posted, received, show, show_sheet
from inventory.domain.roles import Permission
from inventory.domain.webhooks import Algorithm, DeliveryState, WebhookState
from inventory.errors import InventoryError, NotFound
from inventory.services import webhooks as service

STATES: Final = {
    WebhookState.ACTIVE: ("Active", "ok", "check"),
    WebhookState.PAUSED: ("Paused", "warn", "clock"),
    WebhookState.ENDED: ("Ended", "quiet", "ban"),
}
MESSAGES: Final = {
    DeliveryState.WAITING: ("Waiting", "busy", "clock"),
    DeliveryState.DELIVERED: ("Delivered", "ok", "check"),
    DeliveryState.DEAD: ("Given up", "bad", "cross"),
}
_ALGORITHMS: Final = (
    Option(str(Algorithm.HMAC), "A shared secret (HMAC-SHA-256)", "Shown once; most receivers know this."),
    Option(
        str(Algorithm.ED25519), "The service's own key (Ed25519)", "The receiver needs no secret, only our public key."
    ),
)
_VERBS: Final = {
    "pause": ("Pause", "What happens meanwhile is collected, and sent once it is resumed."),
    "resume": ("Resume", "Everything that was collected is sent now."),
    "end": ("End", "It is told nothing more, and cannot be resumed. What was sent stays listed for ninety days."),
}


@page("/webhooks", Permission.READ_EVENTS)
def webhooks_page() -> Reply:
    """Every webhook."""
    return show("webhooks.html", webhooks=service.list_webhooks(here(), actor()), states=STATES)


@page("/webhooks/<webhook>", Permission.READ_EVENTS)
def webhook(webhook: str) -> Reply:
    """One webhook and its messages."""
    return _show(webhook, Form.starting())


def _show(webhook_id: str, typed: Form, secret: str | None = None) -> Reply:
    found = service.webhook(here(), actor(), webhook_id)
    asked = request.args.get("state", "")
    state = DeliveryState(asked) if asked in set(DeliveryState) else None
    messages = service.list_deliveries(
        here(), actor(), found.id, state=state, after=request.args.get("after"), limit=50
    )
    choices = [("", "All", None), *((str(one), MESSAGES[one][0], None) for one in DeliveryState)]
    return show(
        "webhook.html", form_status(typed), webhook=found, form=typed, secret=secret, messages=messages.items,
        pager=pager(messages, "messages"), segments=narrowed("state", choices), states=STATES, marks=MESSAGES,
        narrowed=state is not None,
    )  # fmt: skip


@form("/webhooks/new", Permission.WEBHOOK_MANAGE)
def new_webhook() -> Reply:
    """Tell somebody of events; the secret is shown by this very answer and never again."""
    typed = received()
    typed.values.setdefault("algorithm", str(Algorithm.HMAC))
    if posted():
        name = typed.text("name", "Give it a name.", limit=64)
        url = typed.text("url", "Where are messages sent? https://host/path", limit=500)
        tags = tuple(typed.text("tags", "Name at least one event.", limit=2000).replace(",", " ").split())
        algorithm = typed.one_of("algorithm", _ALGORITHMS, "Choose how messages are signed.")
        if typed.ok:
            command = service.CreateWebhook(
                name=name, url=url, tags=tags, algorithm=Algorithm(algorithm), full=typed.has("full", "yes")
            )
            try:
                made = service.create(here(), actor(), command)
            except InventoryError as error:
                typed.refused(error)
            else:
                return _show(made.webhook.id, Form.starting(), made.secret or "")
    targets = (
        ", ".join(here().settings.webhook_targets) or "none: an operator lists them in the setting webhook_targets"
    )
    return show_sheet(
        Sheet(
            title="Add a webhook",
            submit="Add",
            lead="Somebody is told of what happens, from now on, by signed messages.",
            crumbs=(("Webhooks", url_for("console.webhooks")),),
            back=url_for("console.webhooks"),
            facts=(("Allowed targets", targets),),
            fields=(
                Field(kind="text", name="name", label="Name", limit=64),
                Field(kind="text", name="url", label="Address", hint="https://host/path", mono=True, limit=500),
                Field(
                    kind="area",
                    name="tags",
                    label="Events",
                    hint="Such as device.sanitized, case.*, or * for everything; spaces between them.",
                    limit=2000,
                ),
                Field(kind="choices", name="algorithm", label="Signed with", options=_ALGORITHMS),
                Field(kind="tick", name="full", label="Send reasons and details, too, not only what happened to what"),
            ),
        ),
        typed,
    )


@form("/webhooks/<webhook>/<verb>", Permission.WEBHOOK_MANAGE)
def change_webhook(webhook: str, verb: str) -> Reply:
    """Pause, resume or end it."""
    if verb not in _VERBS:
        raise NotFound("page", "here")
    found = service.webhook(here(), actor(), webhook)
    label, consequence = _VERBS[verb]
    typed = received()
    if posted():
        why = typed.text("reason", "Say why.")

        def deed() -> AnyResponse:
            service.change(here(), actor(), found.id, verb, why, None)
            return go("webhook", said="webhook-changed", webhook=found.id)

        done = perform(typed, deed)
        if done is not None:
            return done
    return show_sheet(
        Sheet(
            title=f"{words(label)} {found.name}",
            submit=label,
            tone="danger" if verb == "end" else "primary",
            crumbs=(
                ("Webhooks", url_for("console.webhooks")),
                (found.name, url_for("console.webhook", webhook=found.id)),
            ),
            back=url_for("console.webhook", webhook=found.id),
            consequences=(consequence,),
            fields=(reason(),),
        ),
        typed,
    )


@act("/webhooks/<webhook>/test", Permission.WEBHOOK_MANAGE)
def test_webhook(webhook: str) -> Reply:
    """Send a message about this very event."""
    typed = received()

    def deed() -> AnyResponse:
        service.test(here(), actor(), webhook)
        return go("webhook", said="webhook-tested", webhook=webhook)

    return perform(typed, deed) or _show(webhook, typed)


@act("/webhooks/<webhook>/secret", Permission.WEBHOOK_MANAGE)
def renew_webhook_secret(webhook: str) -> Reply:
    """A new secret; shown by this very answer and never again."""
    typed = received()
    try:
        made = service.renew_secret(here(), actor(), webhook)
    except InventoryError as error:
        typed.refused(error)
        return _show(webhook, typed)
    return _show(webhook, Form.starting(), made.secret)


@act("/webhooks/<webhook>/replay", Permission.WEBHOOK_MANAGE)
def replay_messages(webhook: str) -> Reply:
    """Send again what was chosen, or everything that was given up."""
    typed = received()
    chosen = tuple(int(value) for value in typed.values.getlist("messages") if value.isdecimal() and len(value) < 16)
    every = typed.value("which") == "dead"
    if not chosen and not every:
        typed.fail("messages", "Choose at least one message.")

    def deed() -> AnyResponse:
        service.replay(here(), actor(), webhook, chosen, dead=every)
        return go("webhook", said="webhook-replayed", webhook=webhook)

    return perform(typed, deed) or _show(webhook, typed)
