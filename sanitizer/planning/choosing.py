"""From what was asked to what will be done, or a reason per technique why nothing fits. Pure.

Nothing is ever planned that reaches less than the method asked for, and no technique is used in place of the one named.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from sanitizer.capability import Capabilities, HiddenCapacity, SanitizePhase, Tri
from sanitizer.errors import NoTechnique
from sanitizer.inspection import PERSISTENT, Inspection
from sanitizer.patterns import Keyed, PatternSet, pattern_set
from sanitizer.techniques import TECHNIQUES
from sanitizer.techniques.base import Aftermath, Level, Parameters, Reach, Technique
from sanitizer.techniques.luks import ABSENT as NO_CONTAINER
from sanitizer.techniques.nvme_sanitize import stays_readable

from . import rules
from .disputes import DISPUTES
from .order import BY_NAME_ONLY, FAMILIES, NOT_SENT, Steps, candidates, interfaces, is_combination, is_sanitize
from .plans import Plan, Rejected
from .request import AUTO, CANARIES, HOST, KEYS, PlanRequest, misspelt

_MARKS = PatternSet(name=CANARIES, passes=(Keyed(),))
_RANK: dict[str, int] = {"clear": 1, "purge": 2, "destroy": 3}

_KEPT = "its blocks stay allocated, so that reading back sees the media (no-deallocate)"
_UNSEEN = (
    "its blocks are deallocated with it, and it may answer for those without a look at the media: reading back then proves "
    "that nothing is returned, and what became of the media is the drive's word"
)
_NAMES = ("Opal", "Linux", "LUKS")
_SILENT = Capabilities(
    path="unknown", standing=None, hidden=HiddenCapacity(native_bytes=None, present=Tri.UNKNOWN, by=())
)
"""A device that says nothing of itself."""

Catalogue = Mapping[str, Technique]


@dataclass(frozen=True, kw_only=True)
class _Weighed:
    """One candidate held against the device."""

    steps: Steps
    reasons: tuple[str, ...]
    """Why not; empty when it fits."""
    reaches: tuple[Reach, ...] = ()

    @property
    def technique(self) -> str:
        return "+".join(self.steps)


def parameters_of(request: PlanRequest) -> Parameters:
    """What the request fixes for every technique."""
    return Parameters(
        pattern=bytes.fromhex(request.firmware_pattern or "00000000"),
        no_deallocate=request.no_deallocate,
        settings=request.settings,
    )


def _parameters(steps: Steps, request: PlanRequest, capabilities: Capabilities | None) -> Parameters:
    """The same for one plan: where the drive can, it is asked to leave its blocks allocated, so that reading sees the media."""
    asked = parameters_of(request)
    kept = capabilities is not None and stays_readable(steps[-1], capabilities)
    return dataclasses.replace(asked, no_deallocate=True) if kept else asked


def clause_of(sentence: str) -> str:
    """A sentence as part of another one: without full stop, its first word in lower case unless it is a name."""
    text = sentence.rstrip(".")
    ordinary = text[:2].istitle() and not text.startswith(_NAMES)
    return text[:1].lower() + text[1:] if ordinary else text


def _host_reach(media: str) -> Reach:
    reason = {
        "magnetic": "every block the host can address is written anew; sectors the drive has replaced are not",
        "flash": "the host writes what it can address; a flash drive keeps older copies where no address leads",
        PERSISTENT: "every byte of the namespace is written anew; what the module keeps apart from it is not",
        "virtual": "only this guest's view is written anew; snapshots and copies beneath it stay",
    }.get(media, "the host writes what it can address; what kind of medium lies beneath is unknown")
    return Reach(level="clear", reason=reason, clause="NIST SP 800-88 Rev. 2, 3.1.1")


def _reach(step: str, inspection: Inspection, parameters: Parameters, catalogue: Catalogue) -> Reach:
    if step == KEYS:  # the container may be gone already, in a run that goes on
        return catalogue[step].reach(inspection.capabilities or _SILENT, inspection.media, parameters)
    if step == HOST or inspection.capabilities is None:
        return _host_reach(inspection.media)
    return catalogue[step].reach(inspection.capabilities, inspection.media, parameters)


def _out_of_reach(step: str, capabilities: Capabilities | None, catalogue: Catalogue) -> str:
    """Why the step cannot even be asked about here; empty when it can."""
    family = step.split("-", maxsplit=1)[0]
    if step == HOST:
        return ""
    if step not in catalogue:
        return NOT_SENT.get(step, "not a technique of this tool")
    if step == KEYS:
        return "" if capabilities is not None and capabilities.container is not None else NO_CONTAINER
    if capabilities is None or not (interfaces(capabilities) or capabilities.opal):
        return "the device has no command interface that could be asked"
    if family in FAMILIES and getattr(capabilities, family) is None:
        return f"the drive does not speak {FAMILIES[family]}, or nothing of it could be read"
    return ""


def _against_step(
    step: str, steps: Steps, request: PlanRequest, inspection: Inspection, catalogue: Catalogue
) -> list[str]:
    """Why this one step may not be part of the plan."""
    capabilities = inspection.capabilities
    out_of_reach = _out_of_reach(step, capabilities, catalogue)
    if out_of_reach:
        return [out_of_reach]
    stuck = rules.of_state(step, capabilities) if capabilities is not None else []
    if stuck:
        return stuck  # nothing else matters until the drive is out of this state
    reasons = rules.of_medium(inspection) + rules.of_request(step, steps, request) + rules.of_answers(step, request)
    if capabilities is None:
        return reasons
    neighbours = step != HOST and catalogue[step].destroys_neighbours
    reasons += rules.of_path(step, capabilities) + rules.of_quirks(step, steps, capabilities)
    reasons += rules.of_hidden_capacity(step, capabilities)
    reasons += rules.of_scope(step, capabilities, request, neighbours=neighbours)
    if step != HOST:
        reasons += map(clause_of, catalogue[step].refusals(capabilities, parameters_of(request)))
    return reasons


def _too_low(
    steps: Steps, reaches: tuple[Reach, ...], request: PlanRequest, inspection: Inspection, catalogue: Catalogue
) -> list[str]:
    """Why these steps do not reach the method, with the settings that would decide otherwise."""
    wanted = _RANK[request.method]
    best = max(reaches, key=lambda reach: _RANK[reach.level])
    if _RANK[best.level] >= wanted:
        return []
    if steps == (HOST,):
        return [f"reaches {best.level}, never {request.method}"]
    why = clause_of(best.reason)
    reasons = [f"reaches {best.level} on this medium, not {request.method}: {why} ({best.clause})"]
    for dispute in DISPUTES.values():
        for step in set(dispute.techniques) & set(steps):
            parameters = dataclasses.replace(parameters_of(request), settings=(*request.settings, dispute.name))
            if _RANK[_reach(step, inspection, parameters, catalogue).level] >= wanted:
                reasons.append(f"it would reach {request.method} with the setting {dispute.name}")
    return reasons


def _weigh(steps: Steps, request: PlanRequest, inspection: Inspection, catalogue: Catalogue) -> _Weighed:
    reasons: list[str] = []
    if not is_combination(steps):
        reasons.append("these techniques do not follow one another in one run")
    if request.technique == AUTO and steps[-1] in BY_NAME_ONLY:
        reasons.append(BY_NAME_ONLY[steps[-1]])
    for step in steps:
        reasons += _against_step(step, steps, request, inspection, catalogue)
    reaches: tuple[Reach, ...] = ()
    if request.method in _RANK and not any(_out_of_reach(s, inspection.capabilities, catalogue) for s in steps):
        reaches = tuple(_reach(step, inspection, parameters_of(request), catalogue) for step in steps)
        reasons = _too_low(steps, reaches, request, inspection, catalogue) + reasons
    return _Weighed(steps=steps, reasons=tuple(dict.fromkeys(reasons)), reaches=reaches)


def _notes(steps: Steps, inspection: Inspection, parameters: Parameters) -> tuple[str, ...]:
    """What a person should know of this plan on this device."""
    capabilities = inspection.capabilities
    notes: list[str] = []
    beyond = any(is_sanitize(step) for step in steps)
    present = capabilities.hidden.present if capabilities is not None else None
    hidden = present.value if present is not None else inspection.hidden_capacity
    unallocated = capabilities is not None and capabilities.nvme is not None  # told below in its own words
    if hidden != Tri.NO and not unallocated:
        what = "part of the capacity is hidden" if hidden == Tri.YES else "whether capacity is hidden is unknown"
        then = "a sanitize command reaches it all the same" if beyond else "nothing here would reach what is hidden"
        notes.append(f"{what}: {then}, and it cannot be read back")
    if hidden == Tri.YES and inspection.media == PERSISTENT:
        notes.append(
            "what is missing are other namespaces of the modules, or tables the kernel keeps beside this one: one namespace in "
            "raw mode over the whole region shows all of it"
        )
    if steps == (KEYS,):
        notes.append(
            "what was stored stays on the medium as ciphertext: with a copy of the key, or of the header and a passphrase, it "
            "can be read"
        )
    if capabilities is None:
        return tuple(notes)
    nvme = capabilities.nvme
    if nvme is not None and not beyond and capabilities.hidden.present is not Tri.NO:
        amount = "an unknown number of" if nvme.unallocated_bytes is None else str(nvme.unallocated_bytes)
        notes.append(f"{amount} bytes of the drive belong to no namespace and are not reached")
    if nvme is not None and beyond:
        notes.append("the drive's boot partitions, its replay protected memory and its firmware are not touched")
        notes.append(_KEPT if parameters.no_deallocate else _UNSEEN)
    if capabilities.standing is not None and capabilities.standing.phase.value.startswith(SanitizePhase.FAILED.value):
        notes.append(
            "an earlier sanitize operation failed: one sanitize leads out of that; then it is marked, and sanitized again"
        )
    if steps not in {(HOST,), (KEYS,)} and capabilities.path == "usb-bridge":
        notes.append(
            "a USB bridge stands between: such bridges drop commands and cut them off; attach the drive directly"
        )
    return tuple(notes)


def _made(
    chosen: _Weighed, rejected: tuple[Rejected, ...], request: PlanRequest, inspection: Inspection, catalogue: Catalogue
) -> Plan:
    identity, capabilities = inspection.identity, inspection.capabilities
    asked = pattern_set(request.pattern_set) or pattern_set("keyed-stream")
    if identity is None or asked is None:
        raise RuntimeError("the rules let no device without identity and no unknown pattern set pass")
    parameters = _parameters(chosen.steps, request, capabilities)
    drives = [catalogue[step] for step in chosen.steps if step != HOST]
    also: dict[str, None] = {}
    estimates: list[int | None] = [None] * (len(chosen.steps) - len(drives))
    for each in drives:
        if capabilities is None:  # of a run that goes on while the drive does not answer
            estimates.append(None)
            continue
        found = rules.also_destroyed(each.name, capabilities, neighbours=each.destroys_neighbours)
        also.update(dict.fromkeys(found.values()))
        estimates.append(each.estimate_seconds(capabilities, identity.capacity_bytes))
    aftermath: Aftermath = "undefined"
    if drives and capabilities is not None:
        aftermath = drives[-1].aftermath(capabilities, parameters)
    level: Level = "purge" if any(reach.level == "purge" for reach in chosen.reaches) else "clear"
    return Plan(
        request=request,
        patterns=_MARKS if chosen.steps not in {(HOST,), (KEYS,)} else asked,
        capacity_bytes=identity.capacity_bytes,
        steps=chosen.steps,
        parameters=parameters,
        level=level,
        reaches=chosen.reaches,
        titles=tuple("overwriting by the host" if s == HOST else catalogue[s].title for s in chosen.steps),
        aftermath=aftermath,
        rejected=rejected,
        also_destroyed=tuple(also),
        notes=_notes(chosen.steps, inspection, parameters),
        estimates=tuple(estimates),
    )


def plan(request: PlanRequest, inspection: Inspection, techniques: Catalogue = TECHNIQUES) -> Plan:
    """Turn a request into a plan for this device.

    Args:
        request: What is asked for.
        inspection: The device; its `capabilities` are None where it has no command interface.
        techniques: The drives' own techniques by name.

    Raises:
        NoTechnique: nothing here reaches what was asked, with every reason found.
    """
    words = misspelt(request)
    if request.method == "destroy":
        words.append(
            "destroy: no software destroys a medium (SP 800-88 Rev. 2, 3.1.3); purge it, then have it destroyed"
        )
    if words:
        request = dataclasses.replace(request, firmware_pattern="")  # the rest is still worth telling
    if request.technique == AUTO:
        tried = candidates(request.method, inspection.media, interfaces(inspection.capabilities), tuple(techniques))
        if inspection.media == PERSISTENT:
            tried += tuple((name,) for name in NOT_SENT)
    else:
        tried = (request.steps,)
    weighed = [_weigh(steps, request, inspection, techniques) for steps in tried]
    chosen = next((each for each in weighed if not each.reasons), None)
    rejected = tuple(Rejected(technique=each.technique, reasons=each.reasons) for each in weighed if each.reasons)
    if words or chosen is None:
        named = tuple(f"{each.technique}: {reason}" for each in rejected for reason in each.reasons)
        raise NoTechnique(fingerprint=inspection.fingerprint, reasons=(*words, *named))
    return _made(chosen, rejected, request, inspection, techniques)


def plan_again(request: PlanRequest, inspection: Inspection, steps: Steps, techniques: Catalogue = TECHNIQUES) -> Plan:
    """The plan of a run that goes on: what was decided when it began is not decided anew.

    The drive may be in the middle of what the run has started, and tells little of itself meanwhile. Whatever is still to be sent
    is held against the drive again by the engine (`Technique.refusals`) right before.

    Args:
        request: What the run's order asks for.
        inspection: The device as it is now.
        steps: The techniques of the run, as its journal has them.
        techniques: The drives' own techniques by name.

    Raises:
        NoTechnique: the steps are not those of the request, or the device cannot be told from another.
    """
    words = misspelt(request)
    if inspection.identity is None:
        words.append("the device has no readable identity")
    if request.technique not in {AUTO, "+".join(steps)} or any(s != HOST and s not in techniques for s in steps):
        words.append(f"{'+'.join(steps)}: not what was asked for ({request.technique})")
    if words:
        raise NoTechnique(fingerprint=inspection.fingerprint, reasons=tuple(words))
    reaches = tuple(_reach(step, inspection, parameters_of(request), techniques) for step in steps)
    return _made(_Weighed(steps=steps, reasons=(), reaches=reaches), (), request, inspection, techniques)
