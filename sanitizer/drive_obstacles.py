"""What a drive's own state says against writing to it. Pure; which plans an obstacle concerns is decided in `clearance`.

A drive in the midst of a sanitize, in failure mode or behind a lock answers reads with errors or with zeros: nothing it
returns says what the medium holds.
"""

from __future__ import annotations

from collections.abc import Iterator

from .capability import Capabilities, SanitizePhase, Tri
from .errors import (
    CapacityHidden,
    InFailureMode,
    OddBlockSize,
    OpalLocked,
    ReadOnlyDevice,
    Refused,
    SanitizeInProgress,
    SecurityLocked,
)

_MODES = {
    SanitizePhase.FAILED_RESTRICTED: "restricted",
    SanitizePhase.FAILED_UNRESTRICTED: "unrestricted",
    SanitizePhase.FAILED: "unknown",
}


def of_drive(capabilities: Capabilities, path: str) -> Iterator[Refused]:
    """The obstacles in the drive's own words.

    Args:
        capabilities: As read just now.
        path: Of the node, for the message.
    """
    standing = capabilities.standing
    if standing is not None and standing.phase is SanitizePhase.IN_PROGRESS:
        yield SanitizeInProgress(progress=standing.progress)
    if standing is not None and standing.phase in _MODES:
        yield InFailureMode(mode=_MODES[standing.phase])
    if capabilities.ata is not None and capabilities.ata.security_locked is Tri.YES:
        yield SecurityLocked(attempts_exhausted=capabilities.ata.attempts_exhausted.value)
    if capabilities.opal is not None:
        told = {"locked": capabilities.opal.locked, "shadowed": capabilities.opal.shadowed}
        state = tuple(word for word, value in told.items() if value is Tri.YES)
        if state:
            yield OpalLocked(state=state)
    if capabilities.hidden.to_be_restored and (standing is None or standing.phase not in _MODES):
        # In failure mode a sanitize comes first: the drive takes no command that would show its blocks.
        yield CapacityHidden(hidden_by=capabilities.hidden.by, native_bytes=capabilities.hidden.native_bytes)
    if _write_protected(capabilities):
        yield ReadOnlyDevice(nodes=(path,))
    block = odd_block_bytes(capabilities)
    if block is not None:
        yield OddBlockSize(block_bytes=block)


def _write_protected(capabilities: Capabilities) -> bool:
    if capabilities.scsi is not None and capabilities.scsi.write_protected is Tri.YES:
        return True
    if capabilities.nvme is None:
        return False
    own = capabilities.nvme.namespace_id
    return any(n.write_protected is Tri.YES for n in capabilities.nvme.namespaces or () if n.nsid == own)


def odd_block_bytes(capabilities: Capabilities) -> int | None:
    """The block size, where it is no power of two; None otherwise."""
    scsi = capabilities.scsi
    return scsi.block_bytes if scsi is not None and scsi.protection_bytes else None


def medium_answers(capabilities: Capabilities | None) -> bool:
    """Whether what is read from the medium now would be the medium: no sanitize, failure mode or lock stands before it.

    Reading in the middle of a sanitize can hang for as long as that takes: the kernel repeats the request.
    """
    if capabilities is None:
        return True
    obstacles = of_drive(capabilities, "")
    return not any(isinstance(o, SanitizeInProgress | InFailureMode | SecurityLocked | OpalLocked) for o in obstacles)
