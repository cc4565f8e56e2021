"""Under a real kernel the product reads a drive's health as smartctl and nvme-cli read it: the reference tools are the judges."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .conftest import Plug
from .drives.ata_identify import AtaModel
from .drives.faults import Faults
from .emulated import Emulated, nvme, sas, sata
from .rig import Rig

pytestmark = pytest.mark.lab

WORN = {"celsius": 37, "reallocated": 5, "pending": 2, "uncorrectable": 3}


def told(rig: Rig, drive: Emulated) -> dict[str, Any]:
    found: dict[str, Any] = rig.vm.product("health", "--json", drive.node).checked().document
    return found


def judged(rig: Rig, words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        rig.vm.run(words).out
    )  # smartctl's exit status tells of the drive, not of itself
    return found


@pytest.mark.parametrize("predicts", [False, True])
def test_a_sata_drive_is_read_as_smartctl_reads_it(rig: Rig, plug: Plug, predicts: bool) -> None:
    drive = plug(sata("LABHEALTH1", model=AtaModel.magnetic(), faults=Faults(**WORN, predicts=predicts)))  # type: ignore[arg-type]
    ours, theirs = told(rig, drive), judged(rig, f"smartctl -H -A --json {drive.node}")
    raw = {row["id"]: row["raw"]["value"] for row in theirs["ata_smart_attributes"]["table"]}
    assert ours["source"] == "ata-smart"
    assert (ours["reallocated"], ours["pending"], ours["uncorrectable"]) == (raw[5], raw[197], raw[198]) == (5, 2, 3)
    assert (ours["temperature"], ours["power_on_hours"]) == (theirs["temperature"]["current"], raw[9]) == (37, 1234)
    assert (ours["prediction"] == "passed") is theirs["smart_status"]["passed"] is not predicts


def test_the_wear_of_a_sata_drive_is_read_as_smartctl_reads_it(rig: Rig, plug: Plug) -> None:
    drive = plug(sata("LABHEALTH4", model=AtaModel(wear=12)))
    theirs = judged(rig, f"smartctl -l ssd --json {drive.node}")
    (page,) = (each for each in theirs["ata_device_statistics"]["pages"] if each["number"] == 7)
    assert [row["value"] for row in page["table"]] == [told(rig, drive)["used_percent"]] == [12]


@pytest.mark.parametrize("predicts", [False, True])
def test_a_sas_drive_is_read_as_smartctl_reads_it(rig: Rig, plug: Plug, predicts: bool) -> None:
    drive = plug(sas("LABHEALTH2", faults=Faults(**WORN, predicts=predicts)))  # type: ignore[arg-type]
    ours, theirs = told(rig, drive), judged(rig, f"smartctl -x --json {drive.node}")
    counted = theirs["scsi_error_counter_log"]["read"]["total_uncorrected_errors"]
    assert ours["source"] == "scsi-logs"
    assert (ours["reallocated"], ours["uncorrectable"]) == (theirs["scsi_grown_defect_list"], counted) == (5, 3)
    assert ours["temperature"] == theirs["temperature"]["current"] == 37
    # Its JSON tells of a SCSI disk's state only where it is bad; its text always does.
    sound = "SMART Health Status: OK" in rig.vm.run(f"smartctl -H {drive.node}").out
    assert (ours["prediction"] == "passed") is sound is not predicts


@pytest.mark.parametrize("predicts", [False, True])
def test_an_nvme_drive_is_read_as_nvme_cli_and_smartctl_read_it(rig: Rig, plug: Plug, predicts: bool) -> None:
    drive = plug(nvme("LABHEALTH3", faults=Faults(**WORN, predicts=predicts)))  # type: ignore[arg-type]
    ours, theirs = told(rig, drive), judged(rig, f"nvme smart-log {drive.character} -o json")
    again = judged(rig, f"smartctl -H -A --json {drive.character}")
    assert ours["source"] == "nvme-log"
    assert (ours["used_percent"], ours["spare_percent"]) == (theirs["percent_used"], theirs["avail_spare"])
    assert (ours["uncorrectable"], ours["power_on_hours"]) == (
        int(theirs["media_errors"]),
        int(theirs["power_on_hours"]),
    )
    assert ours["temperature"] == theirs["temperature"] - 273 == again["temperature"]["current"] == 37
    assert (ours["prediction"] == "passed") is again["smart_status"]["passed"] is not predicts
