"""What the benchmark runs on, and how large its devices may be."""

from __future__ import annotations

import os
import platform
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .bed import MIB
from .errors import CannotMeasure
from .shell import call, find

GIB = 1 << 30
LARGEST = 4 * GIB
SMALLEST = 64 * MIB


@dataclass(frozen=True)
class Machine:
    """The host, described without naming it."""

    processors: int
    memory_bytes: int
    kernel: str
    python: str
    cipher_instructions: tuple[str, ...]
    """Of aes, vaes, avx512f and their like, those the processor has."""
    backing: str
    """File system under the test devices."""
    load: float
    """Load average of the last minute when the benchmark began: others' work shows in every figure."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**asdict(self), "cipher_instructions": list(self.cipher_instructions)}

    def describe(self) -> str:
        """One line."""
        cipher = ", ".join(self.cipher_instructions) or "no cipher instructions"
        return (
            f"{self.processors} processors ({cipher}), {self.memory_bytes / GIB:.0f} GiB memory, Linux {self.kernel}, "
            f"Python {self.python}, backing files on {self.backing}, load {self.load:.1f}"
        )


def look(backing: Path) -> Machine:
    """Describe this host."""
    info = Path("/proc/cpuinfo").read_text()
    flags = next(
        (line.split(":")[1].split() for line in info.splitlines() if line.startswith(("flags", "Features"))), []
    )
    return Machine(
        processors=len(os.sched_getaffinity(0)),
        memory_bytes=memory("MemTotal"),
        kernel=platform.release().split("-")[0],
        python=platform.python_version(),
        cipher_instructions=tuple(f for f in ("aes", "vaes", "avx2", "avx512f", "sha_ni") if f in flags),
        backing=call("stat", "--file-system", "--format=%T", str(backing)),
        load=os.getloadavg()[0],
    )


def memory(field: str) -> int:
    """One field of /proc/meminfo in bytes."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) << 10
    raise CannotMeasure(f"the kernel does not tell {field}")


def check_prerequisites() -> None:
    """Raise what is missing before anything is made.

    Raises:
        CannotMeasure: not root, no loop devices, or no tool to attach them.
    """
    if os.geteuid() != 0:
        raise CannotMeasure("benchmarks attach loop devices and need root: run it with sudo")
    if not Path("/dev/loop-control").exists():
        raise CannotMeasure("there is no /dev/loop-control: load the loop module (modprobe loop)")
    if find("losetup") is None:
        raise CannotMeasure("losetup is not installed (Debian package util-linux or mount)")


def room(folder: Path) -> int:
    """Bytes a backing file in `folder` may take: free space there, and for memory no more than is available."""
    usage = os.statvfs(folder)
    free = usage.f_bavail * usage.f_frsize
    if call("stat", "--file-system", "--format=%T", str(folder)) in {"tmpfs", "ramfs"}:
        free = min(free, memory("MemAvailable"))
    return free


def choose_size(free: int, wanted: int | None) -> int:
    """Bytes of test devices to have at one time, in whole 64 MiB.

    A quarter of what is free, at most 4 GiB; a second, smaller device and the tools need the rest.

    Args:
        free: Bytes of room for backing files.
        wanted: What a person asked for, or None.

    Raises:
        CannotMeasure: there is no room for it.
    """
    size = (min(LARGEST, free // 4) if wanted is None else wanted) // SMALLEST * SMALLEST
    if size < SMALLEST:
        raise CannotMeasure(f"test devices need at least {SMALLEST // MIB} MiB")
    if size > free * 2 // 3:
        raise CannotMeasure(f"no room for {size // MIB} MiB of backing files: {free // MIB} MiB are free")
    return size


def choose_folders(wanted: int | None) -> tuple[Path, Path, int]:
    """(folder for backing files, folder on a disk, size): memory where there is room for the size, else a disk.

    Raises:
        CannotMeasure: there is room nowhere.
    """
    disk = Path("/var/tmp") if Path("/var/tmp").is_dir() else Path(tempfile.gettempdir())  # noqa: S108 - a fresh folder of ours is made in it
    shared = Path("/dev/shm")  # noqa: S108 - as above
    if shared.is_dir():
        try:
            size = choose_size(room(shared), wanted)
        except CannotMeasure:
            size = 0
        if size >= min(wanted or GIB, GIB):
            return shared, disk, size
    return disk, disk, choose_size(room(disk), wanted)
