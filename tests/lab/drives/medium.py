"""What every emulated drive is made of: blocks, a volatile write cache, and spare blocks that keep stale copies.

Everything a host addresses is blocks 0 to `blocks - 1`; what the drive hides from it (HPA, DCO, AMAX, short stroke) is
its upper part. `spare` is what no host ever addresses: old contents of blocks written again (flash moves a block to write it),
of deallocated ones, and of retired sectors. A test asks `remains`, which looks everywhere.
"""

from __future__ import annotations

import os
from hashlib import shake_256
from itertools import groupby
from pathlib import Path
from typing import Literal, Protocol

from .clock import Clock, ManualClock
from .erasure import Erasure
from .faults import BadBlock, Faults, Gone, NoAnswer

_CHUNK = 1 << 16
MIB = 1 << 20
ONE_BLOCK = 300
"""The one that a drive leaves out, where it leaves out one (`Faults.takes`)."""


class Cells(Protocol):
    """Where blocks lie: offsets and bytes."""

    def read(self, offset: int, length: int) -> bytes:
        """All of them."""
        ...

    def write(self, offset: int, data: bytes) -> None:
        """All of them."""
        ...


class MemoryCells:
    """In this process."""

    def __init__(self, size: int) -> None:
        self._bytes = bytearray(size)

    def read(self, offset: int, length: int) -> bytes:
        """See `Cells`."""
        return bytes(self._bytes[offset : offset + length])

    def write(self, offset: int, data: bytes) -> None:
        """See `Cells`."""
        self._bytes[offset : offset + len(data)] = data


class FileCells:
    """In a sparse file, so that a test can look at the medium with any tool."""

    def __init__(self, path: Path, size: int) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.ftruncate(self._descriptor, size)

    def read(self, offset: int, length: int) -> bytes:
        """See `Cells`."""
        return os.pread(self._descriptor, length, offset)

    def write(self, offset: int, data: bytes) -> None:
        """See `Cells`."""
        while data:
            taken = os.pwrite(self._descriptor, data, offset)
            data, offset = data[taken:], offset + taken

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)


class Medium:
    """The blocks of one drive, with its faults, its clock and its erase engine."""

    def __init__(
        self,
        blocks: int,
        *,
        block_bytes: int = 512,
        path: Path | None = None,
        faults: Faults | None = None,
        clock: Clock | None = None,
        spare_blocks: int = 16,
        cache_blocks: int = 2048,
    ) -> None:
        self.blocks = blocks
        self.block_bytes = block_bytes
        self.faults = faults or Faults()
        self.clock: Clock = clock or ManualClock()
        self.spare_blocks = spare_blocks
        self.spare: list[tuple[int, bytes]] = []
        """(the block it was, what it held); filled once, never reclaimed but by an erase that reaches it."""
        self.cache_blocks = cache_blocks
        """0: every write is durable at once."""
        self.blank: set[int] = set()
        """Blocks that refuse to be read until they are written again."""
        self._cache: dict[int, bytes] = {}
        size = blocks * block_bytes
        self._cells: Cells = FileCells(path, size) if path else MemoryCells(size)
        self._noise = 0
        self._pretended: set[int] = set()
        """Blocks that read as zeros because the drive says so (`Faults.takes`)."""
        self.gone = False
        """Pulled, for good."""
        self.commands = 0
        """Commands since it was built."""
        self.erasure = Erasure(self)

    # What an interface does around commands

    def tick(self) -> None:
        """Before every command: count it, let the faults act, catch up with the clock. Raises `NoAnswer` or `Gone`."""
        self.commands += 1
        if self.faults.vanish_after is not None and self.commands > self.faults.vanish_after:
            self.gone = True
        if self.gone:
            raise Gone
        if self.faults.silent:
            raise NoAnswer
        if self.faults.latency:
            self.clock.sleep(self.faults.latency)
        self.erasure.poll()

    def spend_reset(self) -> Literal["lost", "carried-on"] | None:
        """The reset the next erase command runs into, once. A drive raises `BusReset` for it."""
        kind, self.faults.reset = self.faults.reset, None
        return kind

    # What a host does

    def read(self, lba: int, count: int) -> bytes:
        """The blocks as a host sees them. Raises `BadBlock`."""
        self._refuse(self.faults.bad_reads, lba, count, "read")
        if self.blank and (blank := self.blank.intersection(range(lba, lba + count))):
            raise BadBlock(min(blank), "blank")
        size = self.block_bytes
        data = bytearray(self._cells.read(lba * size, count * size))
        for at in self._pretended.intersection(range(lba, lba + count)):
            data[(at - lba) * size : (at - lba + 1) * size] = bytes(size)
        if self._cache:
            for at in range(count):
                if (cached := self._cache.get(lba + at)) is not None:
                    data[at * size : (at + 1) * size] = cached
        return bytes(data)

    def write(self, lba: int, data: bytes) -> None:
        """Take whole blocks into the cache. Blocks before a bad one are written. Raises `BadBlock`."""
        size = self.block_bytes
        count = len(data) // size
        try:
            self._refuse(self.faults.bad_writes, lba, count, "write")
        except BadBlock as bad:
            self._take(lba, data[: (bad.lba - lba) * size])
            raise
        self._take(lba, data)

    def _take(self, lba: int, data: bytes) -> None:
        size = self.block_bytes
        for at in range(len(data) // size):
            place = self._place(lba + at, data[at * size : (at + 1) * size])
            if place is not None:
                self._cache[place] = data[at * size : (at + 1) * size]
        if len(self._cache) > self.cache_blocks:
            self.flush()
        if data:
            self.blank.difference_update(range(lba, lba + len(data) // size))
            self.erasure.globally_erased = False

    def _place(self, lba: int, block: bytes) -> int | None:
        """Where a block that is written really goes; None for nowhere."""
        takes, kept = self.faults.takes, True
        if takes == "twice":
            self._cache[(lba + self.blocks // 2) % self.blocks] = block
        if takes == "elsewhere":
            return (lba + self.blocks // 2) % self.blocks
        if takes == "first-megabyte":
            kept = lba < MIB // self.block_bytes
        elif takes == "all-but-one-block":
            kept = lba != ONE_BLOCK
        elif takes == "no-zeros":
            kept = any(block)
        elif takes == "answers-zeros":
            self._pretended.add(lba)
            kept = False
        elif takes == "nothing":
            kept = False
        return lba if kept else None

    def flush(self) -> None:
        """Bring the cache to the blocks."""
        size = self.block_bytes
        for _, run in groupby(enumerate(sorted(self._cache)), key=lambda item: item[1] - item[0]):
            places = [lba for _, lba in run]
            self._retain(places)
            self._cells.write(places[0] * size, b"".join(self._cache[lba] for lba in places))
        self._cache.clear()

    def discard(self, lba: int, count: int) -> None:
        """Deallocate: reads give zeros from now on, the old contents stay in spare blocks."""
        self.flush()
        self._retain(range(lba, lba + count))
        self.scrub(lba, count, bytes(4))

    def retire(self, lba: int) -> None:
        """A worn sector is replaced: its content lies where no host reaches it."""
        self.flush()
        self.spare.append((lba, self._cells.read(lba * self.block_bytes, self.block_bytes)))

    # What the drive does by itself

    def scrub(self, lba: int, count: int, pattern: bytes | None) -> None:
        """Erase blocks durably: a repeated pattern, or (None) what decrypts to noise under a new key."""
        size = self.block_bytes
        for cached in [at for at in self._cache if lba <= at < lba + count]:
            del self._cache[cached]
        at, end = lba * size, (lba + count) * size
        while at < end:
            length = min(_CHUNK - at % _CHUNK, end - at)
            self._cells.write(
                at, self._noisy(at, length) if pattern is None else _repeated(pattern, at % size, length, size)
            )
            at += length

    def new_key(self) -> None:
        """What is noise from here on is another noise."""
        self._noise += 1

    def _noisy(self, offset: int, length: int) -> bytes:
        return shake_256(f"{self._noise} {offset}".encode()).digest(length)

    def _retain(self, places: list[int] | range) -> None:
        """Keep what is about to be replaced, while there is spare room and something in it."""
        for lba in places:
            if len(self.spare) >= self.spare_blocks:
                return
            old = self._cells.read(lba * self.block_bytes, self.block_bytes)
            if any(old):
                self.spare.append((lba, old))

    @staticmethod
    def _refuse(extents: tuple[tuple[int, int], ...], lba: int, count: int, operation: str) -> None:
        hits = [max(first, lba) for first, length in extents if first < lba + count and lba < first + length]
        if hits:
            raise BadBlock(min(hits), "read" if operation == "read" else "write")

    def power_cut(self) -> None:
        """What was only cached is gone; an erase stops where it is."""
        self.erasure.power_cut()
        self._cache.clear()

    def power_on(self) -> None:
        """An erase that goes on by itself does."""
        self.erasure.power_on()

    # What only a test can do

    def fill(self, content: bytes) -> None:
        """Put content everywhere, durably: the data of the medium's earlier life, and stale copies in every spare block."""
        size = self.block_bytes
        block = (content * -(-size // len(content)))[:size]
        self._cache.clear()
        for lba in range(0, self.blocks, 128):
            self._cells.write(lba * size, block * min(128, self.blocks - lba))
        self.spare = [(lba, block) for lba in range(self.spare_blocks)]
        self.erasure.globally_erased = False

    def durable(self, lba: int, count: int = 1) -> bytes:
        """What the blocks hold without the cache, whatever the interface says."""
        return self._cells.read(lba * self.block_bytes, count * self.block_bytes)

    def remains(self, needle: bytes) -> tuple[list[int], list[int]]:
        """Blocks, and spare blocks by number, in which the needle can still be found."""
        blocks = [
            lba + at
            for lba in range(0, self.blocks, 128)
            if needle in (chunk := self.durable(lba, min(128, self.blocks - lba)))
            for at in range(len(chunk) // self.block_bytes)
            if needle in chunk[at * self.block_bytes : (at + 1) * self.block_bytes]
        ]
        return blocks, [number for number, (_, old) in enumerate(self.spare) if needle in old]


def _repeated(pattern: bytes, phase: int, length: int, block_bytes: int) -> bytes:
    """The pattern from the beginning of each block on, as if read from `phase` bytes into one."""
    block = (pattern * -(-block_bytes // len(pattern)))[:block_bytes]
    return (block * (-(-(phase + length) // block_bytes)))[phase : phase + length]
