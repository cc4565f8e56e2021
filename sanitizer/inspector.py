"""Looks at devices: joins what the host says with what the device says, and asks the pure modules what it amounts to."""

from __future__ import annotations

import functools
import os
import stat
from collections.abc import Callable, Iterable
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


Attached = tuple[tuple[Node, DeviceIdentity | None], ...]
"""Whole devices with their identities, None where one cannot be read."""

_this_host = Host()
_look_at_this_host: SharedLook[HostFacts] = SharedLook(_this_host.gather)


@functools.cache
def _identities_here(size_bytes: int | None) -> SharedLook[Attached]:
    """One look at who is attached here for everybody who asks at the same time: a shelf of equal disks asks sixty times."""
    return SharedLook(functools.partial(Inspector().identities, size_bytes))


def _now() -> datetime:
    return datetime.now(UTC)


class Inspector:
    """Inspections of this host's devices."""

    def __init__(
        self,
        host: Host | None = None,
        open_reading: Callable[[str], OpenDevice] | None = None,
        claim: Callable[[str], OpenDevice] = BlockDevice.open_exclusive,
        now: Callable[[], datetime] = _now,
    ) -> None:
        self._host = host or _this_host
        self._gather = _look_at_this_host if host is None else host.gather
        self._here = host is None and open_reading is None
        self._open_reading = open_reading or BlockDevice.open_reading
        self._claim = claim
        self._now = now

    def inspect(self, path: str | Path) -> Inspection:
        """See `sanitizer.inspect`."""
        facts = self._gather()
        return self._closed(facts, self._node_at(facts, Path(path)))

    def list_devices(self) -> list[Inspection]:
        """See `sanitizer.list_devices`."""
        facts = self._gather()
        shown = sorted(_media((facts.nodes or {}).values()), key=lambda node: (len(node.name), node.name))
        read = [self._read(facts, node) for node in shown]
        attached = tuple((node, identity_of(reading)) for node, (reading, _) in zip(shown, read, strict=True))
        return [self._judged(facts, reading, refused, attached) for reading, refused in read]

    def find_devices(self, fingerprint: str, place: str) -> list[Inspection]:
        """See `sanitizer.find_devices`."""
        attached = self._attached(None)
        matching = [node for node, identity in attached if identity is not None and identity.fingerprint == fingerprint]
        found: list[Inspection] = []
        for node in matching or [node for node, _ in attached if node.path == place]:
            try:
                found.append(self.inspect(node.path))
            except (DeviceMissing, NotBlockDevice):
                continue  # pulled since
        return found

    def identities(self, size_bytes: int | None) -> Attached:
        """Every whole device of this size, or of any, by its identity; no medium is read."""
        facts = HostFacts(
            nodes=self._host.nodes(), mounts=None, swaps=None, pools=None, openers=None, boot_id=None, journals=None
        )
        nodes = [node for node in _media((facts.nodes or {}).values()) if size_bytes in {None, node.size_bytes}]
        return tuple((node, self.identity_at(facts, node)) for node in nodes)

    def _attached(self, size_bytes: int | None) -> Attached:
        return _identities_here(size_bytes)() if self._here else self.identities(size_bytes)

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

    def _judged(
        self, facts: HostFacts, reading: Reading, refused: Refused | None, attached: Attached | None = None
    ) -> Inspection:
        """What a reading amounts to; who else is `attached` is looked up afresh where the caller does not know."""
        identity = identity_of(reading)
        found = obstacles(facts, reading, identity, self._twins(reading, identity, attached))
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

    def _twins(
        self, reading: Reading, identity: DeviceIdentity | None, attached: Attached | None = None
    ) -> tuple[str, ...]:
        """Other attached devices of the same identity; only those of the same size are worth opening."""
        if identity is None:
            return ()
        others = self._attached(identity.capacity_bytes) if attached is None else attached
        return tuple(node.path for node, other in others if node.name != reading.name and same_device(identity, other))


def _media(nodes: Iterable[Node]) -> list[Node]:
    """Whole devices that are media or could be."""
    whole = [node for node in nodes if node.whole is None and not node.hidden and not node.slaves]
    return [node for node in whole if not node.name.startswith(_NO_MEDIA) and node.size_bytes != 0]
