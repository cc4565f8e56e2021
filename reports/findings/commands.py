"""Findings about the drives' own commands: what was sent, what the drive answered, how its end is known. Standard library only.

A drive's word alone is never success: the canaries must be gone too (`canaries`, `readback`). But without the drive's word, byte
by byte and free of contradiction, nothing is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from reports.errors import MalformedDocument
from reports.language import said
from reports.record import CommandFacts, SanitizationRecord
from reports.times import parse_instant

from .codes import Finding
from .drive_status import contradiction
from .techniques import DRIVE, HOST, KEYS, Level, Rule, highest, level_of, steps_of

_HEX = re.compile(r"(?:[0-9a-f]{2})*")
_OPCODE = re.compile(r"(?:[0-9a-f]{2}){1,4}")
ACCEPTED = frozenset({"yes", "no", "unknown"})
_ERASE = "26"
"""eMMC, CMD38."""
REPORTED = frozenset({"success", "failed", "in-progress", "unknown"})


def steps_named(record: SanitizationRecord) -> tuple[str, ...]:
    """The steps of the record's technique; none where it is not understood."""
    return steps_of(record.method.technique) or ()


def of_step(record: SanitizationRecord, step: str) -> tuple[CommandFacts, ...]:
    """The commands of one step, in order."""
    return tuple(one for one in record.method.commands if one.technique == step)


def deciding(record: SanitizationRecord, step: str) -> tuple[CommandFacts, ...]:
    """The commands of one step that do its work, in order; the last of them decides."""
    rule = DRIVE[step]
    return tuple(one for one in of_step(record, step) if not rule.opcodes or one.opcode in rule.opcodes)


def level_reached(record: SanitizationRecord) -> Level:
    """The highest level among the steps, on this medium, by the settings that the commands themselves state.

    Only meaningful where nothing speaks against the record (`verdict.judge`).
    """
    levels: list[Level] = []
    for step in steps_named(record):
        stated = {one.setting for one in deciding(record, step)[-1:]} if step in DRIVE else set()
        if step == KEYS and record.method.key_erasure is not None:
            stated = {record.method.key_erasure.setting}
        level = level_of(step, record.device.media, {word for word in stated if word is not None})
        unasked = step in DRIVE and DRIVE[step].on_request and record.method.requested != "purge"
        levels.append("clear" if unasked else level)
    return highest(levels)


def commands(record: SanitizationRecord) -> Iterator[Finding]:
    """Whether the list of commands is one: numbers, bytes, times, words, order. True of every run."""
    sent = record.method.commands
    steps = steps_named(record)
    for number, one in enumerate(sent, 1):
        where = f"method.commands[{number - 1}]"
        if one.number != number:
            text = said("findings.commands-unnumbered")
            yield Finding("facts-contradict", "unknown", text, (f"{where}.number",))
        if one.technique not in steps or one.technique == HOST:
            text = said("findings.command-unexpected", number=number, step=one.technique[:60])
            yield Finding("command-unexpected", "unknown", text, (f"{where}.technique", "method.technique"))
        yield from _shape(one, number, where)
    order = [steps.index(one.technique) for one in sent if one.technique in steps]
    if order != sorted(order):
        text = said("findings.command-out-of-order")
        yield Finding("command-out-of-order", "unknown", text, ("method.commands", "method.technique"))
    yield from _times(record)
    if any(one.accepted == "yes" for one in sent) and (record.run.touched == "no" or record.run.state == "refused"):
        text = said("findings.accepted-and-untouched")
        yield Finding("facts-contradict", "unknown", text, ("run.touched", "run.state", "method.commands"))


def _shape(one: CommandFacts, number: int, where: str) -> Iterator[Finding]:
    words = (("accepted", one.accepted, ACCEPTED), ("reported", one.reported, REPORTED))
    for field, word, known in words:
        if word not in known:
            text = said("findings.unknown-word", word=word[:60], field=f"{where}.{field}")
            yield Finding("unknown-word", "unknown", text, (f"{where}.{field}",))
    for field in ("sent", "answer", "before", "after"):
        if not _HEX.fullmatch(getattr(one, field)):
            text = said("findings.command-bytes", number=number, field=field)
            yield Finding("command-malformed", "unknown", text, (f"{where}.{field}",))
    if not _OPCODE.fullmatch(one.opcode) or not one.sent or not one.command.strip():
        text = said("findings.command-unsaid", number=number)
        yield Finding("command-malformed", "unknown", text, (f"{where}.opcode", f"{where}.sent", f"{where}.command"))
    if one.answered_at is None and (one.answer or one.accepted == "yes"):
        text = said("findings.command-answer", number=number)
        yield Finding("facts-contradict", "unknown", text, (f"{where}.answered_at", f"{where}.answer"))


def _times(record: SanitizationRecord) -> Iterator[Finding]:
    fields = ("method.commands", "run.started", "run.finished")
    try:
        edges = [parse_instant(record.run.started)]
        for one in record.method.commands:
            edges.append(parse_instant(one.sent_at))
            if one.answered_at is not None:
                edges.append(parse_instant(one.answered_at))
        edges.append(parse_instant(record.run.finished))
    except MalformedDocument:
        text = said("findings.command-time-malformed")
        yield Finding("times-unusable", "unknown", text, fields)
        return
    if record.method.commands and record.run.clock_synchronized is True and any(b < a for a, b in pairwise(edges)):
        text = said("findings.command-times-backwards")
        yield Finding("times-unusable", "unknown", text, fields)


def carried_out(record: SanitizationRecord) -> Iterator[Finding]:
    """Whether every step of a successful run was carried out by the drive's own word."""
    for step in steps_named(record):
        if step in DRIVE and step != KEYS:  # which no command does (`keys`)
            yield from _fits(record, step, DRIVE[step])
            yield from _step(record, step, DRIVE[step])
            yield from _setting(record, step, DRIVE[step])


def _fits(record: SanitizationRecord, step: str, rule: Rule) -> Iterator[Finding]:
    if record.device.kind not in rule.kinds:
        text = said("findings.technique-does-not-fit", kind=record.device.kind, step=step)
        yield Finding("technique-does-not-fit", "unknown", text, ("method.technique", "device.kind"))
    if rule.password and record.device.transport == "usb":
        text = said("findings.password-over-bridge")
        yield Finding("password-over-bridge", "unknown", text, ("method.technique", "device.transport"))


def _step(record: SanitizationRecord, step: str, rule: Rule) -> Iterator[Finding]:
    work = deciding(record, step)
    if not work:
        text = said("findings.command-missing", step=step)
        yield Finding("command-missing", "unknown", text, ("method.technique", "method.commands"))
        return
    if step == "mmc-sanitize" and not any(one.opcode == _ERASE for one in of_step(record, step)):
        text = said("findings.erase-missing")
        yield Finding("command-missing", "unknown", text, ("method.technique", "method.commands"))
    last, where = work[-1], f"method.commands[{record.method.commands.index(work[-1])}]"
    yield from _around(record, step, work)
    if last.accepted == "no":
        text = said("findings.command-refused", command=last.command)
        yield Finding("command-refused", "failed", text, (f"{where}.accepted", f"{where}.answer"))
    elif last.reported == "failed":
        text = said("findings.command-failed", command=last.command)
        yield Finding("command-failed", "failed", text, (f"{where}.reported", f"{where}.after"))
    elif last.reported != "success":
        text = said("findings.command-unsettled", command=last.command)
        yield Finding("command-unsettled", "unknown", text, (f"{where}.reported",))
    else:
        yield from _success(last, where, step, rule)


def _success(last: CommandFacts, where: str, step: str, rule: Rule) -> Iterator[Finding]:
    if not last.after and (rule.ends == "status" or not last.answer):
        text = said("findings.command-status-missing", command=last.command)
        yield Finding("command-status-missing", "unknown", text, (f"{where}.after", f"{where}.answer"))
        return
    against = contradiction(step, last)
    if against is not None:
        text = said("findings.command-status-differs", command=last.command, why=against)
        yield Finding("command-status-differs", "unknown", text, (f"{where}.sent", f"{where}.after", f"{where}.answer"))
    if last.accepted == "yes" and last.answered_at is not None:
        return
    if rule.ends == "status" and last.after != last.before:
        text = said("findings.command-unanswered", command=last.command)
        yield Finding("command-unanswered", "caution", text, (f"{where}.answered_at", f"{where}.after"))
    else:
        text = said("findings.command-never-answered", command=last.command)
        yield Finding("command-unsettled", "unknown", text, (f"{where}.accepted", f"{where}.after"))


def _around(record: SanitizationRecord, step: str, work: Sequence[CommandFacts]) -> Iterator[Finding]:
    """The other commands of a step: earlier attempts, and what prepares or follows the one that decides."""
    if any(one.accepted != "yes" or one.reported != "success" for one in work[:-1]):
        text = said("findings.command-repeated", command=work[-1].command)
        yield Finding("command-repeated", "caution", text, ("method.commands",))
    newest = {one.command: one for one in of_step(record, step) if one not in work}
    for one in newest.values():
        if one.accepted != "yes" or one.reported in {"failed", "in-progress"}:
            text = said("findings.command-incomplete", command=one.command, step=step)
            effect = "unknown" if one.accepted == "unknown" else "failed"
            yield Finding("command-incomplete", effect, text, ("method.commands",))  # type: ignore[arg-type]  # two effects


def _setting(record: SanitizationRecord, step: str, rule: Rule) -> Iterator[Finding]:
    stated = {one.setting for one in of_step(record, step)}
    media = record.device.media
    for word in sorted(word for word in stated if word is not None):
        counts = word == rule.setting and level_of(step, media) != level_of(step, media, {word})
        if len(stated) > 1 or not counts:
            text = said("findings.setting-does-not-fit", step=step, setting=word[:60])
            yield Finding("setting-does-not-fit", "unknown", text, ("method.commands", "method.technique"))
        else:
            text = said("findings.classification-by-setting", step=step, setting=word)
            yield Finding("classification-by-setting", "caution", text, ("method.commands",))
