"""The scratch disk: a loop device over a file that this process made, partitioned, formatted, mounted; and undone at the end."""

from __future__ import annotations

import mmap
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


class ScratchDiskFailed(Exception):
    """The scratch disk could not be made; the message carries the tool's own words."""


def _run(*command: str, stdin: str | None = None) -> str:
    done = subprocess.run(
        command,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": _PATH, "LC_ALL": "C"},
    )
    if done.returncode:
        raise ScratchDiskFailed(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout.strip()


@dataclass
class ScratchDisk:
    """One file, one loop device, one mounted ext4 partition. Only ever this device is written to."""

    image: Path
    device: Path
    mount_point: Path
    mounted: bool = False
    attached: bool = True

    @property
    def medium(self) -> Path:
        """Where its bytes can be read: the device, or the disk itself once it was pulled."""
        return self.device if self.attached else self.image

    @classmethod
    def make(cls, folder: Path, size: int) -> ScratchDisk:
        """Create the file of `size` bytes in `folder` and attach, partition, format and mount it."""
        image = folder / "scratch-disk.img"
        with image.open("xb") as file:
            # Real blocks, not a sparse file: an overwrite has something to overwrite.
            os.posix_fallocate(file.fileno(), 0, size)
        device = Path(_run("losetup", "--find", "--show", "--partscan", "--direct-io=on", str(image)))
        disk = cls(image, device, folder / "crm-disk")
        try:
            _run(
                "sfdisk",
                "--quiet",
                "--no-reread",
                "--no-tell-kernel",
                str(device),
                stdin="label: gpt\nname=crm, type=linux\n",
            )
            _run(
                "partx", "--update", str(device)
            )  # read here, told to the kernel: small kernels parse no tables themselves
            partition = disk._partition()
            _run("mkfs.ext4", "-q", "-L", "crm", "-E", "lazy_itable_init=0,nodiscard", str(partition))
            disk.mount_point.mkdir()
            _run("mount", str(partition), str(disk.mount_point))
            disk.mounted = True
        except BaseException:
            disk.remove()
            raise
        return disk

    def _partition(self) -> Path:
        partition = Path(f"{self.device}p1")
        for _ in range(50):  # the kernel makes the node right after the table is read; udev may be slower
            if partition.exists():
                return partition
            time.sleep(0.1)
        raise ScratchDiskFailed(f"{partition} did not appear: this kernel makes no partitions on loop devices")

    def unmount(self) -> None:
        """Take the disk out of service, as an administrator would."""
        os.sync()
        _run("umount", str(self.mount_point))
        self.mounted = False

    def pull(self) -> None:
        """Take the disk out of the machine: the kernel's device is gone, its bytes are where they were."""
        _run("losetup", "--detach", str(self.device))
        self.attached = False

    def find(self, needle: str, limit: int = 3) -> list[tuple[int, str]]:
        """Where the raw device still holds `needle`: (byte offset, readable text around it), at most `limit` places.

        Read with O_DIRECT: what the medium says, not what the page cache remembers.
        """
        wanted, chunk, found = needle.encode(), 4 << 20, []
        descriptor = os.open(self.medium, os.O_RDONLY | os.O_DIRECT)
        try:
            buffer, offset, tail = mmap.mmap(-1, chunk), 0, b""
            while (got := os.preadv(descriptor, [buffer], offset)) > 0:
                window = tail + buffer[:got]
                at = window.find(wanted)
                while at >= 0:
                    found.append((offset - len(tail) + at, _readable(window[max(0, at - 24) : at + len(wanted) + 40])))
                    if len(found) >= limit:
                        return found
                    at = window.find(wanted, at + 1)
                tail, offset = window[-len(wanted) + 1 :], offset + got
        finally:
            os.close(descriptor)
        return found

    def only_holds_one_value(self) -> bool:
        """Whether every byte of the device is the same, read with O_DIRECT."""
        chunk, first = 4 << 20, None
        descriptor = os.open(self.medium, os.O_RDONLY | os.O_DIRECT)
        try:
            buffer, offset = mmap.mmap(-1, chunk), 0
            while (got := os.preadv(descriptor, [buffer], offset)) > 0:
                data = buffer[:got]
                first = data[:1] if first is None else first
                if data.count(first) != got:
                    return False
                offset += got
        finally:
            os.close(descriptor)
        return first is not None

    def remove(self) -> None:
        """Undo everything `make` did, in the other order; safe to call twice."""
        if self.mounted:
            subprocess.run(["umount", "--lazy", str(self.mount_point)], check=False, capture_output=True)
            self.mounted = False
        if self.image.exists():
            subprocess.run(
                ["losetup", "--detach", str(self.device)], check=False, capture_output=True, env={"PATH": _PATH}
            )
            self.image.unlink()


def _readable(data: bytes) -> str:
    return "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in data)
