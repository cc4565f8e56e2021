"""The balance by property: both sides add up whatever the devices, and what does not agree always has a name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.domain.balance import (
    ACCOUNTED,
    End,
    Item,
    Origin,
    Standing,
    answers,
    belongs,
    differences_of,
    end,
    origin,
    tallied,
)
from inventory.domain.exceptions import ExceptionCode
from inventory.domain.lifecycle import FINAL
from inventory.domain.vocabulary import DeviceState

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

standings = st.builds(
    Standing, known=st.just(True), state=st.sampled_from(list(DeviceState)), within=st.booleans()
) | st.just(Standing(known=False, state=None, within=False))


@st.composite
def items(draw: st.DrawFn) -> Item:
    after = draw(standings.filter(lambda one: one.known))
    return Item(
        device="D-000001",
        words="BC-1",
        declared=draw(st.booleans()),
        observed=draw(st.booleans()),
        attached=draw(st.booleans()),
        placed=draw(st.booleans()) and after.state not in FINAL,
        proven=draw(st.booleans()),
        before=draw(st.none() | standings),
        after=after,
    )


def item(state: DeviceState = DeviceState.IN_SERVICE, **facts: object) -> Item:
    sound: dict[str, object] = {
        "declared": True, "observed": True, "attached": state not in FINAL, "placed": False, "proven": True, "before": None,
        "after": Standing(known=True, state=state, within=True),
    }  # fmt: skip
    return Item(device="D-000001", words="BC-1", **{**sound, **facts})  # type: ignore[arg-type]  # facts of one item


def codes(one: Item) -> set[ExceptionCode]:
    return {found.code for found in differences_of(one)}


@given(st.lists(items()))
def test_what_came_is_what_is_left_or_went(found: list[Item]) -> None:
    on_sheet = [one for one in found if belongs(one)]
    tally = tallied(on_sheet)
    assert tally.origins.total() == tally.ends.total() == len(on_sheet)
    counts = tally.counts()
    assert (
        counts["before"] + counts["new"] + counts["arrived"] == counts["closing"] + counts["disposed"] + counts["moved"]
    )
    assert sum(tally.states.values()) == counts["present"]


@given(st.lists(items()))
def test_without_a_named_difference_declared_is_observed_is_accounted_for(found: list[Item]) -> None:
    agreeing = [one for one in found if belongs(one) and not differences_of(one)]
    tally = tallied(agreeing)
    assert tally.declared == tally.observed == tally.total == sum(tally.ends[one] for one in ACCOUNTED)


@given(items())
def test_whatever_is_not_accounted_for_has_a_name(one: Item) -> None:
    if end(one) not in ACCOUNTED or not one.declared or not one.observed:
        assert differences_of(one)
    assert all(named.device == one.device and named.device in named.sentence for named in differences_of(one))


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"declared": False}, ExceptionCode.UNDECLARED_DEVICE),
        ({"observed": False}, ExceptionCode.NOT_OBSERVED),
        ({"attached": False}, ExceptionCode.NOWHERE),
        ({"state": DeviceState.MISSING}, ExceptionCode.DEVICE_MISSING),
        ({"state": DeviceState.RELEASED, "attached": True}, ExceptionCode.DISPOSED_DEVICE_SEEN),
        ({"state": DeviceState.DESTROYED, "proven": False}, ExceptionCode.DISPOSED_WITHOUT_PROOF),
    ],
)
def test_each_difference_has_its_own_name(facts: dict[str, object], code: ExceptionCode) -> None:
    assert codes(item(**facts)) == {code}  # type: ignore[arg-type]  # facts of one item
    assert codes(item()) == set()


def test_a_place_is_as_good_as_a_host() -> None:
    assert end(item(attached=False, placed=True)) is End.PRESENT


def test_what_was_gone_before_the_period_is_not_on_its_sheet() -> None:
    gone = Standing(known=True, state=DeviceState.RELEASED, within=True)
    assert not belongs(item(DeviceState.RELEASED, before=gone))
    assert belongs(item(DeviceState.RELEASED, before=Standing(known=True, state=DeviceState.SANITIZED, within=True)))


def test_new_and_arrived_are_told_apart() -> None:
    nowhere = Standing(known=False, state=None, within=False)
    elsewhere = Standing(known=True, state=DeviceState.RETIRED, within=False)
    assert origin(item(before=nowhere)) is Origin.NEW
    assert origin(item(before=elsewhere)) is Origin.ARRIVED


def test_an_answer_ends_when_the_device_moves_and_does_not_reach_into_a_later_period() -> None:
    earlier, later = NOON - timedelta(days=1), NOON + timedelta(days=1)
    assert answers(NOON, earlier, earlier)
    assert answers(NOON, None, None)
    assert not answers(None, None, None)
    assert not answers(NOON, later, None)
    assert not answers(NOON, None, later)
