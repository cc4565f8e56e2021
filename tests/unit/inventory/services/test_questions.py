"""Every change of status that makes a medium less secure raises its question by itself: event, exception, task."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from inventory.domain.questions import AHEAD, ChangeKind, Settled, Step
from inventory.domain.vocabulary import PartyKind
from inventory.errors import Conflict, Duplicate, Forbidden, Invalid, StaleVersion
from inventory.services import devices, exceptions, hosts, places, queries, questions, upkeep
from inventory.services.queries.questions import list_questions
from inventory.services.questions import AnnounceChange, AnnounceHostChange, WithdrawQuestion
from inventory.services.views.questions import QuestionView
from tests.support.console_agent import Disk
from tests.support.inventory_world import DISK, OTHER_DISK, World

K = ChangeKind


def announce(world: World, kind: ChangeKind = K.REPAIR, **more: Any) -> QuestionView:  # noqa: ANN401 - fields of the command
    command = AnnounceChange(device=world.device().id, kind=kind, reason="the drive clicks", **more)
    return questions.announce(world.context, world.actor("custodian"), command)


def waiting(world: World, **where: Any) -> tuple[QuestionView, ...]:  # noqa: ANN401 - filters
    return list_questions(world.context, world.actor("viewer"), **where).items


def vendor(world: World, *, bound: bool = True) -> str:
    privacy = world.actor("privacy")
    party = places.create_party(world.context, privacy, places.CreateParty(name="Repairs Ltd", kind=PartyKind.VENDOR))
    if bound:
        now = world.clock.now()
        places.file_undertaking(
            world.context, privacy,
            places.FileUndertaking(
                party=party.id, scope="repairs", valid_from=now - timedelta(days=1), valid_until=now + timedelta(days=300),
                document_sha256="c" * 64,
            ),
        )  # fmt: skip
    return party.id


def test_a_repair_is_asked_about_until_the_gate_is_open_and_words_close_nothing(residue: World) -> None:
    party = vendor(residue)
    asked = announce(residue, party=party)
    device = residue.device().id
    assert residue.tags(asked.id) == ["question.raised"]
    assert "status-change" in residue.codes(device=device)
    assert asked.exception is not None
    assert [step.step for step in asked.steps] == [Step.RETIRE, Step.SANITIZE, Step.DESTROY]
    custodian = residue.actor("custodian")
    said = exceptions.ResolveException(exception=asked.exception, resolution="we trust the vendor entirely")
    exceptions.resolve(residue.context, custodian, said)
    assert "status-change" not in residue.codes(device=device)
    residue.clock.forward(minutes=1)
    upkeep.run(residue.context)
    assert "status-change" in residue.codes(device=device), "asked again: nothing has changed but words"
    with pytest.raises(Duplicate):
        announce(residue, party=party)
    residue.clock.forward(days=4)
    upkeep.run(residue.context)
    assert "status-change-overdue" in residue.codes(device=device)
    residue.change("quarantine")
    upkeep.run(residue.context)
    assert waiting(residue)[0].overdue, "under lock it is safe, and it may not leave all the same"


def test_a_clean_device_answers_its_question_itself(residue: World) -> None:
    party = vendor(residue)
    asked = announce(residue, K.LEASE_RETURN, party=party)
    residue.change("retire")
    residue.change("report_missing")
    residue.clock.forward(minutes=1)
    upkeep.run(residue.context)
    (answered,) = waiting(residue, open_=False)
    assert (answered.id, answered.answer) == (asked.id, Settled.MISSING)
    assert answered.steps == ()
    assert "status-change" not in residue.codes(device=residue.device().id)
    assert residue.tags(asked.id) == ["question.raised", "question.answered"]


def test_what_was_announced_can_be_withdrawn_by_who_may_move_and_what_was_noticed_cannot(residue: World) -> None:
    asked = announce(residue, K.RESALE)
    assert [one.code for one in asked.reasons if one.code.startswith("receiver")] == ["receiver-unknown"]
    command = WithdrawQuestion(question=asked.id, reason="we keep it for another year", version=asked.version)
    with pytest.raises(Forbidden):
        questions.withdraw(residue.context, residue.actor("viewer"), command)
    with pytest.raises(StaleVersion):
        questions.withdraw(residue.context, residue.actor("custodian"), dataclasses.replace(command, version=99))
    done = questions.withdraw(residue.context, residue.actor("custodian"), command)
    assert (done.answer, done.may_withdraw) == (Settled.WITHDRAWN, False)
    assert "status-change" not in residue.codes(device=residue.device().id)
    with pytest.raises(Conflict, match="answered already"):
        questions.withdraw(residue.context, residue.actor("custodian"), dataclasses.replace(command, version=None))
    residue.clock.forward(days=8)
    upkeep.run(residue.context)
    (silent, *_) = waiting(residue, kind=K.AGENT_SILENT)
    with pytest.raises(Conflict, match="facts"):
        questions.withdraw(
            residue.context, residue.actor("custodian"), WithdrawQuestion(question=silent.id, reason="x" * 10)
        )


@pytest.mark.parametrize("kind", [K.LEASE_RETURN, K.WARRANTY_SWAP])
def test_a_day_that_stands_in_a_contract_is_asked_about_before_it_comes(residue: World, kind: ChangeKind) -> None:
    due = residue.clock.now() + timedelta(days=1000)
    announced = announce(residue, kind, party=vendor(residue), due=due)
    assert (announced.waits, announced.begins, announced.steps) == (True, due - AHEAD, ())
    residue.clock.forward(days=900)
    upkeep.run(residue.context)
    (still,) = waiting(residue, kind=kind)
    assert (still.waits, still.exception) == (True, None)
    residue.clock.forward(days=41)
    upkeep.run(residue.context)
    (asked,) = waiting(residue, kind=kind)
    assert (asked.waits, asked.answered, asked.overdue) == (False, None, False)
    assert asked.steps, "from now on it is a task"
    assert asked.exception is not None
    residue.clock.forward(days=60)
    upkeep.run(residue.context)
    assert waiting(residue, kind=kind)[0].overdue


def test_a_lease_of_a_device_that_holds_nothing_today_is_not_answered_today(world: World) -> None:
    world.clock.forward(minutes=1)
    due = world.clock.now() + timedelta(days=1000)
    command = AnnounceChange(device=world.device().id, kind=K.LEASE_RETURN, reason="leased with the server", due=due)
    asked = questions.announce(world.context, world.actor("custodian"), command)
    assert (asked.answered, asked.waits, asked.may_withdraw) == (None, True, True)
    with pytest.raises(Invalid, match="ten years"):
        questions.announce(
            world.context,
            world.actor("custodian"),
            dataclasses.replace(command, kind=K.WARRANTY_SWAP, due=due + timedelta(days=4000)),
        )


def test_an_agent_silent_for_the_policys_days_is_asked_for_disk_by_disk_until_it_is_heard(residue: World) -> None:
    residue.clock.forward(days=6)
    upkeep.run(residue.context)
    assert waiting(residue) == ()
    residue.clock.forward(days=2)
    upkeep.run(residue.context)
    upkeep.run(residue.context)
    asked = waiting(residue, kind=K.AGENT_SILENT)
    assert {one.device for one in asked} == {residue.device().id, residue.device(OTHER_DISK).id}, "each once"
    assert [step.step for step in asked[0].steps][:3] == [Step.LOOK, Step.QUARANTINE, Step.REPORT_MISSING]
    residue.change("report_missing", OTHER_DISK)
    residue.clock.forward(minutes=1)
    upkeep.run(residue.context)
    assert [one.device for one in waiting(residue)] == [residue.device().id]
    residue.clock.forward(minutes=1)
    residue.agent.observe(("CRM production", "/srv/crm", (), ()))
    residue.clock.forward(minutes=1)
    upkeep.run(residue.context)
    assert waiting(residue) == ()
    assert {one.answer for one in waiting(residue, open_=False)} == {Settled.SEEN_AGAIN, Settled.MISSING}


def test_a_drive_whose_slot_another_one_took_was_swapped(residue: World) -> None:
    newer = Disk("Seagate", "ST4000NM0035", "ZC1NEWER", DISK.capacity, path="/dev/sdb", slot=DISK.slot)
    residue.agent.disks = [newer, OTHER_DISK]
    residue.clock.forward(minutes=1)
    residue.agent.observe(("CRM production", "/srv/crm", (), ()))
    (asked,) = waiting(residue)
    assert (asked.kind, asked.device) == (K.DRIVE_REPLACED, residue.device().id)
    assert "bay 3" in asked.reason
    residue.agent.disks = [DISK, OTHER_DISK]
    residue.clock.forward(minutes=1)
    residue.agent.observe(("CRM production", "/srv/crm", (), ()))
    residue.clock.forward(minutes=1)
    upkeep.run(residue.context)
    assert {one.device for one in waiting(residue)} == {residue.device(newer).id}, (
        "back again; now the other one is gone"
    )


def test_a_host_out_of_use_asks_about_everything_in_it(residue: World) -> None:
    residue.hold_data(OTHER_DISK, name="Other data")
    command = AnnounceHostChange(host=residue.agent.host, kind=K.HOST_DECOMMISSIONED, reason="end of its life")
    asked = questions.announce_for_host(residue.context, residue.actor("operator"), command)
    assert {one.device for one in asked} == {residue.device().id, residue.device(OTHER_DISK).id}
    assert questions.announce_for_host(residue.context, residue.actor("operator"), command) == (), "asked already"
    residue.change("quarantine")
    residue.clock.forward(minutes=1)
    upkeep.run(residue.context)
    assert [one.device for one in waiting(residue)] == [residue.device(OTHER_DISK).id]
    with pytest.raises(Invalid, match="day of the move"):
        questions.announce_for_host(
            residue.context, residue.actor("operator"), dataclasses.replace(command, kind=K.RACK_RELOCATED)
        )


def test_a_revoked_agent_leaves_its_disks_to_be_asked_for(residue: World) -> None:
    command = hosts.RevokeHost(host=residue.agent.host, reason="its key was copied")
    hosts.revoke(residue.context, residue.actor("admin"), command)
    asked = waiting(residue)
    assert {one.kind for one in asked} == {K.HOST_DECOMMISSIONED}
    assert residue.device().id in {one.device for one in asked}


def test_a_moved_rack_has_arrived_when_its_disks_are_seen_after_the_day(residue: World) -> None:
    day = residue.clock.now() + timedelta(days=2)
    command = AnnounceHostChange(host=residue.agent.host, kind=K.RACK_RELOCATED, reason="new hall", due=day)
    questions.announce_for_host(residue.context, residue.actor("custodian"), command)
    for wait, left in ((timedelta(days=1), 1), (timedelta(days=2), 0)):
        residue.clock.moment += wait
        residue.agent.observe(("CRM production", "/srv/crm", (), ()))
        residue.clock.forward(minutes=1)
        upkeep.run(residue.context)
        found = [one for one in waiting(residue, kind=K.RACK_RELOCATED) if one.device == residue.device().id]
        assert len(found) == left


@pytest.mark.parametrize(
    "wrong",
    [{"kind": K.AGENT_SILENT}, {"kind": K.RACK_RELOCATED}, {"due": timedelta(days=-1)}, {"due": timedelta(days=400)}],
)
def test_what_is_no_announcement_is_refused(residue: World, wrong: dict[str, Any]) -> None:
    fields = {"kind": K.REPAIR, **wrong}
    if "due" in fields:
        fields["due"] += residue.clock.now()
    with pytest.raises(Invalid):
        announce(residue, **fields)


def test_a_device_that_is_not_ours_any_more_is_asked_about_no_more(world: World) -> None:
    custodian = world.actor("custodian")
    new = devices.declare(world.context, custodian, devices.DeclareDevice(asset_tag="AT-NEW"))
    asked = questions.announce(
        world.context, custodian, AnnounceChange(device=new.id, kind=K.RESALE, reason="never unpacked")
    )
    assert asked.answer is not Settled.LEFT
    assert queries.device(world.context, custodian, new.id).state == "declared"
