"""What each tool leaves behind, and says, when a device fails or lies."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from . import peers
from .bed import MIB, Bed, Device
from .case import Case, Command, Sample, measure
from .errors import CannotMeasure, SetupFailed
from .fault_rules import BAD_SECTORS, LIES, NAME, SIZE, Fault, FaultRow
from .ours import RANDOM, ZERO, engine
from .shell import ROOT, environment, find

MARK = b"SECRET42"
SECTOR = 512


def check_fuse() -> None:
    """Raise what keeps this host from serving a faulty disk.

    Raises:
        CannotMeasure: no FUSE.
    """
    if not Path("/dev/fuse").exists():
        raise CannotMeasure("there is no /dev/fuse: load the fuse module (modprobe fuse)")
    try:
        import mfusepy  # noqa: F401, PLC0415 - only this group needs it, and it fails without libfuse
    except (ImportError, OSError) as error:
        raise CannotMeasure(f"the FUSE library does not load: {error}") from error


@contextlib.contextmanager
def faulty_device(bed: Bed, fault: Fault) -> Iterator[tuple[Device, Path, Path]]:
    """A loop device with a fault; yields it with the file behind and the log of failing requests.

    A loop device takes a short write of its backing file for a success, which hides errors from every tool. Requests
    no larger than one of FUSE's fail as a whole, as a disk's do; a fault that is about hiding leaves them as they come.
    """
    backing, log, point = bed.backing / "faulty.bin", bed.disk / "faulty.log", bed.backing / "faulty"
    point.mkdir(exist_ok=True)
    log.write_bytes(b"")
    backing.write_bytes(MARK * (SIZE // len(MARK)))
    command = (sys.executable, "-m", "benchmarks.fault_device", str(point), str(backing), str(log), *fault.rules)
    server = subprocess.Popen(command, cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL)
    bed.tell("server", str(server.pid))
    try:
        _wait_for((point / NAME).exists, server)
        device = bed.attach(point / NAME)
        with contextlib.ExitStack() as settings:
            settings.callback(bed.release, device)
            if not fault.short_writes:
                settings.enter_context(bed.queue_setting(device, "max_sectors_kb", "64"))
            yield device, backing, log
    finally:
        subprocess.run(("umount", "--lazy", str(point)), env=environment(), capture_output=True, check=False)
        server.wait(timeout=20)
        backing.unlink()


def _wait_for(ready: Callable[[], bool], server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while not ready():
        if server.poll() is not None or time.monotonic() > deadline:
            raise SetupFailed("the faulty disk was not served; what FUSE says stands above")
        time.sleep(0.02)


def run(case: Case, fault: Fault, bed: Bed) -> FaultRow:
    """Let one tool work on a device with one fault."""
    with faulty_device(bed, fault) as (device, backing, log):
        sample = measure(case, (device,), bed, timeout=90)
        _drop_cache(device)
        left = _sectors_left(backing)
        failing = len(log.read_text().splitlines())
    return FaultRow(
        fault=fault.key,
        key=case.key,
        label=case.label,
        exits=sample.exits,
        seconds=sample.wall,
        sectors_left=left,
        failing_requests=failing,
        said=_said(sample),
        noticed=_noticed(case, sample),
    )


def _noticed(case: Case, sample: Sample) -> bool | None:
    """Whether the tool ended in anything but success; for our engine only a run that ended in a result counts."""
    if not case.key.startswith("sanitrail"):
        return any(code != 0 for code in sample.exits)
    runs = (sample.report or {}).get("runs", ())
    return all(each["state"] != "succeeded" for each in runs) if runs else None


def _drop_cache(device: Device) -> None:
    """Let what the kernel still holds of the device reach the file, or be lost, before the file is looked at."""
    subprocess.run(("blockdev", "--flushbufs", device.node), env=environment(), capture_output=True, check=False)


def _sectors_left(backing: Path) -> int:
    data = backing.read_bytes()
    return sum(data[at : at + len(MARK)] == MARK for at in range(0, len(data), SECTOR))


def _said(sample: Sample) -> str:
    if sample.failure is not None and sample.failure.startswith("stopped"):
        return sample.failure
    for run_ in (sample.report or {}).get("runs", ()):
        code = f", {run_['error_code']}" if run_["error_code"] else ""
        return f"{run_['state']}{code}"
    return "success" if all(code == 0 for code in sample.exits) else f"exit {max(sample.exits, default=0)}"


def cases(found: peers.Peers, *, quick: bool) -> tuple[list[Case], list[FaultRow]]:
    """The peers on a device with bad sectors, and rows for those left out."""
    chosen: list[Case] = []
    left_out: list[FaultRow] = []
    if (tool := found.get("dd")) is not None:
        chosen += [_unsynced(tool), peers.dd(tool, "zero")]
    if (tool := found.get("shred")) is not None:
        chosen.append(peers.shred(tool, random=True))
    if (tool := found.get("fio")) is not None:
        chosen.append(peers.fio(tool, "zero"))
    for tool in found.all("nwipe"):
        case = peers.nwipe(tool, "zero", verify=True)
        if quick:
            row = FaultRow(fault=BAD_SECTORS.key, key=case.key, label=case.label, left_out="left out by --quick")
            left_out.append(row)
        else:
            chosen.append(case)
    return chosen, left_out


def _unsynced(tool: peers.Tool) -> Case:
    """Dd as most people type it: no flush at the end, so that nobody waits for the errors."""
    command = (tool.path, "if=/dev/zero", "of={node}", "bs=4M", f"count={SIZE // (4 * MIB)}")

    def stages(devices: Sequence[Device]) -> list[list[Command]]:
        return [[tuple(part.format(node=d.node) for part in command) for d in devices]]

    return Case("dd-unsynced", "dd if=/dev/zero bs=4M", stages)


def measure_all(bed: Bed, found: peers.Peers, tell: Callable[[str], None], *, quick: bool) -> tuple[FaultRow, ...]:
    """Every tool on the device with bad sectors; our engine on each device that lies, too."""
    check_fuse()
    if find("blockdev") is None:
        raise CannotMeasure("blockdev is not installed (Debian package util-linux)")
    journals = bed.disk / "journals"
    tell("faults: sanitrail on bad sectors")
    rows = [run(engine(journals, ZERO, verify=True), BAD_SECTORS, bed)]
    others, left_out = cases(found, quick=quick)
    for case in others:
        tell(f"faults: {case.label} on bad sectors")
        rows.append(run(case, BAD_SECTORS, bed))
    for fault in LIES:
        for pattern in (ZERO, RANDOM):
            tell(f"faults: sanitrail {pattern} on {fault.title}")
            rows.append(run(engine(journals, pattern, verify=True), fault, bed))
    return (*rows, *left_out)
