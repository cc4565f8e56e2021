"""A look is shared by those who asked before it began, and by nobody else."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from sanitizer.shared_look import SharedLook


class Looks:
    """Numbered looks, the first of which waits until the test lets it end; and a count of who waits for a look."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, failing: frozenset[int] = frozenset()) -> None:
        self.made = 0
        self.first_begun, self.first_may_end = threading.Event(), threading.Event()
        self.waiting = threading.Semaphore(0)
        self.failing = failing
        self.shared = SharedLook(self._look)
        wait = self.shared._changed.wait

        def told() -> bool:
            # Told under the lock that `wait` gives up, so nobody can end a look between the two.
            self.waiting.release()
            return wait()

        monkeypatch.setattr(self.shared._changed, "wait", told)

    def _look(self) -> int:
        self.made += 1
        number = self.made
        if number == 1:
            self.first_begun.set()
            assert self.first_may_end.wait(30)
        if number in self.failing:
            raise RuntimeError(f"look {number}")
        return number


def _in_threads(count: int, body: Callable[[], object]) -> tuple[list[threading.Thread], list[object]]:
    answers: list[object] = []

    def run() -> None:
        try:
            answers.append(body())
        except RuntimeError as error:
            answers.append(str(error))

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads, answers


def test_a_look_that_began_before_the_question_is_no_answer_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = Looks(monkeypatch)
    first, _ = _in_threads(1, looks.shared)
    assert looks.first_begun.wait(30)
    late, answers = _in_threads(1, looks.shared)
    assert looks.waiting.acquire(timeout=30)
    looks.first_may_end.set()
    for thread in first + late:
        thread.join(30)
    assert answers == [2]


def test_all_who_wait_share_one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = Looks(monkeypatch)
    first, _ = _in_threads(1, looks.shared)
    assert looks.first_begun.wait(30)
    late, answers = _in_threads(8, looks.shared)
    for _ in range(8):
        assert looks.waiting.acquire(timeout=30)
    looks.first_may_end.set()
    for thread in first + late:
        thread.join(30)
    assert answers == [2] * 8
    assert looks.made == 2


def test_a_question_after_the_look_gets_a_look_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = Looks(monkeypatch)
    looks.first_may_end.set()
    assert [looks.shared(), looks.shared()] == [1, 2]


def test_a_failed_look_answers_nobody_and_the_others_look_again(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = Looks(monkeypatch, failing=frozenset({1}))
    first, first_answers = _in_threads(1, looks.shared)
    assert looks.first_begun.wait(30)
    late, answers = _in_threads(2, looks.shared)
    for _ in range(2):
        assert looks.waiting.acquire(timeout=30)
    looks.first_may_end.set()
    for thread in first + late:
        thread.join(30)
    assert first_answers == ["look 1"]
    assert answers == [2, 2]
