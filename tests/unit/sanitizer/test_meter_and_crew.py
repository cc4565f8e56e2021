from __future__ import annotations

import threading

import pytest

from sanitizer.crew import Crew
from sanitizer.meter import Meter

MB = 1_000_000


def feed(meter: Meter, begun: float, seconds: int, rate: int, start: int = 0) -> int:
    done = start
    for second in range(seconds + 1):
        done = start + second * rate
        meter.observe(begun + second, done)
    return done


def test_nothing_is_said_until_something_honest_can_be_said() -> None:
    meter = Meter(pass_bytes=1000 * MB, passes=1, verify_bytes=0)
    assert meter.seconds_left is None
    meter.begin_pass(1)
    feed(meter, 0, 2, 10 * MB)
    assert meter.seconds_left is None
    feed(meter, 0, 5, 10 * MB)
    assert meter.seconds_left == pytest.approx(95, abs=1)


def test_a_stalled_device_has_no_remaining_time() -> None:
    meter = Meter(pass_bytes=1000 * MB, passes=1, verify_bytes=0)
    meter.begin_pass(1)
    end = feed(meter, 0, 10, 10 * MB)
    for second in range(11, 60):
        meter.observe(second, end)
    assert meter.seconds_left is None
    assert meter.rate == 0


def test_passes_and_verification_to_come_are_counted() -> None:
    meter = Meter(pass_bytes=1000 * MB, passes=3, verify_bytes=500 * MB)
    meter.begin_pass(1)
    feed(meter, 0, 10, 10 * MB)
    assert meter.seconds_left == pytest.approx(90 + 200 + 50, abs=2)
    assert meter.total == 3500 * MB
    assert meter.done == 100 * MB


def test_reading_is_judged_by_reading() -> None:
    meter = Meter(pass_bytes=1000 * MB, passes=1, verify_bytes=1000 * MB)
    meter.begin_pass(1)
    feed(meter, 0, 100, 10 * MB)
    meter.begin_verification()
    assert meter.seconds_left is None  # no reading seen yet
    feed(meter, 100, 10, 50 * MB)
    assert meter.seconds_left == pytest.approx(10, abs=1)
    assert meter.done == 1500 * MB


def test_the_present_rate_is_that_of_the_last_half_minute() -> None:
    meter = Meter(pass_bytes=100_000 * MB, passes=1, verify_bytes=0)
    meter.begin_pass(1)
    end = feed(meter, 0, 100, 100 * MB)
    feed(meter, 100, 60, 10 * MB, end)
    assert meter.rate == pytest.approx(10 * MB, rel=0.05)


def test_more_is_never_done_than_there_is() -> None:
    meter = Meter(pass_bytes=10, passes=1, verify_bytes=0)
    meter.begin_pass(1)
    meter.observe(1, 50)
    assert meter.done == meter.total == 10


def fails(_worker: int = 0) -> None:
    raise ZeroDivisionError


def crew(threads: int = 2, stop: threading.Event | None = None) -> Crew:
    return Crew("test", threads, stop or threading.Event(), lambda: None, 0.01)


def test_every_worker_runs_and_the_caller_waits_for_all() -> None:
    seen: list[int] = []
    crew(4).run(seen.append)
    assert sorted(seen) == [0, 1, 2, 3]


def test_the_first_failure_is_raised_and_halts_the_others() -> None:
    made = crew(2)
    began = threading.Event()

    def body(worker: int) -> None:
        if worker == 0:
            began.wait(10)
            raise ValueError("worker")
        began.set()
        while made.going:
            pass

    with pytest.raises(ValueError, match="worker"):
        made.run(body)


def test_a_stop_halts_all_workers() -> None:
    stop = threading.Event()
    made = crew(2, stop)

    def body(worker: int) -> None:
        if worker == 0:
            stop.set()
        while made.going:
            pass

    made.run(body)
    assert made.stopping


def test_a_failing_supervisor_waits_for_its_workers() -> None:
    ended: list[int] = []
    made = Crew("test", 2, threading.Event(), fails, 0.001)
    gate = threading.Event()

    def body(worker: int) -> None:
        gate.wait(0.05)
        while made.going:
            pass
        ended.append(worker)

    with pytest.raises(ZeroDivisionError):
        made.run(body)
    assert sorted(ended) == [0, 1]


def test_a_crew_can_run_again_after_a_failure() -> None:
    made = crew(1)
    with pytest.raises(ZeroDivisionError):
        made.run(fails)
    seen: list[int] = []
    made.run(seen.append)
    assert seen == [0]
