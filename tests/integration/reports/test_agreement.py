"""Words written down twice, because evidence outlives the programs that made it, are the same words."""

from __future__ import annotations

import dataclasses
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.contract.v1 import agents, orders
from inventory.domain.policy_document import ROLES
from reports import orders as ours
from reports.canonical import canonical, digest_of
from reports.envelope import payload_type, sign, unverified_body
from reports.errors import MalformedDocument
from reports.findings import content_of, identity_fingerprint, pattern_set_name
from reports.findings.codes import KINDS
from reports.links import Basis
from reports.verdict import judge
from sanitizer.identity import KINDS as ENGINE_KINDS
from sanitizer.identity import DeviceIdentity
from sanitizer.patterns import PATTERN_SETS, Fixed, Keyed
from sanitizer.planning import PlanRequest
from sanitizer.sampling import representative
from tests.support.evidence import (
    NONCE,
    World,
    approval_body,
    certified,
    good_record,
    one_pass,
    order_body,
    with_part,
)

WORLD = World()
STORY = certified(WORLD)
NAMES = st.none() | st.text(max_size=20)


def _fields(part: type) -> set[str]:
    return {field.name for field in dataclasses.fields(part) if field.name != "extra"}


@pytest.mark.parametrize(
    ("message", "reader"),
    [
        (orders.SealedOrder, ours.Order),
        (orders.Approval, ours.Approval),
        (orders.Roster, ours.Roster),
        (orders.RosterPerson, ours.RosterPerson),
        (orders.PlanRequest, ours.Plan),
    ],
)
def test_readers_know_the_fields_of_the_messages(message: Any, reader: type) -> None:  # noqa: ANN401 - a model class
    assert {field.alias or name for name, field in message.model_fields.items()} == _fields(reader)


def test_what_the_service_writes_is_what_the_verifier_reads() -> None:
    order = orders.SealedOrder.model_validate(order_body(WORLD, good_record()))
    body = order.model_dump(mode="json", by_alias=True)
    assert ours.Order.from_dict(body).to_dict() == body
    demanding = order_body(WORLD, good_record(), schema="sanitrail/order/2", approval_roles=["operator"])
    body = orders.SealedOrder.model_validate(demanding).model_dump(mode="json", by_alias=True)
    assert ours.Order.from_dict(body).to_dict() == body
    assert body["approval_roles"] == ["operator"]
    approval = orders.Approval.model_validate(approval_body(STORY.order_envelope, "p-approver-1"))
    body = approval.model_dump(mode="json", by_alias=True)
    assert ours.Approval.from_dict(body).to_dict() == body
    people = [{**one, "roles": ["approver", "operator"]} for one in WORLD.roster_body(1, None)["people"]]
    second = orders.Roster.model_validate(
        {**WORLD.roster_body(1, None), "schema": "sanitrail/roster/2", "people": people}
    )
    body = second.model_dump(mode="json", by_alias=True)
    assert ours.Roster.from_dict(body).to_dict() == body
    roster = orders.Roster.model_validate(WORLD.roster_body(1, None))
    body = roster.model_dump(mode="json", by_alias=True)
    assert ours.Roster.from_dict(body).to_dict() == body


@pytest.mark.parametrize(
    "changes",
    [
        {"approval_roles": ["operator"]},
        {"schema": "sanitrail/order/2"},
        {"schema": "sanitrail/order/2", "approval_roles": []},
    ],
    ids=str,
)
def test_version_and_roles_of_an_order_fit_or_nobody_reads_it(changes: dict[str, Any]) -> None:
    body = order_body(WORLD, good_record(), **changes)
    with pytest.raises(ValueError, match="second version"):
        orders.SealedOrder.model_validate(body)
    with pytest.raises(MalformedDocument, match="second version"):
        ours.Order.from_dict(body)


def test_roles_of_approvers_are_the_same_words_everywhere() -> None:
    assert get_args(orders.ApproverRole) == get_args(ours.ApproverRole) == ("approver", *map(str, ROLES))


def test_payload_types_are_those_of_the_contract() -> None:
    assert payload_type("order") == orders.ORDER_TYPE
    assert payload_type("approval") == orders.APPROVAL_TYPE
    assert payload_type("roster") == orders.ROSTER_TYPE
    assert payload_type("sanitization-record") == agents.RECORD_TYPE
    assert payload_type("acceptance") == agents.ACCEPTANCE_TYPE


@given(
    vendor=NAMES, model=NAMES, serial=st.text(min_size=1, max_size=20), wwn=NAMES, kind=st.sampled_from(sorted(KINDS)),
    capacity=st.integers(1, 2**40), block=st.sampled_from([512, 4096]),
)  # fmt: skip
def test_the_fingerprint_is_the_engines(
    vendor: str | None, model: str | None, serial: str, wwn: str | None, kind: str, capacity: int, block: int
) -> None:
    told: dict[str, Any] = {
        "kind": kind, "vendor": vendor, "model": model, "serial": serial, "wwn": wwn, "eui64": None, "nguid": None,
        "capacity_bytes": capacity, "logical_block_bytes": block, "physical_block_bytes": 4096,
    }  # fmt: skip
    record = good_record(**told)
    assert identity_fingerprint(record) == DeviceIdentity(**told).fingerprint


def test_the_kinds_of_devices_are_the_engines() -> None:
    assert frozenset(ENGINE_KINDS) == KINDS


@pytest.mark.parametrize("name", PATTERN_SETS)
def test_every_pattern_set_of_the_engine_is_understood(name: str) -> None:
    known = PATTERN_SETS[name]
    passes = []
    for number, template in enumerate(known.passes, 1):
        content = template if isinstance(template, (Fixed, Keyed)) else Fixed(b"\x5a")
        key = "a" * 64 if isinstance(content, Keyed) else None
        passes.append(one_pass(number, pattern=content.label, key_sha256=key))
    record = with_part(good_record(), "method", pattern_set=known.label, passes=tuple(passes))
    record = with_part(record, "verification", expected=passes[-1].pattern)
    verdict = judge(record)
    assert (verdict.outcome, verdict.method) == ("sanitized", "clear"), verdict.reasons
    assert pattern_set_name(known.label) == name


@pytest.mark.parametrize("unit", ["00", "ff", "5aa5", "ffff"])
def test_fixed_patterns_of_the_engine_are_understood(unit: str) -> None:
    name, label = f"fixed:{unit}", Fixed(bytes.fromhex(unit)).label
    record = with_part(good_record(), "method", pattern_set=name, passes=(one_pass(pattern=label),))
    assert judge(with_part(record, "verification", expected=label)).outcome == "sanitized"
    assert content_of(name) == content_of(label)


@pytest.mark.parametrize("size", [20_000 * 512, 20_001 * 512, 10**9 // 512 * 512])
def test_the_engines_representative_sample_is_representative(size: int) -> None:
    chosen = representative(size, 512, NONCE)
    assert chosen.kind == "representative"
    record = good_record(capacity_bytes=size)
    record = with_part(record, "method", passes=(one_pass(bytes_written=size),))
    record = with_part(record, "policy", required_verification="representative")
    record = with_part(
        record, "verification", kind=chosen.kind, seed=chosen.seed, regions=len(chosen.regions),
        bytes_read=chosen.total_bytes, regions_sha256=chosen.sha256,
    )  # fmt: skip
    assert judge(record).outcome == "sanitized"


def test_the_digest_of_a_plan_is_the_engines() -> None:
    request: dict[str, Any] = {
        "method": "clear",
        "technique": "overwrite",
        "pattern_set": "zeros",
        "verification": "full",
    }
    request["acknowledged_signatures"] = []
    body: dict[str, Any] = {**request, "acknowledged_signatures": ()}
    assert digest_of(request) == PlanRequest(**body).digest
    assert ours.Plan.from_dict(request).to_dict() == request


def test_an_order_signed_from_the_message_carries_through_to_the_basis() -> None:
    body = orders.SealedOrder.model_validate(order_body(WORLD, good_record())).model_dump(mode="json", by_alias=True)
    envelope = sign("order", body, WORLD.acceptance)
    assert canonical(unverified_body(envelope, "order")) == canonical(body)
    basis = Basis.read(envelope, STORY.approvals, STORY.record_envelope, STORY.acceptance, STORY.validation)
    assert basis.order.id == "O-2026-000123"
