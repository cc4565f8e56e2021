"""What lamps of bays show: pull only where the wall says so; a hold or an open order puts them out."""

from __future__ import annotations

import pytest

from inventory.contract.v1.agents import Heartbeat
from inventory.domain.lamps import lamp_of
from inventory.domain.vocabulary import DeviceState
from inventory.services import heartbeat, holds
from tests.support.inventory_world import DISK, World


@pytest.mark.parametrize("state", list(DeviceState))
def test_only_a_sanitized_disk_may_be_pulled_and_only_a_failed_one_failed(state: DeviceState) -> None:
    known = {DeviceState.SANITIZED: "pull", DeviceState.FAILED: "failed"}
    assert lamp_of(state, ordered=False, held=False) == known.get(state)
    assert lamp_of(state, ordered=True, held=False) is None
    assert lamp_of(state, ordered=False, held=True) is None


def lamps(world: World) -> list[tuple[str, str]]:
    message = Heartbeat(agent_version="1", boot_id="b", time=world.clock.now(), running=(), outbox=0, checkpoint=None)
    return [(lamp.device, lamp.sign) for lamp in heartbeat.beat(world.context, world.agent.actor, message).lamps]


def test_the_agent_is_told_with_each_heartbeat_which_disk_may_be_pulled(world: World) -> None:
    world.hold_data()
    world.unmount()
    assert lamps(world) == []
    world.sanitized()
    assert lamps(world) == [(DISK.facts.fingerprint, "pull")]
    hold = holds.PlaceHold(kind="legal", reference="LIT-9", reason="Litigation", device=world.device().id)
    holds.place_hold(world.context, world.actor("privacy"), hold)
    assert lamps(world) == []
