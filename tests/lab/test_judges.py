"""The reference tools judge the emulated drives: what they read and what they do is what they would on real ones.

They judge before the product does, so that a mistake of the emulator is not taken for agreement between two things of ours.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from .conftest import Plug
from .drives.ata_identify import AtaModel
from .drives.faults import Faults
from .emulated import Emulated, nvme, sas, sata
from .rig import Rig

pytestmark = pytest.mark.lab

LONG = 3000.0
"""Seconds of an erase that shall be seen at work, on however slow a machine."""
SURE = "--yes-i-know-what-i-am-doing"


def hdparm(rig: Rig, drive: Emulated, words: str) -> str:
    return rig.vm.run(f"hdparm {words} {drive.node}").checked().out


def security(text: str) -> dict[str, bool]:
    """The yes and no of `hdparm -I`'s security section."""
    section = text.partition("Security:")[2]
    found = re.findall(r"^\t(not)?\t(supported|enabled|locked|frozen)$", section, re.MULTILINE)
    return {word: not negation for negation, word in found}


# ATA


def test_hdparm_reads_what_a_sata_drive_can(rig: Rig, plug: Plug) -> None:
    drive = plug(sata("LABHD1"))
    text = hdparm(rig, drive, "-I")
    assert re.search(r"Serial Number:\s+LABHD1", text)
    assert re.search(rf"LBA48\s+user addressable sectors:\s+{drive.medium.blocks}", text)
    for word in ("SANITIZE feature set", "BLOCK_ERASE_EXT", "CRYPTO_SCRAMBLE_EXT", "OVERWRITE_EXT"):
        assert re.search(rf"\*\s+{word}", text), word
    assert security(text) == {"supported": True, "enabled": False, "locked": False, "frozen": False}
    assert "supported: enhanced erase" in text


@pytest.mark.parametrize("how", ["block-erase", "crypto-scramble", "overwrite hex:cafebabe"])
def test_hdparm_sanitizes_a_sata_drive(rig: Rig, plug: Plug, how: str) -> None:
    drive = plug(sata("LABHD2"))
    assert "SD0 Sanitize Idle" in hdparm(rig, drive, "--sanitize-status")
    hdparm(rig, drive, f"{SURE} --sanitize-{how}")
    assert "Completed Without Error" in hdparm(rig, drive, "--sanitize-status")
    assert drive.remains() == (0, 0)
    if how.startswith("overwrite"):
        assert drive.medium.durable(0) in {bytes.fromhex("cafebabe") * 128, bytes.fromhex("bebafeca") * 128}


def test_hdparm_sees_a_sanitize_at_work_and_then_its_failure(rig: Rig, plug: Plug) -> None:
    drive = plug(sata("LABHD3", faults=Faults(seconds=LONG, fail_at=0.75)))
    hdparm(rig, drive, f"{SURE} --sanitize-block-erase")
    assert "SD2 Sanitize operation In Process" in hdparm(rig, drive, "--sanitize-status")
    drive.faults.seconds = 1.0
    # ACS-3, 7.36.6: after a failure the status itself is answered with an abort that names the reason.
    failed = rig.vm.run(f"sleep 1; hdparm --sanitize-status {drive.node}")
    assert failed.status
    assert "SANITIZE device error reason" in failed.out
    blocks, _ = drive.remains()
    assert blocks == drive.medium.blocks // 4


@pytest.mark.parametrize("word", ["security-erase", "security-erase-enhanced"])
def test_hdparm_sets_a_password_and_erases_by_it(rig: Rig, plug: Plug, word: str) -> None:
    drive = plug(sata("LABHD4"))
    hdparm(rig, drive, "--user-master u --security-set-pass lab")
    assert security(hdparm(rig, drive, "-I"))["enabled"]
    hdparm(rig, drive, f"--user-master u --{word} lab")
    assert drive.remains()[0] == 0
    assert not security(hdparm(rig, drive, "-I"))["enabled"]


def test_a_password_locks_over_a_power_cycle_until_hdparm_unlocks(rig: Rig, plug: Plug) -> None:
    drive = plug(sata("LABHD5"))
    hdparm(rig, drive, "--user-master u --security-set-pass lab")
    drive.unplug(rig)
    drive.plug(rig)
    assert security(hdparm(rig, drive, "-I"))["locked"]
    assert rig.vm.run(f"dd if={drive.node} of=/dev/null bs=4k count=1 iflag=direct").status
    hdparm(rig, drive, "--user-master u --security-unlock lab")
    hdparm(rig, drive, "--user-master u --security-disable lab")
    assert security(hdparm(rig, drive, "-I")) == {"supported": True, "enabled": False, "locked": False, "frozen": False}
    rig.vm.run(f"dd if={drive.node} of=/dev/null bs=4k count=1 iflag=direct").checked()


def test_a_frozen_drive_takes_no_password(rig: Rig, plug: Plug) -> None:
    drive = plug(sata("LABHD6"))
    hdparm(rig, drive, "--security-freeze")
    assert security(hdparm(rig, drive, "-I"))["frozen"]
    assert rig.vm.run(f"hdparm --user-master u --security-set-pass lab {drive.node}").status
    assert not security(hdparm(rig, drive, "-I"))["enabled"]


def test_hdparm_finds_what_a_host_protected_area_hides(rig: Rig, plug: Plug) -> None:
    drive = sata("LABHD7")
    hidden = 2048
    drive.hide(hidden)
    plug(drive)
    shown = drive.medium.blocks - hidden
    assert re.search(rf"max sectors\s+=\s+{shown}/{drive.medium.blocks}", hdparm(rig, drive, "-N"))


def test_smartctl_knows_the_sata_drive(rig: Rig, plug: Plug) -> None:
    drive = plug(sata("LABHD8", model=AtaModel.magnetic()))
    found = json.loads(rig.vm.run(f"smartctl -i --json {drive.node}").out)
    assert (found["serial_number"], found["rotation_rate"]) == ("LABHD8", 7200)
    assert found["user_capacity"]["blocks"] == drive.medium.blocks


# SCSI


def test_sg3_utils_read_what_a_sas_drive_can(rig: Rig, plug: Plug) -> None:
    drive = plug(sas("LABSG1"))
    assert re.search(r"Unit serial number:\s+LABSG1", rig.vm.run(f"sg_inq {drive.node}").checked().out)
    opcodes = rig.vm.run(f"sg_opcodes {drive.node}").checked().out
    for word in ("Sanitize, overwrite", "Sanitize, block erase", "Sanitize, cryptographic erase"):
        assert word in opcodes, word
    assert "upported" in rig.vm.run(f"sg_opcodes --opcode=4 {drive.node}").checked().out
    limits = rig.vm.run(f"sg_vpd --page=bdc {drive.node}").checked().out
    assert "10000 rpm" in limits
    assert f"Last LBA={drive.medium.blocks - 1}" in rig.vm.run(f"sg_readcap --16 {drive.node}").checked().out


@pytest.mark.parametrize("how", ["--block", "--crypto", "--overwrite --zero"])
def test_sg_sanitize_erases_a_sas_drive(rig: Rig, plug: Plug, how: str) -> None:
    drive = plug(sas("LABSG2"))
    rig.vm.run(f"sg_sanitize {how} --quick --early {drive.node} && sg_turs {drive.node}").checked()
    assert drive.remains() == (0, 0)


def test_sg_requests_shows_progress_and_then_failure(rig: Rig, plug: Plug) -> None:
    drive = plug(sas("LABSG3", faults=Faults(seconds=LONG, fail_at=0.75)))
    # By the character node: opening the block device of a drive at work waits until it is done.
    node = f"/dev/$(ls /sys/block/{drive.node.removeprefix('/dev/')}/device/scsi_generic)"
    rig.vm.run(f"sg_sanitize --block --quick --early {node}").checked()
    progress = rig.vm.run(f"sg_requests --progress {node}").checked().out
    assert re.search(r"Progress indication: \d\.\d+%", progress), progress
    drive.faults.seconds = 1.0
    rig.vm.run("sleep 1")
    assert "Sanitize command failed" in rig.vm.run(f"sg_turs -v {node}").out
    assert drive.remains()[0] == drive.medium.blocks // 4


def test_a_format_unit_formats(rig: Rig, plug: Plug) -> None:
    drive = plug(sas("LABSG4"))
    rig.vm.run(f"sg_raw -t 60 {drive.node} 04 00 00 00 00 00").checked()
    assert drive.remains()[0] == 0


def test_smartctl_knows_the_sas_drive(rig: Rig, plug: Plug) -> None:
    drive = plug(sas("LABSG5"))
    found = json.loads(rig.vm.run(f"smartctl -i --json {drive.node}").out)
    assert (found["serial_number"], found["scsi_vendor"]) == ("LABSG5", "LAB")


# NVMe


def nvme_json(rig: Rig, words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(rig.vm.run(f"nvme {words} -o json").checked().out)
    return found


def test_nvme_cli_reads_what_an_nvme_drive_can(rig: Rig, plug: Plug) -> None:
    drive = plug(nvme("LABNV1"))
    controller = nvme_json(rig, f"id-ctrl {drive.character}")
    assert controller["sn"].strip() == "LABNV1"
    assert controller["sanicap"] & 7 == 7
    assert controller["oacs"] & 2
    assert nvme_json(rig, f"id-ns {drive.node}")["nsze"] == drive.medium.blocks


@pytest.mark.parametrize(("action", "word"), [(2, "block"), (3, "overwrite"), (4, "crypto")])
def test_nvme_cli_sanitizes(rig: Rig, plug: Plug, action: int, word: str) -> None:
    drive = plug(nvme("LABNV2"))
    assert word
    pattern = "-p 0xcafebabe -n 1" if action == 3 else ""
    rig.vm.run(f"nvme sanitize {drive.character} -a {action} {pattern}").checked()
    log = rig.vm.run(f"nvme sanitize-log {drive.character} -H").checked().out
    assert "Completed Successfully" in log
    assert drive.remains() == (0, 0)


def test_nvme_cli_sees_a_sanitize_at_work_and_then_its_failure(rig: Rig, plug: Plug) -> None:
    drive = plug(nvme("LABNV3", faults=Faults(seconds=LONG, fail_at=0.75)))
    rig.vm.run(f"nvme sanitize {drive.character} -a 2").checked()
    assert "in Progress" in rig.vm.run(f"nvme sanitize-log {drive.character} -H").checked().out
    assert rig.vm.run(f"dd if={drive.node} of=/dev/null bs=4k count=1 iflag=direct").status
    drive.faults.seconds = 1.0
    rig.vm.run("sleep 1")
    assert "Failed" in rig.vm.run(f"nvme sanitize-log {drive.character} -H").checked().out
    assert drive.remains()[0] == drive.medium.blocks // 4


@pytest.mark.parametrize("ses", [1, 2])
def test_nvme_cli_formats(rig: Rig, plug: Plug, ses: int) -> None:
    drive = plug(nvme("LABNV4"))
    rig.vm.run(f"nvme format {drive.node} -s {ses} --force").checked()
    assert drive.remains()[0] == 0


def test_smartctl_knows_the_nvme_drive(rig: Rig, plug: Plug) -> None:
    drive = plug(nvme("LABNV5"))
    found = json.loads(rig.vm.run(f"smartctl -i --json {drive.character}").out)
    assert found["serial_number"] == "LABNV5"
