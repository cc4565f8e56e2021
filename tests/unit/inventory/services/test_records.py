"""Records: an authentic one is kept whatever else is wrong with it, and only the right one has effect."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest

from inventory.contract.v1.agents import RecordSubmission
from inventory.contract.v1.common import Envelope
from inventory.contract.v1.orders import Lease
from inventory.domain.vocabulary import DeviceState, HoldingState, OrderState, RecordStanding, ValidationDecision
from inventory.errors import (
    AgentNotTrusted,
    Conflict,
    EvidenceRefused,
    Forbidden,
    IllegalTransition,
    SeparationOfDuty,
    StaleVersion,
)
from inventory.services import certificates, hosts, leases, orders, queries, records, transparency, validation
from inventory.services.views import OrderDetail, RecordView
from reports.canonical import from_base64
from reports.envelope import envelope_digest, open_envelope, sign
from reports.keys import FileSigner, verifying_keys
from reports.record import SanitizationRecord
from reports.statements import Acceptance, Validation
from reports.tlog import leaf_hash, log_entry, open_checkpoint, parse_vkey, verify_inclusion
from tests.support.console_agent import ConsoleAgent
from tests.support.inventory_world import DISK, OTHER_DISK, World, failed_record, refused_record

pytestmark = pytest.mark.usefixtures("residue")


def begun(world: World) -> tuple[OrderDetail, Lease, SanitizationRecord]:
    """A run that was allowed to write, and its honest record."""
    order = world.approved()
    lease = world.agent.take()
    assert world.ask(lease).clear
    return order, lease, world.finished(lease)


def stored(world: World, sha256: str) -> RecordView:
    return queries.record(world.context, world.actor("auditor"), sha256)


def state(world: World, order: OrderDetail) -> OrderState:
    return queries.order(world.context, world.actor("auditor"), order.id).state


def test_the_right_record_is_accepted_judged_and_logged(world: World) -> None:
    order, lease, record = begun(world)
    reply = world.hand_over(lease, record)
    assert reply.new
    view = stored(world, reply.record_sha256)
    assert (view.standing, view.outcome, view.method, view.coverage) == (
        RecordStanding.CURRENT,
        "sanitized",
        "clear",
        "full",
    )
    assert view.satisfies_policy
    assert view.failed_checks == ()
    assert state(world, order) is OrderState.RECORDED
    assert world.device().state is DeviceState.SANITIZING, (
        "verification is the machine's finding; validation is a person's"
    )


def test_the_reply_proves_that_the_acceptance_is_in_the_log(world: World) -> None:
    _, lease, record = begun(world)
    reply = world.hand_over(lease, record)
    keys = verifying_keys(world.context.secrets.signer("acceptance").public_key_der)
    envelope = reply.acceptance.model_dump()
    body, _ = open_envelope(envelope, keys, "acceptance", exact=True)
    assert Acceptance.from_dict(body).record_sha256 == reply.record_sha256
    checkpoint = open_checkpoint(reply.checkpoint, [parse_vkey(key) for key in world.context.ledger.vkeys], exact=True)
    leaf = leaf_hash(log_entry("acceptance", envelope_digest(envelope)))
    verify_inclusion(leaf, reply.index, checkpoint.size, [from_base64(one) for one in reply.proof], checkpoint.root)


def test_the_same_envelope_again_changes_nothing(world: World) -> None:
    _, lease, record = begun(world)
    first = world.hand_over(lease, record)
    size = transparency.checkpoint(world.context).size
    again = world.hand_over(lease, record)
    assert (again.new, again.index, again.acceptance) == (False, first.index, first.acceptance)
    assert transparency.checkpoint(world.context).size == size


def test_another_content_under_the_same_number_is_refused(world: World) -> None:
    _, lease, record = begun(world)
    world.hand_over(lease, record)
    with pytest.raises(Conflict):
        world.hand_over(lease, dataclasses.replace(record, tool="another tool"))


def with_part(part: str, **changes: object) -> Callable[[SanitizationRecord], SanitizationRecord]:
    def change(record: SanitizationRecord) -> SanitizationRecord:
        fields: dict[str, Any] = {part: dataclasses.replace(getattr(record, part), **changes)}
        return dataclasses.replace(record, **fields)

    return change


@pytest.mark.parametrize(
    ("change", "failed"),
    [
        (with_part("order", id="O-2026-999999"), "order_known"),
        (with_part("order", sha256="0" * 64), "order_known"),
        (with_part("order", nonce="0" * 32), "order_known"),
        (with_part("order", after_size=1), "order_known"),
        (with_part("order", after_root="AAAA"), "order_known"),
        (with_part("method", plan_sha256="0" * 64), "order_known"),
        (with_part("policy", sha256="0" * 64), "order_known"),
        (lambda record: dataclasses.replace(record, operator_ref="p-somebody"), "order_known"),
        (lambda record: dataclasses.replace(record, device=OTHER_DISK.facts), "identity_matches_inventory"),
        (with_part("order", approvals=()), "approvals_sufficient"),
        (with_part("order", approvals=("0" * 64, "1" * 64)), "approvals_sufficient"),
    ],
    ids=[
        "other-order", "altered-order", "other-nonce", "other-log-size", "other-log-root", "other-plan", "other-policy",
        "other-requester", "other-device", "no-approvals", "unknown-approvals",
    ],
)  # fmt: skip
def test_an_authentic_record_that_fits_no_order_is_evidence_and_has_no_effect(
    world: World, change: Callable[[SanitizationRecord], SanitizationRecord], failed: str
) -> None:
    order, lease, record = begun(world)
    reply = world.hand_over(lease, change(record))
    view = stored(world, reply.record_sha256)
    assert view.standing is RecordStanding.EVIDENCE_ONLY
    assert failed in {reason.code for reason in view.failed_checks}
    assert state(world, order) is OrderState.EXECUTING
    assert "record-without-effect" in world.codes()
    honest = world.hand_over(lease, dataclasses.replace(record, record_id="11111111-0000-4000-8000-000000000001"))
    assert stored(world, honest.record_sha256).standing is RecordStanding.CURRENT


def test_a_record_with_an_old_token_is_evidence_and_changes_nothing(world: World) -> None:
    order, lease, record = begun(world)
    newer = world.agent.take()
    assert newer.token == lease.token + 1
    reply = world.hand_over(lease, record)
    assert stored(world, reply.record_sha256).standing is RecordStanding.EVIDENCE_ONLY
    assert state(world, order) is OrderState.EXECUTING


def test_a_record_may_come_long_after_its_lease_lapsed(world: World) -> None:
    """The service was down for the whole run."""
    order, lease, record = begun(world)
    world.clock.forward(days=5)
    reply = world.hand_over(lease, record)
    assert stored(world, reply.record_sha256).standing is RecordStanding.CURRENT
    assert state(world, order) is OrderState.RECORDED


def test_a_run_nobody_allowed_to_write_makes_no_record_of_its_order(world: World) -> None:
    order = world.approved()
    lease = world.agent.take()
    reply = world.hand_over(lease, world.finished(lease))
    view = stored(world, reply.record_sha256)
    assert view.standing is RecordStanding.EVIDENCE_ONLY
    assert "token_current" in {reason.code for reason in view.failed_checks}
    assert state(world, order) is OrderState.LEASED


def test_a_record_after_the_order_was_given_up_has_no_effect(world: World) -> None:
    order, lease, record = begun(world)
    orders.abandon_order(world.context, world.actor("operator"), order.id, "host burnt down")
    reply = world.hand_over(lease, record)
    assert stored(world, reply.record_sha256).standing is RecordStanding.EVIDENCE_ONLY
    assert world.device().state is DeviceState.FAILED


def test_an_order_has_one_record(world: World) -> None:
    order, lease, record = begun(world)
    first = world.hand_over(lease, record)
    second = world.hand_over(lease, dataclasses.replace(record, record_id="11111111-0000-4000-8000-000000000001"))
    assert stored(world, second.record_sha256).standing is RecordStanding.EVIDENCE_ONLY
    assert queries.order(world.context, world.actor("auditor"), order.id).record == first.record_sha256


def submit(world: World, lease: Lease, envelope: dict[str, Any], agent: ConsoleAgent | None = None) -> None:
    message = RecordSubmission(lease=lease.id, token=lease.token, record=Envelope.model_validate(envelope))
    records.ingest(world.context, (agent or world.agent).actor, message)


def test_a_record_of_another_key_is_refused(world: World) -> None:
    _, lease, record = begun(world)
    with pytest.raises(EvidenceRefused):
        submit(world, lease, dict(sign("sanitization-record", record.to_dict(), FileSigner.generate())))


def test_a_record_in_anothers_name_is_refused(world: World) -> None:
    _, lease, record = begun(world)
    second = world.enrol_agent("crm-db-02", [])
    with pytest.raises(EvidenceRefused, match="another agent"):
        submit(world, lease, dict(sign("sanitization-record", record.to_dict(), second.signer)), second)


def test_a_record_of_another_host_about_this_order_has_no_effect(world: World) -> None:
    order, lease, record = begun(world)
    second = world.enrol_agent("crm-db-02", [])
    theirs = with_part("host", agent_key=second.signer.key_id)(record)
    reply = world.hand_over(lease, theirs, by=second)
    assert stored(world, reply.record_sha256).standing is RecordStanding.EVIDENCE_ONLY
    assert state(world, order) is OrderState.EXECUTING


def test_an_altered_record_is_refused(world: World) -> None:
    _, lease, record = begun(world)
    good = dict(sign("sanitization-record", record.to_dict(), world.agent.signer))
    other = sign("sanitization-record", {**record.to_dict(), "tool": "x"}, world.agent.signer)
    with pytest.raises(EvidenceRefused):
        submit(world, lease, {**good, "payload": other["payload"]})
    with pytest.raises(EvidenceRefused):
        submit(world, lease, dict(sign("acceptance", record.to_dict(), world.agent.signer)))
    with pytest.raises(EvidenceRefused):
        submit(world, lease, dict(sign("sanitization-record", {"schema": "nonsense"}, world.agent.signer)))


def test_a_revoked_agent_hands_over_nothing(world: World) -> None:
    _, lease, record = begun(world)
    actor = world.agent.actor
    hosts.revoke(world.context, world.actor("admin"), hosts.RevokeHost(host=world.agent.host, reason="stolen"))
    envelope = sign("sanitization-record", record.to_dict(), world.agent.signer)
    message = RecordSubmission(lease=lease.id, token=lease.token, record=Envelope.model_validate(envelope))
    with pytest.raises(AgentNotTrusted):
        records.ingest(world.context, actor, message)


# -- endings other than success ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("touched", "device"), [("no", DeviceState.QUARANTINED), ("maybe", DeviceState.FAILED), ("yes", DeviceState.FAILED)]
)
def test_a_failed_run_leaves_the_device_as_it_was_touched(world: World, touched: str, device: DeviceState) -> None:
    order, lease, record = begun(world)
    world.hand_over(lease, failed_record(record, touched))
    assert state(world, order) is OrderState.FAILED
    assert world.device().state is device
    assert world.device().holdings[0].state is HoldingState.RESIDUE
    assert ("sanitization-failed" in world.codes()) is (device is DeviceState.FAILED)


def test_a_refused_run_ends_the_order_also_where_another_medium_was_found(world: World) -> None:
    order = world.approved()
    lease = world.agent.take()
    record = dataclasses.replace(refused_record(world.finished(lease)), device=OTHER_DISK.facts)
    record = with_part("order", approvals=())(record)
    reply = world.hand_over(lease, record)
    view = stored(world, reply.record_sha256)
    assert (view.outcome, view.standing) == ("refused", RecordStanding.CURRENT)
    assert not view.checks["identity_matches_inventory"]
    assert state(world, order) is OrderState.REFUSED
    assert world.device().state is DeviceState.RETIRED
    assert world.device(OTHER_DISK).state is DeviceState.IN_SERVICE


def test_a_refusal_said_by_progress_first_is_recorded_afterwards(world: World) -> None:
    order = world.approved()
    lease = world.agent.take()
    record = refused_record(world.finished(lease))
    from tests.unit.inventory.services.test_orders import progress  # noqa: PLC0415

    said = progress(lease, "refused", reason_code="device-in-use", reason="The device is in use.")
    leases.report_progress(world.context, world.agent.actor, lease.id, said)
    reply = world.hand_over(lease, record)
    assert stored(world, reply.record_sha256).standing is RecordStanding.CURRENT
    assert state(world, order) is OrderState.REFUSED


def test_an_outcome_nobody_knows_waits_for_a_person_who_cannot_approve_it(world: World) -> None:
    order, lease, record = begun(world)
    world.hand_over(lease, with_part("run", touched="perhaps")(record))
    assert state(world, order) is OrderState.RECORDED
    with pytest.raises(Conflict, match="reject or escalate"):
        world.validate(order.id)
    assert world.validate(order.id, ValidationDecision.REJECT).state is OrderState.REJECTED


def test_a_withheld_record_leaves_a_gap_that_is_seen_and_closes_when_it_comes(world: World) -> None:
    order, lease, record = begun(world)
    world.hand_over(lease, record)
    world.validate(order.id)
    for number, expected in ((4, True), (2, True), (3, False)):
        numbered = with_part("host", sequence=number)(record)
        world.hand_over(lease, dataclasses.replace(numbered, record_id=f"11111111-0000-4000-8000-00000000000{number}"))
        assert ("record-sequence-gap" in world.codes(host=world.agent.host)) is expected


def test_a_record_that_does_not_continue_its_devices_history_is_seen(world: World) -> None:
    order, lease, record = begun(world)
    first = world.hand_over(lease, record)
    world.validate(order.id)
    follow = with_part("host", sequence=2)(record)
    good = dataclasses.replace(follow, record_id="11111111-0000-4000-8000-000000000001", previous=first.record_sha256)
    world.hand_over(lease, good)
    assert "record-history-broken" not in world.codes()
    bad = dataclasses.replace(with_part("host", sequence=3)(good), record_id="11111111-0000-4000-8000-000000000002")
    world.hand_over(lease, bad)
    assert "record-history-broken" in world.codes()


# -- validation --------------------------------------------------------------------------------------------------------------


def test_approving_covers_what_was_held_and_opens_the_gate(residue: World) -> None:
    world = residue
    assert not world.device().gate_reuse_inside.open
    order = world.sanitized()
    device = world.device()
    assert (order.state, device.state) == (OrderState.VALIDATED, DeviceState.SANITIZED)
    assert [(row.state, row.covered_by) for row in device.holdings] == [(HoldingState.COVERED, order.record)]
    assert device.gate_reuse_inside.open
    assert {reason.code for reason in device.gate_leave.reasons} == {"method-insufficient"}


def test_the_validation_is_signed_and_logged(world: World) -> None:
    order = world.sanitized()
    view = stored(world, str(order.record))
    assert view.validation is not None
    envelope = transparency.envelope(world.context, world.actor("auditor"), view.validation.sha256)
    keys = verifying_keys(world.context.secrets.signer("acceptance").public_key_der)
    body, _ = open_envelope(envelope, keys, "validation", exact=True)
    said = Validation.from_dict(body)
    assert (said.decision, said.record_sha256, said.validator.ref) == (
        "approve",
        order.record,
        world.actor("validator").ref,
    )


@pytest.mark.parametrize(
    ("decision", "code"),
    [(ValidationDecision.REJECT, "sanitization-failed"), (ValidationDecision.ESCALATE, "escalation")],
)
def test_rejecting_leaves_the_residue_and_says_so(world: World, decision: ValidationDecision, code: str) -> None:
    order = world.recorded()
    assert world.validate(order.id, decision).state is OrderState.REJECTED
    device = world.device()
    assert (device.state, device.holdings[0].state) == (DeviceState.FAILED, HoldingState.RESIDUE)
    assert code in world.codes(device=device.id)
    assert world.approve(world.order().id).state is OrderState.APPROVED, "a failed device may be ordered again"


def test_neither_requester_nor_approver_validates(world: World) -> None:
    world.change("retire")
    order = world.order(by="all-hands")
    world.approve(order.id)
    lease = world.agent.take()
    world.ask(lease)
    world.hand_over(lease, world.finished(lease))
    with pytest.raises(SeparationOfDuty, match="requested"):
        world.validate(order.id, by="all-hands")
    with pytest.raises(Forbidden):
        world.validate(order.id, by="admin")
    assert world.validate(order.id).state is OrderState.VALIDATED


def test_an_approver_does_not_validate_what_they_approved(world: World) -> None:
    world.change("retire")
    order = world.order()
    world.approve(order.id, "approver1", "all-hands")
    lease = world.agent.take()
    world.ask(lease)
    world.hand_over(lease, world.finished(lease))
    with pytest.raises(SeparationOfDuty, match="approved"):
        world.validate(order.id, by="all-hands")


def test_only_a_record_that_waits_is_validated_and_once(world: World) -> None:
    order = world.approved()
    with pytest.raises(IllegalTransition):
        world.validate(order.id)
    lease = world.agent.take()
    world.ask(lease)
    world.hand_over(lease, world.finished(lease))
    command = validation.Validate(order=order.id, decision=ValidationDecision.APPROVE, reason="fits", version=1)
    with pytest.raises(StaleVersion):
        validation.validate(world.context, world.actor("validator"), command)
    world.validate(order.id)
    with pytest.raises(IllegalTransition):
        world.validate(order.id, ValidationDecision.REJECT)


def test_what_was_written_after_the_lease_is_not_covered(world: World) -> None:
    order, lease, record = begun(world)
    world.agent.observe(("CRM production", "/srv/crm", (DISK,), ()))
    world.hand_over(lease, record)
    world.validate(order.id)
    assert [row.state for row in world.device().holdings] == [HoldingState.COVERED, HoldingState.LIVE]
    assert "residue-uncovered" in {reason.code for reason in world.device().gate_reuse_inside.reasons}


# -- revocation from an earlier index on ------------------------------------------------------------------------------------


def revoke_from(world: World, below: int) -> None:
    command = hosts.RevokeHost(host=world.agent.host, reason="key stolen last week", valid_below=below)
    hosts.revoke(world.context, world.actor("admin"), command)


def test_records_from_the_revoked_index_on_stop_counting(world: World) -> None:
    order = world.sanitized()
    index = stored(world, str(order.record)).log_index
    revoke_from(world, index)
    device = world.device()
    assert device.state is DeviceState.QUARANTINED
    assert [row.state for row in device.holdings] == [HoldingState.RESIDUE]
    assert "no-validated-record" in {reason.code for reason in device.gate_reuse_inside.reasons}
    assert "record-disowned" in world.codes(device=device.id)
    with pytest.raises(Conflict, match="does not count"):
        certificates.issue(world.context, world.actor("validator"), order.id)


def test_records_below_the_revoked_index_go_on_counting(world: World) -> None:
    order = world.sanitized()
    index = stored(world, str(order.record)).log_index
    revoke_from(world, index + 1)
    assert world.device().state is DeviceState.SANITIZED
    assert world.device().gate_reuse_inside.open


def test_a_disowned_record_cannot_be_approved_any_more(world: World) -> None:
    order = world.recorded()
    index = stored(world, str(order.record)).log_index
    revoke_from(world, index)
    with pytest.raises(Conflict, match="does not count"):
        world.validate(order.id)
    assert world.validate(order.id, ValidationDecision.REJECT).state is OrderState.REJECTED


def test_a_record_is_read_back_as_it_was_signed(world: World) -> None:
    _, lease, record = begun(world)
    reply = world.hand_over(lease, record)
    envelope = queries.record_envelope(world.context, world.actor("auditor"), reply.record_sha256)
    assert json.loads(from_base64(envelope["payload"])) == record.to_dict()
