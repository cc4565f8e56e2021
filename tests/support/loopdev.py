"""Real loop devices over files in a test's own folder; detached whatever happens."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SECRET = b"SECRET-CRM-ROW42"
"""What stands on every device before a test: sixteen bytes, so that every sector is full of it."""

_attaching = threading.Lock()


class Loop:
    """One attached loop device."""

    def __init__(self, path: str, file: Path) -> None:
        self.path = path
        self.file = file
        self.partitions: list[int] = []

    @property
    def name(self) -> str:
        return self.path.removeprefix("/dev/")

    def backing(self) -> bytes:
        """What the medium holds, read beneath the loop device."""
        return self.file.read_bytes()

    def write_behind(self, offset: int, data: bytes) -> None:
        """Change the medium beneath the loop device: the block device's page cache does not hear of it."""
        descriptor = os.open(self.file, os.O_WRONLY)
        try:
            os.pwrite(descriptor, data, offset)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def add_partition(self, number: int, start_sector: int, sectors: int) -> str:
        """Make the kernel know a partition (BLKPG: works without partition tables in the kernel); returns its node."""
        subprocess.run(["addpart", self.path, str(number), str(start_sector), str(sectors)], check=True)
        self.partitions.append(number)
        return f"{self.path}p{number}"

    def detach(self) -> None:
        for number in self.partitions:
            subprocess.run(["delpart", self.path, str(number)], check=False, capture_output=True)
        self.partitions = []
        subprocess.run(["losetup", "-d", self.path], check=True)


def make_file(file: Path, size: int, fill: bytes = SECRET) -> Path:
    """A file of whole repetitions of `fill`."""
    with file.open("wb") as stream:
        chunk = fill * ((1 << 20) // len(fill))
        left = size
        while left > 0:
            stream.write(chunk[: min(left, len(chunk))])
            left -= len(chunk)
    return file


def attach(file: Path, *options: str) -> Loop:
    """Attach a file to a free loop device."""
    with _attaching:
        path = subprocess.run(
            ["losetup", "--find", "--show", *options, str(file)], check=True, capture_output=True, text=True
        ).stdout.strip()
    return Loop(path, file)


@contextmanager
def loop_device(folder: Path, size: int = 8 << 20, name: str = "disk.img", *options: str) -> Iterator[Loop]:
    """A loop device of `size` bytes full of `SECRET`; partitions can be added (`-P` is given)."""
    loop = attach(make_file(folder / name, size), "--partscan", *options)
    try:
        yield loop
    finally:
        loop.detach()


@contextmanager
def mounted(node: str, folder: Path) -> Iterator[Path]:
    """Mount a node for a while."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", node, str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
