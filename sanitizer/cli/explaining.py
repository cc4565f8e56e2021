"""A plan in plain words, for somebody who has to decide whether to type the command at the end. Pure: text out."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterator, Mapping, Sequence

from sanitizer.errors import Refused
from sanitizer.inspection import Inspection
from sanitizer.patterns import PATTERN_SETS, Fixed, Keyed, Template
from sanitizer.planning import HOST, PASSWORD, Plan, PlanRequest, Rejected
from sanitizer.techniques import TECHNIQUES
from sanitizer.techniques.base import Technique

from .output import grouped, size, spell_out

WIDTH = 100
_READ_AT = 150_000_000
"""Bytes a second of a slow disk: for saying how long a traversal would be at least at that speed, never for promising it."""

METHODS = {
    "clear": "clear. Nobody who uses the drive's normal interface shall find the data (NIST SP 800-88 Rev. 2, 3.1.1).",
    "purge": "purge. Not even a laboratory shall recover the data, and the drive stays usable (NIST SP 800-88 Rev. 2, 3.1.2).",
    "destroy": "destroy. The data cannot be recovered and the medium cannot be used again (NIST SP 800-88 Rev. 2, 3.1.3).",
}
_AFTERWARDS = {
    "zeros": ", and every block read must hold zeros",
    "uniform": ", and every block read must hold one and the same byte",
    "pattern": ", and every block read must hold the pattern",
    "undefined": "",
}


def wrapped(text: str, first: str = "", then: str | None = None) -> str:
    """A paragraph no wider than `WIDTH`."""
    indent = first if then is None else then
    return textwrap.fill(
        text, WIDTH, initial_indent=first, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _listed(sentences: Sequence[str]) -> Iterator[str]:
    return (wrapped(f"{sentence[:1].upper()}{sentence[1:].rstrip('.')}.", "  - ", "    ") for sentence in sentences)


def _device(inspection: Inspection) -> Iterator[str]:
    identity = inspection.identity
    names = (
        [identity.vendor, identity.model, f"serial {identity.serial}" if identity.serial else None] if identity else []
    )
    told = [" ".join(name for name in names[:2] if name), *names[2:], size(inspection.capacity_bytes), inspection.media]
    yield f"{inspection.path}: {', '.join(each for each in told if each)}"
    yield f"fingerprint: {grouped(inspection.fingerprint or 'none: identity unreadable')}"


def _traversal(planned: Plan) -> str:
    seconds = planned.capacity_bytes // _READ_AT
    if seconds < 60:
        return "under a minute at 150 MB/s"
    return f"{spell_out(seconds)} at 150 MB/s"


def _where(planned: Plan) -> str:
    if planned.request.verification == "full" or planned.steps[0] == HOST:
        return "every block"
    return "at least a tenth of all blocks, chosen anew for this run, the first and the last among them"


def _drive_step(planned: Plan, place: int, catalogue: Mapping[str, Technique]) -> str:
    name, reach, seconds = planned.steps[place], planned.reaches[place], planned.estimates[place]
    technique = catalogue[name]
    parts = [
        f"{technique.title} ({technique.clause}). It reaches {reach.level}: {reach.reason.rstrip('.')} ({reach.clause})."
    ]
    if reach.setting:
        parts.append(f"This rests on the setting {reach.setting}, which not everybody agrees with.")
    parts.append(
        "How long it takes the drive does not say." if seconds is None else f"The drive says: {spell_out(seconds)}."
    )
    if technique.blocking:
        parts.append("The drive answers nothing until it is over.")
    parts.append(
        "It cannot be stopped, and goes on by itself after a power cut."
        if technique.resumes
        else "A power cut would leave it half done: keep the power on."
    )
    if name in PASSWORD:
        parts.append(
            "The drive is given a password first and is locked by it until the erase has succeeded; the password is written to "
            "the escrow file before, and `sanitizer unlock` takes it away again."
        )
    return " ".join(parts)


def _content(template: Template) -> str:
    if isinstance(template, Keyed):
        return "a stream that only this run's key can make (keyed-stream)"
    return template.label if isinstance(template, Fixed) else "a byte drawn for this run"


def _steps(planned: Plan, catalogue: Mapping[str, Technique]) -> Iterator[str]:
    """What is done, in order."""
    check = planned.request.verification
    if planned.by_keys:
        yield from _key_steps(planned)
        return
    if not planned.by_drive:
        for each in planned.patterns.passes:
            yield f"Write {_content(each)} to every block: {_traversal(planned)}."
        if check != "none":
            part = (
                "all blocks" if check == "full" else "at least a tenth of all blocks, the first and the last among them"
            )
            yield f"Read back, past the page cache, {part}, and compare."
        return
    yield (
        f"Mark the medium: write a pattern only this run knows (canaries) to {_where(planned)}, and read it back. "
        "It must be gone afterwards; a drive that says success and erases nothing is found out by it. "
        f"Writing all blocks is {_traversal(planned)}."
    )
    for place, name in enumerate(planned.steps):
        if name != HOST:
            yield _drive_step(planned, place, catalogue)
    yield "Look at the drive again: it must be the same one, as large as before."
    yield f"Read the same blocks: no canary may be left{_AFTERWARDS[planned.aftermath]}."


def _key_steps(planned: Plan) -> Iterator[str]:
    """What is done where keys are destroyed."""
    reach = planned.reaches[0]
    yield (
        f"Read {_where(planned)}, before anything is written: each must be ciphertext, or hold one byte value throughout as what "
        "was never written does. If there is anything else, nothing is done."
    )
    yield (
        "Write a stream nobody can foresee to every byte before the ciphertext (both copies of the header and all key slots), "
        "and read all of it back; then zeros, and read all of them back."
    )
    yield "Look at every place where a copy of the header may stand: none may be left."
    yield "Read the same blocks as in the beginning: they must be the ciphertext they were."
    yield f"This reaches {reach.level}: {reach.reason} ({reach.clause})."
    if reach.setting:
        yield f"This rests on the setting {reach.setting}, which not everybody agrees with."


def _how_long(planned: Plan) -> str:
    if planned.by_keys:
        return f"reading twice is nearly all of it: all blocks once is {_traversal(planned)}."
    known = planned.estimate_seconds
    own = (
        "the drive gives no estimate for its own part"
        if known is None
        else f"the drive itself says {spell_out(known)} for its own part"
    )
    rest = f"writing and reading back depend on the drive's speed: all blocks once is {_traversal(planned)}"
    return f"{own}; {rest}." if planned.by_drive else f"{rest}."


def groups(rejected: Sequence[Rejected]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Rejected techniques with their reasons; those of one interface that share all reasons are told together.

    Where a whole interface is missing, the names of its techniques tell nothing.
    """
    by_reasons: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for each in rejected:
        family = each.technique.split("-", maxsplit=1)[0]
        by_reasons.setdefault((family, each.reasons), []).append(each.technique)
    for (family, reasons), names in by_reasons.items():
        absent = len(names) > 1 and reasons[0].startswith(("the drive does not speak", "the device has no command"))
        yield (f"{family}-... ({len(names)} techniques)" if absent else ", ".join(names)), reasons


def rejections(rejected: Sequence[Rejected]) -> Iterator[str]:
    """Lines of a table: technique, reasons."""
    for name, reasons in groups(rejected):
        yield wrapped(name, "  ")
        yield from (wrapped(f"{reason[:1].upper()}{reason[1:].rstrip('.')}.", "    ") for reason in reasons)


def command(planned: Plan, path: str) -> str:
    """What to type to carry the plan out, the technique chosen by name."""
    asked = planned.explicit
    words = ["sanitizer", "wipe", path, "--method", asked.method, "--technique", asked.technique]
    if not planned.by_drive and not planned.by_keys and asked.pattern_set != "keyed-stream":
        words += ["--pattern-set", asked.pattern_set]
    if asked.verification != "full":
        words += ["--verification", asked.verification]
    if asked.firmware_pattern:
        words += ["--firmware-pattern", asked.firmware_pattern]
    words += ["--no-deallocate"] if asked.no_deallocate else []
    lists = (
        ("--acknowledge", asked.acknowledged_signatures),
        ("--accept-scope", asked.acknowledged_scope),
        ("--setting", asked.settings),
        ("--answer", asked.answers),
    )
    words += [word for option, given in lists for each in given for word in (option, each)]
    text = shlex.join(words)
    if any(step in PASSWORD for step in planned.steps):
        text += " --escrow-file FILE"
    if "opal-psid-revert" in planned.steps:
        text += " --psid-file FILE"
    if "opal-revert" in planned.steps:
        text += " --owner-password-file FILE"
    return text


def _standing(obstacles: Sequence[Refused]) -> Iterator[str]:
    if obstacles:
        yield "What stands against it now:"
    for obstacle in obstacles:
        yield wrapped(f"{obstacle.summarize()} [{obstacle.code}]. {obstacle.remedy}", "  - ", "    ")


def explain(
    planned: Plan,
    inspection: Inspection,
    obstacles: Sequence[Refused],
    catalogue: Mapping[str, Technique] = TECHNIQUES,
) -> Iterator[str]:
    """The whole plan, paragraph by paragraph, and the command to type."""
    yield from explain_plan(planned, inspection, obstacles, catalogue)
    yield "To do this, type:" if not obstacles else "Once nothing stands against it, type:"
    yield f"  {command(planned, inspection.path)}"
    yield "It asks for the fingerprint before anything is written."


def explain_plan(
    planned: Plan,
    inspection: Inspection,
    obstacles: Sequence[Refused],
    catalogue: Mapping[str, Technique] = TECHNIQUES,
) -> Iterator[str]:
    """The whole plan, paragraph by paragraph."""
    yield from _device(inspection)
    yield ""
    yield wrapped(f"Asked for: {METHODS[planned.request.method]}", "", "  ")
    yield ""
    yield "What would be done, in this order:"
    for number, text in enumerate(_steps(planned, catalogue), start=1):
        yield wrapped(text, f"  {number}. ", "     ")
    yield ""
    yield wrapped(f"What is reached: {planned.level}, when every step succeeds and is proven; else nothing.", "", "  ")
    if not planned.by_drive and not planned.by_keys:
        reach = planned.reaches[0]
        yield wrapped(f"Not more: {reach.reason} ({reach.clause}).", "  ")
    yield wrapped(f"How long: {_how_long(planned)}", "", "  ")
    if planned.also_destroyed:
        yield "What else is destroyed, as accepted:"
        yield from _listed(planned.also_destroyed)
    if planned.notes:
        yield "What to know before:"
        yield from _listed(planned.notes)
    if planned.rejected:
        yield ""
        yield "What was not taken, and why:"
        yield from rejections(planned.rejected)
    yield ""
    yield from _standing(obstacles)
    yield f"plan digest: {planned.digest}"


def told_shortly(planned: Plan) -> Iterator[str]:
    """The plan in a few lines, for the moment it is confirmed."""
    yield wrapped(f"plan:            {planned.describe()}", "", " " * 17)
    for name, reach in zip(planned.titles, planned.reaches, strict=True):
        yield wrapped(f"reaches:         {reach.level} by {name}", "", " " * 17)
    for sentence in planned.also_destroyed:
        yield wrapped(f"also destroyed:  {sentence}", "", " " * 17)
    for sentence in planned.notes:
        yield wrapped(f"note:            {sentence}", "", " " * 17)


def explain_none(request: PlanRequest, inspection: Inspection, reasons: Sequence[str]) -> Iterator[str]:
    """Why there is no plan, technique by technique, and what a person could decide otherwise."""
    yield from _device(inspection)
    yield ""
    yield wrapped(f"Asked for: {METHODS.get(request.method, request.method)}", "", "  ")
    yield wrapped(
        "Nothing available here reaches that on this device, and nothing less is done in its place. Why:", "", "  "
    )
    found: dict[str, list[str]] = {}
    for each in reasons:
        name, _, reason = each.partition(": ")
        found.setdefault(name, []).append(reason)
    yield from rejections([Rejected(technique=name, reasons=tuple(why)) for name, why in found.items()])
    yield ""
    yield from _standing(inspection.remaining_obstacles(request.acknowledged_signatures))
    text = " ".join(reasons)
    yield "What you can do:"
    if "accept it by the word" in text:
        yield wrapped(
            "Accept what else would be destroyed: --accept-scope WORD, once for each word above.", "  - ", "    "
        )
    if "with the setting" in text:
        yield wrapped(
            "Decide a disputed classification: --setting NAME (docs/techniques.md says what it means).", "  - ", "    "
        )
    if "must vouch that" in text:
        yield wrapped(
            "Vouch for a condition, if you know it to be so: --answer WORD, once for each. The record says so.",
            "  - ",
            "    ",
        )
    if "restore-capacity" in text:
        yield wrapped(f"Bring hidden capacity back: sanitizer restore-capacity {inspection.path}", "  - ", "    ")
    if "sanitizer recover" in text:
        back = (
            f"Bring the drive back with the number on its label: sanitizer recover {inspection.path} --psid-file FILE"
        )
        yield wrapped(back, "  - ", "    ")
    if "sanitizer settle" in text:
        yield wrapped(f"Wait for the operation under way: sanitizer settle {inspection.path}", "  - ", "    ")
    if request.technique != "auto":
        yield wrapped("See what else there is: the same command with --technique auto.", "  - ", "    ")
    yield wrapped("Have the medium destroyed (SP 800-88 Rev. 2, 3.1.3).", "  - ", "    ")


def pattern_table() -> Iterator[tuple[str, str, str]]:
    """Pattern sets with their passes and what they mirror."""
    yield from ((each.name, str(len(each.passes)), each.mirrors or "-") for each in PATTERN_SETS.values())
    yield ("fixed:HEX", "1", "-, 1 to 32 bytes of lower-case hexadecimal")
