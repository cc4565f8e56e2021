"""A run that destroys keys dies before and after each of its effects; it is resumed, and comes to the same end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sanitizer import engine
from sanitizer.clearance import Confirmation, clear
from sanitizer.errors import JournalDamaged
from sanitizer.hooks import Hooks
from sanitizer.journal import peek, runs_in
from sanitizer.planning import ANSWERS, PlanRequest, plan, plan_again
from sanitizer.run import RunResult
from sanitizer.settings import Settings
from tests.lab.verdicts import verdict_of
from tests.support.container_drive import CIPHERTEXT, ContainerDrive, ContainerSystem
from tests.support.luks_made import AREA, METADATA, changed, header
from tests.support.simulated_drive import Crash, Steps

REQUEST = PlanRequest(
    technique="luks-crypto-erase", pattern_set="keyed-stream-then-zeros", answers=tuple(ANSWERS), verification="full"
)
SETTINGS = Settings(small_block_bytes=256 << 10, threads=1, tick_seconds=0.01, progress_seconds=10.0)
RUN, SEED = "run-1", "0123456789abcdef"


def begun(system: ContainerSystem, journals: Path) -> RunResult:
    inspection = system.inspect()
    confirmed = Confirmation(fingerprint=inspection.fingerprint or "")
    clearance = clear(inspection, plan(REQUEST, inspection), confirmed, system.now())
    return engine.sanitize(system, SETTINGS, clearance, RUN, journals, SEED, Hooks())


def resumed(system: ContainerSystem, journals: Path) -> RunResult:
    inspection = system.inspect()
    confirmed = Confirmation(fingerprint=inspection.fingerprint or "")
    again = plan_again(REQUEST, inspection, REQUEST.steps)
    clearance = clear(inspection, again, confirmed, system.now())
    return engine.resume(system, SETTINGS, clearance, RUN, journals, Hooks())


def steps_of_a_whole_run(folder: Path) -> int:
    system = ContainerSystem(ContainerDrive(), Steps())
    assert begun(system, folder).state == "succeeded"
    return system.steps.count


@pytest.mark.parametrize(
    ("when", "power"), [("before", False), ("after", True)], ids=["killed before", "without power after"]
)
def test_wherever_it_dies_it_comes_to_the_same_end(when: str, power: bool, tmp_path: Path) -> None:
    count = steps_of_a_whole_run(tmp_path / "whole")
    assert count > 30
    for at in range(count):
        journals, drive = tmp_path / f"{at}", ContainerDrive()
        before = bytes(drive.durable)
        system = ContainerSystem(drive, Steps(crash_at=at, when=when))
        with pytest.raises(Crash):
            begun(system, journals)
        system.die()
        if power:
            drive.power_cut()
        drive.claimed = False
        again = ContainerSystem(drive, Steps(), "boot-2" if power else "boot-1")
        again.clock = system.clock + 1
        if not runs_in(journals):
            assert bytes(drive.durable) == before
            continue
        if not peek(journals, RUN)[0]:
            with pytest.raises(JournalDamaged):  # without its beginning: nothing was written
                resumed(again, journals)
            assert bytes(drive.durable) == before
            continue
        outcome = resumed(again, journals)
        assert outcome.state == "succeeded", (at, system.steps.names[-1], outcome.run.error)
        assert not any(drive.durable[:AREA])
        assert bytes(drive.durable[AREA:]) == CIPHERTEXT
        assert verdict_of(outcome).outcome == "sanitized", verdict_of(outcome).reasons


def refused_for(system: ContainerSystem, journals: Path, change: Callable[[], object]) -> str:
    """The reason of a run whose container changes once it was cleared."""
    inspection = system.inspect()
    confirmed = Confirmation(fingerprint=inspection.fingerprint or "")
    clearance = clear(inspection, plan(REQUEST, inspection), confirmed, system.now())
    change()
    before = bytes(system.drive.durable)
    outcome = engine.sanitize(system, SETTINGS, clearance, RUN, journals, SEED, Hooks())
    assert (outcome.state, outcome.run.touched) == ("refused", "no")
    assert bytes(system.drive.durable) == before
    return outcome.run.error or ""


def headers(metadata: dict[str, Any], **changes: Any) -> bytes:  # noqa: ANN401 - any field of a header
    return header(metadata, **changes) + header(metadata, second=True, **changes)


def put(drive: ContainerDrive, made: bytes) -> None:
    drive.current[: len(made)] = made


def test_a_condition_that_ceases_to_hold_after_the_clearance_is_found(tmp_path: Path) -> None:
    drive = ContainerDrive()
    now = headers(changed(lambda m: m["config"].update(requirements={"mandatory": ["online-reencrypt-v2"]})))
    error = refused_for(ContainerSystem(drive, Steps()), tmp_path, lambda: put(drive, now))
    assert "reencryption is under way" in error


def test_a_container_that_goes_after_the_clearance_is_missed(tmp_path: Path) -> None:
    drive = ContainerDrive()
    error = refused_for(ContainerSystem(drive, Steps()), tmp_path, lambda: put(drive, bytes(4096)))
    assert "the container that was planned for is not there" in error


def test_a_container_that_changes_while_its_data_is_read_is_found(tmp_path: Path) -> None:
    drive = ContainerDrive()
    other = headers(METADATA, uuid="8a1f4f9e-1d7b-4f0a-9a53-0f6f2b6f7c99")
    read = drive.read

    def reading(length: int, offset: int) -> bytes:
        if offset >= AREA:
            put(drive, other)
        return read(length, offset)

    drive.read = reading  # type: ignore[method-assign]  # for one run
    error = refused_for(ContainerSystem(drive, Steps()), tmp_path, lambda: None)
    assert "changed while it was being read" in error


def test_a_run_killed_before_its_first_write_looks_again_at_what_lies_there(tmp_path: Path) -> None:
    drive = ContainerDrive()
    names = ContainerSystem(ContainerDrive(), Steps())
    begun(names, tmp_path / "whole")
    at = names.steps.names.index("journal first-write")
    system = ContainerSystem(drive, Steps(crash_at=at))
    with pytest.raises(Crash):
        begun(system, tmp_path / "journals")
    system.die()
    drive.claimed = False
    drive.current[AREA + 4096 : AREA + 4096 + 512] = b"stored in plain while nobody looked.    " * 12 + bytes(32)
    outcome = resumed(ContainerSystem(drive, Steps()), tmp_path / "journals")
    assert outcome.state in {"refused", "interrupted"}
    assert "are no ciphertext" in (outcome.run.error or "")
    assert outcome.run.touched == "no"
