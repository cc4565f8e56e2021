"""The faulty disk fails where it is told to, and only there; what tools leave is counted on the disk itself."""

from __future__ import annotations

import json
import mmap
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import faults, peers, shell
from benchmarks.bed import MIB, Bed, Device
from benchmarks.fault_rules import BAD_SECTORS, LIES, NAME, SIZE, Fault
from tests.support.capabilities import requires_fuse, requires_loop, requires_tool

pytestmark = [pytest.mark.fuse, pytest.mark.block_device, requires_loop, requires_fuse, requires_tool("dd")]

DROPPED, ALIASED, SHORT = LIES


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[Bed]:
    with Bed(tmp_path, tmp_path) as made:
        yield made


def _write(device: Device, offset: int, length: int) -> int:
    """One O_DIRECT write of zeros; returns the errno, 0 for success."""
    file = os.open(device.node, os.O_WRONLY | os.O_DIRECT)
    try:
        os.pwrite(file, mmap.mmap(-1, length), offset)
    except OSError as error:
        return error.errno or -1
    else:
        return 0
    finally:
        os.close(file)


def test_writes_fail_on_bad_sectors_and_are_counted(bed: Bed) -> None:
    with faults.faulty_device(bed, BAD_SECTORS) as (device, backing, log):
        assert _write(device, 41 * MIB, 512) != 0
        assert _write(device, 41 * MIB + 512, 512) == 0
        assert len(log.read_text().splitlines()) == 1
        content = backing.read_bytes()
    assert content[41 * MIB : 41 * MIB + 8] == faults.MARK
    assert content[41 * MIB + 512 : 41 * MIB + 1024] == bytes(512)


def test_a_dropped_write_is_called_a_success_and_stores_nothing(bed: Bed) -> None:
    with faults.faulty_device(bed, DROPPED) as (device, backing, log):
        assert _write(device, 30 * MIB - 4096, 8192) == 0
        assert log.read_text() == ""
        content = backing.read_bytes()
    assert content[30 * MIB - 4096 : 30 * MIB] == bytes(4096)
    assert content[30 * MIB : 30 * MIB + 8] == faults.MARK


def test_an_aliased_address_lands_in_the_first_half(bed: Bed) -> None:
    with faults.faulty_device(bed, ALIASED) as (device, backing, _):
        assert _write(device, SIZE // 2 + MIB, 4096) == 0
        content = backing.read_bytes()
    assert content[MIB : MIB + 4096] == bytes(4096)
    assert content[SIZE // 2 + MIB : SIZE // 2 + MIB + 8] == faults.MARK


def test_the_limit_on_requests_does_not_outlive_the_device(bed: Bed) -> None:
    before = {path: path.read_text() for path in Path("/sys/block").glob("loop*/queue/max_sectors_kb")}
    with faults.faulty_device(bed, BAD_SECTORS) as (device, _, _log):
        path = Path(f"/sys/block/{Path(device.node).name}/queue/max_sectors_kb")
        assert path.read_text() == "64\n"
    assert path.read_text() == before[path] if path in before else path.read_text() != "64\n"


_VICTIM = """
import json, sys
from pathlib import Path
from benchmarks import faults
from benchmarks.bed import Bed
with Bed(Path(sys.argv[1]), Path(sys.argv[1])) as bed, faults.faulty_device(bed, faults.BAD_SECTORS) as (device, _, _):
    print(json.dumps({"node": device.node, "guardian": bed._guardian.pid}), flush=True)
    sys.stdin.read()
"""


def test_a_killed_benchmark_leaves_no_faulty_disk_behind(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[3]
    with subprocess.Popen(
        (sys.executable, "-c", _VICTIM, str(tmp_path)), cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as victim:
        assert victim.stdout is not None
        told = json.loads(victim.stdout.readline())
        loop = Path(f"/sys/block/{Path(told['node']).name}/loop/backing_file")
        assert loop.read_text().strip().endswith(f"/{NAME}")
        guardian = os.pidfd_open(told["guardian"])
        victim.kill()
        assert select.select([guardian], [], [], 60)[0]
        os.close(guardian)
    assert not loop.exists() or not loop.read_text().strip().endswith(f"/{NAME}")
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("fault", [BAD_SECTORS, SHORT], ids=lambda fault: fault.key)
def test_a_buffered_dd_says_success_and_leaves_old_data(bed: Bed, fault: Fault) -> None:
    tool = peers.Tool("dd", shell.find("dd") or "dd", "9")
    row = faults.run(faults._unsynced(tool), fault, bed)
    assert row.noticed is False
    assert row.said == "success"
    assert row.sectors_left is not None
    assert row.sectors_left > fault.unavoidable


def test_peers_left_out_by_quick_are_named() -> None:
    nwipe = peers.Tool("nwipe", "/nwipe", "0.42")
    chosen, left_out = faults.cases(peers.Peers((nwipe,), ()), quick=True)
    assert chosen == []
    assert [(row.label, row.left_out) for row in left_out] == [("nwipe 0.42 zero, verify=last", "left out by --quick")]
