"""What a drive says of its own sanitization, in the contract's words. Pure: it repeats, and judges nothing.

How far a technique gets is for the service to say, from one table for every agent; whether it can be used here and now is the
technique's own answer.
"""

from __future__ import annotations

from collections.abc import Iterator

from inventory.contract.v1.devices import DriveCapabilities, OwnTechnique
from sanitizer.capability import Capabilities, SanitizePhase, SanitizeStanding, Tri
from sanitizer.planning import KEYS
from sanitizer.planning.order import FAMILIES
from sanitizer.techniques import TECHNIQUES
from sanitizer.techniques.base import Parameters, Technique

_LONGEST = 500
_MOST_REASONS = 16
_WHOLE = 65536

_STANDINGS = {
    SanitizePhase.NEVER: "No sanitize operation was ever run, by the drive's account.",
    SanitizePhase.SUCCEEDED: "The newest sanitize operation succeeded, by the drive's account; when that was it does not say.",
    SanitizePhase.IN_PROGRESS: "A sanitize operation is in progress",
    SanitizePhase.FAILED: "The newest sanitize operation failed.",
    SanitizePhase.FAILED_RESTRICTED: "The newest sanitize operation failed; only another one is accepted.",
    SanitizePhase.FAILED_UNRESTRICTED: "The newest sanitize operation failed; the drive could be made to show old data again.",
    SanitizePhase.FROZEN: "Sanitize is frozen until the drive is powered off and on.",
    SanitizePhase.IDLE: "No sanitize operation is in progress; how the last one ended the drive does not say.",
    SanitizePhase.UNKNOWN: "Where its sanitize operation stands could not be learnt.",
}


def told(capabilities: Capabilities, capacity_bytes: int) -> DriveCapabilities:
    """The capabilities of one drive as the service shows them."""
    usable = [each for each in TECHNIQUES.values() if _has_interface(each, capabilities)]
    return DriveCapabilities(
        path=capabilities.path,
        standing=None if capabilities.standing is None else _standing(capabilities.standing),
        locks=tuple(_locks(capabilities)),
        hidden=_hidden(capabilities),
        techniques=tuple(_technique(each, capabilities, capacity_bytes) for each in usable),
    )


def _has_interface(technique: Technique, capabilities: Capabilities) -> bool:
    family = technique.name.split("-", maxsplit=1)[0]
    if technique.name == KEYS:
        return capabilities.container is not None
    return family in FAMILIES and getattr(capabilities, family) is not None


def _technique(technique: Technique, capabilities: Capabilities, capacity_bytes: int) -> OwnTechnique:
    reasons = technique.refusals(capabilities, Parameters())
    return OwnTechnique(
        name=technique.name,
        usable=not reasons,
        reasons=tuple(reason[:_LONGEST] for reason in reasons[:_MOST_REASONS]),
        estimate_seconds=technique.estimate_seconds(capabilities, capacity_bytes),
    )


def _standing(standing: SanitizeStanding) -> str:
    words = _STANDINGS[standing.phase]
    if standing.phase is not SanitizePhase.IN_PROGRESS:
        return words
    return f"{words}." if standing.progress is None else f"{words}: {standing.progress * 100 // _WHOLE} %."


def _locks(capabilities: Capabilities) -> Iterator[str]:
    """What stands in the way of using the drive; what is not known is left to the techniques' own reasons."""
    ata, opal = capabilities.ata, capabilities.opal
    if ata is not None:
        if ata.security_locked is Tri.YES:
            yield "Locked by an ATA password."
        elif ata.security_enabled is Tri.YES:
            yield "An ATA password is set: the drive locks itself when it loses power."
        if ata.attempts_exhausted is Tri.YES:
            yield "Too many wrong passwords: it takes another only after a power cycle."
        if ata.security_frozen is Tri.YES:
            yield "ATA security is frozen until the drive is powered off and on."
    if opal is not None:
        if opal.locked is Tri.YES:
            yield "Locked by TCG Opal."
        if opal.shadowed is Tri.YES:
            yield "The shadow MBR is shown instead of the medium."
        if opal.removal_interrupted is Tri.YES:
            yield "A TCG data removal was cut off and must be started again."
    standing = capabilities.standing
    if standing is not None and standing.phase.value.startswith("failed"):
        yield "In failure mode after a sanitize operation: reads and writes are refused."


def _hidden(capabilities: Capabilities) -> str:
    hidden = capabilities.hidden
    by = f" ({', '.join(hidden.by)})" if hidden.by else ""
    if hidden.present is Tri.NO:
        return "Nothing is hidden: every block the drive admits to can be addressed."
    if hidden.present is Tri.UNKNOWN:
        return f"Whether capacity is hidden is not known{by}."
    size = "" if hidden.native_bytes is None else f"; the drive has {hidden.native_bytes} bytes in all"
    return f"Part of the capacity is hidden{by}{size}."
