from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanitizer.bisect import Budget, bad_parts
from sanitizer.extents import ExtentQueue
from sanitizer.ranges import RangeSet, bounded, merged, total, without

Ranges = list[tuple[int, int]]
ranges = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)).map(lambda t: (min(t), max(t))), max_size=30)


def _points(given_ranges: Ranges) -> set[int]:
    return {p for start, end in given_ranges for p in range(start, end)}


@settings(deadline=None)
@given(ranges)
def test_merging_keeps_exactly_the_bytes(given_ranges: Ranges) -> None:
    out = merged(given_ranges)
    assert _points(out) == _points(given_ranges)
    assert all(a[1] < b[0] for a, b in itertools.pairwise(out))
    assert total(out) == len(_points(given_ranges))


@settings(deadline=None)
@given(ranges, st.integers(1, 5))
def test_a_bounded_list_covers_no_byte_less(given_ranges: Ranges, most: int) -> None:
    out = bounded(given_ranges, most)
    assert len(out) <= most
    assert _points(list(out)) >= _points(given_ranges)


def test_beyond_the_bound_the_smallest_gap_is_swallowed() -> None:
    assert bounded([(0, 1), (2, 3), (10, 11)], 2) == ((0, 3), (10, 11))


@settings(deadline=None)
@given(ranges)
def test_what_is_left_without_the_holes(holes: Ranges) -> None:
    left = list(without(100, 400, holes))
    assert _points(left) == set(range(100, 400)) - _points(holes)


@settings(deadline=None)
@given(st.lists(st.integers(0, 200), max_size=60))
def test_a_range_set_keeps_what_was_added(blocks: list[int]) -> None:
    found = RangeSet()
    for block in blocks:
        found.add(block * 8, block * 8 + 8)
    assert _points(list(found.result())) == _points([(b * 8, b * 8 + 8) for b in blocks])
    assert bool(found) == bool(blocks)


def test_a_device_of_nothing_but_faults_cannot_fill_memory() -> None:
    found = RangeSet()
    for block in range(0, 200_000, 2):
        found.add(block, block + 1)
    assert len(found) <= 4 * 4096
    assert len(found.result()) <= 4096
    assert found.result()[0][0] == 0
    assert found.result()[-1][1] == 199_999


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 40)), min_size=1, max_size=5),
    st.integers(1, 16),
    st.integers(1, 3),
)
def test_the_queue_hands_out_every_byte_once_and_in_blocks(
    parts: list[tuple[int, int]], block: int, workers: int
) -> None:
    regions, at = [], 0
    for gap, length in parts:
        regions.append((at + gap, at + gap + length))
        at += gap + length
    queue = ExtentQueue(regions, block)
    seen: Ranges = []
    turn = 0
    while (extent := queue.take(turn % workers)) is not None:
        seen.append(extent)
        turn += 1
        assert extent[1] - extent[0] <= block
        assert extent[1] % block == 0 or extent[1] in {end for _, end in regions}
    assert seen == sorted(seen)
    assert sum(end - start for start, end in seen) == sum(end - start for start, end in regions)
    assert merged(seen) == merged(regions)


def test_nothing_counts_as_settled_while_an_earlier_extent_is_under_way() -> None:
    queue = ExtentQueue([(0, 100)], 10)
    assert queue.settled_below() == 0
    queue.take(0)
    queue.take(1)
    queue.take(1)
    assert queue.settled_below() == 0  # worker 0 still writes the first extent
    queue.done(0)
    assert queue.settled_below() == 20  # worker 1 still writes the third
    queue.done(1)
    assert queue.settled_below() == 30


@settings(deadline=None)
@given(
    bad=st.sets(st.integers(0, 127), max_size=12),
    fan_out=st.sampled_from([2, 8, 64]),
    start=st.integers(0, 5).map(lambda n: n * 64 * 1024),
)
def test_bisection_finds_exactly_the_bad_blocks(bad: set[int], fan_out: int, start: int) -> None:
    def attempt(offset: int, length: int) -> bool:
        return not any(offset < start + b * 512 + 512 and start + b * 512 < offset + length for b in bad)

    found = list(bad_parts((start, start + 128 * 512), attempt, 512, fan_out, lambda: False))
    assert _points(found) == _points([(start + b * 512, start + b * 512 + 512) for b in bad])


def test_a_spent_budget_leaves_the_rest_as_bad_untried() -> None:
    tried: list[int] = []

    def attempt(offset: int, _length: int) -> bool:
        tried.append(offset)
        return False

    found = list(bad_parts((0, 64 * 512), attempt, 512, 64, lambda: len(tried) >= 3))
    assert len(tried) == 3
    assert merged(found) == [(0, 64 * 512)]


def test_nine_bad_sectors_are_found_with_at_most_twenty_failing_requests() -> None:
    """One 4 KiB run and a single sector, 4 MiB extents: performance goals, section 8."""
    bad = [*range(40 * 1024 + 24, 40 * 1024 + 32), 82 * 1024]
    failing = 2  # the two extents themselves, in the pass

    def attempt(offset: int, length: int) -> bool:
        nonlocal failing
        fails = any(offset < b * 512 + 512 and b * 512 < offset + length for b in bad)
        failing += fails
        return not fails

    found: Ranges = []
    for extent in ((20 << 20, 24 << 20), (40 << 20, 44 << 20)):
        found += bad_parts(extent, attempt, 512, 64, lambda: False)
    assert total(merged(found)) == 9 * 512
    assert failing <= 20


@pytest.mark.parametrize(("requests", "seconds", "spent"), [(2, 100.0, False), (3, 100.0, True), (1, 9.0, True)])
def test_a_budget_counts_failing_requests_and_their_time(requests: int, seconds: float, spent: bool) -> None:
    budget = Budget(3, 9.0)
    for _ in range(requests):
        budget.charge(seconds / requests if seconds == 9.0 else 0.5)
    assert budget.spent is spent
