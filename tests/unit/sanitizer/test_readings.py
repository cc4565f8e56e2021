"""What sysfs says of recorded drives; the bytes are real, the folders around them are put up here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sanitizer.host import Host
from sanitizer.identity import cleaned
from sanitizer.readings import SysfsNames
from tests.support.capabilities import RECORDINGS, requires_loop, requires_recordings


def put(root: Path, name: str, attributes: dict[str, str | bytes]) -> SysfsNames:
    folder = root / "sys/block" / name
    folder.mkdir(parents=True)
    for attribute, value in attributes.items():
        file = folder / attribute
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(value if isinstance(value, bytes) else value.encode() + b"\n")
    return SysfsNames(Host(proc=root / "proc", sys=root / "sys", dev=root / "dev", run=root / "run"), name)


ATA = sorted((RECORDINGS / "ata").glob("*.expected.json")) if RECORDINGS.is_dir() else []


def _strings(expected: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}

    def walk(value: Any) -> None:  # noqa: ANN401 - the files come from different decoders
        if isinstance(value, dict):
            for key, inner in value.items():
                if key in {"model", "serial", "firmware"} and isinstance(inner, str):
                    found.setdefault(key, inner)
                walk(inner)

    walk(expected)
    return found


@requires_recordings
@pytest.mark.recordings
def test_model_serial_and_firmware_come_whole_from_recorded_identify_data(tmp_path: Path) -> None:
    """SCSI INQUIRY cuts a model to 16 characters; SAT's page 89h carries all of IDENTIFY DEVICE."""
    checked = 0
    for number, file in enumerate(ATA):
        raw = file.with_name(file.name.replace(".expected.json", ".bin"))
        said = _strings(json.loads(file.read_text()))
        if not raw.exists() or raw.stat().st_size < 512 or "model" not in said:
            continue
        page = bytes([0, 0x89, 2, 0x38]) + bytes(56) + raw.read_bytes()[:512]
        names = put(
            tmp_path / str(number),
            "sda",
            {"device/vendor": "ATA     ", "device/model": "cut", "device/rev": "cut", "device/vpd_pg89": page},
        )
        assert (names.kind, names.vendor) == ("ata", None)
        assert cleaned(names.model) == cleaned(said["model"])
        if "serial" in said:
            assert cleaned(names.serial) == cleaned(said["serial"])
        checked += 1
    assert checked >= 5


@requires_recordings
@pytest.mark.recordings
def test_a_recorded_unit_serial_number_is_read(tmp_path: Path) -> None:
    raw = next((RECORDINGS / "scsi").glob("WDC_WD800JD.vpd_pg80*"))
    if raw.suffix == ".json":
        raw = raw.with_name(raw.name.replace(".expected.json", ".bin"))
    names = put(
        tmp_path, "sdb", {"device/vendor": "WDC", "device/model": "WD800JD", "device/vpd_pg80": raw.read_bytes()}
    )
    assert names.kind == "scsi"
    assert names.serial is not None
    assert names.serial.strip().startswith("WD-")


def test_an_ata_disk_without_page_89h_keeps_the_shorter_names(tmp_path: Path) -> None:
    names = put(
        tmp_path,
        "sda",
        {
            "device/vendor": "ATA     ",
            "device/model": "KINGSTON SH103S3",
            "device/rev": "BBF0",
            "device/vpd_pg80": b"\x00\x80\x00\x0450026B",
            "device/wwid": "naa.50026b7234014d5c",
        },
    )
    assert (names.model, names.firmware, names.serial, names.wwn) == (
        "KINGSTON SH103S3",
        "BBF0",
        "5002",
        "naa.50026b7234014d5c",
    )


@pytest.mark.parametrize(
    ("wwid", "field", "value"),
    [
        ("naa.5000c5003011cb2b", "wwn", "naa.5000c5003011cb2b"),
        ("eui.0025385201404936", "eui64", "0025385201404936"),
        ("eui.36525430529000570025384500000001", "nguid", "36525430529000570025384500000001"),
        ("t10.ATA     WDC", "wwn", None),
    ],
)
def test_the_kernels_best_name_is_sorted_by_kind(tmp_path: Path, wwid: str, field: str, value: str | None) -> None:
    names = put(tmp_path, "sdc", {"device/vendor": "SEAGATE", "device/wwid": wwid})
    assert getattr(names, field) == value


def test_an_nvme_namespace_has_its_controllers_serial_and_its_own_name(tmp_path: Path) -> None:
    names = put(
        tmp_path,
        "nvme0n1",
        {
            "device/model": "Samsung SSD 970 EVO Plus 500GB",
            "device/serial": "S4EVNJ0N203359W",
            "device/firmware_rev": "2B2QEXM7",
            "device/transport": "pcie",
            "eui": "00 25 38 52 01 40 49 36",
            "nguid": "36525430-5290-0057-0025-384500000001",
            "wwid": "eui.0025385201404936",
        },
    )
    assert (names.kind, names.transport(), names.media()) == ("nvme", "nvme-pcie", "flash")
    assert names.eui64 == "0025385201404936"
    assert names.nguid == "36525430529000570025384500000001"


def test_a_virtual_disk_gives_its_hypervisors_serial(tmp_path: Path) -> None:
    names = put(tmp_path, "vda", {"serial": "disk-7"})
    assert (names.kind, names.serial, names.media(), names.transport()) == ("virtio", "disk-7", "virtual", "virtio")


def test_a_memory_card_is_known_by_its_whole_register(tmp_path: Path) -> None:
    names = put(tmp_path, "mmcblk0", {"device/cid": "150100424a545234", "device/name": "BJTD4R", "device/fwrev": "0x6"})
    assert (names.kind, names.serial, names.model, names.media()) == ("mmc", "150100424a545234", "BJTD4R", "flash")


def test_an_unknown_driver_gives_no_identity(tmp_path: Path) -> None:
    names = put(tmp_path, "xyz0", {})
    assert (names.kind, names.serial, names.transport()) == ("other", None, "unknown")


@pytest.mark.parametrize(
    ("rotational", "place", "media"),
    [("1", "pci/ata1/sda", "magnetic"), ("0", "pci/ata1/sda", "flash"), ("1", "pci/usb1/sda", "unknown")],
)
def test_a_usb_bridges_claim_to_rotate_is_not_believed(tmp_path: Path, rotational: str, place: str, media: str) -> None:
    real = tmp_path / "sys/devices" / place
    (real / "queue").mkdir(parents=True)
    (real / "device").mkdir()
    (real / "device/vendor").write_text("Flash\n")
    (real / "queue/rotational").write_text(rotational + "\n")
    (tmp_path / "sys/block").mkdir()
    (tmp_path / "sys/block/sda").symlink_to(real)
    assert SysfsNames(Host(sys=tmp_path / "sys"), "sda").media() == media


def test_a_hypervisors_disk_is_virtual_whatever_it_says_of_rotation(tmp_path: Path) -> None:
    names = put(tmp_path, "sda", {"device/vendor": "QEMU", "device/model": "QEMU HARDDISK", "queue/rotational": "1"})
    assert names.media() == "virtual"


def proc_with(root: Path, pid: int, target: Path, flags: str) -> Path:
    """A process folder with one descriptor, as /proc shows it."""
    (root / f"{pid}/fd").mkdir(parents=True, exist_ok=True)
    (root / f"{pid}/fdinfo").mkdir(exist_ok=True)
    (root / f"{pid}/comm").write_text("tool\n")
    link = root / f"{pid}/fd/3"
    link.unlink(missing_ok=True)
    link.symlink_to(target)
    (root / f"{pid}/fdinfo/3").write_text(f"pos:\t0\nflags:\t{flags}\n")
    return link


@requires_loop
@pytest.mark.parametrize(("flags", "counts"), [("0100002", True), ("0100001", True), ("0100000", False)])
def test_only_who_may_write_counts_as_an_opener(tmp_path: Path, flags: str, counts: bool) -> None:
    loop = Path("/dev/loop0")
    if not loop.is_block_device():
        pytest.fail("this test needs /dev/loop0, which requires_loop promises")
    proc_with(tmp_path, 4_000_001, loop, flags)
    found = Host(proc=tmp_path, pause=lambda _seconds: None).lasting_openers()
    assert found is not None
    assert [opener.process for opener in found] == (["tool (4000001)"] if counts else [])


@requires_loop
def test_a_tool_that_opens_a_device_for_an_instant_is_no_opener(tmp_path: Path) -> None:
    loop = Path("/dev/loop0")
    if not loop.is_block_device():
        pytest.fail("this test needs /dev/loop0, which requires_loop promises")
    link = proc_with(tmp_path, 4_000_001, loop, "0100002")
    looks: list[float] = []

    def pause(seconds: float) -> None:
        looks.append(seconds)
        link.unlink(missing_ok=True)

    assert Host(proc=tmp_path, pause=pause).lasting_openers() == ()
    assert len(looks) == 1


def test_open_files_that_cannot_be_listed_are_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "4000001").mkdir()

    def refused(_self: Host, _process: Path) -> None:
        return None

    monkeypatch.setattr(Host, "_written_devices", refused)
    assert Host(proc=tmp_path).lasting_openers() is None


def test_facts_whose_files_are_missing_are_unknown(tmp_path: Path) -> None:
    facts = Host(proc=tmp_path / "proc", sys=tmp_path / "sys").gather()
    assert (facts.nodes, facts.mounts, facts.swaps, facts.openers, facts.boot_id) == (None, None, None, None, None)
