"""Webhooks against a real receiver: signed, repeated, given up, sent again; and nowhere the settings do not allow."""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from inventory.domain.scopes import Scope
from inventory.domain.webhooks import PAUSES, Algorithm, DeliveryState, WebhookState
from inventory.errors import Conflict, Duplicate, Forbidden, Invalid, NotFound, StaleVersion
from inventory.models import WebhookCursor
from inventory.outward import Unreached
from inventory.services import queries, webhook_sending, webhooks
from inventory.services.views.webhooks import DeliveryView, WebhookSecretView, WebhookView
from tests.support.inventory_world import World
from tests.support.webhook_receiver import HOME, Message, Receiver, judged, receiving, tls_for


def allow(world: World, **settings: object) -> None:
    """Other settings from now on."""
    world.context = dataclasses.replace(world.context, settings=world.context.settings.model_copy(update=settings))
    world.agent = dataclasses.replace(world.agent, context=world.context)


@pytest.fixture
def receiver(world: World) -> Iterator[Receiver]:
    with receiving() as found:
        allow(world, webhook_targets=(f"127.0.0.1:{found.port}",), webhook_private_networks=HOME)
        yield found


def add(world: World, receiver: Receiver, **more: Any) -> WebhookSecretView:  # noqa: ANN401 - fields of the command
    fields: dict[str, Any] = {"name": "Desk", "url": receiver.url(), "tags": ("device.*",), **more}
    return webhooks.create(world.context, world.actor("admin"), webhooks.CreateWebhook(**fields))


def send(world: World, **more: Any) -> int:  # noqa: ANN401 - doubles
    return webhook_sending.send_due(world.context, **more)


def view(world: World, webhook: str) -> WebhookView:
    return webhooks.webhook(world.context, world.actor("auditor"), webhook)


def deliveries(world: World, webhook: str, state: DeliveryState | None = None) -> tuple[DeliveryView, ...]:
    return webhooks.list_deliveries(world.context, world.actor("auditor"), webhook, state=state).items


def test_what_happens_is_told_once_in_order_and_judged_genuine_by_another_hand(
    world: World, receiver: Receiver
) -> None:
    world.change("retire")
    made = add(world, receiver)
    world.change("quarantine")
    world.change("report_missing")
    assert send(world) == 2
    assert send(world) == 0
    assert [message.said["type"] for message in receiver.messages] == ["device.quarantined", "device.reported-missing"]
    first = receiver.messages[0]
    assert first.path == "/hook?for=us"
    assert first.said["device"] == world.device().id
    assert "reason" not in first.said, "reasons and details only where they are asked for"
    assert first.headers["webhook-key-id"] == made.webhook.key_id
    now = world.clock.now()
    assert judged(first, now, secret=made.secret) == "ok"
    assert judged(first, now + timedelta(minutes=6), secret=made.secret) == "too old or too new"
    altered = Message(first.path, first.headers, first.body.replace(b"quarantined", b"sanitized"))
    assert judged(altered, now, secret=made.secret) == "no signature fits"


def test_without_a_shared_secret_the_services_own_key_signs(world: World, receiver: Receiver) -> None:
    made = add(world, receiver, algorithm=Algorithm.ED25519, full=True)
    world.change("retire")
    assert send(world) == 1
    assert made.secret is None
    assert judged(receiver.messages[0], world.clock.now(), public_key=made.webhook.public_key) == "ok"
    assert receiver.messages[0].said["reason"] == "as the test says"
    with pytest.raises(Conflict, match="no secret"):
        webhooks.renew_secret(world.context, world.actor("admin"), made.webhook.id)


def test_a_new_secret_and_the_old_one_both_fit_for_a_day(world: World, receiver: Receiver) -> None:
    made = add(world, receiver)
    renewed = webhooks.renew_secret(world.context, world.actor("admin"), made.webhook.id)
    world.change("retire")
    send(world)
    world.clock.forward(hours=25)
    world.change("quarantine")
    send(world)
    during, after = receiver.messages
    start = world.clock.now() - timedelta(hours=25)
    assert [judged(during, start, secret=one) for one in (made.secret, renewed.secret)] == ["ok", "ok"]
    assert judged(after, world.clock.now(), secret=renewed.secret) == "ok"
    assert judged(after, world.clock.now(), secret=made.secret) == "no signature fits"
    with world.context.database.engine.connect() as connection:
        stored = str(connection.exec_driver_sql("SELECT * FROM webhook").all())
    for one in (made.secret, renewed.secret):
        assert one is not None
        assert one.removeprefix("whsec_") not in stored, "no secret lies in the database in clear"


def test_a_receiver_that_fails_is_asked_again_later_and_gets_the_same_message(world: World, receiver: Receiver) -> None:
    made = add(world, receiver)
    receiver.answers = [(500, {}), (302, {"Location": receiver.url(path="/elsewhere")})]
    world.change("retire")
    world.change("quarantine")
    assert send(world) == 0
    assert len(receiver.messages) == 1, "the first failure ends the turn, so that the order is kept"
    (waiting,) = [one for one in deliveries(world, made.webhook.id) if one.attempts]
    assert (waiting.state, waiting.status) == (DeliveryState.WAITING, 500)
    assert world.clock.now() < waiting.due
    assert send(world) == 0  # the second message meets the redirection, which is not followed
    world.clock.forward(minutes=2)
    assert send(world) == 2
    ids = [message.headers["webhook-id"] for message in receiver.messages]
    assert {message.path for message in receiver.messages} == {"/hook?for=us"}
    assert (len(ids), len(set(ids))) == (4, 2)


def test_a_message_nobody_takes_is_given_up_asked_about_and_sent_again_by_a_person(
    world: World, receiver: Receiver
) -> None:
    made = add(world, receiver)
    receiver.answers = [(503, {"Retry-After": "120"}), *[(503, {})] * len(PAUSES)]
    world.change("retire")
    send(world)
    (first,) = deliveries(world, made.webhook.id)
    assert first.due - world.clock.now() == timedelta(seconds=120)
    for _ in PAUSES:
        world.clock.forward(days=1, minutes=150)
        send(world)
    (dead,) = deliveries(world, made.webhook.id, DeliveryState.DEAD)
    assert dead.attempts == len(PAUSES) + 1
    assert "webhook-undelivered" in world.codes()
    world.clock.forward(days=30)
    assert send(world) == 0, "what is dead is not sent by itself"
    assert webhooks.replay(world.context, world.actor("admin"), made.webhook.id, (), dead=True) == 1
    with pytest.raises(Conflict, match="nothing to send"):
        webhooks.replay(world.context, world.actor("admin"), made.webhook.id, (dead.id,))
    assert send(world) == 1
    assert "webhook-undelivered" not in world.codes()
    assert {message.headers["webhook-id"] for message in receiver.messages} == {dead.message}
    assert "webhook.replayed" in world.tags(made.webhook.id)
    assert webhooks.replay(world.context, world.actor("admin"), made.webhook.id, (dead.id,)) == 1, "delivered ones, too"


def test_a_receiver_that_says_it_is_gone_is_left_alone(world: World, receiver: Receiver) -> None:
    made = add(world, receiver)
    receiver.answers = [(410, {})]
    world.change("retire")
    world.change("quarantine")
    send(world)
    send(world)
    assert len(receiver.messages) == 1
    assert view(world, made.webhook.id).state is WebhookState.PAUSED
    assert "webhook-undelivered" in world.codes()


def test_paused_it_collects_resumed_it_is_sent_ended_it_is_told_nothing(world: World, receiver: Receiver) -> None:
    made = add(world, receiver)
    admin = world.actor("admin")

    def change(verb: str, version: int | None = None) -> WebhookView:
        return webhooks.change(world.context, admin, made.webhook.id, verb, "as the test says", version)

    with pytest.raises(StaleVersion):
        change("pause", made.webhook.version + 7)
    change("pause", made.webhook.version)
    world.change("retire")
    assert send(world) == 0
    assert view(world, made.webhook.id).waiting == 1
    change("resume")
    assert send(world) == 1
    change("end")
    world.change("quarantine")
    assert send(world) == 0
    for verb in ("resume", "pause", "end"):
        with pytest.raises(Conflict):
            change(verb)
    with pytest.raises(Conflict):
        webhooks.test(world.context, admin, made.webhook.id)


def test_a_test_reaches_its_own_webhook_whatever_it_takes_and_no_other(world: World, receiver: Receiver) -> None:
    made = add(world, receiver, tags=("case.opened",))
    add(world, receiver, name="Other", tags=("case.opened",))
    webhooks.test(world.context, world.actor("admin"), made.webhook.id)
    assert send(world) == 1
    assert receiver.messages[0].said["type"] == "webhook.tested"
    assert receiver.messages[0].said["subject"]["id"] == made.webhook.id


def test_a_process_that_died_while_sending_is_followed_by_another_and_its_late_word_changes_nothing(
    world: World, receiver: Receiver
) -> None:
    made = add(world, receiver)
    world.change("retire")
    sent: list[Any] = []

    def slow(*_: object) -> Any:  # noqa: ANN401 - never answers
        """While this one hangs, its lease runs out, and another process sends."""
        if not sent:
            sent.append(1)
            assert send(world) == 0, "the lease keeps others away"
            world.clock.forward(minutes=3)
            assert send(world) == 1
        raise Unreached("too late")

    assert send(world, send=slow) == 0
    (one,) = deliveries(world, made.webhook.id)
    assert (one.state, one.problem) == (DeliveryState.DELIVERED, "")
    assert len(receiver.messages) == 1
    with world.context.reading() as session:
        cursor = session.get_one(WebhookCursor, made.webhook.id)
        assert (cursor.token, cursor.leased_until) == (2, None)


# -- where messages may go ---------------------------------------------------------------------------------------------------


def test_nothing_is_sent_where_the_settings_do_not_allow_it_any_more(world: World, receiver: Receiver) -> None:
    made = add(world, receiver)
    world.change("retire")
    allow(world, webhook_targets=("desk.example.org",))
    assert send(world) == 0
    allow(world, webhook_targets=(f"127.0.0.1:{receiver.port}",), webhook_private_networks=())
    world.clock.forward(hours=1)
    assert send(world) == 0
    assert receiver.messages == []
    assert "not public" in deliveries(world, made.webhook.id)[0].problem


@pytest.mark.parametrize("others", [("10.0.0.1",), ("93.184.216.34", "127.0.0.1"), ("169.254.169.254",), ()])
def test_a_name_that_stands_for_something_inside_is_not_connected_to(world: World, others: tuple[str, ...]) -> None:
    allow(world, webhook_targets=("desk.example.org",))
    with receiving() as receiver:
        made = add(world, receiver, url="https://desk.example.org/hook")
        world.change("retire")

        def never(*_: object) -> Any:  # noqa: ANN401 - must not be called
            raise AssertionError("a connection was made")

        addresses = tuple(ipaddress.ip_address(one) for one in others)
        assert send(world, send=never, resolver=lambda *_: addresses) == 0
    assert deliveries(world, made.webhook.id)[0].attempts == 1


def test_over_tls_the_certificate_is_the_names_and_the_connection_the_checked_addresss(
    world: World, tmp_path: Path
) -> None:
    side, authority = tls_for(tmp_path)
    here = (ipaddress.ip_address("127.0.0.1"),)
    with receiving(side) as receiver:
        allow(
            world,
            webhook_targets=(f"*.example.org:{receiver.port}",),
            webhook_private_networks=HOME,
            webhook_authorities=authority,
        )
        made = add(world, receiver, url=receiver.url("https", "desk.example.org"))
        other = add(world, receiver, name="Other", url=receiver.url("https", "else.example.org"))
        world.change("retire")
        assert send(world, resolver=lambda *_: here) == 1
        (message,) = receiver.messages
        assert message.headers["host"] == f"desk.example.org:{receiver.port}"
        assert judged(message, world.clock.now(), secret=made.secret) == "ok"
        assert "certificate" in deliveries(world, other.webhook.id)[0].problem.lower()
        allow(world, webhook_authorities=None)
        world.change("quarantine")
        assert send(world, resolver=lambda *_: here) == 0, "an authority nobody named vouches for nothing"


def test_what_makes_no_sense_is_refused_at_once(world: World, receiver: Receiver) -> None:
    add(world, receiver)
    for changes, error in (
        ({"name": "Desk"}, Duplicate),
        ({"name": "x" * 65}, Invalid),
        ({"name": "Two", "tags": ()}, Invalid),
        ({"name": "Two", "tags": ("device.teleported",)}, Invalid),
        ({"name": "Two", "url": "https://elsewhere.example.org/"}, Invalid),
        ({"name": "Two", "url": "gopher://desk.example.org/"}, Invalid),
    ):
        with pytest.raises(error):
            add(world, receiver, **changes)


def test_only_who_runs_the_service_adds_webhooks_and_only_who_reads_events_sees_them(
    world: World, receiver: Receiver
) -> None:
    made = add(world, receiver)
    command = webhooks.CreateWebhook(name="Two", url=receiver.url(), tags=("*",))
    for login in ("privacy", "operator", "auditor", "viewer"):
        with pytest.raises(Forbidden):
            webhooks.create(world.context, world.actor(login), command)
    with pytest.raises(Forbidden):
        webhooks.list_webhooks(world.context, world.actor("operator"))
    narrow = dataclasses.replace(world.actor("admin"), scope=Scope(sites=frozenset({"SI-0001"}), teams=None))
    with pytest.raises(Forbidden, match="every site and team"):
        webhooks.create(world.context, narrow, command)
    assert webhooks.list_webhooks(world.context, narrow) == ()
    for outside in (webhooks.webhook, webhooks.test, webhooks.renew_secret, webhooks.list_deliveries):
        with pytest.raises(NotFound):
            outside(world.context, narrow, made.webhook.id)
    (event,) = queries.list_events(world.context, world.actor("auditor"), tag="webhook.created").items
    assert receiver.url() not in str(event.details), "the path of an address may be a secret of the receiver"
