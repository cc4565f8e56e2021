"""What is attached to this host, and what lies beneath declared paths, in the contract's words.

The sanitizer says what a device is and why it may not be touched. Two other views of the same kernel are held against
it: udev's list of disks (pyudev) and the mount table as psutil reads it. Where they know of something the sanitizer
does not, the device is shown with that as an obstacle, and the runner refuses it: two readings that disagree are no
knowledge.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import psutil
import pyudev

from inventory.contract.v1.agents import DeclaredPath
from inventory.contract.v1.devices import DeviceIdentity, Observation, ObservedDevice, Obstacle, PathMapping
from sanitizer import Inspection

from . import abilities, surveying
from .clock import Clock, rfc3339
from .engine import Engine

log = logging.getLogger("agents.discovery")

_NO_MEDIA = ("dm-", "md", "bcache", "ram", "sr", "fd")
"""Kernel names the sanitizer leaves out on purpose: what is assembled from others, memory, optical and floppy drives."""
_SYS_BLOCK = Path("/sys/class/block")
_LONGEST = 256


def observe(engine: Engine, paths: Sequence[DeclaredPath], clock: Clock, *, beyond: bool = False) -> Observation:
    """Everything this host sees now, whole.

    Args:
        engine: Looks.
        paths: What the inventory has declared.
        clock: Says when.
        beyond: Whether to look for data nobody declared, too.
    """
    inspections = engine.list_devices()
    mounted = mounted_disks()
    devices = [_observed(inspection, mounted) for inspection in inspections]
    known = {inspection.path for inspection in inspections}
    devices += [_overlooked(node) for node in sorted(udev_disks() - known)]
    return Observation(
        taken=rfc3339(clock.now()),
        devices=tuple(devices),
        paths=tuple(_mapping(engine, path) for path in paths),
        areas=surveying.survey(engine) if beyond else None,
    )


def disagreement(inspection: Inspection, mounted: Mapping[str, tuple[str, ...]] | None = None) -> str | None:
    """What another reading of the mount table says against a device the sanitizer finds free; None where they agree."""
    if inspection.obstacles:
        return None
    where = (mounted_disks() if mounted is None else mounted).get(inspection.path)
    return None if where is None else f"Another reading of the mount table says it is mounted at {', '.join(where)}."


def mounted_disks() -> dict[str, tuple[str, ...]]:
    """Whole disks by node with what is mounted from them, as psutil reads the mount table; volumes are followed down."""
    found: dict[str, set[str]] = {}
    for mount in psutil.disk_partitions(all=True):
        node = os.path.realpath(mount.device)
        if mount.device.startswith("/dev/"):
            for disk in _disks_beneath(Path(node).name):
                found.setdefault(f"/dev/{disk}", set()).add(mount.mountpoint)
    return {disk: tuple(sorted(points)) for disk, points in found.items()}


def udev_disks() -> set[str]:
    """Nodes of every disk with a size that the kernel lists, without those that are no media."""
    found: set[str] = set()
    for device in pyudev.Context().list_devices(subsystem="block", DEVTYPE="disk"):
        if not device.sys_name.startswith(_NO_MEDIA) and _sectors(device.sys_path) and not _hidden(device.sys_path):
            found.add(device.device_node or f"/dev/{device.sys_name}")
    return found


def _sectors(sys_path: str) -> int:
    try:
        return int(Path(sys_path, "size").read_text("ascii"))
    except (OSError, ValueError):
        return 1  # unknown: shown, so that somebody looks


def _hidden(sys_path: str) -> bool:
    """Paths of a multipath NVMe namespace have no node of their own; the head stands for them."""
    try:
        return Path(sys_path, "hidden").read_text("ascii").strip() == "1"
    except OSError:
        return False


def _disks_beneath(name: str) -> Iterable[str]:
    """From a partition or volume down to whole disks, by sysfs."""
    place = _SYS_BLOCK / name
    if not place.exists():
        return
    if (place / "partition").exists():
        yield place.resolve().parent.name
        return
    slaves = sorted(entry.name for entry in (place / "slaves").iterdir()) if (place / "slaves").is_dir() else []
    if not slaves:
        yield name
    for slave in slaves:
        yield from _disks_beneath(slave)


def _observed(inspection: Inspection, mounted: Mapping[str, tuple[str, ...]]) -> ObservedDevice:
    obstacles = [Obstacle(code=one.code, summary=one.summarize()[:500]) for one in inspection.obstacles]
    if (problem := disagreement(inspection, mounted)) is not None:
        log.warning("%s: %s", inspection.path, problem)
        obstacles.append(Obstacle(code="readings-disagree", summary=problem[:500]))
    return ObservedDevice.model_validate(
        {
            "path": inspection.path,
            "identity": _identity(inspection),
            "firmware": _short(inspection.firmware),
            "media": inspection.media,
            "transport": inspection.transport,
            "slot": _short(inspection.slot),
            "removable": inspection.removable,
            "hidden_capacity": inspection.hidden_capacity,
            "obstacles": tuple(obstacles),
            "capabilities": None
            if inspection.capabilities is None
            else abilities.told(inspection.capabilities, inspection.capacity_bytes or 0),
        }
    )


def _identity(inspection: Inspection) -> DeviceIdentity | None:
    identity = inspection.identity
    if identity is None:
        return None
    facts = {name: getattr(identity, name) for name in DeviceIdentity.model_fields}
    return DeviceIdentity.model_validate(facts)


def _overlooked(node: str) -> ObservedDevice:
    """A disk the kernel lists and the sanitizer does not: shown, so that nothing is unaccounted; never ordered."""
    log.warning("%s is listed by udev but was not inspected", node)
    return ObservedDevice(
        path=node,
        identity=None,
        firmware=None,
        media="unknown",
        transport="unknown",
        slot=None,
        removable=False,
        hidden_capacity="unknown",
        obstacles=(Obstacle(code="not-inspected", summary="The kernel lists this disk; it could not be inspected."),),
    )


def _mapping(engine: Engine, declared: DeclaredPath) -> PathMapping:
    found = engine.resolve_path(declared.path)
    return PathMapping(
        data_set=declared.data_set,
        path=declared.path,
        mount_point=_short(found.mount_point),
        devices=tuple(found.fingerprints),
        unresolved=tuple(text[:500] for text in found.unresolved),
        real_path=_short(found.real),
        steps=surveying.steps_of(found),
    )


def _short(text: str | None) -> str | None:
    return None if text is None else text[:_LONGEST]
