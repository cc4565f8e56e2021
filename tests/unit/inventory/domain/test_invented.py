"""An invented organisation keeps the table of lives, and is the same for one seed."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.domain.invented import life, shape
from inventory.domain.lifecycle import TABLE
from inventory.domain.vocabulary import DeviceState

BEGIN = datetime(2022, 1, 1, tzinfo=UTC)
NOW = BEGIN + timedelta(days=1400)
SIZE = shape(3000)


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 50), number=st.integers(1, 10**6), steps=st.integers(3, 60))
def test_no_invented_life_does_what_the_table_does_not_have(seed: int, number: int, steps: int) -> None:
    one = life(seed, number, SIZE, BEGIN, NOW, steps)
    for step in one.steps:
        assert step.event is None or TABLE[step.before, step.event] is step.after
    for earlier, later in itertools.pairwise(one.steps):
        assert earlier.at <= later.at
        assert later.before is earlier.after or earlier.what == "declared", "a device observed first is in service"
    assert one.steps[-1].after is one.state
    assert BEGIN <= one.steps[0].at <= one.steps[-1].at <= NOW
    for before, after in itertools.pairwise(one.stays):
        assert before.until is not None
        assert before.until <= after.since
    if one.state in {DeviceState.QUARANTINED, DeviceState.MISSING}:
        assert one.stays[-1].until is not None
        assert all(until is not None for _, _, until in one.held), "what nobody uses is residue"
    assert len(one.held) <= 2, "numbers of holdings are given two a device"


def test_the_same_seed_invents_the_same_and_another_one_does_not() -> None:
    lives = [[life(seed, number, SIZE, BEGIN, NOW, 10) for number in range(1, 200)] for seed in (1, 1, 2)]
    assert lives[0] == lives[1]
    assert lives[0] != lives[2]


def test_there_is_something_in_every_state_that_needs_no_run() -> None:
    states = {life(1, number, SIZE, BEGIN, NOW, 10).state for number in range(1, 2000)}
    assert states == {
        DeviceState.DECLARED,
        DeviceState.IN_SERVICE,
        DeviceState.RETIRED,
        DeviceState.QUARANTINED,
        DeviceState.MISSING,
        DeviceState.RELEASED,
    }


def test_an_organisation_grows_with_its_devices_and_is_never_empty() -> None:
    sizes = [shape(devices) for devices in (0, 10, 1000, 100_000, 5_000_000)]
    for before, after in itertools.pairwise(sizes):
        assert vars(before).keys() == vars(after).keys()
        assert all(getattr(before, name) <= getattr(after, name) for name in vars(before))
    assert min(sizes[0].hosts, sizes[0].sites, sizes[0].teams, sizes[0].vendors, sizes[0].data_sets) >= 1
