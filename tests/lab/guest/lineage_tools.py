"""What the builders of storage stacks share: commands, disks over files, mounts. Runs in the guest, as root."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from agents.hotplug import HotPlug

FOLDER = Path("/run/stacks")
MIB = 1 << 20
PATIENCE = 60.0

HELD: list[object] = []
"""Daemons and open databases; they end with this process."""

Build = Callable[[], tuple[str, list[str]]]
"""Builds a stack; gives the path on it, and the disks its bytes lie on, said by hand."""


def run(*line: str) -> str:
    """A command that must succeed."""
    with tempfile.TemporaryFile("w+") as said:  # no pipe: what stays behind would hold it open
        done = subprocess.run(line, stdin=subprocess.DEVNULL, stdout=said, stderr=said, check=False)
        said.seek(0)
        text = said.read().strip()
    if done.returncode:
        raise RuntimeError(f"{' '.join(line)}: {text}")
    return text


def put(file: str, *words: str) -> None:
    """Write into a file of the kernel, one write a word."""
    for word in words:
        Path(file).write_text(word, encoding="ascii")


def until(true: Callable[[], bool], what: str) -> None:
    """Wait for something that must happen."""
    end = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > end:
            raise RuntimeError(f"it did not happen: {what}")
        time.sleep(0.05)


@contextmanager
def heard(what: str) -> Iterator[None]:
    """What is done now, an agent that listens hears of by itself: no look every ten minutes is waited for."""
    run("udevadm", "settle", "-t", "30")
    told = threading.Event()
    listening = HotPlug(told.set)
    listening.start()
    try:
        yield
        until(told.is_set, f"the agent hears that {what}")
    finally:
        listening.stop()


def loop(name: str, mib: int = 40) -> str:
    """A loop device over a new file."""
    file = FOLDER / f"{name}.img"
    with file.open("wb") as opened:
        opened.truncate(mib * MIB)
    return run("losetup", "--show", "-f", str(file))


def sectors(node: str) -> int:
    """Size in sectors."""
    return int(run("blockdev", "--getsz", node))


def table(name: str, text: str) -> str:
    """A device-mapper device."""
    run("dmsetup", "create", name, "--table", text)
    return f"/dev/mapper/{name}"


def folder(name: str) -> str:
    """An empty folder."""
    made = FOLDER / name
    made.mkdir(parents=True)
    return str(made)


def mounted(node: str, name: str, kind: str = "ext4") -> str:
    """A filesystem on a node, mounted."""
    if kind == "ext4":
        run("mkfs.ext4", "-q", "-F", node)
    point = folder(name)
    run("mount", "-t", kind, node, point)
    return point


def running(*line: str, log: str, **more: object) -> subprocess.Popen[bytes]:
    """A process that stays."""
    with Path(log).open("wb") as out:
        return subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=dict(os.environ), **more)  # type: ignore[call-overload, no-any-return]


def stop() -> None:
    """End the processes that were begun."""
    for held in HELD:
        if isinstance(held, subprocess.Popen):
            held.terminate()
