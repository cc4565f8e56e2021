"""The drives' own sanitization, one technique a class; what each needs, how far it reaches, how its end is known.

base.py           the protocol, and the values that pass through it
needs.py          what stands against a technique, as sentences
reaching.py       how far it gets, and the disputed classifications
patience.py       how long to wait
sending.py        the one way a command takes: written down, clearance proven, sent, answer read
ata_*, scsi_*, nvme_*, mmc, opal   the techniques
luks             the one that the host carries out itself
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from . import ata_sanitize, ata_security, luks, mmc, nvme_format, nvme_sanitize, opal, scsi_format, scsi_sanitize
from .base import Technique

_ALL: tuple[Technique, ...] = (
    nvme_sanitize.CRYPTO_ERASE,
    nvme_sanitize.BLOCK_ERASE,
    nvme_sanitize.OVERWRITE,
    nvme_format.USER_DATA,
    nvme_format.CRYPTO,
    ata_sanitize.CRYPTO_SCRAMBLE,
    ata_sanitize.BLOCK_ERASE,
    ata_sanitize.OVERWRITE,
    ata_security.ENHANCED,
    ata_security.NORMAL,
    scsi_sanitize.CRYPTO_ERASE,
    scsi_sanitize.BLOCK_ERASE,
    scsi_sanitize.OVERWRITE,
    scsi_format.FORMAT_UNIT,
    mmc.SANITIZE,
    mmc.SECURE_TRIM,
    opal.REVERT,
    opal.PSID_REVERT,
    luks.CRYPTO_ERASE,
)

TECHNIQUES: Mapping[str, Technique] = MappingProxyType({each.name: each for each in _ALL})
"""By name, in the record's vocabulary; per interface the ones that reach further come first."""


def technique(name: str) -> Technique:
    """The technique of this name. Raises `KeyError`: it is none of the drives' own."""
    return TECHNIQUES[name]
