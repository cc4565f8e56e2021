"""Signatures of arrays, volume groups and pools, as they lie on disk. Pure: bytes in, names out.

Only memberships are looked for: structures that say "this device is one part of something larger", which may be asleep
now and missed tomorrow. A plain filesystem or an encrypted volume of its own is the data to be destroyed, not a
membership. Offsets and magic numbers are those of the formats' own documentation, as libblkid probes them too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

UNREADABLE = "unreadable-area"
"""Reported where an area that may hold a signature cannot be read: unknown, so it needs acknowledging like any other."""


@dataclass(frozen=True)
class Probe:
    """One place to look at."""

    name: str
    offset: Callable[[int], int]
    """From the size of the node in bytes to the offset of the structure."""
    length: int
    matches: Callable[[bytes], bool]


def _at(offset: int) -> Callable[[int], int]:
    return lambda _size: offset


def _from_end(distance: int) -> Callable[[int], int]:
    return lambda size: (size & ~511) - distance


def _magic(position: int, *values: bytes) -> Callable[[bytes], bool]:
    return lambda data: any(data[position : position + len(v)] == v for v in values)


_MD = _magic(0, b"\xfc\x4e\x2b\xa9")  # 0xa92b4efc, little endian (md(4))
_MD_ANY = _magic(0, b"\xfc\x4e\x2b\xa9", b"\xa9\x2b\x4e\xfc")
_ZFS_UBERBLOCKS = (bytes.fromhex("0cb1ba0000000000"), bytes.fromhex("0000000000bab10c"))


def _zfs(data: bytes) -> bool:
    return any(data[at : at + 8] in _ZFS_UBERBLOCKS for at in range(0, len(data) - 8, 1024))


def _lvm2(data: bytes) -> bool:
    return any(data[s : s + 8] == b"LABELONE" and data[s + 24 : s + 32] == b"LVM2 001" for s in range(0, 2048, 512))


def _btrfs_of_many(data: bytes) -> bool:
    # superblock at 64 KiB: magic at +0x40, num_devices at +0x88 (btrfs on-disk format)
    return data[0x40:0x48] == b"_BHRfS_M" and int.from_bytes(data[0x88:0x90], "little") > 1


def _bcachefs_of_many(data: bytes) -> bool:
    # superblock at 4 KiB: magic at +24, nr_devices at +123 (struct bch_sb)
    return data[24:40] == bytes.fromhex("c68573f666ce90a9d96a60cf803df7ef") and data[123] > 1


PROBES = (
    Probe("linux-raid-member", _at(0), 512, _MD),  # version 1.1
    Probe("linux-raid-member", _at(4096), 512, _MD),  # 1.2
    Probe("linux-raid-member", lambda size: (((size >> 9) - 16) & ~7) << 9, 512, _MD),  # 1.0
    Probe("linux-raid-member", lambda size: (size & ~0xFFFF) - 0x10000, 512, _MD_ANY),  # 0.90
    Probe("lvm2-member", _at(0), 2048, _lvm2),
    Probe("ddf-raid-member", _from_end(512), 512, _magic(0, b"\xde\x11\xde\x11", b"\x11\xde\x11\xde")),
    Probe("isw-raid-member", _from_end(1024), 512, _magic(0, b"Intel Raid ISM Cfg Sig. ")),
    Probe("zfs-member", _at(128 << 10), 128 << 10, _zfs),
    Probe("zfs-member", _at((256 << 10) + (128 << 10)), 128 << 10, _zfs),
    Probe("zfs-member", lambda size: (size & ~0x3FFFF) - (512 << 10) + (128 << 10), 128 << 10, _zfs),
    Probe("bcache-member", _at(4096), 512, _magic(24, bytes.fromhex("c68573f64e1a45ca8265f57f48ba6d81"))),
    Probe("bcachefs-member", _at(4096), 512, _bcachefs_of_many),
    Probe("btrfs-member", _at(64 << 10), 512, _btrfs_of_many),
    Probe(
        "drbd-member", _from_end(4096), 512, _magic(60, b"\x83\x74\x02\x6b", b"\x83\x74\x02\x6c", b"\x83\x74\x02\x6d")
    ),
    Probe("ceph-bluestore-member", _at(0), 512, _magic(0, b"bluestore block device")),
    Probe("stratis-member", _at(512), 512, _magic(4, b"!Stra0tis\x86\xff\x02^\x41rh")),
    Probe("vdo-member", _at(0), 512, _magic(0, b"dmvdo001")),
)


def find(
    size_bytes: int, read: Callable[[int, int], bytes | None], probes: Iterable[Probe] = PROBES
) -> tuple[str, ...]:
    """Names of the memberships found on one node.

    Args:
        size_bytes: Size of the disk or partition.
        read: `(offset, length)` to bytes, or None where the medium gives none back.
        probes: What to look for.
    """
    found: dict[str, None] = {}
    for probe in probes:
        offset = probe.offset(size_bytes)
        if offset < 0 or offset + probe.length > size_bytes:
            continue
        data = read(offset, probe.length)
        if data is None or len(data) < probe.length:
            found[UNREADABLE] = None
        elif probe.matches(data):
            found[probe.name] = None
    return tuple(found)
