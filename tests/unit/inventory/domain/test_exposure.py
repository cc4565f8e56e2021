"""Urgency by the calendar, the one reason for an exposure, and whether a lost medium can be read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from inventory.domain.deadlines import Urgency, latest_due, urgency
from inventory.domain.exposure import (
    GRAVITY,
    READABLE_SENTENCES,
    SENTENCES,
    WORDS,
    Readable,
    Why,
    readable,
    why_exposed,
)
from inventory.domain.vocabulary import CaseState, DeviceState

DUE = datetime(2026, 12, 1, tzinfo=UTC)
WEEK = timedelta(days=7)


@pytest.mark.parametrize(
    ("days", "how"),
    [
        (-8, Urgency.CALM),
        (-7, Urgency.SOON),
        (0, Urgency.SOON),
        (1, Urgency.OVERDUE),
        (6, Urgency.OVERDUE),
        (7, Urgency.ESCALATED),
        (400, Urgency.ESCALATED),
    ],
)
def test_a_case_becomes_more_urgent_day_by_day(days: int, how: Urgency) -> None:
    for state in (CaseState.OPEN, CaseState.FULFILLED):
        assert urgency(state, DUE, DUE + timedelta(days=days), remind=WEEK, escalate=WEEK) is how


def test_a_closed_case_is_calm_whatever_the_calendar_says() -> None:
    assert urgency(CaseState.CLOSED, DUE, DUE + 40 * WEEK, remind=WEEK, escalate=WEEK) is Urgency.CALM


def test_a_due_date_moves_to_three_terms_at_most() -> None:
    assert latest_due(DUE, timedelta(days=30)) == DUE + timedelta(days=90)


def test_every_state_has_exactly_one_reason_and_every_reason_its_words() -> None:
    reasons = {
        why_exposed(state, held=held, ordered=ordered)
        for state, held, ordered in product(DeviceState, (False, True), (False, True))
    }
    assert reasons == set(Why) == set(WORDS) == set(SENTENCES) == set(GRAVITY)


@pytest.mark.parametrize(("held", "ordered"), list(product((False, True), repeat=2)))
def test_neither_a_hold_nor_an_order_hides_that_a_medium_is_gone(held: bool, ordered: bool) -> None:
    assert why_exposed(DeviceState.MISSING, held=held, ordered=ordered) is Why.MISSING
    assert why_exposed(DeviceState.RETURNED_UNSANITIZED_BY_WAIVER, held=held, ordered=ordered) is Why.LEFT


@pytest.mark.parametrize(
    ("encryptions", "known", "answer"),
    [
        ([], True, Readable.NOTHING),
        ([], False, Readable.UNKNOWN),
        ([("software", "Key team")], True, Readable.WITH_KEYS),
        ([("software", None)], True, Readable.UNKNOWN),
        ([("unknown", "Key team")], True, Readable.UNKNOWN),
        ([("software", "Key team"), ("none", "Key team")], True, Readable.YES),
        ([("none", None), ("unknown", None)], False, Readable.YES),
        ([("software", "Key team")], False, Readable.UNKNOWN),
        ([("something new", "Key team")], True, Readable.UNKNOWN),
    ],
)
def test_a_lost_medium_is_as_readable_as_the_worst_of_what_is_known(
    encryptions: list[tuple[str, str | None]], known: bool, answer: Readable
) -> None:
    assert readable(encryptions, contents_known=known) is answer
    assert READABLE_SENTENCES[answer]
