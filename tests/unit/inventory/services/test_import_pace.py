"""How long an import still takes is said at the pace of late, and not at all where nothing honest can be said."""

from __future__ import annotations

from datetime import timedelta

import pytest

from inventory.models import Import, ImportState
from inventory.services.imports import pace
from tests.support.inventory_world import EPOCH


def under_way(*, position: int, state: ImportState = ImportState.RUNNING) -> Import:
    return Import(state=state, rows=1000, position=position, stepped=EPOCH, pace=None)


def after(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def test_what_is_left_is_told_at_the_pace_it_has() -> None:
    row = under_way(position=0)
    assert pace.remaining(row, EPOCH) is None, "nothing is known before the first step"
    row.position = 200
    pace.keep(row, EPOCH + after(10), 200)
    assert pace.remaining(row, EPOCH + after(10)) == 40


def test_a_pace_that_changed_is_believed_before_long() -> None:
    row = under_way(position=0)
    pace.keep(row, EPOCH + after(1), 100)
    for second in range(2, 300):
        pace.keep(row, EPOCH + after(second), 1)
    row.position = 500
    assert 400 <= (pace.remaining(row, EPOCH + after(300)) or 0) <= 500


@pytest.mark.parametrize("seconds", [61, 86_400, -3600])
def test_of_what_stands_still_or_under_a_clock_that_was_set_nothing_is_told(seconds: float) -> None:
    row = under_way(position=100)
    row.pace = 10.0
    assert pace.remaining(row, EPOCH) == 90
    assert pace.remaining(row, EPOCH + after(seconds)) is None


def test_a_night_without_a_service_is_no_pace() -> None:
    row = under_way(position=100)
    row.pace = 10.0
    pace.keep(row, EPOCH + after(8 * 3600), 25)
    assert row.pace == 10.0
    assert pace.remaining(row, EPOCH + after(8 * 3600)) == 90


def test_of_what_has_ended_nothing_is_left_to_tell() -> None:
    row = under_way(position=900, state=ImportState.FINISHED)
    row.pace = 10.0
    assert (pace.worked(row), pace.remaining(row, EPOCH)) == (1000, None)
