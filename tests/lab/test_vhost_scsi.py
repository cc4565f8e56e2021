"""The vhost-user adapter against a machine of a few lines, without a guest: rings in shared memory, and commands given up."""

from __future__ import annotations

import array
import os
import select
import socket
import struct
import threading
from collections.abc import Iterator
from mmap import mmap
from pathlib import Path

import pytest

from .drives.faults import NoAnswer
from .drives.scsi_base import ScsiTarget
from .emulated import SECRET, sas
from .vhost_scsi import (
    BAD_TARGET,
    CONTROL,
    GET_FEATURES,
    OK,
    REQUEST,
    RESET,
    SET_MEM_TABLE,
    SET_OWNER,
    SET_VRING_ADDR,
    SET_VRING_CALL,
    SET_VRING_KICK,
    SET_VRING_NUM,
    VERSION_1,
    VhostScsi,
)

MEMORY = 1 << 20
USER = 0x7F0000000000
ENTRIES = 8
RINGS = {CONTROL: 0x0000, REQUEST: 0x4000}
BUFFERS = 0x10000


class Machine:
    """The other side of the socket."""

    def __init__(self, path: Path) -> None:
        self.channel = socket.socket(socket.AF_UNIX)
        self.channel.settimeout(10)
        self.channel.connect(str(path))
        file = os.memfd_create("guest")
        os.ftruncate(file, MEMORY)
        self.memory = mmap(file, MEMORY)
        self.files = {number: (os.eventfd(0), os.eventfd(0)) for number in RINGS}
        self.sent = dict.fromkeys(RINGS, 0)
        self.send(SET_OWNER)
        self.send(SET_MEM_TABLE, struct.pack("<IIQQQQ", 1, 0, 0, MEMORY, USER, 0), [file])
        os.close(file)
        for number, (kick, call) in self.files.items():
            base = USER + RINGS[number]
            self.send(SET_VRING_NUM, struct.pack("<II", number, ENTRIES))
            self.send(SET_VRING_ADDR, struct.pack("<IIQQQQ", number, 0, base, base + 0x2000, base + 0x1000, 0))
            self.send(SET_VRING_KICK, struct.pack("<Q", number), [kick])
            self.send(SET_VRING_CALL, struct.pack("<Q", number), [call])

    def send(self, request: int, body: bytes = b"", files: list[int] | None = None) -> None:
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files).tobytes())] if files else []
        self.channel.sendmsg([struct.pack("<III", request, 1, len(body)) + body], ancillary)

    def submit(self, number: int, out: bytes, room: int) -> int:
        """Make one request available; returns where the answer will be."""
        ring, slot = RINGS[number], self.sent[number] % (ENTRIES // 2)
        at = BUFFERS + number * 0x20000 + slot * 0x8000
        self.memory[at : at + len(out)] = out
        answer = at + 0x4000
        struct.pack_into("<QIHH", self.memory, ring + 32 * slot, at, len(out), 1, 2 * slot + 1)
        struct.pack_into("<QIHH", self.memory, ring + 32 * slot + 16, answer, room, 2, 0)
        struct.pack_into("<H", self.memory, ring + 0x1000 + 4 + 2 * (self.sent[number] % ENTRIES), 2 * slot)
        self.sent[number] += 1
        struct.pack_into("<H", self.memory, ring + 0x1000 + 2, self.sent[number])
        os.eventfd_write(self.files[number][0], 1)
        return answer

    def done(self, number: int) -> int:
        """How many requests of a ring are answered."""
        found: int = struct.unpack_from("<H", self.memory, RINGS[number] + 0x2000 + 2)[0]
        return found

    def wait(self, number: int, count: int) -> None:
        while self.done(number) < count:
            assert select.select([self.files[number][1]], [], [], 10)[0], "no interrupt"
            os.eventfd_read(self.files[number][1])

    def scsi(self, cdb: bytes, data: bytes = b"", read: int = 0, target: int = 0) -> tuple[int, int, bytes]:
        """Response, status, data of one command."""
        header = bytes((1, target, 0, 0, 0, 0, 0, 0)) + bytes(11) + cdb.ljust(32, b"\0")
        answer = self.submit(REQUEST, header + data, 108 + read)
        self.wait(REQUEST, self.sent[REQUEST])
        _, residual, _, status, response = struct.unpack_from("<IIHBB", self.memory, answer)
        return response, status, bytes(self.memory[answer + 108 : answer + 108 + read - residual])

    def close(self) -> None:
        self.channel.close()
        for kick, call in self.files.values():
            os.close(kick)
            os.close(call)


@pytest.fixture
def adapter(tmp_path: Path) -> Iterator[VhostScsi]:
    adapter = VhostScsi("bay", tmp_path)
    yield adapter
    adapter.close()


@pytest.fixture
def machine(adapter: VhostScsi) -> Iterator[Machine]:
    machine = Machine(adapter.path)
    yield machine
    machine.close()


def disk() -> ScsiTarget:
    target = sas("LABVH1", mib=1).target
    assert target is not None
    return target


def test_reads_and_writes_go_through_shared_memory(adapter: VhostScsi, machine: Machine) -> None:
    adapter.insert(0, disk())
    machine.scsi(bytes(6))  # the unit attention of its power-on
    assert machine.scsi(b"\x28\0\0\0\0\x01\0\0\x02\0", read=1024) == (OK, 0, SECRET * 64)
    assert machine.scsi(b"\x2a\0\0\0\0\x01\0\0\x01\0", data=b"A" * 512) == (OK, 0, b"")
    assert machine.scsi(b"\x28\0\0\0\0\x01\0\0\x01\0", read=512) == (OK, 0, b"A" * 512)


def test_less_data_than_asked_for_is_told_as_such(adapter: VhostScsi, machine: Machine) -> None:
    adapter.insert(0, disk())
    response, status, data = machine.scsi(b"\x12\0\0\x10\0\0", read=4096)
    assert (response, status) == (OK, 0)
    assert len(data) == 96


def test_an_empty_slot_is_no_target(adapter: VhostScsi, machine: Machine) -> None:
    adapter.insert(0, disk())
    assert machine.scsi(bytes(6), target=1)[0] == BAD_TARGET
    adapter.remove(0)
    assert machine.scsi(bytes(6))[0] == BAD_TARGET


class Slow:
    """A drive that answers when it is let."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.let = threading.Event()
        self.cut = threading.Event()

    def command(self, _cdb: bytes, _data_out: bytes, /) -> tuple[int, bytes, bytes]:
        self.begun.set()
        assert self.let.wait(10)
        return 0, b"", b""

    def power_cut(self) -> None:
        self.cut.set()

    def power_on(self) -> None:
        pass

    def reset(self) -> None:
        pass


class Silent(Slow):
    """A drive that never answers."""

    def command(self, _cdb: bytes, _data_out: bytes, /) -> tuple[int, bytes, bytes]:
        self.begun.set()
        raise NoAnswer


def test_a_silent_drive_holds_its_command_until_the_guest_gives_it_up(adapter: VhostScsi, machine: Machine) -> None:
    silent = Silent()
    adapter.insert(0, silent)
    header = bytes((1, 0, 0, 0, 0, 0, 0, 0)) + bytes(11) + bytes(32)
    answer = machine.submit(REQUEST, header, 108)
    assert silent.begun.wait(10)
    told = machine.submit(CONTROL, bytes(24), 1)
    machine.wait(CONTROL, 1)
    assert machine.memory[told] == OK
    # The command came back before the guest was told: its buffers may be used again.
    assert machine.done(REQUEST) == 1
    assert struct.unpack_from("<IIHBB", machine.memory, answer)[4] == RESET


def test_an_answer_that_comes_after_the_guest_gave_up_is_dropped(adapter: VhostScsi, machine: Machine) -> None:
    slow = Slow()
    adapter.insert(0, slow)
    header = bytes((1, 0, 0, 0, 0, 0, 0, 0)) + bytes(11) + bytes(32)
    machine.submit(REQUEST, header, 108)
    assert slow.begun.wait(10)
    machine.submit(CONTROL, bytes(24), 1)
    machine.wait(CONTROL, 1)
    slow.let.set()
    assert machine.scsi(bytes(6))[0] == OK
    assert machine.done(REQUEST) == 2


def test_a_machine_that_is_killed_takes_the_drives_power_with_it(adapter: VhostScsi, machine: Machine) -> None:
    slow = Slow()
    adapter.insert(0, slow)
    machine.send(GET_FEATURES)
    head = machine.channel.recv(20)
    assert struct.unpack("<IIIQ", head)[3] & VERSION_1
    assert not adapter.off.is_set()
    machine.channel.close()
    assert slow.cut.wait(10)
    assert adapter.off.wait(10)
