"""Taking down what a benchmark set up: loop devices, mounts, folders, queue settings, control groups.

Every function here acts only below folders the benchmark made: a loop device is ours when its backing file is.
Standard library only and idempotent, so that the guardian can call it whatever happened before.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from .shell import environment

_PATIENCE_S = 10.0
"""How long a device that is still being closed may take."""


def _loop_backings() -> Iterator[tuple[Path, str]]:
    """Every attached loop device of the host with the name of its backing file."""
    for entry in Path("/sys/block").glob("loop*"):
        try:
            yield entry, (entry / "loop" / "backing_file").read_text().rstrip("\n").removesuffix(" (deleted)")
        except OSError:
            continue  # not attached, or gone between the listing and the reading


def loops_below(folder: Path) -> list[str]:
    """Nodes of the loop devices whose backing file lies below `folder`."""
    prefix = f"{folder.resolve()}/"
    return [f"/dev/{entry.name}" for entry, backing in _loop_backings() if backing.startswith(prefix)]


def backing_of(node: str) -> str | None:
    """The backing file of a loop device, None when it is not attached."""
    return next((backing for entry, backing in _loop_backings() if entry.name == Path(node).name), None)


def detach(node: str, folder: Path) -> str | None:
    """Detach a loop device if its backing file is below `folder`; wait until it is free. Returns what went wrong."""
    deadline = time.monotonic() + _PATIENCE_S
    while node in loops_below(folder):
        done = subprocess.run(
            ("losetup", "--detach", node), capture_output=True, text=True, check=False, env=environment()
        )
        if time.monotonic() > deadline:
            return f"{node} is still attached to a file in {folder}: {done.stderr.strip() or 'it is in use'}"
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


def restore_queue(node: str, setting: str, value: str, folder: Path) -> str | None:
    """Give a loop device's queue setting its old value, as long as the device is still ours."""
    if node not in loops_below(folder):
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
    """Detach, unmount and delete everything below `folder`, and the folder. Returns what went wrong.

    Backing files are deleted even where a device stays attached: it then frees them when it is closed.
    """
    problems = [problem for node in loops_below(folder) if (problem := detach(node, folder))]
    problems += unmount_below(folder)
    if not os.path.ismount(folder):
        shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        problems.append(f"{folder} could not be removed")
    return problems
