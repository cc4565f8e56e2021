"""Caches, thin pools and integrity: what LVM's own tools, cryptsetup and bcache build of several disks for one volume."""

from __future__ import annotations

from pathlib import Path

from tests.lab.guest.lineage_pools import LVM, group
from tests.lab.guest.lineage_tools import FOLDER, Build, folder, heard, loop, mounted, put, run, until

BUCKETS = ("--bucket", "64k")
"""Small enough for these disks: the kernel takes no cache of fewer than 513 of them."""


def bcache() -> tuple[str, list[str]]:
    """A slow disk with a fast one before it; the fast one is let go, and another takes its place."""
    slow, old, new = loop("bc1"), loop("bc2"), loop("bc3")
    run("make-bcache", *BUCKETS, "-B", slow, "-C", old, "--writeback")
    for node in (slow, old):
        _register(node)
    made = Path("/sys/block/bcache0/bcache")
    until((made / "cache").exists, "the cache is attached")
    run("udevadm", "settle", "-t", "30")
    point = mounted("/dev/bcache0", "bcache")
    put(str(made / "detach"), "1")
    until(lambda: not (made / "cache").exists(), "the old cache is written back and let go")
    run("make-bcache", *BUCKETS, "-C", new)
    _register(new)
    name = Path(new).name
    put(str(made / "attach"), Path(f"/sys/block/{name}/bcache/set").resolve().name)
    return point, [slow, new]


def _register(node: str) -> None:
    """As bcache's rule for udev does it, which this host may not have."""
    if not Path(f"/sys/block/{Path(node).name}/bcache").exists():
        put("/sys/fs/bcache/register", node)


def lvm_thin() -> tuple[str, list[str]]:
    """A thin volume of LVM and a thin snapshot of it; the pool's metadata are on another disk."""
    data, meta = loop("lt1"), loop("lt2")
    group("vgth", data, meta)
    run("lvcreate", *LVM, "-L", "28m", "-n", "pool", "vgth", data)
    run("lvcreate", *LVM, "-L", "4m", "-n", "meta", "vgth", meta)
    run("lvconvert", "-q", "-y", "-Zn", "--type", "thin-pool", "--poolmetadata", "meta", "--poolmetadataspare", "n",
        "vgth/pool")  # fmt: skip
    run("lvcreate", "-q", "-y", "-V", "64m", "--thin", "-n", "crm", "vgth/pool")
    point = mounted("/dev/vgth/crm", "lvm-thin")
    run("lvcreate", "-q", "-y", "-s", "-n", "kept", "vgth/crm")
    return point, [data, meta]


def lvm_cache() -> tuple[str, list[str]]:
    """A volume of LVM with a cache before it, put there while it is in use."""
    slow, fast = loop("lc1"), loop("lc2")
    group("vgca", slow, fast)
    run("lvcreate", *LVM, "-L", "24m", "-n", "crm", "vgca", slow)
    point = mounted("/dev/vgca/crm", "lvm-cache")
    run("lvcreate", "-q", "-y", "--type", "cache-pool", "--poolmetadataspare", "n", "-L", "16m", "-n", "fast",
        "vgca", fast)  # fmt: skip
    with heard("a cache is put before a volume"):
        run("lvconvert", "-q", "-y", "-Zn", "--type", "cache", "--cachepool", "vgca/fast", "vgca/crm")
    return point, [slow, fast]


def lvm_writecache() -> tuple[str, list[str]]:
    """A volume of LVM whose writes go to another disk first."""
    slow, fast = loop("lw1"), loop("lw2")
    group("vgwc", slow, fast)
    run("lvcreate", *LVM, "-L", "24m", "-n", "crm", "vgwc", slow)
    run("lvcreate", *LVM, "-an", "-L", "16m", "-n", "fast", "vgwc", fast)
    run("lvconvert", "-q", "-y", "--type", "writecache", "--cachevol", "fast", "vgwc/crm")
    return mounted("/dev/vgwc/crm", "lvm-writecache"), [slow, fast]


def lvm_integrity() -> tuple[str, list[str]]:
    """A RAID-1 of LVM, each leg of which notices by itself what was altered; a third disk of the group holds nothing of it."""
    one, two, other = loop("li1"), loop("li2"), loop("li3")
    group("vgin", one, two, other)
    run("lvcreate", *LVM, "--type", "raid1", "-m", "1", "--raidintegrity", "y", "-L", "8m", "-n", "crm", "vgin", one,
        two)  # fmt: skip
    return mounted("/dev/vgin/crm", "lvm-integrity"), [one, two]


def luks_integrity() -> tuple[str, list[str]]:
    """LUKS that authenticates what it encrypts: dm-crypt on dm-integrity."""
    one = loop("ci1", 8)
    key = FOLDER / "key-integrity"
    key.write_text("secret")
    quick = ("--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000", "--luks2-keyslots-size", "1m")
    run("cryptsetup", "luksFormat", "-q", "--type", "luks2", *quick, "--integrity", "hmac-sha256", one, str(key))
    run("cryptsetup", "open", "--key-file", str(key), one, "sealed")
    return mounted("/dev/mapper/sealed", "luks-integrity"), [one]


def journal() -> tuple[str, list[str]]:
    """A filesystem that keeps its journal on another disk."""
    one, two = loop("ej1"), loop("ej2", 8)
    run("mkfs.ext4", "-q", "-F", "-O", "journal_dev", "-b", "4096", two)
    run("mkfs.ext4", "-q", "-F", "-b", "4096", "-J", f"device={two}", one)
    run("mount", "-t", "ext4", one, point := folder("journal"))
    return point, [one, two]


STACKS: dict[str, tuple[str, Build]] = {
    "bcache": ("bcache", bcache),
    "lvm-thin": ("dm_mod dm_thin_pool", lvm_thin),
    "lvm-cache": ("dm_mod dm_cache dm_cache_smq", lvm_cache),
    "lvm-writecache": ("dm_mod dm_writecache", lvm_writecache),
    "lvm-integrity": ("dm_mod dm_raid raid1 dm_integrity crc32c_generic", lvm_integrity),
    "luks-integrity": ("dm_mod dm_crypt dm_integrity aes_generic xts hmac sha256_generic authenc", luks_integrity),
    "journal": ("ext4", journal),
}
