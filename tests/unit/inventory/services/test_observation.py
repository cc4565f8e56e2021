"""What an agent sees: bound, attached, compared, mapped to holdings; every difference asks a question."""

from __future__ import annotations

import dataclasses
import hashlib
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from inventory.contract.v1.agents import Heartbeat
from inventory.contract.v1.common import LogPosition
from inventory.contract.v1.devices import Observation, ObservedDevice, PathMapping
from inventory.domain.vocabulary import DeviceState, ExceptionState, HoldingState
from inventory.errors import AgentNotTrusted
from inventory.models import ExceptionItem
from inventory.services import data, devices, heartbeat, hosts, observation, queries, transparency, upkeep
from reports.canonical import to_base64
from tests.support.console_agent import Disk
from tests.support.inventory_world import DISK, OTHER_DISK, World

CRM = ("CRM production", "/srv/crm")


def observe(world: World, devices_: tuple[ObservedDevice, ...], paths: tuple[PathMapping, ...] = ()) -> None:
    message = Observation(taken="2026-11-22T09:00:00Z", devices=devices_, paths=paths)
    observation.observe(world.context, world.agent.actor, message)


def test_an_unknown_medium_is_in_service_and_asks_who_declared_it(world: World) -> None:
    device = world.device()
    assert (device.state, device.asset_tag, device.contents) == (DeviceState.IN_SERVICE, None, "unknown")
    assert world.codes(device=device.id) == {"undeclared-device"}
    command = devices.AdoptDevice(device=device.id, asset_tag="AT-1")
    devices.adopt(world.context, world.actor("custodian"), command)
    assert world.codes(device=device.id) == set()


def test_a_declared_medium_is_bound_by_serial_number_and_model_however_they_are_written(world: World) -> None:
    disk = dataclasses.replace(OTHER_DISK, serial="QX7", path="/dev/sdd", slot="bay 5")
    declare = devices.DeclareDevice(asset_tag="AT-9", serial=" qx7", model="st4000 nm0035")
    declared = devices.declare(world.context, world.actor("custodian"), declare)
    world.agent.disks.append(disk)
    world.agent.observe()
    device = world.device(disk)
    assert (device.id, device.asset_tag, device.state) == (declared.id, "AT-9", DeviceState.IN_SERVICE)
    assert world.codes(device=device.id) == set()
    assert "device.bound" in world.tags(device.id)


def test_a_difference_between_declared_and_observed_is_an_exception(world: World) -> None:
    disk = dataclasses.replace(OTHER_DISK, serial="QX7", path="/dev/sdd")
    declare = devices.DeclareDevice(asset_tag="AT-9", serial="QX7", capacity_bytes=1000, media="flash")
    declared = devices.declare(world.context, world.actor("custodian"), declare)
    world.agent.disks.append(disk)
    world.agent.observe()
    assert world.codes(device=declared.id) == {"facts-differ"}


def test_two_declared_media_with_one_serial_number_are_a_question_never_a_guess(world: World) -> None:
    for tag in ("AT-1", "AT-2"):
        devices.declare(world.context, world.actor("custodian"), devices.DeclareDevice(asset_tag=tag, serial="QX7"))
    disk = dataclasses.replace(OTHER_DISK, serial="QX7", path="/dev/sdd")
    world.agent.disks.append(disk)
    world.agent.observe()
    assert "ambiguous-device" in world.codes(host=world.agent.host)
    assert world.device(disk).asset_tag is None


def test_another_model_is_not_the_declared_medium(world: World) -> None:
    declare = devices.DeclareDevice(asset_tag="AT-1", serial="QX7", model="SOMETHING ELSE")
    declared = devices.declare(world.context, world.actor("custodian"), declare)
    disk = dataclasses.replace(OTHER_DISK, serial="QX7", path="/dev/sdd")
    world.agent.disks.append(disk)
    world.agent.observe()
    assert world.device(disk).id != declared.id


def test_a_medium_that_cannot_be_identified_is_shown_and_never_bound(world: World) -> None:
    nameless = DISK.observed.model_copy(update={"identity": None, "path": "/dev/sdz"})
    observe(world, (DISK.observed, OTHER_DISK.observed, nameless))
    assert "unidentified-device" in world.codes(host=world.agent.host)
    observe(world, (DISK.observed, OTHER_DISK.observed))
    assert "unidentified-device" not in world.codes(host=world.agent.host)


def test_one_medium_at_two_nodes_cannot_be_ordered(world: World) -> None:
    twin = DISK.observed.model_copy(update={"path": "/dev/sdq"})
    observe(world, (DISK.observed, OTHER_DISK.observed, twin))
    assert "ambiguous-device" in world.codes(device=world.device().id)
    observe(world, (DISK.observed, OTHER_DISK.observed))
    assert "ambiguous-device" not in world.codes(device=world.device().id)


def test_the_same_path_with_another_serial_number_is_another_medium(world: World) -> None:
    before = world.device()
    swapped = dataclasses.replace(DISK, serial="OTHER-ONE")
    world.clock.forward(minutes=1)
    observe(world, (swapped.observed, OTHER_DISK.observed))
    assert world.device(swapped).id != before.id
    assert world.device().attachments[0].until == world.clock.now()
    assert "device-gone" in world.codes(device=before.id)


def test_a_medium_in_use_that_vanishes_raises_the_question_where_it_is(world: World) -> None:
    observe(world, (OTHER_DISK.observed,))
    assert "device-gone" in world.codes(device=world.device().id)
    observe(world, (DISK.observed, OTHER_DISK.observed))
    assert "device-gone" not in world.codes(device=world.device().id)


def test_a_replaced_medium_stays_known_with_where_it_was(world: World) -> None:
    world.clock.forward(days=3)
    observe(world, (OTHER_DISK.observed,))
    (attachment,) = world.device().attachments
    assert (attachment.host, attachment.slot, attachment.path) == (world.agent.host, "bay 3", "/dev/sdb")
    assert attachment.until is not None


def test_a_medium_seen_on_another_host_leaves_the_first(world: World) -> None:
    second = world.enrol_agent("crm-db-02", [DISK])
    second.observe()
    device = world.device()
    assert device.host == second.host
    assert [row.until is None for row in device.attachments] == [True, False]


def test_a_lost_or_disposed_medium_that_shows_up_is_critical(world: World) -> None:
    world.change("report_missing")
    world.agent.observe()
    assert "disposed-device-seen" in world.codes(device=world.device().id)
    assert world.device().state is DeviceState.MISSING, "being seen does not bring it back; a person does"


def test_an_observation_that_says_nothing_new_changes_no_version(world: World) -> None:
    before = world.device()
    world.clock.forward(minutes=5)
    world.agent.observe()
    assert world.device().version == before.version
    assert world.tags(before.id).count("device.changed") == 0


def test_a_changed_firmware_is_written_down(world: World) -> None:
    changed = DISK.observed.model_copy(update={"firmware": "NEW"})
    observe(world, (changed, OTHER_DISK.observed))
    observed = world.device().observed
    assert observed is not None
    assert observed.firmware == "NEW"
    assert world.tags(world.device().id).count("device.changed") == 1


# -- paths -------------------------------------------------------------------------------------------------------------------


def states(world: World, disk: Disk = DISK) -> list[HoldingState]:
    return [holding.state for holding in world.device(disk).holdings]


def test_a_path_becomes_a_holding_and_its_end_residue(world: World) -> None:
    world.hold_data()
    assert states(world) == [HoldingState.LIVE]
    world.unmount()
    assert states(world) == [HoldingState.RESIDUE]
    world.clock.forward(days=400)
    world.agent.observe((*CRM, (), ()))
    assert states(world) == [HoldingState.RESIDUE], "time alone cleans nothing"


def test_a_replaced_member_keeps_residue_and_the_new_one_begins(world: World) -> None:
    world.hold_data()
    world.clock.forward(minutes=1)
    world.agent.observe((*CRM, (OTHER_DISK,), ()))
    assert states(world) == [HoldingState.RESIDUE]
    assert states(world, OTHER_DISK) == [HoldingState.LIVE]


def test_a_path_that_cannot_be_followed_ends_nothing_and_asks(world: World) -> None:
    world.hold_data()
    world.clock.forward(minutes=1)
    world.agent.observe((*CRM, (), ("the volume group is incomplete",)))
    assert states(world) == [HoldingState.LIVE]
    assert "path-unresolved" in world.codes(host=world.agent.host)
    world.agent.observe((*CRM, (DISK,), ()))
    assert "path-unresolved" not in world.codes(host=world.agent.host)


def test_a_medium_beneath_a_path_that_is_not_listed_counts_as_unresolved(world: World) -> None:
    world.hold_data()
    unknown = hashlib.sha256(b"elsewhere").hexdigest()
    mapping = PathMapping(data_set=CRM[0], path=CRM[1], mount_point=CRM[1], devices=(unknown,), unresolved=())
    observe(world, (DISK.observed, OTHER_DISK.observed), (mapping,))
    assert "path-unresolved" in world.codes(host=world.agent.host)
    assert states(world) == [HoldingState.LIVE]


def test_a_declared_path_the_agent_does_not_report_is_asked_about(world: World) -> None:
    world.hold_data()
    world.agent.observe()
    assert "path-unreported" not in world.codes(host=world.agent.host)
    world.clock.forward(minutes=11)
    world.agent.observe()
    assert "path-unreported" in world.codes(host=world.agent.host)
    assert states(world) == [HoldingState.LIVE]
    world.agent.observe((*CRM, (DISK,), ()))
    assert "path-unreported" not in world.codes(host=world.agent.host)


def test_withdrawing_a_path_leaves_residue(world: World) -> None:
    world.hold_data()
    (path,) = data.list_paths(world.context, world.actor("privacy"))
    assert path.devices == (world.device().id,)
    data.withdraw_path(world.context, world.actor("privacy"), path.id, "moved to another host")
    assert states(world) == [HoldingState.RESIDUE]
    world.agent.observe((*CRM, (DISK,), ()))
    assert states(world) == [HoldingState.RESIDUE]


def test_data_on_a_sanitized_medium_is_critical_and_closes_the_gate(residue: World) -> None:
    residue.sanitized()
    assert residue.device().gate_reuse_inside.open
    residue.clock.forward(minutes=1)
    residue.agent.observe((*CRM, (DISK,), ()))
    assert "data-on-sanitized-device" in residue.codes(device=residue.device().id)
    assert not residue.device().gate_reuse_inside.open


def test_a_revoked_agent_is_not_believed(world: World) -> None:
    actor = world.agent.actor
    hosts.revoke(world.context, world.actor("admin"), hosts.RevokeHost(host=world.agent.host, reason="stolen"))
    message = Observation(taken="2026-11-22T09:00:00Z", devices=(), paths=())
    with pytest.raises(AgentNotTrusted):
        observation.observe(world.context, actor, message)
    with pytest.raises(AgentNotTrusted):
        heartbeat.beat(world.context, actor, beat(world))


# -- heartbeats --------------------------------------------------------------------------------------------------------------


def beat(world: World, *, off: float = 0, checkpoint: LogPosition | None = None) -> Heartbeat:
    return Heartbeat(
        agent_version="0.1.0", boot_id="b", time=world.clock.now() + timedelta(seconds=off), running=(), outbox=2,
        checkpoint=checkpoint,
    )  # fmt: skip


def test_a_heartbeat_is_answered_with_what_the_agent_should_know(world: World) -> None:
    world.hold_data()
    reply = heartbeat.beat(world.context, world.agent.actor, beat(world))
    assert (reply.roster_version, reply.work_waiting) == (1, False)
    assert [(path.data_set, path.path) for path in reply.paths] == [CRM]
    assert reply.checkpoint == transparency.checkpoint(world.context).note
    host = queries.host(world.context, world.actor("viewer"), world.agent.host)
    assert (host.outbox, host.last_contact) == (2, world.clock.now())


def test_work_waits_once_an_order_is_approved(residue: World) -> None:
    residue.approved()
    assert heartbeat.beat(residue.context, residue.agent.actor, beat(residue)).work_waiting
    residue.agent.take()
    assert not heartbeat.beat(residue.context, residue.agent.actor, beat(residue)).work_waiting


@pytest.mark.parametrize("off", [-86_400, 86_400])
def test_a_clock_off_by_a_day_is_an_exception(world: World, off: float) -> None:
    heartbeat.beat(world.context, world.agent.actor, beat(world, off=off))
    assert "host-clock-off" in world.codes(host=world.agent.host)
    heartbeat.beat(world.context, world.agent.actor, beat(world))
    assert "host-clock-off" not in world.codes(host=world.agent.host)


def test_an_agent_gets_the_proof_from_what_it_has_seen(world: World) -> None:
    before = transparency.checkpoint(world.context)
    position = LogPosition(origin=before.origin, size=before.size - 2, root=root_at(world, before.size - 2))
    reply = heartbeat.beat(world.context, world.agent.actor, beat(world, checkpoint=position))
    assert reply.consistency == transparency.consistency(world.context, before.size - 2, before.size).hashes
    assert "log-disagreement" not in world.codes()


def root_at(world: World, size: int) -> str:
    with world.context.reading() as session:
        return to_base64(world.context.ledger.root(session, size))


@pytest.mark.parametrize("how", ["other-root", "larger", "other-origin"])
def test_an_agent_that_saw_another_log_raises_a_critical_exception(world: World, how: str) -> None:
    now = transparency.checkpoint(world.context)
    position = {
        "other-root": LogPosition(origin=now.origin, size=3, root=to_base64(b"x" * 32)),
        "larger": LogPosition(origin=now.origin, size=now.size + 5, root=now.root),
        "other-origin": LogPosition(origin="elsewhere/log", size=now.size, root=now.root),
    }[how]
    heartbeat.beat(world.context, world.agent.actor, beat(world, checkpoint=position))
    page = queries.list_exceptions(world.context, world.actor("auditor"))
    assert page.items[0].code == "log-disagreement"
    assert page.items[0].severity == "critical"


def test_a_silent_agent_is_noticed_and_its_return_as_well(world: World) -> None:
    heartbeat.beat(world.context, world.agent.actor, beat(world))
    world.clock.forward(seconds=world.context.settings.silent_after_seconds + 1)
    assert upkeep.run(world.context).hosts_silent == 1
    assert "host-silent" in world.codes(host=world.agent.host)
    heartbeat.beat(world.context, world.agent.actor, beat(world))
    assert "host-silent" not in world.codes(host=world.agent.host)
    assert upkeep.run(world.context).hosts_silent == 0


def test_many_silent_agents_are_told_of_in_short_turns_and_so_is_their_return(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        world.enrol_agent(f"host-{number}", [])
    monkeypatch.setattr(upkeep, "_A_TURN", 2)
    monkeypatch.setattr(upkeep, "_TURNS", 2)
    told: list[int] = []
    some = upkeep._tell_of_some

    def counted(*what: Any) -> int:  # noqa: ANN401 - whatever it takes
        told.append(some(*what))
        return told[-1]

    monkeypatch.setattr(upkeep, "_tell_of_some", counted)
    world.clock.forward(seconds=world.context.settings.silent_after_seconds + 1)
    assert upkeep.run(world.context).hosts_silent == 5
    assert told == [2, 2]
    upkeep.run(world.context)
    assert told == [2, 2, 1]
    world.clock.forward(seconds=-world.context.settings.silent_after_seconds)
    assert upkeep.run(world.context).hosts_silent == 0
    upkeep.run(world.context)
    assert told == [2, 2, 1, 2, 2, 1]
    with world.context.reading() as session:
        assert not session.scalars(
            sa.select(ExceptionItem).where(
                ExceptionItem.code == "host-silent", ExceptionItem.state == ExceptionState.OPEN
            )
        ).all()
