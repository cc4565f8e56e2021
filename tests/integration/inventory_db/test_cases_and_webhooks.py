"""What is still exposed and what webhooks are owed, on both databases."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

from inventory.domain.exposure import Why
from inventory.domain.webhooks import DeliveryState
from inventory.services import cases, data, path_dates, queries, upkeep, webhook_sending, webhooks
from inventory.services.queries.exposure import ExposureFilter
from tests.support.inventory_world import DISK, EPOCH, OTHER_DISK, World
from tests.support.webhook_receiver import HOME, judged, receiving


def test_a_withdrawal_is_counted_reminded_of_and_told(world: World) -> None:
    world.agent.disks.remove(OTHER_DISK)
    world.agent.observe()
    world.clock.forward(minutes=1)
    world.hold_data()
    privacy, viewer = world.actor("privacy"), world.actor("viewer")
    with receiving() as receiver:
        settings = {"webhook_targets": (f"127.0.0.1:{receiver.port}",), "webhook_private_networks": HOME}
        world.context = dataclasses.replace(world.context, settings=world.context.settings.model_copy(update=settings))
        command = webhooks.CreateWebhook(name="Desk", url=receiver.url(), tags=("case.*",))
        made = webhooks.create(world.context, world.actor("admin"), command)
        withdrawal = cases.OpenCase(reference="C-1", data_sets=("CRM production",), withdrawn=world.clock.now())
        case = cases.open_case(world.context, privacy, withdrawal)
        (path,) = data.list_paths(world.context, privacy)
        date = path_dates.DatePath(path=path.id, since=EPOCH - timedelta(days=9), reason="since the installation")
        path_dates.date_path(world.context, privacy, date)
        world.clock.forward(days=24)
        assert upkeep.run(world.context).messages_delivered == len(receiver.messages)
        types = [message.said["type"] for message in receiver.messages]
        assert types[0] == "case.opened"
        assert types[-1] == "case.reminded"
        assert types.count("case.obligation-added") == 3
        assert judged(receiver.messages[-1], world.clock.now(), secret=made.secret) == "ok"
        assert webhook_sending.send_due(world.context) == 0
        found = webhooks.list_deliveries(world.context, world.actor("auditor"), made.webhook.id, limit=200).items
        assert {one.state for one in found} == {DeliveryState.DELIVERED}
    for by in ("data_set", "case", "place"):
        board = queries.exposure(world.context, viewer, by)
        assert (board.media, board.cases, len(board.rows)) == (2, 1, 1)
        assert {one.why: one.media for one in board.rows[0].why} == {Why.IN_USE: 2}
    lines = queries.list_exposures(world.context, viewer, ExposureFilter(case=case.id, place="none", why=Why.IN_USE))
    assert {line.device for line in lines.items} == {world.device(DISK).id, world.device(OTHER_DISK).id}
