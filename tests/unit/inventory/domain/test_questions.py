"""Questions that changes of status raise: every kind, every answer, and what is done next. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from inventory.domain.questions import (
    RULES,
    STEP_WORDS,
    ChangeKind,
    Facts,
    Settled,
    Step,
    may_withdraw,
    question_words,
    settled_by,
    steps,
)
from inventory.domain.vocabulary import DeviceState

K, S, A = ChangeKind, DeviceState, Settled
LEAVING = (K.REPAIR, K.LEASE_RETURN, K.WARRANTY_SWAP, K.RESALE)


def facts(**changes: Any) -> Facts:  # noqa: ANN401 - fields of the facts
    told = {"state": S.IN_SERVICE, "gate_open": False, "seen_elsewhere": False, "seen_here": False, **changes}
    return Facts(**told)


def test_every_kind_has_its_rule_and_every_step_its_words() -> None:
    assert set(RULES) == set(K)
    assert set(STEP_WORDS) == set(Step)


@pytest.mark.parametrize("kind", K)
def test_nothing_known_answers_nothing(kind: ChangeKind) -> None:
    assert settled_by(kind, facts()) is None


@pytest.mark.parametrize("kind", K)
@pytest.mark.parametrize("state", [S.RELEASED, S.DESTROYED, S.RETURNED_UNSANITIZED_BY_WAIVER])
def test_what_left_through_the_gate_is_answered(kind: ChangeKind, state: DeviceState) -> None:
    assert settled_by(kind, facts(state=state)) is A.LEFT


@pytest.mark.parametrize("kind", K)
def test_an_open_gate_and_an_incident_answer_every_kind(kind: ChangeKind) -> None:
    assert settled_by(kind, facts(gate_open=True)) is A.GATE_OPEN
    assert settled_by(kind, facts(state=S.MISSING)) is A.MISSING


@pytest.mark.parametrize("kind", LEAVING)
@pytest.mark.parametrize(
    "told",
    [
        {"state": S.QUARANTINED},
        {"state": S.RETIRED},
        {"state": S.FAILED},
        {"seen_here": True},
        {"seen_elsewhere": True},
    ],
    ids=str,
)
def test_of_what_leaves_only_the_gate_can_say_that_it_may(kind: ChangeKind, told: dict[str, Any]) -> None:
    assert settled_by(kind, facts(**told)) is None


@pytest.mark.parametrize("kind", [K.DRIVE_REPLACED, K.RACK_RELOCATED, K.AGENT_SILENT, K.HOST_DECOMMISSIONED])
def test_what_is_looked_for_is_found_elsewhere_or_brought_under_lock(kind: ChangeKind) -> None:
    assert settled_by(kind, facts(seen_elsewhere=True)) is A.SEEN_AGAIN
    assert settled_by(kind, facts(state=S.QUARANTINED)) is A.UNDER_LOCK


def test_a_host_that_goes_out_of_use_answers_for_nothing_by_still_reporting() -> None:
    assert settled_by(K.HOST_DECOMMISSIONED, facts(seen_here=True)) is None
    assert settled_by(K.AGENT_SILENT, facts(seen_here=True)) is A.SEEN_AGAIN


def test_only_what_a_person_announced_can_be_withdrawn() -> None:
    assert {kind for kind in K if not may_withdraw(kind)} == {K.DRIVE_REPLACED, K.AGENT_SILENT}
    assert not any(A.WITHDRAWN in rule.answers for rule in RULES.values()), "facts never withdraw"


def test_the_sentence_says_what_happens_to_whom_and_until_when() -> None:
    due = datetime(2026, 12, 1, tzinfo=UTC)
    words = question_words(
        K.REPAIR, "D-000001 (X)", host="crm-1", to="Repairs Ltd", due=due, closed="There is no record."
    )
    assert words == (
        "D-000001 (X) goes to a repair (crm-1), to Repairs Ltd. May it leave as it is? Not now: There is no record."
        " Answer by 2026-12-01."
    )


@pytest.mark.parametrize(
    ("kind", "state", "reasons", "expected"),
    [
        (K.REPAIR, S.IN_SERVICE, {"residue-uncovered"}, [Step.RETIRE, Step.SANITIZE, Step.DESTROY]),
        (
            K.REPAIR,
            S.RETIRED,
            {"no-validated-record", "receiver-unknown"},
            [Step.UNDERTAKING, Step.SANITIZE, Step.DESTROY],
        ),
        (K.REPAIR, S.SANITIZED, set(), [Step.RELEASE]),
        (K.REPAIR, S.SANITIZING, {"state-sanitizing"}, [Step.VALIDATE]),
        (K.REPAIR, S.RETIRED, {"held", "no-validated-record"}, [Step.LIFT_HOLD]),
        (K.REPAIR, S.RETIRED, {"order-open", "no-validated-record"}, [Step.FINISH_ORDER]),
        (K.AGENT_SILENT, S.IN_SERVICE, set(), [Step.LOOK, Step.QUARANTINE, Step.REPORT_MISSING]),
        (K.RESALE, S.RETIRED, {"contents-unknown"}, [Step.SANITIZE, Step.DESTROY, Step.DESCRIBE]),
    ],
)
def test_the_task_says_what_to_do_next(
    kind: ChangeKind, state: DeviceState, reasons: set[str], expected: list[Step]
) -> None:
    assert list(steps(kind, state, frozenset(reasons))) == expected
