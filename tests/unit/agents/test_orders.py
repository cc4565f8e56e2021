"""Each reason for which an order is refused, on really signed bytes; and the one honest order that passes."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from agents import orders, refusals
from agents.clock import ClockReading
from agents.orders import Authority
from agents.rosters import read
from reports.canonical import digest_of, to_base64
from reports.envelope import Envelope, add_signature, envelope_digest, payload_digest, sign, unverified_body
from reports.keys import FileSigner
from tests.support.evidence import APPROVERS, REQUESTER, World
from tests.support.fake_service import FakeService

NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
DEVICE = "d" * 64


@dataclasses.dataclass
class Case:
    """An honest lease, for a test to spoil."""

    service: FakeService
    agent: FileSigner
    order: Envelope
    approvals: list[Envelope]
    authority: Authority
    clock: ClockReading

    def check(self) -> orders.ApprovedOrder:
        return orders.check(self.order, self.approvals, self.authority, self.clock)

    def reseal(self, *, plan: dict[str, Any] | None = None, **changes: object) -> None:
        """Another order, honestly signed and approved."""
        body = self.service.order_body(self.agent.key_id, DEVICE, plan=plan, sealed=changes)
        self.order = sign("order", body, self.service.world.acceptance)
        self.approvals = self.service.approvals(self.order)


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.fixture
def case(world: World) -> Case:
    service = FakeService(world, now=lambda: NOW - dt.timedelta(minutes=5))
    agent = world.agent
    body = service.order_body(agent.key_id, DEVICE)
    order = sign("order", body, world.acceptance)
    authority = Authority(agent.key_id, world_keys(world), read(world.rosters[0][0]), 2)
    return Case(service, agent, order, service.approvals(order), authority, ClockReading(NOW, 0.2, 120.0))


def world_keys(world: World) -> dict[str, Any]:
    return {world.acceptance.key_id: world.acceptance.verifying_key}


def test_an_honest_order_passes_with_everything_a_record_needs(case: Case) -> None:
    approved = case.check()
    assert approved.order.device == DEVICE
    assert approved.payload_sha256 == payload_digest(case.order)
    assert approved.envelope_sha256 == envelope_digest(case.order)
    assert approved.approvals == tuple(envelope_digest(one) for one in case.approvals)
    assert approved.approvers == tuple(who.ref for who in APPROVERS)
    assert orders.reread(case.order, case.approvals) == approved


# --- each way of spoiling it ------------------------------------------------------------------------------------------


def _other_kind(case: Case) -> None:
    case.order = sign("approval", unverified_body(case.order, "order"), case.service.world.acceptance)


def _no_envelope(case: Case) -> None:
    case.order = {"payloadType": case.order["payloadType"], "payload": case.order["payload"]}


def _missing_field(case: Case) -> None:
    body = unverified_body(case.order, "order")
    del body["policy_sha256"]
    case.order = sign("order", body, case.service.world.acceptance)


def _left_to_default(case: Case) -> None:
    body = unverified_body(case.order, "order")
    del body["plan"]["acknowledged_signatures"]
    case.order = sign("order", body, case.service.world.acceptance)


def _unknown_field(case: Case) -> None:
    case.reseal(also_wipe="/dev/sda")


def _number_as_text(case: Case) -> None:
    case.reseal(approvals_required="2")


def _unsigned_by_service(case: Case) -> None:
    case.order = sign("order", unverified_body(case.order, "order"), FileSigner.generate())


def _signed_by_others_too(case: Case) -> None:
    case.order = add_signature(case.order, "order", FileSigner.generate())


def _payload_altered(case: Case) -> None:
    body = unverified_body(case.order, "order")
    other = sign("order", {**body, "device": "e" * 64}, FileSigner.generate())
    case.order = {**case.order, "payload": other["payload"]}


def _other_agent(case: Case) -> None:
    case.reseal(agent_key="a" * 64)


def _clock_unknown(case: Case) -> None:
    case.clock = ClockReading(NOW, None, 120.0)


def _own_clock_a_day_ahead(case: Case) -> None:
    case.clock = ClockReading(NOW + dt.timedelta(days=1), 86_400.0, 120.0)


def _own_clock_a_day_behind(case: Case) -> None:
    case.clock = ClockReading(NOW - dt.timedelta(days=1), -86_400.0, 120.0)


def _made_in_the_future(case: Case) -> None:
    case.clock = ClockReading(NOW - dt.timedelta(hours=1), 0.0, 120.0)


def _expired(case: Case) -> None:
    case.clock = ClockReading(NOW + dt.timedelta(hours=9), 0.0, 120.0)


def _plan_swapped(case: Case) -> None:
    body = unverified_body(case.order, "order")
    case.reseal(plan_sha256=digest_of({**body["plan"], "pattern_set": "ones"}))


def _method_too_weak(case: Case) -> None:
    case.reseal(required_method="purge")


def _verification_too_weak(case: Case) -> None:
    case.reseal(plan={"verification": "representative"})


def _no_roster(case: Case) -> None:
    case.authority = dataclasses.replace(case.authority, roster=None)


def _one_approval(case: Case) -> None:
    del case.approvals[1]


def _no_approval(case: Case) -> None:
    case.approvals = []


def _order_wants_three(case: Case) -> None:
    case.reseal(approvals_required=3)


def _local_rules_want_three(case: Case) -> None:
    case.authority = dataclasses.replace(case.authority, local_minimum=3)


def _order_wants_a_role_nobody_has(case: Case) -> None:
    case.reseal(schema="sanitrail/order/2", approval_roles=["privacy_officer"])


def _local_rules_want_a_role_nobody_has(case: Case) -> None:
    case.authority = dataclasses.replace(case.authority, local_roles=("privacy_officer",))


def _roles_in_the_first_version(case: Case) -> None:
    case.reseal(approval_roles=["privacy_officer"])


def _second_version_without_roles(case: Case) -> None:
    case.reseal(schema="sanitrail/order/2", approval_roles=[])


def _approval_of_another_order(case: Case) -> None:
    other = sign("order", case.service.order_body(case.agent.key_id, "e" * 64), case.service.world.acceptance)
    case.approvals[1] = case.service.approvals(other)[1]


def _order_resigned_after_approval(case: Case) -> None:
    approvals = case.approvals
    case.reseal(reason="Something else")
    case.approvals = approvals


def _approval_names_other_number(case: Case) -> None:
    who, signer = APPROVERS[1], case.service.world.approvers[1]
    case.approvals[1] = case.service.approval(case.order, who.ref, signer, changes={"order_id": "O-9999"})


def _stranger_approves(case: Case) -> None:
    case.approvals[1] = case.service.approval(case.order, APPROVERS[1].ref, FileSigner.generate("p256"))


def _service_approves(case: Case) -> None:
    case.approvals[1] = case.service.approval(case.order, APPROVERS[1].ref, case.service.world.acceptance)


def _approval_altered(case: Case) -> None:
    body = unverified_body(case.approvals[1], "approval")
    other = sign("approval", {**body, "shown": "Clear something harmless"}, FileSigner.generate())
    case.approvals[1] = {**case.approvals[1], "payload": other["payload"]}


def _approval_is_an_order(case: Case) -> None:
    case.approvals[1] = case.order


def _two_sign_one_approval(case: Case) -> None:
    case.approvals[1] = add_signature(case.approvals[1], "approval", case.service.world.approvers[0])


def _one_in_the_name_of_the_other(case: Case) -> None:
    case.approvals[1] = case.service.approval(case.order, APPROVERS[1].ref, case.service.world.approvers[0])


def _twice_the_same(case: Case) -> None:
    case.approvals[1] = case.approvals[0]


def _twice_the_same_in_other_words(case: Case) -> None:
    who, signer = APPROVERS[0], case.service.world.approvers[0]
    case.approvals[1] = case.service.approval(case.order, who.ref, signer, changes={"shown": "Something"})


def _requester_approves(case: Case) -> None:
    case.reseal(requested_by=APPROVERS[0].ref)


def _approved_before_it_was_made(case: Case) -> None:
    case.approvals = case.service.approvals(case.order, changes={"time": "2026-11-22T08:00:00Z"})


def _approved_after_it_expired(case: Case) -> None:
    case.approvals = case.service.approvals(case.order, changes={"time": "2026-11-22T17:00:00Z"})


def _approved_in_the_future(case: Case) -> None:
    case.approvals = case.service.approvals(case.order, changes={"time": "2026-11-22T10:00:00Z"})


SPOILED: list[tuple[Callable[[Case], None], type[refusals.OrderRefused]]] = [
    (_other_kind, refusals.OrderMalformed),
    (_no_envelope, refusals.OrderMalformed),
    (_missing_field, refusals.OrderMalformed),
    (_left_to_default, refusals.OrderMalformed),
    (_unknown_field, refusals.OrderMalformed),
    (_number_as_text, refusals.OrderMalformed),
    (_unsigned_by_service, refusals.OrderUnsigned),
    (_signed_by_others_too, refusals.OrderUnsigned),
    (_payload_altered, refusals.OrderUnsigned),
    (_other_agent, refusals.OrderForAnotherAgent),
    (_clock_unknown, refusals.ClockUntrusted),
    (_own_clock_a_day_ahead, refusals.ClockUntrusted),
    (_own_clock_a_day_behind, refusals.ClockUntrusted),
    (_made_in_the_future, refusals.ClockUntrusted),
    (_expired, refusals.OrderExpired),
    (_plan_swapped, refusals.PlanDigestMismatch),
    (_method_too_weak, refusals.MethodBelowRequirement),
    (_verification_too_weak, refusals.VerificationBelowRequirement),
    (_no_roster, refusals.NoRosterPinned),
    (_one_approval, refusals.TooFewApprovals),
    (_no_approval, refusals.TooFewApprovals),
    (_order_wants_three, refusals.TooFewApprovals),
    (_local_rules_want_three, refusals.TooFewApprovals),
    (_order_wants_a_role_nobody_has, refusals.ApprovalRoleMissing),
    (_local_rules_want_a_role_nobody_has, refusals.ApprovalRoleMissing),
    (_roles_in_the_first_version, refusals.OrderMalformed),
    (_second_version_without_roles, refusals.OrderMalformed),
    (_approval_of_another_order, refusals.ApprovalForAnotherOrder),
    (_order_resigned_after_approval, refusals.ApprovalForAnotherOrder),
    (_approval_names_other_number, refusals.ApprovalForAnotherOrder),
    (_stranger_approves, refusals.ApprovalSignatureInvalid),
    (_service_approves, refusals.ApprovalSignatureInvalid),
    (_approval_altered, refusals.ApprovalSignatureInvalid),
    (_approval_is_an_order, refusals.ApprovalMalformed),
    (_two_sign_one_approval, refusals.ApprovalMalformed),
    (_one_in_the_name_of_the_other, refusals.ApproverMismatch),
    (_twice_the_same, refusals.ApproverRepeated),
    (_twice_the_same_in_other_words, refusals.ApproverRepeated),
    (_requester_approves, refusals.ApprovedByRequester),
    (_approved_before_it_was_made, refusals.ApprovalOutsideTime),
    (_approved_after_it_expired, refusals.ApprovalOutsideTime),
    (_approved_in_the_future, refusals.ApprovalOutsideTime),
]


@pytest.mark.parametrize(("spoil", "reason"), SPOILED, ids=[spoil.__name__.strip("_") for spoil, _ in SPOILED])
def test_it_refuses(case: Case, spoil: Callable[[Case], None], reason: type[refusals.OrderRefused]) -> None:
    spoil(case)
    with pytest.raises(refusals.OrderRefused) as refused:
        case.check()
    assert type(refused.value) is reason
    assert refused.value.touched == "no"


def test_every_reason_that_can_be_judged_without_a_device_has_a_case() -> None:
    elsewhere = {refusals.LeaseExpired, refusals.OrderAlreadyExecuted}  # need the host's state: test_runner.py
    assert {reason for _, reason in SPOILED} >= set(refusals.AuthorityMissing.__subclasses__()) - elsewhere


def test_an_approval_after_the_expiry_does_not_count_although_the_clocks_would_allow_it(case: Case) -> None:
    """A minute before the end, dated half a minute after it: within the clocks' tolerance, and outside the order's life."""
    expires = dt.datetime.fromisoformat(unverified_body(case.order, "order")["expires"])
    case.clock = ClockReading(expires - dt.timedelta(minutes=1), 0.0, 120.0)
    late = (expires + dt.timedelta(seconds=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    case.approvals = case.service.approvals(case.order, changes={"time": late})
    with pytest.raises(refusals.ApprovalOutsideTime, match="after the order expired"):
        case.check()


def at(case: Case, moment: dt.datetime) -> None:
    """The host's clock shows exactly this."""
    case.clock = ClockReading(moment, 0.0, 120.0)


def test_an_order_counts_from_the_tolerance_before_it_was_made_until_the_second_it_ends_in(case: Case) -> None:
    body = unverified_body(case.order, "order")
    created, expires = (dt.datetime.fromisoformat(body[name]) for name in ("created", "expires"))
    tolerance, moment = dt.timedelta(seconds=120), dt.timedelta(microseconds=1)
    case.approvals = case.service.approvals(case.order, changes={"time": body["created"]})
    at(case, created - tolerance)
    case.check()
    at(case, expires - moment)
    case.check()
    at(case, created - tolerance - moment)
    with pytest.raises(refusals.ClockUntrusted):
        case.check()
    at(case, expires)
    with pytest.raises(refusals.OrderExpired):
        case.check()


@pytest.mark.parametrize(("since", "seconds", "counts"), [
    ("created", -120, True), ("created", -121, False), ("expires", 0, True), ("expires", 1, False),
])  # fmt: skip
def test_an_approval_counts_within_the_orders_life_and_the_tolerance_before_it(
    case: Case, since: str, seconds: int, counts: bool
) -> None:
    body = unverified_body(case.order, "order")
    at(case, dt.datetime.fromisoformat(body["expires"]) - dt.timedelta(seconds=1))
    given = dt.datetime.fromisoformat(body[since]) + dt.timedelta(seconds=seconds)
    case.approvals = case.service.approvals(case.order, changes={"time": given.strftime("%Y-%m-%dT%H:%M:%SZ")})
    if counts:
        case.check()
    else:
        with pytest.raises(refusals.ApprovalOutsideTime):
            case.check()


@pytest.mark.parametrize(("seconds", "counts"), [(120, True), (121, False)])
def test_an_approval_may_be_ahead_of_this_host_by_the_tolerance(case: Case, seconds: int, counts: bool) -> None:
    given = (NOW + dt.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
    case.approvals = case.service.approvals(case.order, changes={"time": given})
    if counts:
        case.check()
    else:
        with pytest.raises(refusals.ApprovalOutsideTime, match="not come yet"):
            case.check()


def test_a_roster_that_demands_more_than_the_order_has_the_last_word(case: Case, world: World) -> None:
    third = FileSigner.generate("p256")
    body = unverified_body(world.rosters[0][0], "roster")
    person = {
        "ref": "p-third",
        "key_id": third.key_id,
        "public_key": to_base64(third.public_key_der),
        "roles": ["approver"],
    }
    demanding = sign("roster", {**body, "people": [*body["people"], person], "minimum_approvals": 3}, *world.approvers)
    case.authority = dataclasses.replace(case.authority, roster=read(demanding))
    with pytest.raises(refusals.TooFewApprovals):
        case.check()
    case.approvals.append(case.service.approval(case.order, "p-third", third))
    assert len(case.check().approvers) == 3


def with_roles(case: Case, *roles: list[str]) -> None:
    """Pin a roster that names what else its people are trusted with."""
    body = unverified_body(case.service.world.rosters[0][0], "roster")
    people = [{**one, "roles": ["approver", *more]} for one, more in zip(body["people"], roles, strict=True)]
    envelope = sign("roster", {**body, "schema": "sanitrail/roster/2", "people": people}, *case.service.world.approvers)
    case.authority = dataclasses.replace(case.authority, roster=read(envelope))


def test_roles_are_those_of_the_pinned_roster_each_held_by_another_person(case: Case) -> None:
    case.reseal(schema="sanitrail/order/2", approval_roles=["operator", "privacy_officer"])
    with_roles(case, ["operator"], ["privacy_officer"])
    assert len(case.check().approvers) == 2
    with_roles(case, ["operator", "privacy_officer"], ["viewer"])
    with pytest.raises(refusals.ApprovalRoleMissing, match="The order demands operator, privacy_officer"):
        case.check()


def test_the_role_of_somebody_on_the_roster_who_did_not_approve_counts_for_nobody(case: Case, world: World) -> None:
    absent = FileSigner.generate("p256")
    person = {
        "ref": "p-third",
        "key_id": absent.key_id,
        "public_key": to_base64(absent.public_key_der),
        "roles": ["approver", "privacy_officer"],
    }
    body = unverified_body(world.rosters[0][0], "roster")
    people = [*body["people"], person]
    roster = sign("roster", {**body, "schema": "sanitrail/roster/2", "people": people}, *world.approvers)
    case.reseal(schema="sanitrail/order/2", approval_roles=["privacy_officer"])
    case.authority = dataclasses.replace(case.authority, roster=read(roster))
    with pytest.raises(refusals.ApprovalRoleMissing):
        case.check()
    case.approvals[1] = case.service.approval(case.order, "p-third", absent)
    assert "p-third" in case.check().approvers


def test_the_local_rules_may_want_a_role_that_the_order_does_not(case: Case) -> None:
    _local_rules_want_a_role_nobody_has(case)
    with pytest.raises(refusals.ApprovalRoleMissing, match="The local rules demand privacy_officer"):
        case.check()
    roster = case.authority
    with_roles(case, ["privacy_officer"], [])
    assert case.authority.local_roles == roster.local_roles
    assert len(case.check().approvers) == 2


def test_somebody_on_the_roster_without_the_role_cannot_approve(case: Case, world: World) -> None:
    outsider = FileSigner.generate("p256")
    body = unverified_body(world.rosters[0][0], "roster")
    person = {
        "ref": "p-other",
        "key_id": outsider.key_id,
        "public_key": to_base64(outsider.public_key_der),
        "roles": [],
    }
    roster = sign("roster", {**body, "people": [*body["people"], person]}, *world.approvers)
    case.authority = dataclasses.replace(case.authority, roster=read(roster))
    case.approvals[1] = case.service.approval(case.order, "p-other", outsider)
    with pytest.raises(refusals.ApprovalSignatureInvalid):
        case.check()


def test_the_requester_is_not_on_the_roster_of_these_tests() -> None:
    assert REQUESTER.ref not in {who.ref for who in APPROVERS}
