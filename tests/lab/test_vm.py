"""The machine itself: it boots, keeps its hands off the host, hears of drives that come and go, and loses its power."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from .conftest import Plug
from .emulated import SECRET, nvme, sas, sata
from .kernel import ROOT
from .rig import Rig
from .vm import LabError

pytestmark = pytest.mark.lab


def test_the_checkout_and_its_tools_are_there(rig: Rig) -> None:
    assert "Sanitrail" in rig.vm.run(f"head -1 {ROOT}/Makefile").checked().out
    rig.vm.run("hdparm -V && nvme version && sg_inq -V && smartctl -V").checked()


def test_what_the_guest_writes_stays_in_the_guest(rig: Rig, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("host")
    rig.vm.run(f"echo guest > {kept} && rm {ROOT}/Makefile && touch /etc/guest").checked()
    assert rig.vm.run(f"cat {kept}").out == "guest\n"
    assert kept.read_text() == "host"
    assert (ROOT / "Makefile").exists()
    assert not Path("/etc/guest").exists()


def test_the_share_goes_both_ways(rig: Rig) -> None:
    (rig.share / "in").write_text("from the host")
    assert rig.vm.run("cat /lab/in && echo from the guest > /lab/out").checked().out == "from the host"
    assert (rig.share / "out").read_text() == "from the guest\n"


def test_a_command_that_takes_too_long_is_ended_and_holds_up_nobody(rig: Rig) -> None:
    assert rig.vm.run("sleep 1000", timeout=1).status == 124
    assert rig.vm.run("pgrep -x sleep").status == 1
    assert rig.vm.run("echo still here").out == "still here\n"


def test_output_of_any_size_and_any_bytes_comes_through(rig: Rig) -> None:
    out = rig.vm.run("head -c 300000 /dev/zero | tr '\\0' x; printf '\\377'").out
    assert len(out) == 300001
    assert out.endswith("x\N{REPLACEMENT CHARACTER}")


def test_every_kind_of_drive_is_found_by_its_serial_number_and_can_be_written_and_read(rig: Rig, plug: Plug) -> None:
    for drive in [plug(sata("LABSATA1")), plug(sas("LABSAS1")), plug(nvme("LABNVME1"))]:
        assert rig.node(drive.serial) == drive.node
        read = rig.vm.run(f"dd if={drive.node} bs=1M count=1 iflag=direct status=none | head -c 16").checked()
        assert read.out == SECRET.decode()
        write = f"head -c 1048576 /dev/zero | tr '\\0' A | dd of={drive.node} bs=1M oflag=direct conv=fsync status=none"
        rig.vm.run(write).checked()
        assert drive.medium.durable(0, 2048) == b"A" * (1 << 20)
        assert drive.medium.durable(2048, 1) == SECRET * 32


def test_a_drive_taken_out_leaves_no_node(rig: Rig) -> None:
    for drive in [sata("LABSATA2"), sas("LABSAS2"), nvme("LABNVME2")]:
        drive.plug(rig)
        drive.unplug(rig)
    assert rig.vm.run("ls /dev/sd? /dev/nvme?n? 2>/dev/null").out == ""


def test_a_pulled_drive_goes_and_comes_back_with_udev_knowing(rig: Rig, plug: Plug) -> None:
    drive = plug(sas("LABPULL1"))
    assert drive.plugged is not None
    assert drive.plugged.bay is not None
    bay = drive.plugged.bay
    rig.pull(bay)
    gone = f"for i in $(seq 300); do [ -e {drive.node} ] || exit 0; sleep 0.1; done; exit 1"
    rig.vm.run(gone).checked()
    drive.plugged = rig.push(bay)
    assert rig.node("LABPULL1") == drive.node


def test_a_silent_drive_costs_its_adapters_patience_and_no_machine(rig: Rig, plug: Plug) -> None:
    drive = plug(sas("LABSILENT1"))
    drive.faults.silent = True
    # The kernel's own patience, then its attempts to wake the drive: longer on a slower machine, but it ends.
    assert rig.vm.run(f"sg_raw -t 60 {drive.node} 00 00 00 00 00 00", timeout=240).status not in {0, 124}
    drive.faults.silent = False
    rig.vm.run(f"for i in $(seq 100); do sg_turs {drive.node} && exit 0; sleep 0.2; done; exit 1").checked()


def test_the_product_runs_in_the_guest_and_sees_the_drives(rig: Rig, plug: Plug) -> None:
    drive = plug(nvme("LABLIST1"))
    listed = rig.vm.product("list", "--json").checked().document
    assert [each["path"] for each in listed] == [drive.node]


def test_the_installed_command_says_the_same_as_the_fork(rig: Rig) -> None:
    installed = rig.vm.run(f"{ROOT}/.venv/bin/sanitizer plan --patterns --json").checked()
    assert installed.document == rig.vm.product("plan", "--patterns", "--json").checked().document


def test_power_goes_at_once_and_the_media_stay(lab: None, tmp_path: Path) -> None:
    drive = sata("LABPOWER1", path=tmp_path / "medium")
    with Rig(tmp_path / "rig") as rig:
        assert drive.target is not None
        bay = rig.load(drive.target)
        rig.boot()
        node = rig.found(bay).node
        rig.vm.run(f"(while :; do dd if=/dev/zero of={node} bs=64k oflag=direct; done) > /dev/null 2>&1 &").checked()
        while drive.old() == drive.medium.blocks:
            time.sleep(0.05)
        machine = rig.vm
        rig.power_cut()
        with pytest.raises(LabError):
            machine.run("true")
        left = drive.old()
        assert 0 < left < drive.medium.blocks
        rig.boot()
        assert rig.vm.run(f"ls {rig.found(bay).node}").status == 0


def test_nothing_is_left_of_a_machine(lab: None, tmp_path: Path) -> None:
    with Rig(tmp_path / "rig") as rig:
        machine = rig.boot()
        folder = machine.folder
        found = subprocess.run(["pgrep", "-f", str(folder)], capture_output=True, text=True, check=False).stdout
        assert found
    assert not folder.exists()
    assert not subprocess.run(["pgrep", "-f", str(folder)], capture_output=True, text=True, check=False).stdout
