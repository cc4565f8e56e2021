"""Membership signatures, judged by blkid where it knows them."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import pytest

from sanitizer.signatures import PROBES, UNREADABLE, find
from tests.support.capabilities import requires_tool

SIZE = 16 << 20


def names(image: bytes) -> tuple[str, ...]:
    return find(len(image), lambda offset, length: image[offset : offset + length])


def with_bytes(*parts: tuple[int, bytes], size: int = SIZE) -> bytes:
    image = bytearray(size)
    for offset, data in parts:
        place = offset if offset >= 0 else size + offset
        image[place : place + len(data)] = data
    return bytes(image)


MD = struct.pack("<I", 0xA92B4EFC)
BTRFS_TWO = b"_BHRfS_M" + bytes(0x88 - 0x48) + struct.pack("<Q", 2)
BTRFS_ONE = b"_BHRfS_M" + bytes(0x88 - 0x48) + struct.pack("<Q", 1)
BCACHEFS = bytes.fromhex("c68573f666ce90a9d96a60cf803df7ef")

MEMBERS = [
    ("linux-raid-member", with_bytes((0, MD))),
    ("linux-raid-member", with_bytes((4096, MD))),
    ("linux-raid-member", with_bytes(((((SIZE >> 9) - 16) & ~7) << 9, MD))),
    ("linux-raid-member", with_bytes(((SIZE & ~0xFFFF) - 0x10000, MD))),
    ("linux-raid-member", with_bytes(((SIZE & ~0xFFFF) - 0x10000, MD[::-1]))),
    ("lvm2-member", with_bytes((512, b"LABELONE"), (512 + 24, b"LVM2 001"))),
    ("lvm2-member", with_bytes((1536, b"LABELONE"), (1536 + 24, b"LVM2 001"))),
    ("ddf-raid-member", with_bytes((-512, b"\xde\x11\xde\x11"))),
    ("isw-raid-member", with_bytes((-1024, b"Intel Raid ISM Cfg Sig. 1.3.00"))),
    ("zfs-member", with_bytes((160 << 10, bytes.fromhex("0cb1ba0000000000")))),
    ("zfs-member", with_bytes((128 << 10, bytes.fromhex("0000000000bab10c")))),
    ("zfs-member", with_bytes((-(512 << 10) + (129 << 10), bytes.fromhex("0cb1ba0000000000")))),
    ("bcache-member", with_bytes((4096 + 24, bytes.fromhex("c68573f64e1a45ca8265f57f48ba6d81")))),
    ("bcachefs-member", with_bytes((4096 + 24, BCACHEFS), (4096 + 123, b"\x02"))),
    ("btrfs-member", with_bytes((0x10040, BTRFS_TWO))),
    ("drbd-member", with_bytes((-4096 + 60, b"\x83\x74\x02\x6d"))),
    ("ceph-bluestore-member", with_bytes((0, b"bluestore block device\n"))),
    ("stratis-member", with_bytes((516, b"!Stra0tis\x86\xff\x02^\x41rh"))),
    ("vdo-member", with_bytes((0, b"dmvdo001"))),
]


@pytest.mark.parametrize(("name", "image"), MEMBERS, ids=[f"{n}-{name}" for n, (name, _) in enumerate(MEMBERS)])
def test_each_membership_is_found_by_its_structure(name: str, image: bytes) -> None:
    assert names(image) == (name,)


def test_every_probe_has_an_example_here() -> None:
    assert {probe.name for probe in PROBES} == {name for name, _ in MEMBERS}


@pytest.mark.parametrize(
    "image",
    [
        bytes(SIZE),
        b"SECRET-CRM-ROW42" * (SIZE // 16),
        with_bytes((0x10040, BTRFS_ONE)),
        with_bytes((4096 + 24, BCACHEFS), (4096 + 123, b"\x01")),
        with_bytes((0x438, b"\x53\xef")),
        with_bytes((0, b"LUKS\xba\xbe\0\x02")),
    ],
    ids=["zeros", "text", "btrfs of one device", "bcachefs of one device", "ext4", "LUKS"],
)
def test_a_filesystem_of_its_own_is_no_membership(image: bytes) -> None:
    assert names(image) == ()


def test_several_memberships_are_all_named_once() -> None:
    image = with_bytes((4096, MD), (0, MD), (512, b"LABELONE"), (512 + 24, b"LVM2 001"))
    assert names(image) == ("linux-raid-member", "lvm2-member")


def test_an_area_that_cannot_be_read_is_named_and_the_rest_is_looked_at() -> None:
    image = with_bytes((512, b"LABELONE"), (512 + 24, b"LVM2 001"))

    def read(offset: int, length: int) -> bytes | None:
        return None if offset == 4096 else image[offset : offset + length]

    assert set(find(SIZE, read)) == {"lvm2-member", UNREADABLE}


def test_a_short_read_is_unreadable() -> None:
    assert UNREADABLE in find(SIZE, lambda _offset, length: bytes(length - 1))


@pytest.mark.parametrize("size", [0, 512, 4096, 64 << 10, 1 << 20])
def test_a_small_node_is_looked_at_as_far_as_it_reaches(size: int) -> None:
    image = bytes(size)
    asked: list[tuple[int, int]] = []

    def read(offset: int, length: int) -> bytes:
        asked.append((offset, length))
        return image[offset : offset + length]

    assert find(size, read) == ()
    assert all(offset >= 0 and offset + length <= size for offset, length in asked)


def blkid(file: Path) -> str:
    done = subprocess.run(
        ["blkid", "-p", "-o", "value", "-s", "TYPE", str(file)], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


@requires_tool("blkid", "pvcreate", "mkfs.btrfs")
@pytest.mark.reference_tool
def test_what_lvm_and_btrfs_write_is_what_we_and_blkid_read(tmp_path: Path) -> None:
    one, two = tmp_path / "one.img", tmp_path / "two.img"
    for file in (one, two):
        file.write_bytes(bytes(256 << 20))
    subprocess.run(["mkfs.btrfs", "-q", "-f", str(one), str(two)], check=True, capture_output=True)
    assert blkid(one) == blkid(two) == "btrfs"
    assert names(one.read_bytes()) == names(two.read_bytes()) == ("btrfs-member",)


@requires_tool("blkid")
@pytest.mark.reference_tool
@pytest.mark.parametrize(
    ("ours", "theirs", "image"),
    [
        ("drbd-member", "drbd", MEMBERS[15][1]),
        ("vdo-member", "vdo", MEMBERS[18][1]),
        ("ceph-bluestore-member", "ceph_bluestore", MEMBERS[16][1]),
        ("isw-raid-member", "isw_raid_member", MEMBERS[8][1]),
    ],
)
def test_blkid_sees_the_same_in_our_examples(tmp_path: Path, ours: str, theirs: str, image: bytes) -> None:
    file = tmp_path / "image"
    file.write_bytes(image)
    assert names(image) == (ours,)
    assert blkid(file) == theirs
