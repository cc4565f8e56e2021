"""Each step down says how it is known; snapshots, remote disks, ZFS, swap and dumps; any stack is followed to the end."""

from __future__ import annotations

import contextlib
import dataclasses
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanitizer import zfs
from sanitizer.areas import areas_of
from sanitizer.facts import HostFacts, Mount, Node, SwapArea, ZfsLabel, ZfsLook
from sanitizer.lineage import beneath_mount, beneath_node
from tests.unit.sanitizer.builders import host, mount, node

SDB = node("sdb")
SDC = node("sdc")
SDB1 = node("sdb1", whole="sdb")


def steps_of(facts: HostFacts, mounted: Mount) -> list[tuple[str, str]]:
    return [(step.above, step.below) for step in beneath_mount(facts, mounted).steps]


def test_every_step_is_told_with_how_it_is_known() -> None:
    volume = node("dm-0", slaves=("sdb1",), device_mapper="LVM-x")
    mounted = mount(volume, "/srv")
    found = beneath_mount(host(SDB, SDB1, volume, mounts=(mounted,)), mounted)
    assert [(step.above, step.below, step.how) for step in found.steps] == [
        ("/srv", "dm-0", "the device number in the mount table"),
        ("dm-0", "sdb1", "slaves in sysfs (LVM)"),
        ("sdb1", "sdb", "it is a partition of it"),
    ]


def test_what_a_snapshot_keeps_of_a_volume_is_beneath_the_volume_too() -> None:
    real = node("dm-0", slaves=("sdb",), device_mapper="LVM-abc-real", holders=("dm-1", "dm-3"))
    origin = node("dm-1", slaves=("dm-0",), device_mapper="LVM-abc")
    store = node("dm-2", slaves=("sdc",), device_mapper="LVM-def-cow", holders=("dm-3",))
    snapshot = node("dm-3", slaves=("dm-0", "dm-2"), device_mapper="LVM-def")
    mounted = mount(origin, "/srv")
    found = beneath_mount(host(SDB, SDC, real, origin, store, snapshot, mounts=(mounted,)), mounted)
    assert (found.devices, found.edges) == (("sdb", "sdc"), ())
    blind = dataclasses.replace(real, holders=None)
    found = beneath_mount(host(SDB, SDC, blind, origin, store, snapshot, mounts=(mounted,)), mounted)
    assert [edge.kind for edge in found.edges] == ["unknown"]


@pytest.mark.parametrize("way", ["iSCSI", "Fibre Channel", "NVMe over TCP"])
def test_a_disk_of_another_machine_is_found_and_named_as_leaving_this_host(way: str) -> None:
    far = node("sdd", elsewhere=way)
    mounted = mount(far, "/srv")
    found = beneath_mount(host(far, mounts=(mounted,)), mounted)
    assert found.devices == ("sdd",)
    assert [(edge.kind, way in edge.text) for edge in found.edges] == [("network", True)]


def test_a_multipath_namespace_leaves_the_host_where_one_of_its_hidden_paths_does() -> None:
    head = node("nvme0n1", subsystem="nqn.x")
    path = node("nvme0c0n1", subsystem="nqn.x", hidden=True, elsewhere="NVMe over TCP")
    other = node("nvme1c0n1", subsystem="nqn.y", hidden=True, elsewhere="NVMe over RDMA")
    mounted = mount(head, "/srv")
    found = beneath_mount(host(head, path, other, mounts=(mounted,)), mounted)
    assert [edge.text for edge in found.edges] == [
        "nvme0n1 is reached over NVMe over TCP: its disks are in another machine"
    ]


def test_a_disk_of_which_nobody_knows_what_lies_beneath_is_no_end_of_the_way() -> None:
    blind = dataclasses.replace(SDB, slaves=None)
    mounted = mount(blind, "/srv")
    assert [edge.kind for edge in beneath_mount(host(blind, mounts=(mounted,)), mounted).edges] == ["unknown"]


def test_a_replicated_device_with_a_local_disk_still_leaves_this_host() -> None:
    replicated = node("drbd0", slaves=("sdb",))
    mounted = mount(replicated, "/srv")
    found = beneath_mount(host(SDB, replicated, mounts=(mounted,)), mounted)
    assert (found.devices, [edge.kind for edge in found.edges]) == (("sdb",), ["network"])


# --- ZFS ---


def xdr(text: str) -> bytes:
    raw = text.encode()
    return struct.pack(">i", len(raw)) + raw + bytes(-len(raw) % 4)


def nvlist(values: dict[str, object]) -> bytes:
    """As libnvpair packs a list in XDR."""
    out = struct.pack(">ii", 0, 1)
    for name, value in values.items():
        if isinstance(value, int):
            kind, count, data = 8, 1, struct.pack(">Q", value)
        elif isinstance(value, str):
            kind, count, data = 9, 1, xdr(value)
        elif isinstance(value, dict):
            kind, count, data = 19, 1, nvlist(value)
        elif isinstance(value, bytes):  # a type nobody here reads
            kind, count, data = 10, len(value), struct.pack(">i", len(value)) + value + bytes(-len(value) % 4)
        elif value and isinstance(value[0], int):  # type: ignore[index]
            kind, count, data = 16, len(value), struct.pack(">i", len(value)) + struct.pack(f">{len(value)}Q", *value)  # type: ignore[arg-type, misc]
        else:
            kind, count, data = 20, len(value), b"".join(nvlist(each) for each in value)  # type: ignore[arg-type, attr-defined]
        body = xdr(name) + struct.pack(">ii", kind, count) + data
        out += struct.pack(">ii", len(body) + 8, len(body) + 8) + body
    return out + bytes(8)


def label_bytes(**changes: object) -> bytes:
    tree = {
        "type": "mirror",
        "id": 0,
        "guid": 7,
        "children": [{"type": "disk", "guid": 1}, {"type": "disk", "guid": 2}],
    }
    values = {
        "version": 5000, "name": "tank", "state": 0, "pool_guid": 99, "odd": b"abc", "guid": 1,
        "vdev_children": 1, "vdev_tree": tree, **changes,
    }  # fmt: skip
    packed = b"\x01\x01\x00\x00" + nvlist(values)
    return packed + bytes(zfs.LABEL_BYTES - len(packed))


def test_a_label_is_read() -> None:
    found = zfs.parse_label("sdb1", label_bytes(hole_array=[3, 4]))
    assert found == ZfsLabel(
        node="sdb1", state=0, guid=1, pool="tank", pool_guid=99, top=0, tops=1,
        holes=frozenset({3, 4}), siblings=frozenset({1, 2}),
    )  # fmt: skip
    assert zfs.parse_label("sdb", bytes(zfs.LABEL_BYTES)) is None
    assert zfs.parse_label("sdb", b"\xeb\x3c\x90" + bytes(4096)) is None


@given(st.data())
def test_a_damaged_label_is_read_or_refused_and_never_more(data: st.DataObject) -> None:
    packed = bytearray(label_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        packed[data.draw(st.integers(4, 500))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(zfs.LabelDamaged):
        zfs.parse_label("sdb", bytes(packed[: data.draw(st.integers(8, 700))]))


def label(name: str, guid: int, **changes: object) -> ZfsLabel:
    base: dict[str, object] = {
        "node": name, "state": 0, "guid": guid, "pool": "tank", "pool_guid": 99, "top": 0, "tops": 1,
        "holes": frozenset(), "siblings": frozenset({1, 2}),
    }  # fmt: skip
    return ZfsLabel(**{**base, **changes})  # type: ignore[arg-type]


def zfs_found(*labels: ZfsLabel, unread: tuple[str, ...] = (), driver: str = "zfs") -> tuple[tuple[str, ...], int]:
    mounted = mount("0:44", "/tank", driver, "tank/home")
    facts = host(SDB, SDB1, SDC, mounts=(mounted,), zfs=ZfsLook(labels=labels, unread=unread))
    found = beneath_mount(facts, mounted)
    return found.devices, len(found.edges)


def test_a_pool_lies_on_every_device_that_carries_its_label() -> None:
    for driver in ("zfs", "fuse.zfs"):
        assert zfs_found(label("sdb1", 1), label("sdc", 2), driver=driver) == (("sdb", "sdc"), 0)


@pytest.mark.parametrize(
    "labels",
    [
        (),
        (label("sdb1", 1),),
        (label("sdb1", 1, tops=2), label("sdc", 2, tops=2)),
        (label("sdb1", 1), label("sdc", 2, pool_guid=98)),
        (label("sdb1", 1, tops=None), label("sdc", 2)),
        (label("sdb1", 1, siblings=frozenset()), label("sdc", 2)),
        (label("sdb1", 1, tops=1 << 40), label("sdc", 2, tops=1 << 40)),
    ],
)
def test_a_pool_of_which_anything_is_not_known_is_never_followed_to_the_end(labels: tuple[ZfsLabel, ...]) -> None:
    assert zfs_found(*labels)[1] > 0


def test_a_device_that_could_not_be_read_may_be_part_of_the_pool() -> None:
    assert zfs_found(label("sdb1", 1), label("sdc", 2), unread=("sdx",))[1] == 1


def test_a_part_that_was_taken_out_is_not_missed() -> None:
    taken = frozenset({0})
    pair = (label("sdb1", 1, top=1, tops=2, holes=taken), label("sdc", 2, top=1, tops=2, holes=taken))
    assert zfs_found(*pair) == (("sdb", "sdc"), 0)


def test_a_cache_device_counts_for_every_pool() -> None:
    cache = label("sdc", 5, state=4, pool=None, pool_guid=None, top=None, tops=None, siblings=frozenset())
    assert zfs_found(label("sdb1", 1, siblings=frozenset({1})), cache) == (("sdb", "sdc"), 0)


def test_zfs_is_unknown_where_nobody_read_labels() -> None:
    mounted = mount("0:44", "/tank", "zfs", "tank")
    assert [edge.kind for edge in beneath_mount(host(SDB, mounts=(mounted,)), mounted).edges] == ["unknown"]


# --- memory on disk ---


def area(
    facts: HostFacts, pattern: str | None = "core", folders: tuple[str, ...] = ()
) -> list[tuple[str, str, tuple[str, ...], list[str]]]:
    found = areas_of(facts, pattern, lambda path: path if path in folders else None)
    return [(a.kind, a.path, a.beneath.devices, [edge.kind for edge in a.beneath.edges]) for a in found]


def swap(path: str, kind: str = "partition", number: str | None = None) -> SwapArea:
    return SwapArea(path=path, kind=kind, device_number=number)


def test_swap_areas_lead_to_their_disks_whatever_they_are() -> None:
    crypt = node("dm-0", slaves=("sdb1",), device_mapper="CRYPT-PLAIN-x")
    areas = (swap("/dev/dm-0", number=crypt.device_number), swap("/images/swapfile", "file"), swap("/dev/gone"))
    facts = host(SDB, SDB1, SDC, crypt, mounts=(mount(SDC, "/images"),), swaps=areas)
    assert area(facts) == [
        ("swap", "/dev/dm-0", ("sdb",), []),
        ("swap", "/images/swapfile", ("sdc",), []),
        ("swap", "/dev/gone", (), ["unknown"]),
    ]
    assert area(host(SDB, swaps=None)) == [("swap", "swap", (), ["unknown"])]


def test_compressed_memory_needs_no_disk_unless_it_writes_back_to_one() -> None:
    zram, back = node("zram0"), node("zram1", backing_file="/dev/sdc")
    areas = (swap("/dev/zram0", number=zram.device_number), swap("/dev/zram1", number=back.device_number))
    facts = host(SDC, zram, back, swaps=areas)
    assert [(path, devices) for _, path, devices, _ in area(facts)] == [("/dev/zram0", ()), ("/dev/zram1", ("sdc",))]


@pytest.mark.parametrize(
    ("pattern", "folders", "found"),
    [
        ("core", (), []),
        ("/var/cores/core.%e.%p", ("/var/cores",), [("/var/cores", ("sdb",), [])]),
        (
            "|/usr/lib/systemd/systemd-coredump %P",
            ("/var/lib/systemd/coredump",),
            [("/var/lib/systemd/coredump", ("sdb",), [])],
        ),
        ("|/opt/strange %p", (), [("core dumps", (), ["unknown"])]),
        ("|/bin/false", (), []),
        (None, (), [("core dumps", (), ["unknown"])]),
        ("core", ("/var/crash",), [("/var/crash", ("sdb",), [])]),
    ],
)
def test_where_core_dumps_go_is_found_or_named(
    pattern: str | None, folders: tuple[str, ...], found: list[tuple[str, tuple[str, ...], list[str]]]
) -> None:
    facts = host(SDB, mounts=(mount(SDB, "/var"),))
    assert [each[1:] for each in area(facts, pattern, folders)] == found


# --- any stack ---


@st.composite
def stacks(draw: st.DrawFn) -> tuple[dict[str, Node], str, set[str], bool]:
    """Nodes, the topmost, the disks beneath it by another reckoning, and whether something on the way could not be read."""
    disks = [node(f"sd{letter}") for letter in "bcdefg"[: draw(st.integers(1, 6))]]
    nodes = {disk.name: disk for disk in disks}
    under = {disk.name: {disk.name} for disk in disks}
    blind = {disk.name: False for disk in disks}
    top = disks[0].name
    for number in range(draw(st.integers(1, 8))):
        members = draw(st.lists(st.sampled_from(sorted(nodes)), min_size=1, max_size=3, unique=True))
        shape = draw(st.sampled_from(["dm", "md", "part", "lost"]))
        if shape == "part":
            made = node(f"p{number}", whole=members[0])
            members = members[:1]
        elif shape == "lost":
            made, members = node(f"dm-{number}", slaves=None, device_mapper="x"), []
        else:
            made = node(f"{shape}{number}", slaves=tuple(members), device_mapper="x" if shape == "dm" else None)
        top = made.name
        nodes[top] = made
        under[top] = set().union(*(under[member] for member in members))
        blind[top] = shape == "lost" or any(blind[member] for member in members)
    return nodes, top, under[top], blind[top]


@given(stacks())
def test_any_stack_leads_to_exactly_the_disks_beneath_or_says_that_it_does_not_know(
    stack: tuple[dict[str, Node], str, set[str], bool],
) -> None:
    nodes, top, disks, blind = stack
    found = beneath_node(host(*nodes.values()), nodes[top])
    assert set(found.devices) == disks
    assert bool(found.edges) == blind
    reached = {top}
    for _ in found.steps:
        reached |= {step.below for step in found.steps if step.above in reached}
    assert disks <= reached, "a disk without a way to it"
