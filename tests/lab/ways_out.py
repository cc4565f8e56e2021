"""The way out of every lock: a drive left hiding its medium says so, the message names a command, and the command opens it.

Looked at after a power cycle, as any host would find the drive, with what kept it from answering put right.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sanitizer.attending import unlock
from sanitizer.clearance import Confirmation
from sanitizer.errors import SanitizerError
from sanitizer.planning import SCOPES
from sanitizer.reverting import BY_LABEL, RecoveryRequest
from sanitizer.techniques.base import Escrow

from .drives.medium import Medium
from .drives.nvme import NvmeController
from .drives.nvme_world import nvme_world
from .drives.opal import PSID, Opal
from .drives.sat import SataDisk
from .drives.scsi import ScsiDisk
from .drives.scsi_world import scsi_world
from .drives.world import PATH, World

THEIRS = b"somebody else's password".ljust(32, b"\0")


def of_scsi(disk: SataDisk | ScsiDisk, kept: Sequence[Escrow]) -> str:
    """Empty, or why a SATA or SAS drive is locked without a way out."""
    tper = disk.ata.tper if isinstance(disk, SataDisk) else disk.tper
    opal = tper if isinstance(tper, Opal) else None
    if not (isinstance(disk, SataDisk) and disk.ata.security.user is not None) and not _hides(opal):
        return ""
    _mended(disk.medium)
    disk.power_cut()
    disk.power_on()
    disk.attention = None
    world = scsi_world(disk)
    found = _unlocked(world, disk, kept) if isinstance(disk, SataDisk) else ""
    return found or _brought_back(world, opal)


def of_nvme(controller: NvmeController) -> str:
    """The same of an NVMe drive."""
    opal = controller.subsystem.opal
    if not isinstance(opal, Opal) or not _hides(opal):
        return ""
    _mended(controller.subsystem.medium)
    controller.power_cut()
    controller.power_on()
    return _brought_back(nvme_world(controller), opal)


def _hides(opal: Opal | None) -> bool:
    return opal is not None and (opal.locked or opal.shadowed or opal.interrupted or opal.removing)


def _mended(medium: Medium) -> None:
    """Cable, host and clock are as they should be; what the drive did to itself stays."""
    faults = medium.faults
    faults.refuses, faults.frozen, faults.vanish_at, faults.silent, faults.latency = (
        frozenset(),
        False,
        None,
        False,
        0.0,
    )
    faults.failed_before = False
    medium.gone = False


def _remedies(world: World[Any]) -> dict[str, str]:
    return {each.code: each.remedy for each in world.inspect().obstacles}


def _unlocked(world: World[Any], disk: SataDisk, kept: Sequence[Escrow]) -> str:
    security = disk.ata.security
    if security.user is None:
        return ""
    if "sanitizer unlock" not in _remedies(world).get("security-locked", ""):
        return "nobody is told how to unlock it"
    if security.user != THEIRS and not kept:
        return "nobody keeps the password"
    try:
        unlock(world, PATH, THEIRS if security.user == THEIRS else kept[-1].secret)
    except SanitizerError as error:
        return f"the password that is kept does not open it: {error.summarize()}"
    return "" if security.user is None else "it keeps the password"


def _brought_back(world: World[Any], opal: Opal | None) -> str:
    if opal is None or not _hides(opal):
        return ""
    if (opal.locked or opal.shadowed) and "sanitizer recover" not in _remedies(world).get("opal-locked", ""):
        return "nobody is told how to bring it back"
    confirmation = Confirmation(fingerprint=world.inspect().fingerprint or "")
    asked = RecoveryRequest(technique=BY_LABEL, confirmation=confirmation, scope=tuple(SCOPES))
    with tempfile.TemporaryDirectory(prefix="lab-recovery-") as folder:
        try:
            recovery = world.recover(asked, Path(folder), PSID)
        except SanitizerError as error:
            return f"the number on its label does not bring it back: {error.summarize()}"
    return "" if recovery.in_service else f"it still is {', '.join(recovery.after)}"
