"""Verify-only orders through the services: a reading can take a record's standing away and never gives any."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inventory.clock import rfc3339
from inventory.contract.v1.common import Envelope
from inventory.contract.v1.orders import PlanRequest
from inventory.contract.v1.readings import ReadingLease, ReadingProgress, ReadingSubmission
from inventory.domain.readings import ReadingState
from inventory.domain.vocabulary import DeviceState, HoldingState
from inventory.errors import Conflict, EvidenceRefused, Forbidden, GateClosed, NotFound, OrderImpossible
from inventory.models import Device
from inventory.services import certificates, devices, disposal, reading_results, readings, upkeep
from inventory.services.queries import readings as queries
from inventory.services.views.readings import ReadingDetail
from reports.canonical import from_base64, parse_strict
from reports.envelope import payload_digest, sign
from reports.keys import FileSigner
from reports.reading import Reading, ReadingHost
from reports.record import VerificationFacts
from tests.support.inventory_world import DISK, OTHER_DISK, World, copied_world, copy_of


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A company whose first disk was sanitized to zeros."""
    with copied_world(tmp_path_factory.mktemp("readings") / "data") as made:
        made.hold_data()
        made.unmount()
        made.sanitized()
    return made


@pytest.fixture
def world(template: World, tmp_path: Path) -> Iterator[World]:
    """The same for each test."""
    with copy_of(template, tmp_path / "data") as made:
        yield made


def ask(world: World, by: str = "operator", verification: str = "full") -> ReadingDetail:
    """A verify-only order of the first disk."""
    command = readings.RequestReading(device=world.device().id, verification=verification, reason="a second look")
    return readings.request_reading(world.context, world.actor(by), command)


def lease(world: World) -> ReadingLease:
    """The agent takes it."""
    found = reading_results.acquire(world.context, world.agent.actor).lease
    assert found is not None
    return found


def answer(world: World, given: ReadingLease, **changes: Any) -> Reading:  # noqa: ANN401 - fields of the reading
    """What an honest agent found: the whole medium, and nothing else than the record claims."""
    order = parse_strict(from_base64(given.order.payload, "order"), "order")
    facts = VerificationFacts(
        kind="full", expected=order["expected"], seed=None, regions=1, bytes_read=DISK.capacity, residual=(),
        unreadable=(), regions_sha256="0" * 64, completed=True, direct_io=True,
    )  # fmt: skip
    found = Reading(
        id=secrets.token_hex(16),
        order_id=order["id"],
        order_sha256=payload_digest(given.order.model_dump()),
        nonce=order["nonce"],
        record_sha256=order["record_sha256"],
        state="finished",
        error_code=None,
        error=None,
        device=DISK.facts,
        verification=dataclasses.replace(facts, **changes.pop("check", {})),
        started=rfc3339(world.clock.now()),
        finished=rfc3339(world.clock.now()),
        host=ReadingHost(
            name="crm-db-01", agent_key=world.agent.signer.key_id, agent_version="0.1.0", kernel="6.1",
            machine_id_sha256="0" * 64,
        ),
        tool="sanitrail sanitizer 0.1.0",
    )  # fmt: skip
    return dataclasses.replace(found, **changes)


RESIDUE = {"check": {"residual": ((4096, 8192),)}}


def send(world: World, given: ReadingLease, body: Reading, *, token: int = 0, signer: FileSigner | None = None) -> str:
    """Sign it and hand it over; its digest."""
    envelope = sign("reading", body.to_dict(), signer or world.agent.signer)
    message = ReadingSubmission(token=token or given.token, reading=Envelope.model_validate(envelope))
    return reading_results.take_in(world.context, world.agent.actor, given.id, message).reading_sha256


def standing(world: World) -> tuple[DeviceState, str | None]:
    """State of the device, and the record that stands for it."""
    with world.context.reading() as session:
        row = session.get_one(Device, world.device().id)
        return row.state, row.standing_record


def state(world: World, number: str) -> ReadingState:
    """Where it stands."""
    return queries.reading(world.context, world.actor("auditor"), number).state


def test_a_confirmed_claim_changes_nothing_about_the_device(world: World) -> None:
    before = standing(world)
    order = ask(world)
    given = lease(world)
    send(world, given, answer(world, given))
    assert state(world, order.id) is ReadingState.CONFIRMED
    assert standing(world) == before
    assert world.device().gate_reuse_inside.open


def test_a_contradicted_claim_closes_the_gate_and_brings_the_residue_back(world: World) -> None:
    order = ask(world)
    given = lease(world)
    digest = send(world, given, answer(world, given, **RESIDUE))
    device = world.device()
    assert state(world, order.id) is ReadingState.CONTRADICTED
    assert standing(world) == (DeviceState.FAILED, None)
    assert "record-disowned" in world.codes(device=device.id)
    assert {holding.state for holding in device.holdings} == {HoldingState.RESIDUE}
    assert "device.sanitization-failed" in world.tags(device.id)
    assert "reading.contradicted" in world.tags(order.id)
    assert queries.reading(world.context, world.actor("auditor"), order.id).reading_sha256 == digest
    with pytest.raises(GateClosed):
        disposal.release(
            world.context,
            world.actor("custodian"),
            disposal.ReleaseDevice(device=device.id, destination=disposal.Destination(), reason="sold"),
        )


def test_a_contradicted_record_earns_no_certificate(world: World) -> None:
    record = queries.reading(world.context, world.actor("auditor"), ask(world).id)
    given = lease(world)
    send(world, given, answer(world, given, **RESIDUE))
    assert record.order is not None
    with pytest.raises(Conflict, match="found other content"):
        certificates.issue(world.context, world.actor("validator"), record.order)


def test_a_contradiction_counts_even_when_nobody_waits_for_it_any_more(world: World) -> None:
    order = ask(world)
    given = lease(world)
    readings.cancel_reading(world.context, world.actor("operator"), order.id, "not needed")
    send(world, given, answer(world, given, **RESIDUE))
    assert state(world, order.id) is ReadingState.CONTRADICTED
    assert world.device().state is DeviceState.FAILED


def test_a_contradiction_of_an_older_record_leaves_the_newer_one_standing(world: World) -> None:
    order = ask(world)
    given = lease(world)
    readings.cancel_reading(world.context, world.actor("operator"), order.id, "sanitized again instead")
    world.sanitized()
    newer = standing(world)
    send(world, given, answer(world, given, **RESIDUE))
    assert standing(world) == newer
    assert {holding.state for holding in world.device().holdings} == {HoldingState.COVERED}


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "interrupted", "error": "It vanished."},
        {"state": "refused", "verification": None, "device": None},
        {"check": {"unreadable": ((0, 512),)}},
        {"check": {"direct_io": False}},
        {"check": {"completed": False}},
        {"check": {"bytes_read": 4096}},
        {"check": {"kind": "representative"}},
        {"check": {"expected": "fixed:aa"}},
        {"device": OTHER_DISK.facts},
        {"nonce": "0" * 32},
        {"record_sha256": "0" * 64},
        {"check": {"residual": ((8192, 4096),)}},
    ],
)
def test_what_is_not_shown_is_neither_confirmed_nor_held_against_the_record(
    world: World, changes: dict[str, Any]
) -> None:
    order = ask(world)
    given = lease(world)
    send(world, given, answer(world, given, **dict(changes)))
    assert state(world, order.id) is ReadingState.INCONCLUSIVE
    assert world.device().state is DeviceState.SANITIZED
    assert "reading-inconclusive" in world.codes(device=world.device().id)


def test_under_an_old_token_a_reading_confirms_nothing(world: World) -> None:
    order = ask(world)
    first = lease(world)
    world.clock.forward(seconds=world.context.settings.lease_seconds + 1)
    assert lease(world).token == 2
    send(world, first, answer(world, first))
    assert state(world, order.id) is ReadingState.LEASED
    assert "reading.kept-as-evidence" in world.tags(order.id)


def test_the_same_reading_twice_gets_the_same_answer_and_another_one_none(world: World) -> None:
    ask(world)
    given = lease(world)
    body = answer(world, given)
    assert send(world, given, body) == send(world, given, body)
    with pytest.raises(Conflict):
        send(world, given, answer(world, given, **RESIDUE))


def test_a_reading_of_another_key_is_not_kept(world: World) -> None:
    order = ask(world)
    given = lease(world)
    with pytest.raises(EvidenceRefused):
        send(world, given, answer(world, given), signer=FileSigner.generate())
    assert state(world, order.id) is ReadingState.LEASED


def test_another_agent_sees_neither_lease_nor_order(world: World) -> None:
    order = ask(world)
    other = world.enrol_agent("spare-01", [])
    assert reading_results.acquire(world.context, other.actor).lease is None
    with pytest.raises(NotFound):
        reading_results.report_progress(
            world.context, other.actor, order.id, ReadingProgress(token=1, bytes_done=0, bytes_total=1)
        )


def test_while_it_is_read_again_it_neither_leaves_nor_is_sanitized(world: World) -> None:
    ask(world)
    with pytest.raises(GateClosed):
        devices.return_to_service(
            world.context,
            world.actor("custodian"),
            devices.ChangeState(device=world.device().id, reason="needed again"),
        )
    with pytest.raises(Conflict, match="read again"):
        world.order()
    with pytest.raises(Conflict):
        ask(world)


def test_only_what_is_sanitized_has_a_claim(world: World) -> None:
    command = readings.RequestReading(device=OTHER_DISK.facts.fingerprint, verification="full", reason="curious")
    with pytest.raises(Conflict, match="only a sanitized device"):
        readings.request_reading(world.context, world.actor("operator"), command)


def test_a_claim_whose_key_is_gone_cannot_be_read_again(world: World) -> None:
    plan = PlanRequest(method="clear", technique="overwrite", pattern_set="keyed-stream", verification="full")
    world.approve(world.order(plan=plan).id)
    taken = world.agent.take()
    order = world.agent.whole_run(taken)
    assert order
    world.validate(parse_strict(from_base64(taken.order.payload, "order"), "order")["id"])
    with pytest.raises(OrderImpossible) as refused:
        ask(world)
    assert [reason.code for reason in refused.value.reasons] == ["claim-not-readable"]


@pytest.mark.parametrize("by", ["viewer", "auditor", "approver1", "admin", "privacy"])
def test_who_may_not_have_a_medium_read(world: World, by: str) -> None:
    with pytest.raises(Forbidden):
        ask(world, by=by)


def test_progress_prolongs_the_lease_and_tells_of_a_cancellation(world: World) -> None:
    order = ask(world)
    given = lease(world)
    world.clock.forward(seconds=world.context.settings.lease_seconds - 1)
    message = ReadingProgress(token=given.token, bytes_done=1, bytes_total=2)
    assert reading_results.report_progress(world.context, world.agent.actor, given.id, message).current
    world.clock.forward(seconds=world.context.settings.lease_seconds - 1)
    assert reading_results.acquire(world.context, world.agent.actor).lease is None
    assert queries.reading(world.context, world.actor("auditor"), order.id).percent == 50
    readings.cancel_reading(world.context, world.actor("operator"), order.id, "not needed")
    reply = reading_results.report_progress(world.context, world.agent.actor, given.id, message)
    assert (reply.current, reply.stop_requested) == (False, True)


def test_what_nobody_read_expires(world: World) -> None:
    order = ask(world)
    world.clock.forward(days=4)
    upkeep.run(world.context)
    assert state(world, order.id) is ReadingState.EXPIRED
    assert reading_results.acquire(world.context, world.agent.actor).lease is None
