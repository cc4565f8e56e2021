"""The big red stop on the service's side: nothing is handed out, nothing is cleared, and what the agent gets is signed for it."""

from __future__ import annotations

import pytest

from agents.halts import Halts
from agents.state import StateDirectory
from inventory.contract.v1.agents import Heartbeat
from inventory.errors import Conflict, Forbidden
from inventory.services import halts, heartbeat, leases, queries
from reports.envelope import unverified_body
from reports.keys import load_public_key
from tests.support.inventory_world import World


def beat(world: World) -> dict[str, object] | None:
    message = Heartbeat(
        agent_version="0", boot_id="b", time=world.clock.now(), running=(), outbox=0, checkpoint=None, standing_by=()
    )
    reply = heartbeat.beat(world.context, world.agent.actor, message)
    return None if reply.halt is None else reply.halt.model_dump()


def test_a_halted_host_gets_no_lease_no_leave_and_the_signed_halt(world: World) -> None:
    assert beat(world) is None
    world.hold_data()
    world.unmount()
    world.approved()
    lease = leases.acquire(world.context, world.agent.actor).lease
    assert lease is not None
    halts.halt(world.context, world.actor("operator"), world.agent.host, "smoke")
    answer = world.ask(lease)
    assert not answer.clear
    assert "smoke" in " ".join(answer.reasons)
    envelope = beat(world)
    assert envelope is not None
    body = unverified_body(envelope, "halt")
    assert (body["action"], body["number"], body["agent_key"]) == ("halt", 1, world.agent.actor.key_id)
    halts.lift(world.context, world.actor("approver1"), world.agent.host, "aired")
    assert world.ask(lease).clear
    assert unverified_body(beat(world) or {}, "halt")["number"] == 2


def test_nothing_is_leased_while_the_host_is_halted(world: World) -> None:
    world.hold_data()
    world.unmount()
    world.approved()
    halts.halt_all(world.context, world.actor("privacy"), "smoke")
    assert leases.acquire(world.context, world.agent.actor).lease is None
    halts.lift(world.context, world.actor("operator"), world.agent.host, "aired")
    assert leases.acquire(world.context, world.agent.actor).lease is not None


def test_a_second_halt_and_a_lifting_of_nothing_are_conflicts(world: World) -> None:
    with pytest.raises(Conflict):
        halts.lift(world.context, world.actor("operator"), world.agent.host, "nothing")
    halts.halt(world.context, world.actor("operator"), world.agent.host, "smoke")
    with pytest.raises(Conflict):
        halts.halt(world.context, world.actor("operator"), world.agent.host, "again")
    assert halts.halt_all(world.context, world.actor("operator"), "all") == ()


@pytest.mark.parametrize("login", ["viewer", "custodian", "validator", "auditor"])
def test_whoever_may_not_stop_an_order_halts_nothing(world: World, login: str) -> None:
    with pytest.raises(Forbidden):
        halts.halt(world.context, world.actor(login), world.agent.host, "smoke")
    with pytest.raises(Forbidden):
        halts.halt_all(world.context, world.actor(login), "smoke")


def test_who_halted_and_why_stands_in_the_history_and_on_the_host(world: World) -> None:
    found = halts.halt(world.context, world.actor("operator"), world.agent.host, "smoke")
    assert found.halt is not None
    assert (found.halt.by, found.halt.reason) == (world.actor("operator").ref, "smoke")
    events = queries.list_events(world.context, world.actor("auditor"), tag="host.halted", limit=5).items
    assert any(str(event.tag) == "host.halted" and event.reason == "smoke" for event in events)


def test_an_agent_believes_what_the_service_signed(world: World, tmp_path_factory: pytest.TempPathFactory) -> None:
    halts.halt(world.context, world.actor("operator"), world.agent.host, "smoke")
    state = StateDirectory(tmp_path_factory.mktemp("agent") / "state")
    state.prepare()
    key = world.context.secrets.signer("acceptance")
    store = Halts(state)
    assert world.agent.actor.key_id is not None
    store.follow(beat(world) or {}, world.agent.actor.key_id, {key.key_id: load_public_key(key.public_key_der)})
    assert "smoke" in (store.standing() or "")
