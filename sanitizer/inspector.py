"""Looks at devices: joins what the host says with what the device says, and asks the pure modules what it amounts to."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from . import zfs
from .errors import DeviceMissing, DirectIoUnavailable, NotBlockDevice, Refused, SanitizerError
from .facts import HostFacts, Node, Reading
from .host import Host
from .identity import DeviceIdentity, same_device
from .inspection import Inspection
from .obstacles import identity_of, obstacles, system_is_unmapped
from .readings import read_device
from .shared_look import SharedLook
from .transport.base import OpenDevice, RequestFailed
from .transport.block import BlockDevice, claimed_here
from .transport.memory import AlignedBuffer

_NO_MEDIA = ("sr", "fd", "ram", "dm-", "md")
"""Kernel names that are never offered: optical and floppy drives, memory, and what is assembled from others."""


_this_host = Host()
_look_at_this_host: SharedLook[HostFacts] = SharedLook(_this_host.gather)


def _now() -> datetime:
    return datetime.now(UTC)


class Inspector:
    """Inspections of this host's devices."""

    def __init__(
        self,
        host: Host | None = None,
        open_reading: Callable[[str], OpenDevice] = BlockDevice.open_reading,
        claim: Callable[[str], OpenDevice] = BlockDevice.open_exclusive,
        now: Callable[[], datetime] = _now,
    ) -> None:
        self._host = host or _this_host
        self._gather = _look_at_this_host if host is None else host.gather
        self._open_reading = open_reading
        self._claim = claim
        self._now = now

    def inspect(self, path: str | Path) -> Inspection:
        """See `sanitizer.inspect`."""
        facts = self._gather()
        return self._closed(facts, self._node_at(facts, Path(path)))

    def list_devices(self) -> list[Inspection]:
        """See `sanitizer.list_devices`."""
        facts = self._gather()
        nodes = [n for n in (facts.nodes or {}).values() if n.whole is None and not n.hidden]
        shown = [n for n in nodes if not n.name.startswith(_NO_MEDIA) and n.size_bytes != 0 and not n.slaves]
        return [self._closed(facts, node) for node in sorted(shown, key=lambda n: (len(n.name), n.name))]

    def inspect_open(self, device: OpenDevice) -> Inspection:
        """Inspect the device behind an exclusively claimed descriptor: everything is read anew, by its device number."""
        facts = self._gather()
        node = facts.node_by_number(device.device_number)
        if node is None:
            raise DeviceMissing(path=device.path)
        return self._judged(facts, read_device(self._host, facts, node, device, claimed=True), None)

    @property
    def host(self) -> Host:
        """Where facts come from."""
        return self._host

    def gather(self) -> HostFacts:
        """One look at the host, shared with whoever looks at the same time."""
        return self._gather()

    def label_bytes(self, facts: HostFacts, node: Node) -> bytes | None:
        """The bytes where a ZFS label would stand, None where they cannot be had; a drive at work is left in peace."""
        try:
            device = self._open_reading(node.path)
        except Refused:
            return None
        try:
            if device.device_number != node.device_number or self._at_work(facts, node, device):
                return None
            buffer = AlignedBuffer(zfs.LABEL_BYTES)
            return bytes(buffer.view[: device.read(buffer.view, zfs.LABEL_OFFSET)])
        except (RequestFailed, SanitizerError):
            return None
        finally:
            device.close()

    def identity_at(self, facts: HostFacts, node: Node) -> DeviceIdentity | None:
        """The identity of one whole device, opened for a moment."""
        reading, _ = self._read(facts, node, content=False)
        return identity_of(reading)

    def _node_at(self, facts: HostFacts, path: Path) -> Node:
        try:
            status = path.stat()
        except OSError:
            raise DeviceMissing(path=str(path)) from None
        if not stat.S_ISBLK(status.st_mode):
            raise NotBlockDevice(path=str(path))
        number = f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"
        node = facts.node_by_number(number)
        if node is None:
            raise DeviceMissing(path=str(path))
        return node

    def _read(self, facts: HostFacts, node: Node, *, content: bool = True) -> tuple[Reading, Refused | None]:
        try:
            device = self._open_reading(node.path)
        except Refused as refused:
            return read_device(self._host, facts, node, refused, claimed=None), refused
        try:
            if device.device_number != node.device_number:
                gone = DeviceMissing(path=node.path)
                return read_device(self._host, facts, node, gone, claimed=None), gone
            if not content or self._at_work(facts, node, device):
                return read_device(self._host, facts, node, device, claimed=None, content=False), None
            claimed = self._claim_free(node) if node.whole is None and system_is_unmapped(facts) else None
            return read_device(self._host, facts, node, device, claimed=claimed), None
        finally:
            device.close()

    @staticmethod
    def _at_work(facts: HostFacts, node: Node, device: OpenDevice) -> bool:
        """Whether somebody works on a drive that has commands of its own, so that it must be left in peace.

        A drive in the midst of an erase makes every other command wait until that is over, and one that comes between the
        preparation of an erase and the erase spoils it (ACS-3, SECURITY ERASE PREPARE).
        """
        ports = device.ports()
        if ports.scsi is None and ports.nvme is None and ports.mmc is None:
            return False
        number = node.device_number
        return claimed_here(number) or any(each.device_number == number for each in facts.openers or ())

    def _claim_free(self, node: Node) -> bool:
        """Try the exclusive claim for a moment.

        Done only where the system's own devices cannot be told by the mount table (a container, an unusual root): what
        the kernel lets us claim, nothing mounted uses. Elsewhere it would only get in the way of others' mounts.
        """
        try:
            self._claim(node.path).close()
        except Refused:
            return False
        return True

    def _closed(self, facts: HostFacts, node: Node) -> Inspection:
        reading, refused = self._read(facts, node)
        return self._judged(facts, reading, refused)

    def _judged(self, facts: HostFacts, reading: Reading, refused: Refused | None) -> Inspection:
        identity = identity_of(reading)
        found = obstacles(facts, reading, identity, self._twins(facts, reading, identity))
        if isinstance(refused, DirectIoUnavailable) or (refused is not None and not found):
            found = (refused, *found)
        zoned = facts.nodes[reading.name].zoned if facts.nodes and reading.name in facts.nodes else None
        return Inspection(
            path=reading.path,
            identity=identity,
            kind=reading.kind,
            firmware=reading.firmware,
            media=reading.media,
            transport=reading.transport,
            slot=reading.slot,
            removable=reading.removable,
            hidden_capacity=reading.hidden_capacity,
            capacity_bytes=reading.capacity_bytes,
            obstacles=found,
            dormant_signatures=reading.signatures or (),
            zoned=None if zoned is None else zoned != "none",
            disk_sequence=reading.disk_sequence,
            boot_id=facts.boot_id or "unknown",
            taken=self._now(),
            capabilities=reading.capabilities,
        )

    def _twins(self, facts: HostFacts, reading: Reading, identity: DeviceIdentity | None) -> tuple[str, ...]:
        """Other attached devices of the same identity; only those of the same size are worth opening."""
        if identity is None:
            return ()
        likely = [
            node
            for node in (facts.nodes or {}).values()
            if node.name != reading.name
            and node.whole is None
            and not node.hidden
            and not node.slaves
            and node.size_bytes == identity.capacity_bytes
            and not node.name.startswith(_NO_MEDIA)
        ]
        return tuple(node.path for node in likely if same_device(identity, self.identity_at(facts, node)))
