from __future__ import annotations

import dataclasses

import pytest

from inventory.console.views.order import steps_of, verdict_of
from inventory.domain.vocabulary import OrderState
from inventory.services.views import OrderDetail, RecordView
from tests.support.example_views import example

RECORD = dataclasses.replace(
    example(RecordView), outcome="sanitized", method="clear", coverage="full", satisfies_policy=True, reasons=()
)


def test_a_full_sufficient_success_is_green_and_says_how() -> None:
    verdict = verdict_of(RECORD)
    assert (verdict.tone, verdict.word) == ("ok", "Sanitized by clear")
    assert "every block" in verdict.why.lower()


@pytest.mark.parametrize("outcome", ["partial", "failed", "refused", "interrupted", "unknown", "", "something new"])
def test_no_other_outcome_is_ever_green(outcome: str) -> None:
    assert verdict_of(dataclasses.replace(RECORD, outcome=outcome)).tone == "bad"


def test_a_success_that_does_not_satisfy_the_policy_is_not_green() -> None:
    verdict = verdict_of(dataclasses.replace(RECORD, satisfies_policy=False))
    assert verdict.tone == "warn"
    assert "does not satisfy" in verdict.why


def test_a_success_without_a_method_is_no_success() -> None:
    assert verdict_of(dataclasses.replace(RECORD, method="none")).tone == "bad"


def test_unread_media_are_said_to_be_unread() -> None:
    assert "Nothing was read back" in verdict_of(dataclasses.replace(RECORD, coverage="none")).why


@pytest.mark.parametrize("state", list(OrderState))
def test_every_state_has_its_steps_and_only_bad_ends_show_a_bad_step(state: OrderState) -> None:
    order = dataclasses.replace(example(OrderDetail), state=state, approvals_given=0, approvals_required=2)
    states = [step.state for step in steps_of(order)]
    bad = {
        OrderState.REJECTED,
        OrderState.REFUSED,
        OrderState.FAILED,
        OrderState.INTERRUPTED,
        OrderState.CANCELLED,
        OrderState.EXPIRED,
    }
    assert ("bad" in states) == (state in bad)
    assert states.count("now") == (0 if state in bad or state is OrderState.VALIDATED else 1)
    assert all(word == "done" for word in states) == (state is OrderState.VALIDATED)
