"""The peers: which of them are here, and the commands that make each do a job as its manual recommends."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .bed import MIB, Device
from .case import Case, Command, Stages
from .shell import environment, find

BLOCK = 4 * MIB
"""Block size for dd: large enough that its system calls do not count."""

NWIPE_STREAMS = ("splitmix64", "chacha20", "isaac64")
"""Random streams measured, as far as a version has them: its fastest, its modern cipher, the one old versions share."""

DIRECT_NWIPE = (0, 40)
"""nwipe opens devices with O_DIRECT from this version on; older ones write blocks of 512 bytes through the page cache."""


@dataclass(frozen=True)
class Tool:
    """A peer found on this host."""

    name: str
    path: str
    version: str
    options: frozenset[str] = field(default_factory=frozenset)
    """Words of its help text that decide how it is called."""

    @property
    def label(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}"

    @property
    def number(self) -> tuple[int, ...]:
        """The version for comparing."""
        return tuple(int(part) for part in re.findall(r"\d+", self.version)[:3])


@dataclass(frozen=True)
class Peers:
    """What was found, and what was looked for in vain with the reason."""

    found: tuple[Tool, ...]
    missing: tuple[tuple[str, str], ...]

    def get(self, name: str) -> Tool | None:
        """The tool of this name, the newest if there are several."""
        return max((t for t in self.found if t.name == name), key=lambda t: t.number, default=None)

    def all(self, name: str) -> tuple[Tool, ...]:
        """Every version of a tool, oldest first."""
        return tuple(sorted((t for t in self.found if t.name == name), key=lambda t: t.number))


PACKAGES = {"dd": "coreutils", "shred": "coreutils", "cmp": "diffutils", "fio": "fio", "nwipe": "nwipe"}
"""Debian package of each peer; cmp is dd's way of reading back."""


def find_peers(more_nwipes: Sequence[Path] = ()) -> Peers:
    """Look for every peer on the search path, and for further builds of nwipe where a person says."""
    found: list[Tool] = []
    missing: list[tuple[str, str]] = []
    for name, package in PACKAGES.items():
        path = find(name)
        if path is None:
            missing.append((name, f"not installed (Debian package {package})"))
        else:
            _add(name, path, found, missing)
    for build in more_nwipes:
        _add("nwipe", str(build.resolve()), found, missing)
    return Peers(tuple(found), tuple(missing))


def _add(name: str, path: str, found: list[Tool], missing: list[tuple[str, str]]) -> None:
    try:
        version = _output(path, "--version") if name != "nwipe" else _output(path, "-V")
        words = _words(_output(path, "--help")) if name == "nwipe" else frozenset[str]()
    except OSError as error:
        missing.append((name, f"{path} does not start: {error.strerror}"))
        return
    number = re.search(r"\d+(\.\d+)+", version)
    if number is None:
        missing.append((name, f"{path} tells no version"))
    elif all(tool.version != number[0] or tool.name != name for tool in found):
        found.append(Tool(name, path, number[0], words))


def _output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment(), timeout=20)
    return done.stdout + done.stderr


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[A-Za-z][A-Za-z0-9_]+", re.sub(r"\x1b\[[0-9;]*m", "", text)))


# --- how each is called ------------------------------------------------------------------------------------------


def _each(command: Sequence[str], devices: Sequence[Device]) -> list[Command]:
    """One process a device; `{node}`, `{size}` and `{blocks}` stand for the device's facts."""
    return [tuple(part.format(node=d.node, size=d.size, blocks=d.size // BLOCK) for part in command) for d in devices]


def dd(tool: Tool, source: str) -> Case:
    """Dd with O_DIRECT and a flush at the end, from /dev/zero or /dev/urandom."""
    command = (
        tool.path, f"if=/dev/{source}", "of={node}", "bs=4M", "iflag=fullblock", "oflag=direct", "conv=fdatasync",
        "count={blocks}",
    )  # fmt: skip
    return Case(f"dd-{source}", f"dd if=/dev/{source} bs=4M direct", lambda devices: [_each(command, devices)])


def dd_buffered(tool: Tool) -> Case:
    """Dd as most people type it: through the page cache."""
    command = (tool.path, "if=/dev/zero", "of={node}", "bs=4M", "conv=fdatasync", "count={blocks}")
    return Case(
        "dd-buffered",
        "dd if=/dev/zero bs=4M fdatasync",
        lambda devices: [_each(command, devices)],
        note="dd without oflag=direct fills the page cache first, so its span is its wall time",
        buffered=True,
    )


def dd_cmp(dd_tool: Tool, cmp_tool: Tool) -> Case:
    """Dd for writing and cmp for reading back."""
    write = dd(dd_tool, "zero").stages
    compare = (cmp_tool.path, "-n", "{size}", "/dev/zero", "{node}")
    return Case(
        "dd-cmp",
        "dd zero direct, then cmp",
        lambda devices: [*write(devices), _each(compare, devices)],
        reads=1,
        note="cmp reads through the page cache, so part of what it compares never left memory",
    )


def shred(tool: Tool, *, random: bool) -> Case:
    """Shred with one pass: random data, or zeros only."""
    passes = ("-n1",) if random else ("-n0", "-z")
    command = (tool.path, *passes, "{node}")
    return Case(
        "shred-random" if random else "shred-zero",
        f"shred {' '.join(passes)}",
        lambda devices: [_each(command, devices)],
    )


def nwipe(tool: Tool, method: str, *, verify: bool, stream: str | None = None) -> Case:
    """Nwipe without its menus, one pass, no final blanking."""
    command = [
        tool.path, "--autonuke", "--nogui", "--nowait", "--noblank", f"--method={method}",
        f"--verify={'last' if verify else 'off'}",
    ]  # fmt: skip
    if "noPDF" in tool.options:
        command += ["-P", "noPDF"]
    if stream is not None:
        command.append(f"--prng={stream}")
    elif "manual" in tool.options:
        # Without a stream named, newer versions measure all of theirs for seven seconds first.
        command.append("--prng=default")
    name = stream or method
    return Case(
        f"nwipe-{name}" if tool.number >= DIRECT_NWIPE else f"nwipe-old-{name}",
        f"{tool.label} {name}{', verify=last' if verify else ''}",
        lambda devices: [[(*command, *(d.node for d in devices))]],
        reads=1 if verify else 0,
        note="" if tool.number >= DIRECT_NWIPE else f"{tool.label} writes through the page cache in small blocks",
    )


def nwipe_streams(tool: Tool, *, verify: bool) -> list[Case]:
    """One case for each random stream this version has."""
    return [nwipe(tool, "prng", verify=verify, stream=name) for name in NWIPE_STREAMS if name in tool.options]


def fio(tool: Tool, job: str) -> Case:
    """Fio at the depth and block size found best: the limit of what a process can get out of the devices.

    Args:
        tool: fio.
        job: zero, random, zero-verify or random-verify.
    """
    settings = {
        "zero": ("--zero_buffers",),
        "random": ("--refill_buffers",),
        "zero-verify": ("--verify=pattern", "--verify_pattern=0x00", "--verify_fatal=1"),
        "random-verify": ("--refill_buffers", "--verify=crc32c", "--verify_fatal=1"),
    }[job]
    common = (
        tool.path, "--rw=write", "--bs=8M", "--ioengine=libaio", "--iodepth=4", "--direct=1", "--end_fsync=1",
        "--allow_mounted_write=0", *settings,
    )  # fmt: skip

    def stages(devices: Sequence[Device]) -> Stages:
        jobs = [f"--name=j{n} --filename={d.node} --size={d.size}".split() for n, d in enumerate(devices)]
        return [[(*common, *(word for words in jobs for word in words))]]

    reads = 1 if job.endswith("verify") else 0
    return Case(f"fio-{job}", f"fio libaio 8M qd4 {job}", stages, reads=reads, note=_FIO_NOTES.get(job, ""))


_FIO_NOTES = {
    "random-verify": "fio checks a CRC-32C in each block; it does not know what the block held",
    "random": "fio's buffers come from a generator that is not cryptographic",
}
