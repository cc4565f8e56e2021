"""Two counts agree or they do not; whatever differs is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.domain.handovers import TABLE, Counted, HandoverEvent, HandoverState, Offered, compare, next_state

OFFERED = Offered(
    devices={"D-000001": frozenset({"D-000001", "AT-1", "SER1"}), "D-000002": frozenset({"D-000002", "AT-2", "SER2"})},
    seals=frozenset({"S-1", "S-2"}),
)
SEALS = frozenset({"S-1", "S-2"})


def kinds(counted: Counted, offered: Offered = OFFERED) -> list[str]:
    """What differs, in order."""
    return [one.kind for one in compare(offered, counted)]


def test_equal_counts_and_seals_agree() -> None:
    assert kinds(Counted(count=2, seals=SEALS)) == []


@pytest.mark.parametrize("count", [0, 1, 3])
def test_another_count_differs(count: int) -> None:
    assert kinds(Counted(count=count, seals=SEALS)) == ["count"]


def test_each_seal_that_is_gone_or_strange_is_named() -> None:
    found = compare(OFFERED, Counted(count=2, seals=frozenset({"S-1", "S-9"})))
    assert [(one.kind, one.subject) for one in found] == [("seal-absent", "S-2"), ("seal-unexpected", "S-9")]


def test_the_right_number_of_wrong_devices_differs() -> None:
    found = compare(OFFERED, Counted(count=2, seals=SEALS, codes=("AT-1", "AT-9")))
    assert [(one.kind, one.subject) for one in found] == [("device-unexpected", "AT-9"), ("device-absent", "D-000002")]


def test_a_device_read_twice_is_not_two_devices() -> None:
    found = compare(OFFERED, Counted(count=2, seals=SEALS, codes=("AT-1", "SER1")))
    assert [(one.kind, one.subject) for one in found] == [("code-twice", "D-000001"), ("device-absent", "D-000002")]


@pytest.mark.parametrize("codes", [("AT-1", "AT-2"), ("d-000001", "ser2"), ("SER 1", " at-2 ")])
def test_any_code_of_a_device_will_do_however_it_is_spaced(codes: tuple[str, ...]) -> None:
    assert kinds(Counted(count=2, seals=SEALS, codes=codes)) == []


def test_a_serial_number_two_devices_share_identifies_neither() -> None:
    twins = Offered(devices={"D-1": frozenset({"D-1", "X"}), "D-2": frozenset({"D-2", "X"})}, seals=frozenset())
    counted = Counted(count=2, seals=frozenset(), codes=("X", "D-2"))
    assert kinds(counted, twins) == ["device-unexpected", "device-absent"]


def test_a_remark_disputes_what_is_counted_equal() -> None:
    assert kinds(Counted(count=2, seals=SEALS, remark="One box is wet.")) == ["remark"]


@given(
    st.integers(min_value=0, max_value=4),
    st.frozensets(st.sampled_from(["S-1", "S-2", "S-3"])),
    st.lists(st.sampled_from(["AT-1", "AT-2", "AT-3", "SER1"]), max_size=4),
)
def test_only_an_equal_count_with_equal_seals_and_devices_agrees(
    count: int, seals: frozenset[str], codes: list[str]
) -> None:
    agree = not compare(OFFERED, Counted(count=count, seals=seals, codes=tuple(codes)))
    same = not codes or sorted({"AT-1": 1, "SER1": 1, "AT-2": 2}.get(code, 0) for code in codes) == [1, 2]
    assert agree == (count == 2 and seals == SEALS and same)


@pytest.mark.parametrize("state", HandoverState)
@pytest.mark.parametrize("event", HandoverEvent)
def test_only_an_offer_is_answered_or_taken_back(state: HandoverState, event: HandoverEvent) -> None:
    assert (next_state(state, event) is not None) == (state is HandoverState.OFFERED)
    assert next_state(state, event) == TABLE.get((state, event))
