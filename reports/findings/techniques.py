"""How far each technique gets: the authority for what a record ACHIEVED. Standard library only.

The planner of the sanitizer says what a technique would reach; this table says what a record of it reached, and a contract test
keeps both equal. Purge needs a dedicated, standardized device command (SP 800-88 Rev. 2, 3.1.2). Where readings of the standard
differ, the lower level holds unless the order decided otherwise by a named setting, which the record must then state.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from typing import Literal, NamedTuple

Level = Literal["none", "clear", "purge"]
Ends = Literal["status", "answer"]
"""How its end is known: by a status the drive keeps, or with the command's own answer."""

KEYS = "luks-crypto-erase"
"""The host overwrites the keys of a container, and sends no command (Rev. 2, 3.2)."""
HOST = "overwrite"
"""Writing through the interface a user has: Clear, whatever the pattern and however often (Rev. 2, 3.1.1)."""

_ATA = frozenset({"ata", "scsi"})
"""ATA commands also travel inside SCSI ones (SAT), so that a SATA drive behind a SAS adapter may say it is a SCSI one."""
_SCSI = frozenset({"scsi", "ata"})
_NVME = frozenset({"nvme"})
_MMC = frozenset({"mmc"})
_OPAL = frozenset({"ata", "scsi", "nvme"})
_ANY = frozenset({"ata", "scsi", "nvme", "mmc", "virtio", "loop", "zram", "other"})
_MEDIUM = frozenset({"other"})


class Rule(NamedTuple):
    """What is known of one of the drives' own techniques."""

    kinds: frozenset[str]
    """Kinds of device it exists on."""
    opcodes: frozenset[str]
    """Of the command that does the work; empty where the kernel sends it and names none."""
    ends: Ends
    level: Level
    """The conservative reading."""
    setting: str | None = None
    """The disputed classification that raises it to Purge."""
    media: frozenset[str] = frozenset({"magnetic", "flash", "unknown"})
    """Media on which `level` holds; Clear on others."""
    setting_media: frozenset[str] = frozenset({"magnetic", "flash", "unknown"})
    """Media on which the setting counts."""
    content: frozenset[str] = frozenset({""})
    """What may be expected on the blocks afterwards, beside that no canary is left: nothing, zeros, uniform, pattern."""
    rests_on_encryption: bool = False
    """Whether only a key goes, and what was stored stays as ciphertext."""
    sanitize: bool = False
    """Whether it is a SANITIZE command, which by its definition reaches areas that a host cannot address."""
    on_request: bool = False
    """Whether the level rests on areas that a record does not name, so that it only counts where the planner was asked for it."""
    password: bool = False
    """Whether the drive is given a password first, which must never happen behind a bridge."""


_UNIFORM = frozenset({"zeros", "uniform"})
_INDETERMINATE = frozenset({"", "zeros", "uniform"})

DRIVE: dict[str, Rule] = {
    # ATA, SANITIZE DEVICE (ACS-3 and later)
    "ata-sanitize-crypto-scramble": Rule(
        _ATA, frozenset({"b4"}), "status", "purge", rests_on_encryption=True, sanitize=True
    ),
    "ata-sanitize-block-erase": Rule(_ATA, frozenset({"b4"}), "status", "purge", content=_INDETERMINATE, sanitize=True),
    "ata-sanitize-overwrite": Rule(
        _ATA, frozenset({"b4"}), "status", "purge", content=frozenset({"pattern", "zeros"}), sanitize=True
    ),
    # ATA, Security feature set: enhanced erase is Purge for hard disks and Clear for flash (SP 800-88 Rev. 1, tables)
    "ata-security-erase": Rule(_ATA, frozenset({"f4"}), "answer", "clear", content=_UNIFORM, password=True),
    "ata-security-erase-enhanced": Rule(
        _ATA,
        frozenset({"f4"}),
        "answer",
        "purge",
        setting="enhanced-erase-is-purge-on-flash",
        media=frozenset({"magnetic"}),
        setting_media=frozenset({"flash"}),
        content=_INDETERMINATE,
        password=True,
    ),
    # SCSI, SANITIZE (SBC-3 and later); FORMAT UNIT removes data only as a side effect
    "scsi-sanitize-overwrite": Rule(
        _SCSI, frozenset({"48"}), "status", "purge", content=frozenset({"pattern", "zeros"}), sanitize=True
    ),
    "scsi-sanitize-block-erase": Rule(
        _SCSI, frozenset({"48"}), "status", "purge", content=_INDETERMINATE, sanitize=True
    ),
    "scsi-sanitize-crypto-erase": Rule(
        _SCSI, frozenset({"48"}), "status", "purge", rests_on_encryption=True, sanitize=True
    ),
    "scsi-format-unit": Rule(_SCSI, frozenset({"04"}), "answer", "clear", content=_INDETERMINATE),
    # NVMe: Sanitize is Purge; Format was counted as Purge before Sanitize existed (Rev. 1, table A-8), and is disputed since
    "nvme-sanitize-crypto-erase": Rule(
        _NVME, frozenset({"84"}), "status", "purge", rests_on_encryption=True, sanitize=True
    ),
    "nvme-sanitize-block-erase": Rule(
        _NVME, frozenset({"84"}), "status", "purge", content=_INDETERMINATE, sanitize=True
    ),
    "nvme-sanitize-overwrite": Rule(
        _NVME, frozenset({"84"}), "status", "purge", content=frozenset({"", "pattern", "zeros"}), sanitize=True
    ),
    "nvme-format-user-data": Rule(
        _NVME, frozenset({"80"}), "answer", "clear", setting="nvme-format-user-data-is-purge", content=_INDETERMINATE
    ),
    "nvme-format-crypto": Rule(
        _NVME,
        frozenset({"80"}),
        "answer",
        "clear",
        setting="nvme-format-crypto-is-purge",
        content=_INDETERMINATE,
        rests_on_encryption=True,
    ),
    # eMMC (JESD84): sanitize purges what is no longer mapped, after every area was erased
    "mmc-sanitize": Rule(_MMC, frozenset({"06"}), "answer", "purge", content=_UNIFORM, sanitize=True, on_request=True),
    "mmc-secure-trim": Rule(_MMC, frozenset(), "answer", "clear", content=_UNIFORM),
    # TCG Opal, LUKS2: a key goes. That of LUKS2 the host overwrites; on flash a copy of it may live on in spare blocks
    "opal-revert": Rule(
        _OPAL, frozenset(), "status", "clear", setting="opal-revert-is-purge", rests_on_encryption=True
    ),
    "opal-psid-revert": Rule(
        _OPAL, frozenset(), "status", "clear", setting="opal-revert-is-purge", rests_on_encryption=True
    ),
    "luks-crypto-erase": Rule(
        _ANY,
        frozenset(),
        "answer",
        "clear",
        setting="luks-crypto-erase-is-purge",
        setting_media=frozenset({"magnetic"}),
        rests_on_encryption=True,
    ),
    # NVDIMM: nothing here sends these yet, and nothing says how far a module takes them
    "nvdimm-overwrite": Rule(_MEDIUM, frozenset(), "answer", "clear", content=_INDETERMINATE),
    "nvdimm-secure-erase": Rule(_MEDIUM, frozenset(), "answer", "clear", rests_on_encryption=True),
}
"""Every technique of the drives that a record may name."""

TECHNIQUES = frozenset({HOST, *DRIVE})
SETTINGS = frozenset(rule.setting for rule in DRIVE.values() if rule.setting is not None)
"""Disputed classifications an order may decide."""


@lru_cache(maxsize=256)
def steps_of(technique: str) -> tuple[str, ...] | None:
    """The steps a technique names, in order; None where it is not understood.

    `overwrite` stands alone or first, `luks-crypto-erase` alone, and nothing stands there twice.
    """
    steps = tuple(technique.split("+"))
    known = all(step in TECHNIQUES for step in steps) and len(set(steps)) == len(steps)
    apart = KEYS not in steps or len(steps) == 1
    return steps if known and apart and HOST not in steps[1:] else None


def by_drive(technique: str) -> bool:
    """Whether the drive does one of the steps by a command of its own."""
    return any(step in DRIVE and step != KEYS for step in steps_of(technique) or ())


def by_keys(technique: str) -> bool:
    """Whether the host destroys the keys of a container."""
    return steps_of(technique) == (KEYS,)


def level_of(step: str, media: str, settings: Collection[str] = ()) -> Level:
    """How far one step gets on this kind of medium.

    Args:
        step: A word of `TECHNIQUES`; any other reaches nothing.
        media: magnetic, flash, virtual or unknown. Of a virtual one only what a guest sees is reached.
        settings: The disputed classifications decided otherwise than the conservative default.
    """
    if step == HOST:
        return "clear"
    rule = DRIVE.get(step)
    if rule is None:
        return "none"
    if rule.level == "purge" and media in rule.media:
        return "purge"
    raised = rule.setting is not None and rule.setting in settings and media in rule.setting_media
    return "purge" if raised else "clear"


def highest(levels: Collection[Level]) -> Level:
    """The highest of several levels; none of none."""
    return "purge" if "purge" in levels else "clear" if "clear" in levels else "none"
