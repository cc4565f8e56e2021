"""Devices are made over files of our own, filled, and taken down, however the benchmark ends."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import undo
from benchmarks.bed import MIB, Bed
from benchmarks.errors import SetupFailed
from tests.support.benchmark_samples import device
from tests.support.capabilities import requires_loop

pytestmark = [pytest.mark.block_device, requires_loop]

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[Bed]:
    with Bed(tmp_path, tmp_path) as made:
        yield made


def test_devices_are_full_of_old_data_and_gone_afterwards(bed: Bed) -> None:
    with bed.devices(2, 3 * MIB, name="d") as devices:
        for device in devices:
            content = Path(device.node).read_bytes()
            assert len(content) == 3 * MIB
            assert not any(content[at : at + 4096] == bytes(4096) for at in range(0, len(content), 4096))
            assert undo.attached()[device.node] == undo.Backing.of(device.backing)
    assert undo.loops_over([device.identity for device in devices]) == []
    assert list(bed.backing.iterdir()) == []


def test_it_attaches_no_file_that_is_not_its_own(bed: Bed, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.img"
    foreign.write_bytes(bytes(MIB))
    with pytest.raises(SetupFailed, match="no file of this benchmark"):
        bed.attach(foreign)


def test_it_detaches_no_device_that_is_not_its_own(bed: Bed, tmp_path: Path) -> None:
    other = tmp_path / "other.img"
    other.write_bytes(bytes(MIB))
    with bed.devices(1, MIB, name="d") as (device,):
        assert undo.detach(device.node, undo.Backing.of(other)) is None
        assert undo.attached()[device.node] == device.identity


def test_a_device_is_known_by_its_file_even_when_that_is_renamed_or_deleted(bed: Bed) -> None:
    with bed.devices(1, MIB, name="d") as (device,):
        device.backing.rename(bed.backing / "moved")
        assert undo.loops_over([device.identity]) == [device.node]
        (bed.backing / "moved").unlink()
        assert undo.loops_over([device.identity]) == [device.node]


def test_a_queue_setting_is_restored(bed: Bed) -> None:
    with bed.devices(1, MIB, name="d") as (device,):
        path = Path(f"/sys/block/{Path(device.node).name}/queue/max_sectors_kb")
        before = path.read_text()
        with bed.queue_setting(device, "max_sectors_kb", "64"):
            assert path.read_text() == "64\n"
        assert path.read_text() == before


def test_a_queue_setting_of_a_device_that_is_no_longer_ours_is_left_alone(bed: Bed, tmp_path: Path) -> None:
    with bed.devices(1, MIB, name="d") as (device,):
        path = Path(f"/sys/block/{Path(device.node).name}/queue/max_sectors_kb")
        before = path.read_text()
        assert undo.restore_queue(device.node, "max_sectors_kb", "64", [undo.Backing.of(tmp_path)]) is None
        assert path.read_text() == before


_VICTIM = """
import json, signal, subprocess, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started the tests may have ignored it
from pathlib import Path
from benchmarks.bed import MIB, Bed
with Bed(Path(sys.argv[1]), Path(sys.argv[1])) as bed, bed.devices(1, MIB, name="d") as (device,):
    before = Path(f"/sys/block/{Path(device.node).name}/queue/max_sectors_kb").read_text()
    with bed.queue_setting(device, "max_sectors_kb", "64"):
        child = subprocess.Popen(("sleep", "600"))
        bed.tell("child", str(child.pid))
        told = {"before": before, "node": device.node, "inode": device.identity.inode}
        told |= {"child": child.pid, "guardian": bed._guardian.pid}
        print(json.dumps(told), flush=True)
        sys.stdin.read()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_benchmark_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    with subprocess.Popen(
        (sys.executable, "-c", _VICTIM, str(tmp_path)),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as victim:
        assert victim.stdout is not None
        told = json.loads(victim.stdout.readline())
        queue = Path(f"/sys/block/{Path(told['node']).name}/queue/max_sectors_kb")
        assert queue.read_text() == "64\n"
        ends = [os.pidfd_open(told["guardian"]), os.pidfd_open(told["child"])]
        if number != signal.SIGKILL:
            os.kill(told["guardian"], number)  # as when a whole group of processes is told to end
        victim.send_signal(number)
        for end in ends:
            assert select.select([end], [], [], 60)[0], "the guardian or the measured tool outlived the benchmark"
            os.close(end)
    deadline = time.monotonic() + 30  # the kernel lets go of a loop device once the last who looks at it has gone
    while (node := undo.attached().get(told["node"])) is not None and node.inode == told["inode"]:
        assert time.monotonic() < deadline, "the loop device stayed attached"
        time.sleep(0.05)
    assert list(tmp_path.iterdir()) == []
    if node is None:
        assert queue.read_text() == told["before"]


_ACCUSER = """
import sys
from pathlib import Path
from benchmarks.bed import Bed
with Bed(Path(sys.argv[1]), Path(sys.argv[1])) as bed:
    bed.tell("child", sys.argv[2])
"""


def test_the_guardian_leaves_processes_alone_that_are_not_the_benchmark_s_children(tmp_path: Path) -> None:
    with subprocess.Popen(("sleep", "600")) as bystander:
        with subprocess.Popen(
            (sys.executable, "-c", _ACCUSER, str(tmp_path), str(bystander.pid)),
            cwd=ROOT,
        ) as benchmark:
            assert benchmark.wait(60) == 0
        assert bystander.poll() is None
        bystander.kill()


def test_a_device_knows_where_the_kernel_counts_its_requests() -> None:
    assert device(7).stat == Path("/sys/block/loop97/stat")
