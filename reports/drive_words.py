"""The drives' own techniques and commands in words for people. Pure; decides nothing."""

from __future__ import annotations

from functools import reduce

from . import key_words
from .findings import content_expected, deciding
from .findings.techniques import DRIVE, by_keys, steps_of
from .language import ENGLISH, Speaker
from .record import CommandFacts, SanitizationRecord

_SHOWN_BYTES = 32
"""More raw bytes than this are cut short on paper; all of them are in the attached evidence."""


def technique_words(technique: str, speaker: Speaker = ENGLISH) -> str:
    """What a technique is called, its steps in order."""
    steps = steps_of(technique)
    if steps is None:
        return technique
    return reduce(
        lambda first, following: speaker.say("claims.then", first=first, next=following),
        (speaker.word("technique", step) for step in steps),
    )


def technique_does(technique: str, speaker: Speaker = ENGLISH) -> str:
    """One sentence: what the steps do by definition. Empty for overwriting alone, which needs none.

    That a drive did so is the drive's report.
    """
    steps = steps_of(technique) or ()
    if not any(step in DRIVE for step in steps):
        return ""
    told = reduce(
        lambda first, following: speaker.say("claims.and-then", first=first, next=following),
        (speaker.word("does", step) for step in steps),
    )
    return f"{told[0].upper()}{told[1:]}."


def bytes_words(text: str, speaker: Speaker = ENGLISH) -> str:
    """Hexadecimal in groups of four bytes, cut short where it is long."""
    if not text:
        return speaker.say("common.command-bytes-none")
    shown = text[: 2 * _SHOWN_BYTES]
    grouped = " ".join(shown[at : at + 8] for at in range(0, len(shown), 8))
    more = len(text) // 2 - _SHOWN_BYTES
    return grouped if more <= 0 else speaker.say("common.command-bytes-cut", shown=grouped, count=more)


def command_words(one: CommandFacts) -> str:
    """One command in a line: name, opcode, what the drive answered and reported."""
    accepted = {"yes": "accepted", "no": "refused"}.get(one.accepted, "no answer")
    reported = {"success": "reported success", "failed": "reported failure", "in-progress": "still at work"}
    return f"{one.command}, opcode {one.opcode}h, {accepted}, {reported.get(one.reported, 'end not known')}"


def deciding_words(record: SanitizationRecord, speaker: Speaker = ENGLISH) -> str:
    """The commands that did the work, by the standard's names."""
    steps = [step for step in steps_of(record.method.technique) or () if step in DRIVE]
    last = [deciding(record, step)[-1:] for step in steps]
    return "; ".join(
        speaker.say("claims.command", command=one.command, opcode=one.opcode) for found in last for one in found
    )


def content_words(label: str, speaker: Speaker = ENGLISH) -> str:
    """What the read-back had to find beside that no canary was left."""
    content = content_expected(label)
    if content == "zeros":
        return speaker.say("claims.content-zeros")
    if content in {"uniform", "pattern"}:
        return speaker.say(f"claims.content-{content}", bytes=label.rpartition(":")[2].upper())
    return ""


def not_reached(record: SanitizationRecord, speaker: Speaker = ENGLISH) -> tuple[str, ...]:
    """Areas the steps leave alone by definition, and what a key erase rests on."""
    steps = [step for step in steps_of(record.method.technique) or () if step in DRIVE]
    if not steps:
        return (speaker.say("claims.beyond-clear"),)
    if by_keys(record.method.technique):
        return key_words.beyond(speaker)
    found = [speaker.say("claims.beyond-read-back")]
    if any(step.startswith("nvme-") for step in steps):
        found.append(speaker.say("claims.beyond-nvme"))
    elif any(step.startswith("mmc-") for step in steps):
        found.append(speaker.say("claims.beyond-mmc"))
    else:
        found.append(speaker.say("claims.beyond-others"))
    if any(DRIVE[step].rests_on_encryption for step in steps):
        found.append(speaker.say("claims.rests-on-encryption"))
    return tuple(found)
