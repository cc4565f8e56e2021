"""Orders, approvals, leases: sealed, separated, fenced."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import pytest

from inventory.contract.v1.orders import Lease, PlanRequest, Progress, SealedOrder
from inventory.domain.policy import default_document
from inventory.domain.vocabulary import Category, DeviceState, OrderState
from inventory.errors import (
    Conflict,
    Duplicate,
    EvidenceRefused,
    Forbidden,
    Held,
    IllegalTransition,
    Invalid,
    NotFound,
    OrderImpossible,
    SeparationOfDuty,
)
from inventory.services import approvals, approvers, holds, hosts, leases, orders, people, policies, queries, upkeep
from inventory.services.approvals import Approve
from inventory.services.holds import PlaceHold
from inventory.services.queries.orders import OrderFilter
from inventory.services.views import OrderRow
from reports.canonical import digest_of
from reports.envelope import open_envelope, payload_digest, sign
from reports.keys import FileSigner, verifying_keys
from tests.support.inventory_world import DISK, INSIDE, OTHER_DISK, PLAN, World

pytestmark = pytest.mark.usefixtures("residue")


def retired(world: World) -> None:
    world.change("retire")


def every_order(world: World) -> tuple[OrderRow, ...]:
    return queries.list_orders(world.context, world.actor("viewer"), OrderFilter()).items


def test_an_order_seals_device_plan_policy_agent_expiry_nonce_and_log(world: World) -> None:
    retired(world)
    order = world.order()
    sealed = SealedOrder.model_validate(order.sealed)
    assert (sealed.device, sealed.agent_key) == (DISK.facts.fingerprint, world.agent.signer.key_id)
    assert sealed.plan == PLAN
    assert sealed.plan_sha256 == digest_of(PLAN.model_dump(mode="json"))
    assert (sealed.required_method, sealed.required_verification, sealed.approvals_required) == ("clear", "full", 2)
    assert sealed.expires - sealed.created == timedelta(hours=24)
    assert sealed.after.size > 0
    keys = verifying_keys(world.context.secrets.signer("acceptance").public_key_der)
    open_envelope(order.envelope, keys, "order", exact=True)
    assert order.sha256 == payload_digest(order.envelope)


def test_a_device_in_use_is_not_ordered(world: World) -> None:
    with pytest.raises(IllegalTransition, match="in service"):
        world.order()


def test_what_overwriting_cannot_reach_is_refused_with_the_reason(world: World) -> None:
    retired(world)
    leaving = orders.Purpose(reuse=True, leaves_control=True)
    with pytest.raises(OrderImpossible) as refused:
        world.order(purpose=leaving)
    assert refused.value.reasons[0].code == "method-out-of-reach"
    assert "purge is required" in refused.value.explain()
    asking = orders.advise(world.context, world.actor("operator"), world.device().id, leaving)
    assert asking.required_method == "purge"


def test_less_verification_than_the_policy_demands_is_refused(world: World) -> None:
    retired(world)
    weak = PlanRequest(method="clear", technique="overwrite", pattern_set="zeros", verification="representative")
    with pytest.raises(OrderImpossible):
        world.order(plan=weak)


def test_contents_nobody_described_cannot_be_ordered_as_if_they_were_harmless(world: World) -> None:
    world.change("retire", OTHER_DISK)
    with pytest.raises(OrderImpossible) as refused:
        world.order(OTHER_DISK)
    assert "Nobody has said what the medium held" in refused.value.explain()


def test_the_highest_category_ever_held_decides(world: World) -> None:
    world.hold_data(category=Category.HIGH, name="Health records")
    world.agent.observe(("CRM production", "/srv/crm", (), ()), ("Health records", "/srv/crm", (), ()))
    retired(world)
    with pytest.raises(OrderImpossible):
        world.order()


def test_one_device_has_one_open_order(world: World) -> None:
    retired(world)
    first = world.order()
    with pytest.raises(Duplicate):
        world.order()
    orders.cancel_order(world.context, world.actor("operator"), first.id, "second thoughts")
    assert world.order().id != first.id


def test_a_detached_device_is_not_ordered(world: World) -> None:
    retired(world)
    world.agent.disks.remove(DISK)
    world.agent.observe()
    with pytest.raises(Conflict, match="not attached"):
        world.order()


def test_without_enough_approvers_besides_the_requester_there_is_no_order(world: World) -> None:
    retired(world)
    for login in ("approver2", "all-hands"):
        approvers.revoke_key(world.context, world.actor("admin"), world.signers[login].key_id, "left")
    assert world.order().approvals_required == 2
    (waiting,) = every_order(world)
    orders.cancel_order(world.context, world.actor("operator"), waiting.id, "again")
    with pytest.raises(OrderImpossible) as refused:
        world.order(by="both")
    assert refused.value.reasons[0].code == "too-few-approvers"


@pytest.mark.parametrize("lifetime", [timedelta(minutes=4), timedelta(days=31), timedelta(seconds=-1)])
def test_an_order_lives_neither_too_short_nor_too_long(world: World, lifetime: timedelta) -> None:
    retired(world)
    with pytest.raises(Invalid):
        world.order(lifetime=lifetime)


@pytest.mark.parametrize("login", ["viewer", "custodian", "approver1", "validator", "admin", "auditor", "privacy"])
def test_only_operators_request(world: World, login: str) -> None:
    retired(world)
    with pytest.raises(Forbidden):
        world.order(by=login)


# -- approvals ---------------------------------------------------------------------------------------------------------------


def test_two_people_approve_what_they_were_shown(world: World) -> None:
    retired(world)
    order = world.order()
    first = world.approve(order.id, "approver1")
    assert (first.state, first.approvals_given) == (OrderState.REQUESTED, 1)
    done = world.approve(order.id, "approver2")
    assert done.state is OrderState.APPROVED
    assert {row.approver for row in done.approvals} == {world.actor("approver1").ref, world.actor("approver2").ref}
    assert "CLEAR by overwrite" in done.approvals[0].shown
    assert DISK.serial in done.approvals[0].shown


def send(world: World, order: str, login: str, envelope: dict[str, Any]) -> None:
    approvals.approve(world.context, world.actor(login), Approve(order=order, envelope=envelope))


def refusal_codes(world: World, order: str, **changes: object) -> set[str]:
    with pytest.raises(EvidenceRefused) as refused:
        send(world, order, "approver1", world.approval(order, "approver1", **changes))
    return {reason.code for reason in refused.value.reasons} or {refused.value.field}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"order_sha256": "0" * 64}, "other-order"),
        ({"order_id": "O-2026-999999"}, "other-order"),
        ({"shown": "a harmless little thing"}, "shown"),
        ({"approver": "p-somebody"}, "approver"),
        ({"time": "2026-11-25T09:00:00Z"}, "outside-the-orders-life"),
        ({"time": "2026-11-22T08:00:00Z"}, "outside-the-orders-life"),
        ({"time": "2026-11-22T20:00:00Z"}, "in-the-future"),
        ({"time": "tomorrow"}, "envelope"),
        ({"decision": "maybe"}, "envelope"),
        ({"surplus": "field"}, "envelope"),
    ],
)
def test_an_approval_that_says_something_else_is_refused(world: World, changes: dict[str, object], code: str) -> None:
    retired(world)
    assert code in refusal_codes(world, world.order().id, **changes)


def test_an_altered_approval_is_refused(world: World) -> None:
    retired(world)
    order = world.order()
    envelope = world.approval(order.id, "approver1")
    altered = copy.deepcopy(envelope)
    altered["signatures"][0]["sig"] = world.approval(order.id, "approver2")["signatures"][0]["sig"]
    with pytest.raises(EvidenceRefused):
        send(world, order.id, "approver1", altered)
    with pytest.raises(EvidenceRefused):
        send(world, order.id, "approver1", {**envelope, "payloadType": "application/vnd.sanitrail.order.v1+json"})
    with pytest.raises(EvidenceRefused):
        send(world, order.id, "approver1", {"nonsense": True})


def test_an_approval_by_a_key_outside_the_roster_is_refused(world: World) -> None:
    retired(world)
    order = world.order()
    world.signers["approver1"] = FileSigner.generate("p256")
    with pytest.raises(EvidenceRefused):
        send(world, order.id, "approver1", world.approval(order.id, "approver1"))


def test_an_approval_somebody_else_signed_is_refused(world: World) -> None:
    retired(world)
    order = world.order()
    theirs = world.approval(order.id, "approver2")
    with pytest.raises(EvidenceRefused):
        send(world, order.id, "approver1", theirs)


def test_the_requester_does_not_approve(world: World) -> None:
    retired(world)
    order = world.order(by="both")
    with pytest.raises(SeparationOfDuty):
        approvals.ready_to_sign(world.context, world.actor("both"), order.id)
    ready = approvals.ready_to_sign(world.context, world.actor("approver1"), order.id)
    body = {**ready.body, "approver": world.actor("both").ref, "time": "2026-11-22T09:05:00Z"}
    with pytest.raises(SeparationOfDuty):
        send(world, order.id, "both", dict(sign("approval", body, world.signers["both"])))


def test_one_person_approves_once(world: World) -> None:
    retired(world)
    order = world.order()
    world.approve(order.id, "approver1")
    with pytest.raises(Duplicate):
        world.approve(order.id, "approver1")


def test_a_cancelled_or_expired_order_is_not_approved(world: World) -> None:
    retired(world)
    order = world.order()
    envelope = world.approval(order.id, "approver1")
    world.clock.forward(hours=25)
    with pytest.raises(Conflict, match="expired"):
        send(world, order.id, "approver1", envelope)
    assert upkeep.run(world.context).orders_expired == 1
    with pytest.raises(Conflict, match="expired"):
        send(world, order.id, "approver1", envelope)


def test_an_approver_whose_key_is_not_in_the_roster_is_told_so(world: World) -> None:
    retired(world)
    order = world.order()
    approvers.revoke_key(world.context, world.actor("admin"), world.signers["approver1"].key_id, "stolen")
    with pytest.raises(Forbidden, match="roster"):
        approvals.ready_to_sign(world.context, world.actor("approver1"), order.id)


def test_approvals_by_a_key_revoked_since_lease_nothing(world: World) -> None:
    order = world.approved()
    approvers.revoke_key(world.context, world.actor("admin"), world.signers["approver1"].key_id, "stolen")
    assert leases.acquire(world.context, world.agent.actor).lease is None
    assert queries.order(world.context, world.actor("viewer"), order.id).state is OrderState.APPROVED


def test_approvals_by_a_person_disabled_since_lease_nothing(world: World) -> None:
    world.approved()
    people.set_enabled(world.context, world.actor("admin"), world.actor("approver2").ref, enabled=False)
    assert leases.acquire(world.context, world.agent.actor).lease is None


def test_an_approval_revoked_after_leasing_stops_the_first_write(world: World) -> None:
    world.approved()
    lease = world.agent.take()
    approvers.revoke_key(world.context, world.actor("admin"), world.signers["approver1"].key_id, "stolen")
    answer = world.ask(lease)
    assert not answer.clear
    assert "approvals" in " ".join(answer.reasons)
    assert world.device().state is DeviceState.RETIRED


# -- holds -------------------------------------------------------------------------------------------------------------------


def hold(world: World, **subject: str) -> str:
    command = PlaceHold(kind="legal", reference="file 12", reason="lawsuit pending", **subject)
    return holds.place_hold(world.context, world.actor("privacy"), command).id


def test_a_hold_stops_ordering_approving_and_leasing(world: World) -> None:
    retired(world)
    number = hold(world, device=world.device().id)
    with pytest.raises(Held):
        world.order()
    holds.lift_hold(world.context, world.actor("privacy"), number, "settled")
    order = world.order()
    hold(world, device=world.device().id)
    with pytest.raises(Held):
        world.approve(order.id, "approver1")


def test_a_hold_on_a_data_set_reaches_every_medium_that_held_it(world: World) -> None:
    world.approved()
    hold(world, data_set=world.device().holdings[0].data_set)
    assert leases.acquire(world.context, world.agent.actor).lease is None


def test_a_hold_placed_after_leasing_stops_the_first_write(world: World) -> None:
    world.approved()
    lease = world.agent.take()
    hold(world, device=world.device().id)
    answer = world.ask(lease)
    assert not answer.clear
    assert "file 12" in " ".join(answer.reasons)
    assert world.device().state is DeviceState.RETIRED


# -- leases ------------------------------------------------------------------------------------------------------------------


def progress(lease: Lease, state: str = "executing", token: int | None = None, **more: object) -> Progress:
    fields: dict[str, object] = {
        "token": token or lease.token, "state": state, "pass_number": 1, "passes": 1, "bytes_done": 10, "bytes_total": 100,
        "bytes_per_second": 5, "seconds_left": 18, "errors": 0, **more,
    }  # fmt: skip
    return Progress.model_validate(fields)


def test_a_lease_carries_the_order_with_its_approvals_and_a_token(world: World) -> None:
    order = world.approved()
    lease = world.agent.take()
    assert (lease.token, lease.path_hint, len(lease.approvals)) == (1, DISK.path, 2)
    detail = queries.order(world.context, world.actor("viewer"), order.id)
    assert detail.state is OrderState.LEASED
    assert detail.lease is not None
    assert detail.lease.current
    assert leases.acquire(world.context, world.agent.actor).lease is None


def test_an_order_is_for_one_agent(world: World) -> None:
    world.approved()
    second = world.enrol_agent("crm-db-02", [OTHER_DISK])
    assert leases.acquire(world.context, second.actor).lease is None
    lease = world.agent.take()
    with pytest.raises(NotFound):
        leases.report_progress(world.context, second.actor, lease.id, progress(lease))


def test_a_lapsed_lease_goes_to_the_same_agent_under_a_new_token(world: World) -> None:
    world.approved()
    first = world.agent.take()
    assert world.ask(first).clear
    world.clock.forward(seconds=world.context.settings.lease_seconds)
    second = world.agent.take()
    assert (second.token, second.id != first.id) == (2, True)
    reply = leases.report_progress(world.context, world.agent.actor, first.id, progress(first))
    assert not reply.current
    assert not world.ask(first).clear
    assert world.ask(second).clear


def test_reports_prolong_a_lease(world: World) -> None:
    world.approved()
    lease = world.agent.take()
    assert world.ask(lease).clear
    for _ in range(5):
        world.clock.forward(seconds=world.context.settings.lease_seconds - 1)
        assert leases.report_progress(world.context, world.agent.actor, lease.id, progress(lease)).current
        assert leases.acquire(world.context, world.agent.actor).lease is None


def test_the_first_write_is_committed_before_it_is_allowed(world: World) -> None:
    order = world.approved()
    lease = world.agent.take()
    assert world.device().state is DeviceState.RETIRED
    assert world.ask(lease).clear
    assert world.device().state is DeviceState.SANITIZING
    assert queries.order(world.context, world.actor("viewer"), order.id).state is OrderState.EXECUTING
    with pytest.raises(IllegalTransition):
        orders.cancel_order(world.context, world.actor("operator"), order.id, "too late")


def test_a_cancelled_order_is_told_so_before_the_first_write(world: World) -> None:
    order = world.approved()
    lease = world.agent.take()
    orders.cancel_order(world.context, world.actor("operator"), order.id, "second thoughts")
    answer = world.ask(lease)
    assert not answer.clear
    assert "cancelled" in " ".join(answer.reasons)
    assert not leases.report_progress(world.context, world.agent.actor, lease.id, progress(lease)).current


def test_an_expired_order_is_neither_leased_nor_begun(world: World) -> None:
    world.approved()
    lease = world.agent.take()
    world.clock.forward(hours=25)
    assert not world.ask(lease).clear
    assert leases.acquire(world.context, world.agent.actor).lease is None
    upkeep.run(world.context)
    assert [row.state for row in every_order(world)] == [OrderState.EXPIRED]


def test_a_run_under_way_does_not_expire(world: World) -> None:
    order = world.approved()
    assert world.ask(world.agent.take()).clear
    world.clock.forward(days=3)
    assert upkeep.run(world.context).orders_expired == 0
    assert world.agent.take().token == 2
    assert queries.order(world.context, world.actor("viewer"), order.id).state is OrderState.EXECUTING


def test_progress_moves_the_order_and_an_old_token_moves_nothing(world: World) -> None:
    order = world.approved()
    lease = world.agent.take()
    world.ask(lease)
    leases.report_progress(world.context, world.agent.actor, lease.id, progress(lease, "verifying"))
    detail = queries.order(world.context, world.actor("viewer"), order.id)
    assert detail.state is OrderState.VERIFYING
    assert detail.progress is not None
    assert detail.progress.percent == 10
    late = progress(lease, "executing", token=7)
    assert not leases.report_progress(world.context, world.agent.actor, lease.id, late).current
    assert queries.order(world.context, world.actor("viewer"), order.id).state is OrderState.VERIFYING


def test_a_stop_is_asked_for_through_progress(world: World) -> None:
    order = world.approved()
    with pytest.raises(Conflict):
        orders.request_stop(world.context, world.actor("operator"), order.id, "wrong disk")
    lease = world.agent.take()
    world.ask(lease)
    orders.request_stop(world.context, world.actor("operator"), order.id, "wrong disk")
    assert leases.report_progress(world.context, world.agent.actor, lease.id, progress(lease)).stop_requested
    assert not world.ask(lease).clear


def test_an_agent_that_refuses_before_writing_ends_the_order_with_its_reason(world: World) -> None:
    order = world.approved()
    lease = world.agent.take()
    said = progress(lease, "refused", reason_code="never-touch", reason="A local rule forbids this device.")
    leases.report_progress(world.context, world.agent.actor, lease.id, said)
    detail = queries.order(world.context, world.actor("viewer"), order.id)
    assert (detail.state, detail.outcome_reason) == (OrderState.REFUSED, "A local rule forbids this device.")
    assert world.device().state is DeviceState.RETIRED


def test_a_lost_run_is_given_up_by_a_person_only_after_its_lease(world: World) -> None:
    order = world.approved()
    world.ask(world.agent.take())
    with pytest.raises(Conflict):
        orders.abandon_order(world.context, world.actor("operator"), order.id, "host burnt down")
    world.clock.forward(hours=1)
    done = orders.abandon_order(world.context, world.actor("operator"), order.id, "host burnt down")
    assert (done.state, world.device().state) == (OrderState.INTERRUPTED, DeviceState.FAILED)


def test_revoking_an_agent_cancels_what_has_not_begun_and_interrupts_what_has(world: World) -> None:
    world.agent.observe(("CRM production", "/srv/crm", (OTHER_DISK,), ()))
    world.unmount()
    begun = world.approved()
    waiting = world.approved(OTHER_DISK)
    assert world.ask(world.agent.take()).clear
    hosts.revoke(world.context, world.actor("admin"), hosts.RevokeHost(host=world.agent.host, reason="stolen"))
    assert {row.id: row.state for row in every_order(world)} == {
        begun.id: OrderState.INTERRUPTED,
        waiting.id: OrderState.CANCELLED,
    }
    assert world.device().state is DeviceState.FAILED
    assert world.device(OTHER_DISK).state is DeviceState.RETIRED


def test_purposes_are_told_in_words(world: World) -> None:
    retired(world)
    assert world.order(purpose=INSIDE).purpose == "reuse, under our own control"


# --- the drives' own techniques ---------------------------------------------------------------------------------------------


def purging(**more: Any) -> PlanRequest:  # noqa: ANN401 - fields of the plan
    fields = {"method": "purge", "technique": "auto", "pattern_set": "canaries", "verification": "full", **more}
    return PlanRequest.model_validate(fields)


LEAVING = orders.Purpose(reuse=True, leaves_control=True)


def decided(world: World, *settings: str) -> None:
    document = {**default_document(), "version": 2, "settings": list(settings)}
    command = policies.ImportPolicy(document=document, reason="decided by the board")
    policies.import_policy(world.context, world.actor("admin"), command)


def test_purge_is_ordered_by_the_drives_own_commands(world: World) -> None:
    retired(world)
    order = world.order(plan=purging(), purpose=LEAVING)
    sealed = SealedOrder.model_validate(order.sealed)
    assert (sealed.required_method, sealed.plan.technique, sealed.plan.settings) == ("purge", "auto", ())
    assert sealed.plan_sha256 == digest_of(order.sealed["plan"])
    assert "settings" not in order.sealed["plan"]


def test_what_the_policy_has_decided_is_sealed_into_the_orders_it_matters_to(world: World) -> None:
    retired(world)
    decided(world, "nvme-format-user-data-is-purge")
    order = world.order(plan=purging(technique="nvme-format-user-data"), purpose=LEAVING)
    assert order.sealed["plan"]["settings"] == ["nvme-format-user-data-is-purge"]


def test_an_order_decides_no_dispute_by_itself(world: World) -> None:
    retired(world)
    with pytest.raises(OrderImpossible) as refused:
        world.order(plan=purging(settings=("opal-revert-is-purge",)), purpose=LEAVING)
    assert [reason.code for reason in refused.value.reasons] == ["setting-not-of-policy"]


def test_words_of_a_plan_that_mean_nothing_are_refused(world: World) -> None:
    retired(world)
    with pytest.raises(Invalid, match="nothing that could be destroyed"):
        world.order(plan=purging(acknowledged_scope=("everything",)), purpose=LEAVING)


def test_the_line_approvers_sign_says_what_else_is_destroyed(world: World) -> None:
    retired(world)
    order = world.order(plan=purging(acknowledged_scope=("other-namespaces",)), purpose=LEAVING)
    ready = approvals.ready_to_sign(world.context, world.actor("approver1"), order.id)
    assert "the best technique of the drive" in ready.body["shown"]
    assert "other-namespaces" in ready.body["shown"]
