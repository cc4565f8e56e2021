"""What drives of many kinds would say of themselves, made up field by field, and inspections that carry it."""

from __future__ import annotations

import dataclasses
from typing import Any

from sanitizer.capability import (
    AtaCapabilities,
    Capabilities,
    HiddenCapacity,
    MmcCapabilities,
    NvmeCapabilities,
    NvmeNamespaceFacts,
    OpalCapabilities,
    SanitizePhase,
    SanitizeStanding,
    ScsiCapabilities,
    Tri,
)
from sanitizer.inspection import Inspection
from tests.support.simulated_drive import SimulatedDrive, SimulatedSystem

YES, NO, UNKNOWN = Tri.YES, Tri.NO, Tri.UNKNOWN
NOTHING_HIDDEN = HiddenCapacity(native_bytes=64 << 10, present=NO, by=())
UNKNOWN_HIDDEN = HiddenCapacity(native_bytes=None, present=UNKNOWN, by=("hpa",))

DRIVE = SimulatedSystem(SimulatedDrive()).inspect()


def standing(phase: SanitizePhase = SanitizePhase.IDLE) -> SanitizeStanding:
    """A sanitize status."""
    return SanitizeStanding(phase=phase, progress=None, raw=b"")


def capabilities(**changes: Any) -> Capabilities:  # noqa: ANN401 - fields of different types
    """A drive on a direct path with nothing hidden and nothing running."""
    base: dict[str, Any] = {"path": "direct", "standing": standing(), "hidden": NOTHING_HIDDEN}
    return Capabilities(**{**base, **changes})


def ata(**changes: Any) -> AtaCapabilities:  # noqa: ANN401 - as above
    """A SATA drive with every erase there is."""
    base: dict[str, Any] = {
        field.name: YES for field in dataclasses.fields(AtaCapabilities) if field.name != "identify"
    }
    base |= dict.fromkeys(("security_enabled", "security_locked", "security_frozen", "attempts_exhausted"), NO)
    base |= {"identify": bytes(512), "erase_minutes": 60, "enhanced_erase_minutes": 90, "rotational": NO}
    return AtaCapabilities(**{**base, **changes})


def scsi(**changes: Any) -> ScsiCapabilities:  # noqa: ANN401 - as above
    """A SAS drive with every erase there is."""
    base: dict[str, Any] = {
        "sanitize_overwrite": YES,
        "sanitize_block": YES,
        "sanitize_crypto": YES,
        "format_unit": YES,
        "write_after_block_erase": 1,
        "write_after_crypto_erase": 1,
        "rotational": NO,
        "protection_bytes": 0,
        "removable": NO,
        "write_protected": NO,
    }
    return ScsiCapabilities(**{**base, **changes})


def namespace(nsid: int = 1, **changes: Any) -> NvmeNamespaceFacts:  # noqa: ANN401 - as above
    """An attached namespace nobody else sees."""
    base: dict[str, Any] = {"attached": YES, "shared": NO, "capacity_bytes": 64 << 10, "write_protected": NO}
    return NvmeNamespaceFacts(nsid=nsid, **{**base, **changes})


def nvme(**changes: Any) -> NvmeCapabilities:  # noqa: ANN401 - as above
    """An NVMe drive with one namespace, one controller and every erase there is."""
    base: dict[str, Any] = {
        "controller": bytes(4096),
        "namespace": bytes(4096),
        "namespace_id": 1,
        "crypto_erase": YES,
        "block_erase": YES,
        "overwrite": YES,
        "verification": NO,
        "no_deallocate_inhibited": NO,
        "format": YES,
        "format_all_namespaces": NO,
        "erase_all_namespaces": NO,
        "format_crypto": YES,
        "format_index": 0,
        "namespaces": (namespace(),),
        "unallocated_bytes": 0,
        "multi_controller": NO,
        "estimates": (("crypto", 30), ("block", 120), ("overwrite", 1600)),
    }
    return NvmeCapabilities(**{**base, **changes})


def mmc(**changes: Any) -> MmcCapabilities:  # noqa: ANN401 - as above
    """An eMMC with boot areas."""
    base: dict[str, Any] = {
        "ext_csd": bytes(512),
        "sanitize": YES,
        "secure_erase": YES,
        "secure_trim": YES,
        "erased_byte": 0,
        "areas": (("boot0", 4 << 20), ("boot1", 4 << 20), ("rpmb", 1 << 20)),
    }
    return MmcCapabilities(**{**base, **changes})


def opal(**changes: Any) -> OpalCapabilities:  # noqa: ANN401 - as above
    """A TCG Opal drive nobody has locked."""
    base: dict[str, Any] = {
        "discovery": b"",
        "ssc": "opal-2",
        "locking_enabled": NO,
        "locked": NO,
        "shadowed": NO,
        "removal_mechanisms": ("crypto",),
        "removal_running": NO,
        "removal_interrupted": NO,
        "media_encryption": YES,
    }
    return OpalCapabilities(**{**base, **changes})


def unknown(kind: type) -> Any:  # noqa: ANN401 - one of the above
    """The same kind of drive of which nothing could be read."""
    empty: dict[str, Any] = {"Tri": UNKNOWN, "bytes": b"", "int": 1}
    values = {f.name: None if "None" in str(f.type) else empty.get(str(f.type), ()) for f in dataclasses.fields(kind)}
    return kind(**values)


def drive(
    found: Capabilities | None,
    media: str = "flash",
    **changes: Any,  # noqa: ANN401 - as above
) -> Inspection:
    """An inspection of such a drive."""
    return dataclasses.replace(DRIVE, capabilities=found, media=media, **changes)


ATA_SSD = drive(capabilities(ata=ata()))
ATA_HDD = drive(capabilities(ata=ata(rotational=YES, block_erase=NO)), "magnetic")
ATA_OLD_HDD = drive(
    capabilities(ata=ata(rotational=YES, sanitize=NO, block_erase=NO, crypto_scramble=NO, overwrite=NO), standing=None),
    "magnetic",
)
ATA_OLD_SSD = drive(capabilities(ata=ata(sanitize=NO, block_erase=NO, crypto_scramble=NO, overwrite=NO), standing=None))
SAS_HDD = drive(capabilities(scsi=scsi(rotational=YES, sanitize_block=NO, sanitize_crypto=NO)), "magnetic")
SAS_SSD = drive(capabilities(scsi=scsi()))
NVME = drive(capabilities(nvme=nvme()))
NVME_BLOCK_ONLY = drive(capabilities(nvme=nvme(crypto_erase=NO, overwrite=NO)))
NVME_CRYPTO_ONLY = drive(capabilities(nvme=nvme(block_erase=NO, overwrite=NO)))
NVME_OLD = drive(capabilities(nvme=nvme(crypto_erase=NO, block_erase=NO, overwrite=NO), standing=None))
NVME_TWO = drive(capabilities(nvme=nvme(namespaces=(namespace(1), namespace(2)))))
NVME_SHARED = drive(capabilities(nvme=nvme(multi_controller=YES, namespaces=(namespace(1, shared=YES),))))
NVME_SPARE = drive(capabilities(nvme=nvme(unallocated_bytes=1 << 20)))
EMMC = drive(capabilities(mmc=mmc()))
