"""SCSI targets in this process on the guest's own virtio_scsi driver: a vhost-user-scsi adapter.

A test holds the drives as objects; the guest sees them behind a PCI adapter that can be pulled. Several targets hang on one
adapter (virtio 1.2, 5.6.6: the LUN field's second byte is the target), and a target can be put in or taken out at any time.
"""

from __future__ import annotations

import array
import contextlib
import mmap
import os
import select
import socket
import struct
import threading
import traceback
from dataclasses import dataclass, field
from pathlib import Path

from .drives.faults import BusReset, Gone, NoAnswer
from .drives.scsi_base import ScsiTarget
from .vring import Chain, GuestMemory, Region, Ring

VERSION_1 = 1 << 32
PROTOCOL_FEATURES = 1 << 30
"""QEMU sizes its table of memory only for backends that know these."""

GET_FEATURES = 1
SET_OWNER = 3
SET_MEM_TABLE = 5
SET_VRING_NUM = 8
SET_VRING_ADDR = 9
SET_VRING_BASE = 10
GET_VRING_BASE = 11
SET_VRING_KICK = 12
SET_VRING_CALL = 13
GET_PROTOCOL_FEATURES = 15

# virtio 1.2, 5.6.6.1: responses
OK, ABORTED, BAD_TARGET, RESET, FAILURE = 0, 2, 3, 4, 9
CONTROL, EVENT, REQUEST = 0, 1, 2
PATIENCE_SECONDS = 8.0
"""After this long without an answer the adapter gives a command up by itself and tells the guest that it was aborted.
Linux leaves that to the adapter: its driver for this one never lets a command time out."""
SENSE_BYTES = 96
HEADER_BYTES = 12 + SENSE_BYTES

CHECK_CONDITION = 2
INTERNAL_TARGET_FAILURE = bytes([0x70, 0, 4, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x44, 0, 0, 0, 0, 0])


@dataclass
class _Request:
    """A command that was not answered yet."""

    chain: Chain
    target: int
    boot: int


@dataclass
class _Connection:
    """What the machine told us since it connected."""

    memory: GuestMemory = field(default_factory=lambda: GuestMemory([]))
    rings: list[Ring] = field(default_factory=lambda: [Ring() for _ in range(3)])


class VhostScsi:
    """One adapter with up to 16 targets behind it."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.path = folder / f"{name}.sock"
        self.targets: dict[int, ScsiTarget] = {}
        self._lock = threading.RLock()
        self._open: dict[int, _Request] = {}
        self._now = _Connection()
        self._boot = 0
        self._powered = False
        self.off = threading.Event()
        """Set while no machine is connected."""
        self.off.set()
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(self.path))
        self._server.listen(1)
        threading.Thread(target=self._accept, name=f"adapter-{name}", daemon=True).start()

    @property
    def chardev(self) -> list[str]:
        """The machine's connection to this adapter: arguments for its start."""
        return ["-chardev", f"socket,id=c-{self.name},path={self.path}"]

    @property
    def device(self) -> dict[str, object]:
        """The adapter itself, for the machine's start or a hot-plug."""
        return {"driver": "vhost-user-scsi-pci", "id": self.name, "chardev": f"c-{self.name}", "num_queues": 1}

    def insert(self, number: int, target: ScsiTarget) -> None:
        """Put a drive into a slot; the guest finds it when it looks."""
        with self._lock:
            self.targets[number] = target
            if self._powered:
                target.power_on()

    def remove(self, number: int) -> None:
        """Take a drive out: its power is gone."""
        with self._lock:
            target = self.targets.pop(number)
            if self._powered:
                target.power_cut()

    def close(self) -> None:
        """No more machines."""
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.path.unlink(missing_ok=True)

    # The machine's messages

    def _accept(self) -> None:
        while True:
            try:
                machine, _ = self._server.accept()
            except OSError:
                return
            with machine:
                try:
                    while self._message(machine):
                        pass
                except OSError:
                    pass  # it was killed: a power cut
                self._power_cut()

    def _power_cut(self) -> None:
        with self._lock:
            self._boot += 1
            self._open.clear()
            for ring in self._now.rings:
                ring.release()
            self._now = _Connection()
            if self._powered:
                self._powered = False
                for target in self.targets.values():
                    target.power_cut()
            self.off.set()

    def _power_on(self) -> None:
        with self._lock:
            self._powered = True
            self.off.clear()
            for target in self.targets.values():
                target.power_on()

    def _message(self, machine: socket.socket) -> bool:
        head, ancillary, _, _ = machine.recvmsg(12, socket.CMSG_SPACE(8 * 4))
        if len(head) < 12:
            return False
        files = array.array("i")
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                files.frombytes(data[: len(data) // 4 * 4])
        request, _, size = struct.unpack("<III", head)
        body = machine.recv(size, socket.MSG_WAITALL) if size else b""
        reply = self._answered(request, body, list(files))
        if reply is not None:
            machine.sendall(struct.pack("<III", request, 5, len(reply)) + reply)
        return True

    def _answered(self, request: int, body: bytes, files: list[int]) -> bytes | None:
        if request == GET_FEATURES:
            return struct.pack("<Q", VERSION_1 | PROTOCOL_FEATURES)
        if request == GET_PROTOCOL_FEATURES:
            return struct.pack("<Q", 0)
        if request == SET_OWNER:
            self._power_on()
        elif request == SET_MEM_TABLE:
            self._remember(body, files)
        elif SET_VRING_NUM <= request <= SET_VRING_CALL:
            return self._ring_message(request, body, files)
        return None

    def _remember(self, body: bytes, files: list[int]) -> None:
        regions = []
        for number, descriptor in enumerate(files):
            guest, size, user, offset = struct.unpack_from("<QQQQ", body, 8 + 32 * number)
            regions.append(Region(guest, size, user, offset, mmap.mmap(descriptor, size + offset)))
            os.close(descriptor)
        with self._lock:
            self._now.memory = GuestMemory(regions)

    def _ring_message(self, request: int, body: bytes, files: list[int]) -> bytes | None:
        number = body[0]
        if number >= len(self._now.rings):
            return None
        with self._lock:
            ring = self._now.rings[number]
            if request == SET_VRING_NUM:
                ring.entries = struct.unpack_from("<I", body, 4)[0]
            elif request == SET_VRING_ADDR:
                _, _, ring.descriptors, ring.used, ring.available = struct.unpack_from("<IIQQQ", body)
            elif request == SET_VRING_BASE:
                ring.position = struct.unpack_from("<I", body, 4)[0]
            elif request == GET_VRING_BASE:
                # The guest lets go of the queue: what is still open there is nobody's any more.
                if number == REQUEST:
                    self._open.clear()
                ring.release()
                return struct.pack("<II", number, ring.position)
            elif request == SET_VRING_KICK and files:
                ring.kick, ring.running = files[0], True
                threading.Thread(
                    target=self._serve, args=(self._now, number, ring, os.dup(files[0]), self._boot), daemon=True
                ).start()
            elif request == SET_VRING_CALL and files:
                if ring.call is not None:
                    os.close(ring.call)
                ring.call = files[0]
                if ring.running:
                    ring.interrupt()  # it comes after the kick; an interrupt before it was lost
        return None

    # The queues

    def _serve(self, connection: _Connection, number: int, ring: Ring, kick: int, boot: int) -> None:
        try:
            while ring.running and boot == self._boot:
                if not select.select([kick], [], [], 0.2)[0]:
                    continue
                os.read(kick, 8)
                if number == CONTROL:
                    self._manage(connection, ring)
                elif number == REQUEST:
                    self._work(connection, ring, boot)
        except ValueError:
            traceback.print_exc()  # a guest that breaks the protocol is a defect of the lab
        finally:
            os.close(kick)

    def _manage(self, connection: _Connection, ring: Ring) -> None:
        """Task management: whatever the guest gives up is given back to it, before it is told that this is done."""
        with self._lock:
            for chain in ring.pending(connection.memory):
                for request in list(self._open.values()):
                    self._finish(connection, request, RESET)
                connection.memory.store(chain.writable, bytes([OK]))
                ring.complete(connection.memory, chain.head, 1)

    def _work(self, connection: _Connection, ring: Ring, boot: int) -> None:
        while True:
            with self._lock:
                chain = next(ring.pending(connection.memory), None)
                if chain is None:
                    return
                header = connection.memory.load(chain.readable)
                request = _Request(chain, header[1], boot)
                self._open[chain.head] = request
                target = None if header[0] != 1 or header[2] & 0x3F or header[3] else self.targets.get(header[1])
            if target is None:
                self._finish(connection, request, BAD_TARGET)
                continue
            # One command at a time, and none under the lock: a drive that takes its time holds up only itself,
            # and the guest can still give the command up.
            self._carry_out(connection, request, target, header)

    def _carry_out(self, connection: _Connection, request: _Request, target: ScsiTarget, header: bytes) -> None:
        try:
            status, sense, data = target.command(header[19:51], header[51:])
        except NoAnswer:
            patience = threading.Timer(PATIENCE_SECONDS, self._finish, (connection, request, ABORTED))
            patience.daemon = True
            patience.start()
        except Gone:
            self._finish(connection, request, BAD_TARGET)
        except BusReset:
            self._finish(connection, request, RESET)
        except Exception:  # noqa: BLE001 - a defect of the emulator must not look like a hung drive
            traceback.print_exc()
            self._finish(connection, request, OK, CHECK_CONDITION, INTERNAL_TARGET_FAILURE)
        else:
            self._finish(connection, request, OK, status, sense, data)

    def _finish(
        self,
        connection: _Connection,
        request: _Request,
        response: int,
        status: int = 0,
        sense: bytes = b"",
        data: bytes = b"",
    ) -> None:
        with self._lock:
            chain = request.chain
            if request.boot != self._boot or self._open.get(chain.head) is not request:
                return  # given up meanwhile, or the power went
            del self._open[chain.head]
            room = sum(span.length for span in chain.writable) - HEADER_BYTES
            data = data[:room]
            head = struct.pack("<IIHBB", len(sense), room - len(data), 0, status, response)
            connection.memory.store(chain.writable, head + sense[:SENSE_BYTES].ljust(SENSE_BYTES, b"\0") + data)
            connection.rings[REQUEST].complete(connection.memory, chain.head, HEADER_BYTES + len(data))
