"""What a policy of the second schema demands is asked for where it applies: orders, approvals, validation, gate, destruction."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import sqlalchemy as sa

from inventory.clock import rfc3339
from inventory.contract.v1.devices import DriveCapabilities
from inventory.contract.v1.orders import PlanRequest, SealedOrder
from inventory.domain import policy_file
from inventory.domain.policy import as_second, parse
from inventory.domain.roles import Role
from inventory.domain.vocabulary import DeviceState, OrderState, ValidationDecision
from inventory.errors import Conflict, Invalid, OrderImpossible
from inventory.models import Person, Record
from inventory.services import approvals, destruction, destruction_papers, leases, orders, policies, queries, roster
from inventory.services._policy import record_objections
from reports.canonical import from_base64
from reports.envelope import sign
from tests.support.inventory_world import DISK, OTHER_DISK, World

PHOTO, OTHER_PHOTO = "a" * 64, "b" * 64
MODERATE_STAYS = 6
"""Moderate, reused, staying under our control: clear."""


def adopt(world: World, **changes: Any) -> None:  # noqa: ANN401 - fields of a row
    """A new version whose rows of moderate data demand this besides."""
    current = parse(policies.current_policy(world.context, world.actor("admin")).document)
    document = as_second(current, version=current.version + 1)
    for row in document["rows"]:
        if row["category"] == "moderate":
            row |= {name: value for name, value in changes.items() if name in row or row["method"] == "clear"}
    policies.import_policy(
        world.context, world.actor("admin"), policies.ImportPolicy(document=document, reason="decided by the board")
    )


def state(world: World, order: str) -> OrderState:
    return queries.order(world.context, world.actor("auditor"), order).state


def test_roles_among_the_approvers_are_waited_for(residue: World) -> None:
    adopt(residue, approval_roles=["operator"])
    name_roles(residue)
    residue.change("retire")
    order = residue.order().id
    residue.approve(order, "approver1", "approver2")
    assert state(residue, order) is OrderState.REQUESTED, "two people, and none of them is an operator"
    assert leases.acquire(residue.context, residue.agent.actor).lease is None
    residue.approve(order, "both")
    assert state(residue, order) is OrderState.APPROVED
    with residue.context.writing() as session:
        person = session.get_one(Person, residue.actor("both").ref)
        person.roles = [str(Role.APPROVER)]
    assert leases.acquire(residue.context, residue.agent.actor).lease is None, (
        "asked again when the order is leased: the role is gone"
    )


def name_roles(world: World) -> None:
    """A next roster of the same people: it says what else they are trusted with, since the policy asks for roles."""
    world.publish_roster("approver1", "approver2", "both", "all-hands")


def test_a_roster_names_roles_only_where_the_policy_asks_for_any(residue: World) -> None:
    before = roster.current(residue.context, residue.actor("auditor"))
    assert before is not None
    assert {one.roles for one in before.people} == {()}
    adopt(residue, approval_roles=["operator"])
    residue.change("retire")
    with pytest.raises(OrderImpossible) as refused:
        residue.order()
    assert [reason.code for reason in refused.value.reasons] == ["roster-names-no-roles"]
    name_roles(residue)
    now = roster.current(residue.context, residue.actor("auditor"))
    assert now is not None
    both = next(one for one in now.people if one.ref == residue.actor("both").ref)
    assert both.roles == ("operator",)
    signing = approvals.ready_to_sign(residue.context, residue.actor("both"), residue.order().id)
    sealed = SealedOrder.model_validate_json(from_base64(signing.payload))
    assert (sealed.schema_, sealed.approval_roles) == ("sanitrail/order/2", ("operator",))


def test_a_role_given_after_the_roster_was_signed_does_not_count(residue: World) -> None:
    """The agent would not believe it: by its roster, nobody else is an operator."""
    adopt(residue, approval_roles=["operator"])
    name_roles(residue)
    with residue.context.writing() as session:
        session.get_one(Person, residue.actor("approver1").ref).roles = [str(Role.APPROVER), str(Role.OPERATOR)]
        session.get_one(Person, residue.actor("both").ref).roles = [str(Role.APPROVER)]
        session.get_one(Person, residue.actor("all-hands").ref).roles = [str(Role.APPROVER)]
    residue.change("retire")
    with pytest.raises(OrderImpossible) as refused:
        residue.order()
    assert [reason.code for reason in refused.value.reasons] == ["roster-names-no-roles"]


def test_a_role_nobody_on_the_roster_has_makes_no_order(residue: World) -> None:
    adopt(residue, approval_roles=["privacy_officer"])
    residue.change("retire")
    with pytest.raises(OrderImpossible) as refused:
        residue.order()
    assert [reason.code for reason in refused.value.reasons] == ["approver-role-missing"]


def test_the_order_keeps_why_in_one_sentence_with_the_data_set(residue: World) -> None:
    adopt(residue, sampling_percent=10)
    residue.change("retire")
    decision = residue.order().decision
    assert decision.sentence == "Clear, because CRM production is moderate and the medium stays under our control."
    assert decision.sampling_percent == 10
    purpose = orders.Purpose(reuse=True, leaves_control=True, description="Green Recycling")
    advice = orders.advise(residue.context, residue.actor("operator"), residue.device().id, purpose)
    assert advice.sentence == "Purge, because CRM production is moderate and the medium leaves to Green Recycling."
    with pytest.raises(Invalid):
        orders.advise(
            residue.context, residue.actor("operator"), residue.device().id, orders.Purpose(description="a\x07b")
        )


def test_where_techniques_are_listed_the_first_the_drive_can_do_is_sealed(residue: World) -> None:
    told: dict[str, Any] = {"estimate_seconds": None, "reasons": []}
    techniques = [
        {"name": "ata-sanitize-block-erase", "usable": False, **told, "reasons": ["It has none."]},
        {"name": "ata-sanitize-overwrite", "usable": True, **told},
    ]
    adopt(residue, techniques={"magnetic": ["ata-sanitize-block-erase", "ata-sanitize-overwrite", "overwrite"]})
    residue.change("retire")
    plan = {"method": "clear", "technique": "auto", "pattern_set": "zeros", "verification": "full"}
    with pytest.raises(OrderImpossible) as refused:
        residue.order(plan=_plan(plan))
    assert [reason.code for reason in refused.value.reasons] == ["technique-not-chosen"], "nobody has asked the drive"
    residue.agent.disks = [dataclasses.replace(DISK, drive=_drive(techniques)), OTHER_DISK]
    residue.agent.observe(("CRM production", "/srv/crm", (), ()))
    with pytest.raises(OrderImpossible) as refused:
        residue.order()
    assert [reason.code for reason in refused.value.reasons] == ["technique-not-preferred"]
    sealed = residue.order(plan=_plan(plan)).sealed
    assert (sealed["plan"]["technique"], sealed["plan"]["pattern_set"]) == ("ata-sanitize-overwrite", "canaries")


def test_a_record_by_a_technique_that_is_not_allowed_any_more_closes_the_gate_and_is_previewed(residue: World) -> None:
    residue.sanitized()
    device = residue.device()
    assert device.gate_reuse_inside.open
    assert "at reuse" not in device.gate_reuse_inside.explanation
    current = parse(policies.current_policy(residue.context, residue.actor("admin")).document)
    document = as_second(current, version=2)
    document["rows"][MODERATE_STAYS]["techniques"] = {"magnetic": ["ata-sanitize-overwrite"]}
    preview = policies.preview_policy(residue.context, residue.actor("viewer"), document)
    assert preview.devices_no_longer_sufficient == (device.id,)
    assert preview.devices_count == 1
    command = policies.ImportPolicy(document=document, reason="overwriting does not count any more")
    policies.import_policy(residue.context, residue.actor("admin"), command)
    gate = residue.device().gate_reuse_inside
    assert [reason.code for reason in gate.reasons] == ["technique-not-allowed"]
    with residue.context.reading() as session:
        record = session.scalars(sa.select(Record)).one()
        kept = {
            "policy_id": "x:1", "policy_sha256": "0" * 64, "method": "clear", "verification": "full", "approvals": 2,
        }  # fmt: skip
        assert not record_objections(session, kept, record)
        listed = {**kept, "techniques": ["ata-sanitize-overwrite"]}
        assert [one.code for one in record_objections(session, listed, record)] == ["technique-not-allowed"]


def test_a_destruction_is_approved_only_as_the_policy_wants_it_seen(world: World) -> None:
    world.hold_data(OTHER_DISK)
    adopt(world, witnesses=2, photographs=2)
    world.change("retire", OTHER_DISK)
    number = _recorded(world, PHOTO)
    with pytest.raises(Conflict) as refused:
        _decide(world, number)
    assert [reason.code for reason in refused.value.reasons] == ["too-few-witnesses", "too-few-photographs"]
    assert world.device(OTHER_DISK).state is DeviceState.RETIRED
    _decide(world, number, ValidationDecision.REJECT)
    number = _recorded(world, PHOTO, OTHER_PHOTO)
    with pytest.raises(Conflict):
        _decide(world, number)
    ready = destruction_papers.ready_to_sign(world.context, world.actor("approver1"), number, "countersigner")
    body = {**ready.body, "time": rfc3339(world.clock.now())}
    envelope = dict(sign("personal-signature", body, world.signers["approver1"]))
    destruction_papers.sign(world.context, world.actor("approver1"), number, "countersigner", envelope)
    _decide(world, number)
    assert world.device(OTHER_DISK).state is DeviceState.DESTROYED


def test_a_version_comes_out_as_a_file_and_in_again(world: World) -> None:
    admin = world.actor("admin")
    following = policies.policy_as_file(world.context, admin, following=True)
    assert 'schema = "sanitrail/policy/2"' in following
    assert "version = 2" in following
    document = policy_file.read(following)
    assert policies.preview_policy(world.context, admin, document).differences == ()
    view = policies.import_policy(world.context, admin, policies.ImportPolicy(document=document, reason="newer form"))
    assert policies.policy_as_file(world.context, admin, sha256=view.sha256) == following
    assert "version = 3" in policies.policy_as_file(world.context, admin, following=True)
    with pytest.raises(Invalid):
        policies.import_policy(world.context, admin, policies.ImportPolicy(document={"schema": 2}, reason="broken"))


def _plan(fields: dict[str, Any]) -> PlanRequest:
    return PlanRequest.model_validate(fields)


def _drive(techniques: list[dict[str, Any]]) -> DriveCapabilities:
    return DriveCapabilities.model_validate(
        {"path": "direct", "standing": None, "locks": [], "hidden": "nothing", "techniques": techniques}
    )


def _recorded(world: World, *evidence: str) -> str:
    command = destruction.RecordDestruction(
        kept_elsewhere="the works",
        device=world.device(OTHER_DISK).id, method="shred", machine="Shredder 1", facility="Yard",
        performed=world.clock.now(), evidence=evidence, serial_read=OTHER_DISK.serial,
    )  # fmt: skip
    number = destruction.record_destruction(world.context, world.actor("operator"), command).id
    destruction.witness_destruction(world.context, world.actor("custodian"), number, "I stood beside the machine.")
    world.clock.forward(minutes=1)
    return number


def _decide(world: World, number: str, decision: ValidationDecision = ValidationDecision.APPROVE) -> None:
    command = destruction.DecideDestruction(destruction=number, decision=decision, reason="as the photographs show")
    destruction.decide_destruction(world.context, world.actor("validator"), command)
