"""An emulated NVMe controller: every admin and I/O command a host may send, answered as NVM Express Base 2.1 says.

No transport is in here. `admin` takes a submission-queue entry and the data that go with it and gives status, result and data;
`io` does the same for the NVM Command Set. Status values carry no phase bit (see `nvme_status`). `NoAnswer`, `Gone` and
`BusReset` come out of any of them, and a transport acts them out.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from . import nvme_identify as identify
from . import nvme_logs as logs
from .faults import BadBlock, BusReset, Gone
from .nvme_features import Features
from .nvme_identify import EVERY_NAMESPACE, FORMAT, MANAGEMENT, SECURITY, NvmeNamespace
from .nvme_sanitize import EXIT_FAILURE, Mode
from .nvme_status import HELD, Refusal, Status
from .nvme_subsystem import NvmeSubsystem

Answer = tuple[int, int, bytes]
"""Status, result (completion dword 0), data for the host."""

WHILE_SANITIZING = frozenset({0x00, 0x01, 0x02, 0x04, 0x05, 0x06, 0x08, 0x09, 0x0A, 0x0C, 0x18, 0x84})
"""Admin commands processed during a sanitize and after a failed one: queues, Get Log Page, Identify, Abort, features, events,
Keep Alive and Sanitize (Base, Sanitize Operations: Admin Commands Allowed). A sanitize that may not be is refused by itself."""
LOGS_WHILE_SANITIZING = frozenset({logs.ERRORS, logs.SMART, logs.CHANGED, logs.SANITIZE})
MOST_EVENT_REQUESTS = 4
"""AERL plus one."""
SANITIZE_COMPLETED, SANITIZE_DEALLOCATED = 0x810106, 0x810206
"""Event results: type 6, what happened, log page 81h."""
FLUSH, WRITE, READ, WRITE_ZEROES, DATASET_MANAGEMENT = 0x00, 0x01, 0x02, 0x08, 0x09


@dataclass(frozen=True)
class Entry:
    """The fields of a submission-queue entry that a controller reads."""

    opcode: int
    command_id: int
    nsid: int
    dwords: tuple[int, ...]
    """All sixteen, so that dwords[10] is CDW10."""
    data: bytes

    @classmethod
    def of(cls, sqe: bytes, data: bytes) -> Entry:
        """Read 64 bytes."""
        opcode, _, command_id, nsid = struct.unpack_from("<BBHI", sqe)
        return cls(opcode, command_id, nsid, struct.unpack("<16I", sqe), data)


@dataclass(eq=False)
class NvmeController:
    """One controller of a subsystem."""

    subsystem: NvmeSubsystem
    number: int = 1
    """CNTLID."""
    features: Features = field(init=False)
    errors: logs.ErrorLog = field(default_factory=logs.ErrorLog)
    events: list[int] = field(default_factory=list)
    """What happened and was not yet told, as results of Asynchronous Event Requests."""
    waiting_requests: int = 0
    """Asynchronous Event Requests that are outstanding."""
    changed: set[int] = field(default_factory=set)
    """Namespaces of log page 04h."""
    issued_sanitize: bool = False
    """Only the controller that was given the Sanitize command tells of its end."""
    blocks_read: int = 0
    blocks_written: int = 0
    media_errors: int = 0

    def __post_init__(self) -> None:
        self.subsystem.present.append(self)
        self.features = Features(self.subsystem)
        self._handlers: dict[int, Callable[[Entry], tuple[int, bytes]]] = {
            0x02: self._log,
            0x06: lambda entry: (0, self._identify(entry)),
            0x08: lambda _: (1, b""),  # Abort: the command was not found
            0x09: lambda entry: (self.features.set(entry.nsid, entry.dwords), b""),
            0x0A: lambda entry: (self.features.get(entry.nsid, entry.dwords), b""),
            0x18: lambda _: (0, b""),  # Keep Alive
            0x84: self._sanitize,
        }
        oacs = self.subsystem.traits.oacs
        if oacs & FORMAT:
            self._handlers[0x80] = self._format
        if oacs & SECURITY:
            self._handlers |= {0x81: self._security_send, 0x82: self._security_receive}
        if oacs & MANAGEMENT:
            self._handlers |= {0x0D: self._manage, 0x15: self._attach}

    # Power and resets

    def reset(self) -> None:
        """Controller level reset: outstanding commands are lost, a sanitize goes on, waiting firmware takes over."""
        self.events.clear()
        self.waiting_requests = 0
        self.features = Features(self.subsystem)
        self.subsystem.sanitizer.activation_pending = None

    def power_cut(self) -> None:
        """The whole subsystem loses power."""
        self.subsystem.power_cut()

    def power_on(self) -> None:
        """Power is back."""
        self.subsystem.power_on()
        self.reset()

    # Admin commands

    def admin(self, sqe: bytes, data_out: bytes = b"") -> Answer:
        """Carry out one admin command.

        Args:
            sqe: The submission-queue entry, 64 bytes.
            data_out: What the host sends with it.

        Returns:
            Status (or `HELD`), completion dword 0, and the data for the host.

        Raises:
            NoAnswer, Gone, BusReset: no completion comes.
        """
        self._awake()
        entry = Entry.of(sqe, data_out)
        if entry.opcode == 0x0C:
            return self._event_request()
        try:
            self._permitted(entry)
            handler = self._handlers.get(entry.opcode)
            if handler is None or (entry.opcode == 0x84 and not self.subsystem.traits.sanicap & 7):
                raise Refusal(Status.INVALID_OPCODE)  # noqa: TRY301 - one place counts the errors
            result, data = handler(entry)
        except Refusal as refusal:
            self.errors.add(0, entry.command_id, refusal.value, entry.nsid, 0)
            return refusal.value, 0, b""
        return Status.SUCCESS, result, data

    def _awake(self) -> None:
        if not self.subsystem.powered:
            raise Gone
        self.subsystem.medium.tick()
        if self.subsystem.sanitizer.settle():
            self.subsystem.sanitize_ended()

    def sanitize_ended(self) -> None:
        """Tell of it, if it was ours."""
        if self.issued_sanitize:
            self.issued_sanitize = False
            unexpected = self.subsystem.sanitizer.deallocated
            self.events.append(SANITIZE_DEALLOCATED if unexpected else SANITIZE_COMPLETED)

    def _permitted(self, entry: Entry) -> None:
        """What a running or failed sanitize, or a format, forbids."""
        if self.subsystem.formatter.under_way and entry.opcode in {0x0D, 0x15, 0x80, 0x84}:
            raise Refusal(Status.FORMAT_IN_PROGRESS)
        mode = self.subsystem.sanitizer.mode
        if mode is Mode.IDLE:
            return
        if entry.opcode in WHILE_SANITIZING and entry.opcode != 0x02:
            return
        if entry.opcode == 0x02 and entry.dwords[10] & 0xFF in LOGS_WHILE_SANITIZING:
            return
        raise Refusal(Status.SANITIZE_IN_PROGRESS if mode is Mode.PROCESSING else Status.SANITIZE_FAILED)

    def _event_request(self) -> Answer:
        """Asynchronous Event Request: held until something happens."""
        if self.waiting_requests >= MOST_EVENT_REQUESTS:
            return Refusal(Status.TOO_MANY_EVENT_REQUESTS).value, 0, b""
        self.waiting_requests += 1
        return HELD, 0, b""

    def take_event(self) -> int | None:
        """The result with which one held request completes now; None while there is nothing to tell or nobody waits."""
        if not self.events or not self.waiting_requests:
            return None
        self.waiting_requests -= 1
        return self.events.pop(0)

    def _identify(self, entry: Entry) -> bytes:
        whole, structure = self.subsystem, entry.dwords[10] & 0xFF
        numbers = [one.nsid for one in whole.namespaces]
        if structure == 0x01:
            return identify.identify_controller(
                whole.traits, self.number, len(whole.controllers), whole.total, whole.unallocated
            )
        if structure in {0x02, 0x10}:
            if entry.nsid >= 0xFFFFFFFE:
                raise Refusal(Status.INVALID_NAMESPACE)
            active = [one.nsid for one in whole.namespaces if self.number in one.attached]
            return identify.namespace_list(active if structure == 0x02 else numbers, entry.nsid)
        if structure in {0x12, 0x13}:
            first = entry.dwords[10] >> 16
            one = whole.allocated(entry.nsid)
            if structure == 0x13:
                return identify.controller_list(list(whole.controllers), first)
            return identify.controller_list(sorted(one.attached) if one else [], first)
        if structure == 0x14:
            return identify.primary_capabilities(self.number)
        if structure in {0x00, 0x03, 0x11}:
            return self._identify_namespace(entry.nsid, structure)
        raise Refusal(Status.INVALID_FIELD)

    def _identify_namespace(self, nsid: int, structure: int) -> bytes:
        whole = self.subsystem
        if structure == 0x00 and nsid == EVERY_NAMESPACE and whole.traits.oacs & MANAGEMENT:
            return identify.common_namespace(whole.traits)
        if not 1 <= nsid <= whole.traits.most_namespaces:
            raise Refusal(Status.INVALID_NAMESPACE)
        one = whole.allocated(nsid)
        if one is None or (structure != 0x11 and self.number not in one.attached):
            if structure == 0x03:
                raise Refusal(Status.INVALID_NAMESPACE)
            return bytes(identify.LENGTH)  # inactive, or not allocated: all zeros
        if structure == 0x03:
            return identify.descriptors(whole.traits, nsid)
        return whole.with_capacity_fault(identify.identify_namespace(whole.traits, one))

    def _log(self, entry: Entry) -> tuple[int, bytes]:
        dwords, whole = entry.dwords, self.subsystem
        length = ((dwords[11] & 0xFFFF) << 16 | dwords[10] >> 16) * 4 + 4
        offset = dwords[12] | dwords[13] << 32
        page = dwords[10] & 0xFF
        if entry.nsid not in {0, EVERY_NAMESPACE} and page in {logs.SANITIZE, logs.ERRORS, logs.FIRMWARE, logs.CHANGED}:
            raise Refusal(Status.INVALID_FIELD)
        raw = self._page(page)
        if raw is None or (page == logs.SANITIZE and not whole.traits.sanicap & 7):
            raise Refusal(Status.INVALID_LOG_PAGE)
        if offset > len(raw) or offset % 4:
            raise Refusal(Status.INVALID_FIELD)
        return 0, raw[offset : offset + length].ljust(length, b"\0")

    def _page(self, page: int) -> bytes | None:
        whole = self.subsystem
        builders: dict[int, Callable[[], bytes]] = {
            logs.ERRORS: self.errors.page,
            logs.SMART: lambda: logs.smart(
                faults=whole.medium.faults,
                media_errors=self.media_errors + whole.medium.faults.uncorrectable,
                read_units=self.blocks_read // 1000,
                written_units=self.blocks_written // 1000,
            ),
            logs.FIRMWARE: lambda: logs.firmware_slots(
                whole.traits.firmware, whole.sanitizer.activation_pending is not None
            ),
            logs.CHANGED: self._changed_namespaces,
            logs.EFFECTS: lambda: logs.effects(
                {code: value for code, value in logs.ADMIN_EFFECTS.items() if code in {*self._handlers, 0x0C}},
                logs.IO_EFFECTS,
            ),
            logs.SANITIZE: lambda: logs.sanitize_status(whole.sanitizer.report(), whole.traits.seconds),
        }
        builder = builders.get(page)
        return None if builder is None else builder()

    def _changed_namespaces(self) -> bytes:
        numbers, self.changed = sorted(self.changed), set()
        return logs.changed_namespaces(numbers)

    def _format(self, entry: Entry) -> tuple[int, bytes]:
        whole, dword10 = self.subsystem, entry.dwords[10]
        whole.formatter.check(dword10)
        chosen = whole.formatter.scope(entry.nsid, dword10, whole.namespaces, self.number)
        if whole.opal is not None and not whole.opal.writable:
            raise Refusal(Status.ACCESS_DENIED)
        whole.formatter.run(chosen, dword10, whole.forget)
        return 0, b""

    def _sanitize(self, entry: Entry) -> tuple[int, bytes]:
        whole, action = self.subsystem, entry.dwords[10] & 7
        if entry.nsid and whole.traits.strict_nsid:
            raise Refusal(Status.INVALID_FIELD)
        if whole.sanitizer.mode is not Mode.PROCESSING and action != EXIT_FAILURE:
            if whole.protected:
                raise Refusal(Status.WRITE_PROTECTED)
            if whole.opal is not None and not whole.opal.writable:
                raise Refusal(Status.ACCESS_DENIED)
        try:
            whole.sanitizer.command(entry.dwords[10], entry.dwords[11], whole.visible)
        except BusReset:
            self.reset()
            raise
        self.issued_sanitize = action != EXIT_FAILURE
        return 0, b""

    def _security_send(self, entry: Entry) -> tuple[int, bytes]:
        opal, dword10 = self.subsystem.opal, entry.dwords[10]
        protocol, com_id = dword10 >> 24, dword10 >> 8 & 0xFFFF
        if opal is None or not opal.knows(protocol, com_id):
            raise Refusal(Status.INVALID_FIELD)
        opal.send(protocol, com_id, entry.data)
        return 0, b""

    def _security_receive(self, entry: Entry) -> tuple[int, bytes]:
        opal, dword10 = self.subsystem.opal, entry.dwords[10]
        length = entry.dwords[11]
        if opal is None:
            return 0, bytes(length)
        return 0, opal.receive(dword10 >> 24, dword10 >> 8 & 0xFFFF, length)

    def _manage(self, entry: Entry) -> tuple[int, bytes]:
        return self.subsystem.manage(entry.nsid, entry.dwords[10], entry.data), b""

    def _attach(self, entry: Entry) -> tuple[int, bytes]:
        self.subsystem.attach(entry.nsid, entry.dwords[10], entry.data)
        return 0, b""

    # I/O commands

    def io(self, nsid: int, opcode: int, lba: int, blocks: int, data_out: bytes = b"") -> tuple[int, bytes]:
        """Carry out one I/O command.

        Args:
            nsid: The namespace.
            opcode: 00h flush, 01h write, 02h read, 08h write zeroes, 09h dataset management.
            lba: First logical block, of the namespace's own size.
            blocks: How many; with dataset management the ranges in `data_out`, all to be deallocated.
            data_out: What is written, or the ranges.

        Returns:
            Status and data for the host.

        Raises:
            NoAnswer, Gone: no completion comes.
        """
        self._awake()
        try:
            return Status.SUCCESS, self._io(nsid, opcode, lba, blocks, data_out)
        except Refusal as refusal:
            self.errors.add(1, 0, refusal.value, nsid, lba)
            return refusal.value, b""
        except BadBlock as bad:
            self.media_errors += 1
            status = Status.WRITE_FAULT if bad.operation == "write" else Status.UNRECOVERED_READ
            self.errors.add(1, 0, status, nsid, lba)
            return Refusal(status).value, b""

    def _io(self, nsid: int, opcode: int, lba: int, blocks: int, data_out: bytes) -> bytes:
        whole, one = self.subsystem, self._reachable(nsid)
        mode = whole.sanitizer.mode
        if opcode == FLUSH and mode is not Mode.RESTRICTED_FAILURE and mode is not Mode.UNRESTRICTED_FAILURE:
            whole.medium.flush()
            return b""
        if mode is Mode.PROCESSING:
            raise Refusal(Status.SANITIZE_IN_PROGRESS, retry=True)
        if mode is not Mode.IDLE:
            raise Refusal(Status.SANITIZE_FAILED)
        if one in whole.formatter.under_way:
            raise Refusal(Status.FORMAT_IN_PROGRESS)
        if opcode == DATASET_MANAGEMENT:
            return self._deallocate(one, blocks, data_out)
        if opcode not in {READ, WRITE, WRITE_ZEROES}:
            raise Refusal(Status.INVALID_OPCODE)
        if lba + blocks > one.blocks:
            raise Refusal(Status.LBA_OUT_OF_RANGE)
        if opcode == READ:
            self.blocks_read += blocks
            return whole.read(one, lba, blocks)
        data = data_out if opcode == WRITE else bytes(blocks << one.shift)
        if len(data) != blocks << one.shift:
            raise Refusal(Status.INVALID_FIELD)
        self.blocks_written += blocks
        whole.write(one, lba, data)
        return b""

    def _reachable(self, nsid: int) -> NvmeNamespace:
        one = self.subsystem.allocated(nsid)
        if one is None or self.number not in one.attached:
            raise Refusal(Status.INVALID_NAMESPACE)
        return one

    def _deallocate(self, one: NvmeNamespace, count: int, ranges: bytes) -> bytes:
        spans = [struct.unpack_from("<4xIQ", ranges, 16 * number) for number in range(min(count, len(ranges) // 16))]
        if any(lba + blocks > one.blocks for blocks, lba in spans):
            raise Refusal(Status.LBA_OUT_OF_RANGE)
        for blocks, lba in spans:
            self.subsystem.deallocate(one, lba, blocks)
        return b""
