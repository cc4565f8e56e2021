"""A drive's own account of its health, asked before and after a run by the real engine: what it says and cannot spoil."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sanitizer import engine
from sanitizer.capability import Capabilities
from sanitizer.health import read_health
from sanitizer.journal import peek
from sanitizer.planning import PlanRequest
from sanitizer.recovery import recover
from sanitizer.run import HealthReading, Progress, RunResult
from sanitizer.stretch import Hooks

from .drives import ata
from .drives.ata import Answer, AtaDrive
from .drives.ata_identify import AtaModel
from .drives.ata_registers import Taskfile
from .drives.clock import ManualClock
from .drives.emmc import EmmcDevice, EmmcModel
from .drives.faults import Faults, NoAnswer
from .drives.medium import Medium
from .drives.nvme_asking import drive
from .drives.nvme_world import mmc_world, nvme_world
from .drives.sat import SataDisk
from .drives.scsi import ScsiDisk
from .drives.scsi_world import scsi_world
from .drives.world import RUN, World

TAKEN = "2026-01-01T00:00:00Z"
OVERWRITE = PlanRequest(pattern_set="zeros")


@dataclasses.dataclass
class Patient:
    """A drive in its world."""

    world: World[Any]
    faults: Faults
    source: str
    counter: str
    """Which of its counters of bad blocks it keeps."""

    def look(self) -> HealthReading:
        inspection = self.world.inspect()
        ports = self.world.open_reading(inspection.path).ports()
        found = read_health(ports, inspection.capabilities, inspection.transport, "before", TAKEN)
        assert found is not None
        return found

    def capabilities(self) -> Capabilities:
        found = self.world.inspect().capabilities
        assert found is not None
        return found


def _medium() -> Medium:
    return Medium(4096, faults=Faults(celsius=41), clock=ManualClock())


def sata() -> Patient:
    disk = SataDisk(AtaDrive(_medium(), serial="H1", model=AtaModel.magnetic()))
    return Patient(scsi_world(disk), disk.ata.medium.faults, "ata-smart", "reallocated")


def sas() -> Patient:
    disk = ScsiDisk(_medium(), serial="H2")
    return Patient(scsi_world(disk), disk.medium.faults, "scsi-logs", "reallocated")


def nvme() -> Patient:
    controller = drive(faults=Faults(celsius=41))
    return Patient(nvme_world(controller), controller.subsystem.medium.faults, "nvme-log", "uncorrectable")


KINDS: dict[str, Callable[[], Patient]] = {"sata": sata, "sas": sas, "nvme": nvme}
EVERY = pytest.mark.parametrize("build", KINDS.values(), ids=KINDS)


def _wiped(patient: Patient, folder: Path, hooks: Hooks | None = None) -> RunResult:
    return patient.world.wipe(OVERWRITE, folder, hooks)


@EVERY
def test_a_drive_says_how_it_is_and_every_answer_is_kept(build: Callable[[], Patient]) -> None:
    patient = build()
    setattr(patient.faults, patient.counter, 5)
    found = patient.look()
    assert (found.source, found.prediction, found.temperature, found.power_on_hours) == (
        patient.source, "passed", 41, 1234,
    )  # fmt: skip
    assert getattr(found, patient.counter) == 5
    assert found.problem is None
    assert all(one.answer for one in found.answers)


@EVERY
def test_a_drive_that_predicts_its_failure_is_heard(build: Callable[[], Patient]) -> None:
    patient = build()
    patient.faults.predicts = True
    assert patient.look().prediction == "failing"


@EVERY
def test_a_run_reads_before_the_first_write_and_after_the_last_read(
    build: Callable[[], Patient], tmp_path: Path
) -> None:
    patient = build()

    def worsen(progress: Progress) -> None:
        if progress.state == "executing":
            setattr(patient.faults, patient.counter, 3)

    result = _wiped(patient, tmp_path, Hooks(progress=worsen))
    assert result.state == "succeeded", result.run.error
    before, after = result.health
    assert (before.moment, after.moment) == ("before", "after")
    assert (getattr(before, patient.counter), getattr(after, patient.counter)) == (0, 3)
    kinds = [entry["kind"] for entry in peek(tmp_path, RUN)[0]]
    assert kinds.index("health") < kinds.index("first-write")
    assert kinds.index("verifying") < len(kinds) - 1 - kinds[::-1].index("health")
    assert RunResult.from_dict(result.to_dict()) == result


def test_a_drive_that_keeps_silent_about_its_health_is_wiped_all_the_same(tmp_path: Path) -> None:
    """What cannot be read is said to be unknown; it is no reason against a run."""
    patient = sata()
    ata = patient.world.blocks._target.ata

    def silent(*_: object) -> Any:  # noqa: ANN401 - never returns
        raise NoAnswer

    ata._table[0xB0] = silent
    result = _wiped(patient, tmp_path)
    assert result.state == "succeeded", result.run.error
    assert [(one.prediction, bool(one.problem)) for one in result.health] == [("unknown", True)] * 2


@pytest.mark.parametrize(
    ("wear", "listed", "asked"),
    [
        (12, (0, 7), [(0x00, 0), (0x04, 0), (0x04, 7)]),
        (12, (0, 1), [(0x00, 0), (0x04, 0)]),
        (None, (), [(0x00, 0)]),
    ],
)
def test_a_sata_drive_tells_its_wear_and_is_asked_only_for_pages_it_lists(
    wear: int | None, listed: tuple[int, ...], asked: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = SataDisk(AtaDrive(_medium(), serial="H1", model=AtaModel(wear=wear)))
    log, seen = disk.ata._table[0x2F], []

    def noted(task: Taskfile, data: bytes) -> Answer:
        seen.append((task.lba & 0xFF, task.lba >> 8 & 0xFF))
        return log(task, data)

    disk.ata._table[0x2F] = noted
    if listed == (0, 1):
        page = bytes((1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1)).ljust(512, b"\0")
        monkeypatch.setattr(ata, "wear_statistics", lambda _number, _percent: page)
    patient = Patient(scsi_world(disk), disk.ata.medium.faults, "ata-smart", "reallocated")
    known = patient.capabilities()
    seen.clear()
    found = read_health(patient.world.open_reading("/dev/emulated").ports(), known, "sata", "before", TAKEN)
    assert found is not None
    assert found.used_percent == (wear if 7 in listed else None)
    assert seen == asked


def test_a_sata_drive_behind_a_usb_bridge_is_asked_for_no_logs() -> None:
    patient = sata()
    ports = patient.world.open_reading("/dev/emulated").ports()
    found = read_health(ports, patient.capabilities(), "usb", "before", TAKEN)
    assert found is not None
    assert {one.question for one in found.answers} == {"smart-data", "smart-status"}


def test_smart_that_is_switched_off_is_left_off() -> None:
    patient = sata()
    known = patient.capabilities()
    assert known.ata is not None
    words = bytearray(known.ata.identify)
    words[2 * 85] &= ~1
    off = dataclasses.replace(known, ata=dataclasses.replace(known.ata, identify=bytes(words)))
    asked: list[bytes] = []

    class Port:
        def scsi(self, cdb: bytes, **_: object) -> Any:  # noqa: ANN401 - never returns
            asked.append(cdb)
            raise AssertionError(cdb)

    ports = dataclasses.replace(patient.world.open_reading("/dev/emulated").ports(), scsi=Port())
    found = read_health(ports, off, "sata", "before", TAKEN)
    assert found is not None
    assert (found.prediction, asked) == ("unknown", [])
    assert "switched off" in (found.problem or "")


def test_a_scsi_disk_behind_a_usb_bridge_is_asked_nothing() -> None:
    patient = sas()
    ports = patient.world.open_reading("/dev/emulated").ports()
    assert read_health(ports, patient.capabilities(), "usb", "before", TAKEN) is None
    assert read_health(ports, None, "sas", "before", TAKEN) is None


def test_an_emmc_tells_its_wear() -> None:
    device = EmmcDevice(_medium(), EmmcModel())
    world = mmc_world(device)
    found = read_health(
        world.open_reading("/dev/emulated").ports(), world.inspect().capabilities, "mmc", "after", TAKEN
    )
    assert found is not None
    assert (found.source, found.moment) == ("mmc-ext-csd", "after")


def test_a_run_cut_off_keeps_what_it_read_before_and_reads_again_after(tmp_path: Path) -> None:
    patient = sata()
    hooks = Hooks()

    def halfway(progress: Progress) -> None:
        if progress.state == "executing":
            hooks.stop.set()

    cut = dataclasses.replace(hooks, progress=halfway)
    first = _wiped(patient, tmp_path, cut)
    assert first.state == "interrupted"
    assert [one.moment for one in first.health] == ["before"]
    patient.faults.reallocated = 7
    again = patient.world.go_on(OVERWRITE, tmp_path)
    assert again.state == "succeeded", again.run.error
    assert [(one.moment, one.reallocated) for one in again.health] == [("before", 0), ("after", 7)]


def test_a_run_given_up_tells_what_it_read_before(tmp_path: Path) -> None:
    patient = sata()
    hooks = Hooks()

    def at_once(progress: Progress) -> None:
        if progress.state == "executing":
            hooks.stop.set()

    _wiped(patient, tmp_path, dataclasses.replace(hooks, progress=at_once))
    assert [one.moment for one in engine.abandon(patient.world, RUN, tmp_path, "hopeless").health] == ["before"]


def test_a_failed_run_of_the_hosts_own_writing_tells_how_the_drive_is_now(tmp_path: Path) -> None:
    patient = sata()
    patient.faults.bad_writes = ((100, 1),)
    patient.faults.pending = 1
    result = _wiped(patient, tmp_path)
    assert result.state == "failed"
    assert [one.moment for one in result.health] == ["before", "after"]


def test_a_journal_of_a_build_without_health_is_read_as_before(tmp_path: Path) -> None:
    patient = sata()
    _wiped(patient, tmp_path)
    entries = [entry for entry in peek(tmp_path, RUN)[0] if entry["kind"] != "health"]
    ended = entries[-1]["result"]
    del ended["health"]
    found = recover(entries)
    assert found is not None
    assert found.health_before == ()
    assert found.result is not None
    assert found.result.health == ()
    assert "health" not in found.result.to_dict()
