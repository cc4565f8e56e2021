"""Counts of a large inventory are kept for a moment, each reader's apart; small ones never."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from inventory.db import Database
from inventory.domain.roles import Role
from inventory.domain.scopes import EVERYTHING, Scope
from inventory.services import _kept
from inventory.services.context import Actor


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(f"sqlite:///{tmp_path / 'never-opened.db'}")


def reader(ref: str, *, sites: frozenset[str] | None = None) -> Actor:
    scope = EVERYTHING if sites is None else Scope(sites=sites, teams=None)
    return Actor(ref, "person", frozenset({Role.VIEWER}), scope=scope)


def asked(database: Database, actor: Actor, answers: list[int]) -> int:
    return _kept.kept(database, actor, "rows", lambda: answers.pop(0), lambda count: count)


def test_a_small_count_is_made_anew_each_time(database: Database) -> None:
    answers = [1, 2, _kept.LARGE]
    assert [asked(database, reader("p-a"), answers) for _ in range(3)] == [1, 2, _kept.LARGE]


def test_a_large_count_is_kept_for_a_moment_and_then_made_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = _kept.LARGE + 1
    answers = [large, large + 1]
    assert [asked(database, reader("p-a"), answers) for _ in range(3)] == [large] * 3
    later = time.monotonic() + _kept.SECONDS + 1
    monkeypatch.setattr("inventory.services._kept.time.monotonic", lambda: later)
    assert asked(database, reader("p-a"), answers) == large + 1


def test_a_count_that_took_long_is_shown_for_longer(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    large, clock = _kept.LARGE + 1, [1000.0]
    monkeypatch.setattr("inventory.services._kept.time.monotonic", lambda: clock[0])

    def slow(answer: int) -> int:
        clock[0] += 2.0
        return answer

    def ask(answer: int) -> int:
        return _kept.kept(database, reader("p-a"), "rows", lambda: slow(answer), lambda count: count)

    assert ask(large) == large
    clock[0] += 2.0 * _kept.PATIENCE - 1
    assert ask(large + 1) == large
    clock[0] += 2
    assert ask(large + 2) == large + 2
    clock[0] += _kept.LONGEST + 1
    assert ask(large + 3) == large + 3


def test_whoever_is_limited_is_never_shown_what_somebody_else_may_see(database: Database) -> None:
    large = _kept.LARGE + 1
    answers = [large, large + 5, large + 9]
    here = frozenset({"SI-0001"})
    assert asked(database, reader("p-all"), answers) == large
    assert asked(database, reader("p-all-too"), answers) == large
    assert asked(database, reader("p-a", sites=here), answers) == large + 5
    assert asked(database, reader("p-b", sites=here), answers) == large + 9


def test_a_count_that_fails_is_not_waited_for(database: Database) -> None:
    def broken() -> int:
        raise RuntimeError("the database is away")

    with pytest.raises(RuntimeError):
        _kept.kept(database, reader("p-a"), "rows", broken, lambda count: count)
    assert asked(database, reader("p-a"), [7]) == 7
