"""The life of a device: every pair of the table, every reason of the gate."""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from inventory.domain.holdings import Held
from inventory.domain.lifecycle import (
    FINAL,
    GUARDS,
    TABLE,
    GateQuestion,
    Guard,
    StandingRecord,
    ask_gate,
    next_state,
    possible,
)
from inventory.domain.lifecycle import DeviceEvent as E
from inventory.domain.policy import default_document, parse
from inventory.domain.policy_document import as_second
from inventory.domain.vocabulary import Category
from inventory.domain.vocabulary import DeviceState as S

THEN = datetime(2026, 1, 5, tzinfo=UTC)
LATER = datetime(2026, 6, 5, tzinfo=UTC)
POLICY = parse(default_document())

REACHES: dict[S, dict[E, S]] = {
    S.DECLARED: {
        E.OBSERVE: S.IN_SERVICE, E.PLACE_IN_SERVICE: S.IN_SERVICE, E.RELOCATE: S.DECLARED, E.QUARANTINE: S.QUARANTINED,
        E.RELEASE: S.RELEASED, E.REPORT_MISSING: S.MISSING,
    },
    S.IN_SERVICE: {
        E.RELOCATE: S.IN_SERVICE, E.RETIRE: S.RETIRED, E.QUARANTINE: S.QUARANTINED, E.REPORT_MISSING: S.MISSING,
    },
    S.RETIRED: {
        E.RELOCATE: S.RETIRED, E.QUARANTINE: S.QUARANTINED, E.RETURN_TO_SERVICE: S.IN_SERVICE, E.START_RUN: S.SANITIZING,
        E.RELEASE: S.RELEASED, E.DESTROY: S.DESTROYED, E.REPORT_MISSING: S.MISSING,
        E.RETURN_BY_WAIVER: S.RETURNED_UNSANITIZED_BY_WAIVER,
    },
    S.QUARANTINED: {
        E.RELOCATE: S.QUARANTINED, E.RETURN_TO_SERVICE: S.IN_SERVICE, E.START_RUN: S.SANITIZING, E.RELEASE: S.RELEASED,
        E.DESTROY: S.DESTROYED, E.REPORT_MISSING: S.MISSING, E.RETURN_BY_WAIVER: S.RETURNED_UNSANITIZED_BY_WAIVER,
        E.RUN_UNTOUCHED: S.QUARANTINED, E.RUN_FAILED: S.FAILED, E.VALIDATION_APPROVED: S.SANITIZED,
        E.VALIDATION_REJECTED: S.FAILED, E.READING_CONTRADICTED: S.FAILED,
    },
    S.SANITIZING: {
        E.RUN_UNTOUCHED: S.QUARANTINED, E.RUN_FAILED: S.FAILED, E.VALIDATION_APPROVED: S.SANITIZED,
        E.VALIDATION_REJECTED: S.FAILED, E.REPORT_MISSING: S.MISSING,
    },
    S.SANITIZED: {
        E.RELOCATE: S.SANITIZED, E.QUARANTINE: S.QUARANTINED, E.RETURN_TO_SERVICE: S.IN_SERVICE, E.START_RUN: S.SANITIZING,
        E.RELEASE: S.RELEASED, E.DESTROY: S.DESTROYED, E.REPORT_MISSING: S.MISSING, E.READING_CONTRADICTED: S.FAILED,
    },
    S.FAILED: {
        E.RELOCATE: S.FAILED, E.QUARANTINE: S.QUARANTINED, E.START_RUN: S.SANITIZING, E.DESTROY: S.DESTROYED,
        E.REPORT_MISSING: S.MISSING, E.RETURN_BY_WAIVER: S.RETURNED_UNSANITIZED_BY_WAIVER,
    },
    S.MISSING: {
        E.FIND: S.QUARANTINED, E.RUN_UNTOUCHED: S.MISSING, E.RUN_FAILED: S.MISSING, E.VALIDATION_APPROVED: S.MISSING,
        E.VALIDATION_REJECTED: S.MISSING, E.READING_CONTRADICTED: S.MISSING,
    },
}  # fmt: skip
"""Written a second time, by hand, from governance section 2: the table and this must agree on every pair."""


@pytest.mark.parametrize(("state", "event"), list(itertools.product(S, E)))
def test_every_pair_of_state_and_event_leads_where_the_procedure_says(state: S, event: E) -> None:
    assert next_state(state, event) is REACHES.get(state, {}).get(event)


def test_final_states_are_left_by_no_event() -> None:
    assert {state for state in S if not possible(state)} == FINAL


def test_every_event_names_its_guards() -> None:
    assert set(GUARDS) == set(E)


@pytest.mark.parametrize("event", [event for (_, event), after in TABLE.items() if after in FINAL])
def test_nothing_leaves_our_hands_unguarded(event: E) -> None:
    assert Guard.NO_HOLD in GUARDS[event]
    assert len(GUARDS[event]) == 2


def test_a_device_in_use_cannot_be_wiped_released_or_destroyed() -> None:
    assert not {E.START_RUN, E.RELEASE, E.DESTROY, E.RETURN_BY_WAIVER} & set(possible(S.IN_SERVICE))


def held(**changes: object) -> Held:
    fields: dict[str, object] = {
        "id": "HO-000001", "data_set": "CRM production", "category": Category.MODERATE, "since": THEN, "until": LATER,
        "last_seen": LATER, "covered_at": LATER, **changes,
    }  # fmt: skip
    return Held(**fields)  # type: ignore[arg-type]  # fields of a dataclass, by name


def record(outcome: str, method: str, coverage: str) -> StandingRecord:
    return StandingRecord(sha256="a" * 64, outcome=outcome, method=method, coverage=coverage)


OPEN_QUESTION = GateQuestion(
    destination="reuse inside",
    reuse=True,
    leaves_control=False,
    receiver="own",
    state=S.SANITIZED,
    holdings=(held(),),
    contents="known",
    record=record("sanitized", "clear", "full"),
    record_covers_contents=True,
    holds=(),
    open_order=None,
    unresolved_paths=(),
)


def codes(question: GateQuestion) -> set[str]:
    return {reason.code for reason in ask_gate(POLICY, question).reasons}


def test_the_gate_opens_for_a_validated_record_that_satisfies_the_policy() -> None:
    answer = ask_gate(POLICY, OPEN_QUESTION)
    assert answer.open
    assert answer.decision is not None
    assert "moderate data, reused, staying under our control" in answer.decision.explanation.lower()
    assert "stays ours, at reuse inside" in answer.decision.explanation
    unnamed = ask_gate(POLICY, replace(OPEN_QUESTION, named=False))
    assert unnamed.decision is not None
    assert "the medium stays under our control." in unnamed.decision.explanation, "a kind of way is no place"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"record": None}, "no-validated-record"),
        ({"holdings": (held(covered_at=None),)}, "residue-uncovered"),
        ({"holdings": (held(covered_at=None, until=None),)}, "residue-uncovered"),
        ({"holdings": (held(), held(id="HO-000002", covered_at=None))}, "residue-uncovered"),
        ({"leaves_control": True, "receiver": "undertaking-valid"}, "method-insufficient"),
        ({"holdings": (held(category=Category.HIGH),)}, "method-insufficient"),
        ({"reuse": False}, "method-insufficient"),
        ({"damaged": True}, "method-insufficient"),
        ({"record": record("sanitized", "clear", "representative")}, "verification-insufficient"),
        ({"record": record("sanitized", "clear", "unheard-of")}, "verification-insufficient"),
        ({"record": record("sanitized", "none", "full")}, "method-insufficient"),
        ({"record": record("sanitized", "unheard-of", "full")}, "method-insufficient"),
        ({"record": record("partial", "clear", "full")}, "not-sanitized"),
        ({"record": record("unknown", "clear", "full")}, "not-sanitized"),
        ({"holds": ("file 12 (lawsuit)",)}, "held"),
        ({"open_order": "O-2026-000001"}, "order-open"),
        ({"state": S.SANITIZING}, "state-sanitizing"),
        ({"state": S.FAILED}, "state-failed"),
        ({"state": S.MISSING}, "state-missing"),
        ({"receiver": "undertaking-missing"}, "undertaking-missing"),
        ({"receiver": "unknown"}, "receiver-unknown"),
        ({"unresolved_paths": ("/srv/crm",)}, "path-unresolved"),
        ({"holdings": (), "contents": "unknown", "record_covers_contents": False}, "contents-unknown"),
    ],
)  # fmt: skip
def test_the_gate_refuses_and_says_why(changes: dict[str, object], expected: str) -> None:
    question = replace(OPEN_QUESTION, **changes)  # type: ignore[arg-type]  # fields of a dataclass, by name
    answer = ask_gate(POLICY, question)
    assert not answer.open
    assert expected in codes(question)
    assert all(len(reason.sentence.split()) > 3 for reason in answer.reasons), "a person must be able to act on it"


def test_the_gate_gives_every_reason_at_once() -> None:
    question = replace(
        OPEN_QUESTION, record=None, holdings=(held(covered_at=None),), holds=("file 12",), receiver="unknown"
    )
    assert codes(question) >= {"no-validated-record", "residue-uncovered", "held", "receiver-unknown"}


def test_contents_nobody_described_count_as_the_policy_says_and_need_a_record() -> None:
    unknown = replace(OPEN_QUESTION, holdings=(), contents="unknown")
    assert codes(unknown) == {"method-insufficient"}
    assert codes(replace(unknown, record=record("sanitized", "purge", "full"))) == set()


def test_a_medium_that_was_never_used_passes_without_a_record() -> None:
    fresh = replace(
        OPEN_QUESTION, holdings=(), contents="never_used", record=None, state=S.DECLARED, receiver="unknown"
    )
    assert ask_gate(POLICY, fresh).open


def test_a_hold_stops_even_a_medium_that_was_never_used() -> None:
    assert codes(replace(OPEN_QUESTION, holdings=(), contents="never_used", record=None, holds=("file 12",))) == {
        "held"
    }


def test_a_sample_is_asked_for_by_the_policy_in_force_where_the_medium_leaves() -> None:
    """Also where the decision the record was made under asked for none."""
    document = as_second(POLICY)
    for row in document["rows"]:
        if row["method"] != "destroy":
            row["sampling_percent"] = 10
    sampling, found = parse(document), record("sanitized", "purge", "full")
    leaving = dataclasses.replace(OPEN_QUESTION, leaves_control=True, receiver="undertaking-valid", record=found)
    assert [reason.code for reason in ask_gate(sampling, leaving).reasons] == ["sample-missing"]
    assert ask_gate(sampling, dataclasses.replace(leaving, sample="passed")).open
    assert ask_gate(sampling, OPEN_QUESTION).open, "inside, nobody samples"
