"""A disk that fails on purpose: one file served by FUSE, to be put under a loop device. Needs no device-mapper.

Every request that meets a bad range is noted in a log, one line each, so that a tool's failing requests can be counted.

usage: python -m benchmarks.fault_device MOUNT_POINT BACKING LOG RULE...
    bad:OFFSET:LENGTH    writes that touch the range fail with EIO; reading it gives what was there
    drop:OFFSET:LENGTH   writes are acknowledged and the range keeps what it held
    alias:BITS           addresses wrap at 2**BITS: a stick that claims more than it has
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mfusepy

from .fault_rules import NAME


@dataclass(frozen=True)
class Rule:
    """One fault."""

    kind: str
    offset: int
    length: int

    @classmethod
    def parse(cls, text: str) -> Rule:
        """Read a RULE of the command line."""
        kind, *numbers = text.split(":")
        if kind == "alias":
            return cls(kind, 1 << int(numbers[0]), 0)
        if kind not in {"bad", "drop"}:
            raise SystemExit(f"unknown fault: {text}")
        return cls(kind, int(numbers[0]), int(numbers[1]))

    def touches(self, offset: int, length: int) -> bool:
        """Whether a request meets the range."""
        return offset < self.offset + self.length and self.offset < offset + length


class FaultyDisk(mfusepy.Operations):  # type: ignore[misc]  # mfusepy brings no types
    """One file of the backing file's size, with faults."""

    use_ns = True

    def __init__(self, backing: Path, log: Path, rules: tuple[Rule, ...]) -> None:
        self._file = os.open(backing, os.O_RDWR)
        self._size = os.fstat(self._file).st_size
        self._log = log.open("a", buffering=1)
        self._bad = [rule for rule in rules if rule.kind == "bad"]
        self._dropped = [rule for rule in rules if rule.kind == "drop"]
        self._wrap = next((rule.offset for rule in rules if rule.kind == "alias"), self._size)

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:  # noqa: ARG002 - the library's signature
        """Only the folder and the one file exist."""
        if path == "/":
            return {"st_mode": stat.S_IFDIR | 0o700, "st_nlink": 2}
        if path == f"/{NAME}":
            return {"st_mode": stat.S_IFREG | 0o600, "st_nlink": 1, "st_size": self._size, "st_blksize": 4096}
        raise mfusepy.FuseOSError(errno.ENOENT)

    def readdir(self, path: str, fh: int) -> list[str]:  # noqa: ARG002 - the library's signature
        """The one file."""
        return [".", "..", NAME]

    def open(self, path: str, flags: int) -> int:  # noqa: ARG002 - the library's signature
        """Everybody shares one descriptor."""
        return 1

    def fsync(self, path: str, datasync: int, fh: int) -> int:  # noqa: ARG002 - the library's signature
        """Nothing is held back."""
        return 0

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:  # noqa: ARG002 - the library's signature
        """Reads never fail."""
        return os.pread(self._file, size, offset % self._wrap)

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:  # noqa: ARG002 - the library's signature
        """Fail, drop, wrap or store."""
        if any(rule.touches(offset, len(data)) for rule in self._bad):
            self._log.write(f"{offset} {len(data)}\n")
            raise mfusepy.FuseOSError(errno.EIO)
        at, parts = offset, [(offset, data)]
        for rule in self._dropped:
            parts = [piece for start, part in parts for piece in _without(rule, start, part)]
        for at, part in parts:
            os.pwrite(self._file, part, at % self._wrap)
        return len(data)


def _without(rule: Rule, offset: int, data: bytes) -> list[tuple[int, bytes]]:
    """The parts of a write before and behind a rule's range."""
    if not rule.touches(offset, len(data)):
        return [(offset, data)]
    before = max(0, rule.offset - offset)
    behind = max(0, offset + len(data) - rule.offset - rule.length)
    parts = [(offset, data[:before])] if before else []
    return parts + ([(offset + len(data) - behind, data[len(data) - behind :])] if behind else [])


def main() -> None:
    """Serve until unmounted."""
    mount_point, backing, log, *rules = sys.argv[1:]
    disk = FaultyDisk(Path(backing), Path(log), tuple(Rule.parse(rule) for rule in rules))
    mfusepy.FUSE(disk, mount_point, foreground=True, nothreads=True, direct_io=True)


if __name__ == "__main__":
    main()
