"""Orders that the drive itself carries out: the service holds a password before the drive has one, and hears when it is over.

Real orders, signatures, journals and records; a simulated drive and clock.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agents.local_rules import LocalRules
from reports.canonical import from_base64
from reports.record import SanitizationRecord
from reports.verdict import judge
from sanitizer.capability import SanitizePhase
from tests.support.agent_world import AgentWorld
from tests.support.command_drive import ERASE, SECRET, START, CommandDrive, CommandSystem
from tests.support.container_drive import ContainerDrive, ContainerSystem
from tests.support.simulated_drive import Crash, Steps

PLAN = {"method": "clear", "technique": "ata-security-erase", "pattern_set": "canaries"}
PURGE = {"method": "purge", "technique": "ata-sanitize-block-erase", "pattern_set": "canaries"}


@pytest.fixture
def world(tmp_path: Path) -> AgentWorld:
    made = AgentWorld(tmp_path, system=CommandSystem(CommandDrive()))
    made.rules = LocalRules(allowed_methods=("clear", "purge"), max_devices_per_hour=100, minimum_approvals=2)
    return made


def drive_of(world: AgentWorld) -> CommandDrive:
    assert isinstance(world.system.drive, CommandDrive)
    return world.system.drive


def test_an_order_for_the_drives_own_sanitize_becomes_a_record_with_its_commands(world: AgentWorld) -> None:
    order = world.order(plan=PURGE)
    world.settle()
    assert order.state == "recorded", order.reasons
    (record,) = world.records()
    assert record["run"]["state"] == "succeeded", record["run"]["error"]
    assert record["method"]["technique"] == "ata-sanitize-block-erase"
    (sent,) = record["method"]["commands"]
    assert (sent["accepted"], sent["reported"]) == ("yes", "success")
    assert SanitizationRecord.from_dict(record).to_dict() == record
    assert drive_of(world).started == [START]


@pytest.mark.parametrize("technique", ["ata-sanitize-block-erase", "auto"])
def test_a_technique_the_local_rules_forbid_is_refused_also_where_auto_would_take_it(
    world: AgentWorld, technique: str
) -> None:
    world.rules = world.rules.model_copy(update={"forbidden_techniques": ("ata-sanitize-*",)})
    order = world.order(plan={**PURGE, "technique": technique})
    world.settle()
    assert [code for code, _ in order.reasons] == ["technique-forbidden-here"]
    assert world.records() == []
    assert drive_of(world).started == []


def test_what_the_local_rules_allow_by_name_is_carried_out(world: AgentWorld) -> None:
    world.rules = world.rules.model_copy(update={"allowed_techniques": ("ata-sanitize-block-erase",)})
    order = world.order(plan={**PURGE, "technique": "auto"})
    world.settle()
    assert order.state == "recorded", order.reasons


def test_the_service_holds_the_password_before_the_drive_has_it_and_hears_that_it_is_over(world: AgentWorld) -> None:
    drive, seen = drive_of(world), []

    def alter(name: str, reply: dict[str, Any]) -> dict[str, Any]:
        if name == "POST /agent/escrows":
            seen.append(drive.password)
        return reply

    world.service.alter = alter
    world.order(plan=PLAN)
    world.settle()
    (record,) = world.records()
    assert record["run"]["state"] == "succeeded", record["run"]["error"]
    assert seen == [None]
    (custody,) = world.service.custodies
    assert from_base64(custody["secret"]) == SECRET
    assert custody["state"] == "released"
    assert SECRET.decode() not in str(record)


@pytest.mark.parametrize(
    "change", [{"sha256": "00" * 32}, {"state": "released"}], ids=["another secret", "released at once"]
)
def test_a_service_that_holds_something_else_leaves_the_drive_without_a_password(
    world: AgentWorld, change: dict[str, str]
) -> None:
    world.service.alter = lambda name, reply: {**reply, **change} if name == "POST /agent/escrows" else reply
    world.order(plan=PLAN)
    world.lease()
    (waiting,) = world.work()
    assert waiting.reason_code == "escrow-not-confirmed"
    assert drive_of(world).password is None
    assert drive_of(world).started == []


def test_a_drive_that_is_pulled_in_the_middle_is_waited_for_and_its_run_goes_on(world: AgentWorld) -> None:
    drive = drive_of(world)
    drive.answers, drive.loses_once = "gone", True
    order = world.order(plan=PURGE)
    world.lease()
    (waiting,) = world.work()
    assert (waiting.reason_code, order.state) == ("device-gone", "leased")
    assert world.records() == []
    world.settle()
    assert order.state == "recorded", order.reasons
    (record,) = world.records()
    assert (record["run"]["state"], len(record["run"]["segments"])) == ("succeeded", 2)


@pytest.mark.parametrize("trouble", ["away", "refuses"])
def test_a_run_whose_password_nobody_takes_waits_and_goes_on_later(world: AgentWorld, trouble: str) -> None:
    def fault(name: str) -> Any:  # noqa: ANN401 - a word of the fake service
        return "before" if trouble == "away" and name.endswith("/escrows") else None

    world.service.fault = fault
    if trouble == "refuses":
        world.service.custody_taken = False
    order = world.order(plan=PLAN)
    world.lease()
    (waiting,) = world.work()
    assert waiting.reason_code == "escrow-not-confirmed"
    assert drive_of(world).password is None
    assert order.state == "leased"
    world.service.fault = lambda _: None
    world.service.custody_taken = True
    world.settle()
    assert order.state == "recorded"
    assert drive_of(world).started == [ERASE]


def test_a_run_killed_with_the_password_on_the_drive_is_resumed_and_unlocks_it(world: AgentWorld) -> None:
    probe = AgentWorld(world.folder / "whole", system=CommandSystem(CommandDrive()))
    probe.rules = world.rules
    probe.order(plan=PLAN)
    probe.settle()
    names = probe.system.steps.names
    world.order(plan=PLAN)
    world.start(Steps(crash_at=names.index("command f4"), when="before"))
    with pytest.raises(Crash):
        world.settle()
    drive = drive_of(world)
    world.system.die(power_cut=True)
    assert drive.locked
    world.start()
    world.settle()
    (record,) = world.records()
    assert record["run"]["state"] == "succeeded", record["run"]["error"]
    assert drive.password is None
    assert {custody["state"] for custody in world.service.custodies} == {"released"}


def test_the_password_stays_in_custody_where_the_run_failed(world: AgentWorld) -> None:
    drive_of(world).leaves = [(0, 512)]
    world.order(plan=PLAN)
    world.settle()
    (record,) = world.records()
    assert record["run"]["error_code"] == "residual"
    assert [custody["state"] for custody in world.service.custodies] == ["held"]


def test_a_lost_answer_to_a_release_is_asked_again(world: AgentWorld) -> None:
    lost: list[str] = []

    def fault(name: str) -> Any:  # noqa: ANN401 - a word of the fake service
        if name.endswith("/release") and not lost:
            lost.append(name)
            return "after"
        return None

    world.service.fault = fault
    world.order(plan=PLAN)
    world.settle()
    assert lost
    assert world.agent.runs.all() == []
    assert [custody["state"] for custody in world.service.custodies] == ["released"]


def test_an_operation_somebody_else_has_under_way_refuses_the_order(world: AgentWorld) -> None:
    drive = drive_of(world)
    order = world.order(plan=PURGE)
    drive.phase, drive.left = SanitizePhase.IN_PROGRESS, 1_000_000
    world.settle()
    assert [code for code, _ in order.reasons] == ["sanitize-in-progress"]
    assert drive.started == []
    assert drive.spent_writes == []


def test_an_operation_of_ours_that_goes_on_through_a_power_cut_is_settled_by_the_next_process(
    world: AgentWorld,
) -> None:
    drive = drive_of(world)
    drive.polls = 50
    probe = AgentWorld(world.folder / "whole", system=CommandSystem(CommandDrive()))
    probe.rules = world.rules
    probe.order(plan=PURGE)
    probe.settle()
    order = world.order(plan=PURGE)
    world.start(Steps(crash_at=probe.system.steps.names.index("journal command-answered"), when="after"))
    with pytest.raises(Crash):
        world.settle()
    world.system.die(power_cut=True)
    assert drive.working
    world.start()
    world.settle()
    assert order.state == "recorded"
    assert drive.started == [START]


def test_a_lying_drive_is_recorded_as_failed_and_judged_so(world: AgentWorld) -> None:
    drive_of(world).leaves = [(1024, 1536)]
    world.order(plan=PURGE)
    world.settle()
    (record,) = world.records()
    assert judge(SanitizationRecord.from_dict(record)).outcome == "failed"
    assert record["verification"]["residual"] == [[1024, 1536]]


# --- keys that the host destroys --------------------------------------------------------------------------------------

KEYS = {
    "method": "clear",
    "technique": "luks-crypto-erase",
    "pattern_set": "keyed-stream-then-zeros",
    "answers": ["encrypted-before-first-use", "no-key-outside"],
}


@pytest.fixture
def encrypted(tmp_path: Path) -> AgentWorld:
    made = AgentWorld(tmp_path, system=ContainerSystem(ContainerDrive()))
    made.rules = LocalRules(allowed_methods=("clear", "purge"), max_devices_per_hour=100, minimum_approvals=2)
    return made


def test_an_order_to_destroy_keys_becomes_a_record_of_what_was_vouched_for_and_found(encrypted: AgentWorld) -> None:
    order = encrypted.order(plan=KEYS)
    encrypted.settle()
    assert order.state == "recorded", order.reasons
    (body,) = encrypted.records()
    record = SanitizationRecord.from_dict(body)
    assert record.to_dict() == body
    found = record.method.key_erasure
    assert found is not None
    assert found.answers == ("encrypted-before-first-use", "no-key-outside")
    assert found.ciphertext_sha256_before == found.ciphertext_sha256_after
    verdict = judge(record)
    assert (verdict.outcome, verdict.method, verdict.coverage) == ("sanitized", "clear", "full"), verdict.reasons
    assert not any(encrypted.system.drive.durable[: found.area[1]])


def test_an_order_that_nobody_vouched_for_destroys_nothing(encrypted: AgentWorld) -> None:
    before = bytes(encrypted.system.drive.durable)
    order = encrypted.order(plan={**KEYS, "answers": ["no-key-outside"]})
    encrypted.settle()
    assert order.state == "refused"
    assert bytes(encrypted.system.drive.durable) == before
