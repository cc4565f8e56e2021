"""Who could approve: rosters follow one another in their numbers and in the log."""

from __future__ import annotations

import dataclasses

import pytest

from reports.appointed import open_rosters
from reports.bundle import Logged
from reports.errors import BrokenChain
from tests.support.evidence import World


@pytest.fixture(scope="module")
def rosters() -> tuple[Logged, ...]:
    world = World()
    world.add_roster()
    return tuple(world.logged(envelope, index) for envelope, index in world.rosters)


def test_the_last_of_a_sound_chain_counts(rosters: tuple[Logged, ...]) -> None:
    assert open_rosters(rosters).version == 2


def test_a_roster_that_entered_the_log_before_the_one_it_follows_is_refused(rosters: tuple[Logged, ...]) -> None:
    first, second = rosters
    for index in (first.index, first.index - 1):
        with pytest.raises(BrokenChain, match="follow"):
            open_rosters((first, dataclasses.replace(second, index=index)))


def test_a_chain_that_does_not_begin_or_skips_is_refused(rosters: tuple[Logged, ...]) -> None:
    for chain in ((), rosters[1:], (rosters[0], rosters[0])):
        with pytest.raises(BrokenChain):
            open_rosters(chain)
