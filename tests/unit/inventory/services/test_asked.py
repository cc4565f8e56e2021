"""What is asked of a list survives an address, and never widens by a mistake."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.errors import Invalid
from inventory.services.lists import LISTS, Asked, asked_in, asked_of, columns_of

DEVICES = LISTS["devices"]
EXCEPTIONS = LISTS["exceptions"]
NAMES = st.sampled_from(
    ["q", "state", "data", "host", "since", "columns", "sort", "after", "unknown", "location", "until"]
)
VALUES = st.sampled_from(
    ["retired", "yes", "no", "2026-01-31", "state,serial", "-device", "device", "x y", "any", "", "Ω", "H-0001"]
)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=8))
def test_an_address_read_and_written_is_the_same_question(pairs: list[tuple[str, str]]) -> None:
    try:
        asked = asked_of(DEVICES, pairs)
    except Invalid:
        return
    assert asked_in(DEVICES, asked.query()) == asked
    assert asked_in(DEVICES, asked.query()).query() == asked.query()


def test_only_a_column_that_can_hold_the_order_of_a_list_is_taken_for_one() -> None:
    assert asked_of(DEVICES, [("sort", "-device")]).sort == "-device"
    for nonsense in ("serial", "nonsense", "--device", "-", "", "device,state", "holdings"):
        asked = asked_of(DEVICES, [("sort", nonsense)])
        assert (asked.sort, asked.sorted_by(DEVICES), asked.narrows) == ("", None, False)


def test_what_is_presumed_narrows_until_somebody_lifts_it() -> None:
    nothing = asked_of(EXCEPTIONS, [])
    assert nothing.values(EXCEPTIONS, "state") == ("open",)
    lifted = nothing.toggled(EXCEPTIONS, "state", "open")
    assert lifted.query() == "state=any"
    assert lifted.values(EXCEPTIONS, "state") == ()
    assert asked_in(EXCEPTIONS, "state=resolved").values(EXCEPTIONS, "state") == ("resolved",)


def test_a_value_added_twice_is_gone_again_and_single_facets_hold_one() -> None:
    asked = Asked().toggled(DEVICES, "state", "retired").toggled(DEVICES, "state", "failed")
    assert asked.values(DEVICES, "state") == ("retired", "failed")
    assert asked.toggled(DEVICES, "state", "retired").values(DEVICES, "state") == ("failed",)
    one = Asked().toggled(DEVICES, "data", "yes").toggled(DEVICES, "data", "no")
    assert one.values(DEVICES, "data") == ("no",)


def test_the_column_that_names_a_row_is_always_shown_and_orphans_stand_alone() -> None:
    asked = asked_of(DEVICES, [("columns", "serial,category,nonsense")])
    assert [column.name for column in asked.shown(DEVICES)] == ["device", "serial", "category"]
    head = [(upper.name, [below.name for below in under]) for upper, under in columns_of(DEVICES, asked)]
    assert head == [("device", ["serial"]), ("category", [])]


@pytest.mark.parametrize("query", ["since=yesterday", "until=2026-02-30", "since=0001-01-01", "q=" + "x" * 3000])
def test_what_is_no_filter_is_refused(query: str) -> None:
    with pytest.raises(Invalid):
        asked_in(DEVICES, query)


@pytest.mark.parametrize("one", LISTS.values(), ids=lambda one: one.name)
def test_names_of_a_list_are_said_once_and_lead_somewhere(one: object) -> None:
    listed = LISTS[one.name]  # type: ignore[attr-defined]  # a list of the table
    names = [column.name for column in listed.columns]
    assert len(names) == len(set(names))
    assert all(column.below in {"", *names} for column in listed.columns)
    filters = [*(facet.name for facet in listed.facets), *(exact.name for exact in listed.exacts)]
    assert len(filters) == len(set(filters))
    assert not {"q", "after", "columns", "since", "until", "said"} & set(filters)
