"""More stacks of one host: what LVM, md and btrfs build of several disks, and what lies on a file or a folder."""

from __future__ import annotations

from pathlib import Path

from tests.lab.guest.lineage_tools import Build, folder, heard, loop, mounted, put, run

LVM = ("-q", "-y", "-Zn", "-Wn")


def group(name: str, *disks: str) -> None:
    """A volume group."""
    run("pvcreate", "-q", "-y", *disks)
    run("vgcreate", "-q", "-y", name, *disks)


def lvm_moved() -> tuple[str, list[str]]:
    """A striped volume, one leg of which is moved to a third disk."""
    one, two, three = loop("lm1"), loop("lm2"), loop("lm3")
    group("vgmv", one, two, three)
    run("lvcreate", *LVM, "-i", "2", "-L", "16m", "-n", "crm", "vgmv", one, two)
    point = mounted("/dev/vgmv/crm", "lvm-moved")
    with heard("a part of a volume is moved"):
        run("pvmove", "-q", "-y", "-i", "0", two, three)
    return point, [one, three]


def raid5() -> tuple[str, list[str]]:
    """RAID-5 with a spare, that takes over for one that failed; the failed one is still in the array."""
    disks = [loop(f"rv{number}") for number in range(4)]
    run("mdadm", "-q", "--create", "/dev/md51", "--run", "--level=5", "--raid-devices=3", "--spare-devices=1",
        "--assume-clean", *disks)  # fmt: skip
    point = mounted("/dev/md51", "raid5")
    with heard("a member of a RAID fails"):
        run("mdadm", "-q", "/dev/md51", "--fail", disks[0])
    return point, disks


def btrfs_grown() -> tuple[str, list[str]]:
    """A btrfs on one disk gets a second one, and lets the first go; the path is a subvolume, bound elsewhere."""
    one, two, three = loop("bg1", 300), loop("bg2", 300), loop("bg3", 300)
    run("mkfs.btrfs", "-q", "-f", "-m", "single", "-d", "single", one)
    point = mounted(one, "btrfs-grown", "btrfs")
    run("btrfs", "subvolume", "create", f"{point}/crm")
    with heard("devices are added to a btrfs"):
        run("btrfs", "device", "add", "-K", "-f", two, three, point)
    with heard("a device is taken out of a btrfs"):
        run("btrfs", "device", "remove", one, point)
    bound = folder("btrfs-bound")
    run("mount", "--bind", f"{point}/crm", bound)
    return bound, [two, three]


def overlay() -> tuple[str, list[str]]:
    """An overlay of a disk of images and a disk of what containers write."""
    lower, upper = mounted(low := loop("o1"), "lower"), mounted(up := loop("o2"), "upper")
    for name in (f"{lower}/image", f"{upper}/written", f"{upper}/work"):
        Path(name).mkdir()
    point = folder("overlay")
    run("mount", "-t", "overlay", "-o", f"lowerdir={lower}/image,upperdir={upper}/written,workdir={upper}/work",
        "overlay", point)  # fmt: skip
    return point, [low, up]


def file_on_raid() -> tuple[str, list[str]]:
    """A disk image in a file on RAID-1: the image is a medium of its own, and its carriers are told."""
    one, two = loop("f1"), loop("f2")
    run("mdadm", "-q", "--create", "/dev/md52", "--run", "--assume-clean", "--level=1", "--raid-devices=2", one, two)
    outer = mounted("/dev/md52", "image")
    image = Path(outer, "disk.img")
    with image.open("wb") as opened:
        opened.truncate(20 << 20)
    inner = run("losetup", "--show", "-f", str(image))
    return mounted(inner, "in-image"), [inner]


def swap_file() -> tuple[str, list[str]]:
    """Swapping into a file of a filesystem."""
    one = loop("sf1")
    file = Path(mounted(one, "swap-file"), "swap")
    file.write_bytes(bytes(8 << 20))
    file.chmod(0o600)
    run("mkswap", str(file))
    run("swapon", str(file))
    return f"swap:{file}", [one]


def core_dumps() -> tuple[str, list[str]]:
    """Where the kernel writes what a crashed program held in memory."""
    one = loop("cd1")
    point = mounted(one, "cores")
    put("/proc/sys/kernel/core_pattern", f"{point}/core.%p")
    run("sh", "-c", "ulimit -c unlimited; cd /; sh -c 'kill -SEGV $$' || true")
    if not list(Path(point).glob("core.*")):
        raise RuntimeError("the kernel wrote no dump")
    return f"core-dump:{point}", [one]


STACKS: dict[str, tuple[str, Build]] = {
    "lvm-moved": ("dm_mod dm_mirror dm_log", lvm_moved),
    "raid5": ("md_mod raid456", raid5),
    "btrfs-grown": ("btrfs", btrfs_grown),
    "overlay": ("overlay", overlay),
    "file-on-raid": ("md_mod raid1", file_on_raid),
    "swap-file": ("loop", swap_file),
    "core-dumps": ("loop", core_dumps),
}
