"""Progress where no terminal is: a line now and then, also while a drive works and no bytes are counted."""

from __future__ import annotations

import dataclasses

import pytest

from sanitizer.cli.output import tell_result
from sanitizer.cli.progress import Display
from sanitizer.errors import TechniqueFailed
from sanitizer.planning import PlanRequest
from sanitizer.results import Course, Work, not_verified, result
from sanitizer.run import Progress, RunState
from sanitizer.techniques.base import CommandFacts
from tests.support.made_up_drives import ATA_SSD

AT = Progress(
    run_id="run-1",
    state="settling",
    pass_number=1,
    passes=1,
    bytes_done=0,
    bytes_total=0,
    bytes_per_second=0,
    seconds_left=None,
    errors=0,
)


def lines(capsys: pytest.CaptureFixture[str], told: list[tuple[float, Progress]]) -> list[str]:
    now = [0.0]
    with Display(quiet=False, clock=lambda: now[0]) as display:
        listen = display.listener("/dev/sda")
        for moment, progress in told:
            now[0] = moment
            listen(progress)
    return capsys.readouterr().err.splitlines()


def test_a_drive_at_work_is_told_of_once_a_minute(capsys: pytest.CaptureFixture[str]) -> None:
    told = [(float(second), AT) for second in range(0, 181, 10)]
    assert lines(capsys, told) == ["/dev/sda: the drive is settling its work, remaining time unknown"] * 4


def test_its_remaining_time_is_told_when_it_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert lines(capsys, [(0.0, dataclasses.replace(AT, seconds_left=90))]) == [
        "/dev/sda: the drive is settling its work, 0:01:30 left"
    ]


def test_the_beginning_of_its_work_is_told_between_two_tenths(capsys: pytest.CaptureFixture[str]) -> None:
    writing = dataclasses.replace(AT, state="executing", bytes_done=45, bytes_total=100, bytes_per_second=5)
    told = [(0.0, writing), (1.0, writing), (2.0, dataclasses.replace(writing, state="settling"))]
    assert lines(capsys, told) == [
        "/dev/sda: 45 %, pass 1 of 1, 5 B/s, remaining time unknown",
        "/dev/sda: 45 %, the drive is settling its work, remaining time unknown",
    ]


def test_the_result_tells_each_command_with_what_the_drive_said_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    facts = CommandFacts(
        number=1,
        technique="ata-sanitize-block-erase",
        command="SANITIZE DEVICE / BLOCK ERASE EXT",
        opcode="b4",
        sent="85",
        sent_at="2026-01-01T00:00:00Z",
        answered_at=None,
        answer="",
        accepted="unknown",
        before="",
        after="",
        reported="failed",
        setting=None,
    )
    inspection, request = ATA_SSD, PlanRequest(technique="ata-sanitize-block-erase", pattern_set="canaries")
    course = Course(
        run_id="run-1",
        path="/dev/sim",
        device=inspection.device_facts(),
        started="2026-01-01T00:00:00Z",
        finished="2026-01-01T00:00:01Z",
        segments=(),
        clock_synchronized=True,
        identity_after=None,
        touched="maybe",
    )
    work = Work(steps=request.steps, commands=(dataclasses.asdict(facts),))
    error = TechniqueFailed(technique="ata-sanitize-block-erase", reason="it says so")
    tell_result(result(course, request, work, (), not_verified("no-canary"), RunState.FAILED, error))
    said = capsys.readouterr().err
    assert "ata-sanitize-block-erase: SANITIZE DEVICE / BLOCK ERASE EXT (b4h), accepted unknown" in said
    assert "the drive says failed" in said
    assert "The medium may have been changed." in said
