"""Persistent memory as the kernel shows it (libnvdimm): on which modules a namespace lies, and whether it is all of them.

    /sys/block/pmem0/device      the namespace, or what was put on it: pfn (fsdax), btt (sector)
    ../region0/mapping0          module, start, length, position of each module the region is made of
    ../nmem0/nfit/id             the module's own name, unique in the world (ACPI, NVDIMM representation format)

A module has commands of its own to overwrite itself and to erase its keys. They are not sent here (`planning.order.NOT_SENT`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from .host import read_text

NODE = "pmem"
_MOST_MODULES = 64


@dataclass(frozen=True, kw_only=True)
class Persistent:
    """One block device of persistent memory."""

    serial: str | None
    """Names of the modules it lies on, and of the namespace where it has one; None where they are not all told."""
    vendor: str | None
    model: str | None
    firmware: str | None
    """Of the first module."""
    hidden: str
    """no: the device is all that its modules give; yes: it is not; unknown."""
    virtual: bool
    """Whether a hypervisor imitates it (virtio-pmem)."""


_NOTHING = Persistent(serial=None, vendor=None, model=None, firmware=None, hidden="unknown", virtual=False)


def persistent(folder: Path) -> Persistent:
    """What sysfs says of the device in this folder (`/sys/block/pmem0`). Never raises: what cannot be read is not known."""
    try:
        space = (folder / "device").resolve(strict=True)
    except OSError:
        return _NOTHING
    region = space.parent
    if not re.fullmatch(r"region\d+", region.name):
        return _NOTHING
    virtual = "/virtio" in str(region)
    mappings = _mappings(region)
    if mappings is None:
        return Persistent(serial=None, vendor=None, model=None, firmware=None, hidden="unknown", virtual=virtual)
    first = region.parent / mappings[0][0] / "nfit"
    return Persistent(
        serial=_serial(space, region, mappings),
        vendor=read_text(first / "vendor"),
        model=read_text(first / "device"),
        firmware=read_text(first / "rev_id"),
        hidden=_hidden(space, region, mappings),
        virtual=virtual,
    )


def _mappings(region: Path) -> tuple[tuple[str, int], ...] | None:
    """Module and start in it, for each module of a region; None where there is none, or not all are told."""
    try:
        count = int(read_text(region / "mappings") or "")
    except ValueError:
        return None
    found: list[tuple[str, int]] = []
    for number in range(min(count, _MOST_MODULES)):
        told = re.fullmatch(r"(nmem\d+),(\d+),\d+,\d+", read_text(region / f"mapping{number}") or "")
        if told is None:
            return None
        found.append((told[1], int(told[2])))
    return tuple(found) if 0 < count <= _MOST_MODULES else None


def _serial(space: Path, region: Path, mappings: tuple[tuple[str, int], ...]) -> str | None:
    """Module names, each with the start of its part where that is not its beginning; then the namespace's own name."""
    names: list[str] = []
    for module, start in mappings:
        name = read_text(region.parent / module / "nfit/id")
        if not name:
            return None
        names.append(f"{name}@{start:x}" if start else name)
    own = read_text(space / "uuid")
    return "+".join(names) + (f"/{own}" if own else "")


def _hidden(space: Path, region: Path, mappings: tuple[tuple[str, int], ...]) -> str:
    """Whether the modules hold more than this device shows: tables of the kernel, other namespaces, other regions."""
    if not space.name.startswith("namespace"):
        return "yes"  # pfn and btt keep tables of their own beside the data
    size, whole = read_text(space / "size"), read_text(region / "size")
    if not (size or "").isdigit() or not (whole or "").isdigit():
        return "unknown"
    modules = {module for module, _ in mappings}
    shared = False
    for other in sorted(region.parent.glob("region*")):
        if other.name == region.name:
            continue
        theirs = _mappings(other)
        if theirs is None and read_text(other / "mappings") != "0":
            return "unknown"
        shared = shared or not modules.isdisjoint(module for module, _ in theirs or ())
    return "no" if size == whole and not shared else "yes"
