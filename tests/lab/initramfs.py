"""The first root of the guest: busybox and a handful of modules, enough to mount the host's own root and leave."""

from __future__ import annotations

import stat
from pathlib import Path

from .kernel import Kernel, module_bytes

EARLY = ("virtio_pci", "9pnet_virtio", "9p", "overlay", "virtio_console")
"""Modules without which neither the root nor the command channel is there."""

FOLDERS = ("bin", "dev", "proc", "sys", "lower", "layer", "new", "mod")

INIT = r"""#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc proc /proc; $b mount -t sysfs sys /sys; $b mount -t devtmpfs dev /dev
for m in $($b cat /modules); do $b insmod /$m || echo "lab: insmod $m failed"; done
o=trans=virtio,version=9p2000.L,msize=262144
$b mount -t 9p -o ro,$o,cache=loose hostroot /lower || exec $b poweroff -f
$b mount -t tmpfs -o size=50% tmpfs /layer; $b mkdir /layer/upper /layer/work
$b mount -t overlay -o lowerdir=/lower,upperdir=/layer/upper,workdir=/layer/work root /new || exec $b poweroff -f
# The layers stay in sight: what looks for the disks beneath / finds memory and network, and no unknown.
$b mkdir -p /new/lab /new/lower /new/layer
$b mount --move /lower /new/lower; $b mount --move /layer /new/layer
$b mount -t 9p -o $o,cache=none share /new/lab || exec $b poweroff -f
for d in proc sys dev; do $b mount --move /$d /new/$d; done
exec $b switch_root /new /bin/sh /lab/boot/first
"""


def cpio(entries: list[tuple[str, int, bytes]]) -> bytes:
    """A `newc` archive of (name, mode, content)."""
    out = bytearray()
    for inode, (name, mode, content) in enumerate([*entries, ("TRAILER!!!", 0, b"")], 1):
        encoded = name.encode() + b"\0"
        fields = (inode, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(encoded), 0)
        out += b"070701" + b"".join(b"%08X" % value for value in fields) + encoded
        out += bytes(-len(out) % 4) + content
        out += bytes(-len(out) % 4)
    return bytes(out)


def initramfs(kernel: Kernel, busybox: Path = Path("/bin/busybox")) -> bytes:
    """The archive for this kernel."""
    entries = [(name, stat.S_IFDIR | 0o755, b"") for name in FOLDERS]
    entries.append(("bin/busybox", stat.S_IFREG | 0o755, busybox.read_bytes()))
    modules = [(f"mod/{path.name.split('.ko')[0]}.ko", path) for path in kernel.needed(EARLY)]
    entries += [(name, stat.S_IFREG | 0o644, module_bytes(path)) for name, path in modules]
    entries.append(("modules", stat.S_IFREG | 0o644, "\n".join(name for name, _ in modules).encode()))
    entries.append(("init", stat.S_IFREG | 0o755, INIT.encode()))
    return cpio(entries)
