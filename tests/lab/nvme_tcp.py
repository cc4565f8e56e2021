"""NVMe controllers in this process on the guest's own nvme-tcp driver.

NVMe over TCP as the transport specification has it (NVMe/TCP 1.0, 3), with the fabrics commands a host needs and the keep-alive.
Every other command goes to the controller. The guest reaches 127.0.0.1 of the host as 10.0.2.2.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import traceback
from dataclasses import dataclass, field

from .drives.faults import BusReset, Gone, NoAnswer
from .drives.nvme import DATASET_MANAGEMENT, NvmeController
from .drives.nvme_status import HELD

# PDU types (NVMe/TCP 1.0, 3.6.1)
IC_REQUEST, IC_RESPONSE, COMMAND, RESPONSE, TO_CONTROLLER, TO_HOST, READY = 0, 1, 4, 5, 6, 7, 9
LAST_PDU = 0x04
TRANSPORT_DATA = 0x5A
"""SGL descriptor: the data is fetched with a ready-to-transfer, or does not lie in the capsule."""
CAPSULE_DATA_BYTES = 16384
LARGEST_DATA_PDU = 1 << 20

FABRICS, KEEP_ALIVE, IDENTIFY = 0x7F, 0x18, 0x06
PROPERTY_SET, CONNECT, PROPERTY_GET = 0x00, 0x01, 0x04
CAP, VERSION, CONFIGURATION, STATUS = 0x00, 0x08, 0x14, 0x1C
CAPABILITIES = 127 | 1 << 16 | 60 << 24 | 1 << 37
"""Queues of 128, contiguous, ready within 30 s, the NVM command set."""
INVALID_FIELD = 0x4002
INTERNAL_ERROR = 0x4006
LARGEST_COMMAND = 1 << 20
DEALLOCATE = 4
"""Dataset Management, CDW11 bit 2."""


@dataclass(frozen=True)
class Sqe:
    """A submission-queue entry as it came."""

    raw: bytes

    @property
    def opcode(self) -> int:
        """Byte 0."""
        return self.raw[0]

    @property
    def identifier(self) -> int:
        """Command identifier."""
        return int.from_bytes(self.raw[2:4], "little")

    @property
    def length(self) -> int:
        """Bytes of the data phase, by its only SGL descriptor."""
        return int.from_bytes(self.raw[32:36], "little")

    @property
    def fetched(self) -> bool:
        """Whether the host waits to be asked for data: opcode bit 0 says "to the controller" (fabrics: of the type)."""
        kind = self.raw[4] if self.opcode == FABRICS else self.opcode
        return self.raw[39] == TRANSPORT_DATA and self.length > 0 and bool(kind & 1)


class NvmeTcp:
    """A port with one controller behind it."""

    def __init__(self, controller: NvmeController, busy: threading.RLock | None = None) -> None:
        self.controller = controller
        self.busy = busy or threading.RLock()
        """A subsystem does one thing at a time, for all its controllers; only keep-alive is answered beside it."""
        self._connections: set[Connection] = set()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._accept, name=f"port-{self.port}", daemon=True).start()

    @property
    def nqn(self) -> str:
        """The subsystem's name."""
        return self.controller.subsystem.traits.qualified_name

    def _accept(self) -> None:
        while True:
            try:
                channel, _ = self._server.accept()
            except OSError:
                return
            channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(self, channel)
            self._connections.add(connection)
            threading.Thread(target=connection.serve, daemon=True).start()

    def forget(self, connection: Connection) -> None:
        """It ended."""
        self._connections.discard(connection)

    def hang_up(self) -> None:
        """Cut every connection: a reset, or the machine's power."""
        for connection in list(self._connections):
            connection.close()

    def close(self) -> None:
        """Pull the drive."""
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.hang_up()


@dataclass
class _Write:
    """A command whose data is still on its way."""

    sqe: Sqe
    data: bytearray = field(default_factory=bytearray)


class Connection:
    """One TCP connection: an admin or I/O queue."""

    def __init__(self, port: NvmeTcp, channel: socket.socket) -> None:
        self._port = port
        self._channel = channel
        self._stream = channel.makefile("rb")
        self._sending = threading.Lock()
        self._queue = 0
        self._entries = 32
        self._head = 0
        self._configuration = 0
        self._status = 0
        self._writes: dict[int, _Write] = {}
        self._held: list[Sqe] = []
        """Asynchronous Event Requests."""

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)

    def serve(self) -> None:
        """Until the other side hangs up."""
        try:
            kind, _, _ = self._receive()
            if kind == IC_REQUEST:
                self._send(IC_RESPONSE, 0, struct.pack("<HBBI", 0, 0, 0, LARGEST_DATA_PDU).ljust(120, b"\0"))
                while True:
                    self._handle(*self._receive())
        except (OSError, EOFError, ValueError):
            pass
        finally:
            self._port.forget(self)
            self._stream.close()
            self._channel.close()

    # PDUs

    def _exactly(self, length: int) -> bytes:
        data = self._stream.read(length)
        if len(data) < length:
            raise EOFError
        return data

    def _receive(self) -> tuple[int, bytes, bytes]:
        kind, _, header, offset, length = struct.unpack("<BBBBI", self._exactly(8))
        if length > LARGEST_DATA_PDU + 256:
            raise ValueError("a PDU larger than was agreed")
        body = self._exactly(length - 8)
        return kind, body[: header - 8], body[offset - 8 :] if offset else b""

    def _send(self, kind: int, flags: int, body: bytes, data: bytes = b"") -> None:
        header = 8 + len(body)
        head = struct.pack("<BBBBI", kind, flags, header, header if data else 0, header + len(data))
        with self._sending:
            self._channel.sendall(head + body + data)

    def _handle(self, kind: int, body: bytes, data: bytes) -> None:
        if kind == COMMAND:
            sqe = Sqe(body[:64])
            if sqe.length > LARGEST_COMMAND:
                raise ValueError("a command larger than the controller takes")
            if sqe.fetched:
                self._writes[sqe.identifier] = _Write(sqe)
                self._send(READY, 0, struct.pack("<HHII4x", sqe.identifier, sqe.identifier, 0, sqe.length))
            else:
                self._begin(sqe, data)
        elif kind == TO_CONTROLLER:
            write = self._writes[int.from_bytes(body[:2], "little")]
            write.data += data
            if len(write.data) >= write.sqe.length:
                del self._writes[write.sqe.identifier]
                self._begin(write.sqe, bytes(write.data))
        else:
            raise ValueError(f"PDU type {kind:#x} from a host")

    # Commands

    def _begin(self, sqe: Sqe, data: bytes) -> None:
        if sqe.opcode == FABRICS:
            self._complete(sqe, *self._fabrics(sqe))
        elif self._queue:
            self._carry_out(sqe, data)
        elif sqe.opcode == KEEP_ALIVE:
            self._complete(sqe, 0, 0)
        else:
            # In a thread: a command that takes its time must not keep the keep-alive waiting.
            threading.Thread(target=self._carry_out, args=(sqe, data), daemon=True).start()

    def _fabrics(self, sqe: Sqe) -> tuple[int, int]:
        kind, offset = sqe.raw[4], int.from_bytes(sqe.raw[44:48], "little")
        if kind == CONNECT:
            self._queue, size = struct.unpack_from("<HH", sqe.raw, 42)
            self._entries = size + 1
            if self._queue == 0:
                self._port.controller.reset()  # a new association begins like this
            return 0, self._port.controller.number
        if kind == PROPERTY_GET:
            values = {CAP: CAPABILITIES, VERSION: 0x10400, CONFIGURATION: self._configuration, STATUS: self._status}
            return (0, values[offset]) if offset in values else (INVALID_FIELD, 0)
        if kind == PROPERTY_SET and offset == CONFIGURATION:
            if self._configuration & 1 and not sqe.raw[48] & 1:
                self._port.controller.reset()
            self._configuration = int.from_bytes(sqe.raw[48:52], "little")
            # Ready follows enable, shutdown complete follows a shutdown notice.
            self._status = (self._configuration & 1) | (0x8 if self._configuration & 0xC000 else 0)
            return 0, 0
        return INVALID_FIELD, 0

    def _carry_out(self, sqe: Sqe, data: bytes) -> None:
        try:
            with self._port.busy:
                status, result, reply = self._io(sqe, data) if self._queue else self._admin(sqe, data)
        except NoAnswer:
            return
        except Gone:
            self._port.close()
            return
        except BusReset:
            self._port.hang_up()
            return
        except Exception:  # noqa: BLE001 - a defect of the emulator must not look like a hung drive
            traceback.print_exc()
            status, result, reply = INTERNAL_ERROR, 0, b""
        with contextlib.suppress(OSError):
            if status == HELD:
                self._held.append(sqe)
            else:
                self._complete(sqe, status, result, reply[: sqe.length])
            while self._held and (event := self._port.controller.take_event()) is not None:
                self._complete(self._held.pop(0), 0, event)

    def _admin(self, sqe: Sqe, data: bytes) -> tuple[int, int, bytes]:
        status, result, reply = self._port.controller.admin(sqe.raw, data)
        if sqe.opcode == IDENTIFY and sqe.raw[40] == 1 and reply:
            reply = over_fabrics(reply, self._port.nqn, self._port.controller.number)
        return status, result, reply

    def _io(self, sqe: Sqe, data: bytes) -> tuple[int, int, bytes]:
        nsid, words = int.from_bytes(sqe.raw[4:8], "little"), struct.unpack("<16I", sqe.raw)
        lba, blocks = words[10] | words[11] << 32, (words[12] & 0xFFFF) + 1
        if sqe.opcode == DATASET_MANAGEMENT:
            if not words[11] & DEALLOCATE:
                return 0, 0, b""  # a hint only
            lba, blocks = 0, (words[10] & 0xFF) + 1
        status, reply = self._port.controller.io(nsid, sqe.opcode, lba, blocks, data)
        return status, 0, reply

    def _complete(self, sqe: Sqe, status: int, result: int, reply: bytes = b"") -> None:
        if reply and not status:
            self._send(TO_HOST, LAST_PDU, struct.pack("<HHII4x", sqe.identifier, 0, 0, len(reply)), reply)
        self._head = (self._head + 1) % self._entries
        entry = struct.pack("<QHHHH", result, self._head, self._queue, sqe.identifier, (status & 0x7FFF) << 1)
        self._send(RESPONSE, 0, entry)


def over_fabrics(identify: bytes, nqn: str, controller_id: int) -> bytes:
    """Identify Controller with the fields only a fabric has (NVMe Base 1.4, figure 247; NVMe over Fabrics 1.1, 4.1)."""
    page = bytearray(identify.ljust(4096, b"\0"))
    struct.pack_into("<H", page, 78, controller_id)
    page[111] = 1  # an I/O controller
    struct.pack_into("<H", page, 320, 10)  # keep-alive in steps of 1 s
    struct.pack_into("<H", page, 514, 128)  # commands under way
    struct.pack_into("<I", page, 536, 0x00100001)  # SGLs, and no buffers elsewhere
    page[768:1024] = nqn.encode().ljust(256, b"\0")
    struct.pack_into("<IIHBB", page, 1792, (64 + CAPSULE_DATA_BYTES) // 16, 1, 0, 0, 1)
    return bytes(page)
