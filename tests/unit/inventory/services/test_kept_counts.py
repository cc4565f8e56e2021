"""Counts of a large inventory are kept for a moment, each reader's apart; small ones never; nobody waits for one made before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from inventory.db import Database
from inventory.domain.roles import Role
from inventory.domain.scopes import EVERYTHING, Scope
from inventory.services import _kept
from inventory.services.context import Actor, Context

LARGE = _kept.LARGE + 1


@dataclass
class World:
    """What counting needs: a database nobody opens, a clock, and what would be done beside the page."""

    database: Database
    clock: float = 1000.0
    beside: list[Callable[[], None]] = field(default_factory=list)

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock, UTC)

    def ask(self, answer: int | Callable[[], int], who: Actor | None = None) -> int:
        return self.counted(answer, who).value

    def counted(self, answer: int | Callable[[], int], who: Actor | None = None) -> _kept.Counted[int]:
        count = answer if callable(answer) else lambda: answer
        return _kept.kept(cast("Context", self), who or reader("p-a"), "rows", count, lambda found: found)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(Database(f"sqlite:///{tmp_path / 'never-opened.db'}"))
    monkeypatch.setattr("inventory.services._kept.time.monotonic", lambda: made.clock)
    monkeypatch.setattr(_kept, "_beside", made.beside.append)
    return made


def reader(ref: str, *, sites: frozenset[str] | None = None) -> Actor:
    scope = EVERYTHING if sites is None else Scope(sites=sites, teams=None)
    return Actor(ref, "person", frozenset({Role.VIEWER}), scope=scope)


def test_a_small_count_is_made_anew_each_time_and_has_no_age(world: World) -> None:
    assert [world.ask(answer) for answer in (1, 2, _kept.LARGE)] == [1, 2, _kept.LARGE]
    assert world.counted(3).at is None


def test_a_large_count_is_kept_for_a_moment_and_says_when_it_was_made(world: World) -> None:
    first = world.counted(LARGE)
    assert first.at == world.now()
    world.clock += _kept.SECONDS - 1
    assert world.counted(LARGE + 1) == first
    assert not world.beside


def test_nobody_waits_for_a_count_that_was_made_before_and_one_alone_makes_it_again(world: World) -> None:
    first = world.counted(LARGE)
    world.clock += _kept.SECONDS + 1
    assert [world.counted(LARGE + 1) for _ in range(3)] == [first] * 3
    assert len(world.beside) == 1, "one counts, however many ask"
    world.beside.pop()()
    assert world.ask(LARGE + 2) == LARGE + 1
    assert world.counted(LARGE + 2).at == world.now()


def test_what_nobody_asked_for_meanwhile_is_not_shown_any_more(world: World) -> None:
    world.ask(LARGE)
    world.clock += _kept.OLDEST + 1
    assert world.ask(LARGE + 1) == LARGE + 1


def test_a_count_that_took_long_is_shown_for_longer(world: World) -> None:
    def slow(answer: int) -> Callable[[], int]:
        def count() -> int:
            world.clock += 2.0
            return answer

        return count

    world.ask(slow(LARGE))
    world.clock += 2.0 * _kept.PATIENCE - 1
    assert world.ask(slow(LARGE + 1)) == LARGE
    assert not world.beside
    world.clock += 2
    assert world.ask(slow(LARGE + 1)) == LARGE
    assert world.beside


def test_a_count_that_fails_beside_leaves_the_one_before_and_is_tried_again(world: World) -> None:
    def broken() -> int:
        raise RuntimeError("the database is away")

    world.ask(LARGE)
    world.clock += _kept.SECONDS + 1
    assert world.ask(broken) == LARGE
    world.beside.pop()()
    assert world.ask(LARGE + 1) == LARGE
    world.beside.pop()()
    assert world.ask(0) == LARGE + 1


def test_whoever_is_limited_is_never_shown_what_somebody_else_may_see(world: World) -> None:
    here = frozenset({"SI-0001"})
    assert world.ask(LARGE, reader("p-all")) == LARGE
    assert world.ask(LARGE + 1, reader("p-all-too")) == LARGE
    assert world.ask(LARGE + 5, reader("p-a", sites=here)) == LARGE + 5
    assert world.ask(LARGE + 9, reader("p-b", sites=here)) == LARGE + 9


def test_a_count_that_fails_is_not_waited_for(world: World) -> None:
    def broken() -> int:
        raise RuntimeError("the database is away")

    with pytest.raises(RuntimeError):
        world.ask(broken)
    assert world.ask(7) == 7


def test_what_was_counted_before_sites_were_taken_away_is_not_shown_afterwards(world: World) -> None:
    wide, narrow = (reader("p-a", sites=frozenset(sites)) for sites in ({"S-1", "S-2"}, {"S-2"}))
    assert world.ask(LARGE, wide) == LARGE
    assert world.ask(LARGE + 5, narrow) == LARGE + 5
    assert world.ask(LARGE + 9, wide) == LARGE, "theirs is kept still"
