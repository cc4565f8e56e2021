"""Builds every stack of storage this kernel offers on loop devices, and prints what the product finds beneath each, as JSON.

Runs in the guest, as root, with the checkout on its path. Each stack names the loop devices its bytes lie on, by hand.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import sanitizer
from agents.clock import SystemClock
from agents.databases import data_folders, is_sqlite_file, running
from agents.discovery import observe
from agents.engine import HERE
from agents.lamps import Lamps
from sanitizer import PathResolution
from tests.lab.guest import lineage_databases, lineage_far, lineage_layers, lineage_pools, lineage_targets
from tests.lab.guest.lineage_tools import FOLDER, Build, loop, mounted, run, sectors, stop, table


def raid_crypt_lvm() -> tuple[str, list[str]]:
    """LVM on LUKS on RAID-1; then one member is replaced by a third disk."""
    one, two, new = loop("r1"), loop("r2"), loop("r3")
    run("mdadm", "-q", "--create", "/dev/md50", "--run", "--level=1", "--raid-devices=2", "--metadata=1.2", one, two)
    key = FOLDER / "key"
    key.write_text("secret")
    run(
        "cryptsetup", "luksFormat", "-q", "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000", "/dev/md50", str(key)
    )
    run("cryptsetup", "open", "--key-file", str(key), "/dev/md50", "ledger")
    run("pvcreate", "-q", "-y", "/dev/mapper/ledger")
    run("vgcreate", "-q", "-y", "vgr", "/dev/mapper/ledger")
    run("lvcreate", "-q", "-y", "-Zn", "-Wn", "-l", "100%FREE", "-n", "crm", "vgr")
    point = mounted("/dev/vgr/crm", "raid")
    before = sanitizer.resolve_path(point)
    if set(before.devices) != {one, two}:
        raise RuntimeError(f"before the swap: {before}")
    run("mdadm", "-q", "/dev/md50", "--add", new)
    run("mdadm", "-q", "/dev/md50", "--fail", two)
    run("mdadm", "-q", "/dev/md50", "--remove", two)
    return point, [one, new]


def lvm_snapshot() -> tuple[str, list[str]]:
    """A volume, and a snapshot of it that keeps what it held on another disk."""
    one, two = loop("s1"), loop("s2")
    run("pvcreate", "-q", "-y", one, two)
    run("vgcreate", "-q", "-y", "vgs", one, two)
    run("lvcreate", "-q", "-y", "-Zn", "-Wn", "-L", "16m", "-n", "crm", "vgs", one)
    run("lvcreate", "-q", "-y", "-s", "-L", "8m", "-n", "kept", "vgs/crm", two)
    return mounted("/dev/vgs/crm", "snapshot"), [one, two]


def lvm_mirror() -> tuple[str, list[str]]:
    """An LVM RAID-1 volume."""
    one, two = loop("m1"), loop("m2")
    run("pvcreate", "-q", "-y", one, two)
    run("vgcreate", "-q", "-y", "vgm", one, two)
    run("lvcreate", "-q", "-y", "-Zn", "-Wn", "--type", "raid1", "-m", "1", "-L", "16m", "-n", "crm", "vgm")
    return mounted("/dev/vgm/crm", "mirror"), [one, two]


def thin() -> tuple[str, list[str]]:
    """A thin volume with its metadata on another disk."""
    data, meta = loop("t1"), loop("t2", 8)
    run("dd", "if=/dev/zero", f"of={meta}", "bs=4096", "count=1")
    table("tpool", f"0 {sectors(data)} thin-pool {meta} {data} 128 0")
    run("dmsetup", "message", "/dev/mapper/tpool", "0", "create_thin 0")
    return mounted(table("tvol", "0 65536 thin /dev/mapper/tpool 0"), "thin"), [data, meta]


def cache() -> tuple[str, list[str]]:
    """A volume with a cache before it."""
    origin, fast, meta = loop("c1"), loop("c2"), loop("c3", 8)
    run("dd", "if=/dev/zero", f"of={meta}", "bs=4096", "count=1")
    made = table("cached", f"0 {sectors(origin)} cache {meta} {fast} {origin} 512 1 writeback default 0")
    return mounted(made, "cache"), [origin, fast, meta]


def integrity() -> tuple[str, list[str]]:
    """dm-integrity beneath a filesystem."""
    one = loop("i1")
    run("integritysetup", "format", "-q", one)
    run("integritysetup", "open", one, "whole")
    return mounted("/dev/mapper/whole", "integrity"), [one]


def btrfs() -> tuple[str, list[str]]:
    """A btrfs over two disks, of which one is replaced."""
    one, two, new = loop("b1", 300), loop("b2", 300), loop("b3", 300)
    run("mkfs.btrfs", "-q", "-f", "-m", "raid1", "-d", "raid1", one, two)
    run("btrfs", "device", "scan", one, two)
    point = mounted(one, "btrfs", "btrfs")
    run("btrfs", "replace", "start", "-B", "-f", two, new, point)
    return point, [one, new]


def multipath() -> tuple[str, list[str]]:
    """Two ways to one disk."""
    one, two = loop("p1"), loop("p2")
    text = f"0 {sectors(one)} multipath 0 0 2 1 round-robin 0 1 1 {one} 1000 round-robin 0 1 1 {two} 1000"
    return mounted(table("mpatha", text), "multipath"), [one, two]


def bind() -> tuple[str, list[str]]:
    """A bind mount of a folder on a partition."""
    one = loop("n1")
    subprocess.run(["sfdisk", "-q", one], input="2048,\n", text=True, check=True)
    run("partx", "-u", one)
    inner = mounted(f"{one}p1", "inner")
    Path(inner, "crm").mkdir()
    point = FOLDER / "bound"
    point.mkdir()
    run("mount", "--bind", f"{inner}/crm", str(point))
    return str(point), [one]


def swap() -> tuple[str, list[str]]:
    """Encrypted swap: found without a path."""
    one = loop("w1")
    table("cswap", f"0 {sectors(one)} linear {one} 0")
    run("mkswap", "/dev/mapper/cswap")
    run("swapon", "/dev/mapper/cswap")
    return "swap:/dev/dm-" + Path("/dev/mapper/cswap").resolve().name.removeprefix("dm-"), [one]


STACKS: dict[str, tuple[str, Build]] = {
    "raid-luks-lvm": ("md_mod raid1 dm_mod dm_crypt xts aes_generic", raid_crypt_lvm),
    "lvm-snapshot": ("dm_mod dm_snapshot", lvm_snapshot),
    "lvm-mirror": ("dm_mod dm_raid raid1 dm_mirror", lvm_mirror),
    "thin": ("dm_mod dm_thin_pool", thin),
    "cache": ("dm_mod dm_cache dm_cache_smq", cache),
    "integrity": ("dm_mod dm_integrity crc32c_generic", integrity),
    "btrfs": ("btrfs", btrfs),
    "multipath": ("dm_mod dm_multipath dm_round_robin", multipath),
    "bind": ("loop", bind),
    "swap": ("dm_mod", swap),
    **lineage_pools.STACKS,
    **lineage_layers.STACKS,
    **lineage_far.STACKS,
    **lineage_targets.STACKS,
    **lineage_databases.STACKS,
}


def asked(path: str) -> list[PathResolution]:
    """What the product finds: beneath a path, or of its own accord in an area of memory or for a running database."""
    kind, _, places = path.rpartition(":")
    if not kind:
        return [sanitizer.resolve_path(path)]
    if kind in {"swap", "core-dump"}:
        return [area.found for area in sanitizer.memory_areas() if (area.kind, area.found.path) == (kind, places)]
    folders = [each for each in data_folders(running(), is_sqlite_file) if each.kind == kind]
    wanted = places.split(",")
    return [sanitizer.resolve_path_of(each.pid, each.path) for each in folders if each.path in wanted]


def told(name: str) -> dict[str, object]:
    """One stack: what was built, and what the product found beneath."""
    modules, build = STACKS[name]
    began = time.monotonic()
    try:
        run("modprobe", "-a", *modules.split())
        path, expected = build()
        run("udevadm", "settle", "-t", "30")
        found = asked(path)
    except (RuntimeError, subprocess.SubprocessError, OSError, StopIteration) as error:
        return {"failed": repr(error)}
    return {
        "expected": sorted(expected),
        "found": sorted(device for one in found for device in one.devices),
        "unresolved": [text for one in found for text in one.unresolved],
        "carriers": [text for one in found for text in one.carriers],
        "steps": [[step.above, step.below, step.how] for one in found for step in one.steps],
        "seconds": round(time.monotonic() - began, 1),
    }


def lamps_of(serial: str) -> list[str]:
    """What the lamp of this drive's slot shows for each sign; after that it is put out."""
    devices = observe(HERE, (), SystemClock()).devices
    fingerprint = next(
        each.identity.fingerprint for each in devices if each.identity and each.identity.serial == serial
    )
    lamps, shown = Lamps(), []
    lamps.see(devices, 0.0)
    for sign in ("pull", "failed", "pull", ""):
        lamps.told({fingerprint: sign}, 0.0)
        shown += [file.read_text().strip() for file in Path("/sys/bus/pci/slots").glob("*/attention")]
    return shown


def main() -> None:
    """All of them, or those named."""
    FOLDER.mkdir(exist_ok=True)
    run("modprobe", "-a", "loop", "ext4")
    found = {name: told(name) for name in sys.argv[1:] or STACKS}
    found["lamps"] = {"shown": lamps_of("LABBAY1")}
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()
    stop()


main()
