"""From mount to disk, on facts of its own; recorded hosts below."""

from __future__ import annotations

import dataclasses
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from sanitizer.facts import HostFacts, Mount, Node, Pool
from sanitizer.host import Host
from sanitizer.lineage import beneath_mount, beneath_node, mount_of
from sanitizer.mounts import parse_mountinfo, parse_swaps, unescaped
from sanitizer.obstacles import obstacles
from tests.support.capabilities import RECORDINGS, requires_recordings
from tests.unit.sanitizer.builders import host, mount, node, reading

SDB = node("sdb")
SDB1 = node("sdb1", whole="sdb")
SDC = node("sdc")


def beneath(mounted: Mount, *nodes: Node, pools: tuple[Pool, ...] | None = ()) -> tuple[tuple[str, ...], list[str]]:
    found = beneath_mount(host(*nodes, mounts=(mounted,), pools=pools), mounted)
    return found.devices, [edge.kind for edge in found.edges]


def test_a_partition_leads_to_its_disk() -> None:
    assert beneath(mount(SDB1, "/srv"), SDB, SDB1) == (("sdb",), [])


def test_raid_lvm_and_encryption_lead_to_every_disk_beneath() -> None:
    sdc1 = node("sdc1", whole="sdc")
    md = node("md0", slaves=("sdb1", "sdc1"))
    crypt = node("dm-0", slaves=("md0",), device_mapper="CRYPT-LUKS2-x")
    volume = node("dm-1", slaves=("dm-0",), device_mapper="LVM-x")
    assert beneath(mount(volume, "/srv"), SDB, SDB1, SDC, sdc1, md, crypt, volume) == (("sdb", "sdc"), [])


@pytest.mark.parametrize(
    ("filesystem", "source", "kind"),
    [
        ("tmpfs", "tmpfs", "memory"),
        ("nfs4", "server:/export", "network"),
        ("cifs", "//server/share", "network"),
        ("virtiofs", "host", "network"),
        ("zfs", "tank/home", "unknown"),
        ("fuse.mergerfs", "a:b", "unknown"),
        ("ext4", "/dev/vanished", "unknown"),
    ],
)
def test_what_cannot_be_followed_is_named_with_its_kind(filesystem: str, source: str, kind: str) -> None:
    assert beneath(mount("0:77", "/srv", filesystem, source), SDB) == ((), [kind])


def test_every_device_of_a_btrfs_is_found() -> None:
    pool = Pool(filesystem="btrfs", identifier="u", members=("sdb1", "sdc"), missing=False)
    mounted = mount("0:44", "/srv", "btrfs", "/dev/sdb1")
    assert beneath(mounted, SDB, SDB1, SDC, pools=(pool,)) == (("sdb", "sdc"), [])


def test_a_btrfs_with_a_device_missing_says_so() -> None:
    pool = Pool(filesystem="btrfs", identifier="u", members=("sdb1",), missing=True)
    mounted = mount("0:44", "/srv", "btrfs", "/dev/sdb1")
    assert beneath(mounted, SDB, SDB1, pools=(pool,)) == (("sdb",), ["unknown"])


@pytest.mark.parametrize("pools", [(), None])
def test_a_btrfs_whose_devices_are_not_listed_is_not_taken_for_one_device(pools: tuple[Pool, ...] | None) -> None:
    mounted = mount("0:44", "/srv", "btrfs", "/dev/sdb1")
    assert beneath(mounted, SDB, SDB1, pools=pools) == (("sdb",), ["unknown"])


def test_bcachefs_names_its_devices_in_the_mount_table_and_in_sysfs() -> None:
    sdd = node("sdd")
    pool = Pool(filesystem="bcachefs", identifier="u", members=("sdb", "sdc", "sdd"), missing=False)
    mounted = mount(SDB, "/srv", "bcachefs", "/dev/sdb:/dev/sdc")
    assert beneath(mounted, SDB, SDC, sdd, pools=(pool,)) == (("sdb", "sdc", "sdd"), [])


def test_an_external_log_or_journal_is_beneath_too() -> None:
    mounted = mount(SDB1, "/srv", "xfs", "/dev/sdb1", "rw", "logdev=/dev/sdc", "rtdev=/dev/gone")
    assert beneath(mounted, SDB, SDB1, SDC) == (("sdb", "sdc"), ["unknown"])


def test_an_overlay_leads_through_all_its_layers() -> None:
    sdc1 = node("sdc1", whole="sdc")
    lower, upper = mount(SDB1, "/lower"), mount(sdc1, "/upper")
    over = mount(
        "0:50", "/merged", "overlay", "overlay", "lowerdir=/lower/a:/lower/b", "upperdir=/upper/u", "workdir=/upper/w"
    )
    found = beneath_mount(host(SDB, SDB1, SDC, sdc1, mounts=(lower, upper, over)), over)
    assert (found.devices, found.edges) == (("sdb", "sdc"), ())


@pytest.mark.parametrize("options", [("lowerdir=/a", "upperdir=b"), (), ("lowerdir=/",)])
def test_an_overlay_whose_layers_are_out_of_sight_is_named(options: tuple[str, ...]) -> None:
    over = mount("0:50", "/", "overlay", "overlay", *options)
    found = beneath_mount(host(SDB, mounts=(over,)), over)
    assert found.devices == ()
    assert {edge.kind for edge in found.edges} == {"unknown"}


def test_a_loop_device_is_a_medium_and_its_disk_carries_it() -> None:
    loop = node("loop0", backing_file="/images/crm.img")
    found = beneath_mount(
        host(SDB, SDB1, loop, mounts=(mount(SDB1, "/images"), mount(loop, "/srv"))), mount(loop, "/srv")
    )
    assert (found.devices, found.edges, found.carriers, found.carrier_edges) == (("loop0",), (), ("sdb",), ())


@pytest.mark.parametrize("file", [None, "/images/crm.img (deleted)"])
def test_a_loop_device_on_a_lost_file_says_so(file: str | None) -> None:
    loop = node("loop0", backing_file=file)
    found = beneath_node(host(loop), loop)
    assert found.devices == ("loop0",)
    assert [edge.kind for edge in found.carrier_edges] == ["unknown"]


def test_unreadable_slaves_are_an_edge_not_a_leaf() -> None:
    volume = node("dm-0", slaves=None, device_mapper="LVM-x")
    assert beneath(mount(volume, "/srv"), volume) == ((), ["unknown"])


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("nbd0", "network"),
        ("rbd1", "network"),
        ("drbd0", "network"),
        ("zram0", "memory"),
        ("zd16", "unknown"),
        ("md5", "unknown"),
    ],
)
def test_nodes_that_are_no_disks_of_this_host_are_named(name: str, kind: str) -> None:
    leaf = node(name)
    assert beneath(mount(leaf, "/srv"), leaf) == ((), [kind])


def test_persistent_memory_is_a_medium_like_a_disk() -> None:
    leaf = node("pmem0")
    assert beneath(mount(leaf, "/srv"), leaf) == (("pmem0",), [])


def test_a_circle_of_devices_ends() -> None:
    one = node("dm-0", slaves=("dm-1",), device_mapper="x")
    two = node("dm-1", slaves=("dm-0",), device_mapper="x")
    assert beneath(mount(one, "/srv"), one, two)[0] == ()


def test_the_deepest_and_newest_mount_holds_the_path() -> None:
    outer, inner, over = mount(SDB, "/srv"), mount(SDB1, "/srv/crm"), mount(SDC, "/srv/crm")
    facts = host(SDB, SDB1, SDC, mounts=(outer, inner, over))
    assert mount_of(facts, "/srv/crm/db") is over
    assert mount_of(facts, "/srv/crmx") is outer
    assert mount_of(facts, "/srv/crm/db", inner.mount_id) is inner
    assert mount_of(facts, "/srv/crm/db", 999_999) is None
    assert mount_of(dataclasses.replace(facts, mounts=None), "/srv") is None


# --- tables as text ---


@pytest.mark.parametrize(
    ("raw", "plain"),
    [(r"/mnt/a\040b", "/mnt/a b"), (r"\134", "\\"), ("/mnt/\\303\\244", "/mnt/ä"), ("/mnt/ä", "/mnt/ä")],
)
def test_octal_escapes_are_undone(raw: str, plain: str) -> None:
    assert unescaped(raw) == plain


@pytest.mark.parametrize("line", ["x", "1 2 8:1 / /", "1 2 8:1 / /mnt rw - ext4", "a b 8:1 / /mnt rw - ext4 /dev/x rw"])
def test_a_mount_table_that_is_not_as_promised_is_unknown_not_shorter(line: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_mountinfo(line)


def test_swap_areas_are_read() -> None:
    text = "Filename\tType\tSize\tUsed\tPriority\n/dev/sda2\tpartition\t1\t0\t-2\n/swap\\040file file 1 0 -3\n"
    assert [(s.path, s.kind) for s in parse_swaps(text)] == [("/dev/sda2", "partition"), ("/swap file", "file")]
    with pytest.raises(ValueError, match="swaps"):
        parse_swaps("Filename\nbroken")


MOUNTINFOS = sorted((RECORDINGS / "mountinfo").glob("*.mountinfo")) if RECORDINGS.is_dir() else []


@requires_recordings
@pytest.mark.recordings
def test_every_recorded_mount_table_is_read_as_findmnt_and_hand_read_it() -> None:
    assert len(MOUNTINFOS) >= 7
    for file in MOUNTINFOS:
        expected = json.loads(file.with_suffix(".expected.json").read_text())["expected"]["entries"]
        mounts = parse_mountinfo(file.read_text())
        assert [
            (m.mount_id, m.parent_id, m.device_number, m.root, m.mount_point, m.filesystem, m.source) for m in mounts
        ] == [
            (e["id"], e["parent"], e["majmin"], e["root"], e["mountpoint"], e["fstype"], e["source"]) for e in expected
        ], file.name


def recorded_host(tmp_path: Path, name: str) -> tuple[HostFacts, Host, dict[str, Any]]:
    with tarfile.open(RECORDINGS / "trees" / f"{name}.tar.xz") as archive:
        archive.extractall(tmp_path, filter="tar")
    (root,) = [each for each in tmp_path.iterdir() if (each / "sys").is_dir()]
    for device in (
        root / "sys/block"
    ).iterdir():  # the archive dropped empty folders, and a missing one is unknown to us
        for folder in (device, *(each.parent for each in device.glob("*/partition"))):
            (folder / "holders").mkdir(exist_ok=True)
            (folder / "slaves").mkdir(exist_ok=True)
    recorded = Host(proc=root / "proc", sys=root / "sys", dev=Path("/dev"), run=root / "run")
    expected = json.loads((RECORDINGS / "trees" / f"{name}.expected.json").read_text())["expected"]
    return recorded.gather(), recorded, expected


TREES = ["util-linux_simple-lvm", "util-linux_simple-nvme", "util-linux_multi-devs-bcachefs"]


@requires_recordings
@pytest.mark.recordings
@pytest.mark.parametrize("name", TREES)
def test_every_mount_of_a_recorded_host_leads_to_the_disks_it_lay_on(tmp_path: Path, name: str) -> None:
    facts, _, expected = recorded_host(tmp_path, name)
    assert facts.nodes
    assert facts.mounts
    checked = 0
    for each in expected["mounts"]:
        mounted = next(m for m in reversed(facts.mounts) if m.mount_point == each["mount"])
        found = beneath_mount(facts, mounted)
        assert [f"/dev/{device}" for device in found.devices] == each["physical"], each["mount"]
        if each["fstype"] != "bcachefs":
            assert found.edges == ()
        checked += 1
    assert checked >= 6


@requires_recordings
@pytest.mark.recordings
@pytest.mark.parametrize("name", TREES)
def test_what_a_recorded_host_had_assembled_is_found_and_its_members_are_refused(tmp_path: Path, name: str) -> None:
    facts, _, expected = recorded_host(tmp_path, name)
    assert facts.nodes
    for assembled, members in expected["assembled_over"].items():
        built = facts.nodes[assembled]
        assert sorted(f"/dev/{d}" for d in beneath_node(facts, built).devices) == sorted(members)
        assert [o.code for o in obstacles(facts, reading(built), None, ())] == ["assembled-device"]
        for member in members:
            held = facts.nodes[member.removeprefix("/dev/")]
            assert "lvm-member" in [o.code for o in obstacles(facts, reading(held), None, ())]


@requires_recordings
@pytest.mark.recordings
@pytest.mark.parametrize("name", TREES)
def test_the_recorded_system_disk_is_refused_as_such(tmp_path: Path, name: str) -> None:
    facts, _, _ = recorded_host(tmp_path, name)
    assert facts.nodes
    found = [o.code for o in obstacles(facts, reading(facts.nodes["sda"]), None, ())]
    assert found[:2] == ["system-device", "mounted-filesystem"]
