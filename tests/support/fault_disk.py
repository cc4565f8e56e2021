"""A disk that fails on purpose: a file served by FUSE, put under a loop device (no device mapper needed).

Faults: `bad:OFFSET:LENGTH` (no reading, no writing), `badw` (no writing), `badr` (no reading), `drop` (a write is
acknowledged and not stored), `alias:BITS` (addresses wrap at 2**BITS: a stick with a false capacity),
`once:OFFSET:LENGTH` (the first write there fails, later ones do not), `slow:MS` (every write takes that long). Every failing
request is counted.

Run as a program it is the server: `fault_disk.py MOUNTPOINT BACKING SIZE FAULT...`.
"""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.loopdev import SECRET, Loop, attach, make_file


class FaultDisk:
    """A loop device over a file that fails on purpose."""

    def __init__(self, loop: Loop, backing: Path, log: Path) -> None:
        self.loop = loop
        self.path = loop.path
        self._backing = backing
        self._log = log

    def failing_requests(self) -> int:
        """How many requests the disk has refused."""
        return len(self._log.read_text().splitlines())

    def contents(self) -> bytes:
        """What is really stored."""
        return self._backing.read_bytes()

    def old_sectors(self) -> list[int]:
        """Numbers of the 512-byte sectors that still hold what was there before."""
        data = self.contents()
        return [at // 512 for at in range(0, len(data), 512) if data[at : at + len(SECRET)] == SECRET]


@contextmanager
def fault_disk(folder: Path, faults: Sequence[str], size: int = 16 << 20) -> Iterator[FaultDisk]:
    """A disk with these faults.

    Requests are kept at 64 KiB, the size of one FUSE write: the loop driver takes a short write of its backing file
    for success, which no disk does. The limit outlives the attachment, so it is put back.
    """
    mount = folder / "fault"
    mount.mkdir()
    backing = make_file(folder / "backing.bin", size)
    log = folder / "fault.log"
    log.touch()
    server = subprocess.Popen(
        [sys.executable, __file__, str(mount), str(backing), str(size), str(log), *faults],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
    )
    try:
        assert server.stdout is not None
        server.stdout.readline()  # written when the filesystem is mounted
        loop = attach(mount / "disk")
        limit = Path(f"/sys/block/{loop.name}/queue/max_sectors_kb")
        before = limit.read_text()
        limit.write_text("64")
        try:
            yield FaultDisk(loop, backing, log)
        finally:
            limit.write_text(before)
            loop.detach()
    finally:
        subprocess.run(["fusermount", "-u", "-z", str(mount)], check=False)
        server.wait(30)
        if server.stdout is not None:
            server.stdout.close()


class Faults:
    """What goes wrong, and what is stored when nothing does."""

    def __init__(self, backing: str, log: str, specs: Sequence[str]) -> None:
        self._file = os.open(backing, os.O_RDWR)
        self._log = Path(log)
        parts = [spec.split(":") for spec in specs]
        self._faults = [(part[0], int(part[1]), int(part[2]) if len(part) > 2 else 0) for part in parts]
        self._alias = next((start for kind, start, _ in self._faults if kind == "alias"), 0)
        self._delay = next((start for kind, start, _ in self._faults if kind == "slow"), 0) / 1000
        self._spent: set[int] = set()

    def refuses(self, kinds: set[str], offset: int, length: int) -> bool:
        """Whether one of these faults lies in the request; a refusal is counted."""
        for kind, start, count in self._faults:
            if kind not in kinds or not (offset < start + count and start < offset + length):
                continue
            if kind == "once" and start in self._spent:
                continue
            self._spent.add(start)
            with self._log.open("a") as stream:
                stream.write(f"{offset} {length}\n")
            return True
        return False

    def _place(self, offset: int) -> int:
        return offset & ((1 << self._alias) - 1) if self._alias else offset

    def read(self, length: int, offset: int) -> bytes:
        return os.pread(self._file, length, self._place(offset))

    def write(self, data: bytes, offset: int) -> None:
        time.sleep(self._delay)
        kept = bytearray(data)
        for kind, start, count in self._faults:
            first, last = max(offset, start), min(offset + len(data), start + count)
            if kind == "drop" and first < last:
                kept[first - offset : last - offset] = self.read(last - first, first)
        os.pwrite(self._file, bytes(kept), self._place(offset))


def _serve(mount: str, size: int, faults: Faults) -> None:
    import mfusepy as fuse  # noqa: PLC0415 - loads libfuse; only the server needs it

    class Disk(fuse.Operations):  # type: ignore[misc]  # the library has no types
        use_ns = True

        def init(self, _path: str) -> None:
            sys.stdout.write("mounted\n")
            sys.stdout.flush()

        def getattr(self, path: str, _fh: object = None) -> dict[str, int]:
            if path == "/":
                return {"st_mode": 0o40755, "st_nlink": 2}
            if path == "/disk":
                return {"st_mode": 0o100600, "st_nlink": 1, "st_size": size, "st_blksize": 4096}
            raise fuse.FuseOSError(errno.ENOENT)

        def open(self, _path: str, _flags: int) -> int:
            return 1

        def fsync(self, _path: str, _datasync: int, _fh: object) -> int:
            return 0

        def read(self, _path: str, length: int, offset: int, _fh: object) -> bytes:
            if faults.refuses({"bad", "badr"}, offset, length):
                raise fuse.FuseOSError(errno.EIO)
            return faults.read(length, offset)

        def write(self, _path: str, data: bytes, offset: int, _fh: object) -> int:
            if faults.refuses({"bad", "badw", "once"}, offset, len(data)):
                raise fuse.FuseOSError(errno.EIO)
            faults.write(data, offset)
            return len(data)

    fuse.FUSE(Disk(), mount, foreground=True, nothreads=True, direct_io=True)


if __name__ == "__main__":
    _serve(sys.argv[1], int(sys.argv[3]), Faults(sys.argv[2], sys.argv[4], sys.argv[5:]))
