"""Taking down what a benchmark set up: loop devices, mounts, folders, queue settings, control groups.

A loop device is ours when the file behind it is: by device and inode, which no renaming or deleting changes and which
are not used again while the loop device holds the file. Idempotent, so that the guardian can call it whatever happened.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from .shell import environment

_PATIENCE_S = 10.0
"""How long a device that is still being closed may take."""


@dataclass(frozen=True)
class Backing:
    """A file under a loop device, by what stays the same of it."""

    device: str
    """`major:minor` of its file system."""
    inode: int

    @classmethod
    def of(cls, path: Path) -> Self:
        """A file's."""
        status = path.stat()
        return cls(f"{os.major(status.st_dev)}:{os.minor(status.st_dev)}", status.st_ino)


def attached() -> dict[str, Backing]:
    """Every attached loop device of the host, by node, with the file behind it.

    One whose file is served by FUSE is missing once its server has ended: nobody can ask for the file any more.
    """
    done = subprocess.run(
        ("losetup", "--list", "--json", "--output", "NAME,BACK-MAJ:MIN,BACK-INO"),
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
    )
    listed = json.loads(done.stdout or "{}").get("loopdevices", [])
    told = ((each["name"], each["back-maj:min"], each["back-ino"]) for each in listed)
    return {name: Backing(str(number).strip(), int(inode)) for name, number, inode in told if number and inode}


def loops_over(files: Iterable[Backing]) -> list[str]:
    """Nodes of the loop devices over these files."""
    ours = set(files)
    return [node for node, backing in attached().items() if backing in ours]


def detach(node: str, backing: Backing) -> str | None:
    """Detach a loop device if this file is behind it; wait until it is free. Returns what went wrong."""
    deadline = time.monotonic() + _PATIENCE_S
    while attached().get(node) == backing:
        done = subprocess.run(
            ("losetup", "--detach", node), capture_output=True, text=True, check=False, env=environment()
        )
        if time.monotonic() > deadline:
            return f"{node} is still attached: {done.stderr.strip() or 'it is in use'}"
        time.sleep(0.02)
    return None


def unmount_below(folder: Path) -> list[str]:
    """Unmount every file system mounted below `folder`, the deepest first. Returns what went wrong."""
    prefix = f"{folder.resolve()}/"
    points = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    problems = []
    for point in sorted((p for p in points if p.startswith(prefix)), reverse=True):
        done = subprocess.run(
            ("umount", "--lazy", point), capture_output=True, text=True, check=False, env=environment()
        )
        if done.returncode:
            problems.append(f"{point}: {done.stderr.strip()}")
    return problems


def restore_queue(node: str, setting: str, value: str, files: Iterable[Backing]) -> str | None:
    """Give a loop device's queue setting its old value, as long as the device is still ours."""
    if node not in loops_over(files):
        return None
    try:
        Path(f"/sys/block/{Path(node).name}/queue/{setting}").write_text(value)
    except OSError as error:
        return f"{node}: {setting} could not be set back to {value}: {error.strerror}"
    return None


def remove_group(group: Path) -> str | None:
    """Remove an empty control group; waits for its last process."""
    deadline = time.monotonic() + _PATIENCE_S
    while group.is_dir():
        try:
            group.rmdir()
        except OSError as error:
            if time.monotonic() > deadline:
                return f"{group}: {error.strerror}"
            time.sleep(0.02)
    return None


def remove_folder(folder: Path) -> list[str]:
    """Unmount and delete everything below `folder`, and the folder. Returns what went wrong.

    Backing files are deleted even where a device stays attached: it then frees them when it is closed.
    """
    problems = unmount_below(folder)
    if not os.path.ismount(folder):
        shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        problems.append(f"{folder} could not be removed")
    return problems
