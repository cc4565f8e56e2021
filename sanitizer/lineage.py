"""From a path to the physical devices its bytes lie on: path, mount, volume, partition, disk. Pure, over `HostFacts`.

Each step that was taken says how it is known. What cannot be followed is an `Edge` with a reason and is never dropped: a path
is fully mapped only when no edge is left.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from . import journals, zfs
from .errors.base import printable
from .facts import HostFacts, Mount, Node

_MEMORY = (
    "tmpfs ramfs rootfs devtmpfs proc sysfs devpts cgroup cgroup2 securityfs debugfs tracefs mqueue hugetlbfs pstore bpf "
    "configfs efivarfs fusectl binfmt_misc autofs nsfs rpc_pipefs selinuxfs"
)
_NETWORK = (
    "nfs nfs4 cifs smb3 smbfs 9p virtiofs ceph afs glusterfs lustre gfs2 ocfs2 beegfs ncpfs coda vboxsf fuse.sshfs "
    "fuse.s3fs fuse.glusterfs fuse.rclone"
)
MEMORY_FILESYSTEMS = frozenset(_MEMORY.split())
NETWORK_FILESYSTEMS = frozenset(_NETWORK.split())
_SECOND_DEVICE = re.compile(r"^(logdev|rtdev|journal_path|jdev)=(.+)$")
_NETWORK_NODES = ("nbd", "rbd", "drbd")
_MEMORY_NODES = ("zram", "ram")
_KEPT_STEPS = 400
"""More than a host of sixty disks needs; a host that is stranger than that is shown in part, and followed in full."""


@dataclass(frozen=True)
class Edge:
    """A step that could not be taken."""

    kind: str
    """memory (no medium beneath), network (a medium elsewhere), unknown (there may be a medium, and we cannot tell which)."""
    text: str


@dataclass(frozen=True)
class Step:
    """A step that was taken: what lies on what, and how that is known."""

    above: str
    """A mount point, a swap area, or a node."""
    below: str
    how: str
    """In words, such as `the mount table` or `slaves in sysfs`."""


@dataclass(frozen=True, kw_only=True)
class Beneath:
    """What lies beneath a mount or node."""

    devices: tuple[str, ...]
    """Kernel names of whole devices that are media, in order of discovery; a loop device is one."""
    edges: tuple[Edge, ...]
    carriers: tuple[str, ...]
    """Kernel names of the devices that carry the backing files of those loop devices."""
    carrier_edges: tuple[Edge, ...]
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PathResolution:
    """Where the bytes beneath one path physically lie."""

    path: str
    mount_point: str | None
    """None where the path does not exist or the mount table could not be read."""
    devices: tuple[str, ...]
    """Kernel nodes of the media beneath, such as /dev/sda. A loop device is a (virtual) medium of its own."""
    fingerprints: tuple[str, ...]
    """Fingerprints of those devices whose identity could be read."""
    unresolved: tuple[str, ...]
    """One sentence per edge that could not be followed. Empty only when every medium beneath the path is known."""
    carriers: tuple[str, ...] = ()
    """One sentence per loop device beneath: which device its backing file lies on, or why that is unknown."""
    steps: tuple[Step, ...] = ()
    """From the path down, each with how it is known."""
    real: str | None = None
    """The path with its links followed."""


@dataclass
class Walk:
    """One descent; `mount`, `node` and `source` may be called for several beginnings, and `result` sums them up."""

    facts: HostFacts
    devices: dict[str, None] = field(default_factory=dict)
    edges: dict[Edge, None] = field(default_factory=dict)
    carriers: dict[str, None] = field(default_factory=dict)
    carrier_edges: dict[Edge, None] = field(default_factory=dict)
    steps: dict[Step, None] = field(default_factory=dict)
    seen: set[tuple[bool, object]] = field(default_factory=set)
    beneath_loop: bool = False

    def lost(self, text: str, kind: str = "unknown") -> None:
        """A step that cannot be taken."""
        (self.carrier_edges if self.beneath_loop else self.edges)[Edge(kind, printable(text))] = None

    def took(self, above: str, below: str, how: str) -> None:
        """A step that was taken."""
        if len(self.steps) < _KEPT_STEPS:
            self.steps[Step(printable(above), printable(below), how)] = None

    def result(self) -> Beneath:
        """What was found so far."""
        return Beneath(
            devices=tuple(self.devices),
            edges=tuple(self.edges),
            carriers=tuple(self.carriers),
            carrier_edges=tuple(self.carrier_edges),
            steps=tuple(self.steps),
        )

    def _reached(self, name: str) -> None:
        (self.carriers if self.beneath_loop else self.devices)[name] = None

    def _first_time(self, what: object) -> bool:
        key = (self.beneath_loop, what)
        fresh = key not in self.seen
        self.seen.add(key)
        return fresh

    # --- mounts ---

    def mount(self, mount: Mount) -> None:
        """Go down from a mount."""
        if not self._first_time(mount.mount_id):
            return
        kind = mount.filesystem
        if kind in MEMORY_FILESYSTEMS:
            self.lost(f"{mount.mount_point} is {kind}, which lives in memory", "memory")
        elif kind in NETWORK_FILESYSTEMS:
            self.lost(f"{mount.mount_point} is {kind} of {mount.source}, whose disks are elsewhere", "network")
        elif kind == "overlay":
            self._overlay(mount)
        elif kind == "btrfs":
            self._pool(mount, (mount.source,))
        elif kind == "bcachefs":
            self._pool(mount, tuple(mount.source.split(":")))
        elif kind in zfs.FILESYSTEMS:
            self._zfs(mount)
        else:
            self._plain(mount)

    def _plain(self, mount: Mount) -> None:
        """A filesystem on one node, by device number; XFS and ext4 may keep a log or journal on a second one."""
        node = self.facts.node_by_number(mount.device_number)
        if node is None:
            self.lost(
                f"{mount.mount_point} is {mount.filesystem} of {mount.source}, which is no block device seen here"
            )
        else:
            self.took(mount.mount_point, node.name, "the device number in the mount table")
            self.node(node)
            if mount.filesystem in journals.FILESYSTEMS:
                self._journal(mount)
        for option in mount.options:
            match = _SECOND_DEVICE.match(option)
            if match:
                self.source(match[2], f"{match[1]} of {mount.mount_point}", "the options in the mount table")

    def _journal(self, mount: Mount) -> None:
        """Of ext4 the kernel alone knows where its journal is: the mount table does not say."""
        if self.facts.journals is None:
            self.lost(f"where the journal of {mount.mount_point} is could not be read")
            return
        found = sorted(journals_of(self.facts, mount))
        if len(found) > 1:
            self.lost(f"the journal of {mount.mount_point} is on one of {', '.join(found)}, and which one is not told")
        for name in found:
            self._named(name, mount.mount_point, "the journals the kernel writes (/proc/fs/jbd2)")

    def source(self, source: str, what: str, how: str) -> Node | None:
        """Go down from a node somebody names."""
        node = self.facts.node_by_path(source)
        if node is None:
            self.lost(f"{what}: {source} is no block device seen here")
        else:
            self.took(what, node.name, how)
            self.node(node)
        return node

    def _pool(self, mount: Mount, sources: tuple[str, ...]) -> None:
        """A filesystem that may span devices: the mount table names one or some, only its own folder in sysfs all."""
        how = "the source in the mount table"
        known = [n for n in (self.source(s, mount.mount_point, how) for s in sources) if n is not None]
        names = {node.name for node in known}
        pool = next(
            (p for p in self.facts.pools or () if p.filesystem == mount.filesystem and names & set(p.members)), None
        )
        if pool is None:
            self.lost(f"{mount.mount_point} is {mount.filesystem}, and the list of its devices could not be read")
            return
        if pool.missing:
            self.lost(f"{mount.mount_point} is {mount.filesystem} {pool.identifier}, of which a device is missing")
        for member in pool.members:
            self._named(member, mount.mount_point, f"the devices of {mount.filesystem} {pool.identifier} in sysfs")

    def _zfs(self, mount: Mount) -> None:
        pool = mount.source.split("/", 1)[0]
        if self.facts.zfs is None:
            self.lost(f"{mount.mount_point} is on ZFS pool {pool}, and nobody read the labels of its devices")
            return
        members, lost = zfs.members_of(pool, self.facts.zfs)
        for text in lost:
            self.lost(f"{mount.mount_point} is on ZFS pool {pool}: {text}")
        for name, how in members.items():
            self._named(name, mount.mount_point, how)

    def _overlay(self, mount: Mount) -> None:
        layers = list(_layers(mount.options))
        if not layers:
            self.lost(f"{mount.mount_point} is an overlay that does not name its layers")
        for layer in layers:
            under = mount_of(self.facts, layer) if layer.startswith("/") else None
            if under is None or under.mount_id == mount.mount_id:
                self.lost(f"{mount.mount_point} is an overlay over {layer}, which is out of sight here")
            else:
                self.took(mount.mount_point, under.mount_point, f"the layer {printable(layer)} of the overlay")
                self.mount(under)

    # --- nodes ---

    def _named(self, name: str, above: str, how: str) -> None:
        node = (self.facts.nodes or {}).get(name)
        if node is None:
            self.lost(f"{above}: {name} is no block device seen here")
        else:
            self.took(above, name, how)
            self.node(node)

    def node(self, node: Node) -> None:
        """Go down from a node."""
        if not self._first_time(node.name):
            return
        if node.name.startswith("drbd"):
            self.lost(f"{node.name} is a network block device, whose disks are elsewhere", "network")
        if node.whole is not None:
            self._named(node.whole, node.name, "it is a partition of it")
        elif node.slaves is None:
            self.lost(f"what lies beneath {node.name} could not be read")
        elif node.slaves:
            for slave in node.slaves:
                self._named(slave, node.name, f"slaves in sysfs ({_made_by(node)})")
            self._beside(node)
        elif node.name.startswith("loop"):
            self._loop(node)
        else:
            self._leaf(node)

    def _beside(self, node: Node) -> None:
        """What a snapshot keeps of a volume lies beside it: whatever else is built on the same origin, and not beneath it."""
        if node.device_mapper is None:
            return
        nodes = self.facts.nodes or {}
        for slave in (nodes[name] for name in node.slaves or () if name in nodes):
            if not (slave.device_mapper or "").endswith("-real"):
                continue
            if slave.holders is None:
                self.lost(f"what snapshots are kept of {node.name} could not be read")
            for holder in slave.holders or ():
                if holder != node.name:
                    self._named(holder, node.name, "a snapshot of the same volume keeps what it held")

    def _loop(self, node: Node) -> None:
        """A loop device is itself a medium to overwrite; the device its file lies on only carries it."""
        self._reached(node.name)
        outer, self.beneath_loop = self.beneath_loop, True
        if node.backing_file is None:
            self.lost(f"{node.name} does not name its backing file")
        elif node.backing_file.endswith(" (deleted)"):
            self.lost(f"{node.name} lies on {node.backing_file}, whose place is no longer known")
        else:
            under = mount_of(self.facts, node.backing_file)
            if under is None:
                self.lost(f"{node.name} lies on {node.backing_file}, which is out of sight here")
            else:
                self.took(node.name, under.mount_point, f"its backing file {printable(node.backing_file)}")
                self.mount(under)
        self.beneath_loop = outer

    def _leaf(self, node: Node) -> None:
        name = node.name
        if node.device_mapper is not None or re.match(r"md[\d_]", name) or name.startswith(("bcache", "zd")):
            self.lost(f"{name} is assembled, and does not say from what")
        elif name.startswith(_NETWORK_NODES):
            self.lost(f"{name} is a network block device, whose disks are elsewhere", "network")
        elif name.startswith(_MEMORY_NODES):
            if node.backing_file is not None:
                self.source(node.backing_file, name, "the device zram writes back to")
            self.lost(f"{name} lives in memory", "memory")
        else:
            self._reached(name)
            for way in self._ways_out(node):
                self.lost(f"{name} is reached over {way}: its disks are in another machine", "network")

    def _ways_out(self, node: Node) -> tuple[str, ...]:
        """How this disk leaves the host. Of a multipath namespace the paths know, and they are hidden nodes of its subsystem."""
        paths = [
            each
            for each in (self.facts.nodes or {}).values()
            if each.hidden and each.subsystem is not None and each.subsystem == node.subsystem
        ]
        ways = dict.fromkeys(each.elsewhere for each in (node, *paths))
        return tuple(way for way in ways if way is not None)


_MADE_BY = (
    ("LVM", "LVM"),
    ("CRYPT-INTEGRITY", "dm-integrity"),
    ("CRYPT", "dm-crypt"),
    ("INTEGRITY", "dm-integrity"),
    ("mpath", "multipath"),
    ("DMRAID", "firmware RAID"),
)


def _made_by(node: Node) -> str:
    """What assembled a node, in words."""
    if node.device_mapper is not None:
        uuid = node.device_mapper
        return next((words for beginning, words in _MADE_BY if uuid.startswith(beginning)), "device mapper")
    return next((name for name in ("bcache", "md", "drbd") if node.name.startswith(name)), "assembled")


def _layers(options: Iterable[str]) -> Iterator[str]:
    """The folders an overlay is made of: lower layers, upper and work folder. A colon inside a name is escaped."""
    for option in options:
        name, _, value = option.partition("=")
        if name in {"lowerdir", "lowerdir+", "datadir+"}:
            for part in re.split(r"(?<!\\):+", value):
                if part:
                    yield part.replace("\\:", ":")
        elif name in {"upperdir", "workdir"}:
            yield value


def journals_of(facts: HostFacts, mount: Mount) -> frozenset[str]:
    """Kernel names of the devices the journal of a mounted ext filesystem may lie on, when it is not within."""
    node = facts.node_by_number(mount.device_number) if mount.filesystem in journals.FILESYSTEMS else None
    if node is None or facts.journals is None:
        return frozenset()
    return frozenset(journals.devices_of(facts.journals, node.name, frozenset(facts.nodes or {})))


def mount_of(facts: HostFacts, path: str, mount_id: int | None = None) -> Mount | None:
    """The mount an absolute, already resolved path is on: by its number where known, else the longest mount point."""
    best: Mount | None = None
    for mount in facts.mounts or ():
        if mount_id is not None:
            if mount.mount_id == mount_id:
                return mount
            continue
        point = mount.mount_point.rstrip("/")
        inside = path == mount.mount_point or path.startswith(point + "/")
        # of two mounts on one point the later one covers the earlier
        if inside and (best is None or len(mount.mount_point) >= len(best.mount_point)):
            best = mount
    return best


def beneath_mount(facts: HostFacts, mount: Mount) -> Beneath:
    """The physical devices beneath a mount, and the edges that could not be followed."""
    walk = Walk(facts)
    walk.mount(mount)
    return walk.result()


def beneath_node(facts: HostFacts, node: Node) -> Beneath:
    """The physical devices beneath a block device; a whole physical device lies beneath itself."""
    walk = Walk(facts)
    walk.node(node)
    return walk.result()
