"""The test bed: loop devices over files that this process made and filled, and nothing else.

A bed lives in two folders of its own: one for backing files, in memory where there is room, and one on a disk for
journals, logs and whatever the tools leave behind. The guardian takes both down.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from . import undo
from .errors import SetupFailed
from .shell import ROOT, call, environment

MIB = 1 << 20


@dataclass(frozen=True)
class Device:
    """One loop device of ours."""

    node: str
    backing: Path
    size: int
    """Bytes."""
    identity: undo.Backing

    @property
    def stat(self) -> Path:
        """The kernel's counters of this device's I/O."""
        return Path(f"/sys/block/{Path(self.node).name}/stat")


class Bed:
    """Folders, guardian and loop devices of one benchmark; use it as a context."""

    def __init__(self, backing_root: Path, disk_root: Path) -> None:
        """Nothing is made before the context is entered.

        Args:
            backing_root: Where the devices' backing files go, on tmpfs or a disk.
            disk_root: A folder on a real disk, for journals: their fsync is part of what is measured.
        """
        self._roots = (backing_root, disk_root)
        self.backing = self.disk = Path()
        self._guardian: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self.backing, self.disk = (
            Path(tempfile.mkdtemp(prefix="sanitrail-bench-", dir=root)).resolve() for root in self._roots
        )
        try:
            self._start_guardian()
        except BaseException:
            self.backing.rmdir()
            self.disk.rmdir()
            raise
        return self

    def _start_guardian(self) -> None:
        self._guardian = subprocess.Popen(
            (sys.executable, "-m", "benchmarks.guardian", str(self.backing), str(self.disk)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment(),
            start_new_session=True,
        )
        if self._guardian.stdout is None or self._guardian.stdout.readline() != "ready\n":
            raise SetupFailed("the process that cleans up after the benchmark did not start")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._guardian is not None:
            self._guardian.communicate()
            if self._guardian.returncode and kind is None:
                raise SetupFailed("not everything was taken down; the lines above say what is left")

    def tell(self, *words: str) -> None:
        """Tell the guardian of one more thing to undo, and wait until it knows. Tell it first, then do it.

        Raises:
            SetupFailed: there is no guardian any more.
        """
        if self._guardian is None or self._guardian.stdin is None or self._guardian.stdout is None:
            raise RuntimeError("the bed is not entered")
        try:
            self._guardian.stdin.write(" ".join(words) + "\n")
            self._guardian.stdin.flush()
        except BrokenPipeError:
            raise SetupFailed("the process that cleans up after the benchmark is gone") from None
        if self._guardian.stdout.readline() != "noted\n":
            raise SetupFailed("the process that cleans up after the benchmark is gone")

    @contextlib.contextmanager
    def devices(self, count: int, size: int, *, name: str) -> Iterator[tuple[Device, ...]]:
        """`count` loop devices of `size` bytes each over files full of old data; gone afterwards.

        Raises:
            SetupFailed: no room for the files, or no loop device is to be had.
        """
        made: list[Device] = []
        try:
            for number in range(count):
                backing = self.backing / f"{name}-{number}.img"
                try:
                    fill(backing, size)
                except OSError as error:
                    raise SetupFailed(f"{backing}: {error.strerror}") from error
                made.append(self.attach(backing))
            yield tuple(made)
        finally:
            for device in made:
                self.release(device)
            for backing in self.backing.glob(f"{name}-*.img"):
                backing.unlink()

    def attach(self, backing: Path) -> Device:
        """A loop device over a file of this bed.

        Raises:
            SetupFailed: it is refused, or the file is somebody else's.
        """
        if self.backing not in backing.resolve().parents:
            raise SetupFailed(f"{backing} is no file of this benchmark")
        direct = () if _in_memory(backing) else ("--direct-io=on",)
        identity = undo.Backing.of(backing)
        self.tell("file", identity.device, str(identity.inode))
        node = call("losetup", "--find", "--show", *direct, str(backing))
        return Device(node, backing, backing.stat().st_size, identity)

    def release(self, device: Device) -> None:
        """Detach a device of this bed and wait until it is gone."""
        problem = undo.detach(device.node, device.identity)
        if problem is not None:
            raise SetupFailed(problem)

    @contextlib.contextmanager
    def queue_setting(self, device: Device, setting: str, value: str) -> Iterator[None]:
        """Change a queue setting of a device for a while: it would outlive the device's detaching."""
        path = Path(f"/sys/block/{Path(device.node).name}/queue/{setting}")
        before = path.read_text().strip()
        self.tell("queue", device.node, setting, before)
        path.write_text(value)
        try:
            yield
        finally:
            path.write_text(before)


def _in_memory(path: Path) -> bool:
    return call("stat", "--file-system", "--format=%T", str(path)) in {"tmpfs", "ramfs", "fuseblk", "fuse"}


def fill(path: Path, size: int) -> None:
    """Write `size` bytes of old data: the first touch of memory or of a sparse file costs ten times an overwrite."""
    block = os.urandom(MIB)
    with path.open("xb", buffering=0) as file:
        for offset in range(0, size, MIB):
            file.write(block[: size - offset])
        os.fsync(file.fileno())
