"""Each obstacle on facts of its own; recorded and real hosts have their own tests."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from sanitizer.errors import FactsUnknown, HeldByProcess, MountedFilesystem, Refused, SystemDevice
from sanitizer.facts import HostFacts, Node, Opener, Pool, Reading, SwapArea
from sanitizer.obstacles import identity_of, obstacles, system_is_unmapped
from tests.unit.sanitizer.builders import host, mount, node, reading


def judge(facts: HostFacts, disk: Node, said: Reading | None = None, twins: tuple[str, ...] = ()) -> list[Refused]:
    said = said or reading(disk)
    return list(obstacles(facts, said, identity_of(said), twins))


def codes(facts: HostFacts, disk: Node, said: Reading | None = None, twins: tuple[str, ...] = ()) -> list[str]:
    return [each.code for each in judge(facts, disk, said, twins)]


SDB = node("sdb")
SDB1 = node("sdb1", whole="sdb", slaves=())


def test_a_quiet_disk_has_no_obstacles() -> None:
    assert codes(host(SDB, SDB1), SDB) == []


@pytest.mark.parametrize("of", [SDB, SDB1], ids=["whole", "partition"])
def test_a_mount_of_the_disk_or_of_its_partition_is_seen(of: Node) -> None:
    (found,) = judge(host(SDB, SDB1, mounts=(mount(of, "/srv"),)), SDB)
    assert isinstance(found, MountedFilesystem)
    assert found.mount_points == ("/srv",)


@pytest.mark.parametrize("point", ["/", "/usr", "/boot", "/boot/efi", "/var", "/etc"])
def test_the_systems_own_disk_is_told_from_other_mounts(point: str) -> None:
    found = judge(host(SDB, SDB1, mounts=(mount(SDB1, point),)), SDB)
    assert [each.code for each in found] == ["system-device", "mounted-filesystem"]
    assert isinstance(found[0], SystemDevice)


def test_the_system_is_found_through_raid_lvm_and_encryption() -> None:
    crypt = node("dm-0", slaves=("sdb1",), device_mapper="CRYPT-LUKS2-x", label="crypt")
    root = node("dm-1", slaves=("dm-0",), device_mapper="LVM-x", label="vg-root")
    sdb1 = dataclasses.replace(SDB1, holders=("dm-0",))
    found = codes(host(SDB, sdb1, crypt, root, mounts=(mount(root, "/"),)), SDB)
    assert found == ["system-device", "crypt-member"]


def test_the_disk_beneath_the_system_images_loop_device_is_the_systems() -> None:
    loop = node("loop0", backing_file="/live/system.img")
    found = codes(host(SDB, SDB1, loop, mounts=(mount(loop, "/"), mount(SDB1, "/live"))), SDB)
    assert found == ["system-device", "mounted-filesystem"]


@pytest.mark.parametrize("of", [SDB, SDB1], ids=["whole", "partition"])
def test_active_swap_is_seen(of: Node) -> None:
    swap = SwapArea(path=of.path, kind="partition", device_number=of.device_number)
    assert codes(host(SDB, SDB1, swaps=(swap,)), SDB) == ["active-swap"]


def test_a_swap_area_that_cannot_be_placed_refuses_everywhere() -> None:
    swap = SwapArea(path="/dev/mapper/gone", kind="partition", device_number=None)
    assert codes(host(SDB, swaps=(swap,)), SDB) == ["facts-unknown"]


def test_a_swap_file_is_guarded_by_the_mount_it_lies_on() -> None:
    swap = SwapArea(path="/swapfile", kind="file", device_number=None)
    assert codes(host(SDB, swaps=(swap,)), SDB) == []


@pytest.mark.parametrize(
    ("holder", "code"),
    [
        (node("md0", slaves=("sdb1",), label="raid1"), "raid-member"),
        (node("md127", slaves=("sdb1",)), "raid-member"),
        (node("dm-3", slaves=("sdb1",), device_mapper="LVM-abc", label="vg-lv"), "lvm-member"),
        (node("dm-3", slaves=("sdb1",), device_mapper="CRYPT-LUKS2-abc", label="c"), "crypt-member"),
        (node("dm-3", slaves=("sdb1",), device_mapper="CRYPT-PLAIN-c", label="c"), "crypt-member"),
        (node("dm-3", slaves=("sdb1",), device_mapper="CRYPT-VERITY-c", label="c"), "held-by-device"),
        (node("dm-3", slaves=("sdb1",), device_mapper="mpath-3600", label="mpatha"), "multipath-member"),
        (node("dm-3", slaves=("sdb1",), device_mapper="part1-mpath-3600", label="mpatha1"), "multipath-member"),
        (node("dm-3", slaves=("sdb1",), device_mapper="DMRAID-isw", label="isw"), "raid-member"),
        (node("dm-3", slaves=("sdb1",), device_mapper="", label="custom"), "held-by-device"),
        (node("bcache0", slaves=("sdb1",)), "held-by-device"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value.name}:{value.device_mapper}",
)
@pytest.mark.parametrize("held", ["sdb", "sdb1"])
def test_each_kind_of_holder_has_its_own_refusal(holder: Node, code: str, held: str) -> None:
    disk = dataclasses.replace(SDB, holders=(holder.name,) if held == "sdb" else ())
    part = dataclasses.replace(SDB1, holders=(holder.name,) if held == "sdb1" else ())
    assert codes(host(disk, part, holder), disk) == [code]


def test_a_holder_that_is_no_known_node_still_holds() -> None:
    assert codes(host(dataclasses.replace(SDB, holders=("dm-9",))), SDB) == ["held-by-device"]


def test_an_idle_path_of_a_multipath_device_is_refused_by_udevs_word() -> None:
    disk = dataclasses.replace(SDB, multipath_path=True)
    assert codes(host(disk), disk) == ["multipath-member"]


@pytest.mark.parametrize("of", [SDB, SDB1], ids=["whole", "partition"])
def test_a_process_that_may_write_is_seen(of: Node) -> None:
    (found,) = judge(host(SDB, SDB1, openers=(Opener(process="qemu (7)", device_number=of.device_number),)), SDB)
    assert isinstance(found, HeldByProcess)
    assert found.processes == ("qemu (7)",)


def test_a_second_member_of_a_mounted_btrfs_is_mounted_too() -> None:
    sdc = node("sdc")
    facts = host(
        SDB,
        sdc,
        mounts=(mount("0:44", "/data", "btrfs", "/dev/sdc"),),
        pools=(Pool(filesystem="btrfs", identifier="u-1", members=("sdb", "sdc"), missing=False),),
    )
    for disk in (SDB, sdc):
        (found,) = judge(facts, disk)
        assert isinstance(found, MountedFilesystem)
        assert found.mount_points == ("/data",)


def test_a_pool_whose_mount_is_out_of_sight_still_counts_as_mounted() -> None:
    pool = Pool(filesystem="btrfs", identifier="u-1", members=("sdb",), missing=False)
    (found,) = judge(host(SDB, pools=(pool,)), SDB)
    assert isinstance(found, MountedFilesystem)
    assert found.mount_points == ("btrfs u-1",)


@pytest.mark.parametrize("model", ["host-managed", "host-aware"])
def test_a_zoned_device_is_refused(model: str) -> None:
    disk = dataclasses.replace(SDB, zoned=model)
    assert codes(host(disk), disk) == ["zoned-device"]


@pytest.mark.parametrize(("in_sysfs", "by_ioctl"), [(True, False), (False, True)])
def test_write_protection_is_seen_by_either_witness(in_sysfs: bool, by_ioctl: bool) -> None:
    disk = dataclasses.replace(SDB, read_only=in_sysfs)
    assert codes(host(disk), disk, reading(disk, read_only=by_ioctl)) == ["read-only-device"]


def test_an_empty_reader_has_no_medium() -> None:
    disk = dataclasses.replace(SDB, size_bytes=0)
    assert codes(host(disk), disk, reading(disk, capacity_bytes=0))[0] == "no-medium"


def test_a_partition_is_no_whole_device() -> None:
    assert codes(host(SDB, SDB1), SDB1) == ["not-whole-device"]


@pytest.mark.parametrize(
    "built",
    [
        node("md0", slaves=("sdb",)),
        node("dm-0", slaves=("sdb",), device_mapper="LVM-x"),
        node("dm-1", device_mapper=""),
        node("md1"),
        node("bcache0", slaves=("sdb",)),
    ],
    ids=lambda n: f"{n.name}{n.slaves}",
)
def test_what_is_assembled_is_no_medium(built: Node) -> None:
    assert codes(host(SDB, built), built) == ["assembled-device"]


def test_a_device_without_serial_and_world_wide_name_is_refused() -> None:
    assert codes(host(SDB), SDB, reading(SDB, serial=None)) == ["identity-unreadable"]


@pytest.mark.parametrize("serial", ["", "   ", "0000000000", "\0\0"])
def test_a_blank_serial_number_is_none(serial: str) -> None:
    assert identity_of(reading(SDB, serial=serial)) is None


def test_two_drives_with_the_recorded_bogus_name_are_told_apart_by_serial() -> None:
    one = identity_of(reading(SDB, serial="13207907000097410026", wwn="0x0000000000000000"))
    two = identity_of(reading(SDB, serial="1320790700009741003D", wwn="0x0000000000000000"))
    assert one is not None
    assert two is not None
    assert one.wwn is None
    assert one.fingerprint != two.fingerprint


def test_one_identity_at_two_nodes_is_refused() -> None:
    assert codes(host(SDB), SDB, twins=("/dev/sdc",)) == ["ambiguous-identity"]


def test_a_dormant_membership_is_an_obstacle() -> None:
    assert codes(host(SDB), SDB, reading(SDB, signatures=("lvm2-member",))) == ["dormant-member"]


UNKNOWN: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ("mount table", {"mounts": None}, {}, {}),
    ("swap areas", {"swaps": None}, {}, {}),
    ("multi-device", {"pools": None}, {}, {}),
    ("journals", {"journals": None}, {}, {}),
    ("open files", {"openers": None}, {}, {}),
    ("boot identifier", {"boot_id": None}, {}, {}),
    ("holders of sdb", {}, {"holders": None}, {}),
    ("what lies beneath sdb", {}, {"slaves": None}, {}),
    ("writes in zones", {}, {"zoned": None}, {}),
    ("write-protected", {}, {}, {"read_only": None}),
    ("signatures on sdb", {}, {}, {"signatures": None}),
    ("some fact", {}, {}, {"unreadable": ("some fact",)}),
]


@pytest.mark.parametrize(("words", "in_host", "in_node", "in_reading"), UNKNOWN, ids=[u[0] for u in UNKNOWN])
def test_it_refuses_when_a_fact_is_unknown(
    words: str, in_host: dict[str, Any], in_node: dict[str, Any], in_reading: dict[str, Any]
) -> None:
    disk = dataclasses.replace(SDB, **in_node)
    found = judge(host(disk, **in_host), disk, reading(disk, **in_reading))
    assert found, words
    unknown = [each for each in found if isinstance(each, FactsUnknown)]
    assert unknown
    assert any(words in fact for each in unknown for fact in each.facts)


def test_it_refuses_when_the_holders_of_a_partition_are_unknown() -> None:
    part = dataclasses.replace(SDB1, holders=None)
    (found,) = judge(host(SDB, part), SDB)
    assert isinstance(found, FactsUnknown)
    assert found.facts == ("the holders of sdb1",)


def test_it_refuses_when_the_kernels_devices_are_unknown_or_lack_this_one() -> None:
    assert codes(host(nodes=None), SDB) == ["facts-unknown"]
    assert codes(host(), SDB) == ["facts-unknown"]


def overlay_host() -> HostFacts:
    return host(SDB, mounts=(mount("0:50", "/", "overlay", "overlay", "lowerdir=/var/lib/docker/a", "upperdir=/x"),))


def test_when_the_systems_own_devices_are_out_of_sight_only_a_granted_claim_helps() -> None:
    """Inside a container the root overlay's layers are not in the mount table: any disk could be the system's."""
    facts = overlay_host()
    assert system_is_unmapped(facts)
    assert codes(facts, SDB) == ["facts-unknown"]
    assert codes(facts, SDB, reading(SDB, claim_free=False)) == ["facts-unknown"]
    assert codes(facts, SDB, reading(SDB, claim_free=True)) == []


def test_a_root_in_memory_or_on_the_network_is_an_answer() -> None:
    for filesystem, source in (("tmpfs", "tmpfs"), ("nfs4", "server:/root"), ("rootfs", "rootfs")):
        assert system_is_unmapped(host(SDB, mounts=(mount("0:60", "/", filesystem, source),))) == ()


def test_a_mount_table_without_a_root_is_no_answer() -> None:
    facts = dataclasses.replace(host(SDB), mounts=(mount(SDB, "/mnt"),))
    assert system_is_unmapped(facts) == ("the mount at / is not in the mount table",)


def test_every_obstacle_carries_the_devices_fingerprint() -> None:
    said = reading(SDB)
    identity = identity_of(said)
    assert identity is not None
    found = judge(host(SDB, mounts=(mount(SDB, "/srv"),)), SDB)
    assert [each.fingerprint for each in found] == [identity.fingerprint]
