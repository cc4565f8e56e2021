"""The draw of a sample: it follows from the log at the closing and from nothing else, and anybody can repeat it."""

from __future__ import annotations

import dataclasses
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.custody import LotClosing, LotMember
from reports.errors import BrokenChain
from reports.orders import LogPosition
from reports.sampling import SampleDrawn, check, draw, how_many, population_of, seed_of

SEED = LogPosition(origin="example.org/log", size=8, root="cm9vdA==")


def member(number: int, *, state: str = "sanitized", record: str = "ab" * 32) -> LotMember:
    name = f"D-{number:06d}"
    return LotMember(
        device=name, asset_tag="", fingerprint=hashlib.sha256(name.encode()).hexdigest(), state=state, record=record
    )


def closing(*members: LotMember) -> LotClosing:
    return LotClosing(
        lot="LT-00001", name="Rack 7", closing=1, devices=members, previous=None, actor="P-1", reason="done",
        time="2026-11-22T09:00:00Z",
    )  # fmt: skip


def drawn(of: LotClosing, percent: int = 20, seed: LogPosition = SEED) -> SampleDrawn:
    population = population_of(of)
    return SampleDrawn(
        id="SM-00001", lot=of.lot, closing=of.closing, closing_sha256="cd" * 32, seed=seed, percent=percent,
        population=tuple(one.device for one in population), drawn=draw(population, percent, seed_of(seed)),
        actor="P-2", time="2026-11-22T10:00:00Z",
    )  # fmt: skip


TEN = closing(*(member(number) for number in range(10)))


def test_the_draw_is_known_for_ever() -> None:
    """Whoever changes this changes what auditors recompute from old logs."""
    assert drawn(TEN).drawn == draw(population_of(TEN), 20, seed_of(SEED))
    assert seed_of(SEED).hex() == hashlib.sha256(b"sanitrail sample/1\nexample.org/log\n8\ncm9vdA==\n").hexdigest()


@pytest.mark.parametrize(
    ("population", "percent", "expected"), [(10, 20, 2), (10, 1, 1), (3, 50, 2), (7, 100, 7), (1, 1, 1)]
)
def test_a_share_is_rounded_up(population: int, percent: int, expected: int) -> None:
    assert how_many(population, percent) == expected


@pytest.mark.parametrize("percent", [0, 101, -1])
def test_no_other_share_is_one(percent: int) -> None:
    with pytest.raises(ValueError, match="a share of"):
        how_many(10, percent)


def test_only_what_rests_on_a_record_can_be_drawn() -> None:
    mixed = closing(member(1), member(2, record=""), member(3, state="destroyed"), member(4, state="failed"))
    assert [one.device for one in population_of(mixed)] == ["D-000001"]


@given(st.sets(st.integers(0, 9999), min_size=1, max_size=40), st.integers(1, 100), st.randoms(use_true_random=False))
def test_the_order_in_which_devices_are_named_changes_nothing(numbers: set[int], percent: int, random: object) -> None:
    members = [member(number) for number in sorted(numbers)]
    mixed = list(members)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    first, second = draw(members, percent, seed_of(SEED)), draw(mixed, percent, seed_of(SEED))
    assert set(first) == set(second)
    assert len(first) == how_many(len(members), percent)


def test_another_state_of_the_log_draws_otherwise() -> None:
    many = closing(*(member(number) for number in range(200)))
    other = dataclasses.replace(SEED, root="b3RoZXI=")
    assert drawn(many).drawn != drawn(many, seed=other).drawn


def test_an_honest_draw_is_repeated() -> None:
    check(drawn(TEN), TEN, "cd" * 32, 7)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"drawn": ("D-000000",)}, "other devices"),
        ({"drawn": ()}, "other devices"),
        ({"population": ("D-000001",)}, "another population"),
        ({"percent": 30}, "other devices"),
        ({"percent": 0}, "nothing can be drawn"),
        ({"lot": "LT-00002"}, "another closing"),
        ({"closing": 2}, "another closing"),
        ({"closing_sha256": "00" * 32}, "another closing"),
        ({"seed": dataclasses.replace(SEED, size=9)}, "not the log at the closing"),
        ({"seed": dataclasses.replace(SEED, root="b3RoZXI=")}, "other devices"),
    ],
)
def test_anything_else_than_what_follows_is_refused(change: dict[str, object], words: str) -> None:
    with pytest.raises(BrokenChain, match=words):
        check(dataclasses.replace(drawn(TEN), **change), TEN, "cd" * 32, 7)  # type: ignore[arg-type]


def test_what_rests_on_a_record_can_be_drawn_also_under_lock_and_nothing_else() -> None:
    of = closing(
        member(1),
        member(2, state="quarantined"),
        member(3, state="failed"),
        member(4, record=""),
        member(5, state="retired"),
    )
    assert [one.device for one in population_of(of)] == ["D-000001", "D-000002"]
