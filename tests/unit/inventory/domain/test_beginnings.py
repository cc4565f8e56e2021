"""The first-run guide: a step is done by facts alone, and exactly one is next."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from inventory.domain.beginnings import (
    FIRST_DISK,
    FIRST_ORDER,
    WHO,
    Beginning,
    Begun,
    Progress,
    is_done,
    is_over,
    steps,
)

EVERYTHING = Begun(
    hosts=1, hosts_confirmed=1, disks_seen=True, approvers=2, validators=1, keys_confirmed=2, roster=True, paths=True,
    orders=True,
)  # fmt: skip
FACTS = st.builds(
    Begun,
    hosts=st.integers(0, 3),
    hosts_confirmed=st.integers(0, 3),
    disks_seen=st.booleans(),
    approvers=st.integers(0, 3),
    validators=st.integers(0, 3),
    keys_confirmed=st.integers(0, 3),
    roster=st.booleans(),
    paths=st.booleans(),
    orders=st.booleans(),
)


@given(FACTS)
def test_the_first_step_that_is_not_done_is_the_one_to_do_now(begun: Begun) -> None:
    for path in (FIRST_DISK, FIRST_ORDER):
        found = steps(path, begun)
        assert [step.beginning for step in found] == list(path)
        open_ones = [step for step in found if not is_done(step.beginning, begun)]
        assert [step.progress for step in open_ones] == [Progress.NOW, *[Progress.LATER] * 9][: len(open_ones)]
        assert all(step.progress is Progress.DONE for step in found if step not in open_ones)


def test_an_empty_inventory_has_done_nothing_and_a_working_one_everything() -> None:
    assert not any(is_done(step, Begun()) for step in Beginning)
    assert all(is_done(step, EVERYTHING) for step in Beginning)
    assert is_over(EVERYTHING)
    assert not is_over(replace(EVERYTHING, orders=False))


def test_one_approver_and_somebody_who_validates_their_own_work_are_not_enough() -> None:
    assert not is_done(Beginning.PEOPLE, replace(EVERYTHING, approvers=1))
    assert not is_done(Beginning.PEOPLE, replace(EVERYTHING, validators=0))
    assert not is_done(Beginning.KEYS, replace(EVERYTHING, keys_confirmed=1))


def test_every_step_belongs_to_one_path_and_has_somebody_who_does_it() -> None:
    assert (*FIRST_DISK, *FIRST_ORDER) == tuple(Beginning)
    assert set(WHO) == set(Beginning)
