"""What is said of a bay: that a medium may be pulled is said of one that is sanitized and validated, and of no other."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from agents.lamps import FRESH
from inventory.domain.bays import SILENCE, UNHEARD, Bay, bay_of, honest_seconds, is_silent, is_unheard, slot_order
from inventory.domain.lamps import lamp_of
from inventory.domain.orders import OPEN
from inventory.domain.vocabulary import DeviceState, OrderState

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
JUST = NOW - timedelta(seconds=2)
LONG_AGO = NOW - SILENCE - timedelta(seconds=1)
EVERY = tuple(itertools.product(DeviceState, (None, *sorted(OPEN)), (False, True), (None, JUST, LONG_AGO)))


def test_only_what_is_sanitized_free_and_not_held_may_be_pulled() -> None:
    for (device, order, held, reported), examined in itertools.product(EVERY, (False, True)):
        said = bay_of(device, order, held=held, examined=examined, heard=True, reported=reported, now=NOW)
        free = order is None and not held and not examined
        assert (said is Bay.PULL) == (device is DeviceState.SANITIZED and free)
        lamp = lamp_of(device, ordered=order is not None or examined, held=held)
        assert (lamp == "pull") == (said is Bay.PULL), "wall and lamp say the same"


def test_an_empty_bay_is_never_said_of_one_with_a_medium() -> None:
    assert all(
        bay_of(d, o, held=h, examined=False, heard=True, reported=r, now=NOW) is not Bay.EMPTY for d, o, h, r in EVERY
    )


@pytest.mark.parametrize("state", [OrderState.EXECUTING, OrderState.SETTLING, OrderState.VERIFYING])
@pytest.mark.parametrize("reported", [None, LONG_AGO])
def test_a_run_that_says_nothing_is_silent_not_under_way(state: OrderState, reported: datetime | None) -> None:
    assert (
        bay_of(DeviceState.SANITIZING, state, held=False, examined=False, heard=True, reported=reported, now=NOW)
        is Bay.SILENT
    )


def test_of_a_host_nobody_hears_nothing_may_be_pulled_and_all_else_stays_as_it_was() -> None:
    """Another medium may be in the bay by now; the lamp goes out as late."""
    for device, order, held, reported in EVERY:
        known, unheard = (
            bay_of(device, order, held=held, examined=False, heard=heard, reported=reported, now=NOW)
            for heard in (True, False)
        )
        assert unheard is (Bay.UNKNOWN if known in {Bay.PULL, Bay.FAILED} else known)
    assert timedelta(seconds=FRESH) == UNHEARD, "wall and lamp say the same"
    assert is_unheard(None, NOW)
    assert is_unheard(NOW - UNHEARD - timedelta(seconds=1), NOW)
    assert not is_unheard(NOW - UNHEARD, NOW)


def test_every_stage_of_an_order_has_a_word_of_its_own() -> None:
    words = {
        s: bay_of(DeviceState.SANITIZING, s, held=False, examined=False, heard=True, reported=JUST, now=NOW)
        for s in OPEN
    }
    assert words == {
        OrderState.REQUESTED: Bay.APPROVING,
        OrderState.APPROVED: Bay.WAITING,
        OrderState.LEASED: Bay.WAITING,
        OrderState.EXECUTING: Bay.WRITING,
        OrderState.SETTLING: Bay.SETTLING,
        OrderState.VERIFYING: Bay.READING,
        OrderState.RECORDED: Bay.DECIDING,
    }


def test_a_device_that_counts_as_being_sanitized_without_an_order_is_unknown() -> None:
    assert (
        bay_of(DeviceState.SANITIZING, None, held=False, examined=False, heard=True, reported=None, now=NOW)
        is Bay.UNKNOWN
    )


def test_an_estimate_runs_down_with_the_time_since_and_never_below_nothing() -> None:
    assert honest_seconds(100, NOW - timedelta(seconds=30), NOW) == 70
    assert honest_seconds(10, NOW - timedelta(seconds=30), NOW) == 0


def test_an_estimate_that_is_too_old_or_was_never_made_is_none() -> None:
    assert honest_seconds(100_000, LONG_AGO, NOW) is None
    assert honest_seconds(None, JUST, NOW) is None


def test_figures_that_never_came_are_too_old() -> None:
    assert is_silent(None, NOW)
    assert not is_silent(JUST, NOW)


def test_slots_are_sorted_as_people_count_them() -> None:
    slots = ["bay 10", "bay 2", "/dev/sdb", "bay 1", "ata-2", "2"]
    assert sorted(slots, key=slot_order) == ["2", "/dev/sdb", "ata-2", "bay 1", "bay 2", "bay 10"]
