"""Every reason why a device may not be written to, over facts of host and device. Pure; unknown refuses.

The facts explain; what binds is the kernel's exclusive claim, taken at open and held for the whole run. Both are
needed: device commands and other mount namespaces escape the one, a raw device under a database escapes the other.
"""

from __future__ import annotations

from collections.abc import Iterator

from .drive_obstacles import odd_block_bytes, of_drive
from .errors import (
    ActiveSwap,
    AmbiguousIdentity,
    AssembledDevice,
    CryptMember,
    DormantMember,
    FactsUnknown,
    HeldByDevice,
    HeldByProcess,
    IdentityUnreadable,
    LvmMember,
    MountedFilesystem,
    MultipathMember,
    NoMedium,
    NotWholeDevice,
    RaidMember,
    ReadOnlyDevice,
    Refused,
    SystemDevice,
    ZonedDevice,
)
from .facts import HostFacts, Mount, Node, Reading
from .identity import DeviceIdentity, cleaned, cleaned_name
from .lineage import Beneath, Edge, beneath_mount, journals_of
from .neighbours import obstacles_of_neighbours

SYSTEM_MOUNTS = ("/", "/usr", "/etc", "/var", "/boot", "/boot/efi", "/efi", "/nix")
"""Mount points whose devices the running system cannot lose."""


def identity_of(reading: Reading) -> DeviceIdentity | None:
    """The identity a reading amounts to, None when it is not enough to tell one medium from another."""
    sizes = (reading.capacity_bytes, reading.logical_block_bytes, reading.physical_block_bytes)
    capacity, logical, physical = sizes
    names = {
        "serial": cleaned(reading.serial),
        "wwn": cleaned_name(reading.wwn),
        "eui64": cleaned_name(reading.eui64),
        "nguid": cleaned_name(reading.nguid),
    }
    if names["serial"] is not None and not names["serial"].strip("0"):
        names["serial"] = None  # a row of zeros is a blank form, not a number
    if not capacity or not logical or not physical or not any(names.values()):
        return None
    return DeviceIdentity(
        kind=reading.kind,
        vendor=cleaned(reading.vendor),
        model=cleaned(reading.model),
        serial=names["serial"],
        wwn=names["wwn"],
        eui64=names["eui64"],
        nguid=names["nguid"],
        capacity_bytes=capacity,
        logical_block_bytes=logical,
        physical_block_bytes=physical,
    )


def system_is_unmapped(facts: HostFacts) -> tuple[str, ...]:
    """Why it cannot be said which devices the running system lies on; empty when it can.

    Memory and network beneath a system mount are answers. An overlay whose layers are out of sight (a container) is
    not.
    """
    if facts.mounts is None or facts.nodes is None:
        return ("the devices beneath /",)
    found = [
        edge.text
        for mount in _system_mounts(facts)
        for edge in _all_edges(beneath_mount(facts, mount))
        if edge.kind == "unknown"
    ]
    if not any(mount.mount_point == "/" for mount in facts.mounts):
        found.append("the mount at / is not in the mount table")
    return tuple(dict.fromkeys(found))


def _all_edges(beneath: Beneath) -> tuple[Edge, ...]:
    return beneath.edges + beneath.carrier_edges


def _system_mounts(facts: HostFacts) -> Iterator[Mount]:
    return (mount for mount in facts.mounts or () if mount.mount_point in SYSTEM_MOUNTS)


def obstacles(
    facts: HostFacts, reading: Reading, identity: DeviceIdentity | None, twins: tuple[str, ...]
) -> tuple[Refused, ...]:
    """All obstacles to one whole device, the gravest first.

    Args:
        facts: The host.
        reading: The device.
        identity: What `identity_of` made of the reading.
        twins: Paths of other attached devices with the same identity.
    """
    if facts.nodes is None:
        return (FactsUnknown(facts=("the block devices of this host",)),)
    node = facts.nodes.get(reading.name)
    if node is None:
        return (FactsUnknown(facts=(f"{reading.name} in the kernel's list of block devices",)),)
    if node.whole is not None:
        return (NotWholeDevice(path=node.path, whole=f"/dev/{node.whole}"),)
    if node.slaves or node.device_mapper is not None or node.name.startswith("md"):
        return (AssembledDevice(beneath=tuple(node.slaves or ())),)
    fingerprint = identity.fingerprint if identity else None
    found = [
        *_in_use(facts, node, claim_free=reading.claim_free),
        *_held(facts, node),
        *obstacles_of_neighbours(
            facts, node, lambda each: (*_in_use(facts, each, claim_free=None), *_held(facts, each))
        ),
        *_kind(node, reading),
        *_identity(reading, identity, twins),
        *_unknown(facts, node, reading),
    ]
    for each in found:
        each.fingerprint = fingerprint
    return tuple(found)


def _in_use(facts: HostFacts, node: Node, *, claim_free: bool | None) -> Iterator[Refused]:
    family = facts.family(node.name)
    numbers = {each.device_number for each in family}
    system: dict[str, None] = {}
    mounted: dict[str, None] = {}
    if facts.mounts is not None:
        for mount in _system_mounts(facts):
            beneath = beneath_mount(facts, mount)
            if node.name in beneath.devices + beneath.carriers:
                system[mount.mount_point] = None
        names = {each.name for each in family}
        pools = [pool for pool in facts.pools or () if names & set(pool.members)]
        for mount in facts.mounts:
            of_pool = any(_is_of(pool.members, mount, facts) for pool in pools)
            if mount.device_number in numbers or of_pool or names & journals_of(facts, mount):
                mounted[mount.mount_point] = None
        if pools and not mounted:
            mounted[f"{pools[0].filesystem} {pools[0].identifier}"] = None
    if system:
        yield SystemDevice(mount_points=tuple(system))
    if mounted:
        yield MountedFilesystem(mount_points=tuple(mounted))
    areas = tuple(s.path for s in facts.swaps or () if s.device_number in numbers)
    if areas:
        yield ActiveSwap(areas=areas)
    processes = tuple(dict.fromkeys(o.process for o in facts.openers or () if o.device_number in numbers))
    if processes and claim_free is not True:
        yield HeldByProcess(processes=processes)


def _is_of(members: tuple[str, ...], mount: Mount, facts: HostFacts) -> bool:
    if mount.filesystem not in {"btrfs", "bcachefs"}:
        return False
    nodes = (facts.node_by_path(source) for source in mount.source.split(":"))
    return any(node is not None and node.name in members for node in nodes)


def _held(facts: HostFacts, node: Node) -> Iterator[Refused]:
    by_kind: dict[str, dict[str, None]] = {}
    for each in facts.family(node.name):
        for holder in each.holders or ():
            other = (facts.nodes or {}).get(holder)
            shown = f"{holder} ({other.label})" if other is not None and other.label else holder
            by_kind.setdefault(_holder_kind(holder, other), {})[shown] = None
    if "multipath" in by_kind or node.multipath_path:
        yield MultipathMember(maps=tuple(by_kind.get("multipath", ())))
    if "raid" in by_kind:
        yield RaidMember(arrays=tuple(by_kind["raid"]))
    if "lvm" in by_kind:
        yield LvmMember(volumes=tuple(by_kind["lvm"]))
    if "crypt" in by_kind:
        yield CryptMember(volumes=tuple(by_kind["crypt"]))
    if "other" in by_kind:
        yield HeldByDevice(holders=tuple(by_kind["other"]))


def _holder_kind(name: str, node: Node | None) -> str:
    """By the prefix that LVM, cryptsetup and multipath give the UUID of their device-mapper devices."""
    uuid = (node.device_mapper or "") if node is not None else ""
    if uuid.startswith("LVM-"):
        return "lvm"
    if uuid.startswith("CRYPT-") and not uuid.startswith(("CRYPT-VERITY", "CRYPT-INTEGRITY")):
        return "crypt"
    if "mpath-" in uuid:  # kpartx names partitions part1-mpath-...
        return "multipath"
    if name.startswith("md") or uuid.startswith("DMRAID-"):
        return "raid"
    return "other"


def _kind(node: Node, reading: Reading) -> Iterator[Refused]:
    drive = list(of_drive(reading.capabilities, reading.path)) if reading.capabilities is not None else []
    yield from drive
    odd = odd_block_bytes(reading.capabilities) if reading.capabilities is not None else None
    if reading.capacity_bytes == 0 and odd is None:  # the kernel gives odd blocks no capacity
        yield NoMedium(path=reading.path)
    if node.zoned not in {"none", None}:
        yield ZonedDevice(model=str(node.zoned))
    if (reading.read_only or node.read_only) and not any(isinstance(each, ReadOnlyDevice) for each in drive):
        yield ReadOnlyDevice(nodes=(reading.path,))


def _identity(reading: Reading, identity: DeviceIdentity | None, twins: tuple[str, ...]) -> Iterator[Refused]:
    if identity is None:
        reason = "; ".join(reading.unreadable) or "neither serial number nor world-wide name is reported"
        yield IdentityUnreadable(reason=reason)
    elif twins:
        yield AmbiguousIdentity(paths=(reading.path, *twins))
    if reading.signatures:
        yield DormantMember(signatures=reading.signatures)


def _unknown(facts: HostFacts, node: Node, reading: Reading) -> Iterator[Refused]:
    unknown: list[str] = list(reading.unreadable)
    tables = {
        "the mount table": facts.mounts,
        "the swap areas": facts.swaps,
        "the devices of mounted multi-device filesystems": facts.pools,
        "the journals of mounted filesystems": facts.journals,
        "the open files of other processes": facts.openers,
        "the boot identifier": facts.boot_id,
    }
    unknown += [name for name, value in tables.items() if value is None]
    unknown += [
        f"the place of swap area {s.path}" for s in facts.swaps or () if s.kind != "file" and not s.device_number
    ]
    unknown += [f"the holders of {each.name}" for each in facts.family(node.name) if each.holders is None]
    if node.slaves is None:
        unknown.append(f"what lies beneath {node.name}")
    if node.zoned is None:
        unknown.append(f"whether {node.name} writes in zones")
    if reading.read_only is None:
        unknown.append(f"whether {node.name} is write-protected")
    if reading.capacity_bytes is None:
        unknown.append(f"the capacity of {node.name}")
    if reading.signatures is None:
        unknown.append(f"the signatures on {node.name}")
    if reading.claim_free is not True and facts.mounts is not None:
        unknown += [f"whether the system lies on {node.name}: {reason}" for reason in system_is_unmapped(facts)]
    if unknown:
        yield FactsUnknown(facts=tuple(dict.fromkeys(unknown)))
