"""A medium's life as stations: what reaches one, what takes it back, and what belongs to an earlier life."""

from __future__ import annotations

import pytest

from inventory.domain.journey import STATIONS, UNDONE_BY, Part, Standing, Station, Told, journey, part_of, tags_of
from inventory.events import Tag


def stood(*events: tuple[Tag, str | None]) -> dict[Station, Standing]:
    """The stations of a history told as (tag, order), oldest first."""
    found: dict[tuple[str, str | None], Told] = {}
    for number, (tag, order) in enumerate(events, start=1):
        known = found.get((tag, order))
        found[tag, order] = Told(tag, order, known.first if known else number, number)
    return {stop.station: stop.standing for stop in journey(found.values())}


ORDER = "O-1"
RUN: tuple[tuple[Tag, str | None], ...] = (
    (Tag.DEVICE_OBSERVED, None),
    (Tag.HOLDING_BEGUN, None),
    (Tag.ORDER_REQUESTED, ORDER),
    (Tag.ORDER_APPROVED, ORDER),
    (Tag.DEVICE_SANITIZING, ORDER),
    (Tag.RECORD_ACCEPTED, ORDER),
)
WHOLE = (*RUN, (Tag.RECORD_VALIDATED, ORDER), (Tag.DEVICE_RELEASED, None))
WORK = (Station.ORDERED, Station.APPROVED, Station.WIPED, Station.VERIFIED, Station.VALIDATED)


def test_a_whole_life_reaches_every_station_of_it_and_no_other() -> None:
    found = stood(*WHOLE)
    open_ones = {station for station, standing in found.items() if standing is Standing.OPEN}
    assert open_ones == {Station.DECLARED, Station.MOVED}
    assert {found[station] for station in set(Station) - open_ones} == {Standing.REACHED}


def test_nothing_that_happened_is_nothing_reached() -> None:
    assert set(stood().values()) == {Standing.OPEN}


@pytest.mark.parametrize("again", [Tag.HOLDING_BEGUN, Tag.DEVICE_RETURNED_TO_SERVICE])
def test_a_medium_that_is_used_again_is_not_wiped_any_more(again: Tag) -> None:
    found = stood(*WHOLE, (again, None))
    assert {found[station] for station in (*WORK, Station.LEFT)} == {Standing.EARLIER}


@pytest.mark.parametrize("tag", sorted({Tag.RECORD_REJECTED, Tag.RECORD_DISOWNED, Tag.DEVICE_SANITIZATION_FAILED}))
def test_a_record_that_counts_no_more_verifies_and_validates_nothing(tag: Tag) -> None:
    found = stood(*RUN, (Tag.RECORD_VALIDATED, ORDER), (tag, ORDER))
    assert found[Station.VERIFIED] is Standing.UNDONE
    assert found[Station.VALIDATED] is Standing.UNDONE


def test_a_failed_run_is_not_verified_though_its_record_came_last() -> None:
    failed = (*RUN[:-1], (Tag.DEVICE_SANITIZATION_FAILED, ORDER), (Tag.RECORD_ACCEPTED, ORDER))
    found = stood(*failed)
    assert found[Station.WIPED] is Standing.UNDONE
    assert found[Station.VERIFIED] is Standing.UNDONE


def test_a_reading_that_found_otherwise_takes_the_validation_back() -> None:
    found = stood(*RUN, (Tag.RECORD_VALIDATED, ORDER), (Tag.READING_CONTRADICTED, None))
    assert found[Station.VALIDATED] is Standing.UNDONE


def test_a_reading_of_an_earlier_run_does_not_touch_a_later_one() -> None:
    found = stood((Tag.READING_CONTRADICTED, None), *RUN, (Tag.RECORD_VALIDATED, ORDER))
    assert found[Station.VALIDATED] is Standing.REACHED


def test_approvals_of_one_order_do_not_count_for_the_next() -> None:
    found = stood(*RUN, (Tag.RECORD_REJECTED, ORDER), (Tag.ORDER_REQUESTED, "O-2"))
    assert found[Station.ORDERED] is Standing.REACHED
    assert found[Station.APPROVED] is Standing.OPEN
    assert found[Station.VALIDATED] is Standing.OPEN


def test_an_order_that_was_cancelled_does_not_hide_the_one_that_was_carried_out() -> None:
    found = stood(*RUN, (Tag.RECORD_VALIDATED, ORDER), (Tag.ORDER_REQUESTED, "O-2"), (Tag.ORDER_CANCELLED, "O-2"))
    assert {found[station] for station in WORK} == {Standing.REACHED}


def test_an_order_that_the_agent_refused_is_shown_as_taken_back() -> None:
    found = stood((Tag.ORDER_REQUESTED, ORDER), (Tag.ORDER_APPROVED, ORDER), (Tag.ORDER_REFUSED, ORDER))
    assert found[Station.ORDERED] is Standing.UNDONE
    assert found[Station.APPROVED] is Standing.UNDONE


def test_a_medium_that_was_found_again_has_not_left() -> None:
    assert stood((Tag.DEVICE_RELEASED, None), (Tag.DEVICE_FOUND, None))[Station.LEFT] is Standing.UNDONE


def test_no_event_both_reaches_a_station_and_takes_it_back() -> None:
    for station, tags in UNDONE_BY.items():
        assert not tags & STATIONS[station]


def test_whatever_is_said_of_a_device_itself_is_in_one_part_of_its_story() -> None:
    for tag in Tag:
        if tag.partition(".")[0] in {"device", "order", "record", "holding", "exception", "hold"}:
            assert part_of(tag) is not None, tag
    for part in Part:
        assert tags_of(part)
    assert sum(len(tags_of(part)) for part in Part) == len({tag for part in Part for tag in tags_of(part)})
