"""A container under a real kernel: dm-crypt writes the ciphertext, the drive is emulated, and its medium is read from outside."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sanitizer.planning import ANSWERS
from tests.support.capabilities import requires_tool

from .drives.ata_identify import AtaModel
from .emulated import MIB, Emulated, sata
from .rig import Rig
from .vm import LabError, Result

pytestmark = [pytest.mark.lab, requires_tool("cryptsetup")]

AREA = 2 * MIB
SECRET = b"THE-LEDGER-OF-THE-COMPANY"
FORMAT = (
    "printf secret | cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 "
    "--luks2-keyslots-size 1m --offset 4096 --key-file - {node}"
)
OPEN = "printf secret | cryptsetup open --type luks --key-file - {node} ledger"
TEST = "printf secret | cryptsetup open --test-passphrase --type luks --key-file - {node}"
PLAN = ("--technique", "luks-crypto-erase", *(word for each in ANSWERS for word in ("--answer", each)))


@pytest.fixture
def disk(rig: Rig) -> Iterator[Emulated]:
    """A magnetic SATA disk with a container on it, and a secret in that."""
    drive = sata("LABLUKS1", mib=16, model=AtaModel.magnetic())
    drive.plug(rig)
    node = drive.node
    try:
        rig.vm.run("modprobe -a dm-mod dm-crypt xts aes_generic && udevadm settle -t 20", 60).checked()
        zero = f"head -c {16 * MIB} /dev/zero | dd of={node} bs=1M oflag=direct conv=fsync status=none"
        rig.vm.run(zero, 120).checked()
        rig.vm.run(FORMAT.format(node=node), 120).checked()
        rig.vm.run(OPEN.format(node=node), 120).checked()
        filled = f"yes {SECRET.decode()} | head -c {4 * MIB} | dd of=/dev/mapper/ledger bs=1M oflag=direct status=none"
        rig.vm.run(f"{filled} && sync", 120).checked()
        yield drive
    finally:
        rig.vm.run("cryptsetup close ledger 2>/dev/null; udevadm settle -t 20")
        drive.unplug(rig)


def product(rig: Rig, drive: Emulated, *arguments: str) -> Result:
    name = drive.node.removeprefix("/dev/")
    environment = {"SANITIZER_JOURNAL_DIR": "/run/luks-journals", "SANITIZER_STATE_DIR": "/run/luks-state"}
    return rig.vm.product(*arguments, timeout=300, attached={name: "sata"}, environment=environment)


def test_a_container_that_is_open_is_left_alone_and_a_closed_one_loses_its_key(rig: Rig, disk: Emulated) -> None:
    node = disk.node
    shown = product(rig, disk, "show", "--json", node).checked().document
    assert "crypt-member" in [each["code"] for each in shown["obstacles"]]
    wiped = product(rig, disk, "wipe", "--json", "--confirm", shown["fingerprint"], *PLAN, node)
    assert wiped.status == 3, wiped.out
    rig.vm.run("cryptsetup close ledger && udevadm settle -t 20", 60).checked()
    rig.vm.run(TEST.format(node=node), 60).checked()
    before = disk.medium.durable(0, 16 * MIB // 512)
    assert SECRET not in before

    wiped = product(rig, disk, "wipe", "--json", "--confirm", shown["fingerprint"], *PLAN, node)
    (outcome,) = wiped.checked().document
    assert outcome["run"]["state"] == "succeeded"
    assert outcome["method"]["key_erasure"]["area"] == [0, AREA]
    assert rig.vm.run(TEST.format(node=node), 60).status != 0
    after = disk.medium.durable(0, 16 * MIB // 512)
    assert not any(after[:AREA])
    assert after[AREA:] == before[AREA:]


def test_power_lost_in_the_middle_is_gone_on_from(lab: None, tmp_path: Path) -> None:
    drive = sata("LABLUKS2", mib=16, model=AtaModel.magnetic())
    assert drive.target is not None
    with Rig(tmp_path / "rig") as rig:
        bay = rig.load(drive.target)
        rig.boot()
        drive.plugged = rig.found(bay)
        node = drive.node
        rig.vm.run(
            f"head -c {16 * MIB} /dev/zero | dd of={node} bs=1M oflag=direct conv=fsync status=none", 120
        ).checked()
        rig.vm.run(FORMAT.format(node=node), 120).checked()
        fingerprint = product(rig, drive, "show", "--json", node).checked().document["fingerprint"]
        environment = {"SANITIZER_JOURNAL_DIR": "/lab/journals", "SANITIZER_STATE_DIR": "/lab/state"}
        name = node.removeprefix("/dev/")
        words = ("--json", "--confirm", fingerprint)
        before = drive.medium.durable(0)

        def begin() -> None:
            with contextlib.suppress(LabError):  # its machine loses power in the midst of it
                rig.vm.product(
                    "wipe", *words, *PLAN, node, timeout=300, attached={name: "sata"}, environment=environment
                )

        drive.faults.latency = 0.01
        begun = threading.Thread(target=begin)
        begun.start()
        while begun.is_alive() and drive.medium.durable(0) == before:
            time.sleep(0.01)
        rig.power_cut()
        begun.join()
        assert drive.medium.durable(0) != before
        drive.faults.latency = 0.0
        rig.boot()
        drive.plugged = rig.found(bay)
        node, name = drive.node, drive.node.removeprefix("/dev/")
        listed = rig.vm.product("status", "--json", environment=environment).checked().document
        (run,) = [each["run_id"] for each in listed]
        resumed = rig.vm.product("resume", *words, run, timeout=300, attached={name: "sata"}, environment=environment)
        assert resumed.checked().document is not None
        assert not any(drive.medium.durable(0, AREA // 512))
        assert rig.vm.run(TEST.format(node=node), 60).status != 0
