"""Real storage beneath an agent's state that breaks on purpose: a file system that fills up, and one that turns read-only.

Both are small, made here and taken away again: a tmpfs of some MiB, and an ext4 on a loop device whose kernel driver is told
to meet an error, as it would on a failing disk.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.loopdev import Loop, attach


class SmallDisk:
    """A tmpfs that can be filled to its last byte."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._filler = root / "filler"

    def fill(self) -> None:
        """No room any more, whatever is written."""
        with self._filler.open("ab", buffering=0) as stream:
            for size in (1 << 16, 1 << 12, 1):
                try:
                    while stream.write(bytes(size)) == size:
                        pass
                except OSError:
                    continue

    def make_room(self) -> None:
        self._filler.unlink(missing_ok=True)


@contextmanager
def small_disk(folder: Path, mib: int = 4) -> Iterator[SmallDisk]:
    """A tmpfs of some MiB."""
    root = folder / "small"
    root.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", str(root)], check=True)
    try:
        yield SmallDisk(root)
    finally:
        subprocess.run(["umount", "-l", str(root)], check=True)


class FailingDisk:
    """An ext4 that turns read-only when its driver meets an error, and is repaired and mounted again by an administrator."""

    def __init__(self, root: Path, loop: Loop) -> None:
        self.root = root
        self._loop = loop
        self.mount()

    def mount(self) -> None:
        options = "errors=remount-ro,data=ordered"
        subprocess.run(["mount", "-t", "ext4", "-o", options, self._loop.path, str(self.root)], check=True)

    def turn_read_only(self) -> None:
        """The kernel met an error: from here on every write through any descriptor fails with EROFS."""
        Path(f"/sys/fs/ext4/{self._loop.name}/trigger_fs_error").write_text("1")

    def repair(self) -> None:
        """Nothing may be open on it."""
        subprocess.run(["umount", str(self.root)], check=True)
        subprocess.run(["e2fsck", "-fy", self._loop.path], check=False, capture_output=True)
        self.mount()


@contextmanager
def failing_disk(folder: Path, mib: int = 16) -> Iterator[FailingDisk]:
    """An ext4 of some MiB."""
    root, file = folder / "failing", folder / "failing.img"
    root.mkdir()
    with file.open("wb") as stream:
        stream.truncate(mib << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(file)], check=True)
    loop = attach(file)
    try:
        yield FailingDisk(root, loop)
    finally:
        subprocess.run(["umount", "-l", str(root)], check=True)
        loop.detach()
