"""What was learnt of one device at one moment: identity, surroundings, and every reason why it may not be touched. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .capability import Capabilities
from .errors import DormantMember, Refused
from .identity import DeviceIdentity
from .run import DeviceFacts

PERSISTENT = "pmem"
"""Memory modules that keep their content: the one kind of medium that is no drive."""


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """One device as this host sees it now. Made by `inspect` and `list_devices`; decides nothing."""

    path: str
    """Kernel node such as /dev/sdb: a place, not an identity."""
    identity: DeviceIdentity | None
    """None where it could not be read; such a device is shown and never written to."""
    kind: str
    firmware: str | None
    media: str
    """magnetic, flash, virtual, pmem (persistent memory), unknown."""
    transport: str
    """sata, sas, usb, nvme-pcie, virtio, loop, ..., unknown."""
    slot: str | None
    """Enclosure slot or by-path name, where the kernel knows one."""
    removable: bool
    hidden_capacity: str
    """yes, no, unknown: whether areas beyond the addressable range exist."""
    capacity_bytes: int | None
    obstacles: tuple[Refused, ...]
    """Every reason against writing, the gravest first; dormant signatures are one of them until a plan acknowledges each."""
    dormant_signatures: tuple[str, ...]
    """Names such as `lvm2-member`, `linux-raid-member`, `zfs-member`, `unreadable-area`."""
    zoned: bool | None
    disk_sequence: int | None
    """The kernel's count of attachments (BLKGETDISKSEQ): another number on the same boot means attached anew."""
    boot_id: str
    taken: datetime
    capabilities: Capabilities | None = None
    """What the drive says of its own sanitization; None where there is no command interface to ask (a loop device)."""

    @property
    def fingerprint(self) -> str | None:
        """The identity's fingerprint, None where there is no identity."""
        return self.identity.fingerprint if self.identity else None

    def remaining_obstacles(self, acknowledged_signatures: tuple[str, ...]) -> tuple[Refused, ...]:
        """The obstacles that stay when these dormant signatures are acknowledged, each by its own name."""
        left = tuple(name for name in self.dormant_signatures if name not in acknowledged_signatures)
        kept: list[Refused] = []
        for obstacle in self.obstacles:
            if not isinstance(obstacle, DormantMember):
                kept.append(obstacle)
            elif left:
                kept.append(DormantMember(fingerprint=self.fingerprint, signatures=left))
        return tuple(kept)

    def device_facts(self) -> DeviceFacts | None:
        """The same in the record's words; None without an identity."""
        if self.identity is None:
            return None
        return DeviceFacts(
            **self.identity.to_dict(),  # type: ignore[arg-type]  # the identity's fields are DeviceFacts' by name and type
            media=self.media,
            transport=self.transport,
            firmware=self.firmware,
            fingerprint=self.identity.fingerprint,
            hidden_capacity=self.hidden_capacity,
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, as `sanitizer show --json` prints them."""
        return {
            "path": self.path,
            "fingerprint": self.fingerprint,
            "identity": self.identity.to_dict() if self.identity else None,
            "kind": self.kind,
            "firmware": self.firmware,
            "media": self.media,
            "transport": self.transport,
            "slot": self.slot,
            "removable": self.removable,
            "hidden_capacity": self.hidden_capacity,
            "capacity_bytes": self.capacity_bytes,
            "dormant_signatures": list(self.dormant_signatures),
            "obstacles": [
                {"code": o.code, "summary": o.summarize(), "remedy": o.remedy, "details": o.details()}
                for o in self.obstacles
            ],
            "disk_sequence": self.disk_sequence,
            "capabilities": self.capabilities.to_dict() if self.capabilities else None,
            "taken": self.taken.isoformat(),
        }
