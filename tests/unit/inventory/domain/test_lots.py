"""The lot's table, walked completely; how long a party is bound."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from inventory.domain.lots import TABLE, UNCLOSED, LotEvent, LotState, next_state
from inventory.domain.undertakings import bound_until

NOW = datetime(2026, 11, 22, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize("state", LotState)
@pytest.mark.parametrize("event", LotEvent)
def test_only_what_the_table_has_can_happen(state: LotState, event: LotEvent) -> None:
    assert next_state(state, event) == TABLE.get((state, event))


def test_a_frozen_or_closed_lot_takes_no_change() -> None:
    changing = {state for state, event in TABLE if event is LotEvent.CHANGE}
    assert changing == {LotState.OPEN, LotState.REOPENED}


def test_only_a_frozen_lot_is_closed_and_only_a_closed_one_is_opened_again() -> None:
    assert [state for state, event in TABLE if event is LotEvent.CLOSE] == [LotState.CLOSING]
    assert [state for state, event in TABLE if event is LotEvent.REOPEN] == [LotState.CLOSED]
    assert set(LotState) - UNCLOSED == {LotState.CLOSED}


def test_undertakings_that_follow_one_another_bind_without_a_gap() -> None:
    filed = [(NOW - DAY, NOW + 5 * DAY), (NOW + 5 * DAY, NOW + 9 * DAY), (NOW - 9 * DAY, NOW - DAY)]
    assert bound_until(filed, NOW) == NOW + 9 * DAY


def test_a_gap_ends_what_binds() -> None:
    filed = [(NOW - DAY, NOW + 5 * DAY), (NOW + 6 * DAY, NOW + 9 * DAY)]
    assert bound_until(filed, NOW) == NOW + 5 * DAY


@pytest.mark.parametrize("filed", [[], [(NOW - DAY, NOW)], [(NOW + DAY, NOW + 2 * DAY)]])
def test_what_is_over_or_has_not_begun_does_not_bind(filed: list[tuple[datetime, datetime]]) -> None:
    assert bound_until(filed, NOW) is None


def test_an_undertaking_inside_another_shortens_nothing() -> None:
    filed = [(NOW - 3 * DAY, NOW + 9 * DAY), (NOW - DAY, NOW + DAY)]
    assert bound_until(filed, NOW) == NOW + 9 * DAY
