"""Stacks that leave this host, and databases that run: both sides of each network are in the guest, over its loopback.

Tools that this machine does not have are unpacked by `tools/bootstrap lab` and found through the path.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from tests.lab.guest.lineage_tools import HELD, MIB, Build, folder, heard, loop, mounted, run, running, until


def nbd() -> tuple[str, list[str]]:
    """A network block device."""
    image = Path(folder("nbd-store"), "disk.img")
    with image.open("wb") as opened:
        opened.truncate(20 * MIB)
    socket = "/run/nbd.sock"
    daemon = running(
        "qemu-storage-daemon",
        *("--blockdev", f"driver=file,node-name=disk,filename={image}"),
        *("--nbd-server", f"addr.type=unix,addr.path={socket}"),
        *("--export", "type=nbd,id=crm,node-name=disk,name=crm,writable=on"),
        log="/run/nbd.log",
    )
    HELD.append(daemon)
    until(Path(socket).exists, "the server of the network block device")
    run("nbd-client", "-unix", socket, "/dev/nbd0", "-name", "crm")
    return mounted("/dev/nbd0", "nbd"), []


def nfs() -> tuple[str, list[str]]:
    """A folder of another machine over NFS."""
    behind = mounted(loop("nf1"), "exported")
    Path("/etc/exports").write_text(f"{behind} 127.0.0.1(rw,fsid=0,no_root_squash,insecure,no_subtree_check)\n")
    Path("/var/lib/nfs/v4recovery").mkdir(parents=True, exist_ok=True)
    for name in ("etab", "rmtab"):
        Path("/var/lib/nfs", name).touch()
    if not os.path.ismount("/proc/fs/nfsd"):
        run("mount", "-t", "nfsd", "nfsd", "/proc/fs/nfsd")
    run("exportfs", "-a")
    HELD.append(running("rpc.mountd", "-F", "-N", "2", "-N", "3", log="/run/mountd.log"))
    run("rpc.nfsd", "-N", "3", "1")
    point = folder("nfs")
    run("mount", "-i", "-t", "nfs4", "-o", "addr=127.0.0.1,clientaddr=127.0.0.1,vers=4.2", "127.0.0.1:/", point)
    return point, []


def zfs() -> tuple[str, list[str]]:
    """A mirror of ZFS, one device of which is replaced; by the driver outside the kernel, which Debian has ready to run."""
    one, two, new = (loop(f"zf{number}", 80) for number in range(3))
    for place in ("/var/run/zfs", "/var/lib/zfs", "/etc/zfs"):
        Path(place).mkdir(parents=True, exist_ok=True)
    HELD.append(running("zfs-fuse", "-n", log="/run/zfs-fuse.log"))
    until(Path("/var/run/zfs/zfs_socket").exists, "the socket of zfs-fuse")
    run("zpool", "create", "-f", "tank", "mirror", one, two)
    run("zfs", "create", "tank/crm")
    Path("/tank/crm/customers").write_bytes(bytes(1 << 20))
    with heard("a device of a pool is replaced"):
        run("zpool", "replace", "-f", "tank", two, new)
    until(lambda: two not in run("zpool", "status", "tank"), "the old device is let go")
    return "/tank/crm", [one, two, new]  # what was let go still bears a label: it held the pool's data


def sqlite() -> tuple[str, list[str]]:
    """A program with an SQLite database open: this one."""
    one = loop("sq1")
    point = mounted(one, "sq")
    opened = sqlite3.connect(f"{point}/crm.db")
    opened.execute("CREATE TABLE customer (name TEXT)")
    opened.commit()
    HELD.append(opened)
    return f"sqlite:{point}/crm.db", [one]


STACKS: dict[str, tuple[str, Build]] = {
    "nbd": ("nbd", nbd),
    "nfs": ("nfsd nfsv4", nfs),
    "zfs": ("fuse", zfs),
    "sqlite": ("loop", sqlite),
}
