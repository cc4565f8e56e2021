"""The NVMe/TCP port against a host of a few lines, without a guest: framing, data both ways, and what faults look like."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from .drives.faults import Faults
from .drives.nvme import NvmeController
from .emulated import SECRET, nvme
from .nvme_tcp import NvmeTcp

CAPSULE_DATA, TRANSPORT_DATA = 0x01, 0x5A


class Host:
    """One queue of a host."""

    def __init__(self, port: NvmeTcp, queue: int) -> None:
        self.channel = socket.create_connection(("127.0.0.1", port.port), timeout=10)
        self.stream = self.channel.makefile("rb")
        self.identifier = 0
        self.pdu(0, struct.pack("<HBBI", 0, 0, 0, 0).ljust(120, b"\0"))
        assert self.receive()[0] == 1
        fields = struct.pack("<HHHB", 0, queue, 31, 0)
        assert self.command(0x7F, at4=b"\x01", words={10: fields}, data=bytes(1024))[0] == 0

    def pdu(self, kind: int, body: bytes, data: bytes = b"") -> None:
        header = 8 + len(body)
        head = struct.pack("<BBBBI", kind, 0, header, header if data else 0, header + len(data))
        self.channel.sendall(head + body + data)

    def receive(self) -> tuple[int, bytes, bytes]:
        head = self.stream.read(8)
        if len(head) < 8:
            raise EOFError
        kind, _, header, offset, length = struct.unpack("<BBBBI", head)
        body = self.stream.read(length - 8)
        return kind, body[: header - 8], body[offset - 8 :] if offset else b""

    def command(
        self,
        opcode: int,
        *,
        nsid: int = 0,
        at4: bytes = b"",
        words: dict[int, bytes] | None = None,
        data: bytes = b"",
        read: int = 0,
        asked: bool = False,
    ) -> tuple[int, int, bytes]:
        """Send one, with its data in the capsule or (`asked`) when it is asked for; status, result, data."""
        self.identifier += 1
        sqe = bytearray(64)
        struct.pack_into("<BBHI", sqe, 0, opcode, 0x40, self.identifier, nsid)
        sqe[4 : 4 + len(at4)] = at4
        struct.pack_into("<I", sqe, 32, read or len(data))
        sqe[39] = TRANSPORT_DATA if asked or read else CAPSULE_DATA
        for number, raw in (words or {}).items():
            sqe[4 * number : 4 * number + len(raw)] = raw
        self.pdu(4, bytes(sqe), b"" if asked else data)
        got = b""
        while True:
            kind, body, part = self.receive()
            if kind == 9:
                identifier, tag, offset, length = struct.unpack_from("<HHII", body)
                assert length == len(data)
                half = length // 2
                for start, piece in ((0, data[:half]), (half, data[half:])):
                    self.pdu(6, struct.pack("<HHII4x", identifier, tag, offset + start, len(piece)), piece)
            elif kind == 7:
                got += part
            elif kind == 5:
                result, _, _, identifier, status = struct.unpack("<QHHHH", body)
                assert identifier == self.identifier
                return status >> 1, result, got

    def close(self) -> None:
        self.stream.close()
        self.channel.close()


@pytest.fixture
def controller() -> NvmeController:
    return nvme("LABTCP1", mib=1, faults=Faults()).controllers[0]


@pytest.fixture
def port(controller: NvmeController) -> Iterator[NvmeTcp]:
    port = NvmeTcp(controller)
    yield port
    port.close()


@pytest.fixture
def admin(port: NvmeTcp) -> Iterator[Host]:
    host = Host(port, 0)
    yield host
    host.close()


@pytest.fixture
def queue(port: NvmeTcp, admin: Host) -> Iterator[Host]:
    host = Host(port, 1)
    yield host
    host.close()


def span(lba: int, blocks: int) -> dict[int, bytes]:
    return {10: struct.pack("<Q", lba), 12: struct.pack("<I", blocks - 1)}


def test_identify_tells_what_only_a_fabric_needs(admin: Host) -> None:
    status, _, page = admin.command(0x06, words={10: b"\x01"}, read=4096)
    assert (status, len(page)) == (0, 4096)
    assert page[4:24].strip() == b"LABTCP1"
    assert page[768:].startswith(b"nqn.2026-01.lab:LABTCP1\0")
    assert struct.unpack_from("<I", page, 1792)[0] * 16 == 64 + 16384


def test_data_in_the_capsule_and_data_that_is_asked_for_both_arrive(queue: Host, controller: NvmeController) -> None:
    small, large = b"A" * 4096, b"B" * 65536
    assert queue.command(0x01, nsid=1, words=span(0, 8), data=small)[0] == 0
    assert queue.command(0x01, nsid=1, words=span(8, 128), data=large, asked=True)[0] == 0
    assert queue.command(0x02, nsid=1, words=span(4, 8), read=4096) == (0, 0, b"A" * 2048 + b"B" * 2048)
    assert queue.command(0x02, nsid=1, words=span(136, 1), read=512)[2] == SECRET * 32


def test_deallocate_counts_its_ranges_and_a_mere_hint_changes_nothing(queue: Host, controller: NvmeController) -> None:
    ranges = struct.pack("<IIQ", 0, 8, 0)
    assert queue.command(0x09, nsid=1, words={10: b"\0", 11: b"\0"}, data=ranges)[0] == 0
    assert queue.command(0x02, nsid=1, words=span(0, 1), read=512)[2] == SECRET * 32
    assert queue.command(0x09, nsid=1, words={10: b"\0", 11: b"\4"}, data=ranges)[0] == 0
    assert queue.command(0x02, nsid=1, words=span(0, 1), read=512)[2] == bytes(512)


def test_a_refusal_has_its_status_and_no_data(queue: Host, controller: NvmeController) -> None:
    status, _, data = queue.command(0x02, nsid=1, words=span(1 << 30, 8), read=4096)
    assert (status & 0x7FF, data) == (0x080, b"")


def test_keep_alive_is_answered_beside_a_command_that_takes_its_time(
    admin: Host, port: NvmeTcp, controller: NvmeController
) -> None:
    held = threading.Event()

    def hold() -> None:
        with port.busy:
            held.set()
            release.wait(10)

    release = threading.Event()
    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(10)
    assert admin.command(0x18)[0] == 0
    release.set()
    holder.join()


def test_a_bus_reset_hangs_up_and_the_port_takes_the_next_host(port: NvmeTcp, controller: NvmeController) -> None:
    host = Host(port, 0)
    controller.subsystem.medium.faults.reset = "carried-on"
    with pytest.raises((EOFError, ConnectionError)):
        host.command(0x84, words={10: b"\x02"})
    host.close()
    again = Host(port, 0)
    assert again.command(0x06, words={10: b"\x01"}, read=4096)[0] == 0
    again.close()


def test_a_vanished_drive_takes_no_host_any_more(port: NvmeTcp, controller: NvmeController) -> None:
    host = Host(port, 0)
    controller.subsystem.medium.gone = True
    with pytest.raises((EOFError, ConnectionError)):
        host.command(0x06, words={10: b"\x01"}, read=4096)
    host.close()
    with pytest.raises(OSError, match=r"refused|reset|timed out"):
        Host(port, 0)


def test_an_oversized_command_is_no_reason_to_allocate(port: NvmeTcp) -> None:
    host = Host(port, 0)
    sqe = bytearray(64)
    struct.pack_into("<I", sqe, 32, 0xFFFFFFFF)
    host.pdu(4, bytes(sqe))
    with pytest.raises((EOFError, ConnectionError)):
        host.receive()
    host.close()
