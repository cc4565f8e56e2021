"""Follows paths, working folders of processes, and areas of memory on disk down to media. Looks; `lineage.py` decides."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import zfs
from .areas import areas_of
from .errors.base import printable
from .facts import HostFacts, Mount, ZfsLabel, ZfsLook
from .host import Host, read_text
from .inspector import Inspector
from .lineage import Beneath, PathResolution, beneath_mount, mount_of
from .mounts import parse_mountinfo


@dataclass(frozen=True, kw_only=True)
class MemoryArea:
    """A place where this host writes what its processes hold in memory."""

    kind: str
    """swap, core-dump."""
    found: PathResolution
    """What lies beneath. An area that is itself in memory (zram) has no media, and nothing unresolved."""


class Resolver:
    """Resolutions on this host. Never raises for what it cannot follow: it names it."""

    def __init__(self, inspector: Inspector | None = None) -> None:
        self._inspector = inspector or Inspector()
        self._host: Host = self._inspector.host

    def path(self, path: str | Path) -> PathResolution:
        """See `sanitizer.resolve_path`."""
        shown = printable(str(path))
        try:
            real = os.path.realpath(path, strict=True)
        except OSError:
            return _nothing(shown, f"{shown} does not exist or cannot be looked at")
        facts = self._facts()
        mount = mount_of(facts, real, _mount_id(real))
        if mount is None:
            return _nothing(shown, f"the mount of {printable(real)} is not in the mount table")
        found = self._told(facts, shown, mount, beneath_mount(facts, mount))
        return dataclasses.replace(found, real=printable(real))

    def path_of(self, pid: int, path: str) -> PathResolution:
        """See `sanitizer.resolve_path_of`."""
        shown = printable(path)
        inside = f"{self._host.proc}/{pid}/root{path}"
        number = _mount_id(inside)
        text = read_text(self._host.proc / str(pid) / "mountinfo")
        try:
            theirs = None if text is None else parse_mountinfo(text)
        except ValueError:
            theirs = None
        if theirs is None or number is None:
            return _nothing(shown, f"where {shown} of process {pid} lies cannot be looked at")
        facts = self._facts()
        mount = next((each for each in theirs if each.mount_id == number), None)
        if mount is None:
            return _nothing(shown, f"the mount of {shown} is not in the mount table of process {pid}")
        own = _same(facts, mount)
        if own is None:
            facts = dataclasses.replace(facts, mounts=theirs)
        return dataclasses.replace(self._told(facts, shown, mount, beneath_mount(facts, own or mount)), real=shown)

    def areas(self) -> Sequence[MemoryArea]:
        """See `sanitizer.memory_areas`."""
        facts = self._facts()
        pattern = read_text(self._host.proc / "sys/kernel/core_pattern")
        return [
            MemoryArea(
                kind=area.kind,
                found=self._told(facts, printable(area.path), None, _on_media(area.beneath)),
            )
            for area in areas_of(facts, pattern, _real_folder)
        ]

    def _facts(self) -> HostFacts:
        """With the labels of ZFS, where anything is mounted from a pool."""
        facts = self._inspector.gather()
        if not any(mount.filesystem in zfs.FILESYSTEMS for mount in facts.mounts or ()):
            return facts
        labels: list[ZfsLabel] = []
        unread: list[str] = []
        for node in (facts.nodes or {}).values():
            if node.hidden or not node.size_bytes or node.name.startswith(("sr", "fd", "ram", "zd")):
                continue
            data = self._inspector.label_bytes(facts, node)
            try:
                label = None if data is None else zfs.parse_label(node.name, data)
            except zfs.LabelDamaged:
                data, label = None, None
            if data is None:
                unread.append(node.name)
            if label is not None:
                labels.append(label)
        return dataclasses.replace(facts, zfs=ZfsLook(labels=tuple(labels), unread=tuple(unread)))

    def _told(self, facts: HostFacts, shown: str, mount: Mount | None, beneath: Beneath) -> PathResolution:
        unresolved = [edge.text for edge in beneath.edges]
        if facts.nodes is None:
            unresolved.append("the block devices of this host could not be read")
        fingerprints: list[str] = []
        for name in beneath.devices:
            identity = self._inspector.identity_at(facts, (facts.nodes or {})[name])
            if identity is None:
                unresolved.append(f"{self._host.dev / name} has no readable identity")
            else:
                fingerprints.append(identity.fingerprint)
        carriers = [f"a backing file lies on {self._host.dev / name}" for name in beneath.carriers]
        return PathResolution(
            path=shown,
            mount_point=None if mount is None else printable(mount.mount_point),
            devices=tuple(str(self._host.dev / name) for name in beneath.devices),
            fingerprints=tuple(dict.fromkeys(fingerprints)),
            unresolved=tuple(dict.fromkeys(unresolved)),
            carriers=(*carriers, *(edge.text for edge in beneath.carrier_edges)),
            steps=beneath.steps,
        )


def _nothing(shown: str, why: str) -> PathResolution:
    return PathResolution(path=shown, mount_point=None, devices=(), fingerprints=(), unresolved=(why,))


def _on_media(beneath: Beneath) -> Beneath:
    """Without what ends in memory: an area there needs no medium, so nothing of it is unknown."""
    return dataclasses.replace(beneath, edges=tuple(edge for edge in beneath.edges if edge.kind != "memory"))


def _same(facts: HostFacts, mount: Mount) -> Mount | None:
    """The same filesystem in our own mount table: the layers of an overlay are named as its maker sees them."""
    return next(
        (
            each
            for each in facts.mounts or ()
            if each.device_number == mount.device_number and each.filesystem == mount.filesystem
        ),
        None,
    )


def _real_folder(path: str) -> str | None:
    real = os.path.realpath(path)
    return real if Path(real).is_dir() else None


def _mount_id(path: str) -> int | None:
    """The kernel's own answer to which mount a path is on (/proc/self/fdinfo), None where it gives none."""
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        text = Path(f"/proc/self/fdinfo/{descriptor}").read_text(encoding="ascii")
    except OSError:
        return None
    finally:
        os.close(descriptor)
    ids = [line.split()[1] for line in text.splitlines() if line.startswith("mnt_id:")]
    return int(ids[0]) if ids else None
