"""The wipe room at the agent: lamps that say no more than is known, disks that are given up, memory that suffices."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

import sanitizer
from agents.config import MIB_OF_A_RUN, Settings
from agents.hopeless import UNLIMITED, Limits, Patience
from agents.lamps import FRESH, Lamps
from agents.reporter import Control
from agents.temperature import Thermometer, temperature_of
from inventory.contract.v1.devices import ObservedDevice
from sanitizer.content import CHUNK
from sanitizer.settings import Settings as EngineSettings
from tests.support.inventory_world import DISK, OTHER_DISK

ONE, TWO = DISK.facts.fingerprint, OTHER_DISK.facts.fingerprint


class Enclosure:
    """As the kernel's enclosure driver shows two bays."""

    def __init__(self, folder: Path) -> None:
        self.sys = folder
        for number, node in enumerate(("sdb", "sdc")):
            bay = folder / "class/enclosure/0:0:8:0" / f"Slot{number}"
            bay.mkdir(parents=True)
            for lamp in ("locate", "fault"):
                (bay / lamp).write_text("0\n")
            device = folder / "block" / node / "device"
            device.mkdir(parents=True)
            (device / f"enclosure_device:Slot{number}").symlink_to(bay)

    def shown(self) -> list[str]:
        folders = sorted((self.sys / "class/enclosure/0:0:8:0").iterdir())
        return ["".join((bay / lamp).read_text().strip() for lamp in ("locate", "fault")) for bay in folders]


def seen(node: str, disk: object = DISK) -> ObservedDevice:
    return disk.observed.model_copy(update={"path": node})  # type: ignore[attr-defined, no-any-return]


@pytest.fixture
def bays(tmp_path: Path) -> Enclosure:
    return Enclosure(tmp_path)


def lit(bays: Enclosure, signs: dict[str, str]) -> Lamps:
    lamps = Lamps(bays.sys)
    lamps.see([seen("/dev/sdb"), seen("/dev/sdc", OTHER_DISK)], 0.0)
    lamps.told(signs, 0.0)
    return lamps


def test_a_lamp_shows_what_the_service_says_of_the_disk_in_that_bay(bays: Enclosure) -> None:
    lamps = lit(bays, {ONE: "pull", TWO: "failed"})
    assert bays.shown() == ["10", "01"]
    lamps.told({TWO: "pull"}, 1.0)
    assert bays.shown() == ["00", "10"]


def test_another_disk_in_a_bay_does_not_inherit_its_lamp(bays: Enclosure) -> None:
    lamps = lit(bays, {ONE: "pull"})
    lamps.see([seen("/dev/sdc"), seen("/dev/sdb", OTHER_DISK)], 1.0)
    assert bays.shown() == ["00", "10"]
    lamps.see([seen("/dev/sdb", OTHER_DISK)], 2.0)
    assert bays.shown() == ["00", "00"], "an emptied bay is dark"


def test_what_was_told_too_long_ago_is_put_out_and_so_is_everything_at_the_end(bays: Enclosure) -> None:
    lamps = lit(bays, {ONE: "pull"})
    lamps.keep(FRESH)
    assert bays.shown() == ["10", "00"]
    lamps.keep(FRESH + 1)
    assert bays.shown() == ["00", "00"]
    lamps.told({ONE: "pull"}, FRESH + 2)
    lamps.dark()
    assert bays.shown() == ["00", "00"]


def test_one_disk_at_two_places_lights_nothing(bays: Enclosure) -> None:
    lamps = lit(bays, {ONE: "pull"})
    lamps.see([seen("/dev/sdb"), seen("/dev/sdc")], 1.0)
    assert bays.shown()[1] == "00"
    lamps.keep(2.0)
    assert "1" not in bays.shown()[1]


def test_the_one_lamp_of_an_nvme_slot_blinks_to_be_pulled_and_shines_at_what_failed(tmp_path: Path) -> None:
    lamp = _slot(tmp_path, "0000:01:00")
    _nvme(tmp_path, "0000:01:00.0")
    lamps = Lamps(tmp_path)
    lamps.see([seen("/dev/nvme0n1")], 0.0)
    shown = []
    for sign in ("pull", "failed", "held"):
        lamps.told({ONE: sign}, 0.0)
        shown.append(lamp.read_text().strip())
    assert shown == ["2", "1", "0"]


def test_a_drive_with_two_ways_in_or_behind_an_adapter_has_no_lamp_of_its_own(tmp_path: Path) -> None:
    lamp, other = _slot(tmp_path, "0000:01:00"), _slot(tmp_path, "0000:02:00")
    _nvme(tmp_path, "0000:01:00.0", "0000:02:00.0")
    behind = tmp_path / "devices/0000:01:00.0/virtio0/disk"
    behind.mkdir(parents=True)
    (tmp_path / "block/sdb").mkdir(parents=True)
    (tmp_path / "block/sdb/device").symlink_to(behind)
    lamps = Lamps(tmp_path)
    lamps.see([seen("/dev/nvme0n1"), seen("/dev/sdb", OTHER_DISK)], 0.0)
    lamps.told({ONE: "pull", TWO: "pull"}, 0.0)
    assert [each.read_text().strip() for each in (lamp, other)] == ["0", "0"]


def _slot(sys: Path, address: str) -> Path:
    slot = sys / "bus/pci/slots" / address[5:7]
    slot.mkdir(parents=True)
    (slot / "address").write_text(address + "\n")
    (slot / "attention").write_text("0\n")
    return slot / "attention"


def _nvme(sys: Path, *functions: str) -> None:
    """A namespace as the kernel shows it: its device is the subsystem, with a link to each controller."""
    subsystem = sys / "devices/virtual/nvme-subsystem/nvme-subsys0"
    subsystem.mkdir(parents=True)
    for number, function in enumerate(functions):
        controller = sys / "devices" / function / f"nvme/nvme{number}"
        controller.mkdir(parents=True)
        (controller / "address").write_text(function + "\n")
        (subsystem / f"nvme{number}").symlink_to(controller)
    (sys / "block/nvme0n1").mkdir(parents=True)
    (sys / "block/nvme0n1/device").symlink_to(subsystem)


def test_an_enclosure_without_lamps_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "block/sdb/device").mkdir(parents=True)
    lamps = Lamps(tmp_path)
    lamps.see([seen("/dev/sdb")], 0.0)
    lamps.told({ONE: "pull"}, 0.0)
    lamps.dark()


# --- giving up ---

LIMITS = Limits(slowest=1000, slow_seconds=60, most_errors=10, hottest=70, hot_seconds=30)
PROGRESS = sanitizer.Progress(
    run_id="r", state="executing", pass_number=1, passes=1, bytes_done=1, bytes_total=9,
    bytes_per_second=5000, seconds_left=1, errors=0,
)  # fmt: skip


def at(**changes: object) -> sanitizer.Progress:
    return dataclasses.replace(PROGRESS, **changes)  # type: ignore[arg-type]


def test_a_disk_that_stays_too_slow_is_given_up_and_one_that_recovers_is_not() -> None:
    patience = Patience(LIMITS, by_host=True)
    assert patience.judge(at(bytes_per_second=999), None, 0) is None
    assert patience.judge(at(bytes_per_second=999), None, 59) is None
    assert patience.judge(PROGRESS, None, 60) is None
    assert patience.judge(at(bytes_per_second=999), None, 61) is None
    assert patience.judge(at(bytes_per_second=999), None, 120) is None
    assert "Destroy it" in (patience.judge(at(bytes_per_second=999), None, 121) or "")


def test_a_drive_that_erases_by_itself_is_not_slow() -> None:
    patience = Patience(LIMITS, by_host=False)
    assert [patience.judge(at(bytes_per_second=0), None, now) for now in (0, 9999)] == [None, None]
    assert patience.judge(at(bytes_per_second=0, state="settling"), None, 99999) is None
    assert patience.judge(at(bytes_per_second=0, state="verifying"), None, 100000) is None
    assert patience.judge(at(bytes_per_second=0, state="verifying"), None, 100060), (
        "reading back is the host's own work"
    )


def test_too_many_errors_and_lasting_heat_give_a_disk_up() -> None:
    patience = Patience(LIMITS, by_host=True)
    assert patience.judge(at(errors=10), None, 0) is None
    assert "11 blocks" in (patience.judge(at(errors=11), None, 0) or "")
    assert patience.judge(PROGRESS, 71, 0) is None
    assert patience.judge(PROGRESS, None, 29) is None, "an unknown temperature is no heat"
    assert patience.judge(PROGRESS, 71, 30) is None
    assert "70 degrees" in (patience.judge(PROGRESS, 71, 60) or "")


def test_without_limits_nothing_is_given_up() -> None:
    patience = Patience(UNLIMITED, by_host=True)
    assert patience.judge(at(errors=10**6, bytes_per_second=0), 200, 10**6) is None


def test_why_a_disk_was_given_up_stands_in_its_record_and_a_stop_of_the_service_comes_first() -> None:
    hopeless, stopped = Control(), Control()
    hopeless.give_up("It is slow. Destroy it.")
    assert (hopeless.cancelled, hopeless.stop.is_set(), hopeless.why) == (True, True, "It is slow. Destroy it.")
    stopped.cancel()
    stopped.give_up("It is slow. Destroy it.")
    assert stopped.why == "The service asked to end the run."


def test_the_temperature_is_the_drives_own_or_unknown(tmp_path: Path) -> None:
    sensor = tmp_path / "block/sdb/device/hwmon/hwmon3"
    sensor.mkdir(parents=True)
    assert temperature_of("/dev/sdb", tmp_path) is None
    for text, degrees in (("41000\n", 41), ("-5000", -5), ("999000", None), ("?", None)):
        (sensor / "temp1_input").write_text(text)
        assert temperature_of("/dev/sdb", tmp_path) == degrees


def test_a_drive_at_work_by_itself_is_not_asked_how_hot_it_is() -> None:
    asked: list[str] = []

    def read(node: str) -> int:
        asked.append(node)
        return 40

    def look(*, by_host: bool, state: str, now: float = 0.0) -> int | None:
        return Thermometer("/dev/sdb", Patience(UNLIMITED, by_host=by_host), lambda: now, read)(at(state=state))[0]

    assert look(by_host=True, state="executing") == 40
    assert look(by_host=False, state="executing") is None
    assert look(by_host=True, state="settling") is None
    assert asked == ["/dev/sdb"]
    clock = [0.0]
    thermometer = Thermometer("/dev/sdb", Patience(UNLIMITED, by_host=True), lambda: clock[0], read)
    for moment in (0.0, 1.0, 9.0, 10.0):
        clock[0] = moment
        thermometer(PROGRESS)
    assert len(asked) == 3, "once in ten seconds"


@pytest.mark.parametrize(("wanted", "ceiling", "got"), [(4, 1024, 4), (60, 1024, 60), (60, 512, 32), (8, 32, 2)])
def test_no_more_runs_at_once_than_there_is_memory_for(wanted: int, ceiling: int, got: int) -> None:
    assert Settings(max_parallel_runs=wanted, memory_ceiling_mib=ceiling).parallel == got


def test_a_run_counts_with_more_than_its_largest_buffers() -> None:
    engine = EngineSettings()
    reading = engine.block_bytes + CHUNK  # what a thread that reads back holds: what it is given, and what it expects
    spread = engine.marker_unit_bytes * 2 + CHUNK
    assert 2 * reading + spread < MIB_OF_A_RUN << 20, "with two threads, which a few runs have"
