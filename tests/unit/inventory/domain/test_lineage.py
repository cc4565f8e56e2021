"""What the history of attachments says: who left before anybody looked, since when, and what came along."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.domain.lineage import Presence, Span, began, left_before, moved_along

START = datetime(2026, 1, 1, tzinfo=UTC)


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def was(device: str, since: int, until: int | None) -> Presence:
    return Presence(device=device, since=day(since), until=None if until is None else day(until))


def test_a_replaced_member_counts_for_the_time_it_shared_with_the_data() -> None:
    presences = (was("old", 0, 20), was("new", 20, None))
    assert left_before(presences, day(5), {"new"}) == (Span(device="old", since=day(5), until=day(20)),)


def test_without_a_date_everything_that_left_counts() -> None:
    assert left_before((was("old", 0, 20),), None, set()) == (Span(device="old", since=day(0), until=day(20)),)


@pytest.mark.parametrize(
    ("presences", "why"),
    [
        ((was("a", 0, 5),), "it left before the data came"),
        ((was("a", 0, None),), "it is there still, and an agent can look"),
        ((was("a", 0, 20), was("a", 30, None)), "it came back, and an agent can look"),
        ((was("beneath", 0, 20),), "an agent has said what it holds"),
    ],
)
def test_nothing_is_concluded_where(presences: tuple[Presence, ...], why: str) -> None:
    assert left_before(presences, day(5), {"beneath"}) == (), why


def test_several_stays_become_one_span() -> None:
    presences = (was("a", 0, 10), was("a", 15, 20))
    assert left_before(presences, None, ()) == (Span(device="a", since=day(0), until=day(20)),)


STAYS = st.lists(
    st.builds(
        lambda device, since, stay: was(device, since, None if stay is None else since + stay),
        st.sampled_from("abc"),
        st.integers(0, 50),
        st.none() | st.integers(0, 30),
    ),
    max_size=8,
)


@given(stays=STAYS, since=st.integers(0, 60), earlier=st.integers(0, 60), beneath=st.sets(st.sampled_from("abc")))
def test_an_earlier_date_never_clears_a_medium(
    stays: list[Presence], since: int, earlier: int, beneath: set[str]
) -> None:
    late = left_before(stays, day(max(since, earlier)), beneath)
    early = {span.device: span for span in left_before(stays, day(min(since, earlier)), beneath)}
    for span in late:
        assert early[span.device].since <= span.since
        assert early[span.device].until >= span.until
    assert {span.device for span in early.values()} <= {span.device for span in left_before(stays, None, beneath)}


def test_a_medium_holds_data_since_it_was_there_and_never_later_than_it_was_found() -> None:
    stays = (was("a", 3, None),)
    assert began(stays, "a", day(1), day(9)) == day(3)
    assert began(stays, "a", day(5), day(9)) == day(5)
    assert began(stays, "a", None, day(9)) == day(9)
    assert began((), "a", day(1), day(9)) == day(9)


@pytest.mark.parametrize(
    ("until", "holding_host", "left_host", "left", "moved"),
    [
        (None, "H-1", "H-1", day(9), True),
        (day(9), "H-1", "H-1", day(9), True),
        (day(8), "H-1", "H-1", day(9), False),
        (day(9), "H-2", "H-1", day(9), False),
        (None, None, None, None, False),
        (day(9), "H-1", "H-1", None, False),
    ],
)
def test_what_was_live_comes_along_and_what_was_residue_stays_residue(
    until: datetime | None, holding_host: str | None, left_host: str | None, left: datetime | None, moved: bool
) -> None:
    assert moved_along(until=until, holding_host=holding_host, left_host=left_host, left=left) is moved
