"""Webhooks: who is told of which events, what was sent, and what was not."""

from __future__ import annotations

from inventory.api.dispatch import Call
from inventory.api.endpoint import Answer, Noun, people
from inventory.api.paging import Paging
from inventory.contract.v1.endpoints import PREFIX
from inventory.contract.v1.vocabulary import Key
from inventory.contract.v1.webhooks import Replayed, WebhookChange, WebhookCreate, WebhookReplay
from inventory.domain.roles import Permission
from inventory.domain.webhooks import Algorithm, DeliveryState
from inventory.errors import Conflict, Duplicate, Invalid, StaleVersion
from inventory.services import webhooks
from inventory.services.views import Page
from inventory.services.views.webhooks import DeliveryView, WebhookSecretView, WebhookView

noun = Noun("webhooks", "Signed messages about events, sent to addresses the settings allow.")

_SEE = people(see=Permission.READ_EVENTS)
_MANAGE = people(Permission.WEBHOOK_MANAGE, see=Permission.READ_EVENTS)


class DeliveryQuery(Paging):
    """Which messages."""

    state: DeliveryState | None = None


@noun.get("/webhooks", "Webhooks", _SEE)
def list_webhooks(call: Call) -> tuple[WebhookView, ...]:
    """With what waits, what was delivered and what was given up."""
    return webhooks.list_webhooks(call.context, call.actor)


@noun.post("/webhooks", "Add a webhook", _MANAGE, creates=True, secret_reply=True, raises=(Duplicate, Invalid))
def create_webhook(call: Call, body: WebhookCreate) -> Answer[WebhookSecretView]:
    """It is told of what happens from now on. Its secret is in this answer and in no other."""
    fields = body.model_dump()
    fields["algorithm"] = Algorithm(body.algorithm)
    made = webhooks.create(call.context, call.actor, webhooks.CreateWebhook(**fields))
    return Answer(made, version=made.webhook.version, location=f"{PREFIX}/webhooks/{made.webhook.id}")


@noun.get("/webhooks/{webhook}", "One webhook", _SEE)
def get_webhook(call: Call, webhook: Key) -> Answer[WebhookView]:
    """Where it stands."""
    found = webhooks.webhook(call.context, call.actor, webhook)
    return Answer(found, version=found.version)


@noun.put(
    "/webhooks/{webhook}/state",
    "Pause, resume or end a webhook",
    _MANAGE,
    updates=True,
    raises=(Conflict, StaleVersion, Invalid),
)
def change_webhook(call: Call, webhook: Key, body: WebhookChange) -> Answer[WebhookView]:
    """Paused, it collects what it is owed; ended, it is told nothing more and cannot be resumed."""
    found = webhooks.change(call.context, call.actor, webhook, body.verb, body.reason, call.version)
    return Answer(found, version=found.version)


@noun.post("/webhooks/{webhook}/secret", "Give a webhook a new secret", _MANAGE, secret_reply=True, raises=(Conflict,))
def renew_webhook_secret(call: Call, webhook: Key) -> WebhookSecretView:
    """For a day messages carry the old secret's signature beside the new one's."""
    return webhooks.renew_secret(call.context, call.actor, webhook)


@noun.post("/webhooks/{webhook}/test", "Test a webhook", _MANAGE, raises=(Conflict,))
def test_webhook(call: Call, webhook: Key) -> WebhookView:
    """A message about this event is queued for it, whatever events it takes."""
    return webhooks.test(call.context, call.actor, webhook)


@noun.get("/webhooks/{webhook}/deliveries", "Messages of a webhook", _SEE)
def list_deliveries(call: Call, webhook: Key, query: DeliveryQuery) -> Page[DeliveryView]:
    """Newest first; `dead` ones were given up and can be sent again."""
    return webhooks.list_deliveries(
        call.context, call.actor, webhook, state=query.state, after=query.after, limit=query.limit
    )


@noun.post("/webhooks/{webhook}/replay", "Send messages again", _MANAGE, raises=(Conflict,))
def replay_deliveries(call: Call, webhook: Key, body: WebhookReplay) -> Replayed:
    """With the ids they had: a receiver that remembers ids takes none twice."""
    waiting = webhooks.replay(call.context, call.actor, webhook, body.deliveries, dead=body.dead)
    return Replayed(waiting=waiting)
