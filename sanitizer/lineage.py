"""From a path to the physical devices its bytes lie on: path, mount, volume, partition, disk. Pure, over `HostFacts`.

What cannot be followed is an `Edge` with a reason and is never dropped: a path is fully mapped only when no edge is
left.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

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


@dataclass(frozen=True)
class Edge:
    """A step that could not be taken."""

    kind: str
    """memory (no medium beneath), network (a medium elsewhere), unknown (there may be a medium, and we cannot tell which)."""
    text: str


@dataclass(frozen=True, kw_only=True)
class Beneath:
    """What lies beneath a mount or node."""

    devices: tuple[str, ...]
    """Kernel names of whole devices that are media, in order of discovery; a loop device is one."""
    edges: tuple[Edge, ...]
    carriers: tuple[str, ...]
    """Kernel names of the devices that carry the backing files of those loop devices."""
    carrier_edges: tuple[Edge, ...]


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


@dataclass
class _Walk:
    facts: HostFacts
    devices: dict[str, None] = field(default_factory=dict)
    edges: dict[Edge, None] = field(default_factory=dict)
    carriers: dict[str, None] = field(default_factory=dict)
    carrier_edges: dict[Edge, None] = field(default_factory=dict)
    seen: set[tuple[bool, object]] = field(default_factory=set)
    beneath_loop: bool = False

    def lost(self, text: str, kind: str = "unknown") -> None:
        (self.carrier_edges if self.beneath_loop else self.edges)[Edge(kind, printable(text))] = None

    def reached(self, name: str) -> None:
        (self.carriers if self.beneath_loop else self.devices)[name] = None

    def first_time(self, what: object) -> bool:
        key = (self.beneath_loop, what)
        fresh = key not in self.seen
        self.seen.add(key)
        return fresh

    def result(self) -> Beneath:
        return Beneath(
            devices=tuple(self.devices),
            edges=tuple(self.edges),
            carriers=tuple(self.carriers),
            carrier_edges=tuple(self.carrier_edges),
        )

    # --- mounts ---

    def mount(self, mount: Mount) -> None:
        if not self.first_time(mount.mount_id):
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
        elif kind == "zfs":
            pool = mount.source.split("/", 1)[0]
            self.lost(f"{mount.mount_point} is on ZFS pool {pool}, whose devices this tool does not follow")
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
            self.node(node)
        for option in mount.options:
            match = _SECOND_DEVICE.match(option)
            if match:
                self._source(match[2], f"{match[1]} of {mount.mount_point}")

    def _source(self, source: str, what: str) -> Node | None:
        node = self.facts.node_by_path(source)
        if node is None:
            self.lost(f"{what}: {source} is no block device seen here")
        else:
            self.node(node)
        return node

    def _pool(self, mount: Mount, sources: tuple[str, ...]) -> None:
        """A filesystem that may span devices: the mount table names one or some, only its own folder in sysfs all."""
        known = [n for n in (self._source(s, mount.mount_point) for s in sources) if n is not None]
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
            self._named(member, f"{mount.filesystem} {pool.identifier}")

    def _overlay(self, mount: Mount) -> None:
        layers = list(_layers(mount.options))
        if not layers:
            self.lost(f"{mount.mount_point} is an overlay that does not name its layers")
        for layer in layers:
            under = mount_of(self.facts, layer) if layer.startswith("/") else None
            if under is None or under.mount_id == mount.mount_id:
                self.lost(f"{mount.mount_point} is an overlay over {layer}, which is out of sight here")
            else:
                self.mount(under)

    # --- nodes ---

    def _named(self, name: str, what: str) -> None:
        node = (self.facts.nodes or {}).get(name)
        if node is None:
            self.lost(f"{what}: {name} is no block device seen here")
        else:
            self.node(node)

    def node(self, node: Node) -> None:
        if not self.first_time(node.name):
            return
        if node.whole is not None:
            self._named(node.whole, node.name)
        elif node.slaves is None:
            self.lost(f"what lies beneath {node.name} could not be read")
        elif node.slaves:
            for slave in node.slaves:
                self._named(slave, node.name)
        elif node.name.startswith("loop"):
            self._loop(node)
        else:
            self._leaf(node)

    def _loop(self, node: Node) -> None:
        """A loop device is itself a medium to overwrite; the device its file lies on only carries it."""
        self.reached(node.name)
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
                self.mount(under)
        self.beneath_loop = outer

    def _leaf(self, node: Node) -> None:
        name = node.name
        if node.device_mapper is not None or re.match(r"md[\d_]", name) or name.startswith(("bcache", "zd")):
            self.lost(f"{name} is assembled, and does not say from what")
        elif name.startswith(_NETWORK_NODES):
            self.lost(f"{name} is a network block device, whose disks are elsewhere", "network")
        elif name.startswith(_MEMORY_NODES):
            self.lost(f"{name} lives in memory", "memory")
        else:
            self.reached(name)


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
    walk = _Walk(facts)
    walk.mount(mount)
    return walk.result()


def beneath_node(facts: HostFacts, node: Node) -> Beneath:
    """The physical devices beneath a block device; a whole physical device lies beneath itself."""
    walk = _Walk(facts)
    walk.node(node)
    return walk.result()
