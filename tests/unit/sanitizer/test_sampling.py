"""SP 800-88 Rev. 1, 4.7.3, as quoted by the rules this product goes by."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanitizer.sampling import SUBSECTIONS, full, regions_sha256, representative, select, spread, wrap_pairs

BLOCK = 512
devices = st.integers(min_value=SUBSECTIONS * 20, max_value=40_000_000_000)


@settings(deadline=None)
@given(blocks=devices, seed=st.text(min_size=1, max_size=32))
def test_every_subsection_is_sampled_twice_by_at_least_five_percent(blocks: int, seed: str) -> None:
    chosen = representative(blocks * BLOCK, BLOCK, seed)
    assert chosen.kind == "representative"
    assert chosen.seed == seed
    inner = list(chosen.regions)
    inner.remove((0, BLOCK))
    inner.remove(((blocks - 1) * BLOCK, blocks * BLOCK))
    assert len(inner) == 2 * SUBSECTIONS
    for section in range(SUBSECTIONS):
        start, end = blocks * section // SUBSECTIONS * BLOCK, blocks * (section + 1) // SUBSECTIONS * BLOCK
        (a, b), (c, d) = inner[2 * section], inner[2 * section + 1]
        assert start <= a < b <= c < d <= end
        assert (b - a) * 100 >= 5 * (end - start)
        assert (d - c) * 100 >= 5 * (end - start)


@settings(deadline=None)
@given(blocks=devices, seed=st.text(min_size=1, max_size=32))
def test_subsections_are_equal_and_at_least_a_tenth_is_read(blocks: int, seed: str) -> None:
    sizes = {blocks * (n + 1) // SUBSECTIONS - blocks * n // SUBSECTIONS for n in range(SUBSECTIONS)}
    assert max(sizes) - min(sizes) <= 1
    assert representative(blocks * BLOCK, BLOCK, seed).total_bytes * 10 >= blocks * BLOCK


@settings(deadline=None)
@given(blocks=st.integers(min_value=1, max_value=SUBSECTIONS * 20 - 1))
def test_a_medium_too_small_for_the_rule_is_read_in_full_and_says_so(blocks: int) -> None:
    chosen = representative(blocks * BLOCK, BLOCK, "s")
    assert (chosen.kind, chosen.seed, chosen.regions) == ("full", None, ((0, blocks * BLOCK),))


def test_the_same_seed_gives_the_same_places_and_another_seed_others() -> None:
    size = 1 << 30
    assert representative(size, BLOCK, "a") == representative(size, BLOCK, "a")
    assert representative(size, BLOCK, "a").regions != representative(size, BLOCK, "b").regions


def test_a_sample_needs_a_seed() -> None:
    with pytest.raises(ValueError, match="seed"):
        representative(1 << 30, BLOCK, "")


def test_places_within_a_subsection_are_spread_evenly() -> None:
    """Over many subsections the first sample's place must not favour one end."""
    blocks = 1_000_000
    chosen = representative(blocks * BLOCK, BLOCK, "even")
    offsets = [start // BLOCK % 1000 for start, end in chosen.regions if end - start > BLOCK]
    assert 380 < sum(offsets) / len(offsets) < 570  # the middle of 0..900, each sample being 50 blocks


def test_the_digest_of_the_choice_can_be_made_with_any_tool() -> None:
    assert regions_sha256([(0, 512), (1024, 2048)]) == hashlib.sha256(b"0-512\n1024-2048\n").hexdigest()
    assert full(4096).sha256 == hashlib.sha256(b"0-4096\n").hexdigest()


def test_the_plan_word_selects() -> None:
    assert select("none", 1 << 30, BLOCK, "s") is None
    every = select("full", 1 << 30, BLOCK, "s")
    assert every is not None
    assert every.regions == ((0, 1 << 30),)
    some = select("representative", 1 << 30, BLOCK, "s")
    assert some is not None
    assert some.kind == "representative"


@settings(deadline=None)
@given(blocks=st.integers(min_value=1, max_value=1 << 36), count=st.integers(min_value=2, max_value=300))
def test_markers_are_distinct_whole_blocks_with_both_ends(blocks: int, count: int) -> None:
    offsets = spread(blocks * BLOCK, BLOCK, count, "s")
    assert offsets[0] == 0
    assert offsets[-1] == (blocks - 1) * BLOCK
    assert list(offsets) == sorted(set(offsets))
    assert all(offset % BLOCK == 0 for offset in offsets)
    assert len(offsets) >= min(count, blocks)


def test_markers_lie_on_both_sides_of_powers_of_two() -> None:
    offsets = spread(1 << 40, 4096, 256, "s")
    for power in range(13, 40):
        assert 1 << power in offsets
        assert (1 << power) - 4096 in offsets


@settings(deadline=None)
@given(units=st.integers(min_value=2, max_value=3000), data=st.data())
def test_every_wrap_by_whole_units_brings_two_markers_together(units: int, data: st.DataObject) -> None:
    modulus = data.draw(st.integers(min_value=1, max_value=units - 1))
    places = [offset // 4096 for offset in wrap_pairs(units * 4096, 4096)]
    assert len({place % modulus for place in places}) < len(places)
    assert len(places) <= 3 * units**0.5 + 4
