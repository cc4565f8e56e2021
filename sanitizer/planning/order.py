"""Which technique is tried before which, per interface and medium; and which may follow one another. Pure; tables.

The order is that of common practice beside SP 800-88: for purge, NVMe cryptographic erase followed by block erase, block erase on
flash, the drive's own overwrite on magnetic disks; for clear, overwriting on magnetic disks, and on flash first what also reaches
blocks that no address leads to.
"""

from __future__ import annotations

from sanitizer.capability import Capabilities

from .request import HOST, KEYS

Steps = tuple[str, ...]

FAMILIES: dict[str, str] = {
    "ata": "ATA",
    "scsi": "SCSI",
    "nvme": "NVMe",
    "mmc": "eMMC",
    "opal": "TCG Opal",
}
"""The first word of a technique's name, and the interface it needs."""

INTERFACES = ("nvme", "mmc", "ata", "scsi")
"""Those a drive is sanitized by, the most direct first."""
SANITIZE = ("ata-sanitize-", "scsi-sanitize-", "nvme-sanitize-")
"""Beginnings of the techniques that are a SANITIZE command: the only ones a drive in failure mode still accepts."""
PASSWORD = ("ata-security-erase", "ata-security-erase-enhanced")
"""Techniques that set a password first, which must be kept elsewhere before."""
BY_NAME_ONLY: dict[str, str] = {
    "opal-revert": "it is never chosen automatically: what it achieves rests on keys nobody can inspect; ask for it by name",
    "opal-psid-revert": "it is never chosen automatically: it needs the PSID printed on the drive's label; ask for it by name",
    KEYS: "it is never chosen automatically: a person must vouch for its conditions; ask for it by name",
}
"""Techniques that `auto` leaves alone, with the reason."""

_OF_THE_MODULE = (
    "{what} is a command of the memory module itself, and is not sent here: nothing could be run on which it was seen to work. "
    "Overwrite the namespace by the host, which clears it; {instead}, which this tool then cannot attest; or have the module "
    "destroyed"
)
NOT_SENT: dict[str, str] = {
    "nvdimm-overwrite": _OF_THE_MODULE.format(
        what="overwriting a module", instead="have `ndctl sanitize-dimm --overwrite` done, with its namespaces disabled"
    ),
    "nvdimm-secure-erase": _OF_THE_MODULE.format(
        what="erasing the key of a module",
        instead="have `ndctl sanitize-dimm --crypto-erase` done, with its namespaces disabled",
    ),
}
"""Techniques that are known by name and not carried out, with the reason and what to do instead."""

_FLASH_PURGE: dict[str, tuple[str, ...]] = {
    "ata": ("ata-sanitize-block-erase", "ata-sanitize-crypto-scramble", "ata-sanitize-overwrite"),
    "scsi": ("scsi-sanitize-block-erase", "scsi-sanitize-crypto-erase", "scsi-sanitize-overwrite"),
    "nvme": (
        "nvme-sanitize-crypto-erase+nvme-sanitize-block-erase",
        "nvme-sanitize-block-erase",
        "nvme-sanitize-crypto-erase",
        "nvme-sanitize-overwrite",
    ),
    "mmc": ("mmc-sanitize",),
}
_MAGNETIC_PURGE: dict[str, tuple[str, ...]] = {
    **_FLASH_PURGE,
    "ata": (
        "ata-sanitize-overwrite",
        "ata-sanitize-crypto-scramble",
        "ata-sanitize-block-erase",
        "ata-security-erase-enhanced",
    ),
    "scsi": ("scsi-sanitize-overwrite", "scsi-sanitize-crypto-erase", "scsi-sanitize-block-erase"),
}
_FLASH_CLEAR: dict[str, tuple[str, ...]] = {
    "ata": (*_FLASH_PURGE["ata"], "ata-security-erase-enhanced", "ata-security-erase", HOST),
    "scsi": (*_FLASH_PURGE["scsi"], HOST, "scsi-format-unit"),
    "nvme": ("nvme-format-user-data", *_FLASH_PURGE["nvme"], HOST, "nvme-format-crypto"),
    "mmc": (HOST, "mmc-sanitize", "mmc-secure-trim"),
}

_CRYPTO = {
    "ata-sanitize-crypto-scramble": ("ata-sanitize-block-erase", "ata-sanitize-overwrite"),
    "scsi-sanitize-crypto-erase": ("scsi-sanitize-block-erase", "scsi-sanitize-overwrite"),
    "nvme-sanitize-crypto-erase": ("nvme-sanitize-block-erase", "nvme-sanitize-overwrite"),
}
COMBINATIONS: frozenset[Steps] = frozenset((first, then) for first, after in _CRYPTO.items() for then in after)
"""A key goes first, then what it was for: the last step's result can be read back. Overwriting may precede any one
technique of the drive."""


def is_sanitize(step: str) -> bool:
    """Whether it is one of the SANITIZE commands."""
    return step.startswith(SANITIZE)


def is_combination(steps: Steps) -> bool:
    """Whether these techniques may follow one another in one run."""
    if len(steps) == 1:
        return True
    if steps[0] == HOST:
        return len(steps) == 2 and steps[1] not in {HOST, KEYS}
    return steps in COMBINATIONS


def interfaces(capabilities: Capabilities | None) -> tuple[str, ...]:
    """What the drive can be asked by, the most direct first. A SATA drive behind SCSI has both."""
    return tuple(name for name in INTERFACES if getattr(capabilities, name, None) is not None)


def candidates(method: str, media: str, spoken: Steps, known: Steps) -> tuple[Steps, ...]:
    """Everything there is to try for a method, the preferred first; what has no place in the order comes last.

    Args:
        method: clear or purge.
        media: magnetic, flash, virtual, unknown. Where it is unknown the order for flash is taken, which asks more.
        spoken: What the drive can be asked by (`interfaces`); nothing where the device has no command interface.
        known: Names of all of the drives' own techniques.
    """
    names: list[str] = []
    for interface in spoken:
        if media in {"magnetic", "virtual"}:
            names += ([HOST] if method == "clear" else []) + list(_MAGNETIC_PURGE[interface])
        else:
            names += _FLASH_CLEAR[interface] if method == "clear" else _FLASH_PURGE[interface]
    ordered = list(dict.fromkeys((*names, HOST, *known)))
    return tuple(tuple(each.split("+")) for each in ordered)
