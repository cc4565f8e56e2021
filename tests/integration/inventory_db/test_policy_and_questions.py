"""What the policy's preview and the questions ask of the database, on both databases."""

from __future__ import annotations

from inventory.domain.policy import as_second, parse
from inventory.domain.questions import ChangeKind, Settled
from inventory.services import policies, questions, upkeep
from inventory.services.queries.questions import list_questions
from tests.support.inventory_world import OTHER_DISK, World


def test_a_preview_reads_devices_as_a_stream_with_their_records_between(world: World) -> None:
    world.hold_data()
    world.unmount()
    world.sanitized()
    viewer = world.actor("viewer")
    document = as_second(parse(policies.current_policy(world.context, viewer).document), version=2)
    assert policies.preview_policy(world.context, viewer, document).devices_count == 0
    for row in document["rows"]:
        if row["method"] == "clear":
            row["techniques"] = {"magnetic": ["ata-sanitize-overwrite"]}
    preview = policies.preview_policy(world.context, viewer, document)
    assert preview.devices_no_longer_sufficient == (world.device().id,)
    admin = world.actor("admin")
    policies.import_policy(world.context, admin, policies.ImportPolicy(document=document, reason="drives only"))
    assert not world.device().gate_reuse_inside.open


def test_silence_asks_once_for_each_device_and_an_answer_lasts_for_the_same_silence(world: World) -> None:
    world.hold_data()
    world.clock.forward(days=8)
    for _ in range(2):
        upkeep.run(world.context)
    viewer = world.actor("viewer")
    asked = list_questions(world.context, viewer, kind=ChangeKind.AGENT_SILENT).items
    assert {one.device for one in asked} == {world.device().id, world.device(OTHER_DISK).id}
    world.change("quarantine", OTHER_DISK)
    for _ in range(2):
        world.clock.forward(minutes=1)
        upkeep.run(world.context)
    (answered,) = list_questions(world.context, viewer, open_=False).items
    assert (answered.device, answered.answer) == (world.device(OTHER_DISK).id, Settled.UNDER_LOCK)
    assert len(list_questions(world.context, viewer, open_=None).items) == len(asked), "not asked anew"
    assert questions.attend(world.context).raised == 0
