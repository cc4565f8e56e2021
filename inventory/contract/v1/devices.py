"""What an agent observes: devices, where they are attached, and what lies beneath declared paths."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from .common import Bytes, Message, Sha256, Text

Name = Annotated[str, StringConstraints(max_length=256)]


class DeviceIdentity(Message):
    """The tuple that proves it is the same medium before and after; paths and names are no part of it."""

    kind: Literal["ata", "scsi", "nvme", "mmc", "virtio", "loop", "zram", "other"]
    vendor: Name | None
    model: Name | None
    serial: Name | None
    wwn: Name | None
    eui64: Name | None
    nguid: Name | None
    capacity_bytes: Bytes
    logical_block_bytes: Annotated[int, Field(ge=1, le=1 << 20)]
    fingerprint: Sha256
    """SHA-256 of the identity, computed by the sanitizer; stands on orders and records."""


class Obstacle(Message):
    """One reason why a device may not be touched now."""

    code: Name
    """Stable code of the sanitizer's refusal, such as `mounted-filesystem`."""
    summary: Text


class OwnTechnique(Message):
    """One of the drive's own techniques, as the agent would judge it now."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*$", max_length=64)]
    usable: bool
    reasons: Annotated[tuple[Text, ...], Field(max_length=16)]
    """Why it cannot be used; unknown is a reason like any other. Empty where it is usable."""
    estimate_seconds: Bytes | None
    """The drive's own estimate; None where it makes none."""


class DriveCapabilities(Message):
    """What a drive says of its own sanitization, in words; how far a technique gets is not for the agent to say."""

    path: Name
    """What stands between host and drive: direct, usb-bridge, raid, virtual, unknown."""
    standing: Text | None
    """Where its sanitize operation stands; None where the drive has no such status."""
    locks: Annotated[tuple[Text, ...], Field(max_length=16)]
    """What locks it: a password, Opal, frozen commands, a failure mode."""
    hidden: Text
    """What it has beyond the addressable range."""
    techniques: Annotated[tuple[OwnTechnique, ...], Field(max_length=64)]


class ObservedDevice(Message):
    """One block device as one agent sees it now."""

    path: Name
    """Kernel node such as /dev/sdb: a place, not an identity."""
    identity: DeviceIdentity | None
    """None where the identity could not be read: such a device is shown, never ordered."""
    firmware: Name | None
    media: Literal["magnetic", "flash", "virtual", "pmem", "unknown"]
    transport: Name
    slot: Name | None
    """By-path or enclosure slot, where the kernel knows one."""
    removable: bool
    hidden_capacity: Literal["yes", "no", "unknown"]
    obstacles: tuple[Obstacle, ...]
    capabilities: DriveCapabilities | None = None
    """None where the device has no command interface, or was not asked."""


class PathStep(Message):
    """What lies on what, and how the agent knows."""

    above: Name
    below: Name
    how: Name


Steps = Annotated[tuple[PathStep, ...], Field(max_length=64)]
"""Enough to draw a host of many disks; what was found does not depend on it."""


class PathMapping(Message):
    """Where the bytes beneath one declared CRM path physically lie."""

    data_set: Name
    path: Name
    mount_point: Name | None
    devices: tuple[Sha256, ...]
    """Fingerprints of the physical devices beneath the path."""
    unresolved: tuple[Text, ...]
    """Edges that could not be followed: each becomes a named exception, never silence."""
    real_path: Name | None = None
    """The path with its links followed; None where it does not exist."""
    steps: Steps = ()


class AreaSeen(Message):
    """Where this host writes data without being asked: memory on disk, and the folders of running databases."""

    kind: Literal["swap", "core-dump", "postgresql", "mariadb", "sqlite"]
    path: Name
    process: Name | None = None
    """Which program runs the database, with its number."""
    devices: Annotated[tuple[Sha256, ...], Field(max_length=4096)]
    unresolved: Annotated[tuple[Text, ...], Field(max_length=256)]
    steps: Steps = ()


class Observation(Message):
    """Everything the agent sees now, whole: what is missing from it is no longer attached."""

    taken: str
    """RFC 3339 UTC."""
    devices: Annotated[tuple[ObservedDevice, ...], Field(max_length=4096)]
    paths: Annotated[tuple[PathMapping, ...], Field(max_length=1024)]
    areas: Annotated[tuple[AreaSeen, ...], Field(max_length=512)] | None = None
    """None: nobody looked, so nothing follows from it."""


class ObservationAccepted(Message):
    """The service's answer: which of its device numbers each fingerprint has."""

    devices: dict[Sha256, str]
