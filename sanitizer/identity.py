"""The tuple that proves a medium is the same medium before and after. Paths, names and slots are no part of it.

Pure: what the bytes are is `host.py`'s business; what they amount to is decided here.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

KINDS = ("ata", "scsi", "nvme", "mmc", "virtio", "loop", "zram", "other")
"""What the kernel's driver calls the device; the record uses the same words."""


@dataclass(frozen=True, kw_only=True)
class DeviceIdentity:
    """What a medium says of itself. `None` means it does not report that field.

    Sizes are in bytes. The physical block size is carried along but is no part of the fingerprint: a bridge may report
    another one for the same medium.
    """

    kind: str
    vendor: str | None
    model: str | None
    serial: str | None
    wwn: str | None
    eui64: str | None
    nguid: str | None
    capacity_bytes: int
    logical_block_bytes: int
    physical_block_bytes: int

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind {self.kind!r} is none of {KINDS}")
        if self.capacity_bytes <= 0 or self.logical_block_bytes <= 0 or self.physical_block_bytes <= 0:
            raise ValueError("sizes must be positive")
        if not self.is_unique:
            raise ValueError("an identity needs a serial number or a world-wide name")

    @property
    def is_unique(self) -> bool:
        """Whether anything in it tells this medium from another of its model."""
        return any((self.serial, self.wwn, self.eui64, self.nguid))

    def to_dict(self) -> dict[str, str | int | None]:
        """All fields as plain JSON values."""
        return {
            "kind": self.kind,
            "vendor": self.vendor,
            "model": self.model,
            "serial": self.serial,
            "wwn": self.wwn,
            "eui64": self.eui64,
            "nguid": self.nguid,
            "capacity_bytes": self.capacity_bytes,
            "logical_block_bytes": self.logical_block_bytes,
            "physical_block_bytes": self.physical_block_bytes,
        }

    @property
    def fingerprint(self) -> str:
        """SHA-256, lower-case hexadecimal, of the identity: the same medium gives the same one on any host and path."""
        told = self.to_dict()
        del told["physical_block_bytes"]
        canonical = json.dumps({"sanitrail": "device-identity/1", **told}, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def same_device(one: DeviceIdentity | None, other: DeviceIdentity | None) -> bool:
    """Whether both are the same medium; an unread identity is the same as nothing, not even as itself."""
    return one is not None and other is not None and one.fingerprint == other.fingerprint


def cleaned(value: str | None) -> str | None:
    """A reported text without padding and control characters; an empty one was not reported."""
    if value is None:
        return None
    text = " ".join("".join(c if c.isprintable() else " " for c in value.replace("\0", " ")).split())
    return text or None


def cleaned_name(value: str | None) -> str | None:
    """A world-wide name, EUI-64 or NGUID in lower case; one of nothing but zeros (seen on real drives) names nothing."""
    text = cleaned(value)
    if text is None:
        return None
    text = text.lower().removeprefix("0x")
    digits = text.split(".", 1)[-1].replace("-", "")
    return None if not digits.strip("0") or not digits.strip("f") else text
