"""Waiting for a drive that works by itself: when it ends, when it is given up, and what is said of the time left."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sanitizer.capability import SanitizePhase, SanitizeStanding
from sanitizer.errors import CommandTimeout, DeviceGone, TechniqueStalled, UnansweredDestructiveCommand
from sanitizer.settings import Settings
from sanitizer.settling import Settling

Answer = SanitizeStanding | Exception


def at(phase: SanitizePhase, progress: int | None = None) -> SanitizeStanding:
    return SanitizeStanding(phase=phase, progress=progress, raw=b"")


def working(progress: int | None = None) -> SanitizeStanding:
    return at(SanitizePhase.IN_PROGRESS, progress)


DONE = at(SanitizePhase.SUCCEEDED)
SILENCE = CommandTimeout(operation="status", sent=True, timeout_ms=1)


class Drive:
    """Gives its answers in order, the last one for ever; time passes by waiting only."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.now = 0.0
        self.waits: list[float] = []
        self.goes_on = True

    def ask(self) -> SanitizeStanding:
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def pause(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self.now += seconds
        return self.goes_on

    def settling(self, estimate: int | None = None, ask: Callable[[], SanitizeStanding] | None = None) -> Settling:
        return Settling(
            "t",
            ask or self.ask,
            estimate_seconds=estimate,
            settings=Settings(),
            clock=lambda: self.now,
            pause=self.pause,
        )


@pytest.mark.parametrize(
    "phase", [p for p in SanitizePhase if p not in {SanitizePhase.IN_PROGRESS, SanitizePhase.UNKNOWN}]
)
def test_every_phase_but_work_and_silence_is_an_end(phase: SanitizePhase) -> None:
    ending = Drive(at(phase)).settling().run()
    assert ending is not None
    assert ending.standing.phase is phase
    assert not ending.seen_working


def test_an_end_after_work_is_known_as_such() -> None:
    ending = Drive(working(1), DONE).settling().run()
    assert ending is not None
    assert ending.seen_working


def test_intervals_grow_from_a_second_to_a_minute() -> None:
    drive = Drive(*(working(n) for n in range(30)), DONE)
    drive.settling().run()
    assert drive.waits[0] == 1.0
    assert drive.waits == sorted(drive.waits)
    assert drive.waits[-1] == 60.0


def test_a_stop_ends_the_waiting_and_nothing_else() -> None:
    drive = Drive(working(1))
    drive.goes_on = False
    assert drive.settling().run() is None


@pytest.mark.parametrize(("estimate", "least"), [(None, 3600), (100, 3600), (7200, 21600)])
def test_without_any_change_of_progress_it_is_given_up(estimate: int | None, least: int) -> None:
    drive = Drive(working(655))
    with pytest.raises(TechniqueStalled) as caught:
        drive.settling(estimate).run()
    assert least <= drive.now <= least + 60
    assert caught.value.progress == 655


def test_a_drive_that_tells_no_progress_at_all_is_given_up_by_the_same_rule() -> None:
    drive = Drive(working(None))
    with pytest.raises(TechniqueStalled):
        drive.settling(10_000).run()
    assert drive.now >= 30_000


def test_slow_progress_is_progress() -> None:
    slow = [working(1 + n // 50) for n in range(5000)]
    assert Drive(*slow, DONE).settling().run() is not None


def test_progress_that_goes_round_for_weeks_is_given_up() -> None:
    drive = Drive()
    ticks = iter(range(10**9))
    with pytest.raises(TechniqueStalled):
        drive.settling(ask=lambda: working(next(ticks) % 1000)).run()
    assert drive.now >= Settings().most_settling_seconds


@pytest.mark.parametrize("silence", [SILENCE, at(SanitizePhase.UNKNOWN)], ids=["no answer", "no sense in it"])
def test_silence_is_put_up_with_for_a_while_only(silence: Answer) -> None:
    drive = Drive(silence)
    with pytest.raises(UnansweredDestructiveCommand):
        drive.settling().run()
    assert Settings().silent_seconds <= drive.now <= Settings().silent_seconds + 60


def test_each_answer_begins_the_silence_anew() -> None:
    answers: list[Answer] = []
    for n in range(40):
        answers += [*[SILENCE] * 10, working(n)]
    assert Drive(*answers, DONE).settling().run() is not None


def test_a_device_that_left_is_no_silence() -> None:
    with pytest.raises(DeviceGone):
        Drive(DeviceGone(operation="status", errno=19)).settling().run()


def test_the_time_left_follows_the_progress_seen_and_before_it_the_estimate() -> None:
    drive = Drive(working(0), working(16384), working(32768), DONE)
    settling = drive.settling(1000)
    seen: list[int | None] = []

    def pause(seconds: float) -> bool:
        drive.now += 100
        seen.append(settling.seconds_left)
        return seconds > 0

    settling._pause = pause
    settling.run()
    assert seen == [900, 200, 100]


def test_without_estimate_and_progress_nothing_is_said_of_the_time_left() -> None:
    assert Drive(DONE).settling().seconds_left is None


def test_the_time_left_is_never_less_than_none() -> None:
    """A drive that promised to be done and is not: nothing is left, for as long as it takes."""
    drive = Drive(working(0), working(60_000), working(60_000), working(60_000), working(60_000), DONE)
    seen: list[int | None] = []
    settling = drive.settling()

    def pause(seconds: float) -> bool:
        drive.now += 100 * seconds
        seen.append(settling.seconds_left)
        return True

    settling._pause = pause
    assert settling.run() is not None
    assert seen[-1] == 0
    assert all(left is None or left >= 0 for left in seen)
