"""What the demonstration needs from the machine, and the exact words when it is missing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

TOOLS = {
    "losetup": "util-linux",
    "partx": "util-linux",
    "sfdisk": "fdisk",
    "mkfs.ext4": "e2fsprogs",
    "mount": "mount",
    "umount": "mount",
}


def missing() -> list[str]:
    """Everything that is missing, each with what to do; empty when the story can be told."""
    lacks = []
    if os.geteuid() != 0:
        lacks.append("root: the scratch disk is a real block device. Run it as root:  sudo make run")
    if not Path("/dev/loop-control").exists():
        lacks.append("loop devices: /dev/loop-control is not there. Try  modprobe loop  (containers need it passed in)")
    lacks += [
        f"the command {tool}: install it with  apt-get install {package}"
        for tool, package in TOOLS.items()
        if shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") is None
    ]
    return lacks
