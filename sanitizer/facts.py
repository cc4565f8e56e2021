"""What was read from a host: values only, gathered by `host.py`, judged by `obstacles.py` and `lineage.py`. Pure.

`None` always means unknown: it was to be read and could not be. It never means "nothing there"; that is an empty tuple.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .capability import Capabilities
from .journals import Journals


@dataclass(frozen=True, kw_only=True)
class Mount:
    """One line of /proc/self/mountinfo (proc(5)), octal escapes undone."""

    mount_id: int
    parent_id: int
    device_number: str
    """`major:minor`; a major of 0 is anonymous and names no block device."""
    root: str
    mount_point: str
    filesystem: str
    source: str
    options: tuple[str, ...]
    """Options of the superblock."""


@dataclass(frozen=True, kw_only=True)
class SwapArea:
    """One line of /proc/swaps."""

    path: str
    kind: str
    """partition (any block device) or file."""
    device_number: str | None
    """Of the block device itself; None for files and where the node could not be found."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """One block device of the kernel: a disk, a partition, or something assembled."""

    name: str
    """Kernel name such as sdb1."""
    path: str
    """Node such as /dev/sdb1."""
    device_number: str
    whole: str | None
    """Kernel name of the disk this is a partition of; None for a whole device."""
    start_bytes: int | None
    """Where a partition begins on its disk; 0 for a whole device."""
    size_bytes: int | None
    read_only: bool | None
    removable: bool
    hidden: bool
    """One path of an NVMe multipath namespace: no node of its own."""
    holders: tuple[str, ...] | None
    slaves: tuple[str, ...] | None
    device_mapper: str | None
    """dm/uuid of a device-mapper device; empty when it has none; None for other devices."""
    label: str | None
    """dm/name, or the md level: for people."""
    backing_file: str | None
    """File beneath a loop device, as the kernel names it."""
    zoned: str | None
    """queue/zoned: none, host-aware, host-managed; None when unknown."""
    multipath_path: bool
    """udev says this is a path of a multipath device."""
    subsystem: str | None = None
    """Qualified name of the NVMe subsystem a namespace belongs to; None for other devices, and where it could not be read."""
    elsewhere: str | None = None
    """How the host reaches a disk that is in another machine: iSCSI, Fibre Channel, NVMe over TCP; None for its own."""


@dataclass(frozen=True, kw_only=True)
class Pool:
    """A mounted filesystem over several devices (btrfs, bcachefs), as its own sysfs folder lists them."""

    filesystem: str
    identifier: str
    members: tuple[str, ...]
    """Kernel names."""
    missing: bool
    """Whether it says that a member is absent."""


@dataclass(frozen=True, kw_only=True)
class ZfsLabel:
    """What one node says of the ZFS pool it belongs to (the configuration in its first vdev label)."""

    node: str
    """Kernel name."""
    state: int
    """0 active, 1 exported, 2 destroyed, 3 spare, 4 cache device: the last two name no pool."""
    guid: int
    pool: str | None
    pool_guid: int | None
    top: int | None
    """Number of the top-level device of the pool it is a part of."""
    tops: int | None
    """How many of them the pool has."""
    holes: frozenset[int]
    """Numbers of parts that were taken out."""
    siblings: frozenset[int]
    """Names of all devices in that part, its own among them."""


@dataclass(frozen=True, kw_only=True)
class ZfsLook:
    """The labels of every node of a host, read when a path lies on ZFS."""

    labels: tuple[ZfsLabel, ...]
    unread: tuple[str, ...]
    """Kernel names of nodes that could not be read, or whose label could not be understood."""


@dataclass(frozen=True, kw_only=True)
class Opener:
    """A process that has a block device open for writing."""

    process: str
    device_number: str


@dataclass(frozen=True, kw_only=True)
class HostFacts:
    """One look at the host's storage."""

    nodes: Mapping[str, Node] | None
    mounts: tuple[Mount, ...] | None
    swaps: tuple[SwapArea, ...] | None
    pools: tuple[Pool, ...] | None
    openers: tuple[Opener, ...] | None
    boot_id: str | None
    journals: Journals | None
    """Journals of ext filesystems; None: could not be read."""
    zfs: ZfsLook | None = None
    """None: nobody looked; it takes reading every node."""

    def node_by_number(self, device_number: str) -> Node | None:
        """The node of this `major:minor`, None when there is none or the nodes are unknown."""
        if self.nodes is None:
            return None
        return next((n for n in self.nodes.values() if n.device_number == device_number), None)

    def node_by_path(self, path: str) -> Node | None:
        """The node /dev/NAME or /dev/mapper/NAME stands for, by name alone."""
        if self.nodes is None:
            return None
        for node in self.nodes.values():
            if path == node.path or (node.device_mapper is not None and path == f"/dev/mapper/{node.label}"):
                return node
        return None

    def family(self, name: str) -> tuple[Node, ...]:
        """A whole device and its partitions."""
        if self.nodes is None:
            return ()
        return tuple(n for n in self.nodes.values() if name in (n.name, n.whole))


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What one whole device says of itself; the raw material of an identity."""

    name: str
    path: str
    kind: str
    vendor: str | None
    model: str | None
    serial: str | None
    wwn: str | None
    eui64: str | None
    nguid: str | None
    firmware: str | None
    media: str
    transport: str
    slot: str | None
    removable: bool
    hidden_capacity: str
    capacity_bytes: int | None
    logical_block_bytes: int | None
    physical_block_bytes: int | None
    read_only: bool | None
    disk_sequence: int | None
    signatures: tuple[str, ...] | None
    """Names of what was found on the device and its partitions; None when they could not be opened."""
    unreadable: tuple[str, ...]
    """Facts of this device that could not be read, in words."""
    claim_free: bool | None
    """Whether an exclusive claim succeeds; None where it was not tried."""
    capabilities: Capabilities | None = None
    """What the drive said of itself; None where it has no command interface, or was not asked."""
