"""Where this host writes what its processes hold in memory: swap areas, and the folders of core and crash dumps. Pure.

No path leads there, and no application asked for it. So everything a host works with may lie there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .facts import HostFacts, SwapArea
from .lineage import Beneath, Walk, mount_of

_HANDLERS = {
    "systemd-coredump": ("/var/lib/systemd/coredump",),
    "apport": ("/var/crash",),
    "abrt-hook-ccpp": ("/var/spool/abrt", "/var/tmp/abrt"),  # noqa: S108 - where that program writes
}
_KERNEL_DUMPS = "/var/crash"


@dataclass(frozen=True, kw_only=True)
class Area:
    """One place where memory is written to."""

    kind: str
    """swap, core-dump."""
    path: str
    beneath: Beneath


def areas_of(facts: HostFacts, core_pattern: str | None, real: Callable[[str], str | None]) -> tuple[Area, ...]:
    """Every such place with what lies beneath.

    Args:
        facts: One look at the host.
        core_pattern: /proc/sys/kernel/core_pattern; None where it could not be read.
        real: A folder with its links followed; None where there is no such folder.
    """
    return (*_swaps(facts), *_dumps(facts, core_pattern, real))


def _swaps(facts: HostFacts) -> Iterator[Area]:
    if facts.swaps is None:
        yield _unknown(facts, "swap", "swap", "the swap areas of this host could not be read")
    for area in facts.swaps or ():
        yield _swap(facts, area)


def _swap(facts: HostFacts, area: SwapArea) -> Area:
    walk = Walk(facts)
    if area.kind == "file":
        mount = mount_of(facts, area.path)
        if mount is None:
            walk.lost(f"swap file {area.path} is out of sight here")
        else:
            walk.took(area.path, mount.mount_point, "the list of swap areas, and the mount table")
            walk.mount(mount)
    else:
        node = None if area.device_number is None else facts.node_by_number(area.device_number)
        if node is None:
            walk.lost(f"swap area {area.path} is no block device seen here")
        else:
            walk.took(area.path, node.name, "the list of swap areas")
            walk.node(node)
    return Area(kind="swap", path=area.path, beneath=walk.result())


def _dumps(facts: HostFacts, pattern: str | None, real: Callable[[str], str | None]) -> Iterator[Area]:
    folders: dict[str, None] = {}
    if pattern is None:
        yield _unknown(facts, "core-dump", "core dumps", "where core dumps are written could not be read")
    elif pattern.startswith("|"):
        program = pattern[1:].split(" ", 1)[0]
        known = _HANDLERS.get(program.rsplit("/", 1)[-1])
        if known is None and program.rsplit("/", 1)[-1] not in {"false", "true"}:
            words = f"core dumps are handed to {program}, and where it writes them is not known"
            yield _unknown(facts, "core-dump", "core dumps", words)
        folders.update(dict.fromkeys(known or ()))
    elif pattern.startswith("/"):
        folders[pattern.rsplit("/", 1)[0].split("%", 1)[0] or "/"] = None
    folders[_KERNEL_DUMPS] = None
    for folder in folders:
        place = real(folder)
        if place is None:
            continue  # a folder that is not there holds nothing
        walk = Walk(facts)
        mount = mount_of(facts, place)
        if mount is None:
            walk.lost(f"{folder} is out of sight here")
        else:
            walk.took(folder, mount.mount_point, "the kernel's pattern of core dumps, and the mount table")
            walk.mount(mount)
        yield Area(kind="core-dump", path=folder, beneath=walk.result())


def _unknown(facts: HostFacts, kind: str, path: str, words: str) -> Area:
    walk = Walk(facts)
    walk.lost(words)
    return Area(kind=kind, path=path, beneath=walk.result())
