"""A virtio queue in a guest's memory, seen from the device's side (virtio 1.2, 2.7: split virtqueues)."""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

_NEXT = 1
_DEVICE_WRITES = 2


class Span(NamedTuple):
    """A stretch of guest memory."""

    address: int
    length: int


@dataclass(frozen=True)
class Region:
    """A stretch of guest memory that this process has mapped."""

    guest: int
    size: int
    user: int
    """Where QEMU has it mapped; the queues are named by those addresses."""
    offset: int
    mapped: mmap.mmap


class GuestMemory:
    """The regions the machine has shared with us."""

    def __init__(self, regions: list[Region]) -> None:
        self._regions = regions

    def place(self, address: int, length: int, *, user: bool = False) -> tuple[mmap.mmap, int]:
        """The mapping and the offset in it. Raises `ValueError` for what is not shared."""
        for region in self._regions:
            start = region.user if user else region.guest
            if start <= address and address + length <= start + region.size:
                return region.mapped, address - start + region.offset
        raise ValueError(f"{address:#x} is no memory of the guest")

    def load(self, spans: list[Span]) -> bytes:
        """What the guest sends."""
        out = bytearray()
        for address, length in spans:
            mapped, at = self.place(address, length)
            out += mapped[at : at + length]
        return bytes(out)

    def store(self, spans: list[Span], data: bytes) -> None:
        """What the guest receives; longer data is cut, as a device cuts it."""
        for address, length in spans:
            part, data = data[:length], data[length:]
            mapped, at = self.place(address, len(part))
            mapped[at : at + len(part)] = part


@dataclass(frozen=True)
class Chain:
    """One request: what the device may read, and what it may write."""

    head: int
    readable: list[Span]
    writable: list[Span]


class Ring:
    """One queue. Not locked: its owner sees to that."""

    def __init__(self) -> None:
        self.entries = 0
        self.descriptors = 0
        self.available = 0
        self.used = 0
        self.position = 0
        self.kick: int | None = None
        self.call: int | None = None
        self.running = False

    def pending(self, memory: GuestMemory) -> Iterator[Chain]:
        """Requests the guest has made available since the last look."""
        while self.running:
            mapped, at = memory.place(self.available, 4 + 2 * self.entries, user=True)
            if self.position == struct.unpack_from("<H", mapped, at + 2)[0]:
                return
            (head,) = struct.unpack_from("<H", mapped, at + 4 + 2 * (self.position % self.entries))
            self.position = self.position + 1 & 0xFFFF
            yield self._chain(memory, head)

    def _chain(self, memory: GuestMemory, head: int) -> Chain:
        readable: list[Span] = []
        writable: list[Span] = []
        number = head
        for _ in range(self.entries):
            mapped, at = memory.place(self.descriptors + 16 * number, 16, user=True)
            address, length, flags, number = struct.unpack_from("<QIHH", mapped, at)
            (writable if flags & _DEVICE_WRITES else readable).append(Span(address, length))
            if not flags & _NEXT:
                return Chain(head, readable, writable)
        raise ValueError("a descriptor chain without an end")

    def complete(self, memory: GuestMemory, head: int, written: int) -> None:
        """Give one request back, and tell the guest."""
        mapped, at = memory.place(self.used, 4 + 8 * self.entries, user=True)
        (index,) = struct.unpack_from("<H", mapped, at + 2)
        struct.pack_into("<II", mapped, at + 4 + 8 * (index % self.entries), head, written)
        struct.pack_into("<H", mapped, at + 2, index + 1 & 0xFFFF)
        self.interrupt()

    def interrupt(self) -> None:
        """Raise the queue's interrupt."""
        if self.call is not None:
            os.write(self.call, struct.pack("<Q", 1))

    def release(self) -> None:
        """Close the descriptors that came with it."""
        self.running = False
        for descriptor in (self.kick, self.call):
            if descriptor is not None:
                os.close(descriptor)
        self.kick = self.call = None
