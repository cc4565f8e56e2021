"""A whole look at an emulated drive on a made-up host: its own words stand in the inspection, and decide what is read."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest

from sanitizer.capability import SanitizePhase, Tri
from sanitizer.host import Host
from sanitizer.inspection import Inspection
from sanitizer.inspector import Inspector
from sanitizer.transport import block
from sanitizer.transport.commands import Ports
from sanitizer.wire import ata_commands
from tests.lab.drives.ata import AtaDrive
from tests.lab.drives.ata_identify import AtaModel
from tests.lab.drives.clock import ManualClock
from tests.lab.drives.faults import Faults
from tests.lab.drives.medium import Medium
from tests.lab.drives.ports import EmulatedDevice, ScsiBlocks
from tests.lab.drives.sat import SataDisk

BLOCKS = 16384


class ReadOnce(EmulatedDevice):
    """Counts how often blocks were read."""

    reads = 0

    def read(self, buffer: memoryview, offset: int) -> int:
        self.reads += 1
        return super().read(buffer, offset)


class NoCommands(EmulatedDevice):
    """A device without command interface."""

    def ports(self) -> Ports:
        return Ports()


def made_up_host(root: Path, size: int) -> Host:
    """One SATA disk, sdx, and a root file system in memory."""
    device = root / "sys/devices/pci0000:00/ata1/host0/target0:0:0/0:0:0:0"
    disk = device / "block/sdx"
    for folder in (disk / "holders", disk / "slaves", disk / "queue", root / "sys/block", root / "dev"):
        folder.mkdir(parents=True)
    (disk / "device").symlink_to(device)
    (root / "sys/block/sdx").symlink_to(disk)
    attributes = {
        disk: {"dev": "240:0", "size": str(size // 512), "ro": "0", "removable": "0", "diskseq": "1"},
        disk / "queue": {"zoned": "none", "rotational": "0"},
        device: {"vendor": "ATA     ", "model": "LAB SATA SSD", "rev": "LAB1", "wwid": "naa.5000000000000001"},
    }
    for folder, values in attributes.items():
        for name, value in values.items():
            (folder / name).write_text(f"{value}\n")
    proc = root / "proc"
    (proc / "self").mkdir(parents=True)
    (proc / "sys/kernel/random").mkdir(parents=True)
    (proc / "sys/kernel/random/boot_id").write_text("boot-1\n")
    (proc / "self/mountinfo").write_text("1 0 0:2 / / rw - tmpfs none rw\n")
    (proc / "swaps").write_text("Filename\tType\tSize\tUsed\tPriority\n")
    return Host(proc=proc, sys=root / "sys", dev=root / "dev", run=root / "run", pause=lambda _: None)


def looked_at(root: Path, disk: SataDisk, kind: type[EmulatedDevice] = ReadOnce) -> tuple[Inspection, EmulatedDevice]:
    disk.attention = None
    device = kind(ScsiBlocks(disk, disk.medium.clock), disk.medium.clock)
    inspector = Inspector(host=made_up_host(root, BLOCKS * 512), open_reading=lambda _: device, claim=lambda _: device)
    (found,) = inspector.list_devices()
    return found, device


def sata(faults: Faults | None = None, **facts: object) -> SataDisk:
    model = AtaModel(**facts)  # type: ignore[arg-type]  # fields by name
    return SataDisk(AtaDrive(Medium(BLOCKS, faults=faults, clock=ManualClock()), model=model))


def test_what_a_drive_can_do_stands_in_the_inspection(tmp_path: Path) -> None:
    found, device = looked_at(tmp_path, sata())
    assert found.obstacles == ()
    assert found.capabilities is not None
    assert (found.capabilities.path, found.transport, found.hidden_capacity) == ("direct", "sata", "no")
    assert found.capabilities.ata is not None
    assert found.capabilities.ata.block_erase is Tri.YES
    shown = found.to_dict()["capabilities"]
    assert (shown["ata"]["block_erase"], shown["standing"]["phase"]) == ("yes", "idle")
    assert "identify" not in shown["ata"]
    assert isinstance(device, ReadOnce)
    assert device.reads


def test_hidden_blocks_are_in_the_devices_facts(tmp_path: Path) -> None:
    disk = sata()
    disk.ata.capacity.hide(hpa=1000)
    found, _ = looked_at(tmp_path, disk)
    assert found.hidden_capacity == "yes"
    facts = found.device_facts()
    assert facts is not None
    assert facts.hidden_capacity == "yes"


def test_a_medium_in_the_middle_of_a_sanitize_is_not_read(tmp_path: Path) -> None:
    disk = sata(Faults(seconds=1000.0))
    port = ScsiBlocks(disk, disk.medium.clock).ports.scsi
    assert port is not None
    disk.attention = None
    port.scsi(ata_commands.sanitize_block_erase().cdb, timeout_ms=1000)
    found, device = looked_at(tmp_path, disk)
    assert isinstance(device, ReadOnce)
    assert device.reads == 0
    assert next(obstacle.code for obstacle in found.obstacles) == "sanitize-in-progress"
    assert found.dormant_signatures == ("unreadable-area",)


def test_a_locked_medium_is_not_read_and_its_emptiness_is_not_believed(tmp_path: Path) -> None:
    disk = sata()
    disk.ata.security.user = b"x".ljust(32, b"\0")
    disk.ata.security.power_on()
    found, device = looked_at(tmp_path, disk)
    assert isinstance(device, ReadOnce)
    assert device.reads == 0
    assert {"security-locked", "dormant-member"} <= {obstacle.code for obstacle in found.obstacles}


def test_a_failed_sanitize_is_an_obstacle_that_says_so(tmp_path: Path) -> None:
    found, _ = looked_at(tmp_path, sata(Faults(failed_before=True)))
    assert "in-failure-mode" in {obstacle.code for obstacle in found.obstacles}


def test_a_locked_drive_that_also_failed_is_not_said_to_have_failed(tmp_path: Path) -> None:
    disk = sata(Faults(failed_before=True))
    disk.ata.security.user = b"x".ljust(32, b"\0")
    disk.ata.security.power_on()
    found, _ = looked_at(tmp_path, disk)
    assert found.capabilities is not None
    assert found.capabilities.standing is not None
    assert found.capabilities.standing.phase is SanitizePhase.UNKNOWN


def test_a_device_without_command_interface_is_looked_at_as_ever(tmp_path: Path) -> None:
    found, _ = looked_at(tmp_path, sata(), NoCommands)
    assert (found.capabilities, found.hidden_capacity, found.obstacles) == (None, "unknown", ())
    assert found.to_dict()["capabilities"] is None


def test_a_drive_somebody_works_on_is_neither_asked_nor_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sanitizer.inspector.claimed_here", lambda number: number == "240:0")
    disk = sata()
    blocks = ScsiBlocks(disk, disk.medium.clock)
    device = ReadOnce(blocks, disk.medium.clock)
    inspector = Inspector(host=made_up_host(tmp_path, BLOCKS * 512), open_reading=lambda _: device)
    (found,) = inspector.list_devices()
    assert (device.reads, blocks.sent, found.capabilities) == (0, [], None)
    assert found.fingerprint is not None
    assert [obstacle.code for obstacle in found.obstacles] == ["facts-unknown"]
    held = inspector.inspect_open(ReadOnce(blocks, disk.medium.clock))
    assert held.capabilities is not None


def test_a_claim_is_known_for_as_long_as_it_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    node = SimpleNamespace(st_mode=stat.S_IFBLK, st_rdev=os.makedev(240, 0))
    seen: list[bool] = []
    with monkeypatch.context() as kernel:
        kernel.setattr(os, "open", lambda *_: 99)
        kernel.setattr(os, "close", lambda _: None)
        kernel.setattr(os, "fstat", lambda _: node)
        kernel.setattr("fcntl.fcntl", lambda *_: os.O_DIRECT)
        device = block.BlockDevice.open_exclusive("/dev/x")
        seen.append(block.claimed_here("240:0"))
        device.close()
        seen.append(block.claimed_here("240:0"))
        block.BlockDevice.open_reading("/dev/x")
        seen.append(block.claimed_here("240:0"))
    assert seen == [True, False, False]
