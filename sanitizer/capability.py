"""What a drive says it can do, as yes, no or unknown. Pure; decides nothing.

`probing.py` asks the drive and keeps the raw replies; decoding turns them into these values. A reply that is missing or
damaged makes its fields unknown, and unknown never grants: a technique requires YES.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from typing import Any

from .container import Container


class Tri(StrEnum):
    """Three answers; only YES grants."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, value: bool | None) -> Tri:
        """A decoded bit; None is unknown."""
        return cls.UNKNOWN if value is None else cls.YES if value else cls.NO


class SanitizePhase(StrEnum):
    """Where the drive's own sanitize operation stands, by its own account."""

    NEVER = "never"
    """None since manufacture (NVMe), or none remembered."""
    SUCCEEDED = "succeeded"
    """The most recent one, which may be years old: says nothing of ours."""
    IN_PROGRESS = "in-progress"
    FAILED_RESTRICTED = "failed-restricted"
    """Only a new sanitize in the restricted mode is accepted."""
    FAILED_UNRESTRICTED = "failed-unrestricted"
    """Exit failure mode is accepted, and would bring data back."""
    FAILED = "failed"
    """Failed; in which mode is not said."""
    FROZEN = "frozen"
    IDLE = "idle"
    """Nothing runs; whether one ever ran is not said (SCSI)."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class SanitizeStanding:
    """One reading of the drive's sanitize status."""

    phase: SanitizePhase
    progress: int | None
    """Parts of 65,536; None where the drive does not say."""
    raw: bytes
    """The log page, sense data or registers it was read from."""
    command: int | None = None
    """NVMe SCDW10: command dword 10 of the operation this is about."""
    unsanitized_remainder: bool = False
    """The drive says that physical sectors were left (ATA abort reason 1)."""


HPA, DCO, AMAX, BLOCK_DESCRIPTOR, UNALLOCATED = "hpa", "dco", "amax", "block-descriptor", "unallocated"
"""What can hide blocks. The first four by an address that can be set anew; the last is capacity in no NVMe namespace."""


@dataclass(frozen=True, kw_only=True)
class HiddenCapacity:
    """Addressable now, and what the drive really has."""

    native_bytes: int | None
    """The largest the drive admits to; None unknown."""
    present: Tri
    """Whether something is hidden."""
    by: tuple[str, ...]
    """hpa, dco, amax, block-descriptor, unallocated: what hides it, or could not be asked."""

    @property
    def to_be_restored(self) -> bool:
        """Whether blocks are hidden that must be brought back before anything is planned; not those of no NVMe namespace."""
        return self.present is Tri.YES and self.by != (UNALLOCATED,)


@dataclass(frozen=True, kw_only=True)
class AtaCapabilities:
    """From IDENTIFY DEVICE and the logs it names (ACS)."""

    identify: bytes
    sanitize: Tri
    crypto_scramble: Tri
    block_erase: Tri
    overwrite: Tri
    security: Tri
    security_enabled: Tri
    security_locked: Tri
    security_frozen: Tri
    attempts_exhausted: Tri
    enhanced_erase: Tri
    erase_minutes: int | None
    enhanced_erase_minutes: int | None
    lba48: Tri
    rotational: Tri


@dataclass(frozen=True, kw_only=True)
class ScsiCapabilities:
    """From INQUIRY, VPD pages and REPORT SUPPORTED OPERATION CODES (SPC, SBC)."""

    sanitize_overwrite: Tri
    sanitize_block: Tri
    sanitize_crypto: Tri
    format_unit: Tri
    write_after_block_erase: int | None
    """WABEREQ, VPD B1h: 2 and 3 mean that reads fail until rewritten."""
    write_after_crypto_erase: int | None
    """WACEREQ."""
    rotational: Tri
    protection_bytes: int | None
    """Logical block beyond a power of two (520, 528): None unknown, 0 none."""
    removable: Tri
    write_protected: Tri
    block_bytes: int | None = None
    """Logical block, protection information not counted."""


@dataclass(frozen=True, kw_only=True)
class NvmeNamespaceFacts:
    """One allocated namespace of the subsystem."""

    nsid: int
    attached: Tri
    shared: Tri
    """NMIC bit 0."""
    capacity_bytes: int | None
    write_protected: Tri


@dataclass(frozen=True, kw_only=True)
class NvmeCapabilities:
    """From Identify Controller, Identify Namespace and the sanitize log (NVMe Base)."""

    controller: bytes
    namespace: bytes
    namespace_id: int
    crypto_erase: Tri
    block_erase: Tri
    overwrite: Tri
    verification: Tri
    """SANICAP.VERS."""
    no_deallocate_inhibited: Tri
    format: Tri
    format_all_namespaces: Tri
    """FNA bit 0."""
    erase_all_namespaces: Tri
    """FNA bit 1."""
    format_crypto: Tri
    """FNA bit 2."""
    format_index: int | None
    """FLBAS: the format in use, sent again with Format NVM so that the sector size stays."""
    namespaces: tuple[NvmeNamespaceFacts, ...] | None
    """All allocated ones; None unknown."""
    unallocated_bytes: int | None
    """UNVMCAP."""
    multi_controller: Tri
    """CMIC bit 1: other controllers see the same subsystem."""
    estimates: tuple[tuple[str, int], ...]
    """Seconds by action (block, crypto, overwrite, and each with -no-deallocate), where the log states them."""


@dataclass(frozen=True, kw_only=True)
class MmcCapabilities:
    """From EXT_CSD (JESD84)."""

    ext_csd: bytes
    sanitize: Tri
    secure_erase: Tri
    secure_trim: Tri
    erased_byte: int | None
    """00h or FFh: what erased blocks read as."""
    areas: tuple[tuple[str, int], ...]
    """Areas beyond the user area with their bytes: boot0, boot1, rpmb, gp1 to gp4."""


@dataclass(frozen=True, kw_only=True)
class OpalCapabilities:
    """From TCG Level 0 discovery."""

    discovery: bytes
    ssc: str | None
    """opal-2, opal-1, enterprise, pyrite, ..."""
    locking_enabled: Tri
    locked: Tri
    shadowed: Tri
    """The shadow MBR is shown instead of the medium: all zeros may be a lock, not a wipe."""
    removal_mechanisms: tuple[str, ...]
    """overwrite, block, crypto, vendor (feature 0404h)."""
    removal_running: Tri
    removal_interrupted: Tri
    media_encryption: Tri


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """Everything a drive said of its own sanitization, at one moment."""

    path: str
    """What stands between: direct, usb-bridge, raid, virtual, unknown. Only direct is trusted with passwords."""
    standing: SanitizeStanding | None
    """None where the drive has no sanitize status to ask."""
    hidden: HiddenCapacity
    ata: AtaCapabilities | None = None
    scsi: ScsiCapabilities | None = None
    nvme: NvmeCapabilities | None = None
    mmc: MmcCapabilities | None = None
    opal: OpalCapabilities | None = None
    quirks: tuple[str, ...] = ()
    """Names of known traits of this model and firmware (`quirks.py`)."""
    container: Container | None = None
    """An encrypted container that begins where the device begins: read from the medium, the rest from the drive."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, as `sanitizer show --json` prints them; whole identify data are left out."""
        return {f.name: _plain(getattr(self, f.name)) for f in fields(self)}


_LEFT_OUT = frozenset({"identify", "controller", "namespace", "ext_csd", "discovery"})


def _plain(value: object) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value) if f.name not in _LEFT_OUT}
    return value.value if isinstance(value, StrEnum) else value
