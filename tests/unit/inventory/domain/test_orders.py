"""Orders: every pair of the table, and which approvals count."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from inventory.domain.orders import (
    CLOCK_TOLERANCE,
    FINAL,
    LEASABLE,
    MAY_HAVE_WRITTEN,
    OPEN,
    ApprovalFacts,
    OrderFacts,
    approval_objections,
    duty_objection,
    event_of,
    next_state,
    possible,
    quorum_reached,
    valid_approvers,
)
from inventory.domain.orders import OrderEvent as E
from inventory.domain.vocabulary import OrderState as S

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)

_RECORDS: dict[E, S] = {
    E.RECORD_FINISHED: S.RECORDED, E.RECORD_REFUSED: S.REFUSED, E.RECORD_FAILED: S.FAILED, E.RECORD_INTERRUPTED: S.INTERRUPTED,
}  # fmt: skip
_PROGRESS: dict[E, S] = {
    E.PROGRESS_EXECUTING: S.EXECUTING, E.PROGRESS_SETTLING: S.SETTLING, E.PROGRESS_VERIFYING: S.VERIFYING,
    E.ABANDON: S.INTERRUPTED,
}  # fmt: skip
REACHES: dict[S, dict[E, S]] = {
    S.REQUESTED: {E.APPROVE: S.APPROVED, E.CANCEL: S.CANCELLED, E.EXPIRE: S.EXPIRED},
    S.APPROVED: {E.LEASE: S.LEASED, E.CANCEL: S.CANCELLED, E.EXPIRE: S.EXPIRED},
    S.LEASED: {
        E.LEASE_AGAIN: S.LEASED, E.START: S.EXECUTING, E.AGENT_REFUSED: S.REFUSED, E.CANCEL: S.CANCELLED,
        E.EXPIRE: S.EXPIRED, **_RECORDS,
    },
    S.EXECUTING: {
        E.LEASE_AGAIN: S.EXECUTING, E.START: S.EXECUTING, E.AGENT_REFUSED: S.REFUSED, **_PROGRESS, **_RECORDS,
    },
    S.SETTLING: {E.LEASE_AGAIN: S.SETTLING, E.START: S.SETTLING, **_PROGRESS, **_RECORDS},
    S.VERIFYING: {E.LEASE_AGAIN: S.VERIFYING, E.START: S.VERIFYING, **_PROGRESS, **_RECORDS},
    S.RECORDED: {E.VALIDATE: S.VALIDATED, E.REJECT: S.REJECTED},
    S.REFUSED: {E.RECORD_REFUSED: S.REFUSED},
}  # fmt: skip
"""Written a second time, by hand, from governance section 4."""


@pytest.mark.parametrize(("state", "event"), list(itertools.product(S, E)))
def test_every_pair_of_state_and_event_leads_where_the_procedure_says(state: S, event: E) -> None:
    assert next_state(state, event) is REACHES.get(state, {}).get(event)


def test_an_order_is_never_cancelled_or_expired_once_it_may_have_written() -> None:
    for state in MAY_HAVE_WRITTEN:
        assert not {E.CANCEL, E.EXPIRE} & set(possible(state))


def test_open_and_final_states_part_the_vocabulary() -> None:
    assert set(S) == OPEN | FINAL
    assert not OPEN & FINAL
    assert LEASABLE < OPEN


@pytest.mark.parametrize(
    ("outcome", "event"),
    [
        ("sanitized", E.RECORD_FINISHED),
        ("unknown", E.RECORD_FINISHED),
        ("partial", E.RECORD_FAILED),
        ("failed", E.RECORD_FAILED),
        ("refused", E.RECORD_REFUSED),
        ("interrupted", E.RECORD_INTERRUPTED),
        ("a word of tomorrow", E.RECORD_FINISHED),
    ],
)
def test_each_outcome_has_its_event_and_an_unknown_one_is_for_a_person(outcome: str, event: E) -> None:
    assert event_of(outcome) is event


ORDER = OrderFacts(
    id="O-2026-000001", sha256="a" * 64, requested_by="p-requester", created=NOW, expires=NOW + timedelta(hours=24),
    approvals_required=2,
)  # fmt: skip
ROSTER = {"k1": "p-one", "k2": "p-two", "k3": "p-requester"}


def approval(person: str = "p-one", key: str = "k1", **changes: object) -> ApprovalFacts:
    fields: dict[str, object] = {
        "approver": person, "key_id": key, "order_id": ORDER.id, "order_sha256": ORDER.sha256, "decision": "approve",
        "time": NOW + timedelta(minutes=5), **changes,
    }  # fmt: skip
    return ApprovalFacts(**fields)  # type: ignore[arg-type]  # fields of a dataclass, by name


AFTER = NOW + timedelta(minutes=10)


def codes(one: ApprovalFacts) -> set[str]:
    return {reason.code for reason in approval_objections(ORDER, one, ROSTER, AFTER)}


def test_two_people_of_the_roster_make_an_order_approved() -> None:
    assert quorum_reached(ORDER, [approval(), approval("p-two", "k2")], ROSTER, 2, AFTER)


@pytest.mark.parametrize(
    ("one", "code"),
    [
        (approval(order_sha256="b" * 64), "other-order"),
        (approval(order_id="O-2026-000002"), "other-order"),
        (approval(decision="reject"), "not-an-approval"),
        (approval(key="k9"), "key-not-in-roster"),
        (approval("p-two", "k1"), "other-person"),
        (approval("p-requester", "k3"), "requester-approves"),
        (approval("p-one", "k3"), "requester-approves"),
        (approval(time=ORDER.expires + timedelta(seconds=1)), "outside-the-orders-life"),
        (approval(time=ORDER.created - CLOCK_TOLERANCE - timedelta(seconds=1)), "outside-the-orders-life"),
        (approval(time=AFTER + CLOCK_TOLERANCE + timedelta(seconds=1)), "in-the-future"),
    ],
)
def test_an_approval_that_does_not_fit_does_not_count_and_says_why(one: ApprovalFacts, code: str) -> None:
    assert code in codes(one)
    assert not quorum_reached(ORDER, [one, approval("p-two", "k2")], ROSTER, 1, AFTER)


def test_one_person_counts_once_however_often_they_sign() -> None:
    roster = {**ROSTER, "k1b": "p-one"}
    twice = [approval(), approval("p-one", "k1b")]
    assert valid_approvers(ORDER, twice, roster, AFTER) == {"p-one"}
    assert not quorum_reached(ORDER, twice, roster, 1, AFTER)


def test_one_key_counts_once_whomever_it_names() -> None:
    assert valid_approvers(ORDER, [approval(), approval()], ROSTER, AFTER) == {"p-one"}


def test_the_rosters_own_minimum_counts_where_it_is_more() -> None:
    two = [approval(), approval("p-two", "k2")]
    assert quorum_reached(replace(ORDER, approvals_required=1), two, ROSTER, 2, AFTER)
    assert not quorum_reached(replace(ORDER, approvals_required=1), two, ROSTER, 3, AFTER)


def test_nobody_decides_about_their_own_act() -> None:
    people = {"requester": "p-r", "approvers": {"p-a"}}
    assert duty_objection("approve", "p-r", **people) == "requested the order"  # type: ignore[arg-type]  # keywords
    assert duty_objection("validate", "p-r", **people) == "requested the order"  # type: ignore[arg-type]
    assert duty_objection("validate", "p-a", **people) == "approved the order"  # type: ignore[arg-type]
    assert duty_objection("validate", "p-x", **people) is None  # type: ignore[arg-type]
