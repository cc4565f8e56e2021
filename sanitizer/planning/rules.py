"""Why a technique may not be planned for a device, beyond what the technique itself asks of the drive. Pure.

Every function answers with sentences; an empty answer is leave. What is not known is a reason.
"""

from __future__ import annotations

from sanitizer.capability import Capabilities, HiddenCapacity, NvmeCapabilities, SanitizePhase, Tri
from sanitizer.inspection import Inspection
from sanitizer.patterns import PATTERN_SETS, pattern_set
from sanitizer.quirks import QUIRKS

from .order import PASSWORD, is_sanitize
from .request import ANSWERS, AUTO, CANARIES, HOST, KEY_PATTERN, KEYS, SCOPES, PlanRequest

_FAILED = (SanitizePhase.FAILED, SanitizePhase.FAILED_RESTRICTED, SanitizePhase.FAILED_UNRESTRICTED)
_REVERTS = ("opal-revert", "opal-psid-revert")


def of_medium(inspection: Inspection) -> list[str]:
    """What every run needs, because it writes and reads back by block address."""
    reasons: list[str] = []
    if inspection.identity is None:
        reasons.append("the device has no readable identity")
    elif inspection.identity.capacity_bytes % inspection.identity.logical_block_bytes:
        reasons.append(
            "the capacity is no whole number of blocks, so the last bytes cannot be reached without the page cache"
        )
    if inspection.zoned is None:
        reasons.append("whether the device writes in zones is unknown")
    elif inspection.zoned:
        reasons.append("the device writes in zones")
    return reasons


def of_request(step: str, steps: tuple[str, ...], request: PlanRequest) -> list[str]:
    """Words of the request that do not go together with this technique."""
    reasons: list[str] = []
    if steps == (HOST,):
        if request.technique != AUTO and pattern_set(request.pattern_set) is None:
            reasons.append(f"no pattern set {request.pattern_set!r}; known are {', '.join(PATTERN_SETS)} and fixed:HEX")
    elif steps == (KEYS,):
        if request.technique != AUTO and request.pattern_set != KEY_PATTERN:
            reasons.append(f"to the key area {KEY_PATTERN!r} is written, and nothing else")
    elif request.technique != AUTO and request.pattern_set != CANARIES:
        reasons.append(f"a drive's own technique takes no pattern set but {CANARIES!r}")
    if step == HOST:
        return reasons
    if request.verification == "none":
        reasons.append("a drive's word is proven by reading back, so there is no run without verification")
    if request.technique == AUTO:
        return reasons
    if request.firmware_pattern and not any(each.endswith("-sanitize-overwrite") for each in steps):
        reasons.append("it takes no pattern")
    if request.no_deallocate and not any(each.startswith("nvme-sanitize-") for each in steps):
        reasons.append("leaving blocks allocated is a word of NVMe Sanitize only")
    return reasons


def in_failure_mode(capabilities: Capabilities) -> bool:
    """Whether the drive accepts nothing but another sanitize."""
    return capabilities.standing is not None and capabilities.standing.phase in _FAILED


def of_state(step: str, capabilities: Capabilities) -> list[str]:
    """What the drive is in the middle of, or stuck in; it stands against everything that does not lead out of it."""
    phase = capabilities.standing.phase if capabilities.standing is not None else None
    if phase is SanitizePhase.IN_PROGRESS:
        return ["the drive is in the middle of a sanitize operation: let it end first (sanitizer settle)"]
    reasons: list[str] = []
    if in_failure_mode(capabilities) and not is_sanitize(step):
        reasons.append("an earlier sanitize operation failed, and the drive accepts nothing but another one")
    opal = capabilities.opal
    if opal is not None:
        if Tri.YES in {opal.locked, opal.shadowed}:
            # Also against a revert, which would lead out: no mark could be written before, so nothing could be proven.
            reasons.append(
                "the drive hides its medium behind TCG locking and takes no marks: have it unlocked first, or bring it back "
                "with the number on its label (sanitizer recover)"
            )
        if step not in _REVERTS and Tri.YES in {opal.removal_running, opal.removal_interrupted}:
            reasons.append(
                "a TCG data removal is under way or was cut off: let it end, or revert the drive once more (sanitizer recover)"
            )
    if capabilities.ata is not None and capabilities.ata.security_locked is Tri.YES:
        reasons.append("the drive is locked by an ATA password: unlock it first (sanitizer unlock)")
    return reasons


def of_path(step: str, capabilities: Capabilities) -> list[str]:
    """What stands between this host and the drive."""
    if step != HOST and capabilities.path == "raid":
        return ["a RAID controller stands between: attach the physical drive directly"]
    return []


def _spoilt(effect: str, step: str, steps: tuple[str, ...]) -> bool:
    """Whether a trait of this effect speaks against the step; a key's end is no proof there, but may come first."""
    if effect == "crypto-not-trusted":
        # a container's cipher is the host's, not the drive's
        own = step != KEYS and ("crypto" in step or step in _REVERTS)
        return step == steps[-1] and own
    if effect in {"sanitize-stalls", "sanitize-blocked"}:
        return is_sanitize(step)
    if effect == "format-unusable":
        return step.startswith("nvme-format-")
    return step != HOST


def of_quirks(step: str, steps: tuple[str, ...], capabilities: Capabilities) -> list[str]:
    """What is known of this model and firmware; a trait nobody here has heard of speaks against every command."""
    known = {each.name: each for each in QUIRKS}
    reasons: list[str] = []
    for name in capabilities.quirks:
        quirk = known.get(name)
        if _spoilt(quirk.effect if quirk else "unknown", step, steps):
            reasons.append(
                f"{quirk.sentence} ({quirk.source})" if quirk else f"the drive has a trait unknown here: {name}"
            )
    return reasons


def of_hidden_capacity(step: str, capabilities: Capabilities) -> list[str]:
    """Hidden blocks are brought back first: what is written by address leaves them, and nothing can be read back there.

    A drive in failure mode takes nothing but a sanitize, also no command that shows its blocks: there the sanitize comes first.
    """
    hidden = capabilities.hidden
    by = f" ({', '.join(hidden.by)})" if hidden.by else ""
    if hidden.to_be_restored and not (in_failure_mode(capabilities) and is_sanitize(step)):
        what = "would leave it" if not is_sanitize(step) else "could not be proven there"
        return [f"part of the capacity is hidden{by}, and this {what}: restore it first (sanitizer restore-capacity)"]
    if step not in PASSWORD or hidden.present is Tri.NO:
        return []
    what = "part of the capacity is hidden" if hidden.present is Tri.YES else "whether capacity is hidden is unknown"
    return [f"{what}{by}, and a security erase may leave it: restore it first (sanitizer restore-capacity)"]


def of_answers(step: str, request: PlanRequest) -> list[str]:
    """Conditions nobody but a person knows (SP 800-88 Rev. 2, 3.2.2)."""
    if step != KEYS:
        return []
    return [
        f"somebody must vouch that {sentence} (answer {word})"
        for word, sentence in ANSWERS.items()
        if word not in request.answers
    ]


def _reaches_all_namespaces(step: str, nvme: NvmeCapabilities, *, neighbours: bool) -> bool:
    if step.startswith("nvme-format-"):  # NVMe Base, Identify Controller, FNA bits 0 and 1
        return nvme.format_all_namespaces is not Tri.NO or nvme.erase_all_namespaces is not Tri.NO
    return neighbours


def also_destroyed(step: str, capabilities: Capabilities, *, neighbours: bool) -> dict[str, str]:
    """What else this technique destroys, or may destroy: words of `SCOPES`, each with a sentence.

    Args:
        step: The technique.
        capabilities: Of the drive.
        neighbours: Whether the technique reaches beyond the device addressed (`Technique.destroys_neighbours`).
    """
    found: dict[str, str] = {}
    nvme = capabilities.nvme
    if nvme is not None and step not in {HOST, KEYS}:
        wide = _reaches_all_namespaces(step, nvme, neighbours=neighbours)
        found = _of_subsystem(nvme, capabilities.hidden) if wide else _of_namespace(nvme)
        if wide and step.startswith("nvme-format-"):
            found.pop("unallocated", None)
    areas = capabilities.mmc.areas if capabilities.mmc is not None else ()
    booting = [name for name, _ in areas if name.startswith(("boot", "gp"))]
    if neighbours and booting:
        found["boot-areas"] = f"the areas {', '.join(booting)} of this eMMC are erased too"
    return found


def _of_namespace(nvme: NvmeCapabilities) -> dict[str, str]:
    own = next((each for each in nvme.namespaces or () if each.nsid == nvme.namespace_id), None)
    if nvme.multi_controller is Tri.NO or (own is not None and own.shared is Tri.NO):
        return {}
    return {"other-controllers": "other controllers, perhaps of other hosts, may be using this namespace"}


def _of_subsystem(nvme: NvmeCapabilities, hidden: HiddenCapacity) -> dict[str, str]:
    found: dict[str, str] = {}
    others = [each.nsid for each in nvme.namespaces or () if each.nsid != nvme.namespace_id]
    if nvme.namespaces is None:
        found["other-namespaces"] = "it destroys every namespace of the drive, and which there are is unknown"
    elif others:
        found["other-namespaces"] = f"it destroys the other namespaces ({', '.join(map(str, others))}) too"
    if nvme.multi_controller is not Tri.NO:
        whether = "has" if nvme.multi_controller is Tri.YES else "may have"
        found["other-controllers"] = (
            f"the drive {whether} other controllers, and what their hosts keep on it is destroyed"
        )
    if nvme.unallocated_bytes is None and hidden.present is not Tri.NO:
        found["unallocated"] = "capacity of deleted namespaces is destroyed too, and how much there is is unknown"
    elif nvme.unallocated_bytes:
        found["unallocated"] = f"{nvme.unallocated_bytes} bytes that belong to no namespace are destroyed too"
    return found


def of_scope(step: str, capabilities: Capabilities, request: PlanRequest, *, neighbours: bool) -> list[str]:
    """Destruction beyond the device that nobody has accepted."""
    return [
        f"{sentence}: accept it by the word {word}"
        for word, sentence in also_destroyed(step, capabilities, neighbours=neighbours).items()
        if word not in request.acknowledged_scope and word in SCOPES
    ]
